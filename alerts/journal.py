"""What has been found and who has been told, kept across restarts.

An incident and the notifications it calls for are committed together, before
anything is sent, so no notification is lost to a crash. Sending is bracketed
by two commits, `started` and `delivered`: after a crash between them nobody
can know whether the receiver has it, so it is sent again with the same
reference and marked as a repeat (`Outgoing.repeated`). Everything else is
sent once, because (incident, event, receiver) is unique.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    UniqueConstraint,
    create_engine,
    event,
    select,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from alerts.incidents import Finding, Impact, Scope, Subject
from alerts.messages import Event, Message


class DeliveryState(StrEnum):
    """Where a notification is on its way."""

    WAITING = "waiting"
    STARTED = "started"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


class _Base(DeclarativeBase):
    pass


class _IncidentRow(_Base):
    __tablename__ = "incident"

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str]
    school: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    impact: Mapped[str]
    since: Mapped[int] = mapped_column(BigInteger)
    opened: Mapped[int] = mapped_column(BigInteger)
    acknowledged: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_by: Mapped[str | None]
    resolved: Mapped[int | None] = mapped_column(BigInteger)


_OPEN: Final = _IncidentRow.resolved.is_(None)
Index(
    "one_open_incident_per_subject",
    _IncidentRow.scope,
    _IncidentRow.school,
    _IncidentRow.subject,
    unique=True,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)


class _NotificationRow(_Base):
    __tablename__ = "notification"
    __table_args__ = (UniqueConstraint("incident_id", "event", "receiver"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    event: Mapped[str]
    receiver: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    created: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(default=DeliveryState.WAITING, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt: Mapped[int] = mapped_column(BigInteger)
    delivered: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True, slots=True)
class Incident:
    """A finding that was opened.

    Attributes:
        id: its number, from 1.
        finding: what was found, as it was when it opened.
        opened: when it opened, nanoseconds.
        acknowledged: when somebody took it on, nanoseconds, or None.
        acknowledged_by: who did, or None.
        resolved: when it ended, nanoseconds, or None while it lasts.
    """

    id: int
    finding: Finding
    opened: int
    acknowledged: int | None = None
    acknowledged_by: str | None = None
    resolved: int | None = None


@dataclass(frozen=True, slots=True)
class Addressed:
    """A message and the id of the receiver it is for."""

    receiver: str
    message: Message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notification on its way.

    Attributes:
        id: its number in the journal.
        event: what it is about.
        reference: "INCIDENT/EVENT", the same in every repeat; what a receiver
            that must not act twice can tell repeats by.
        receiver: id of the receiver.
        message: what to say.
        created: when it was decided, nanoseconds.
        attempts: how often it was tried before.
        repeated: whether an earlier try may have arrived.
    """

    id: int
    event: Event
    reference: str
    receiver: str
    message: Message
    created: int
    attempts: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """A notification that was given up."""

    reference: str
    receiver: str
    title: str
    error: str


