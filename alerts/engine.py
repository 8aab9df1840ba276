"""One evaluation after the other: from the store to incidents in the journal."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from alerts.estate import AgentKey, survey
from alerts.incidents import (
    NO_IMPACT,
    Accounts,
    Finding,
    Scope,
    Subject,
    device_findings,
    silence_findings,
    silent_agents,
)
from alerts.journal import Addressed, Incident, Journal
from alerts.messages import Writer
from alerts.models import AlertsFile, Opening, Receiver, nanoseconds
from alerts.observation import Observation, observe
from alerts.reachability import Evidence, Reachability, WatchedDevice
from campuswatch.inventory.models import Inventory
from campuswatch.stores.base import Store, StoreError, StoreUnavailableError

log = logging.getLogger(__name__)


class Engine:
    """Opens and resolves incidents.

    What it remembers between evaluations is rebuilt from the store and the
    journal, so it may be killed and started again at any moment.
    """

    def __init__(
        self, inventory: Inventory, alerts: AlertsFile, store: Store, journal: Journal
    ) -> None:
        self._store: Final = store
        self._journal: Final = journal
        self._receivers: Final = alerts.receivers
        self._writer: Final = Writer(inventory)
        self._schools: Final = {school.id: school for school in inventory.schools}
        self._district: Final = inventory.district.id
        self._estate: Final = survey(inventory)
        self._reachability: Final = Reachability(self._estate.devices, _evidence(alerts.opening))
        self._silent_after: Final = nanoseconds(alerts.opening.silent_after)
        self._reach: Final = _reach(alerts.opening, self._estate.devices.values())
        self._heard: Final[dict[AgentKey, int]] = {}
        self._read_until = 0
        self._seeing_since: int | None = None
        self._blind_since: int | None = None

    def evaluate(self, now: int) -> None:
        """Bring the journal up to what the store tells at `now`, nanoseconds UTC."""
        try:
            observation = observe(self._store, self._estate, self._start(now), now)
        except (StoreUnavailableError, StoreError) as error:
            self._go_blind(now, error)
            return
        self._see(now, observation)
        silent = silent_agents(self._estate, self._heard, now, self._silent_after)
        self._resolve(now, silent)
        self._open(now, silent)

    def _start(self, now: int) -> int:
        """Return from when on to read: all that is weighed, or what may be new since last time."""
        return max(now - self._reach, self._read_until - 2 * self._silent_after)

    def _go_blind(self, now: int, error: Exception) -> None:
        """Note that nothing can be known; what was unknown before stays as it was."""
        self._seeing_since = None
        if self._blind_since is None:
            self._blind_since = now
            log.warning("the store can't be read, so no incident opens or ends: %s", error)
        subject = Subject(Scope.STORE, "", self._district)
        if now - self._blind_since >= self._silent_after and subject not in self._open_subjects():
            self._announce(Finding(subject, self._blind_since, str(error), NO_IMPACT), now)

    def _see(self, now: int, observation: Observation) -> None:
        if self._blind_since is not None:
            log.warning("the store can be read again")
            self._blind_since = None
        if self._seeing_since is None:
            self._seeing_since = now
        self._read_until = now
        self._reachability.feed(observation.samples)
        for agent, time in observation.heard.items():
            self._heard[agent] = max(time, self._heard.get(agent, 0))

    def _resolve(self, now: int, silent: Sequence[AgentKey]) -> None:
        for incident in self._journal.open_incidents():
            subject = incident.finding.subject
            removed = self._is_removed(subject)
            end = now if removed else self._end_of(subject, now, silent)
            if end is not None:
                self._close(incident, end, removed, now)
            if end is not None and subject.scope is Scope.PIPELINE:
                self._seeing_since = now  # each agent now has its own time to be heard

    def _is_removed(self, subject: Subject) -> bool:
        if subject.scope is Scope.DEVICE:
            return self._estate.schools.get(subject.id) != subject.school
        if subject.scope is Scope.AGENT:
            return (subject.school, subject.id) not in self._estate.polled
        return subject.id != self._district

    def _end_of(self, subject: Subject, now: int, silent: Sequence[AgentKey]) -> int | None:
        """Return when what an incident is about ended, or None if it still lasts or may."""
        if subject.scope is Scope.DEVICE:
            return self._reachability.well_since(subject.id)
        lasts = {
            Scope.AGENT: (subject.school, subject.id) in silent,
            Scope.PIPELINE: len(silent) == len(self._estate.polled),
            Scope.STORE: False,
        }[subject.scope]
        return None if lasts else now

    def _open(self, now: int, silent: Sequence[AgentKey]) -> None:
        incidents = self._journal.open_incidents()
        subjects = {incident.finding.subject for incident in incidents}
        accounts = Accounts(
            self._estate,
            (
                incident.finding.impact
                for incident in incidents
                if incident.finding.subject.scope is Scope.DEVICE
            ),
        )
        findings = device_findings(self._estate, self._reachability, subjects, accounts)
        if self._seeing_since is not None and now - self._seeing_since > self._silent_after:
            findings += silence_findings(self._estate, self._district, self._heard, silent)
        for finding in findings:
            if finding.subject not in subjects:
                self._announce(finding, now)

    def _open_subjects(self) -> set[Subject]:
        return {incident.finding.subject for incident in self._journal.open_incidents()}

    def _announce(self, finding: Finding, now: int) -> None:
        messages = [
            Addressed(receiver.id, self._writer.problem(finding, receiver.language))
            for receiver in self._receivers_for(finding.subject)
        ]
        number = self._journal.open(finding, messages, now)
        log.warning("incident %d opened: %s", number, _name(finding.subject))

    def _close(self, incident: Incident, end: int, removed: bool, now: int) -> None:
        told = self._journal.told(incident.id)
        messages = [
            Addressed(
                receiver.id,
                self._writer.recovery(incident.finding, end, removed, receiver.language),
            )
            for receiver in self._receivers
            if receiver.id in told
        ]
        self._journal.resolve(incident.id, messages, end, now)
        log.info("incident %d resolved: %s", incident.id, _name(incident.finding.subject))

    def _receivers_for(self, subject: Subject) -> Iterable[Receiver]:
        school = self._schools.get(subject.school)
        return (
            receiver
            for receiver in self._receivers
            if school is None or receiver.schools.matches(school)
        )


def _reach(opening: Opening, devices: Iterable[WatchedDevice]) -> int:
    """Return how far back everything lies that may weigh on a decision, nanoseconds."""
    longest = max((device.interval for device in devices), default=0)
    evidence = _evidence(opening)
    polls = (evidence.samples + evidence.missed_intervals) * longest
    return evidence.settle + evidence.duration + polls + 2 * nanoseconds(opening.silent_after)


def _name(subject: Subject) -> str:
    return " ".join(part for part in (subject.scope, subject.school, subject.id) if part)


def _evidence(opening: Opening) -> Evidence:
    return Evidence(
        samples=opening.samples,
        duration=nanoseconds(opening.duration) if opening.duration else 0,
        recovery_samples=opening.recovery_samples,
        settle=nanoseconds(opening.settle),
        missed_intervals=opening.missed_intervals,
    )
