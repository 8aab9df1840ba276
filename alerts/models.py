"""What alerts.yaml may hold: when an incident opens, and who is told."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from campuswatch.inventory.models import Duration, Model, SchoolSelector, Slug
from campuswatch.language import Language
from campuswatch.secrets import SecretReference


class Opening(Model):
    """How much evidence turns a missed poll into an incident, and ends it again."""

    samples: int = Field(
        default=3,
        ge=2,
        description="Consecutive polls without an answer; at least two, because the "
        "devices above are asked again in between.",
    )
    duration: Duration | None = Field(
        default=None, alias="for", description="And for at least this long, when given."
    )
    recovery_samples: int = Field(
        default=2, ge=1, description="Consecutive answers that end an incident."
    )
    settle: Duration = Field(
        default=dt.timedelta(minutes=5),
        description="Time that devices behind a recovered one have to start again.",
    )
    missed_intervals: int = Field(
        default=3, ge=2, description="A device unheard of for this many intervals is unknown."
    )
    silent_after: Duration = Field(
        default=dt.timedelta(minutes=2),
        description="An agent unheard of for this long is an incident of its own.",
    )


class Receiver(Model):
    """One place that notifications go to."""

    id: Slug
    url: SecretReference = Field(
        description="Where its Apprise URL is kept (env:NAME or file:PATH); the URL holds "
        "tokens and passwords, so it is never written here."
    )
    language: Language = Language.EN
    schools: SchoolSelector = SchoolSelector()


class Delivery(Model):
    """How a notification is tried again."""

    first_retry: Duration = Field(
        default=dt.timedelta(seconds=10), description="Wait after the first failure; then doubled."
    )
    longest_retry: Duration = Field(
        default=dt.timedelta(minutes=10), description="Longest wait between two tries."
    )
    give_up_after: Duration = Field(
        default=dt.timedelta(hours=24),
        description="Age at which a notification counts as undeliverable.",
    )


class AlertsFile(Model):
    """The content of alerts.yaml."""

    interval: Duration = Field(
        default=dt.timedelta(seconds=15), description="Time from one evaluation to the next."
    )
    opening: Opening = Opening()
    delivery: Delivery = Delivery()
    receivers: list[Receiver] = Field(default_factory=list)


def nanoseconds(duration: dt.timedelta) -> int:
    """Return a duration as whole nanoseconds, which times are counted in."""
    return duration // dt.timedelta(microseconds=1) * 1000
