"""Every fault has its one message, exactly as a user will read it.

Each directory of `broken/` is an inventory with one fault, and its
`expected.txt` is what `campuswatch validate` must say about it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.problems import InventoryError

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path.name for path in BROKEN.iterdir())


@pytest.mark.parametrize("case", CASES)
def test_a_fault_gives_its_one_message(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN / case)
    with pytest.raises(InventoryError) as caught:
        load_inventory(Path())
    assert str(caught.value) + "\n" == Path("expected.txt").read_text(encoding="utf-8")
    assert len(caught.value.problems) == 1
