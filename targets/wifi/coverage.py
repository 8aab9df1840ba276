"""Whether a school meets its Wi-Fi coverage target now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from campuswatch.inventory.models import WifiCoverageTarget
from targets import causes
from targets.evidence import Evidence
from targets.verdicts import (
    Cause,
    Counted,
    CoverageVerdict,
    Limit,
    RoomState,
    RoomVerdict,
    Share,
)
from targets.wifi.rooms import room_verdicts


def judge(target: WifiCoverageTarget, evidence: Evidence) -> CoverageVerdict | None:
    """Return the verdict on a coverage target; None when no room of the school is in its scope.

    It is the share of seats that is judged; of rooms, where none has seats.
    """
    scope = [
        room for room in evidence.school.rooms() if room.wifi and room.kind in target.room_kinds
    ]
    if not scope:
        return None
    rooms = room_verdicts(scope, evidence, target.min_rssi)
    seats = _counted((room.seats, room.state) for room in rooms)
    counted = _counted((1, room.state) for room in rooms)
    share = _share(seats if any(room.seats for room in rooms) else counted)
    return CoverageVerdict(
        id=target.id,
        objective=target.objective,
        share=share,
        verdict=share.judge(target.objective),
        reason=_reason(counted),
        causes=tuple(_causes(rooms, evidence)),
        seats=seats,
        rooms_counted=counted,
        room_share=_share(counted),
        rooms=tuple(rooms),
    )


def _counted(weighed: Iterable[tuple[int, RoomState]]) -> Counted:
    total = dict.fromkeys(RoomState, 0)
    for weight, state in weighed:
        total[state] += weight
    return Counted(
        passing=total[RoomState.PASS],
        failing=total[RoomState.FAIL],
        unknown=total[RoomState.CANNOT_TELL],
    )


def _share(counted: Counted) -> Share:
    return Share.of(counted.passing, counted.failing, counted.unknown)


def _reason(rooms: Counted) -> str:
    total = rooms.passing + rooms.failing + rooms.unknown
    parts = ((rooms.failing, "fail"), (rooms.unknown, "can't be told"))
    return ", ".join(f"{count} of {total} rooms {word}" for count, word in parts if count)


def _causes(rooms: Sequence[RoomVerdict], evidence: Evidence) -> list[Cause]:
    """Return one cause for each thing to mend, with all the rooms it keeps from passing."""
    hurt: dict[Limit, dict[str | None, list[str]]] = defaultdict(lambda: defaultdict(list))
    for room in rooms:
        if room.limit is not None:
            hurt[room.limit][room.device].append(room.id)
    found = causes.silent(evidence, _by_device(hurt[Limit.NO_EVIDENCE]))
    for device, ids in _by_device(hurt[Limit.DOWN]).items():
        found.append(causes.device_down(evidence, device, ids))
    for limit in (Limit.NO_AP, Limit.WEAK_SIGNAL):
        if ids := hurt[limit][None]:
            found.append(Cause(limit=limit, rooms=causes.room_refs(evidence.school, ids)))
    return sorted(found, key=lambda cause: (-cause.seats, -len(cause.rooms)))


def _by_device(hurt: Mapping[str | None, list[str]]) -> dict[str, list[str]]:
    return {device: rooms for device, rooms in hurt.items() if device is not None}
