"""Notifications reach real receivers, are tried again, and never get lost unseen."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.delivery import Courier
from alerts.incidents import Finding, Impact, Scope, Subject
from alerts.journal import Addressed, Journal
from alerts.messages import Message
from alerts.models import Delivery, Receiver
from alerts.notify import make_notifiers
from campuswatch.errors import UserError
from campuswatch.language import Language
from tests.alerts.district import SECOND, START, journal
from tests.alerts.receivers import Webhook, mail_server, webhook
from tests.servers import free_port

DELIVERY = Delivery.model_validate(
    {"first_retry": "10s", "longest_retry": "40s", "give_up_after": "10m"}
)
FINDING = Finding(Subject(Scope.DEVICE, "heping", "h-core"), START, "", Impact((), (), 0))


class Office:
    """A journal, a courier with the receivers `hook` and `mail`, and the clock they go by."""

    def __init__(self, directory: Path, receivers: list[Receiver]) -> None:
        self.now = START
        self.journal = journal(directory)
        notifiers = make_notifiers(receivers)
        self.courier = Courier(self.journal, notifiers, DELIVERY, lambda: self.now)

    def open(self, *receivers: str) -> int:
        messages = [Addressed(to, Message("Down: Core", "What: it is down.")) for to in receivers]
        return self.journal.open(FINDING, messages, self.now)

    def resolve(self, number: int, *receivers: str) -> None:
        messages = [Addressed(to, Message("Up again: Core", "What: it is up.")) for to in receivers]
        self.journal.resolve(number, messages, self.now, self.now)

    async def deliver_after(self, seconds: int) -> None:
        self.now += seconds * SECOND
        await self.courier.deliver()


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


@pytest.fixture
def smtp_port() -> int:
    return free_port()


@pytest.fixture
def office(
    tmp_path: Path, hook: Webhook, smtp_port: int, monkeypatch: pytest.MonkeyPatch
) -> Office:
    monkeypatch.setenv("HOOK", hook.url)
    mail = f"mailto://127.0.0.1:{smtp_port}/?from=watch@a.example&to=ops@a.example&mode=insecure"
    monkeypatch.setenv("MAIL", mail)
    return Office(
        tmp_path,
        [
            Receiver(id="hook", url="env:HOOK"),
            Receiver(id="mail", url="env:MAIL", language=Language.ZH),
        ],
    )


async def test_a_webhook_and_a_mailbox_get_the_message(
    office: Office, hook: Webhook, smtp_port: int
) -> None:
    with mail_server(smtp_port) as mailbox:
        office.open("hook", "mail")
        await office.deliver_after(0)
        await office.deliver_after(60)
    (body,) = hook.received
    assert body["title"] == "Down: Core"
    assert body["message"] == "What: it is down.\nReference: 1/problem"
    assert body["type"] == "failure"
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Down: Core"
    assert mail["To"] == "ops@a.example"
    content = mail.get_body(("plain", "html"))
    assert content is not None
    assert "编号：1/problem" in content.get_content()


async def test_a_dead_receiver_delays_no_other_and_gets_it_later(
    office: Office, hook: Webhook, smtp_port: int
) -> None:
    office.open("hook", "mail")
    await office.deliver_after(0)
    assert len(hook.received) == 1
    with mail_server(smtp_port) as mailbox:
        await office.deliver_after(9)
        assert mailbox.mails == []
        await office.deliver_after(1)
        assert len(mailbox.mails) == 1
    await office.deliver_after(3600)
    assert len(hook.received) == 1


async def test_waits_double_up_to_the_longest(
    office: Office, hook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    hook.status = 500
    office.open("hook")
    with caplog.at_level(logging.WARNING, "alerts.delivery"):
        for wait in (0, 10, 20, 40, 40):
            await office.deliver_after(wait)
    waits = [int(wait) for wait in re.findall(r"next try in (\d+) s", caplog.text)]
    assert waits == [10, 20, 40, 40, 40]
    assert "error=500" in caplog.text


async def test_the_undeliverable_is_visible(
    office: Office, hook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    hook.status = 403
    office.open("hook")
    await office.deliver_after(0)
    await office.deliver_after(600)
    (lost,) = office.journal.undeliverable()
    assert (lost.reference, lost.receiver, lost.title) == ("1/problem", "hook", "Down: Core")
    assert "403" in lost.error
    assert "notification 1/problem is undeliverable to hook after 2 tries" in caplog.text
    hook.status = 200
    await office.deliver_after(600)
    assert hook.received == []


async def test_a_recovery_never_overtakes_its_problem(office: Office, hook: Webhook) -> None:
    hook.status = 500
    number = office.open("hook")
    await office.deliver_after(0)
    office.resolve(number, "hook")
    await office.deliver_after(5)
    hook.status = 200
    await office.deliver_after(5)
    await office.deliver_after(0)
    assert [body["title"] for body in hook.received] == ["Down: Core", "Up again: Core"]
    assert hook.received[1]["type"] == "success"


async def test_a_receiver_that_was_taken_out_is_undeliverable(office: Office) -> None:
    office.open("former")
    await office.deliver_after(0)
    (lost,) = office.journal.undeliverable()
    assert lost.error == "the receiver is no longer configured"


def test_the_first_to_acknowledge_an_incident_has_it(office: Office) -> None:
    number = office.open()
    office.journal.acknowledge(number, "li", START + 1)
    office.journal.acknowledge(number, "wang", START + 2)
    (incident,) = office.journal.open_incidents()
    assert (incident.acknowledged, incident.acknowledged_by) == (START + 1, "li")


def test_a_journal_outlives_its_process(office: Office, tmp_path: Path) -> None:
    office.open("hook")
    office.journal.close()
    reopened: Journal = journal(tmp_path)
    assert [incident.finding for incident in reopened.open_incidents()] == [FINDING]
    assert [outgoing.reference for outgoing in reopened.due(START)] == ["1/problem"]


def test_a_notification_cut_off_while_it_was_sent_is_marked_as_a_repeat(office: Office) -> None:
    office.open("hook")
    (outgoing,) = office.journal.due(START)
    assert not outgoing.repeated
    office.journal.started(outgoing.id)
    (again,) = office.journal.due(START)
    assert (again.reference, again.repeated) == (outgoing.reference, True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, "receiver 'r': environment variable RECEIVER is not set"),
        ("jsn://user:s3cret@host/", "receiver 'r': env:RECEIVER holds no URL that Apprise knows"),
    ],
)
def test_a_faulty_url_is_refused_without_being_shown(
    url: str | None,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if url is not None:
        monkeypatch.setenv("RECEIVER", url)
    with caplog.at_level(logging.DEBUG), pytest.raises(UserError) as refused:
        make_notifiers([Receiver(id="r", url="env:RECEIVER")])
    assert str(refused.value).startswith(expected)
    assert "s3c" not in str(refused.value) + caplog.text
