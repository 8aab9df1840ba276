"""Rejected payloads are counted, and kept within bounds."""

from __future__ import annotations

import json
from pathlib import Path

from edge_agents.sources.mqtt.rejected import KEPT_BYTES, RejectedPayloads


def entries(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_payload_is_kept_with_its_reason(tmp_path: Path) -> None:
    rejected = RejectedPayloads(tmp_path / "rejected")
    rejected.keep("a/b", b"\xffx" * 5000, "not UTF-8 text")
    (entry,) = entries(tmp_path / "rejected" / "rejected.jsonl")
    assert entry["topic"] == "a/b"
    assert entry["reason"] == "not UTF-8 text"
    assert entry["bytes"] == 10_000
    assert entry["payload"] == "\\xffx" * (KEPT_BYTES // 2)
    assert (tmp_path / "rejected" / "rejected.jsonl").stat().st_mode & 0o077 == 0


def test_they_are_counted_since_the_last_look(tmp_path: Path) -> None:
    rejected = RejectedPayloads(tmp_path)
    for _ in range(3):
        rejected.keep("t", b"x", "reason")
    assert rejected.take_count() == 3
    assert rejected.take_count() == 0


def test_a_disk_that_takes_nothing_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the directory should be")
    rejected = RejectedPayloads(tmp_path / "taken")
    rejected.keep("t", b"x", "reason")
    assert rejected.take_count() == 1
