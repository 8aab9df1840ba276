"""What a district owns and what it has promised: the inventory's models.

District ▸ School ▸ Building ▸ Floor ▸ Room, with devices beside the rooms.
These classes say what one file may hold; what must agree between files
(dangling uplinks, duplicate ids) is `campuswatch.inventory.crosschecks`.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrule, rrulestr
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from campuswatch.secrets import SecretReference
from campuswatch.wifi import normalise_bssid

SLUG_WORDS: Final = (
    'an id of at most 63 lower-case letters, digits and single hyphens, such as "east-gate-2"'
)

Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=63),
    Field(json_schema_extra={"patternErrorMessage": SLUG_WORDS}),
]
"""An id: lower-case letters, digits and single hyphens; fit for a topic level."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A name for people, in any script."""

Percent = Annotated[float, Field(ge=0, le=100)]

_DURATION = re.compile(r"(?P<count>[0-9]+(?:\.[0-9]+)?)(?P<unit>ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: object) -> object:
    """Turn a Prometheus-style duration ("30s", "1h30m", "28d") into a timedelta.

    Anything that is not a string is handed on, for pydantic to judge.

    Raises:
        ValueError: the string is no such duration.
    """
    if not isinstance(text, str):
        return text
    parts = list(_DURATION.finditer(text))
    if not parts or "".join(part.group() for part in parts) != text:
        raise ValueError('expected a duration such as "30s", "5m", "1h30m" or "28d"')
    return dt.timedelta(
        seconds=sum(float(part["count"]) * _SECONDS[part["unit"]] for part in parts)
    )


def _positive(value: dt.timedelta) -> dt.timedelta:
    if value <= dt.timedelta():
        raise ValueError("expected a duration longer than zero")
    return value


Duration = Annotated[
    dt.timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    AfterValidator(_positive),
    PlainSerializer(lambda value: f"{value.total_seconds():.15g}s", return_type=str),
]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError('expected an IANA time zone such as "Asia/Shanghai"')
    return name


_BROKER_URL_WORDS: Final = "mqtt://host:port or mqtts://host:port, without a user or password"


def _with_valid_port(url: str) -> str:
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError(f"expected {_BROKER_URL_WORDS}") from None
    return url


BrokerUrl = Annotated[
    str,
    StringConstraints(pattern=r"^mqtts?://[^/@\s]+$"),
    AfterValidator(_with_valid_port),
    Field(
        description="mqtt://host:port, or mqtts:// for TLS.",
        json_schema_extra={"patternErrorMessage": _BROKER_URL_WORDS},
    ),
]
"""Where an MQTT broker listens; ports 1883 and 8883 when omitted."""

TimeZone = Annotated[str, AfterValidator(_known_zone), Field(examples=["Asia/Shanghai"])]


class Model(BaseModel):
    """Base of every inventory model: immutable, and no unknown key passes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Area(StrEnum):
    """Where a school lies; the axis of the equity reports."""

    URBAN = "urban"
    TOWN = "town"
    RURAL = "rural"


class RoomKind(StrEnum):
    CLASSROOM = "classroom"
    LAB = "lab"
    LIBRARY = "library"
    HALL = "hall"
    OFFICE = "office"
    CORRIDOR = "corridor"
    DORMITORY = "dormitory"
    EQUIPMENT = "equipment"
    OUTDOOR = "outdoor"
    OTHER = "other"


class DeviceKind(StrEnum):
    SWITCH = "switch"
    AP = "ap"
    WLAN_CONTROLLER = "wlan-controller"
    ROUTER = "router"
    UPS = "ups"
    PROJECTOR = "projector"
    DISPLAY = "display"
    SENSOR = "sensor"
    PRINTER = "printer"
    SERVER = "server"
    GATEWAY = "gateway"


class Room(Model):
    """A place that is served, or that holds equipment."""

    id: Slug
    name: Name
    kind: RoomKind = RoomKind.CLASSROOM
    seats: int = Field(default=0, ge=0, description="Seats that need the network at once.")
    area: float | None = Field(default=None, gt=0, description="Floor area in square metres.")
    wifi: bool = Field(default=True, description="Whether the room is promised Wi-Fi.")


class Floor(Model):
    id: Slug
    name: Name
    level: int = Field(description="0 is the ground floor, -1 the first below it.")
    rooms: list[Room] = Field(default_factory=list)


class Building(Model):
    id: Slug
    name: Name
    floors: list[Floor] = Field(min_length=1)


def _topic_filter(text: str) -> str:
    levels = text.split("/")
    if (
        not text
        or "\0" in text
        or any("+" in level and level != "+" for level in levels)
        or any("#" in level for level in levels[:-1])
        or ("#" in levels[-1] and levels[-1] != "#")
    ):
        raise ValueError("expected a topic filter in which + and # each fill a whole level")
    return text


def _as_named_field(value: object) -> object:
    return {"field": value} if isinstance(value, str) else value


class NamedField(Model):
    """What a payload's name means, where a decoder does not know it by itself."""

    field: str = Field(
        pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$",
        description="Measurement and field of the catalogue.",
        examples=["environment.temperature"],
    )
    unit: str | None = Field(default=None, description="Unit of the payload, if not the field's.")


_NamedField = Annotated[
    NamedField, BeforeValidator(_as_named_field, json_schema_input_type=str | NamedField)
]


class MqttAddress(Model):
    """What a device sends on its school's local broker, and how to read it.

    Either a decoder knows the device's ecosystem, or a mapping describes one
    kind of message.
    """

    topic: Annotated[str, AfterValidator(_topic_filter)] = Field(
        description="With a decoder, the device's own topic as its ecosystem means it; with a "
        "mapping, a topic filter, in which + and # are as in MQTT 5 section 4.7.",
        examples=["zigbee2mqtt/room-101-climate"],
    )
    decoder: Slug | None = Field(
        default=None,
        description='The ecosystem that the device belongs to; "auto" to recognise it.',
        examples=["tasmota"],
    )
    mapping: Slug | None = Field(
        default=None, description="A mapping of mappings.yaml that reads its payloads."
    )
    fields: dict[str, _NamedField] = Field(
        default_factory=dict,
        description="Names in the payloads that a decoder does not know, or takes for something "
        "else, such as {TempC_SHT: environment.temperature}.",
    )
    scan: Duration | None = Field(
        default=None,
        description="How often to ask a Shelly (Gen2 or later) which access points it hears; "
        "never when omitted.",
    )

    @model_validator(mode="after")
    def _either(self) -> MqttAddress:
        if self.decoder is None and self.mapping is None:
            raise ValueError("the entry has neither decoder nor mapping; expected one of them")
        if self.decoder is not None and self.mapping is not None:
            raise ValueError("the entry has both decoder and mapping; expected one of them")
        if self.decoder is not None and set(self.topic.split("/")) & {"+", "#"}:
            raise ValueError("topic has a wildcard; expected the device's own topic")
        if self.mapping is not None and (self.fields or self.scan):
            raise ValueError("fields and scan are for decoders; expected them without a mapping")
        return self


class _OnSerialLine(Model):
    line: Slug = Field(description="A serial line of its agent.")


class ModbusSlave(_OnSerialLine):
    """A slave of a Modbus RTU line, which it may share with others."""

    driver: Literal["modbus"]
    unit: int = Field(ge=1, le=247, description="Its address on the line.")
    map: Slug = Field(description="The register map that says what it holds.", examples=["sdm120"])


class AskedSerialDevice(_OnSerialLine):
    """A device that answers commands of its own, alone on its line."""

    driver: Literal["mh-z19", "senseair-s8", "epson", "benq", "optoma"]


class ParticulateSensor(_OnSerialLine):
    """A Plantower PMS5003, or one of its relatives that sends the same frames."""

    driver: Literal["pms5003"]
    mode: Literal["active", "passive"] = Field(
        default="active",
        description="active: it sends a frame every second by itself; passive: when asked.",
    )


class TextLines(_OnSerialLine):
    """Whatever sends lines of text by itself: a pattern or columns say what is in them."""

    driver: Literal["text"]
    pattern: str | None = Field(
        default=None,
        description="Regular expression found in a line; `fields` say what its groups are.",
        examples=["T=(?P<t>[-0-9.]+)"],
    )
    fields: dict[str, _NamedField] = Field(
        default_factory=dict, description="What the named groups of the pattern are."
    )
    columns: list[_NamedField | None] = Field(
        default_factory=list, description="What the columns are, from the left; null skips one."
    )
    delimiter: str = Field(default=",", min_length=1, description="Between two columns.")

    @model_validator(mode="after")
    def _either(self) -> TextLines:
        if (self.pattern is None) == (not any(self.columns)):
            raise ValueError("expected either pattern with fields, or columns")
        if self.pattern is None:
            if self.fields:
                raise ValueError("fields are for a pattern; expected columns without them")
            return self
        try:
            groups = set(re.compile(self.pattern).groupindex)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from None
        if not self.fields or (missing := self.fields.keys() - groups):
            name = min(missing) if self.fields else "t"
            raise ValueError(f"pattern has no group (?P<{name}>…); expected one for each of fields")
        return self


SerialDevice = Annotated[
    ModbusSlave | AskedSerialDevice | ParticulateSensor | TextLines,
    Field(discriminator="driver"),
]
"""How a device on a serial line is read."""


class DeviceSource(Model):
    """A source from another package, which announces it as `kind`; see docs/adding-a-source.md."""

    kind: Slug = Field(
        description="An entry point of the group campuswatch.sources.", examples=["acme-meter"]
    )
    options: dict[str, JsonValue] = Field(
        default_factory=dict, description="What the package wants to know of the device."
    )


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Bssid = Annotated[str, AfterValidator(normalise_bssid)]
"""A BSSID (IEEE 802.11) as lower-case octets with colons, however it was spelt."""


def _ip_address(text: str) -> str:
    try:
        return ipaddress.ip_address(text).compressed
    except ValueError:
        raise ValueError("expected an IP address") from None


IpAddress = Annotated[str, AfterValidator(_ip_address)]
"""An IPv4 or IPv6 address, in its shortest spelling."""


class PjLink(Model):
    """How a projector or display speaks PJLink (JBMIA, class 1 and 2)."""

    password: SecretReference | None = Field(default=None, description="If it wants one.")
    port: int = Field(default=4352, ge=1, le=65535, description="TCP port.")


class Device(Model):
    """One thing with an address."""

    id: Slug
    name: Name
    kind: DeviceKind
    room: Slug | None = Field(default=None, description="The room it stands in.")
    address: str | None = Field(
        default=None, min_length=1, description="IP address or host name; omit for MQTT only."
    )
    addresses: list[IpAddress] = Field(
        default_factory=list,
        description="Further IP addresses it sends traps from, such as a loopback or NAT address.",
    )
    port: int = Field(default=161, ge=1, le=65535, description="UDP port of its SNMP agent.")
    snmp: Slug | None = Field(default=None, description="A credential of district.yaml.")
    profile: Slug | None = Field(
        default=None, description="SNMP profile; omit to recognise the device by itself."
    )
    pjlink: PjLink | None = Field(
        default=None,
        description="Asks a projector or display by PJLink; {} if it wants no password.",
    )
    ping: bool = Field(default=True, description="Whether to ask it by ICMP echo.")
    mqtt: Annotated[
        list[MqttAddress],
        BeforeValidator(_as_list, json_schema_input_type=list[MqttAddress] | MqttAddress),
    ] = Field(
        default_factory=list,
        description="What it sends over MQTT; one entry, or a list of them.",
    )
    serial: SerialDevice | None = Field(
        default=None, description="The serial line of its agent that it is on, and how to read it."
    )
    source: DeviceSource | None = Field(
        default=None, description="A source from another package, which alone asks the device."
    )
    uplink: Slug | None = Field(
        default=None, description="The device through which it reaches the internet."
    )
    uplink_port: str | None = Field(
        default=None,
        min_length=1,
        description="The uplink's port (ifName) that it is plugged into; checked against LLDP.",
    )
    chassis_id: str | None = Field(
        default=None,
        min_length=1,
        description="The chassis id it sends by LLDP: a MAC address as aa:bb:cc:dd:ee:ff, or text.",
    )
    serial_number: str | None = Field(
        default=None, min_length=1, description="Serial number of its chassis."
    )
    serves: list[Slug] | None = Field(
        default=None, description="Rooms an AP covers; its own room when omitted."
    )
    bssids: list[Bssid] = Field(
        default_factory=list,
        description="The BSSIDs an AP sends, so that a signal heard in a room is known to be its.",
    )
    interval: Duration = Field(
        default=dt.timedelta(seconds=60),
        description="Polling interval. Of a device that only publishes: how often it does so at "
        "the least; learned when omitted.",
    )
    timeout: Duration = Field(default=dt.timedelta(seconds=2), description="Of one request.")
    retries: int = Field(default=2, ge=0, le=10, description="Further tries of a request.")
    agent: Slug | None = Field(
        default=None, description="The agent that polls it; the school's first when omitted."
    )

    @model_validator(mode="after")
    def _reachable(self) -> Device:
        # An AP that its controller tells of need not be asked itself.
        told_of = self.kind is DeviceKind.AP and bool(
            self.serial_number or self.chassis_id or self.bssids
        )
        if self.serial is not None and (self.address is not None or self.mqtt):
            raise ValueError("the device has serial beside address or mqtt; expected one of them")
        if self.source is not None and (self.snmp or self.mqtt or self.serial or self.pjlink):
            raise ValueError("the device has a source beside another; expected one of them")
        asked = self.address or self.mqtt or self.serial or self.source
        if not asked and not told_of:
            raise ValueError(
                "the device has neither address nor mqtt, serial or source; expected one of them"
            )
        if self.pjlink is not None and self.address is None:
            raise ValueError("the device has pjlink but no address; expected an address")
        if self.pjlink is not None and self.snmp is not None:
            raise ValueError("the device has both pjlink and snmp; expected one of them")
        if self.snmp is not None and self.address is None:
            raise ValueError("the device has snmp but no address; expected an address")
        if self.uplink_port is not None and self.uplink is None:
            raise ValueError("the device has uplink_port but no uplink; expected an uplink")
        return self

    @property
    def declared_interval(self) -> dt.timedelta | None:
        """The interval, if the inventory names one."""
        return self.interval if "interval" in self.model_fields_set else None


class LocalBroker(Model):
    """A school's own MQTT broker, to which its devices publish."""

    url: BrokerUrl = "mqtt://127.0.0.1:1883"
    username: str | None = None
    password: SecretReference | None = None


def _listen_address(text: str) -> str:
    host, _, port = text.rpartition(":")
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        valid = 0 < int(port) < 65536 and (":" not in host or host.startswith("["))
    except ValueError:
        valid = False
    if not valid:
        raise ValueError('expected an IP address and a port, such as "0.0.0.0:162" or "[::]:162"')
    return text


class TrapListener(Model):
    """Where an agent receives SNMP traps and informs (RFC 3416, 4.2.6 and 4.2.7)."""

    listen: Annotated[str, AfterValidator(_listen_address)] = Field(
        default="0.0.0.0:162",
        description="IP address and UDP port; ports below 1024 need CAP_NET_BIND_SERVICE.",
    )
    credentials: list[Slug] = Field(
        default_factory=list,
        description="Credentials of district.yaml that senders may use, besides those by which "
        "the agent polls its devices.",
    )


class SerialLine(Model):
    """A serial port of an agent's host, with the settings that all its devices have."""

    id: Slug
    port: str = Field(
        pattern=r"^/",
        description="The port's path: a name of /dev/serial/by-id stays the same when other "
        "adapters are plugged in, /dev/ttyUSB0 does not.",
        examples=["/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A10K5QXZ-if00-port0"],
        json_schema_extra={"patternErrorMessage": "the path of a port, such as /dev/ttyS0"},
    )
    baud: int = Field(default=9600, ge=50, le=4_000_000, description="Bits per second.")
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1


ECHO_SPACING: Final = dt.timedelta(seconds=0.2)
"""Time from one ICMP echo request of a probe to its next."""


class _Probe(Model):
    """Something that an agent tries at intervals, as the people of its school would."""

    id: Slug
    interval: Duration = dt.timedelta(seconds=60)
    timeout: Duration = Field(default=dt.timedelta(seconds=5), description="Of one try.")

    @property
    def longest(self) -> dt.timedelta:
        """How long a try may take altogether."""
        return self.timeout

    @model_validator(mode="after")
    def _ends_before_the_next(self) -> Self:
        if self.longest >= self.interval:
            raise ValueError(
                f"one try may take {self.longest.total_seconds():g} s; "
                "expected a longer interval than that"
            )
        return self


class IcmpProbe(_Probe):
    """ICMP echoes: loss, round-trip time and jitter."""

    kind: Literal["icmp"]
    address: str = Field(min_length=1, description="IP address or host name.")
    count: int = Field(default=10, ge=1, le=100, description="Echoes at each interval.")

    @property
    def longest(self) -> dt.timedelta:
        return self.timeout + self.count * ECHO_SPACING


class TcpProbe(_Probe):
    """A TCP connection, opened and closed."""

    kind: Literal["tcp"]
    address: str = Field(min_length=1, description="IP address or host name.")
    port: int = Field(ge=1, le=65535)


def _http_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username
        _ = parts.port
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("expected a URL of http or https without a user, such as https://host/")
    return text


HttpUrl = Annotated[str, AfterValidator(_http_url)]


class HttpProbe(_Probe):
    """A page, fetched by HTTP or HTTPS, with the time that each phase takes."""

    kind: Literal["http"]
    url: HttpUrl = Field(description="Redirects are not followed.")
    status: list[Annotated[int, Field(ge=100, le=599)]] = Field(
        default_factory=list, description="Status codes that are well; any below 400 when omitted."
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates to trust, PEM; the system's when omitted."
    )


class DnsProbe(_Probe):
    """A question to a name server."""

    kind: Literal["dns"]
    server: IpAddress
    port: int = Field(default=53, ge=1, le=65535)
    name: str = Field(min_length=1, max_length=253, examples=["www.example.org"])
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "A"
    expect: list[str] = Field(
        default_factory=list, description="What must be among the answers, as a zone file has it."
    )


class NtpProbe(_Probe):
    """The time of an NTP server, against the agent's clock."""

    kind: Literal["ntp"]
    address: str = Field(min_length=1, description="IP address or host name.")
    port: int = Field(default=123, ge=1, le=65535)


class DhcpProbe(_Probe):
    """How long a DHCP server takes to offer an address; none is taken."""

    kind: Literal["dhcp"]
    interface: str = Field(
        pattern=r"^[^/\s]{1,15}$", description="Where to ask; needs CAP_NET_BIND_SERVICE."
    )


class BandwidthProbe(_Probe):
    """How fast the school's line is, measured against the district's endpoint.

    Each way ends after `volume` or `duration`, whichever comes first.
    """

    kind: Literal["bandwidth"]
    url: HttpUrl = Field(
        description="The collector's endpoint; see collector.bandwidth of settings.yaml.",
        examples=["http://collector.example.org:8090/bandwidth"],
    )
    volume: int = Field(
        default=25_000_000, ge=10_000, le=1_000_000_000, description="Bytes each way at the most."
    )
    duration: Duration = Field(
        default=dt.timedelta(seconds=10), description="Time each way at the most."
    )
    hours: Literal["quiet", "always"] = Field(
        default="quiet", description="quiet: never while there are lessons."
    )
    interval: Duration = dt.timedelta(hours=4)

    @property
    def longest(self) -> dt.timedelta:
        return 2 * self.duration + 3 * self.timeout


Probe = Annotated[
    IcmpProbe | TcpProbe | HttpProbe | DnsProbe | NtpProbe | DhcpProbe | BandwidthProbe,
    Field(discriminator="kind"),
]


class Agent(Model):
    """An edge agent: one process in a school."""

    id: Slug
    broker: LocalBroker | None = Field(
        default=None, description="The local broker it listens to, if there is one."
    )
    traps: TrapListener | None = Field(
        default=None, description="Receives SNMP traps and informs; {} listens on UDP port 162."
    )
    serial: list[SerialLine] = Field(
        default_factory=list, description="The serial ports it owns; nothing else opens them."
    )
    probes: list[Probe] = Field(
        default_factory=list, description="What it tries from inside the school at intervals."
    )
    concurrency: int = Field(
        default=200, ge=1, le=2000, description="Devices polled at the same time."
    )
    spool_age: Duration = Field(
        default=dt.timedelta(days=7), description="Older batches are dropped, and counted."
    )
    spool_bytes: int = Field(
        default=2_000_000_000, ge=1_000_000, description="Bound of the spool's size on disk."
    )


class Internet(Model):
    """The line a school was promised."""

    device: Slug = Field(description="The router or switch the line ends on.")
    interface: str | None = Field(default=None, description="ifName of the port it ends on.")
    down: int = Field(gt=0, description="Provisioned download, Mbit/s.")
    up: int = Field(gt=0, description="Provisioned upload, Mbit/s.")


class School(Model):
    """One school: where it is, what stands in it, who polls it."""

    id: Slug
    name: Name
    area: Area
    timezone: TimeZone | None = Field(default=None, description="The district's when omitted.")
    calendar: Slug = Field(default="default", description="A calendar of calendar.yaml.")
    students: int = Field(ge=0)
    staff: int = Field(default=0, ge=0)
    agents: list[Agent] = Field(min_length=1)
    internet: Internet | None = None
    buildings: list[Building] = Field(default_factory=list)
    devices: list[Device] = Field(default_factory=list)

    def rooms(self) -> list[Room]:
        """Return every room, building by building, floor by floor."""
        return [
            room for building in self.buildings for floor in building.floors for room in floor.rooms
        ]

    def access_points(self) -> dict[str, str]:
        """Return the id of the AP behind each BSSID that the inventory declares."""
        return {bssid: device.id for device in self.devices for bssid in device.bssids}

    def agent_of(self, device: Device) -> str:
        """Return the id of the agent that polls `device`."""
        return device.agent or self.agents[0].id


class CommunityCredential(Model):
    """SNMPv2c (RFC 1901)."""

    version: Literal["2c"]
    community: SecretReference


class UserCredential(Model):
    """SNMPv3 with the User-based Security Model (RFC 3414, RFC 7860)."""

    version: Literal["3"]
    user: str = Field(min_length=1, max_length=32)
    auth: Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] | None = None
    auth_key: SecretReference | None = None
    priv: Literal["des", "aes128", "aes192", "aes256", "aes192c", "aes256c"] | None = Field(
        default=None,
        description="Longer AES keys than 128 bits are of no RFC: aes192 and aes256 expand them "
        "as draft-blumenthal-aes-usm-04 does, aes192c and aes256c as Cisco and most switches do.",
    )
    priv_key: SecretReference | None = None
    context: str = Field(
        default="", max_length=32, description="contextName, for devices with several MIB views."
    )

    @model_validator(mode="after")
    def _complete(self) -> UserCredential:
        if (self.auth is None) != (self.auth_key is None):
            raise ValueError("one of auth and auth_key is missing; expected both or neither")
        if (self.priv is None) != (self.priv_key is None):
            raise ValueError("one of priv and priv_key is missing; expected both or neither")
        if self.priv is not None and self.auth is None:
            raise ValueError(
                "priv without auth; expected auth too, because USM has no privacy without it"
            )
        return self


