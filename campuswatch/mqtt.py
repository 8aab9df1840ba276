"""An MQTT 5 client for the district's broker, as the settings describe it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from campuswatch.secrets import resolve
from campuswatch.settings import BrokerSettings

KEEPALIVE: Final = 30
"""Seconds between signs of life (MQTT 5, 3.1.2.10)."""

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker listens."""

    host: str
    port: int
    tls: bool


def broker_address(url: str) -> BrokerAddress:
    """Return the address that `mqtt://host[:port]` or `mqtts://host[:port]` means."""
    parts = urlsplit(url)
    return BrokerAddress(
        parts.hostname or "127.0.0.1",
        parts.port or _PORTS[parts.scheme],
        parts.scheme == "mqtts",
    )


def new_client(
    settings: BrokerSettings, client_id: str, *, manual_ack: bool = False, reconnect: bool = True
) -> Client:
    """Return an unconnected client with the broker's credentials and certificates.

    Args:
        settings: which broker, and who we are to it.
        client_id: the client identifier; a broker closes a connection when
            another comes with the same one.
        manual_ack: whether the caller acknowledges each message itself.
        reconnect: whether the client connects anew by itself when a connection is lost.

    Raises:
        SecretError: the password is not where the settings say.
        OSError: a certificate file can't be read.
    """
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTv5,
        manual_ack=manual_ack,
        reconnect_on_failure=reconnect,
    )
    if settings.username is not None:
        password = None if settings.password is None else resolve(settings.password)
        client.username_pw_set(settings.username, password)
    if broker_address(settings.url).tls:
        client.tls_set(
            ca_certs=None if settings.ca_file is None else str(settings.ca_file),
            certfile=None if settings.cert_file is None else str(settings.cert_file),
            keyfile=None if settings.key_file is None else str(settings.key_file),
        )
    client.reconnect_delay_set(min_delay=1, max_delay=30)
    return client
