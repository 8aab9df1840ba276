"""What a notification says: what, where, since when, with which impact, and where to look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from alerts.incidents import Finding, Impact, Scope
from alerts.wording import WORDINGS, Wording
from campuswatch.inventory.models import Device, Inventory, School
from campuswatch.language import Language, called

_NAMED_ROOMS: Final = 5
"""Rooms called by name; a phone's screen holds no more."""


class Event(StrEnum):
    """What a notification is about."""

    PROBLEM = "problem"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Message:
    """A notification's text.

    Attributes:
        title: one line.
        body: several lines.
    """

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class _Room:
    name: str
    place: str


class Writer:
    """Puts findings into words, with the names the inventory has for things."""

    def __init__(self, inventory: Inventory) -> None:
        self._district: Final = inventory.district
        self._schools: Final = {school.id: school for school in inventory.schools}
        self._devices: Final = {
            device.id: device for school in inventory.schools for device in school.devices
        }
        self._rooms: Final = {
            room.id: _Room(room.name, f"{building.name}, {floor.name}, {room.name}")
            for school in inventory.schools
            for building in school.buildings
            for floor in building.floors
            for room in floor.rooms
        }

    def problem(self, finding: Finding, language: Language) -> Message:
        """Say that something is wrong."""
        words = WORDINGS[language]
        name = self._name(finding)
        lines = [
            (
                "what",
                words.observed[finding.subject.scope].format(name=self._described(finding, words)),
            ),
            ("where", self._where(finding)),
            ("since", self._time(finding, finding.since) or words.unknown),
            (_impact_label(finding), self._impact(finding.impact, words)),
            ("cause", self._cause(finding, words)),
            ("reason", finding.reason),
        ]
        title = words.problem[finding.subject.scope].format(name=name)
        return Message(self._titled(title, finding, words), _body(lines, words))

    def recovery(self, finding: Finding, end: int, removed: bool, language: Language) -> Message:
        """Say that something has ended.

        Args:
            finding: what it was.
            end: when it ended, nanoseconds.
            removed: whether it ended only because the inventory no longer has it.
            language: to say it in.
        """
        words = WORDINGS[language]
        name = self._name(finding)
        ended = words.ended[finding.subject.scope].format(name=self._described(finding, words))
        lines = [
            ("what", words.removed if removed else ended),
            ("where", self._where(finding)),
            ("since", self._time(finding, finding.since) or words.unknown),
            ("until", self._until(finding, end, words)),
        ]
        title = words.recovery[finding.subject.scope].format(name=name)
        return Message(self._titled(title, finding, words), _body(lines, words))

    def _name(self, finding: Finding) -> str:
        if finding.subject.scope in {Scope.PIPELINE, Scope.STORE}:
            return self._district.name
        device = self._device(finding)
        return device.name if device else finding.subject.id

    def _device(self, finding: Finding) -> Device | None:
        return (
            self._devices.get(finding.subject.id) if finding.subject.scope is Scope.DEVICE else None
        )

    def _school(self, finding: Finding) -> School | None:
        return self._schools.get(finding.subject.school)

    def _titled(self, title: str, finding: Finding, words: Wording) -> str:
        school = self._school(finding)
        return words.titled.format(title=title, school=school.name) if school else title

    def _described(self, finding: Finding, words: Wording) -> str:
        device = self._device(finding)
        if device is None:
            return self._name(finding)
        form = words.described if device.address else words.addressless
        return form.format(
            name=device.name, kind=called(device.kind, words.language), address=device.address
        )

    def _where(self, finding: Finding) -> str:
        device, school = self._device(finding), self._school(finding)
        if school is None:
            return ""
        room = self._rooms.get(device.room) if device and device.room else None
        return f"{school.name}, {room.place}" if room else school.name

    def _time(self, finding: Finding, time: int) -> str:
        if time == 0:
            return ""
        school = self._school(finding)
        zone = school.timezone if school and school.timezone else self._district.timezone
        moment = dt.datetime.fromtimestamp(time // 10**9, ZoneInfo(zone))
        return f"{moment:%Y-%m-%d %H:%M:%S} ({moment:%Z})"

    def _until(self, finding: Finding, end: int, words: Wording) -> str:
        if finding.since == 0:
            return self._time(finding, end)
        duration = _duration((end - finding.since) // 10**9, words)
        return words.lasted.format(end=self._time(finding, end), duration=duration)

    def _impact(self, impact: Impact, words: Wording) -> str:
        devices = _count(words, "device", len(impact.devices))
        if not impact.devices or not impact.rooms:
            return devices if impact.devices else ""
        names = [self._rooms[room].name for room in impact.rooms if room in self._rooms]
        shown = words.between.join(names[:_NAMED_ROOMS])
        if len(names) > _NAMED_ROOMS:
            shown = words.more.format(names=shown, number=len(names) - _NAMED_ROOMS)
        served = words.list_of.format(
            rooms=_count(words, "room", len(impact.rooms)),
            seats=_count(words, "seat", impact.seats),
            names=shown,
        )
        return f"{devices}{words.between}{served}"

    def _cause(self, finding: Finding, words: Wording) -> str:
        scope = finding.subject.scope
        if scope is not Scope.DEVICE:
            return words.cause[scope]
        device = self._device(finding)
        uplink = self._devices.get(device.uplink) if device and device.uplink else None
        return words.cause[scope].format(uplink=uplink.name) if uplink else words.top_cause


def _impact_label(finding: Finding) -> str:
    return "impact" if finding.subject.scope is Scope.DEVICE else "unobserved"


def _body(lines: Iterable[tuple[str, str]], words: Wording) -> str:
    return "\n".join(words.labels[label].format(text=text) for label, text in lines if text)


def _count(words: Wording, noun: str, number: int) -> str:
    one, several = words.counts[noun]
    return (one if number == 1 else several).format(number=number)


def _duration(seconds: int, words: Wording) -> str:
    """Return a duration in its two largest units."""
    parts = []
    for noun, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        number, seconds = divmod(seconds, length)
        if number:
            parts.append(_count(words, noun, number))
    return " ".join(parts[:2]) or _count(words, "second", 0)
