"""District overview: which schools need looking at."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from dashboards.frame import dashboard, jump
from dashboards.influxql import Source
from dashboards.panels import Line, course, number, rows

AVAILABILITY = Source("availability")
EACH_DEVICE = ("school", "device")


def build() -> Dashboard:
    """Return the dashboard."""
    board = dashboard(
        "district", "District overview", "All schools: what answers, what doesn't, and how well."
    )
    for panel in (
        number(
            "Schools heard",
            "Schools of which any device was asked in the last 15 minutes; a school that is "
            "missing here is silent.",
            AVAILABILITY.over_latest("up", {"schools": "count({})"}, ["school"]),
        ),
        number(
            "Devices watched",
            "Devices that were asked in the last 15 minutes.",
            AVAILABILITY.over_latest("up", {"devices": "count({})"}, EACH_DEVICE),
        ),
        number(
            "Devices down",
            "Devices that did not answer when they were last asked.",
            AVAILABILITY.over_latest("up", {"down": "count({0}) - sum({0})"}, EACH_DEVICE),
            bad_from=1,
        ),
        number(
            "Devices up",
            "Share of the devices that answered when they were last asked.",
            AVAILABILITY.over_latest("up", {"up": "mean({}) * 100"}, EACH_DEVICE),
            unit=units.Percent,
            good_from=99,
        ),
        number(
            "Packets lost",
            "Mean share of the ICMP echoes without an answer, of all devices.",
            AVAILABILITY.over_latest("loss", {"lost": "mean({})"}, EACH_DEVICE),
            unit=units.Percent,
            bad_from=1,
        ),
        number(
            "Backlog",
            "Batches that wait in the agents' spools; more than a few means that a school's "
            "line or the broker is away.",
            Source("agent").over_latest(
                "spool_batches", {"batches": "sum({})"}, ["school", "agent"]
            ),
            bad_from=50,
        ),
        rows(
            "Schools",
            "Each school's devices, by whether they answered when they were last asked.",
            AVAILABILITY.over_latest(
                "up",
                {"watched": "count({})", "answering": "sum({})", "share": "mean({}) * 100"},
                EACH_DEVICE,
                ["school"],
            ),
            {"watched": units.Short, "answering": units.Short, "share": units.Percent},
            links={"school": jump("Open the school", "school", [("school", "school")])},
        ),
        rows(
            "Down now",
            "Devices that did not answer when they were last asked, and why.",
            AVAILABILITY.latest_where("= 0", ["up", "reason"], EACH_DEVICE),
            {"up": AVAILABILITY.field("up"), "reason": units.String},
            links={
                "school": jump("Open the school", "school", [("school", "school")]),
                "device": jump(
                    "Open the device", "switch", [("school", "school"), ("device", "device")]
                ),
            },
        ),
        course(
            "Answering devices",
            "Share of the polls that were answered, by school.",
            AVAILABILITY,
            [Line("up", aggregate="mean({}) * 100")],
            ["school"],
            unit=units.Percent,
        ),
        course(
            "Round-trip time",
            "Mean round-trip time from the school's agent to its devices, by school.",
            AVAILABILITY,
            "rtt",
            ["school"],
        ),
        course(
            "Wi-Fi signal",
            "Mean signal that the fixed devices in the rooms receive, by school.",
            Source("wifi_signal"),
            "rssi",
            ["school"],
        ),
        course(
            "Carbon dioxide",
            "Mean carbon dioxide in the air of the rooms, by school.",
            Source("environment"),
            "co2",
            ["school"],
        ),
    ):
        board.with_panel(panel)
    return board
