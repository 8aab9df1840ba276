"""School: one school now, and what happened today."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from dashboards.frame import dashboard, jump, variable
from dashboards.influxql import Source
from dashboards.panels import Line, course, number, rows, states

AVAILABILITY = Source("availability", ("school",))
INTERFACE = Source("interface", ("school",))
ENVIRONMENT = Source("environment", ("school",))


def build() -> Dashboard:
    """Return the dashboard."""
    board = dashboard("school", "School", "One school: what answers, its busiest ports, its rooms.")
    board.with_variable(variable("school", "School", Source("availability"), several=False))
    to_device = jump("Open the device", "switch", [("school", "school"), ("device", "device")])
    for panel in (
        number(
            "Devices watched",
            "Devices that were asked in the last 15 minutes; none means that the agent is silent.",
            AVAILABILITY.over_latest("up", {"devices": "count({})"}, ["device"]),
            width=6,
        ),
        number(
            "Devices down",
            "Devices that did not answer when they were last asked.",
            AVAILABILITY.over_latest("up", {"down": "count({0}) - sum({0})"}, ["device"]),
            bad_from=1,
            width=6,
        ),
        number(
            "Devices up",
            "Share of the devices that answered when they were last asked.",
            AVAILABILITY.over_latest("up", {"up": "mean({}) * 100"}, ["device"]),
            unit=units.Percent,
            good_from=99,
            width=6,
        ),
        number(
            "Ports up",
            "Ports of all devices that are in operation.",
            INTERFACE.over_latest(
                "oper_state", {"ports": "count({})"}, ["device", "interface"], where="= 1"
            ),
            width=6,
        ),
        rows(
            "Down now",
            "Devices that did not answer when they were last asked, and why.",
            AVAILABILITY.latest_where("= 0", ["up", "reason"], ["school", "device"]),
            {"up": AVAILABILITY.field("up"), "reason": units.String},
            links={"device": to_device},
        ),
        rows(
            "Busiest ports",
            "Mean traffic of each port over the last hour, as a share of its speed.",
            INTERFACE.summary(
                {
                    "received": ("in_utilisation", "mean({})"),
                    "sent": ("out_utilisation", "mean({})"),
                },
                ["school", "device", "interface"],
            ),
            {
                "received": INTERFACE.field("in_utilisation"),
                "sent": INTERFACE.field("out_utilisation"),
            },
            links={"device": to_device},
            span="1h",
        ),
        states(
            "Devices",
            "Whether each device answered; a gap means that it was not asked.",
            AVAILABILITY,
            "up",
            ["device"],
            height=12,
        ),
        course(
            "Round-trip time",
            "Mean round-trip time from the agent to each device.",
            AVAILABILITY,
            "rtt",
            ["device"],
        ),
        course(
            "Packets lost",
            "Share of the ICMP echoes without an answer, by device.",
            AVAILABILITY,
            "loss",
            ["device"],
        ),
        course(
            "Carbon dioxide",
            "Carbon dioxide in the air, by room.",
            ENVIRONMENT,
            "co2",
            ["room"],
        ),
        course(
            "Wi-Fi signal",
            "The weakest signal that a fixed device in each room receives.",
            Source("wifi_signal", ("school",)),
            [Line("rssi", aggregate="min({})")],
            ["room"],
        ),
        course(
            "Electric power",
            "Power drawn through plugs and meters, by room.",
            Source("power", ("school",)),
            "power",
            ["room"],
        ),
        course(
            "Processor load",
            "Load of the busiest processor of each device.",
            Source("processor", ("school",)),
            [Line("load", aggregate="max({})")],
            ["device"],
        ),
    ):
        board.with_panel(panel)
    return board