SnmpCredential = Annotated[CommunityCredential | UserCredential, Field(discriminator="version")]


class MappedField(Model):
    """Where one field of a reading comes from."""

    path: str = Field(min_length=1, description='JSONPath (RFC 9535), such as "$.temperature".')
    unit: str | None = Field(default=None, description="Unit of the payload, if not the field's.")
    values: dict[str, float] | None = Field(
        default=None,
        description='Numbers for words, such as {"ON": 1, "OFF": 0}; '
        'JSON true and false are the words "true" and "false".',
    )


class Mapping(Model):
    """How payloads of one kind of device become readings."""

    id: Slug
    measurement: str = Field(description="A measurement of the catalogue.")
    fields: dict[str, MappedField] = Field(min_length=1)
    tags: dict[str, str] = Field(
        default_factory=dict,
        description="Tag values: text, in which {1} stands for the topic level that the first + "
        'matched, or a JSONPath into the payload, which begins with "$".',
    )
    time: str | None = Field(
        default=None, description="JSONPath of the payload's own time (RFC 3339 or Unix seconds)."
    )


class Period(Model):
    """A named span of clock time within a day; `end` is not part of it."""

    name: Name
    start: dt.time
    end: dt.time

    @model_validator(mode="after")
    def _forward(self) -> Period:
        if self.end <= self.start:
            raise ValueError(
                f"end {self.end:%H:%M} is not after start {self.start:%H:%M}; expected a later end"
            )
        return self


