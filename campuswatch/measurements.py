"""The catalogue of measurements: what may be stored, in which unit.

Stores, rollups, dashboards and the documentation are made from this table,
so a name is spelled once. Units are the base units of Prometheus' naming
guide (seconds, bytes, volts, ...) with three exceptions that the field's
people read every day: bit/s for rates, dBm for signal and percent (0 to 100)
for shares.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from campuswatch.readings import FieldValue, Reading


class CatalogueError(ValueError):
    """A reading does not fit the catalogue; the message names what is wrong."""


class FieldKind(StrEnum):
    """How a field may be summarised over a window of time."""

    GAUGE = "gauge"
    """A level: mean, minimum and maximum make sense."""
    STATE = "state"
    """A small integer that holds until the next sample; weigh it by time."""
    COUNT = "count"
    """How many happened in the sample's interval: sum it."""
    TEXT = "text"
    """A string: only the last one makes sense."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a measurement.

    Attributes:
        name: the field key.
        type: the Python type that is stored; the store never sees another,
            so InfluxDB never refuses a point for a field type conflict.
        unit: a UCUM-like unit for people ("s", "bit/s", "%"), "" if none.
        kind: how to summarise it.
        description: one sentence.
        states: for a STATE, the meaning of each number.
    """

    name: str
    type: type[float] | type[int] | type[bool] | type[str]
    unit: str
    kind: FieldKind
    description: str
    states: Mapping[int, str] | None = None

    def settle(self, value: FieldValue) -> FieldValue:
        """Return `value` as this field's type.

        Raises:
            CatalogueError: the value is no such thing (a string for a float,
                3.7 for an int, NaN).
        """
        if type(value) is self.type and (not isinstance(value, float) or math.isfinite(value)):
            return value
        if self.type is str:
            return value if isinstance(value, str) else self._refuse(value)
        if isinstance(value, str):
            return self._refuse(value)
        if self.type is bool:
            return value if isinstance(value, bool) else self._refuse(value)
        if not math.isfinite(value):
            return self._refuse(value)
        settled = self.type(value)
        return settled if settled == value else self._refuse(value)

    def _refuse(self, value: FieldValue) -> FieldValue:
        raise CatalogueError(f"field {self.name!r} expects {self.type.__name__}, not {value!r}")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of the catalogue.

    Attributes:
        name: the measurement's name.
        description: one sentence.
        tags: tag keys that identify a point besides `school` and `agent`,
            which the collector adds; `required` ones come first.
        required: how many of `tags` every point must have.
        fields: the fields by name.
    """

    name: str
    description: str
    tags: tuple[str, ...]
    required: int
    fields: Mapping[str, Field]

    def reading(
        self, tags: Mapping[str, str], fields: Mapping[str, FieldValue | None], time: int
    ) -> Reading:
        """Build a reading of this measurement.

        Args:
            tags: tag values; empty ones are left out.
            fields: field values; those that are None are left out.
            time: nanoseconds since 1970-01-01 UTC.

        Raises:
            CatalogueError: an unknown tag or field, a missing required tag,
                a value of the wrong type, or no field at all.
        """
        kept_tags = {key: value for key, value in tags.items() if value}
        if unknown := kept_tags.keys() - set(self.tags):
            raise CatalogueError(f"{self.name}: unknown tag {min(unknown)!r}")
        if missing := set(self.tags[: self.required]) - kept_tags.keys():
            raise CatalogueError(f"{self.name}: missing tag {min(missing)!r}")
        kept_fields: dict[str, FieldValue] = {}
        for key, value in fields.items():
            if value is None:
                continue
            field = self.fields.get(key)
            if field is None:
                raise CatalogueError(f"{self.name}: unknown field {key!r}")
            kept_fields[key] = field.settle(value)
        if not kept_fields:
            raise CatalogueError(f"{self.name}: a reading needs at least one field")
        return Reading(self.name, kept_tags, kept_fields, time)


STAMPED_TAGS: Final = ("school", "agent")
"""Tags that only the collector writes, from the topic a batch arrived on."""


class _Catalogue(Mapping[str, Measurement]):
    """Measurements by name; a missing name says which ones there are."""

    def __init__(self, rows: tuple[Measurement, ...]) -> None:
        self._rows = {row.name: row for row in rows}

    def __getitem__(self, name: str) -> Measurement:
        try:
            return self._rows[name]
        except KeyError:
            known = ", ".join(sorted(self._rows))
            raise CatalogueError(f"unknown measurement {name!r}; known: {known}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _gauge(name: str, unit: str, description: str) -> Field:
    return Field(name, float, unit, FieldKind.GAUGE, description)


def _level(name: str, unit: str, description: str) -> Field:
    return Field(name, int, unit, FieldKind.GAUGE, description)


def _count(name: str, description: str, unit: str = "") -> Field:
    return Field(name, int, unit, FieldKind.COUNT, description)


def _state(name: str, description: str, **states: int) -> Field:
    meanings = {number: word.replace("_", "-") for word, number in states.items()}
    return Field(name, int, "", FieldKind.STATE, description, meanings)


def _text(name: str, description: str) -> Field:
    return Field(name, str, "", FieldKind.TEXT, description)


def _measurement(
    name: str,
    description: str,
    tags: tuple[str, ...],
    fields: tuple[Field, ...],
    *,
    required: int | None = None,
) -> Measurement:
    return Measurement(
        name,
        description,
        tags,
        len(tags) if required is None else required,
        {field.name: field for field in fields},
    )


_IF_ADMIN = {"up": 1, "down": 2, "testing": 3}
_IF_OPER = {
    "up": 1,
    "down": 2,
    "testing": 3,
    "unknown": 4,
    "dormant": 5,
    "not_present": 6,
    "lower_layer_down": 7,
}

_PROJECTOR_ERROR = {"ok": 0, "warning": 1, "error": 2}
"""As PJLink's ERST numbers them."""

