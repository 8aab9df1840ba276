"""Home Assistant MQTT discovery: devices that describe themselves.

OpenBeken, openHASP, rtl_433, Theengs and many more publish, retained, what
each of their entities is: `homeassistant/<component>/<node>/<object>/config`,
`homeassistant/<component>/<object>/config` or, for a whole device,
`homeassistant/device/<object>/config`, with the topic of its values, their unit
and device class. `topic` in the inventory is the node's (or, without one, the
object's) id, `classroom-204`; with another discovery prefix it is
`<prefix>/classroom-204`.

The decoder then listens to the topics that were named. It understands
templates that pick one value, `{{ value_json.air.co2 }}`, and counts others as
problems: they would be programs of Home Assistant's.

Sources: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery,
https://www.home-assistant.io/integrations/sensor/#device-class and
https://www.home-assistant.io/integrations/binary_sensor/#device-class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from campuswatch.inventory.models import Device, MqttAddress
from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.decoded import NOTHING, Decoded, Site, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.findings import Findings
from edge_agents.sources.mqtt.messages import Message, PayloadError, mapping, member
from edge_agents.sources.mqtt.wills import will

MAX_ENTITIES: Final = 64
"""Entities that a device may have."""

_PREFIX: Final = "homeassistant"
_LONGEST_TOPIC: Final = 300

_CLASSES: Final[Mapping[tuple[str, str], q.Quantity]] = {
    ("sensor", "temperature"): q.TEMPERATURE,
    ("sensor", "humidity"): q.HUMIDITY,
    ("sensor", "carbon_dioxide"): q.CO2,
    ("sensor", "pm25"): q.PM2_5,
    ("sensor", "pm10"): q.PM10,
    ("sensor", "illuminance"): q.ILLUMINANCE,
    ("sensor", "sound_pressure"): q.NOISE,
    ("sensor", "pressure"): q.PRESSURE_HPA,
    ("sensor", "atmospheric_pressure"): q.PRESSURE_HPA,
    ("sensor", "power"): q.WATTS,
    ("sensor", "voltage"): q.VOLTS,
    ("sensor", "current"): q.AMPERES,
    ("sensor", "energy"): q.KILOWATT_HOURS,
    ("sensor", "battery"): q.BATTERY,
    ("binary_sensor", "occupancy"): q.OCCUPANCY,
    ("binary_sensor", "motion"): q.OCCUPANCY,
    ("binary_sensor", "presence"): q.OCCUPANCY,
    ("binary_sensor", "door"): q.DOOR,
    ("binary_sensor", "window"): q.DOOR,
    ("binary_sensor", "opening"): q.DOOR,
    ("switch", ""): q.RELAY,
    ("switch", "outlet"): q.RELAY,
    ("switch", "switch"): q.RELAY,
}

_ABBREVIATIONS: Final = {
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "avty": "availability",
    "cmps": "components",
    "dev": "device",
    "dev_cla": "device_class",
    "ent_cat": "entity_category",
    "mdl": "model",
    "mf": "manufacturer",
    "obj_id": "object_id",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "sw": "sw_version",
    "t": "topic",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}

_FILTERS = r"(?:\s*\|\s*(?:is_defined|float|int|round)(?:\([^()]{0,20}\))?)*"
_TEMPLATE: Final = re.compile(
    rf"\{{\{{-?\s*value(?:_json(?P<path>(?:\.\w+|\[['\"][^'\"\]]+['\"]\])+))?{_FILTERS}\s*-?\}}\}}"
)
_STEP: Final = re.compile(r"\.(\w+)|\[['\"]([^'\"\]]+)['\"]\]")


@dataclass(frozen=True, slots=True)
class _Entity:
    """One value that a device publishes.

    Attributes:
        name: its object id.
        topic: where.
        path: of the value in the payload's JSON; () for the payload itself.
        quantity: what it is; None for the Wi-Fi signal.
        words: 1 and 0 by what the payload says for them.
    """

    name: str
    topic: str
    path: tuple[str, ...]
    quantity: q.Quantity | None
    words: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Availability:
    """Where a device's birth and last will are."""

    topic: str
    path: tuple[str, ...]
    there: str
    gone: str