class Term(Model):
    """Days of school from `start` to `end`, both part of it."""

    id: Slug
    name: Name
    start: dt.date
    end: dt.date

    @model_validator(mode="after")
    def _forward(self) -> Term:
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}; expected a later end")
        return self


class Exam(Model):
    """Days of an examination from `start` to `end`, both part of it.

    They are school days whatever else falls on them, unless they are closed.
    """

    name: Name
    start: dt.date
    end: dt.date
    sessions: list[Period] = Field(
        default_factory=list,
        description="When it is held; these take the place of the day's lessons, and extend "
        "its service hours. The day's lessons stay when omitted.",
    )

    @model_validator(mode="after")
    def _forward(self) -> Exam:
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}; expected a later end")
        return self


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Calendar(Model):
    """When a school teaches, and so when its targets count."""

    id: Slug
    terms: list[Term] = Field(default_factory=list)
    weekdays: list[Weekday] = Field(default=["mon", "tue", "wed", "thu", "fri"])
    public_holidays: bool = Field(
        default=True, description="Whether the country's public holidays are free."
    )
    extra_days: list[dt.date] = Field(
        default_factory=list, description="Days taught although they are free (make-up days)."
    )
    closed_days: list[dt.date] = Field(
        default_factory=list, description="Further days without school."
    )
    service_hours: Period = Field(
        default=Period(name="service", start=dt.time(7), end=dt.time(18)),
        description="Clock time in which the network is promised on school days.",
    )
    lessons: list[Period] = Field(default_factory=list)
    exams: list[Exam] = Field(
        default_factory=list, description="Days on which targets may be stricter."
    )


