"""Who gets which message: sessions, subscriptions, groups and retained messages."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from mqtt5 import PublishPacket, RetainHandling, TopicFilter
from paho.mqtt.client import topic_matches_sub

from campuswatch.broker.mailbox import Delivery, Mailbox, Publication, Settle, granted
from campuswatch.broker.session import Session, Subscription

_SHARE = "$share/"


class Router:
    """The broker's whole state; used from one event loop only."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._expires: dict[str, float] = {}
        self._groups: dict[tuple[str, str], Mailbox] = {}
        self._retained: dict[str, PublishPacket] = {}
        self._turn = itertools.count()

    def connect(self, client_id: str, *, clean_start: bool) -> tuple[Session, bool]:
        """Return the client's session, and whether it was there before."""
        self._expire()
        if clean_start and client_id in self._sessions:
            self._drop(client_id)
        self._expires.pop(client_id, None)
        present = client_id in self._sessions
        session = self._sessions.setdefault(client_id, Session(client_id))
        return session, present

    def disconnect(self, session: Session) -> None:
        """End a session's connection; what it left unacknowledged goes to its group."""
        shared = session.disconnected()
        self._expires[session.client_id] = time.monotonic() + session.expiry
        self._expire()
        for other in self._sessions.values():
            if any(id(each.mailbox) in shared for each in other.subscriptions.values()):
                other.pump()

    def subscribe(self, session: Session, wanted: TopicFilter) -> None:
        """Add or replace a subscription, and deliver what is retained for it.

        Raises:
            ValueError: the filter is malformed.
        """
        group, pattern = _split_share(wanted.pattern)
        new = wanted.pattern not in session.subscriptions
        mailbox = session.mailbox
        if group is not None:
            mailbox = self._groups.setdefault((group, pattern), Mailbox())
        session.subscriptions[wanted.pattern] = Subscription(pattern, wanted, group, mailbox)
        if group is None and (
            wanted.retain_handling == RetainHandling.SEND_ALWAYS
            or (new and wanted.retain_handling == RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS)
        ):
            self._deliver_retained(session, wanted)
        session.pump()

    def unsubscribe(self, session: Session, pattern: str) -> bool:
        """Remove a subscription; return whether there was one."""
        found = session.subscriptions.pop(pattern, None)
        self._drop_empty_groups()
        return found is not None

    def publish(self, packet: PublishPacket, publisher: str, settle: Settle) -> None:
        """Hand a message to everyone who asked for its topic.

        It waits for the members of a group that are all away, since a group
        is how collectors take turns. For any other client that is away it
        does not: the publisher would wait for somebody who may never return.
        """
        if packet.retain:
            self._retain(packet)
        publication = Publication(packet, settle)
        groups: dict[int, list[tuple[Session, Subscription]]] = {}
        for session, subscription in self._matching(packet.topic):
            if subscription.group is not None:
                groups.setdefault(id(subscription.mailbox), []).append((session, subscription))
            elif session.send is not None and not (
                subscription.options.no_local and session.client_id == publisher
            ):
                kept = packet.retain and subscription.options.retain_as_published
                subscription.mailbox.put(
                    Delivery(
                        publication,
                        granted(packet.qos, subscription.options.max_qos),
                        retained=kept,
                    )
                )
                session.pump()
        for members in groups.values():
            first = members[0][1]
            first.mailbox.put(Delivery(publication, granted(packet.qos, first.options.max_qos)))
            self._pump_in_turn([session for session, _ in members])
        publication.routed()

    def _pump_in_turn(self, members: list[Session]) -> None:
        start = next(self._turn) % len(members)
        for session in members[start:] + members[:start]:
            session.pump()

    def _matching(self, topic: str) -> Iterator[tuple[Session, Subscription]]:
        for session in self._sessions.values():
            for subscription in session.subscriptions.values():
                if topic_matches_sub(subscription.filter, topic):
                    yield session, subscription

    def _retain(self, packet: PublishPacket) -> None:
        if packet.payload:
            self._retained[packet.topic] = packet
        else:
            self._retained.pop(packet.topic, None)

    def _deliver_retained(self, session: Session, wanted: TopicFilter) -> None:
        for topic, packet in self._retained.items():
            if topic_matches_sub(wanted.pattern, topic):
                publication = Publication(packet, lambda _reason: None)
                qos = granted(packet.qos, wanted.max_qos)
                session.mailbox.put(Delivery(publication, qos, retained=True))

    def _expire(self) -> None:
        now = time.monotonic()
        for client_id in [name for name, end in self._expires.items() if end <= now]:
            self._drop(client_id)

    def _drop(self, client_id: str) -> None:
        self._expires.pop(client_id, None)
        session = self._sessions.pop(client_id)
        session.disconnected()
        session.mailbox.discard()
        self._drop_empty_groups()

    def _drop_empty_groups(self) -> None:
        alive = {
            id(subscription.mailbox)
            for session in self._sessions.values()
            for subscription in session.subscriptions.values()
        }
        for key, mailbox in list(self._groups.items()):
            if id(mailbox) not in alive:
                del self._groups[key]
                mailbox.discard()


def _split_share(pattern: str) -> tuple[str | None, str]:
    if not pattern.startswith(_SHARE):
        return None, pattern
    group, separator, rest = pattern[len(_SHARE) :].partition("/")
    if not (group and separator and rest) or set(group) & {"+", "#"}:
        raise ValueError(f"{pattern!r}: expected $share/<group>/<filter>")
    return group, rest