class HomeAssistantDecoder(Decoder):
    """Reads one device that describes itself."""

    def __init__(self, device: Device, address: MqttAddress, site: Site) -> None:
        super().__init__(device, address, site)
        prefix, _, node = address.topic.rpartition("/")
        self._prefix, self._node = prefix or _PREFIX, node
        self._entities: dict[str, list[_Entity]] = {}
        self._wills: dict[str, _Availability] = {}

    @property
    def topics(self) -> Sequence[Topic]:
        return [
            Topic(f"{self._prefix}/+/{self._node}/+/config", retained=True),
            Topic(f"{self._prefix}/+/{self._node}/config", retained=True),
        ]

    def decode(self, message: Message) -> Decoded:
        if message.topic.startswith(f"{self._prefix}/") and message.topic.endswith("/config"):
            return self._describe(message)
        available = self._wills.get(message.topic)
        if available is not None:
            said = _word(member(message.document, *available.path))
            return will({available.there: "online", available.gone: "offline"}.get(said, said))
        found = self.findings(message.received)
        for entity in self._entities.get(message.topic, []):
            _take(found, entity, message.document)
        return found.decoded()

    def _describe(self, message: Message) -> Decoded:
        entity_id = message.topic.removeprefix(f"{self._prefix}/").removesuffix("/config")
        self._forget(entity_id)
        if not message.payload.strip():
            return NOTHING  # an empty payload takes an entity back
        config = _spelt_out(mapping(message.document))
        found = self.findings(message.received)
        component = entity_id.partition("/")[0]
        for name, kind, settings in _parts(entity_id, component, config):
            try:
                self._add(name, kind, settings)
            except PayloadError as error:
                found.problems.append(f"{name}: {error}")
        found.take_reading("device_info", _device_info(config.get("device")))
        heard = found.decoded()
        follow = [Topic(topic) for topic in self._entities if topic not in self._wills]
        follow += [Topic(topic, retained=True) for topic in self._wills]
        return Decoded(heard.readings, heard.problems, follow=tuple(follow))

    def _add(self, name: str, component: str, settings: Mapping[str, object]) -> None:
        for available in _availabilities(settings):
            self._wills[available.topic] = available
        if (entity := _entity(name, component, settings)) is None:
            return
        if sum(map(len, self._entities.values())) >= MAX_ENTITIES:
            raise PayloadError(f"expected at most {MAX_ENTITIES} entities")
        self._entities.setdefault(entity.topic, []).append(entity)

    def _forget(self, entity_id: str) -> None:
        for there in self._entities.values():
            there[:] = [each for each in there if not each.name.startswith(entity_id)]

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        levels = message.topic.split("/")
        known = levels[0] == _PREFIX and levels[-1] == "config" and len(levels) in (4, 5)
        return levels[2] if known and isinstance(message.document, dict) else None


def _spelt_out(settings: Mapping[str, object]) -> dict[str, object]:
    """Return settings with their whole names, and with topics whose "~" is filled in."""
    base = settings.get("~")
    whole: dict[str, object] = {}
    for key, value in settings.items():
        name = _ABBREVIATIONS.get(key, key)
        if name == "device" and isinstance(value, dict):
            whole[name] = _spelt_out(value)
        elif name.endswith("topic") and isinstance(value, str) and isinstance(base, str):
            whole[name] = _with_base(value, base)
        else:
            whole[name] = value
    return whole


def _with_base(topic: str, base: str) -> str:
    if topic.startswith("~"):
        return base + topic[1:]
    return topic[:-1] + base if topic.endswith("~") else topic


