"""Frames as the manuals print them, amid noise, in pieces, and damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.inventory.models import Device, TextLines
from edge_agents.sources.serial.co2 import take_mhz19
from edge_agents.sources.serial.frames import LONGEST, Take, take_next, taking
from edge_agents.sources.serial.modbus import Block, RefusedError, blocks, registers
from edge_agents.sources.serial.pms5003 import ActiveDriver, take_particulates
from edge_agents.sources.serial.projectors import DIALECTS
from edge_agents.sources.serial.text import TextDriver

BLOCK = Block("holding", 0, 2)
ANSWER = bytes.fromhex("01 03 04 01 F4 01 0A 3B AA")
S8 = Block("input", 3, 1)
MHZ19 = bytes.fromhex("FF 86 01 90 00 00 00 00 E9")


def pms5003(pm2_5: int, pm10: int) -> bytes:
    numbers = [5, 8, 9, 6, pm2_5, pm10, 1000, 300, 50, 5, 1, 0, 0x9700]
    frame = b"BM\x00\x1c" + b"".join(number.to_bytes(2, "big") for number in numbers)
    return frame + sum(frame).to_bytes(2, "big")


def found(data: bytes, take: Take[object], size: int = 1024) -> tuple[list[object], int]:
    """Return the frames in a stream that comes in pieces, and how many were damaged."""
    buffer, frames, damaged = bytearray(), [], []
    for start in range(0, len(data), size):
        buffer += data[start : start + size]
        while (frame := take_next(buffer, take, lambda: damaged.append(1))) is not None:
            frames.append(frame)
    return frames, len(damaged)


def test_requests_are_as_the_manuals_print_them() -> None:
    assert BLOCK.request(1) == bytes.fromhex("01 03 00 00 00 02 C4 0B")
    assert S8.request(0xFE) == bytes.fromhex("FE 04 00 03 00 01 D5 C5")


def test_answers_are_read_as_the_manuals_print_them() -> None:
    (answer,), damaged = found(ANSWER, BLOCK.answer(1))
    assert list(registers(answer)) == [500, 266]  # type: ignore[arg-type]
    (answer,), _ = found(bytes.fromhex("FE 04 02 01 90 AC D8"), S8.answer(0xFE))
    assert list(registers(answer)) == [400]  # type: ignore[arg-type]
    assert found(MHZ19, take_mhz19) == ([400], 0)
    assert found(pms5003(12, 15), take_particulates) == ([(12, 15)], 0)
    assert damaged == 0


def test_an_exception_says_why() -> None:
    (answer,), _ = found(bytes.fromhex("01 83 02 C0 F1"), BLOCK.answer(1))
    with pytest.raises(RefusedError, match="illegal data address"):
        registers(answer)  # type: ignore[arg-type]


def test_answers_of_others_are_not_ours() -> None:
    assert found(ANSWER, BLOCK.answer(2)) == ([], 0)
    assert found(ANSWER, Block("holding", 0, 3).answer(1)) == ([], 0)
    assert found(BLOCK.request(1) + ANSWER, BLOCK.answer(1))[0], "an adapter that echoes"


@pytest.mark.parametrize("size", [1, 3, 1024])
@pytest.mark.parametrize(
    ("frame", "take"),
    [
        (ANSWER, BLOCK.answer(1)),
        (MHZ19, take_mhz19),
        (pms5003(12, 15), take_particulates),
        (b"PWR=01\r:", taking(DIALECTS["epson"].power.answer)),
        (b"*POW=ON#", taking(DIALECTS["benq"].power.answer)),
        (b"OK1\r", taking(DIALECTS["optoma"].power.answer)),
    ],
)
def test_a_frame_is_found_behind_noise_and_behind_a_broken_one(
    frame: bytes, take: Take[object], size: int
) -> None:
    for before in (b"\x00\xf8\x7f", frame[:-2], frame[:2], frame[:1]):
        frames, _ = found(before + frame, take, size)
        assert len(frames) == 1, before
    damaged = frame[:3] + bytes((frame[3] ^ 1,)) + frame[4:]
    assert len(found(damaged + frame, take, size)[0]) >= 1


@given(data=st.binary(max_size=200), place=st.integers(0, 8), bit=st.integers(0, 7))
def test_a_flipped_bit_is_never_an_answer(data: bytes, place: int, bit: int) -> None:
    flipped = bytearray(ANSWER)
    flipped[place] ^= 1 << bit
    assert found(bytes(flipped), BLOCK.answer(1))[0] == []
    frame = bytearray(MHZ19)
    frame[place] ^= 1 << bit
    assert found(bytes(frame), take_mhz19)[0] == []
    assert found(data + MHZ19 + MHZ19, take_mhz19)[0], "found again after any noise"


TAKES: list[Take[object]] = [
    BLOCK.answer(1),
    S8.answer(0xFE),
    take_mhz19,
    take_particulates,
    *(taking(dialect.power.answer) for dialect in DIALECTS.values()),
]


@given(data=st.binary(max_size=3000), size=st.integers(1, 400))
def test_no_bytes_crash_a_reader_or_fill_its_memory(data: bytes, size: int) -> None:
    for take in TAKES:
        found(data, take, size)
    for driver in (active(), text()):
        driver.hear(data, lambda: None)
        driver.take()
    buffer = bytearray(data)
    take_next(buffer, take_particulates, lambda: None)
    assert len(buffer) <= LONGEST


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 4)), min_size=1, max_size=60))
def test_blocks_hold_every_register_that_is_wanted_and_no_other(
    wanted: list[tuple[int, int]],
) -> None:
    asked = [Block("input", address, count) for address, count in wanted]
    together = blocks(asked)

    def addresses(of: list[Block]) -> set[int]:
        return {a for block in of for a in range(block.address, block.address + block.count)}

    assert addresses(together) == addresses(asked)
    assert all(block.count <= 125 for block in together)
    for block in asked:
        span = range(block.address, block.address + block.count)
        assert any(set(span) <= addresses([each]) for each in together), "read at once"


def device(serial: dict[str, object]) -> Device:
    return Device.model_validate({"id": "s", "name": "S", "kind": "sensor", "serial": serial})


def active() -> ActiveDriver:
    return ActiveDriver(device({"line": "l", "driver": "pms5003"}))


COLUMNS: dict[str, object] = {
    "columns": ["environment.temperature", None, {"field": "power.power", "unit": "kW"}]
}
PATTERN: dict[str, object] = {
    "pattern": "T=(?P<t>[-0-9.]+)",
    "fields": {"t": "environment.temperature"},
}


def text(how: dict[str, object] = COLUMNS) -> TextDriver:
    what = device({"line": "l", "driver": "text", **how})
    assert isinstance(what.serial, TextLines)
    return TextDriver(what, what.serial)


@pytest.mark.parametrize(
    ("how", "sent", "fields"),
    [
        (COLUMNS, b"21.5,x,1.2\r\n", {"temperature": 21.5, "power": 1200.0}),
        (COLUMNS, b"21.5,x,1.2\n22.5,,\n", {"temperature": 22.5, "power": 1200.0}),
        (COLUMNS, b"20\n", {"temperature": 20.0}),
        (COLUMNS, b"-127,x,\nOVERLOAD,,\n", {}),
        (PATTERN, b"# T=21.5;H=3\nnothing\n", {"temperature": 21.5}),
    ],
)
def test_lines_of_text_are_read(
    how: dict[str, object], sent: bytes, fields: dict[str, float]
) -> None:
    driver = text(how)
    driver.hear(b"9,9,9\n" + sent, lambda: None)  # the first line may have begun before we listened
    assert {k: v for reading in driver.take() for k, v in reading.fields.items()} == fields
    assert driver.take() == []


def test_a_line_that_is_cut_by_a_replug_is_not_read() -> None:
    driver = text()
    driver.hear(b"\n1", lambda: None)
    driver.restart()
    driver.hear(b"5,x,1\n25,x,\n", lambda: None)
    (reading,) = driver.take()
    assert reading.fields == {"temperature": 25.0}
