"""Refused lines are kept with their reasons, in bounded files."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from collector.quarantine import MAX_CONTENT, Quarantine, Refusal

TOPIC = "campus/v1/demo/north/north-1/data"


def refusal(content: bytes = b"no line", topic: str = TOPIC) -> Refusal:
    return Refusal(topic, 1_730_000_000_000_000_000, "expected a line", content)


def test_a_refusal_says_whose_when_and_why(tmp_path: Path) -> None:
    Quarantine(tmp_path / "new", "c1", max_bytes=10_000, max_files=2).keep(
        [refusal(), refusal(b"\xff{", topic="elsewhere")]
    )
    file = tmp_path / "new" / "c1.jsonl"
    assert file.stat().st_mode & 0o077 == 0
    first, second = map(json.loads, file.read_text().splitlines())
    assert first == {
        "time": "2024-10-27T03:33:20+00:00",
        "school": "north",
        "agent": "north-1",
        "topic": TOPIC,
        "reason": "expected a line",
        "line": "no line",
    }
    assert (second["school"], second["line"]) == ("", "\\xff{")


def test_size_and_number_of_files_are_bounded(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, "c1", max_bytes=1000, max_files=3)
    for number in range(100):
        quarantine.keep([refusal(f"line {number}".encode())])
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["c1.1.jsonl", "c1.2.jsonl", "c1.jsonl"]
    assert all(file.stat().st_size <= 1000 for file in files)
    kept = [
        json.loads(line)["line"]
        for name in ("c1.2.jsonl", "c1.1.jsonl", "c1.jsonl")
        for line in (tmp_path / name).read_text().splitlines()
    ]
    assert kept == [f"line {number}" for number in range(100 - len(kept), 100)]


def test_a_huge_line_is_cut(tmp_path: Path) -> None:
    Quarantine(tmp_path, "c1", max_bytes=10**6, max_files=2).keep([refusal(b"x" * 10**6)])
    [record] = map(json.loads, (tmp_path / "c1.jsonl").read_text().splitlines())
    assert (len(record["line"]), record["size"]) == (MAX_CONTENT, 10**6)


def test_a_disk_that_takes_nothing_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    quarantine = Quarantine(tmp_path / "file", "c1", max_bytes=1000, max_files=2)
    with caplog.at_level(logging.ERROR):
        quarantine.keep([refusal()])
    assert "can't be written" in caplog.text
    assert "no line" in caplog.text
