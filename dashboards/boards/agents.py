"""Agents and pipeline: whether what the other dashboards show can be trusted."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from dashboards.frame import dashboard, variable
from dashboards.influxql import Source
from dashboards.panels import Line, course, number, rows, states

CHOSEN = ("school",)
AGENT = Source("agent", CHOSEN)
DELIVERY = Source("delivery", CHOSEN)
EACH = ("school", "agent")


def build() -> Dashboard:
    """Return the dashboard."""
    board = dashboard(
        "agents",
        "Agents and pipeline",
        "Edge agents, their spools and what reached the store: gaps here are gaps everywhere.",
    )
    board.with_variable(variable("school", "School", Source("agent"), several=True))
    for panel in (
        number(
            "Agents heard",
            "Agents that reported in the last 15 minutes.",
            AGENT.over_latest("readings", {"agents": "count({})"}, EACH),
            width=6,
        ),
        number(
            "Batches waiting",
            "Batches in all spools, not yet taken by the broker.",
            AGENT.over_latest("spool_batches", {"batches": "sum({})"}, EACH),
            bad_from=50,
            width=6,
        ),
        number(
            "Batches dropped",
            "Batches lost in the last 15 minutes because a spool was full or too old.",
            AGENT.summary({"dropped": ("batches_dropped", "sum({})")}, []),
            bad_from=1,
            width=6,
        ),
        number(
            "Lines refused",
            "Lines that the collector put aside in the last 15 minutes.",
            DELIVERY.summary({"refused": ("quarantined", "sum({})")}, []),
            bad_from=1,
            width=6,
        ),
        rows(
            "Agents",
            "Each agent as it last reported; one that is missing here is silent.",
            AGENT.latest(
                ["version", "readings", "spool_batches", "spool_bytes", "spool_age"], EACH
            ),
            {
                "version": units.String,
                "readings": AGENT.field("readings"),
                "spool_batches": AGENT.field("spool_batches"),
                "spool_bytes": AGENT.field("spool_bytes"),
                "spool_age": AGENT.field("spool_age"),
            },
            width=24,
        ),
        course("Spool", "Batches waiting in each agent's spool.", AGENT, "spool_batches", EACH),
        course("Spool size", "Size of each agent's spool.", AGENT, "spool_bytes", EACH),
        course("Readings", "Readings produced.", AGENT, "readings", EACH),
        course(
            "Polls",
            "Polls finished, and those that ended without an answer.",
            AGENT,
            [Line("polls", "finished"), Line("polls_failed", "unanswered")],
            EACH,
        ),
        course(
            "Polls skipped",
            "Polls skipped because the one before still ran: the agent has more to do than its "
            "interval allows.",
            AGENT,
            "polls_skipped",
            EACH,
        ),
        course(
            "Lateness",
            "Worst delay of a poll's start behind its schedule.",
            AGENT,
            [Line("poll_lateness", aggregate="max({})")],
            EACH,
        ),
        course(
            "Payloads rejected",
            "MQTT payloads that no mapping could read.",
            AGENT,
            "payloads_rejected",
            EACH,
        ),
        course(
            "Delay",
            "Longest time from a batch's creation to its storage.",
            DELIVERY,
            [Line("delay", aggregate="max({})")],
            EACH,
        ),
        course(
            "Lines stored", "Lines stored.", DELIVERY, [Line("lines", aggregate="sum({})")], EACH
        ),
        states(
            "Lane",
            "Whether batches arrive as they happen, or late after an outage.",
            DELIVERY,
            "lane",
            EACH,
            width=12,
        ),
    ):
        board.with_panel(panel)
    return board
