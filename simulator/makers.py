"""Who made the simulated devices, and how they introduce themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from campuswatch.inventory.models import DeviceKind
from simulator.mibs.tree import Oid

_ENTERPRISES: Final = (1, 3, 6, 1, 4, 1)


@dataclass(frozen=True)
class Product:
    """One model of a maker.

    Attributes:
        maker: as entPhysicalMfgName has it.
        model: as entPhysicalModelName has it.
        enterprise: sysObjectID below 1.3.6.1.4.1.
        description: sysDescr.
        port: name of a copper port; `{}` is its number.
        uplink: name of a fibre port.
    """

    maker: str
    model: str
    enterprise: Oid
    description: str
    port: str = "eth{}"
    uplink: str = "eth{}"

    @property
    def object_id(self) -> Oid:
        return _ENTERPRISES + self.enterprise


def _huawei(model: str, enterprise: Oid, software: str) -> Product:
    description = (
        f"{model}\r\nHuawei Versatile Routing Platform Software\r\n"
        f"VRP (R) software, Version 5.170 ({software})"
    )
    port, uplink = "GigabitEthernet0/0/{}", "XGigabitEthernet0/0/{}"
    return Product("Huawei", model, (2011, *enterprise), description, port, uplink)


def _h3c(model: str, enterprise: Oid, release: str) -> Product:
    description = f"H3C Comware Platform Software, Software Version 7.1.070, {release}\r\n{model}"
    port, uplink = "GigabitEthernet1/0/{}", "Ten-GigabitEthernet1/0/{}"
    return Product("H3C", model, (25506, *enterprise), description, port, uplink)


def _ruijie(model: str, enterprise: Oid, what: str) -> Product:
    description = f"Ruijie {what} ({model}) By Ruijie Networks"
    port, uplink = "GigabitEthernet 0/{}", "TenGigabitEthernet 0/{}"
    return Product("Ruijie", model, (4881, *enterprise), description, port, uplink)


NETWORKS: Final[tuple[Mapping[DeviceKind, Product], ...]] = (
    {
        DeviceKind.SWITCH: _huawei("S5735-L24P4X-A1", (2, 23, 701), "S5735 V200R021C10SPC600"),
        DeviceKind.AP: _huawei("AirEngine5761-21", (2, 240, 152), "AirEngine V200R021C00SPC200"),
        DeviceKind.ROUTER: _huawei("AR651", (2, 224, 279), "AR650 V300R021C00SPC100"),
        DeviceKind.WLAN_CONTROLLER: _huawei("AC6508", (2, 240, 9), "AC6508 V200R021C00SPC200"),
    },
    {
        DeviceKind.SWITCH: _h3c("S5130S-28P-PWR-EI", (1, 1747), "Release 6328P03"),
        DeviceKind.AP: _h3c("WA6320", (1, 2310), "Release 2448"),
        DeviceKind.ROUTER: _h3c("MSR2600-10-X1", (1, 1686), "Release 0821P18"),
        DeviceKind.WLAN_CONTROLLER: _h3c("WX2540H", (1, 1741), "Release 5446"),
    },
    {
        DeviceKind.SWITCH: _ruijie(
            "RG-S2910-24GT4XS-P-E", (1, 1, 10, 1, 146), "Gigabit Intelligent Access Switch"
        ),
        DeviceKind.AP: _ruijie("RG-AP820-L(V3)", (1, 1, 10, 1, 276), "802.11ax Access Point"),
        DeviceKind.ROUTER: _ruijie("RG-EG3230", (1, 1, 10, 1, 215), "Easy Gateway"),
        DeviceKind.WLAN_CONTROLLER: _ruijie(
            "RG-WS6008", (1, 1, 10, 1, 142), "Wireless Switch Controller"
        ),
    },
)
"""What a school's network is made of; a school buys from one maker."""

_LINUX = Product(
    "net-snmp", "Linux", (8072, 3, 2, 10), "Linux server 6.1.0-18-amd64 #1 SMP Debian x86_64"
)

OTHERS: Final[Mapping[DeviceKind, Product]] = {
    DeviceKind.UPS: Product(
        "APC", "Smart-UPS 1500", (318, 1, 3, 27), "APC Web/SNMP Management Card (Smart-UPS 1500)"
    ),
    DeviceKind.PROJECTOR: Product(
        "Epson", "EB-685Wi", (1248, 4, 1), "EPSON Projector EB-685Wi", port="LAN"
    ),
    DeviceKind.DISPLAY: Product(
        "Hikvision", "DS-D5B86RB", (39165, 1, 9), "Hikvision interactive display DS-D5B86RB"
    ),
    DeviceKind.PRINTER: Product(
        "HP", "LaserJet Pro M404dn", (11, 2, 3, 9, 1), "HP ETHERNET MULTI-ENVIRONMENT"
    ),
    DeviceKind.SENSOR: Product(
        "AKCP", "sensorProbe2+", (3854, 3, 2), "sensorProbe2+ SP485 v1.0.4816"
    ),
    DeviceKind.SERVER: _LINUX,
    DeviceKind.GATEWAY: _LINUX,
}
"""What every school has alike."""
