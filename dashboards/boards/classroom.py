"""Classroom and Wi-Fi: the air, the people, the power and the signal in rooms."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from dashboards.frame import dashboard, variable
from dashboards.influxql import Source
from dashboards.panels import AnyPanel, Line, course, rows, states

CHOSEN = ("school", "room")
AVAILABILITY = Source("availability", CHOSEN)
ENVIRONMENT = Source("environment", CHOSEN)
PRESENCE = Source("presence", CHOSEN)
POWER = Source("power", CHOSEN)
HEALTH = Source("device_health", CHOSEN)
SIGNAL = Source("wifi_signal", CHOSEN)
DEVICE = ("room", "device")


def build() -> Dashboard:
    """Return the dashboard."""
    board = dashboard(
        "classroom",
        "Classroom and Wi-Fi",
        "Rooms: the Wi-Fi signal, the devices, the air and the power.",
    )
    board.with_variable(variable("school", "School", Source("availability"), several=False))
    board.with_variable(variable("room", "Room", Source("availability", ("school",)), several=True))
    for panel in (*_wifi(), *_room()):
        board.with_panel(panel)
    return board


def _wifi() -> list[AnyPanel]:
    return [
        states(
            "Devices in the rooms",
            "Whether each device answered; a gap means that it was not asked.",
            AVAILABILITY,
            "up",
            DEVICE,
        ),
        course(
            "Wi-Fi signal",
            "Mean signal that the fixed devices of each room receive, by band; below -67 dBm "
            "video stutters.",
            SIGNAL,
            "rssi",
            ["room", "band"],
        ),
        course(
            "Signal-to-noise ratio",
            "Mean signal above the noise, by room and band; 25 dB and more is good.",
            SIGNAL,
            "snr",
            ["room", "band"],
        ),
        rows(
            "Networks heard",
            "What each fixed device hears now: the access point's radio, its channel and signal.",
            SIGNAL.latest(["ssid", "channel", "rssi", "noise"], ["room", "device", "bssid"]),
            {
                "ssid": units.String,
                "channel": units.NoUnit,
                "rssi": SIGNAL.field("rssi"),
                "noise": SIGNAL.field("noise"),
            },
            width=24,
        ),
    ]


def _room() -> list[AnyPanel]:
    return [
        states(
            "Occupancy",
            "Whether the room is occupied.",
            PRESENCE,
            "occupancy",
            DEVICE,
            width=12,
        ),
        states(
            "Doors and windows",
            "Whether each contact is open.",
            PRESENCE,
            "door",
            DEVICE,
            width=12,
        ),
        course(
            "Carbon dioxide",
            "Carbon dioxide in the air: open a window above the first line.",
            ENVIRONMENT,
            "co2",
            ["room"],
        ),
        course("Temperature", "Air temperature.", ENVIRONMENT, "temperature", ["room"]),
        course("Humidity", "Relative humidity of the air.", ENVIRONMENT, "humidity", ["room"]),
        course("Fine particles", "Particulates up to 2.5 µm.", ENVIRONMENT, "pm2_5", ["room"]),
        course("Noise", "A-weighted sound pressure level.", ENVIRONMENT, "noise", ["room"]),
        course("Light", "Illuminance.", ENVIRONMENT, "illuminance", ["room"]),
        course("Electric power", "Power drawn, by plug or meter.", POWER, "power", DEVICE),
        states("Plugs", "Whether each plug is switched on.", POWER, "relay", DEVICE, width=12),
        course("Batteries", "Battery charge of the small devices.", HEALTH, "battery", DEVICE),
        course(
            "Link quality",
            "Link quality of the small devices, as their network defines it.",
            HEALTH,
            "link_quality",
            DEVICE,
        ),
        course(
            "People",
            "People counted in the room.",
            PRESENCE,
            [Line("people", aggregate="max({})")],
            DEVICE,
        ),
    ]
