"""Builds the SNMP objects of each device of the inventory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from campuswatch.inventory.models import Device, DeviceKind
from simulator.flows import Flows
from simulator.makers import NETWORKS, OTHERS, Product
from simulator.mibs.entity import Quantity, Sensor, entity
from simulator.mibs.host import FIXED_DISK, RAM, Storage, host
from simulator.mibs.interfaces import ETHERNET, RADIO, Port, interfaces
from simulator.mibs.lldp import ACCESS_POINT, BRIDGE, ROUTER, Remote, Speaker, lldp
from simulator.mibs.system import system
from simulator.mibs.tree import MibTree, Oid, Value
from simulator.mibs.ups import ups
from simulator.noise import between, drift, unit
from simulator.rhythm import busyness
from simulator.tally import Tally
from simulator.world import FLAP_PERIOD, FLAP_UP, Trouble, World

_GIGABIT: Final = 1_000_000_000
_COPPER: Final = (8, 16, 24, 48)
"""Copper ports that switches come with."""
_FIBRE: Final = 4
_LINE_PORT: Final = 1
"""ifIndex of the port that a school's line to the internet ends on."""
_USED: Final = 0.7
"""Share of a switch's other copper ports that something is plugged into."""
_BAD: Final = 0.03
"""Share of ports with a bad cable, and of their packets that arrive broken."""
_BROKEN: Final = 0.002

_CAPABILITIES: Final = {
    DeviceKind.SWITCH: BRIDGE,
    DeviceKind.AP: BRIDGE | ACCESS_POINT,
    DeviceKind.ROUTER: ROUTER,
    DeviceKind.WLAN_CONTROLLER: BRIDGE,
}
"""What the kinds of devices that speak LLDP say that they do."""

_Measure = Callable[[float], float]


