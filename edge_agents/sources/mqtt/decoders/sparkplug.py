"""Sparkplug B: gateways and building controllers that follow the Eclipse specification.

Topics: `spBv1.0/<group>/<type>/<edge node>[/<device>]`, the types NBIRTH,
DBIRTH, NDATA, DDATA, NDEATH, DDEATH; payloads are protobuf. `topic` in the
inventory is `<group>/<edge node>/<device>`, or `<group>/<edge node>` for
metrics of the node itself.

A birth says what each metric is called; data may then use aliases alone. One
sequence number runs through all that a node and its devices send. When one is
missing, or data comes before its birth, the node is asked for a new birth
(NCMD `Node Control/Rebirth`), at most once in half a minute; what can be read
meanwhile is right and is kept. Names such as `Environment/CO2` are recognised by
their words and by the property `engUnit`; the entry's `fields` name the others.

Source: Sparkplug specification 3.0, sections 4 to 6,
https://sparkplug.eclipse.org/specification/version/3.0/documents/sparkplug-specification-3.0.0.pdf.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from campuswatch.inventory.models import Device, MqttAddress
from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.decoded import NOTHING, Decoded, Request, Site, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.decoders.sparkplug_b import (
    read_payload,
    rebirth_command,
    unit_of,
    value_of,
)
from edge_agents.sources.mqtt.findings import nanoseconds, plausible
from edge_agents.sources.mqtt.messages import Message, PayloadError

log = logging.getLogger(__name__)

_NAMESPACE: Final = "spBv1.0"
_KINDS: Final = ("NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH")
_SEQUENCE: Final = 256
_REBIRTH_PAUSE: Final = 30 * 10**9  # ns between two requests to one node
_MAX_KNOWN: Final = 10_000  # metrics of a node and its devices


@dataclass(frozen=True, slots=True)
class _Definition:
    """What a birth says of a metric."""

    name: str
    datatype: int
    unit: str


@dataclass(frozen=True, slots=True)
class _Value:
    """One metric of a message, with what its birth said of it."""

    definition: _Definition
    value: float | int | bool | str | None
    timestamp: int


@dataclass(frozen=True, slots=True)
class _Event:
    """What a node's message means.

    Attributes:
        kind: NBIRTH, DDATA, …
        device: "" for the node itself.
        values: its metrics.
        unborn: whether data came that no birth explains.
    """

    kind: str
    device: str
    values: tuple[_Value, ...] = ()
    unborn: bool = False


@dataclass
class _Node:
    """One edge node, which the decoders of all its devices share."""

    group: str
    name: str
    _metrics: dict[tuple[str, str | int], _Definition] = field(default_factory=dict)
    _born: set[str] = field(default_factory=set)
    _sequence: int | None = None
    _session: int | None = None
    _asked: int = -_REBIRTH_PAUSE
    _requests: tuple[Request, ...] = ()
    _last: tuple[Message, _Event | None] | None = None

    def take(self, message: Message) -> _Event | None:
        """Take a message once, however many decoders hand it in; None if it is out of date.

        Raises:
            PayloadError: it is no Sparkplug payload.
        """
        if self._last is None or self._last[0] is not message:
            self._last = (message, None)
            self._last = (message, self._event(message))
        return self._last[1]

    def _event(self, message: Message) -> _Event | None:
        _, _, kind, _, *rest = message.topic.split("/")
        device = rest[0] if rest else ""
        payload = read_payload(message.payload)
        if kind == "NDEATH":
            return self._node_death(payload)
        gap = self._is_gap(kind, payload)
        if kind in ("NBIRTH", "DBIRTH"):
            self._birth(kind, device, payload)
        elif kind == "DDEATH":
            self._born.discard(device)
        values = tuple(self._values(device, payload))
        unborn = kind.endswith("DATA") and (
            device not in self._born or len(values) < len(payload.metrics)
        )
        if gap or unborn:
            self._ask_for_birth(message.received)
        return _Event(kind, device, values, unborn)

    def _node_death(self, payload: Any) -> _Event | None:
        """Read a node's will; that of a connection before the present one is out of date."""
        session = _session_of(payload)
        if session is not None and self._session is not None and session != self._session:
            return None
        self._metrics.clear()
        self._born.clear()
        self._sequence = None
        return _Event("NDEATH", "")

    def _is_gap(self, kind: str, payload: Any) -> bool:
        """Note a message's sequence number; return whether one before it is missing."""
        if not payload.HasField("seq"):
            return False
        expected = None if self._sequence is None else (self._sequence + 1) % _SEQUENCE
        self._sequence = payload.seq % _SEQUENCE
        gap = kind != "NBIRTH" and expected is not None and self._sequence != expected
        if gap:
            log.warning(
                "sequence gap: node=%s/%s expected=%s got=%s",
                self.group,
                self.name,
                expected,
                self._sequence,
            )
        return gap

    def _birth(self, kind: str, device: str, payload: Any) -> None:
        if kind == "NBIRTH":
            self._metrics.clear()
            self._born.clear()
            self._session = _session_of(payload)
        if len(self._metrics) + len(payload.metrics) > _MAX_KNOWN:
            raise PayloadError(f"expected at most {_MAX_KNOWN} metrics of one node")
        self._born.add(device)
        for metric in payload.metrics:
            definition = _Definition(metric.name[:200], metric.datatype, unit_of(metric))
            self._metrics[device, definition.name] = definition
            if metric.HasField("alias"):
                self._metrics[device, metric.alias] = definition

    def _values(self, device: str, payload: Any) -> Iterator[_Value]:
        for metric in payload.metrics:
            key = metric.name or metric.alias
            definition = self._metrics.get((device, key))
            if definition is not None:
                value = value_of(metric, metric.datatype or definition.datatype)
                yield _Value(definition, value, metric.timestamp or payload.timestamp)

    def take_requests(self) -> tuple[Request, ...]:
        """Return what is to be sent to the node, once."""
        requests, self._requests = self._requests, ()
        return requests

    def _ask_for_birth(self, now: int) -> None:
        if now - self._asked < _REBIRTH_PAUSE:
            return
        self._asked = now
        log.info("rebirth requested: node=%s/%s", self.group, self.name)
        topic = f"{_NAMESPACE}/{self.group}/NCMD/{self.name}"
        self._requests = (Request(topic, rebirth_command(now)),)


