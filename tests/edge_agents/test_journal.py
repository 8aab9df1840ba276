"""A journal stays within its bounds."""

from __future__ import annotations

import json
from pathlib import Path

from edge_agents.journal import Journal


def test_the_files_are_bounded_and_hold_the_latest(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "kept", file_bytes=10_000)
    for number in range(500):
        journal.keep({"number": number, "text": "x" * 100})
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 20_000
    assert {path.name for path in tmp_path.iterdir()} == {"kept.jsonl", "kept.1.jsonl"}
    last = (tmp_path / "kept.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["number"] == 499


def test_any_text_can_be_kept(tmp_path: Path) -> None:
    Journal(tmp_path, "kept").keep({"text": "机房 \udcff\n"})
    (line,) = (tmp_path / "kept.jsonl").read_text().splitlines()
    assert json.loads(line)["text"] == "机房 \udcff\n"
