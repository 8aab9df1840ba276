"""What every store promises, asked of every store."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campuswatch.lineprotocol import encode
from campuswatch.readings import FieldValue, Reading
from campuswatch.stores.base import Aggregate, Query, Runs, Series, Store, StoreError
from tests.stores import model
from tests.stores.conftest import fresh_name
from tests.stores.readings import KEYS, NAMES, VALUES

SECOND = 10**9
HOUR = 3600 * SECOND
T0 = 1_700_000_000 * SECOND // HOUR * HOUR
ask = partial(Query, start=T0, end=T0 + 24 * HOUR)

# Every store is asked about one example after the other; nothing is shared between them.
on_servers = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def point(name: str, tags: Mapping[str, str], time: int, /, **fields: FieldValue) -> Reading:
    return Reading(name, tags, fields, T0 + time)


def put(store: Store, *readings: Reading) -> None:
    assert store.write(encode(readings)) == []


# What is stored ---------------------------------------------------------------


def test_an_unknown_measurement_has_no_series(store: Store, name: str) -> None:
    assert (
        store.query(
            ask(
                name,
                ("f",),
            )
        )
        == []
    )


def test_writing_nothing_is_fine(store: Store) -> None:
    assert store.write(b"") == []
    assert store.write(b"\n# only a comment\n") == []


def test_raw_samples_come_in_order_of_time_with_their_types(store: Store, name: str) -> None:
    put(
        store,
        point(name, {"device": "ap-1"}, 20, rtt=0.5, up=1, ok=True, reason="fine"),
        point(name, {"device": "ap-1"}, 10, up=0),
    )
    (series,) = store.query(
        ask(
            name,
            ("up", "rtt", "ok", "reason"),
        )
    )
    assert series == Series(
        {},
        [T0 + 10, T0 + 20],
        {"up": [0, 1], "rtt": [None, 0.5], "ok": [None, True], "reason": [None, "fine"]},
    )
    assert [type(series.columns[field][1]) for field in ("up", "ok")] == [int, bool]


def test_whole_numbers_of_a_catalogue_float_stay_floats(store: Store, name: str) -> None:
    put(store, Reading("availability", {"device": name}, {"loss": 100.0, "up": 0}, T0))
    for aggregate in (None, Aggregate.LAST, Aggregate.MAX):
        query = ask("availability", ("loss", "up"), where={"device": [name]}, aggregate=aggregate)
        (series,) = store.query(query)
        assert repr(series.columns) == "{'loss': [100.0], 'up': [0]}"


def test_the_same_point_twice_is_one_point(store: Store, name: str) -> None:
    readings = [point(name, {"device": "ap-1"}, time, up=1) for time in range(5)]
    put(store, *readings)
    put(store, *readings)
    put(store, *readings, *readings)
    (series,) = store.query(
        ask(
            name,
            ("up",),
        )
    )
    assert series.times == [T0 + time for time in range(5)]


def test_points_of_one_identity_are_merged(store: Store, name: str) -> None:
    put(store, point(name, {"b": "2", "a": "1"}, 0, up=1, rtt=0.5))
    put(store, point(name, {"a": "1", "b": "2"}, 0, rtt=0.25, reason="slow"))
    put(store, point(name, {"a": "1"}, 0, up=0))
    query = ask(name, ("up", "rtt", "reason"), group_by=("b",))
    assert store.query(query) == [
        Series({"b": ""}, [T0], {"up": [0], "rtt": [None], "reason": [None]}),
        Series({"b": "2"}, [T0], {"up": [1], "rtt": [0.25], "reason": ["slow"]}),
    ]


def test_the_last_of_one_batch_wins(store: Store, name: str) -> None:
    put(store, *(point(name, {}, 0, up=value) for value in (1, 2, 3)))
    (series,) = store.query(
        ask(
            name,
            ("up",),
        )
    )
    assert series.columns == {"up": [3]}


def test_names_that_differ_in_case_alone_are_kept_apart(store: Store, name: str) -> None:
    put(store, point(name, {"Tag": "x", "tag": "y"}, 0, Up=1, up=2.5))
    put(store, point(name.upper(), {}, 0, up="text"))
    (lower,) = store.query(ask(name, ("Up", "up"), group_by=("Tag", "tag")))
    assert lower == Series({"Tag": "x", "tag": "y"}, [T0], {"Up": [1], "up": [2.5]})
    (upper,) = store.query(
        ask(
            name.upper(),
            ("up",),
        )
    )
    assert upper.columns == {"up": ["text"]}


def test_fields_and_tags_may_share_a_name(store: Store, name: str) -> None:
    put(store, point(name, {"room": "tag"}, 0, room="field", series=1, up=1))
    query = ask(name, ("room", "series"), where={"room": ["tag", ""]}, group_by=("room",))
    assert store.query(query) == [Series({"room": "tag"}, [T0], {"room": ["field"], "series": [1]})]


@on_servers
@given(
    measurement=NAMES.filter(lambda text: not text.startswith("#")),
    tags=st.dictionaries(KEYS, NAMES, max_size=3),
    fields=st.dictionaries(KEYS, VALUES, min_size=1, max_size=3),
    time=st.integers(0, HOUR),
)
def test_every_name_and_value_is_kept_exactly(
    store: Store,
    measurement: str,
    tags: dict[str, str],
    fields: dict[str, FieldValue],
    time: int,
) -> None:
    reading = Reading(measurement + fresh_name(), tags, fields, T0 + time)
    put(store, reading)
    query = ask(
        reading.measurement,
        tuple(fields),
        where={key: [value] for key, value in tags.items()},
        group_by=tuple(tags),
    )
    kept = Series(tags, [reading.time], {key: [value] for key, value in fields.items()})
    assert store.query(query) == [kept]
    if tags:
        nowhere = {key: [value + "x", "'", '"', "' OR ''='"] for key, value in tags.items()}
        assert store.query(ask(reading.measurement, tuple(fields), where=nowhere)) == []


# What is refused --------------------------------------------------------------


def test_a_bad_line_is_returned_and_the_good_ones_are_stored(store: Store, name: str) -> None:
    bad = [
        f"{name}".encode(),
        f"{name} up= {T0}".encode(),
        f"{name},room= up=1 {T0}".encode(),
        f"{name} up=yes {T0}".encode(),
        f'{name} text="open {T0}'.encode(),
        f"{name} up=1i 99999999999999999999".encode(),
        f"{name},time=x up=1i {T0}".encode(),
    ]
    good = [encode([point(name, {}, time, up=time)])[:-1] for time in range(len(bad))]
    lines = [line for pair in zip(good, bad, strict=True) for line in pair] + [good[0]]
    rejected = store.write(b"\n".join(lines) + b"\n")
    assert [item.line for item in rejected] == bad
    assert all(item.reason for item in rejected)
    (series,) = store.query(
        ask(
            name,
            ("up",),
        )
    )
    assert series.columns["up"] == list(range(len(bad)))


def test_a_field_keeps_the_type_it_was_first_stored_with(store: Store, name: str) -> None:
    put(store, point(name, {}, 0, f=1.5, g=1))
    lines = encode(
        [
            point(name, {}, 1, f=2.5),
            point(name, {}, 2, f=2),
            point(name, {}, 3, f="text", g=3),
            point(name, {}, 4, g=True),
            point(name, {}, 5, g=5),
        ]
    )
    rejected = store.write(lines)
    every = lines.split(b"\n")
    assert sorted(item.line for item in rejected) == sorted(every[1:4])
    assert all("field type conflict" in item.reason for item in rejected)
    (series,) = store.query(
        ask(
            name,
            ("f", "g"),
        )
    )
    assert series == Series({}, [T0, T0 + 1, T0 + 5], {"f": [1.5, 2.5, None], "g": [1, None, 5]})


def test_a_conflict_within_the_first_batch_spares_its_first_type(store: Store, name: str) -> None:
    lines = encode([point(name, {}, 0, f=1.5), point(name, {}, 1, f=2), point(name, {}, 2, f=3.5)])
    rejected = store.write(lines)
    assert [item.line for item in rejected] == [lines.split(b"\n")[1]]
    (series,) = store.query(
        ask(
            name,
            ("f",),
        )
    )
    assert series.columns == {"f": [1.5, 3.5]}


def test_thousands_of_bad_lines_are_told_apart(store: Store, name: str) -> None:
    put(store, point(name, {}, 0, f=1.5))
    readings = [
        point(name, {"n": str(time)}, time, f=time if time % 3 == 0 else time / 2, ok=True)
        for time in range(1, 6001)
    ]
    rejected = store.write(encode(readings))
    assert {item.line for item in rejected} == {
        encode([reading])[:-1] for reading in readings if type(reading.fields["f"]) is int
    }
    (series,) = store.query(ask(name, ("f",), aggregate=Aggregate.COUNT))
    assert series.columns == {"f": [4001]}


@pytest.mark.parametrize(
    ("value", "aggregates"),
    [
        (
            "text",
            set(Aggregate)
            - {Aggregate.FIRST, Aggregate.LAST, Aggregate.COUNT}
            - {Aggregate.COUNT_DISTINCT},
        ),
        (True, {Aggregate.MEAN, Aggregate.SUM, Aggregate.P50, Aggregate.P95}),
    ],
)
def test_only_numbers_are_summarised(
    store: Store, name: str, value: FieldValue, aggregates: set[Aggregate]
) -> None:
    put(store, point(name, {}, 0, f=value))
    for aggregate in aggregates:
        with pytest.raises(StoreError):
            store.query(ask(name, ("f",), aggregate=aggregate))


# What is answered -------------------------------------------------------------


def test_latest_is_the_newest_sample_of_each_device(store: Store, name: str) -> None:
    put(
        store,
        point(name, {"device": "sw-1", "school": "oak"}, 10, up=1, rtt=0.5),
        point(name, {"device": "sw-1", "school": "oak"}, 20, up=0, reason="timeout"),
        point(name, {"device": "ap-1", "school": "oak"}, 15, up=1),
        point(name, {"device": "ap-2", "school": "elm"}, 15, up=1),
        point(name, {"device": "ap-2", "school": "elm"}, 24 * HOUR, up=0),
    )
    query = ask(
        name,
        ("up", "reason", "rtt"),
        where={"school": ["oak"]},
        group_by=("school", "device"),
        aggregate=Aggregate.LAST,
    )
    assert store.query(query) == [
        Series(
            {"school": "oak", "device": "ap-1"},
            [T0 + 15],
            {"up": [1], "reason": [None], "rtt": [None]},
        ),
        Series(
            {"school": "oak", "device": "sw-1"},
            [T0 + 20],
            {"up": [0], "reason": ["timeout"], "rtt": [0.5]},
        ),
    ]


def test_windows_are_aligned_to_1970_and_empty_ones_left_out(store: Store, name: str) -> None:
    put(store, *(point(name, {}, minute * 60 * SECOND, f=minute) for minute in (50, 70, 80, 200)))
    query = Query(
        name,
        ("f",),
        start=T0 + 45 * 60 * SECOND,
        end=T0 + 4 * HOUR,
        aggregate=Aggregate.MEAN,
        window=HOUR,
    )
    assert store.query(query) == [
        Series({}, [T0, T0 + HOUR, T0 + 3 * HOUR], {"f": [50.0, 75.0, 200.0]})
    ]


def test_a_span_takes_in_its_start_and_leaves_out_its_end(store: Store, name: str) -> None:
    put(store, *(point(name, {}, time, f=time) for time in (9, 10, 19, 20)))
    (series,) = store.query(Query(name, ("f",), start=T0 + 10, end=T0 + 20))
    assert series.times == [T0 + 10, T0 + 19]


def test_the_whole_of_time_can_be_asked_for(store: Store, name: str) -> None:
    put(store, point(name, {}, 0, f=1))
    for aggregate in (None, Aggregate.COUNT, Aggregate.LAST):
        query = Query(name, ("f",), start=-(2**70), end=2**70, aggregate=aggregate)
        (series,) = store.query(query)
        assert series.columns == {"f": [1]}


def test_a_missing_tag_is_empty(store: Store, name: str) -> None:
    put(store, point(name, {"room": "r1"}, 0, f=1), point(name, {}, 1, f=2))

    def found(*rooms: str) -> list[Series]:
        return store.query(ask(name, ("f",), where={"room": rooms}, group_by=("room",)))

    inside = Series({"room": "r1"}, [T0], {"f": [1]})
    outside = Series({"room": ""}, [T0 + 1], {"f": [2]})
    assert found("") == [outside]
    assert found("r1") == [inside]
    assert found("", "r1", "r2") == [outside, inside]
    assert found() == []
    nowhere = ask(name, ("f",), where={"no-such-tag": [""]}, group_by=("no-such-tag",))
    assert store.query(nowhere) == [Series({"no-such-tag": ""}, [T0, T0 + 1], {"f": [1, 2]})]


def test_a_field_nobody_wrote_is_none(store: Store, name: str) -> None:
    put(store, point(name, {}, 0, f=1))
    assert (
        store.query(
            ask(
                name,
                ("nothing",),
            )
        )
        == []
    )
    (raw,) = store.query(
        ask(
            name,
            ("nothing", "f"),
        )
    )
    assert raw == Series({}, [T0], {"nothing": [None], "f": [1]})
    (count,) = store.query(ask(name, ("nothing", "f"), aggregate=Aggregate.COUNT))
    assert count == Series({}, [T0], {"nothing": [0], "f": [1]})


def test_a_limit_counts_in_each_series(store: Store, name: str) -> None:
    put(
        store,
        *(point(name, {"device": device}, time, f=time) for device in "ab" for time in range(5)),
    )
    oldest = ask(name, ("f",), group_by=("device",), limit=2)
    newest = ask(name, ("f",), group_by=("device",), limit=2, newest=True)
    assert [series.columns["f"] for series in store.query(oldest)] == [[0, 1], [0, 1]]
    assert [series.columns["f"] for series in store.query(newest)] == [[3, 4], [3, 4]]


def test_an_answer_longer_than_one_part_is_whole(store: Store, name: str) -> None:
    count = 25_000
    put(store, *(point(name, {"device": "a"}, time, f=time) for time in range(count)))
    (series,) = store.query(ask(name, ("f",), group_by=("device",)))
    assert series.columns["f"] == list(range(count))


def test_samples_that_share_a_time_are_not_mixed_up(store: Store, name: str) -> None:
    readings = [
        point(name, {"device": f"d{device}"}, time, f=device, g=device / 2)
        for device in range(50)
        for time in range(20)
    ]
    put(store, *readings)
    (series,) = store.query(ask(name, ("f", "g")))
    rows = list(zip(series.times, series.columns["f"], series.columns["g"], strict=True))
    assert [time for time, _, _ in rows] == sorted(reading.time for reading in readings)
    assert set(rows) == {(r.time, r.fields["f"], r.fields["g"]) for r in readings}


TAGS = st.dictionaries(st.sampled_from(["school", "room"]), st.sampled_from("ab"), max_size=2)
FIELDS = st.dictionaries(
    st.sampled_from(["f", "g"]), st.integers(-8, 8).map(lambda n: n / 4), min_size=1
)


@st.composite
def questions(draw: st.DrawFn) -> dict[str, object]:
    start = draw(st.integers(-50, 50))
    aggregate = draw(st.none() | st.sampled_from(Aggregate))
    return {
        "fields": tuple(draw(st.lists(st.sampled_from("fgh"), min_size=1, unique=True))),
        "start": T0 + start,
        "end": T0 + start + draw(st.integers(1, 100)),
        "where": draw(
            st.dictionaries(
                st.sampled_from(["school", "room"]),
                st.lists(st.sampled_from(["a", "b", ""]), max_size=3),
                max_size=1,
            )
        ),
        "group_by": tuple(draw(st.lists(st.sampled_from(["school", "room"]), unique=True))),
        "aggregate": aggregate,
        "window": draw(st.none() | st.integers(1, 40)) if aggregate else None,
        "limit": draw(st.none() | st.integers(1, 4)),
        "newest": draw(st.booleans()),
    }


@on_servers
@given(
    points=st.lists(st.tuples(TAGS, FIELDS, st.integers(-40, 40)), min_size=1, max_size=25),
    asked=st.lists(questions(), min_size=1, max_size=8),
)
def test_all_stores_answer_alike(
    store: Store,
    points: list[tuple[dict[str, str], dict[str, FieldValue], int]],
    asked: list[dict[str, object]],
) -> None:
    name = fresh_name()
    # Where two series share a time, the order of their samples is nobody's promise.
    tags_by_time = {time: tags for tags, _, time in points}
    readings = [Reading(name, tags_by_time[time], fields, T0 + time) for _, fields, time in points]
    put(store, *readings)
    for question in asked:
        query = Query(name, **question)  # type: ignore[arg-type]
        assert store.query(query) == model.answer(readings, query)


runs_of_points = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.integers(0, 12),
        st.sampled_from([{"up": 1}, {"up": 0}, {}]),
        st.sampled_from([{"interval": 1.0}, {"interval": 2.0}, {}]),
    ),
    max_size=25,
)


@on_servers
@given(runs_of_points)
def test_runs_are_the_raw_samples_put_together(
    store: Store, points: list[tuple[str, int, dict[str, int], dict[str, float]]]
) -> None:
    name = fresh_name()
    given_fields = [
        Reading(name, {"agent": agent}, {"other": 1, **up, **interval}, T0 + time * SECOND)
        for agent, time, up, interval in points
    ]
    put(store, *given_fields)
    query = ask(name, ("up", "interval"))
    rows = sorted(
        (
            (time, one.columns["up"][at], one.columns["interval"][at])
            for one in store.query(query)
            for at, time in enumerate(one.times)
        ),
        key=lambda row: (row[0], row[1] is not None, row[1], row[2] is not None, row[2] or 0),
    )
    expected: list[list[object]] = []
    for time, up, interval in rows:
        before = expected[-1] if expected else None
        if before and interval and before[1:3] == [up, interval]:
            assert isinstance(before[3], int)
            if time - before[3] <= min(2.5 * float(interval), 4) * SECOND:
                before[3] = time
                continue
        expected.append([time, up, interval, time])
    found = store.query(replace(query, runs=Runs("interval", 2.5, 4 * SECOND)))
    assert [
        [time, one.columns["up"][at], one.columns["interval"][at], one.until[at]]
        for one in found
        if one.until is not None
        for at, time in enumerate(one.times)
    ] == expected


# How it behaves ---------------------------------------------------------------


def test_many_threads_may_write_and_read(store: Store, name: str) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for round_ in range(10):
                put(
                    store,
                    *(
                        point(name, {"device": f"d{number}-{device}"}, round_, **{f"f{number}": 1})
                        for device in range(20)
                    ),
                )
                store.query(ask(name, (f"f{number}",), aggregate=Aggregate.COUNT))
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    fields = tuple(f"f{number}" for number in range(4))
    (series,) = store.query(ask(name, fields, aggregate=Aggregate.COUNT))
    assert series.columns == {field: [200] for field in fields}


def test_it_answers_a_ping(store: Store) -> None:
    store.ping()
