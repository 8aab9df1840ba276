"""The two languages of everything that people read, and what both name alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from campuswatch.inventory.models import Area, DeviceKind

Pair = tuple[str, str]
"""A word or phrase in English and in Simplified Chinese."""

Names = Mapping[type[StrEnum], Mapping[StrEnum, Pair]]
"""What the members of some enumerations are called."""


class Language(StrEnum):
    """A language, by its BCP 47 tag."""

    EN = "en"
    ZH = "zh"


NAMES: Final[Names] = {
    Area: {
        Area.URBAN: ("urban", "城区"),
        Area.TOWN: ("town", "乡镇"),
        Area.RURAL: ("rural", "农村"),
    },
    DeviceKind: {
        DeviceKind.SWITCH: ("switch", "交换机"),
        DeviceKind.AP: ("access point", "无线 AP"),
        DeviceKind.WLAN_CONTROLLER: ("wireless controller", "无线控制器"),
        DeviceKind.ROUTER: ("router", "路由器"),
        DeviceKind.UPS: ("UPS", "不间断电源"),
        DeviceKind.PROJECTOR: ("projector", "投影机"),
        DeviceKind.DISPLAY: ("display", "显示屏"),
        DeviceKind.SENSOR: ("sensor", "传感器"),
        DeviceKind.PRINTER: ("printer", "打印机"),
        DeviceKind.SERVER: ("server", "服务器"),
        DeviceKind.GATEWAY: ("gateway", "网关"),
    },
}
"""What the inventory's enumerations are called."""


def called(member: StrEnum, language: Language) -> str:
    """Return what a member of one of the inventory's enumerations is called."""
    return NAMES[type(member)][member][list(Language).index(language)]


class Phrasebook:
    """The words of one language.

    Args:
        language: which one.
        phrases: by key, with blanks in braces.
        names: of further enumerations than the inventory's.
    """

    def __init__(self, language: Language, phrases: Mapping[str, Pair], names: Names) -> None:
        self.language = language
        self._column = list(Language).index(language)
        self._phrases = phrases
        self._names = {**NAMES, **names}

    def __call__(self, key: str, **values: object) -> str:
        """Return a phrase with its blanks filled in.

        Raises:
            KeyError: there is no such phrase, or a blank is left.
        """
        return self._phrases[key][self._column].format(**values)

    def name(self, member: StrEnum) -> str:
        """Return what a member of an enumeration is called."""
        return self._names[type(member)][member][self._column]