class SparkplugDecoder(Decoder):
    """Reads one device of an edge node, or the node itself."""

    def __init__(self, device: Device, address: MqttAddress, site: Site) -> None:
        super().__init__(device, address, site)
        group, _, rest = address.topic.partition("/")
        name, _, self._own = rest.partition("/")
        self._node = site.shared(f"sparkplug:{group}/{name}", lambda: _Node(group, name))

    @property
    def topics(self) -> Sequence[Topic]:
        at = f"{_NAMESPACE}/{self._node.group}"
        node = [Topic(f"{at}/{kind}/{self._node.name}") for kind in _KINDS if kind[0] == "N"]
        return [
            *node,
            *(Topic(f"{at}/{kind}/{self._node.name}/+") for kind in _KINDS if kind[0] == "D"),
        ]

    def decode(self, message: Message) -> Decoded:
        event = self._node.take(message)
        if event is None:
            return NOTHING
        requests = self._node.take_requests()
        if event.kind == "NDEATH":
            return Decoded(alive=False, reason="last will of the edge node")
        if event.device != self._own:
            return Decoded(requests=requests)
        if event.kind == "DDEATH":
            return Decoded(alive=False, reason="the edge node says that it is gone")
        return self._values(event, message, requests)

    def _values(self, event: _Event, message: Message, requests: tuple[Request, ...]) -> Decoded:
        """Return the values, each at its own time: a node may send what it has stored."""
        readings: list[Any] = []
        problems = ["data before its birth"] if event.unborn and not event.values else []
        for timestamp in dict.fromkeys(value.timestamp for value in event.values):
            found = self.findings(_time(timestamp, message.received))
            for value in event.values:
                if value.timestamp == timestamp:
                    quantity = _quantity(value.definition)
                    name = value.definition.name
                    found.take(name, quantity, value.value, name)
            decoded = found.decoded()
            readings += decoded.readings
            problems += decoded.problems
        return Decoded(tuple(readings), tuple(problems), alive=True, requests=requests)

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        levels = message.topic.split("/")
        if levels[0] != _NAMESPACE or len(levels) not in (4, 5) or levels[2] not in _KINDS:
            return None
        return "/".join([levels[1], *levels[3:]])


def _session_of(payload: Any) -> int | None:
    """Return bdSeq, which a birth and the will of the same connection have in common."""
    for metric in payload.metrics:
        if metric.name == "bdSeq":
            value = value_of(metric, 0)
            return value if isinstance(value, int) else None
    return None


def _quantity(definition: _Definition) -> q.Quantity | None:
    quantity = q.quantity_of(definition.name)
    if quantity is None:
        last = definition.name.rpartition("/")[2].lower()
        quantity = q.KILOWATT_HOURS if definition.unit and last.endswith("energy") else None
    if quantity is None or not definition.unit:
        return quantity
    return quantity.in_unit(definition.unit)


def _time(milliseconds: int, received: int) -> int:
    try:
        time = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return received
    return nanoseconds(time) if plausible(time, received) else received