class SchoolSelector(Model):
    """Which schools; an empty selector means all."""

    ids: list[Slug] | None = None
    areas: list[Area] | None = None

    def matches(self, school: School) -> bool:
        return (self.ids is None or school.id in self.ids) and (
            self.areas is None or school.area in self.areas
        )


class CalendarWindow(StrEnum):
    """A window that begins and ends with a part of the school year."""

    MONTH = "month"
    TERM = "term"


def _parse_window(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value in tuple(CalendarWindow):
        return CalendarWindow(value)
    days = re.fullmatch(r"([1-9][0-9]{0,3})([dw])", value)
    if days is None:
        raise ValueError('expected whole days such as "28d", or "month" or "term"')
    return dt.timedelta(seconds=int(days[1]) * _SECONDS[days[2]])


Window = Annotated[
    dt.timedelta | CalendarWindow,
    BeforeValidator(_parse_window, json_schema_input_type=str),
    PlainSerializer(
        lambda value: value if isinstance(value, str) else f"{value.days}d", return_type=str
    ),
]
"""Over which time a share is taken: the last so many days of the school, today
included; or the calendar month or the term that today lies in."""


class Hours(StrEnum):
    """Which time counts."""

    SERVICE = "service"
    """The service hours of school days."""
    LESSONS = "lessons"
    """The lessons of school days."""
    ALWAYS = "always"
    """Nights and holidays too."""


class UptimeTarget(Model):
    """Devices of these kinds, their time taken together, are up for at least this share of it."""

    id: Slug
    kind: Literal["uptime"]
    objective: Percent
    exam_objective: Percent | None = Field(
        default=None, description="For the exam days of the window, judged by themselves."
    )
    window: Window = Field(
        default=dt.timedelta(days=28),
        description='Whole days such as "28d", today included; or "month" or "term".',
    )
    hours: Hours = Hours.SERVICE
    device_kinds: list[DeviceKind] = Field(min_length=1)
    room_kinds: list[RoomKind] | None = Field(
        default=None, description="Only devices that stand in, or serve, such rooms."
    )
    schools: SchoolSelector = SchoolSelector()


class WifiCoverageTarget(Model):
    """At least this share of the seats has working Wi-Fi now."""

    id: Slug
    kind: Literal["wifi-coverage"]
    objective: Percent
    room_kinds: list[RoomKind] = Field(min_length=1)
    min_rssi: float = Field(
        default=-67.0, ge=-100, le=-20, description="Weakest signal that passes, dBm."
    )
    schools: SchoolSelector = SchoolSelector()


class BandwidthTarget(Model):
    """The line to the internet carries at least so much for every student."""

    id: Slug
    kind: Literal["bandwidth"]
    down: float = Field(
        default=1.0, gt=0, description="Download, Mbit/s a student: 1 is 1 Gbit/s for 1,000."
    )
    up: float | None = Field(default=None, gt=0, description="Upload, Mbit/s a student.")
    schools: SchoolSelector = SchoolSelector()


Target = Annotated[UptimeTarget | WifiCoverageTarget | BandwidthTarget, Field(discriminator="kind")]


class MaintenanceWindow(Model):
    """Time in which devices may be down, once or again and again.

    Each of `schools`, `rooms`, `device_kinds` and `devices` that is given
    narrows the choice of devices. What hangs on a chosen device is cut off
    with it, and so excused too.
    """

    id: Slug
    reason: Name
    start: dt.datetime = Field(
        description="Clock time of the school, such as 2026-10-17T20:00; with `repeat`, of the "
        "first time."
    )
    duration: Duration
    repeat: str | None = Field(
        default=None,
        description="When it recurs, as a recurrence rule of RFC 5545.",
        examples=["FREQ=MONTHLY;BYDAY=1SA"],
    )
    schools: SchoolSelector = SchoolSelector()
    rooms: list[Slug] | None = None
    device_kinds: list[DeviceKind] | None = None
    devices: list[Slug] | None = None

    @model_validator(mode="after")
    def _clock_time(self) -> MaintenanceWindow:
        if self.start.tzinfo is not None:
            raise ValueError("start has a time zone; expected a clock time of the school")
        if self.repeat is not None:
            recurrence(self.repeat, self.start)
        return self

    def covers(self, school: School, device: Device) -> bool:
        """Return whether it is meant for a device of a school."""
        return (
            self.schools.matches(school)
            and (self.rooms is None or device.room in self.rooms)
            and (self.device_kinds is None or device.kind in self.device_kinds)
            and (self.devices is None or device.id in self.devices)
        )


def recurrence(rule: str, start: dt.datetime) -> rrule:
    """Return the clock times at which a rule of RFC 5545 section 3.3.10 recurs.

    Args:
        rule: the rule, with or without `RRULE:`.
        start: the first time, without a zone.

    Raises:
        ValueError: it is no such rule, or recurs more than once a day.
    """
    try:
        found = rrulestr(rule, dtstart=start)
    except (ValueError, TypeError, KeyError):
        raise ValueError(
            'repeat is no recurrence rule of RFC 5545; expected one such as "FREQ=WEEKLY;BYDAY=SA" '
            'or "FREQ=DAILY;UNTIL=20261231T235959", in clock time'
        ) from None
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(":")[-1].split(";"))
    once_a_day = parts.get("FREQ") in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
    if not isinstance(found, rrule) or not once_a_day or parts.keys() & _WITHIN_A_DAY:
        raise ValueError("repeat recurs within a day; expected FREQ=DAILY, or a longer one")
    return found


