"""What a decoder is: one class an ecosystem, one object a device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from campuswatch.inventory.models import Device, MqttAddress
from edge_agents.sources.mqtt.decoded import Decoded, Question, Site, Topic
from edge_agents.sources.mqtt.findings import MAX_BSSIDS, MAX_SENSORS, Few, Findings
from edge_agents.sources.mqtt.messages import Message
from edge_agents.sources.mqtt.quantities import declared


class Decoder(ABC):
    """Reads the messages of one device.

    Args:
        device: whose messages these are.
        address: the entry of the inventory that names this decoder.
        site: what is common to the school.
    """

    questions: Sequence[Question] = ()
    """What the device is asked from time to time."""

    def __init__(self, device: Device, address: MqttAddress, site: Site) -> None:
        self.device = device
        self.address = address
        self.site = site
        self._names = declared(address.fields)
        self._sensors = Few(MAX_SENSORS, "sensors")
        self._bssids = Few(MAX_BSSIDS, "access points")

    def findings(self, time: int) -> Findings:
        """Return an empty collection for what a message says.

        Args:
            time: of the readings, ns UTC.
        """
        return Findings(
            self.device,
            self.site,
            time,
            names=self._names,
            sensors=self._sensors,
            bssids=self._bssids,
        )

    @property
    @abstractmethod
    def topics(self) -> Sequence[Topic]:
        """What it wants to hear from the beginning; no two of them overlap."""

    @abstractmethod
    def decode(self, message: Message) -> Decoded:
        """Read a message on one of its topics.

        Raises:
            PayloadError: the payload is none that such a device sends.
        """

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        """Return the `topic` with which a device that sends this would be declared.

        None if the message is not clearly one of this ecosystem.
        """
        return None