def _parts(
    entity_id: str, component: str, config: Mapping[str, object]
) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Yield name, component and settings of each entity that a configuration describes."""
    if component != "device":
        yield entity_id, component, config
        return
    common = {key: value for key, value in config.items() if key != "components"}
    for name, part in list(mapping(config.get("components")).items())[:MAX_ENTITIES]:
        own = _spelt_out({"~": config.get("~"), **mapping(part)})
        yield f"{entity_id}/{name}", str(own.get("platform")), {**common, **own}


def _entity(name: str, component: str, settings: Mapping[str, object]) -> _Entity | None:
    """Return the entity, or None if it is of no interest.

    Raises:
        PayloadError: it is, and can't be understood.
    """
    device_class, unit = settings.get("device_class") or "", settings.get("unit_of_measurement")
    quantity = _CLASSES.get((component, str(device_class)))
    signal = device_class == "signal_strength" and unit == "dBm" and _is_wifi(name, settings)
    if settings.get("entity_category") == "config" or (quantity is None and not signal):
        return None
    if settings.get("entity_category") == "diagnostic" and quantity == q.TEMPERATURE:
        return None  # of the board
    if quantity is not None and isinstance(unit, str):
        quantity = quantity.in_unit(unit)
    if quantity == q.VOLTS and "battery" in name:
        quantity = q.BATTERY_VOLTS
    on, off = settings.get("payload_on", "ON"), settings.get("payload_off", "OFF")
    words = {_word(settings.get("state_on", on)): 1, _word(settings.get("state_off", off)): 0}
    path = _path(settings.get("value_template"))
    return _Entity(name, _topic(settings.get("state_topic")), path, quantity, words)


def _is_wifi(name: str, settings: Mapping[str, object]) -> bool:
    said = (name, settings.get("name"), settings.get("value_template"), settings.get("state_topic"))
    return any(re.search("wi-?fi", str(each), re.IGNORECASE) for each in said)


def _availabilities(settings: Mapping[str, object]) -> Iterator[_Availability]:
    listed = settings.get("availability")
    entries = (
        [_spelt_out(each) for each in listed[:8] if isinstance(each, dict)]
        if isinstance(listed, list)
        else []
    )
    if "availability_topic" in settings:
        template = settings.get("availability_template")
        entries.append(
            {**settings, "topic": settings["availability_topic"], "value_template": template}
        )
    for entry in entries:
        yield _Availability(
            _topic(entry.get("topic")),
            _path(entry.get("value_template")),
            _word(entry.get("payload_available", "online")),
            _word(entry.get("payload_not_available", "offline")),
        )


def _topic(value: object) -> str:
    """Return a topic to listen to; a device may not ask for those of others by wildcards."""
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= _LONGEST_TOPIC
        or set(value) & set("+#\0")
    ):
        raise PayloadError(f"{q.shown(value)}: expected a topic without wildcards")
    return value


def _path(template: object) -> tuple[str, ...]:
    if template is None:
        return ()
    match = _TEMPLATE.fullmatch(template.strip()) if isinstance(template, str) else None
    if match is None:
        raise PayloadError(f"template {q.shown(template)}: expected one such as value_json.co2")
    return tuple(dotted or quoted for dotted, quoted in _STEP.findall(match["path"] or ""))


def _word(value: object) -> str:
    """Return how Home Assistant compares a value: as the text that Python makes of it."""
    return str(value) if isinstance(value, str | bool | int | float) else ""


def _take(found: Findings, entity: _Entity, document: object) -> None:
    value = member(document, *entity.path)
    if entity.quantity is None:
        found.signal(value)
        return
    if entity.quantity.measurement == q.PRESENCE or entity.quantity == q.RELAY:
        value = entity.words.get(_word(value), value)
    name = entity.name.rpartition("/")[2]
    found.take(name, entity.quantity, value, name)


def _device_info(device: object) -> dict[str, str | float | int | bool | None]:
    if not isinstance(device, dict):
        return {}
    names = {"name": "name", "vendor": "manufacturer", "model": "model", "firmware": "sw_version"}
    given = {field: device.get(key) for field, key in names.items()}
    return {field: text[:200] for field, text in given.items() if isinstance(text, str) and text}
