"""Writing a school's file with what an import changes."""

from __future__ import annotations

from pathlib import Path

from campuswatch.inventory.documents import read_text
from campuswatch.inventory.imports.edits import ListEditor
from campuswatch.inventory.imports.merge import Merge
from campuswatch.inventory.problems import InventoryError, Problem


def write_merge(merge: Merge, school_file: Path, out: Path) -> None:
    """Write a school's file with what an import adds and changes.

    Args:
        merge: what the import does.
        school_file: the file as it is.
        out: where to write; may be `school_file`, which is replaced as a whole.

    Raises:
        InventoryError: `out` can't be written.
    """
    editor = ListEditor(read_text(school_file), ["devices"])
    for change in merge.changed:
        for key in change.new_keys():
            editor.set(change.device.id, key, change.value(key))
    for change in merge.added:
        editor.add({key: change.value(key) for key in change.row.data}, change.row.remark)
    replace_file(out, editor.text())


def replace_file(path: Path, text: str) -> None:
    """Replace a file as a whole, or leave it as it is.

    Raises:
        InventoryError: it can't be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(text.encode())
        partial.replace(path)
    except OSError as error:
        raise InventoryError([Problem(path, 0, f"{error.strerror}; can't be written")]) from None
