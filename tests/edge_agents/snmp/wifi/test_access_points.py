"""Which device of the inventory an access point is that a controller tells of."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from typing import Any

import pytest

from campuswatch.inventory.models import Device, DeviceKind
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading
from edge_agents.sources.reachability import Pinger, PingSource
from edge_agents.sources.snmp.registry import ProfileRegistry
from edge_agents.sources.snmp.wireless import AccessPointDirectory, ControllerView, Description
from tests.edge_agents.snmp.wifi.polling import controller, polled

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def access_point(device_id: str = "ap-1", **more: Any) -> Device:
    given = {"name": "Room 101", "room": "room-101", "serial_number": "S1", **more}
    return Device(id=device_id, kind=DeviceKind.AP, **given)


def told(key: str, **fields: FieldValue) -> Reading:
    return CATALOGUE["access_point"].reading({"device": key, "room": "server-room"}, fields, 0)


def availability(readings: list[Reading]) -> dict[str, tuple[FieldValue, FieldValue | None]]:
    return {
        reading.tags["device"]: (reading.fields["up"], reading.fields.get("reason"))
        for reading in readings
        if reading.measurement == "availability"
    }


@pytest.mark.parametrize(
    ("declared", "description"),
    [
        ({"serial_number": "fcw1424u0hz"}, Description(serial_number="FCW1424U0HZ")),
        ({"chassis_id": "C8:4C:75:0B:A3:A4"}, Description(macs={"c8:4c:75:0b:a3:a4"})),
        ({"bssids": ["003a.98b0.2e70"]}, Description(macs={"00:3a:98:b0:2e:70"})),
        ({"name": "Library East"}, Description(name="LIBRARY EAST")),
        ({"device_id": "library-east"}, Description(name="Library-East")),
        ({"address": "10.10.2.12"}, Description(address="10.10.2.12")),
    ],
)
def test_is_known_by(declared: dict[str, Any], description: Description) -> None:
    device = access_point(**declared)
    other = access_point("ap-2", name="Other", serial_number="S2")
    assert AccessPointDirectory([other, device]).declared(description) is device


def test_what_cannot_be_mistaken_comes_first() -> None:
    by_serial = access_point("by-serial", name="a", serial_number="S9")
    by_mac = access_point("by-mac", name="b", bssids=["00:3a:98:b0:2e:70"])
    by_name = access_point("by-name", name="c")
    by_address = access_point("by-address", name="d", address="10.0.0.1")
    directory = AccessPointDirectory([by_address, by_name, by_mac, by_serial])
    said = Description("c", "S9", "10.0.0.1", {"00:3a:98:b0:2e:70"})
    for expected in (by_serial, by_mac, by_name, by_address):
        assert directory.declared(said) is expected
        if expected is by_serial:
            said.serial_number = ""
        elif expected is by_mac:
            said.macs = set()
        else:
            said.name = ""


def test_empty_descriptions_are_nobody() -> None:
    assert AccessPointDirectory([access_point(serial_number="S1")]).declared(Description()) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("JCC1-4", "jcc1-4"),
        ("W_XYY_311", "w-xyy-311"),
        ("文体馆A-13", "a-13-703a73003f60"),
        ("", "703a73003f60"),
        ("AP-1", "ap-1-703a73003f60"),
        ("x" * 80, "x" * 63),
    ],
)
def test_undeclared_is_called_by_its_name(name: str, expected: str) -> None:
    directory = AccessPointDirectory([access_point("ap-1")])
    assert directory.name("1", Description(name, macs={"70:3a:73:00:3f:60"})) == expected


def test_two_of_one_name_are_told_apart() -> None:
    directory = AccessPointDirectory([])
    first, second = Description("Hall", "SN 1"), Description("hall", "SN 2")
    assert directory.name("1", first) == "hall"
    assert directory.name("2", second) == "hall-sn-2"
    assert directory.name("7", first) == "hall", "the same at another controller"


def test_reading_becomes_the_declared_device() -> None:
    view = ControllerView(controller(), AccessPointDirectory([access_point()]))
    radio = CATALOGUE["radio"].reading(
        {"device": "0.1", "radio": "0", "room": "server-room"}, {"channel": 6}, 0
    )
    own = CATALOGUE["device_info"].reading({"device": "wlc"}, {"name": "x"}, 0)
    found = view.resolved([told("0.1", state=1, serial_number="S1"), radio, own], MINUTE)
    assert [dict(reading.tags) for reading in found] == [
        {"device": "ap-1", "controller": "wlc", "room": "room-101"},
        {"device": "ap-1", "controller": "wlc", "radio": "0", "room": "room-101"},
        {"device": "wlc"},
        {"device": "ap-1", "room": "room-101"},
    ]
    assert availability(found) == {"ap-1": (1, None)}


def test_undeclared_has_no_availability_and_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    view = ControllerView(controller(), AccessPointDirectory([]))
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            found = view.resolved([told("0.1", state=0, name="Hall")], MINUTE)
    assert [dict(reading.tags) for reading in found] == [{"device": "hall", "controller": "wlc"}]
    assert [record.message for record in caplog.records] == [
        "wlc: access points not declared: hall"
    ]


def test_down_says_who_says_so() -> None:
    view = ControllerView(controller(), AccessPointDirectory([access_point()]))
    found = view.resolved([told("0.1", state=0, serial_number="S1")], MINUTE)
    assert availability(found) == {"ap-1": (0, "controller wlc says: down")}


def test_listed_no_more_is_down() -> None:
    view = ControllerView(
        controller(),
        AccessPointDirectory([access_point(), access_point("ap-2", name="b", serial_number="S2")]),
    )
    view.resolved(
        [told("1", state=1, serial_number="S1"), told("2", state=1, serial_number="S2")], MINUTE
    )
    found = view.resolved([told("2", state=1)], 2 * MINUTE)
    assert availability(found) == {"ap-1": (0, "controller wlc says: down"), "ap-2": (1, None)}
    states = {r.tags["device"]: r.fields["state"] for r in found if r.measurement == "access_point"}
    assert states == {"ap-1": 0, "ap-2": 1}


def test_poll_that_lists_nothing_says_nothing() -> None:
    view = ControllerView(controller(), AccessPointDirectory([access_point()]))
    view.resolved([told("1", state=1, serial_number="S1")], MINUTE)
    assert view.resolved([], 2 * MINUTE) == []


def test_moved_to_another_controller_stays_up() -> None:
    directory = AccessPointDirectory([access_point()])
    first = ControllerView(controller(), directory)
    second = ControllerView(controller().model_copy(update={"id": "wlc-2"}), directory)
    first.resolved([told("1", state=1, serial_number="S1"), told("2", state=1)], MINUTE)
    found = second.resolved([told("9", state=1, serial_number="S1")], MINUTE + SECOND)
    assert availability(found) == {"ap-1": (1, None)}
    assert availability(first.resolved([told("2", state=1)], 2 * MINUTE)) == {}
    assert directory.said_down("ap-1", 2 * MINUTE) == ""


async def test_controller_is_believed_before_a_ping() -> None:
    device = access_point(address="127.0.0.1")
    directory = AccessPointDirectory([device])
    view = ControllerView(controller(), directory)
    ping = PingSource(device, "127.0.0.1", Pinger(), directory.said_down)
    assert availability(await ping.poll()) == {"ap-1": (1, None)}
    time = (await ping.poll())[0].time
    found = view.resolved([told("1", state=0, serial_number="S1")], time)
    assert availability(found) == {}, "one source alone tells of a device that is asked itself"
    assert availability(await ping.poll()) == {"ap-1": (0, "controller wlc says: down")}
    view.resolved([told("1", state=1)], time)
    assert availability(await ping.poll()) == {"ap-1": (1, None)}


def test_silent_controller_is_not_believed_for_ever() -> None:
    asked = controller().model_copy(update={"interval": dt.timedelta(minutes=1)})
    directory = AccessPointDirectory([access_point()])
    ControllerView(asked, directory).resolved([told("0.1", state=0, serial_number="S1")], MINUTE)
    assert directory.said_down("ap-1", 3 * MINUTE)
    assert not directory.said_down("ap-1", 4 * MINUTE)


async def test_recorded_controller_tells_of_declared_access_points(
    tmp_path: Path, profiles: ProfileRegistry
) -> None:
    declared = [
        access_point("lab-ap", name="Lab", serial_number="AN0017031"),
        access_point("hall-ap", name="wrd-wn", serial_number="another"),
    ]
    _, readings = await polled("aruba-7210", profiles, tmp_path, declared)
    mine = {"lab-ap", "hall-ap"}
    assert {key: value for key, value in availability(readings).items() if key in mine} == {
        "lab-ap": (0, "controller wlc says: down"),
        "hall-ap": (1, None),
    }
    kinds = {r.measurement for r in readings if r.tags["device"] == "hall-ap"}
    assert kinds == {"access_point", "radio", "wifi_clients", "availability"}