class Journal:
    """The journal in an SQL database; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        """Open the journal, and make its tables if they are missing.

        Args:
            url: as SQLAlchemy writes it, such as "sqlite:///data/alerts.db".
        """
        self._engine: Final = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _make_durable)
        _Base.metadata.create_all(self._engine)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def open_incidents(self) -> list[Incident]:
        """Return the incidents that last, oldest first."""
        with Session(self._engine) as session:
            rows = session.scalars(select(_IncidentRow).where(_OPEN).order_by(_IncidentRow.id))
            return [_incident(row) for row in rows]

    def incident(self, number: int) -> Incident:
        """Return an incident by its number.

        Raises:
            KeyError: there is none.
        """
        with Session(self._engine) as session:
            return _incident(_row(session, number))

    def open(self, finding: Finding, messages: Iterable[Addressed], now: int) -> int:
        """Open an incident and note its notifications, all or nothing; return its number.

        Raises:
            sqlalchemy.exc.IntegrityError: the subject already has an open incident.
        """
        subject = finding.subject
        row = _IncidentRow(
            scope=subject.scope,
            school=subject.school,
            subject=subject.id,
            reason=finding.reason,
            impact=_impact_text(finding.impact),
            since=finding.since,
            opened=now,
        )
        with Session(self._engine) as session, session.begin():
            session.add(row)
            session.flush()
            session.add_all(_notifications(row.id, Event.PROBLEM, messages, now))
            return row.id

    def resolve(self, number: int, messages: Iterable[Addressed], end: int, now: int) -> None:
        """End an incident and note its notifications, all or nothing.

        Args:
            number: of the incident; one that has ended stays as it is.
            messages: to send.
            end: when it ended, nanoseconds.
            now: when that was found out, nanoseconds.

        Raises:
            KeyError: there is no such incident.
        """
        with Session(self._engine) as session, session.begin():
            row = _row(session, number)
            if row.resolved is None:
                row.resolved = end
                session.add_all(_notifications(number, Event.RECOVERY, messages, now))

    def told(self, number: int) -> set[str]:
        """Return the ids of the receivers that an incident's problem was addressed to."""
        statement = select(_NotificationRow.receiver).where(
            _NotificationRow.incident_id == number, _NotificationRow.event == Event.PROBLEM
        )
        with Session(self._engine) as session:
            return set(session.scalars(statement))

    def acknowledge(self, number: int, by: str, now: int) -> None:
        """Note who takes an incident on; the first to do so stays.

        Raises:
            KeyError: there is no such incident.
        """
        with Session(self._engine) as session, session.begin():
            row = _row(session, number)
            if row.acknowledged is None:
                row.acknowledged, row.acknowledged_by = now, by

    def due(self, now: int) -> list[Outgoing]:
        """Return what is to be sent now, oldest first.

        A recovery waits until the problem it ends has reached the same
        receiver or was given up.
        """
        unsettled = (DeliveryState.WAITING, DeliveryState.STARTED)
        statement = (
            select(_NotificationRow)
            .where(_NotificationRow.state.in_(unsettled))
            .order_by(_NotificationRow.id)
        )
        found: list[Outgoing] = []
        ahead: set[tuple[int, str]] = set()
        with Session(self._engine) as session:
            for row in session.scalars(statement):
                queue = (row.incident_id, row.receiver)
                if queue not in ahead and row.next_attempt <= now:
                    found.append(_outgoing(row))
                ahead.add(queue)
        return found

    def started(self, number: int) -> None:
        """Note that a notification is about to be sent."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(_NotificationRow)
                .where(_NotificationRow.id == number)
                .values(
                    state=DeliveryState.STARTED,
                    attempts=_NotificationRow.attempts + 1,
                )
            )

    def delivered(self, number: int, now: int) -> None:
        """Note that a receiver took a notification."""
        self._settle(number, state=DeliveryState.DELIVERED, delivered=now, error="")

    def failed(self, number: int, error: str, next_attempt: int) -> None:
        """Note that a receiver did not take a notification, and when to try again."""
        self._settle(number, state=DeliveryState.WAITING, error=error, next_attempt=next_attempt)

    def given_up(self, number: int, error: str) -> None:
        """Note that a notification will not be tried again."""
        self._settle(number, state=DeliveryState.UNDELIVERABLE, error=error)

    def undeliverable(self) -> list[Undeliverable]:
        """Return the notifications that were given up, oldest first."""
        statement = (
            select(_NotificationRow)
            .where(_NotificationRow.state == DeliveryState.UNDELIVERABLE)
            .order_by(_NotificationRow.id)
        )
        with Session(self._engine) as session:
            return [
                Undeliverable(_reference(row), row.receiver, row.title, row.error)
                for row in session.scalars(statement)
            ]

    def _settle(self, number: int, **values: object) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(_NotificationRow).where(_NotificationRow.id == number).values(**values)
            )


def _make_durable(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _row(session: Session, number: int) -> _IncidentRow:
    row = session.get(_IncidentRow, number)
    if row is None:
        raise KeyError(number)
    return row


def _notifications(
    number: int, what: Event, messages: Iterable[Addressed], now: int
) -> Sequence[_NotificationRow]:
    return [
        _NotificationRow(
            incident_id=number,
            event=what,
            receiver=addressed.receiver,
            title=addressed.message.title,
            body=addressed.message.body,
            created=now,
            next_attempt=now,
        )
        for addressed in messages
    ]


def _impact_text(impact: Impact) -> str:
    return json.dumps({"devices": impact.devices, "rooms": impact.rooms, "seats": impact.seats})


def _incident(row: _IncidentRow) -> Incident:
    impact = json.loads(row.impact)
    return Incident(
        id=row.id,
        finding=Finding(
            subject=Subject(Scope(row.scope), row.school, row.subject),
            since=row.since,
            reason=row.reason,
            impact=Impact(tuple(impact["devices"]), tuple(impact["rooms"]), impact["seats"]),
        ),
        opened=row.opened,
        acknowledged=row.acknowledged,
        acknowledged_by=row.acknowledged_by,
        resolved=row.resolved,
    )


def _reference(row: _NotificationRow) -> str:
    return f"{row.incident_id}/{row.event}"


def _outgoing(row: _NotificationRow) -> Outgoing:
    return Outgoing(
        id=row.id,
        event=Event(row.event),
        reference=_reference(row),
        receiver=row.receiver,
        message=Message(row.title, row.body),
        created=row.created,
        attempts=row.attempts,
        repeated=row.state == DeliveryState.STARTED,
    )
