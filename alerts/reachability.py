"""Which devices fail by themselves, told from those behind a failing one.

Devices are polled one after another, so at the moment a core switch dies some
device behind it is noticed first, and at the moment it returns some device
behind it was last seen dead. A sample without an answer therefore counts
against a device only if nothing above it can be the cause:

* A device above that is down, or came back less than the settling time ago,
  explains the sample; it does not count, and counting starts anew. But what
  is up passes traffic: a device further up is not to blame if one in between
  has answered since it went down.
* The next device above must have answered *after* counting began and before
  the sample that opens the incident. One that stays unheard of for too long
  (it is not polled, or its agent is gone) can't be asked, and the one above
  it is asked instead.

So one outage of one device, noticed in whatever order, opens one incident.
Everything is decided at samples, in the order of their times; when the samples
are looked at makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


@dataclass(frozen=True, slots=True)
class Sample:
    """One poll of one device.

    Attributes:
        device: the device's id.
        time: when, nanoseconds since 1970-01-01 UTC.
        up: whether it answered.
        reason: why not, as the agent says it; "" if unknown.
    """

    device: str
    time: int
    up: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much it takes; times in nanoseconds.

    Attributes:
        samples: consecutive samples that count before a device fails.
        duration: and the least time from the first of them to the last.
        recovery_samples: consecutive answers before it is well again.
        settle: time after a device's return in which those behind it are excused.
        missed_intervals: polling intervals without a sample that make a device unknown.
    """

    samples: int
    duration: int
    recovery_samples: int
    settle: int
    missed_intervals: int


@dataclass(frozen=True, slots=True)
class WatchedDevice:
    """What must be known of a device beforehand.

    Attributes:
        path: the devices between it and the internet, nearest first.
        interval: its polling interval, nanoseconds.
    """

    path: Sequence[str]
    interval: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A device that fails by itself.

    Attributes:
        since: the first sample that counted, nanoseconds.
        reason: what the last of the samples it took says.
    """

    since: int
    reason: str


@dataclass(slots=True)
class _Track:
    """A device's present run of equal samples, and what of it counts."""

    up: bool
    began: int
    newest: int
    length: int = 0
    recovered: int | None = None
    counted: int = 0
    counted_since: int = 0
    reason: str = ""
    failure: Failure | None = None


class _Verdict(Enum):
    """What the devices above say about a sample without an answer."""

    EXCUSED = auto()
    """One of them explains it."""
    ANEW = auto()
    """It counts, but nothing before it does."""
    COUNTS = auto()
    """It counts, but they must be heard before it is enough."""
    CONFIRMED = auto()
    """It counts, and they have answered since counting began."""


class Reachability:
    """Follows the samples of all devices."""

    def __init__(self, devices: Mapping[str, WatchedDevice], evidence: Evidence) -> None:
        self._devices: Final = devices
        self._evidence: Final = evidence
        self._tracks: Final[dict[str, _Track]] = {}

    def feed(self, samples: Iterable[Sample]) -> None:
        """Take samples into account; those not newer than a device's newest change nothing."""
        for sample in sorted(samples, key=lambda sample: sample.time):
            if sample.device in self._devices:
                self._take(sample)

    def failures(self) -> dict[str, Failure]:
        """Return the devices that fail by themselves and are not well again."""
        return {
            device: track.failure
            for device, track in self._tracks.items()
            if track.failure is not None
        }

    def well_since(self, device: str) -> int | None:
        """Return since when a device answers, or None until it has done so often enough."""
        track = self._tracks.get(device)
        if track is None or not track.up or track.length < self._evidence.recovery_samples:
            return None
        return track.began

    def answered_since(self, device: str, time: int) -> bool:
        """Return whether a device answers, and did so at or after a time, nanoseconds."""
        track = self._tracks.get(device)
        return track is not None and track.up and track.newest >= time

    def _take(self, sample: Sample) -> None:
        track = self._tracks.get(sample.device)
        if track is not None and sample.time <= track.newest:
            return
        track = self._tracks[sample.device] = self._continued(track, sample)
        if not sample.up:
            self._weigh(sample, track)
        elif track.length >= self._evidence.recovery_samples:
            track.failure = None

    def _continued(self, track: _Track | None, sample: Sample) -> _Track:
        """Return the run that a sample belongs to, with the sample in it."""
        if track is None or track.up != sample.up:
            run = _Track(sample.up, sample.time, sample.time)
            if track is not None:
                run.recovered = sample.time if sample.up else None
                run.failure = track.failure
            track = run
        elif self._outdated(sample.device, track, sample.time):
            # What happened in between is unknown: nothing may be counted across it.
            track.length = track.counted = 0
        track.newest, track.reason = sample.time, sample.reason
        track.length += 1
        return track

    def _weigh(self, sample: Sample, track: _Track) -> None:
        since = track.counted_since if track.counted else sample.time
        verdict = self._verdict(self._devices[sample.device].path, since, sample.time)
        if verdict is _Verdict.EXCUSED:
            track.counted = 0
            return
        if track.counted == 0 or verdict is _Verdict.ANEW:
            track.counted, track.counted_since = 0, sample.time
        track.counted += 1
        if verdict is _Verdict.CONFIRMED and self._suffices(track) and track.failure is None:
            track.failure = Failure(track.counted_since, track.reason)

    def _verdict(self, path: Sequence[str], since: int, time: int) -> _Verdict:
        """Ask the devices above, nearest first, about counting from `since` to `time`."""
        verdict = _Verdict.CONFIRMED
        answered = 0
        for device in path:
            track = self._tracks.get(device)
            if track is None or self._outdated(device, track, time):
                if time - since <= self._patience(device):
                    verdict = _Verdict.COUNTS
                continue
            if not track.up:
                return verdict if answered > track.began else _Verdict.EXCUSED
            if self._settles(track, time):
                return _Verdict.EXCUSED
            if track.recovered is not None and since <= track.recovered:
                return _Verdict.ANEW
            if track.newest >= since:
                return verdict
            answered = max(answered, track.newest)
            verdict = _Verdict.COUNTS
        return verdict

    def _settles(self, track: _Track, time: int) -> bool:
        return track.recovered is not None and time < track.recovered + self._evidence.settle

    def _suffices(self, track: _Track) -> bool:
        return (
            track.counted >= self._evidence.samples
            and track.newest - track.counted_since >= self._evidence.duration
        )

    def _outdated(self, device: str, track: _Track, now: int) -> bool:
        return now - track.newest > self._patience(device)

    def _patience(self, device: str) -> int:
        return self._evidence.missed_intervals * self._devices[device].interval