_WITHIN_A_DAY: Final = {"BYHOUR", "BYMINUTE", "BYSECOND"}


class District(Model):
    """The content of district.yaml."""

    id: Slug
    name: Name
    timezone: TimeZone
    country: str = Field(
        pattern=r"^[A-Z]{2}$",
        description="ISO 3166-1 alpha-2.",
        json_schema_extra={
            "patternErrorMessage": 'two capital letters of ISO 3166-1, such as "CN"'
        },
    )
    subdivision: str | None = Field(default=None, description="As the holidays package names it.")
    credentials: dict[Slug, SnmpCredential] = Field(default_factory=dict)
    targets: list[Target] = Field(default_factory=list)


class CalendarFile(Model):
    """The content of calendar.yaml."""

    calendars: list[Calendar] = Field(min_length=1)


class MappingsFile(Model):
    """The content of mappings.yaml."""

    mappings: list[Mapping]


class MaintenanceFile(Model):
    """The content of maintenance.yaml."""

    maintenance: list[MaintenanceWindow]


class Inventory(Model):
    """A whole district, loaded and cross-checked."""

    district: District
    calendars: list[Calendar]
    mappings: list[Mapping]
    schools: list[School]
    maintenance: list[MaintenanceWindow] = Field(default_factory=list)

    def school(self, school_id: str) -> School:
        """Return a school by its id.

        Raises:
            KeyError: there is none.
        """
        for school in self.schools:
            if school.id == school_id:
                return school
        raise KeyError(school_id)

    def zone_of(self, school: School) -> ZoneInfo:
        """Return the school's time zone."""
        return ZoneInfo(school.timezone or self.district.timezone)
