"""Handing one notification to one receiver, through Apprise."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

import apprise

from alerts.journal import Outgoing
from alerts.messages import Event
from alerts.models import Receiver
from alerts.wording import WORDINGS
from campuswatch.errors import UserError
from campuswatch.language import Language
from campuswatch.secrets import SecretError, resolve

# What Apprise logs of a faulty URL may hold its secrets, and what it logs of a
# delivery comes back as the result: neither goes to our log by itself.
apprise.logger.addHandler(logging.NullHandler())
apprise.logger.propagate = False

_TYPES: Final = {
    Event.PROBLEM: apprise.NotifyType.FAILURE,
    Event.RECOVERY: apprise.NotifyType.SUCCESS,
}


class DeliveryError(RuntimeError):
    """A receiver did not take a notification; the message says why, without its URL."""


class Notifier:
    """One receiver, ready to be sent to; blocks while it sends."""

    def __init__(self, service: apprise.Apprise, language: Language) -> None:
        self._service: Final = service
        self._words: Final = WORDINGS[language]

    def send(self, outgoing: Outgoing) -> None:
        """Send a notification and return once the receiver has taken it.

        Raises:
            DeliveryError: it did not.
        """
        reference = self._words.labels["reference"].format(text=outgoing.reference)
        lines = [outgoing.message.body, reference]
        if outgoing.repeated:
            lines.append(self._words.repeated)
        result = self._service.notify(
            title=outgoing.message.title,
            body="\n".join(lines),
            notify_type=_TYPES[outgoing.event],
            body_format=apprise.NotifyFormat.TEXT,
        )
        if not result:
            said = "; ".join(entry.message for entry in result.logs())
            raise DeliveryError(said or "refused without a reason")


def make_notifiers(receivers: Iterable[Receiver]) -> dict[str, Notifier]:
    """Resolve the receivers' URLs.

    Raises:
        UserError: a URL is not where its reference says, or is none that
            Apprise knows; the message does not quote it.
    """
    notifiers = {}
    for receiver in receivers:
        service = apprise.Apprise()
        if not service.add(_url(receiver)):
            raise UserError(
                f"receiver {receiver.id!r}: {receiver.url} holds no URL that Apprise knows; "
                "expected one such as mailto://, dingtalk:// or json://"
            )
        notifiers[receiver.id] = Notifier(service, receiver.language)
    return notifiers


def _url(receiver: Receiver) -> str:
    try:
        return resolve(receiver.url)
    except SecretError as error:
        raise UserError(f"receiver {receiver.id!r}: {error}") from None