class Hardware:
    """Makes devices of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._flows = Flows(world)
        self._ports: dict[str, _Ports] = {}

    def objects(self, device: Device) -> MibTree:
        """Return all that a device says over SNMP."""
        product = product_of(device, self._world)
        booted = self._booted(device)
        school = self._world.school_of(device.id)
        objects = system(device, school, product, booted)
        objects |= interfaces(self._ports_of(device).all, booted)
        objects |= self.neighbours(device)
        serial = f"{int(between(0x10000000, 0xFFFFFFFF, self._world.seed, device.id)):X}"
        objects |= entity(product, serial, self._sensors(device))
        if device.kind is DeviceKind.SERVER:
            objects |= self._host(device)
        if device.kind is DeviceKind.UPS:
            objects |= self._ups(device, product)
        return MibTree(objects)

    def neighbours(self, device: Device) -> dict[Oid, Value]:
        """Return LLDP-MIB as the cables are now; nothing for a device without LLDP."""
        if device.kind not in _CAPABILITIES:
            return {}
        world, ports = self._world, self._ports_of(device)
        remotes: list[Remote] = []
        for behind, port in ports.downlinks.items():
            other = world.plugged_into(behind)
            remotes += self._remote(port, other, self._ports_of(other).uplink)
        socket = world.socket(device.id)
        if ports.uplink is not None and socket.uplink is not None:
            above = world.device(socket.uplink)
            remotes += self._remote(
                ports.uplink, above, self._ports_of(above).downlinks.get(socket.id)
            )
        return lldp(
            self._speaker(device),
            ports.all,
            remotes,
            lambda: max(0.0, world.recabled() - world.booted(device.id)),
        )

    def _remote(self, port: Port, other: Device, its_port: Port | None) -> list[Remote]:
        if its_port is None or other.kind not in _CAPABILITIES or other.address is None:
            return []
        return [Remote(port.index, self._speaker(other), its_port.name)]

    def _speaker(self, device: Device) -> Speaker:
        return Speaker(
            chassis=b"\x02"
            + int(between(0, 2**40, self._world.seed, device.id, "mac")).to_bytes(5),
            name=device.id,
            description=product_of(device, self._world).description,
            address=device.address or "",
            capabilities=_CAPABILITIES[device.kind],
        )

    def _ports_of(self, device: Device) -> _Ports:
        if device.id not in self._ports:
            product = product_of(device, self._world)
            self._ports[device.id] = _Ports(self._world, self._flows, device, product)
        return self._ports[device.id]

    def _booted(self, device: Device) -> Callable[[], float]:
        return lambda: self._world.booted(device.id)

    def _sensors(self, device: Device) -> list[Sensor]:
        sensors = [
            Sensor("Board temperature", Quantity.CELSIUS, 1, self._wave(device, 36, 3, 7, "board"))
        ]
        if device.kind is DeviceKind.SWITCH:
            sensors += [
                Sensor("Power supply 1", Quantity.WATTS, 0, self._wave(device, 62, 4, 90, "psu")),
                Sensor("Fan 1", Quantity.RPM, 0, self._wave(device, 4200, 80, 900, "fan")),
            ]
        return sensors

    def _wave(self, device: Device, base: float, noise: float, busy: float, key: str) -> _Measure:
        """Return a measure that wanders by `noise` and rises by `busy` in the busiest hour."""
        world = self._world
        zone = world.inventory.zone_of(world.school_of(device.id))
        return lambda now: (
            base + noise * drift(now, 600, world.seed, key, device.id) + busy * busyness(now, zone)
        )

    def _host(self, device: Device) -> dict[Oid, Value]:
        storages = [
            Storage(
                "Physical memory", RAM, 1024, 16_777_216, self._wave(device, 0.4, 0.03, 0.3, "m")
            ),
            Storage("/", FIXED_DISK, 4096, 24_000_000, self._wave(device, 0.38, 0.01, 0, "root")),
            Storage("/srv", FIXED_DISK, 4096, 480_000_000, self._wave(device, 0.7, 0.01, 0, "srv")),
        ]
        loads = [self._wave(device, 0.12, 0.08, 0.6, f"cpu{number}") for number in range(4)]
        return host(storages, loads, self._booted(device))

    def _ups(self, device: Device, product: Product) -> dict[Oid, Value]:
        load = self._wave(device, 0.3, 0.02, 0.15, "load")
        return ups(product, load, self._wave(device, 228, 4, -3, "volts"))


def product_of(device: Device, world: World) -> Product:
    """Return what a device is; a school's network comes from one maker."""
    school = world.school_of(device.id)
    number = next(
        number for number, other in enumerate(world.inventory.schools) if other.id == school.id
    )
    return NETWORKS[number % len(NETWORKS)].get(device.kind) or OTHERS[device.kind]


def line_port_name(device: Device, world: World) -> str:
    """Return the name of the port that a school's line to the internet ends on."""
    internet = world.school_of(device.id).internet
    declared = internet.interface if internet is not None else None
    return declared or product_of(device, world).port.format(_LINE_PORT)


