"""alerts.yaml: what is wrong with it, and where."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from alerts.loader import load_alerts
from alerts.models import AlertsFile
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.problems import InventoryError
from tests.alerts.district import inventory

SECRET_WORDS = '"env:NAME" or "file:PATH", never the secret itself'
CONFIG = Path(__file__).parents[2] / "config"


def test_without_the_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_alerts(tmp_path, inventory()) == AlertsFile()


def test_the_example_holds_the_defaults_and_says_so() -> None:
    assert load_alerts(CONFIG, load_inventory(CONFIG)) == AlertsFile()


def test_the_examples_receivers_are_right_once_they_are_uncommented(tmp_path: Path) -> None:
    text = (CONFIG / "alerts.yaml").read_text(encoding="utf-8")
    before, _, commented = text.partition("receivers: []\n")
    uncommented = "".join(line.removeprefix("#") for line in commented.splitlines(keepends=True))
    (tmp_path / "alerts.yaml").write_text(f"{before}receivers:\n{uncommented}", encoding="utf-8")
    receivers = load_alerts(tmp_path, load_inventory(CONFIG)).receivers
    assert [receiver.id for receiver in receivers] == ["operations", "rural-team"]


def test_a_full_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(
        "opening: {samples: 2, for: 90s}\n"
        "receivers:\n"
        "  - {id: ops, url: 'env:OPS', language: zh, schools: {ids: [heping]}}\n"
    )
    alerts = load_alerts(tmp_path, inventory())
    assert alerts.opening.duration == dt.timedelta(seconds=90)
    assert alerts.receivers[0].language == "zh"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("intervall: 15s\n", ":1: unknown key 'intervall'; did you mean 'interval'?"),
        ("opening:\n  samples: 1\n", ":2: samples is 1; expected a whole number, at least 2"),
        ("opening:\n  fo: 5m\n", ":2: unknown key 'fo'; did you mean 'for'?"),
        (
            "receivers:\n  - id: ops\n    url: json://user:pass@host\n",
            f":3: url is no reference to a secret; expected {SECRET_WORDS}",
        ),
        (
            "receivers:\n  - {id: ops, url: 'env:A'}\n  - {id: ops, url: 'env:B'}\n",
            ":3: receiver 'ops' is already on line 2; expected each id once",
        ),
        (
            "receivers:\n  - id: ops\n    url: env:A\n    schools:\n      ids: [hepin]\n",
            ":5: no school 'hepin'; did you mean 'heping'?",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text(text)
    with pytest.raises(InventoryError) as refused:
        load_alerts(tmp_path, inventory())
    assert str(refused.value) == f"{path}{expected}"
