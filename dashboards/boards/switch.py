"""Switch and ports: one device, or several, in full."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from dashboards.frame import dashboard, variable
from dashboards.influxql import Source
from dashboards.panels import Line, course, rows, states

CHOSEN = ("school", "device")
AVAILABILITY = Source("availability", CHOSEN)
INFO = Source("device_info", CHOSEN)
INTERFACE = Source("interface", CHOSEN)
PORT = ("device", "interface")
INFO_FIELDS = ("name", "vendor", "model", "serial_number", "firmware", "uptime", "description")
PORT_FIELDS = ("alias", "admin_state", "oper_state", "speed", "since_change")


def build() -> Dashboard:
    """Return the dashboard."""
    board = dashboard(
        "switch", "Switch and ports", "Devices and their ports: states, traffic, errors, hardware."
    )
    board.with_variable(variable("school", "School", Source("availability"), several=False))
    board.with_variable(
        variable("device", "Device", Source("availability", ("school",)), several=True)
    )
    for panel in (
        rows(
            "Device",
            "What the device says about itself.",
            INFO.latest(INFO_FIELDS, ["device"]),
            {name: units.String if name != "uptime" else INFO.field(name) for name in INFO_FIELDS},
            span="24h",
            width=24,
            height=5,
        ),
        states(
            "Reachability",
            "Whether the device answered; a gap means that it was not asked.",
            AVAILABILITY,
            "up",
            ["device"],
            width=12,
        ),
        course(
            "Round-trip time",
            "Mean round-trip time of the ICMP echoes.",
            AVAILABILITY,
            "rtt",
            ["device"],
        ),
        rows(
            "Ports",
            "Each port as it is now; the state is ifOperStatus, and the last column tells for "
            "how long it has been so.",
            INTERFACE.latest(PORT_FIELDS, PORT),
            {
                name: units.String if name == "alias" else INTERFACE.field(name)
                for name in PORT_FIELDS
            },
            width=24,
            height=10,
        ),
        states(
            "Port states",
            "ifOperStatus of each port over time.",
            INTERFACE,
            "oper_state",
            PORT,
            height=12,
        ),
        course("Received", "Received traffic by port.", INTERFACE, "in_rate", PORT),
        course("Sent", "Sent traffic by port.", INTERFACE, "out_rate", PORT),
        course(
            "Utilisation",
            "Traffic as a share of the port's speed, the highest of each interval.",
            INTERFACE,
            [
                Line("in_utilisation", "received", "max({})"),
                Line("out_utilisation", "sent", "max({})"),
            ],
            PORT,
        ),
        course(
            "Errors",
            "Packets with errors; anything above zero that stays is a cable, a plug or a duplex "
            "mismatch.",
            INTERFACE,
            [Line("in_errors", "received", "max({})"), Line("out_errors", "sent", "max({})")],
            PORT,
        ),
        course(
            "Discards",
            "Packets discarded without an error, mostly because a queue was full.",
            INTERFACE,
            [Line("in_discards", "received", "max({})"), Line("out_discards", "sent", "max({})")],
            PORT,
        ),
        course(
            "Broadcast",
            "Broadcast packets received; a sudden rise on all ports is a loop.",
            INTERFACE,
            "in_broadcast",
            PORT,
        ),
        course(
            "Processor load",
            "Load of each processor.",
            Source("processor", CHOSEN),
            "load",
            ["device", "processor"],
        ),
        course(
            "Memory and storage",
            "Used share of each memory and file system.",
            Source("storage", CHOSEN),
            "used_share",
            ["device", "storage"],
        ),
        course(
            "Temperature",
            "Temperature sensors inside the device.",
            Source("hardware_sensor", CHOSEN, {"quantity": "temperature"}),
            "value",
            ["device", "sensor"],
            unit=units.Celsius,
        ),
        states(
            "Hardware sensors",
            "Whether each sensor inside the device works (entPhySensorOperStatus).",
            Source("hardware_sensor", CHOSEN),
            "status",
            ["device", "sensor"],
            width=12,
        ),
    ):
        board.with_panel(panel)
    return board