class _Ports:
    """The ports of one device.

    Attributes:
        all: every port.
        downlinks: the ports of the devices behind it, by their ids.
        uplink: the port towards the internet, if it has one.
    """

    def __init__(self, world: World, flows: Flows, device: Device, product: Product) -> None:
        self._world = world
        self._flows = flows
        self._device = device
        self._product = product
        self._behind = sorted(world.behind(device.id), key=lambda other: other.id)
        self.downlinks: dict[str, Port] = {}
        self.uplink: Port | None = None
        self.all = self._made()

    def _made(self) -> list[Port]:
        internet = self._world.school_of(self._device.id).internet
        if self._device.kind is DeviceKind.SWITCH:
            return self._of_switch()
        if internet is not None and internet.device == self._device.id:
            return [self._line(), *self._downlinks(_LINE_PORT + 1)]
        if self._device.kind is DeviceKind.AP:
            return [self._uplink(1), self._radio(2, "2.4 GHz", 0.2), self._radio(3, "5 GHz", 0.8)]
        return [self._uplink(1), *self._downlinks(2)]

    def _of_switch(self) -> list[Port]:
        wanted = len(self._behind) + 3
        copper = next((count for count in _COPPER if count >= wanted), _COPPER[-1])
        downlinks = self._downlinks(1)
        free = [self._free(index) for index in range(len(downlinks) + 1, copper + 1)]
        fibre = [self._dark(index) for index in range(copper + 2, copper + _FIBRE + 1)]
        return [*downlinks, *free, self._uplink(copper + 1), *fibre]

    def _downlinks(self, first: int) -> list[Port]:
        return [self._downlink(index, other) for index, other in enumerate(self._behind, first)]

    def _downlink(self, index: int, other: Device) -> Port:
        port = self._port(
            index,
            alias=other.id,
            link=other,
            received=lambda now: self._flows.up(other, now),
            sent=lambda now: self._flows.down(other, now),
        )
        self.downlinks[other.id] = port
        return port

    def _uplink(self, index: int) -> Port:
        fibre = self._device.kind is DeviceKind.SWITCH
        self.uplink = self._port(
            index,
            name=self._product.uplink if fibre else self._product.port,
            alias="uplink",
            speed=10 * _GIGABIT if fibre else _GIGABIT,
            link=self._device,
            received=lambda now: self._flows.down(self._device, now),
            sent=lambda now: self._flows.up(self._device, now),
        )
        return self.uplink

    def _line(self) -> Port:
        return self._port(
            _LINE_PORT,
            name=line_port_name(self._device, self._world),
            alias="internet",
            received=lambda now: self._flows.line_down(self._device, now),
            sent=lambda now: self._flows.line_up(self._device, now),
        )

    def _radio(self, index: int, band: str, share: float) -> Port:
        return self._port(
            index,
            name=f"Radio{index - 2}",
            alias=band,
            kind=RADIO,
            speed=574_000_000 if share < 0.5 else 1_201_000_000,
            received=lambda now: share * self._flows.up(self._device, now),
            sent=lambda now: share * self._flows.down(self._device, now),
        )

    def _free(self, index: int) -> Port:
        key = (self._world.seed, self._device.id, index)
        used = unit(*key, "used") < _USED
        share = between(0.01, 0.08, *key, "share") if used else 0.0
        return self._port(
            index,
            alias=f"outlet {index}",
            lit=used,
            received=lambda now: share * 0.2 * self._flows.own(self._device, now),
            sent=lambda now: share * self._flows.own(self._device, now),
            errors=_BROKEN if unit(*key, "bad") < _BAD else 0.0,
        )

    def _dark(self, index: int) -> Port:
        return self._port(
            index,
            name=self._product.uplink,
            speed=10 * _GIGABIT,
            lit=False,
            received=lambda _: 0.0,
            sent=lambda _: 0.0,
        )

    def _port(
        self,
        index: int,
        *,
        received: _Measure,
        sent: _Measure,
        name: str = "",
        alias: str = "",
        kind: int = ETHERNET,
        speed: int = _GIGABIT,
        link: Device | None = None,
        lit: bool = True,
        errors: float = 0.0,
    ) -> Port:
        return Port(
            index=index,
            name=(name or self._product.port).format(index),
            alias=alias,
            type=kind,
            speed=speed,
            enabled=True,
            up=lambda now: lit and (link is None or self._is_up(link, now)),
            changed=lambda now: self._changed(link, now),
            received=self._traffic(received, index, "in"),
            sent=self._traffic(sent, index, "out"),
            error_share=errors,
        )

    def _traffic(self, rate: _Measure, index: int, direction: str) -> Tally:
        world = self._world
        backlog = between(1e10, 1e13, world.seed, self._device.id, index, direction)
        return Tally(rate, lambda: world.booted(self._device.id), world.started, backlog)

    def _is_up(self, lower: Device, now: float) -> bool:
        """Return whether the cable between `lower` and its uplink carries a signal."""
        powered = not self._world.has(Trouble.DOWN, lower.id)
        return powered and self._world.link_is_up(lower.id, now)

    def _changed(self, link: Device | None, now: float) -> float:
        """Return when a port last changed its state, Unix seconds."""
        if link is not None and self._world.has(Trouble.FLAPPING, link.id):
            phase = now % FLAP_PERIOD
            return now - phase + (FLAP_UP if phase >= FLAP_UP else 0)
        return self._world.changed(link.id if link else self._device.id)