QUANTITIES: Final[Mapping[str, str]] = {
    "temperature": "°C",
    "humidity": "%",
    "voltage": "V",
    "current": "A",
    "power": "W",
    "frequency": "Hz",
    "fan-speed": "1/min",
    "fan-power": "%",
    "air-flow": "m³/min",
    "signal": "dBm",
    "state": "",
}
"""What `quantity` of hardware_sensor may be, and the unit that its value then has."""

CATALOGUE: Final[Mapping[str, Measurement]] = _Catalogue(
    (
        _measurement(
            "availability",
            "Whether a device answers, asked anew at every interval.",
            ("device", "room"),
            (
                _state("up", "Whether the device is reachable.", down=0, up=1),
                _state("icmp_up", "Whether it answered ICMP echo.", down=0, up=1),
                _state("service_up", "Whether its own protocol answered.", down=0, up=1),
                _gauge("rtt", "s", "Mean round-trip time of the ICMP echoes."),
                _gauge("loss", "%", "ICMP echoes without an answer."),
                _gauge("service_time", "s", "Time to the first answer of its own protocol."),
                _gauge("interval", "s", "Interval at which this is asked."),
                _text("reason", "What did not answer, and why; absent when all did."),
            ),
            required=1,
        ),
        _measurement(
            "device_info",
            "What a device says about itself (SNMPv2-MIB system group, ENTITY-MIB).",
            ("device", "room"),
            (
                _text("description", "sysDescr."),
                _text("object_id", "sysObjectID."),
                _text("name", "sysName."),
                _text("location", "sysLocation."),
                _text("contact", "sysContact."),
                _text("vendor", "Manufacturer, from the profile or the device."),
                _text("model", "Model name."),
                _text("serial_number", "Serial number of the chassis."),
                _text("chassis_id", "lldpLocChassisId, as neighbours hear it."),
                _text("firmware", "Software revision."),
                _text("profile", "The profile that recognised the device."),
                _gauge("uptime", "s", "Time since the management system restarted (sysUpTime)."),
                _level("interface_count", "", "Rows of ifTable (ifNumber)."),
                _count("rates_dropped", "Rates left out because no port is that fast."),
            ),
            required=1,
        ),
        _measurement(
            "snmp_fault",
            "How a device's SNMP agent misbehaved in a poll, by kind; absent while it did not.",
            ("device", "fault", "room"),
            (
                _count("count", "How often in this poll."),
                _text("reason", "What it was, the first time."),
            ),
            required=2,
        ),
        _measurement(
            "interface",
            "A port of a device (IF-MIB, RFC 2863); rates come from 64-bit counters.",
            ("device", "interface", "room"),
            (
                _level("index", "", "ifIndex."),
                _level("type", "", "ifType, as IANAifType-MIB numbers it."),
                _text("alias", "ifAlias, the operator's name for the port."),
                _text("description", "ifDescr."),
                _state("admin_state", "ifAdminStatus.", **_IF_ADMIN),
                _state("oper_state", "ifOperStatus.", **_IF_OPER),
                _level("speed", "bit/s", "Nominal speed (ifHighSpeed, or ifSpeed below 1 Mbit/s)."),
                _level("mtu", "B", "ifMtu."),
                _gauge("since_change", "s", "Time since the operational state changed."),
                _gauge("in_rate", "bit/s", "Received traffic."),
                _gauge("out_rate", "bit/s", "Sent traffic."),
                _gauge("in_utilisation", "%", "Received traffic as a share of the speed."),
                _gauge("out_utilisation", "%", "Sent traffic as a share of the speed."),
                _gauge("in_unicast", "1/s", "Unicast packets received."),
                _gauge("out_unicast", "1/s", "Unicast packets sent."),
                _gauge("in_multicast", "1/s", "Multicast packets received."),
                _gauge("out_multicast", "1/s", "Multicast packets sent."),
                _gauge("in_broadcast", "1/s", "Broadcast packets received."),
                _gauge("out_broadcast", "1/s", "Broadcast packets sent."),
                _gauge("in_errors", "1/s", "Packets received with errors."),
                _gauge("out_errors", "1/s", "Packets not sent because of errors."),
                _gauge("in_discards", "1/s", "Received packets discarded without an error."),
                _gauge("out_discards", "1/s", "Packets to send discarded without an error."),
                _state("duplex", "dot3StatsDuplexStatus.", unknown=1, half=2, full=3),
                _gauge("in_fcs_errors", "1/s", "Frames received with a wrong checksum."),
                _gauge("in_alignment_errors", "1/s", "Frames received that end within an octet."),
                _gauge("in_symbol_errors", "1/s", "Invalid symbols received; cable or optics."),
                _gauge("late_collisions", "1/s", "Collisions after 512 bits; duplex mismatch."),
                _gauge("excessive_collisions", "1/s", "Frames given up after 16 collisions."),
            ),
            required=2,
        ),
        _measurement(
            "optics",
            "The transceiver of a port, as it measures itself (SFF-8472 and vendors' MIBs).",
            ("device", "interface", "room"),
            (
                _gauge("rx_power", "dBm", "Received optical power."),
                _gauge("tx_power", "dBm", "Sent optical power."),
                _gauge("bias", "A", "Bias current of the laser."),
                _gauge("temperature", "°C", "Temperature of the module."),
                _gauge("voltage", "V", "Supply voltage of the module."),
                _text("type", "What the module is."),
                _text("serial_number", "Serial number of the module."),
            ),
            required=2,
        ),
        _measurement(
            "poe_port",
            "A port that feeds a device (POWER-ETHERNET-MIB, RFC 3621, and vendors' MIBs).",
            ("device", "interface", "room"),
            (
                _state("admin_state", "Whether it may feed a device.", enabled=1, disabled=2),
                _state(
                    "state",
                    "pethPsePortDetectionStatus.",
                    disabled=1,
                    searching=2,
                    delivering_power=3,
                    fault=4,
                    test=5,
                    other_fault=6,
                ),
                _level("class", "", "Class of the fed device, 0 to 8 (IEEE 802.3)."),
                _gauge("power", "W", "Power drawn."),
                _gauge("power_limit", "W", "The most it may draw."),
            ),
            required=2,
        ),
        _measurement(
            "poe_supply",
            "The power that a device has for its ports (POWER-ETHERNET-MIB, RFC 3621).",
            ("device", "supply", "room"),
            (
                _state("state", "pethMainPseOperStatus.", on=1, off=2, faulty=3),
                _gauge("budget", "W", "The most that all ports together may draw."),
                _gauge("power", "W", "What they draw."),
                _gauge("power_share", "%", "What they draw as a share of the budget."),
            ),
            required=2,
        ),
        _measurement(
            "bridge_port",
            "A port of a bridge (BRIDGE-MIB, RFC 4188, and Q-BRIDGE-MIB, RFC 4363).",
            ("device", "interface", "room"),
            (
                _level("addresses", "", "MAC addresses learned there."),
                _level("pvid", "", "VLAN of what comes in without a tag."),
                _state(
                    "stp_state",
                    "dot1dStpPortState.",
                    disabled=1,
                    blocking=2,
                    listening=3,
                    learning=4,
                    forwarding=5,
                    broken=6,
                ),
            ),
            required=2,
        ),
        _measurement(
            "bridge",
            "The spanning tree that a device takes part in (BRIDGE-MIB, RFC 4188).",
            ("device", "room"),
            (
                _level("topology_changes", "", "Changes since the bridge started."),
                _gauge("since_topology_change", "s", "Time since the last change."),
                _level("root_cost", "", "Cost of the path to the root; 0 at the root itself."),
                _text("root", "Bridge identifier of the root: priority and MAC address."),
            ),
            required=1,
        ),
        _measurement(
            "vlan",
            "A VLAN of a device (Q-BRIDGE-MIB, RFC 4363, and vendors' MIBs).",
            ("device", "vlan", "room"),
            (
                _text("name", "Its name."),
                _state("state", "Whether it is in use.", down=0, up=1),
            ),
            required=2,
        ),
        _measurement(
            "stack_member",
            "One of several switches that act as one.",
            ("device", "member", "room"),
            (
                _state("role", "What it is in the stack.", master=1, member=2, standby=3),
                _state("state", "Whether it works.", down=0, up=1),
                _level("priority", "", "Priority to become the master."),
                _text("model", "Model name."),
                _text("mac", "Its MAC address."),
            ),
            required=2,
        ),
        _measurement(
            "neighbour",
            "What a port hears of the device at the other end of its cable (LLDP-MIB of IEEE "
            "802.1AB, CISCO-CDP-MIB).",
            ("device", "interface", "protocol", "remote", "room"),
            (
                _text(
                    "chassis",
                    "The other's chassis id: a MAC address as aa:bb:cc:dd:ee:ff, or text.",
                ),
                _text("port", "The id of its port, as it calls it."),
                _text("port_description", "lldpRemPortDesc."),
                _text("name", "Its sysName."),
                _text("description", "lldpRemSysDesc, or cdpCachePlatform."),
                _text("address", "Its management address."),
                _level(
                    "capabilities",
                    "",
                    "lldpRemSysCapEnabled: 128 other, 64 repeater, 32 bridge, 16 access point, "
                    "8 router, 4 telephone, 2 cable device, 1 station only.",
                ),
            ),
            required=4,
        ),
        _measurement(
            "event",
            "What a device said on its own account (SNMP notifications); no state, only news.",
            ("device", "event", "room"),
            (
                _state(
                    "severity",
                    "How much it matters, as RFC 5424 numbers it.",
                    critical=2,
                    error=3,
                    warning=4,
                    notice=5,
                    informational=6,
                ),
                _text("text", "What happened, in words."),
                _text("interface", "The port it concerns, as the `interface` tag names it."),
                _text("subject", "The access point, power supply or the like it concerns."),
                _text("oid", "snmpTrapOID, dotted."),
                _text("sender", "Address it came from."),
            ),
            required=2,
        ),
        _measurement(
            "hardware_sensor",
            "A sensor inside a device (ENTITY-SENSOR-MIB, RFC 3433, and vendors' MIBs).",
            ("device", "sensor", "quantity", "room"),
            (
                _gauge("value", "", "The reading, in the base unit that `quantity` names."),
                _state(
                    "status",
                    "entPhySensorOperStatus.",
                    ok=1,
                    unavailable=2,
                    nonoperational=3,
                ),
            ),
            required=3,
        ),
        _measurement(
            "hardware_state",
            "A part of a device that works or does not, as the device judges.",
            ("device", "part", "kind", "room"),
            (
                _state(
                    "state",
                    "Its state; 0 is what the device can't tell.",
                    unknown=0,
                    ok=1,
                    warning=2,
                    failed=3,
                    absent=4,
                    off=5,
                ),
            ),
            required=3,
        ),
        _measurement(
            "processor",
            "Load of one processor (HOST-RESOURCES-MIB hrProcessorLoad and vendors' MIBs).",
            ("device", "processor", "room"),
            (_gauge("load", "%", "Share of the last minute the processor was not idle."),),
            required=2,
        ),
        _measurement(
            "storage",
            "Memory or a file system of a device (HOST-RESOURCES-MIB hrStorageTable).",
            ("device", "storage", "type", "room"),
            (
                _level("size", "B", "Total size."),
                _level("used", "B", "Used part."),
                _gauge("used_share", "%", "Used part as a share of the size."),
            ),
            required=3,
        ),
        _measurement(
            "sessions",
            "Connections that a firewall or router keeps track of.",
            ("device", "room"),
            (
                _level("active", "", "Connections now."),
                _level("limit", "", "The most it can hold."),
                _gauge("active_share", "%", "Connections as a share of the limit."),
                _gauge("setup_rate", "1/s", "New connections."),
            ),
            required=1,
        ),
        _measurement(
            "ups",
            "A UPS (UPS-MIB, RFC 1628, and vendors' MIBs).",
            ("device", "room"),
            (
                _state("on_battery", "Whether the load lives on the battery.", no=0, yes=1),
                _state(
                    "source",
                    "upsOutputSource.",
                    other=1,
                    none=2,
                    normal=3,
                    bypass=4,
                    battery=5,
                    booster=6,
                    reducer=7,
                ),
                _state(
                    "battery_state", "upsBatteryStatus.", unknown=1, normal=2, low=3, depleted=4
                ),
                _state("replace_battery", "Whether the battery is to be replaced.", no=0, yes=1),
                _gauge("charge", "%", "Charge of the battery."),
                _gauge("runtime", "s", "Time that the battery would carry the load."),
                _gauge("on_battery_time", "s", "Time since the load went onto the battery."),
                _gauge("battery_voltage", "V", "Voltage of the battery."),
                _gauge("battery_current", "A", "Current of the battery."),
                _gauge("temperature", "°C", "Temperature of the battery, or inside the UPS."),
                _gauge("load", "%", "Load as a share of what the UPS can carry."),
                _gauge("input_frequency", "Hz", "Frequency of the mains."),
                _gauge("output_frequency", "Hz", "Frequency of the output."),
                _level("alarms", "", "Alarms that are active."),
                _text("model", "Model name."),
            ),
            required=1,
        ),
        _measurement(
            "ups_line",
            "One phase of a UPS' input, output or bypass (UPS-MIB, RFC 1628).",
            ("device", "side", "line", "room"),
            (
                _gauge("voltage", "V", "RMS voltage."),
                _gauge("current", "A", "RMS current."),
                _gauge("power", "W", "Active power."),
                _gauge("frequency", "Hz", "Frequency."),
                _gauge("load", "%", "Load as a share of what the phase can carry."),
            ),
            required=3,
        ),
        _measurement(
            "printer",
            "A printer (HOST-RESOURCES-MIB, RFC 2790, and Printer-MIB, RFC 3805).",
            ("device", "room"),
            (
                _state(
                    "state", "hrPrinterStatus.", other=1, unknown=2, idle=3, printing=4, warmup=5
                ),
                _level("pages", "", "Pages printed in its life."),
                _level("alerts", "", "Alerts that are active."),
            ),
            required=1,
        ),
        _measurement(
            "printer_supply",
            "Toner, ink, drum or paper of a printer (Printer-MIB, RFC 3805).",
            ("device", "supply", "room"),
            (
                _gauge("level", "%", "What is left."),
                _level("amount", "", "What is left, in the printer's own unit."),
                _level("capacity", "", "What a full one holds, in the printer's own unit."),
                _text("type", "prtMarkerSuppliesType, or paper."),
            ),
            required=2,
        ),
        _measurement(
            "projector",
            "A projector or display (PJLink, or its maker's commands on a serial line).",
            ("device", "room"),
            (
                _state(
                    "power", "As PJLink's POWR numbers it.", standby=0, on=1, cooling=2, warming=3
                ),
                _text("input", "What it shows, as the device names its input."),
                _gauge("lamp_hours", "h", "Lighting time of the lamp in use the longest."),
                _gauge("filter_hours", "h", "Time that the filter has been in use."),
                *(
                    _state(f"{part}_error", f"What it reports of its {part}.", **_PROJECTOR_ERROR)
                    for part in ("fan", "lamp", "temperature", "cover", "filter", "other")
                ),
                _text("error", "What it reports as wrong, in its own words; absent when nothing."),
                _text("lamp_model", "Model of its lamp, to order another."),
                _text("filter_model", "Model of its filter, to order another."),
            ),
            required=1,
        ),
        _measurement(
            "probe",
            "What an agent tries from inside the school, as its people would (agents' probes).",
            ("probe", "kind"),
            (
                _state("ok", "Whether it went well.", failed=0, ok=1),
                _text("reason", "Why it did not."),
                _gauge("interval", "s", "Interval at which this is tried."),
                _gauge("duration", "s", "Time that it took altogether; for DHCP, until the offer."),
                _gauge("rtt", "s", "Mean round-trip time; for bandwidth, of an idle line."),
                _gauge("loss", "%", "ICMP echoes without an answer."),
                _gauge("jitter", "s", "Mean difference of one echo's round-trip time to the next."),
                _gauge("dns_time", "s", "HTTP: looking up the host name."),
                _gauge("connect_time", "s", "HTTP: opening the TCP connection."),
                _gauge("tls_time", "s", "HTTP: the TLS handshake."),
                _gauge("first_byte_time", "s", "HTTP: from the request sent to the answer begun."),
                _level("status", "", "HTTP: status code."),
                _gauge("certificate_left", "s", "Until the certificate expires; below 0 after."),
                _text("rcode", "DNS: response code."),
                _gauge("offset", "s", "NTP: how far the server's clock is ahead of the agent's."),
                _level("stratum", "", "NTP: distance of the server from a reference clock."),
                _text("server", "DHCP: address of the server that offered first."),
                _gauge("download", "bit/s", "From the district's endpoint to the school."),
                _gauge("upload", "bit/s", "From the school to the district's endpoint."),
                _gauge("loaded_rtt", "s", "Median round-trip time while the line was loaded."),
                _count("volume", "Bytes that the bandwidth test moved.", "B"),
            ),
        ),
        _measurement(
            "environment",
            "Air, light and sound of a room, as a sensor in it reports them.",
            ("device", "room", "sensor"),
            (
                _gauge("temperature", "°C", "Air temperature."),
                _gauge("humidity", "%", "Relative humidity."),
                _gauge("co2", "ppm", "Carbon dioxide, volume fraction."),
                _gauge("pm2_5", "µg/m³", "Particulates up to 2.5 µm."),
                _gauge("pm10", "µg/m³", "Particulates up to 10 µm."),
                _gauge("illuminance", "lx", "Illuminance."),
                _gauge("noise", "dB", "A-weighted sound pressure level."),
                _gauge("pressure", "Pa", "Atmospheric pressure."),
            ),
            required=1,
        ),
        _measurement(
            "presence",
            "Whether people, doors and windows are where they should be.",
            ("device", "room", "sensor"),
            (
                _state("occupancy", "Whether the room is occupied.", empty=0, occupied=1),
                _state("door", "Door or window contact.", closed=0, open=1),
                _level("people", "", "People counted."),
            ),
            required=1,
        ),
        _measurement(
            "power",
            "Electricity drawn through a plug or meter.",
            ("device", "room", "sensor"),
            (
                _gauge("power", "W", "Active power."),
                _gauge("voltage", "V", "RMS voltage."),
                _gauge("current", "A", "RMS current."),
                _gauge("energy", "J", "Energy since the meter was reset."),
                _state("relay", "Whether the plug is switched on.", off=0, on=1),
            ),
            required=1,
        ),
        _measurement(
            "device_health",
            "Battery and link of a small device.",
            ("device", "room"),
            (
                _gauge("battery", "%", "Battery charge."),
                _gauge("battery_voltage", "V", "Battery voltage."),
                _gauge("link_quality", "%", "Link quality as the device's network defines it."),
            ),
            required=1,
        ),
        _measurement(
            "wifi_signal",
            "The Wi-Fi signal that a fixed device in a room receives from an access point.",
            ("device", "room", "bssid", "band", "ap"),
            (
                _gauge("rssi", "dBm", "Received signal strength."),
                _gauge("snr", "dB", "Signal-to-noise ratio."),
                _gauge("noise", "dBm", "Noise floor."),
                _level("channel", "", "Channel number, as IEEE 802.11 numbers it."),
                _text("ssid", "Network name."),
            ),
            required=1,
        ),
        _measurement(
            "access_point",
            "An access point, as its controller or itself tells of it.",
            ("device", "controller", "room"),
            (
                _state("state", "Whether it serves, or is joined to its controller.", down=0, up=1),
                _gauge("uptime", "s", "Time since it started, or joined if that is all it tells."),
                _level("clients", "", "Clients associated."),
                _text("name", "Its name on the controller."),
                _text("model", "Model name."),
                _text("serial_number", "Serial number."),
                _text("firmware", "Software version."),
                _text("address", "IP address."),
                _text("mac", "MAC address of its Ethernet port, or its base radio MAC."),
            ),
            required=1,
        ),
        _measurement(
            "radio",
            "A radio of an access point (IEEE 802.11).",
            ("device", "radio", "band", "controller", "room"),
            (
                _level("slot", "", "Its number at the access point."),
                _level("channel", "", "Primary channel, as IEEE 802.11 numbers it."),
                _level("width", "MHz", "Channel width."),
                _gauge("transmit_power", "dBm", "Transmit power, conducted or EIRP as told."),
                _gauge("utilisation", "%", "Time the channel was busy, own traffic included."),
                _gauge("interference", "%", "Time the channel was busy with what is not Wi-Fi's."),
                _gauge("noise", "dBm", "Noise floor."),
                _gauge("retries", "%", "Frames sent again."),
                _level("clients", "", "Clients associated."),
                _text("bssid", "A BSSID it sends."),
            ),
            required=2,
        ),
        _measurement(
            "wifi_clients",
            "How well an access point hears its clients, all of a band together; no client's own.",
            ("device", "band", "controller", "room"),
            (
                _level("clients", "", "Clients associated."),
                _level("measured", "", "Those of them whose signal is known."),
                _gauge("rssi_p10", "dBm", "Signal that a tenth of the clients is weaker than."),
                _gauge("rssi_p50", "dBm", "Median signal."),
                _gauge("rssi_p90", "dBm", "Signal that a tenth of the clients is stronger than."),
                _gauge("snr_p50", "dB", "Median signal-to-noise ratio."),
                _level("below_67", "", "Clients weaker than -67 dBm."),
                _level("below_75", "", "Clients weaker than -75 dBm."),
            ),
            required=1,
        ),
        _measurement(
            "agent",
            "The edge agent's own health.",
            (),
            (
                _level("spool_batches", "", "Batches waiting in the spool."),
                _level("spool_bytes", "B", "Their size."),
                _gauge("spool_age", "s", "Age of the oldest batch waiting."),
                _count("batches_dropped", "Batches dropped because the spool was full or too old."),
                _count("readings_dropped", "Readings given up while the disk took nothing."),
                _count("polls", "Polls finished."),
                _count("polls_failed", "Polls that were cut short or raised an error."),
                _count("polls_skipped", "Polls skipped because the one before still ran."),
                _gauge("poll_lateness", "s", "Worst delay of a poll's start behind its schedule."),
                _count("payloads_rejected", "Payloads that no mapping could read."),
                _count("traps", "SNMP notifications received of devices that are known."),
                _count("traps_rejected", "SNMP notifications of unknown senders or users."),
                _count("traps_dropped", "Datagrams dropped of senders that sent too many."),
                _count("serial_damaged", "Frames and values on serial lines that were damaged."),
                _count("serial_unanswered", "Requests on serial lines without an answer."),
                _count("readings", "Readings produced."),
                _gauge("cpu", "%", "CPU time of the agent's process, of one core."),
                _level("memory", "B", "Memory that its process holds (resident set)."),
                _level("disk_free", "B", "Free space on the disk that holds the spool."),
                _gauge("temperature", "°C", "Temperature of the host's processor."),
                _state(
                    "clock_synchronised",
                    "Whether NTP or the like disciplines the host's clock, by adjtimex(2).",
                    no=0,
                    yes=1,
                ),
                _gauge("clock_error", "s", "The kernel's estimate of the host clock's error."),
                _gauge("uptime", "s", "Time since the agent's process began."),
                _text("version", "Campuswatch version."),
            ),
        ),
        _measurement(
            "delivery",
            "The collector's ledger: one point per batch delivered, written with the batch.",
            ("stream", "collector"),
            (
                _level("seq", "", "The batch's sequence number in its stream, from 1."),
                _level("lines", "", "Lines stored from it."),
                _level("quarantined", "", "Lines refused and kept aside."),
                _gauge("delay", "s", "Time from the batch's creation to its storage."),
                _state("lane", "How it was sent.", live=0, backfill=1),
                _gauge("created", "s", "When the batch was made, Unix time."),
            ),
        ),
        _measurement(
            "agent_status",
            "What an edge agent says of itself on its status topic, or its last will for it.",
            ("stream",),
            (
                _state("state", "Whether it is connected to the broker.", offline=0, online=1),
                _text("version", "Campuswatch version."),
                _level("last_seq", "", "The newest batch it made."),
                _level("first_unsent", "", "The oldest batch it has yet to send, if not to make."),
                _text("dropped", 'Batches its spool gave up, as ranges such as "3-5,9".'),
                _level("configuration", "", "Version of the pushed configuration in force."),
                _level("configuration_trial", "", "Version that is on trial; 0 if none is."),
                _text("configuration_refused", "Why the last one pushed is not used; or empty."),
            ),
            required=0,
        ),
        _measurement(
            "collector",
            "The collector's own health.",
            ("collector",),
            (
                _count("messages", "Messages acknowledged."),
                _count("lines", "Lines stored."),
                _count("quarantined", "Lines and whole messages refused and kept aside."),
                _count("store_failures", "Writes that the store did not take, and were repeated."),
            ),
        ),
        _measurement(
            "daily_uptime",
            "A device's day, exactly partitioned; timed at the first instant of the school's day.",
            ("device",),
            (
                _gauge("up", "s", "Up within the service hours."),
                _gauge("down", "s", "Down within the service hours."),
                _gauge("unknown", "s", "Time of the service hours of which nothing is known."),
                _gauge("excused", "s", "The rest of the day: no service hours, or maintenance."),
                _gauge("lesson_up", "s", "Up in lessons."),
                _gauge("lesson_down", "s", "Down in lessons."),
                _gauge("lesson_unknown", "s", "Time of lessons of which nothing is known."),
                _gauge("always_up", "s", "Up at any time but maintenance."),
                _gauge("always_down", "s", "Down at any time but maintenance."),
                _gauge("always_unknown", "s", "Other time of which nothing is known."),
                _text("causes", "Down time within the service hours by device to blame, JSON, s."),
                _text("timeline", "When it was up and down, as targets/days.py writes it."),
                _text("rules", "Digest of the hours and maintenance that the times rest on."),
            ),
        ),
        _measurement(
            "daily_lessons",
            "What a room's lessons of a day lost; timed at the first instant of the school's day.",
            ("room",),
            (
                _gauge("due", "s", "Seats times the time of lessons."),
                _gauge("lost", "s", "Seats times the time of lessons without a working network."),
                _gauge("unknown", "s", "Seats times lesson time of which nothing is known."),
                _text("causes", "The time lost by device to blame, JSON, s."),
            ),
        ),
        _measurement(
            "daily_bandwidth",
            "A day of a school's line to the internet; timed at its first instant.",
            (),
            (
                _gauge("due", "s", "Time of lessons."),
                _gauge("known", "s", "Time of lessons of which the traffic is known."),
                _gauge("saturated", "s", "Time of lessons with 80 % or more of the line in use."),
                _gauge("down", "bit/s", "95th percentile of received traffic in its busiest hour."),
                _gauge("up", "bit/s", "95th percentile of sent traffic in its busiest hour."),
                _level("speed", "bit/s", "Nominal speed of the port that the line ends on."),
            ),
        ),
        _measurement(
            "daily_classroom",
            "A classroom's day: its equipment and air; timed at the day's first instant.",
            ("room",),
            (
                _state(
                    "ready",
                    "Whether its projectors and displays worked at the first lesson.",
                    no=0,
                    yes=1,
                    unknown=2,
                    no_set=3,
                    no_lessons=4,
                ),
                _text("failed", "The devices that did not, by their ids."),
                _gauge("due", "s", "Time of lessons; of a room without a CO2 sensor, 0."),
                _gauge("known", "s", "Time of lessons of which the CO2 is known."),
                _gauge("over_1000", "s", "Time of lessons with more than 1,000 ppm of CO2."),
                _gauge("over_1500", "s", "Time of lessons with more than 1,500 ppm of CO2."),
            ),
        ),
        _measurement(
            "target_status",
            "How a school stands with a target.",
            ("target",),
            (
                _state("verdict", "Whether it is met.", met=0, missed=1, cannot_tell=2),
                _gauge("objective", "%", "What was promised."),
                _gauge("attained", "%", "What was attained of what is known."),
                _gauge("low", "%", "What was attained if all that is unknown failed."),
                _gauge("high", "%", "What was attained if all that is unknown was good."),
                _gauge("budget", "s", "Device time that may be down in the whole window."),
                _gauge("budget_left", "%", "What is left of it; below 0 when overdrawn."),
                _gauge("burn_1h", "", "Pace of the last hour; at 1 the budget lasts the window."),
                _gauge("burn_6h", "", "Pace of the last 6 hours."),
                _gauge("burn_3d", "", "Pace of the last 3 days."),
            ),
        ),
        _measurement(
            "lesson_time_lost",
            "What a school's lessons have lost today.",
            (),
            (
                _gauge("due", "s", "Seats times the time of today's lessons up to now."),
                _gauge("lost", "s", "Seats times the time of lessons without a working network."),
                _gauge("unknown", "s", "Seats times lesson time of which nothing is known."),
                _gauge("share", "%", "Lost as a share of what was due."),
            ),
        ),
        _measurement(
            "targets",
            "The targets service's own health.",
            (),
            (
                _gauge("seen", "s", "Deliveries stored up to this Unix time are accounted for."),
                _count("days", "School days summarised."),
                _level("waiting", "", "School days that are yet to be summarised."),
                _gauge("duration", "s", "How long the last round took."),
            ),
        ),
    )
)
"""Every measurement by name."""
