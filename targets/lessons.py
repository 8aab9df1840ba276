"""What teaching felt: lesson time in rooms that had no working network."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Final

from campuswatch.calendar import SECOND
from campuswatch.intervals import NOTHING, IntervalSet
from campuswatch.inventory.models import DeviceKind, Room, RoomKind
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from targets.days import seconds_by_cause
from targets.topology import Topology, is_watched, rooms_served, settle_of
from targets.uptime import Timeline
from targets.verdicts import DeviceRef, LessonCause, LessonTime, RoomLessons, Share

TEACHING: Final = frozenset({RoomKind.CLASSROOM, RoomKind.LAB, RoomKind.LIBRARY, RoomKind.HALL})
"""Kinds of rooms in which lessons are held."""

_Lines = Mapping[str, Timeline]


@dataclass(frozen=True, slots=True)
class RoomLoss:
    """What the lessons in one room lost, seats times ns.

    Attributes:
        room: the room.
        due: the time of lessons.
        lost: of that, without a working network.
        unknown: of that, of which nothing is known.
        causes: the time lost by the device to blame; together it is `lost`.
    """

    room: Room
    due: int
    lost: int
    unknown: int
    causes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Way:
    """A way from a room to the internet.

    Attributes:
        hops: the devices on it, from the room's own to the topmost.
        watched: those that must be seen up for it to be known to work.
    """

    hops: tuple[str, ...]
    watched: tuple[str, ...]

    def works(self, lines: _Lines) -> IntervalSet:
        return reduce(and_, (lines[hop].up for hop in self.watched))

    def broken(self, lines: _Lines) -> IntervalSet:
        return reduce(or_, (lines[hop].down for hop in self.hops), NOTHING)


def room_losses(
    topology: Topology, rooms: Iterable[Room], lines: _Lines, lessons: IntervalSet
) -> list[RoomLoss]:
    """Return what each teaching room of a school lost of its lessons.

    A room's ways to the internet are those of the access points that serve it;
    where none does, those of the wall ports that its devices hang on. It has a
    working network while every device of one of them is up, and none while
    each of them has a device that is down. Rooms without seats, or without any
    way that is watched, are left out: no outage can be seen there.

    Args:
        topology: of the school's devices.
        rooms: the school's rooms.
        lines: what is known of each device, for longer than the lessons.
        lessons: when they are.
    """
    ways = _ways(topology)
    return [
        _loss(room, ways[room.id], lines, lessons, topology)
        for room in rooms
        if room.seats and room.kind in TEACHING and room.id in ways
    ]


def _ways(topology: Topology) -> dict[str, list[_Way]]:
    by_air, by_wire = defaultdict[str, list[_Way]](list), defaultdict[str, list[_Way]](list)
    for device in topology.devices.values():
        path = topology.path(device.id)
        if device.kind is DeviceKind.AP:
            for room in rooms_served(device):
                by_air[room].append(_Way(path, (path[0], *_watched(path[1:], topology))))
        elif device.room is not None and _watched(path[1:], topology):
            by_wire[device.room].append(_Way(path[1:], _watched(path[1:], topology)))
    return by_wire | by_air


def _watched(hops: Sequence[str], topology: Topology) -> tuple[str, ...]:
    return tuple(hop for hop in hops if is_watched(topology.devices[hop]))


def _loss(
    room: Room, ways: Sequence[_Way], lines: _Lines, lessons: IntervalSet, topology: Topology
) -> RoomLoss:
    works = reduce(or_, (way.works(lines) for way in ways)) & lessons
    lost = reduce(and_, (way.broken(lines) for way in ways)) & lessons
    causes = {
        device: room.seats * when.total for device, when in _blame(lost, ways[0], lines, topology)
    }
    unknown = lessons.total - works.total - lost.total
    return RoomLoss(
        room,
        room.seats * lessons.total,
        room.seats * lost.total,
        room.seats * unknown,
        causes,
    )


def _blame(
    lost: IntervalSet, way: _Way, lines: _Lines, topology: Topology
) -> Iterator[tuple[str, IntervalSet]]:
    """Share out the time lost: the device nearest to the internet is to blame.

    As in `Topology.blame`, an outage further up counts a while longer than it
    lasted, because what hangs on it starts after it.
    """
    settle = settle_of(way.hops[0], topology)
    for hop in reversed(way.hops[1:]):
        part = lost & lines[hop].down.grow(settle, settle)
        if part:
            yield hop, part
        lost -= part
    if lost:
        yield way.hops[0], lost


def readings(losses: Iterable[RoomLoss], school: str, start: int) -> Iterator[Reading]:
    """Yield the rows of a day that began at `start`, ns UTC."""
    for loss in losses:
        row = CATALOGUE["daily_lessons"].reading(
            {"room": loss.room.id},
            {
                "due": loss.due / SECOND,
                "lost": loss.lost / SECOND,
                "unknown": loss.unknown / SECOND,
                "causes": seconds_by_cause(loss.causes),
            },
            start,
        )
        yield Reading(row.measurement, {**row.tags, "school": school}, row.fields, row.time)


def lesson_time(losses: Sequence[RoomLoss], topology: Topology, start: int, end: int) -> LessonTime:
    """Add up what rooms lost in [start, end), ns UTC."""
    due, lost, unknown = (
        sum(getattr(loss, part) for loss in losses) for part in ("due", "lost", "unknown")
    )
    return LessonTime(
        window_start=start,
        window_end=end,
        due=due,
        lost=lost,
        unknown=unknown,
        share=Share.of(due - lost - unknown, lost, unknown),
        rooms=tuple(_room(loss) for loss in sorted(losses, key=lambda loss: -loss.lost)),
        causes=tuple(_causes(losses, topology)),
    )


def _room(loss: RoomLoss) -> RoomLessons:
    return RoomLessons(
        id=loss.room.id,
        name=loss.room.name,
        seats=loss.room.seats,
        due=loss.due,
        lost=loss.lost,
        unknown=loss.unknown,
    )


def _causes(losses: Sequence[RoomLoss], topology: Topology) -> Iterator[LessonCause]:
    total = Counter[str]()
    for loss in losses:
        total.update(loss.causes)
    for device, lost in total.most_common():
        rooms = tuple(loss.room.id for loss in losses if device in loss.causes)
        yield LessonCause(device=DeviceRef.of(topology.devices[device]), lost=lost, rooms=rooms)
