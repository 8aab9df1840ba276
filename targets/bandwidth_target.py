"""Whether a school's line to the internet carries enough for its students."""

from __future__ import annotations

from campuswatch.inventory.models import BandwidthTarget, School
from targets.bandwidth import capacity
from targets.verdicts import BandwidthVerdict, Share

_OBJECTIVE = 100.0


def judge(target: BandwidthTarget, school: School, speed: int | None) -> BandwidthVerdict:
    """Return the verdict on a bandwidth target.

    Args:
        target: what was promised.
        school: to whom.
        speed: of the port that the line ends on, bit/s; None when unknown.
    """
    promised = target.down * school.students
    promised_up = None if target.up is None else target.up * school.students
    down = up = None
    if school.internet is not None:
        down, up = (rate / 1_000_000 for rate in capacity(school.internet, speed))
    wanted = [(down, promised), *([] if promised_up is None else [(up, promised_up)])]
    share = _share(wanted)
    return BandwidthVerdict(
        id=target.id,
        objective=_OBJECTIVE,
        share=share,
        verdict=share.judge(_OBJECTIVE),
        reason=_reason(school, down, speed, promised),
        students=school.students,
        down=down,
        up=up,
        promised_down=promised,
        promised_up=promised_up,
    )


def _share(wanted: list[tuple[float | None, float]]) -> Share:
    if not any(promised for _, promised in wanted):
        return Share(attained=None, low=None, high=None)
    reached = [100 * min(1.0, has / promised) for has, promised in wanted if has is not None]
    if not reached:
        return Share(attained=None, low=0.0, high=100.0)
    return Share(attained=min(reached), low=min(reached), high=min(reached))


def _reason(school: School, down: float | None, speed: int | None, promised: float) -> str:
    if school.internet is None or down is None:
        return "the inventory names no line to the internet"
    slow = speed is not None and speed < school.internet.down * 1_000_000
    why = f", as port {school.internet.interface} is no faster" if slow else ""
    return f"{down:g} of {promised:g} Mbit/s for {school.students} students{why}"
