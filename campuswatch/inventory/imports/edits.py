"""Editing a list of an inventory file in place, such as the devices of a school.

Only what changes is rewritten: comments, order and layout of the rest stay
as their author wrote them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

_WIDEST: Final = 2**16
"""No line is broken; an item in flow style stays on its line."""


class ListEditor:
    """Collects edits of one list of a file, and then makes them.

    Args:
        text: the file, which must be valid.
        location: keys and indices that lead to the list; it may be missing.
    """

    def __init__(self, text: str, location: Sequence[str | int]) -> None:
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._root: MappingNode = YAML(typ="safe", pure=True).compose(io.StringIO(text))
        *above, key = location
        self._parent = _at(self._root, above)
        self._key = str(key)
        self._items = _value(self._parent, self._key)
        self._added: list[tuple[str, str]] = []
        self._edits: list[tuple[int, int, str]] = []

    def set(self, item_id: str, key: str, value: object) -> None:
        """Give a key of an item a value, whether it had one or not."""
        item = self._item(item_id)
        old = _value(item, key)
        if old is not None:
            self._edits.append((old.start_mark.index, self._end(old), _flow(value)))
        elif item.flow_style:
            end = item.end_mark.index - 1
            last = len(self._text[:end].rstrip())
            comma = "" if self._text[last - 1] == "," else ","
            self._edits.append((last, last, f"{comma} {key}: {_flow(value)}"))
        else:
            end = self._line_end(self._end(item))
            indent = self._newline + " " * item.start_mark.column
            self._edits.append((end, end, f"{indent}{key}: {_flow(value)}"))

    def add(self, item: object, remark: str) -> None:
        """Add an item after the last one, with a comment beside it."""
        self._added.append((_flow(item), f" # {remark}" if remark else ""))

    def text(self) -> str:
        """Return the file with all edits made."""
        edits = self._edits + ([self._insertion()] if self._added else [])
        text = self._text
        # From the end, so that places before an edit stay valid; of two at one
        # place the later goes first, and so ends up behind the other.
        edits.sort(key=lambda edit: edit[0])
        for start, end, new in edits[::-1]:
            text = text[:start] + new + text[end:]
        return text

    def _insertion(self) -> tuple[int, int, str]:
        items = self._items
        if items is None:
            return self._new_list()
        assert isinstance(items, SequenceNode)
        if not items.value:
            return self._first(items)
        if items.flow_style:
            end = len(self._text[: items.end_mark.index - 1].rstrip().rstrip(","))
            return end, end, "".join(f", {item}" for item, _ in self._added)
        end = self._line_end(self._end(items))
        return end, end, self._lines(items.start_mark.column)

    def _new_list(self) -> tuple[int, int, str]:
        """Return the edit that gives the file the list, with its key."""
        if self._parent is self._root:
            end = len(self._text)
            start = "" if self._text.endswith("\n") else self._newline
            return end, end, f"{start}{self._key}:{self._lines(2)}{self._newline}"
        if self._parent.flow_style:
            end = len(self._text[: self._parent.end_mark.index - 1].rstrip().rstrip(","))
            return end, end, f", {self._key}: [{', '.join(item for item, _ in self._added)}]"
        end = self._line_end(self._end(self._parent))
        indent = self._parent.start_mark.column
        key = f"{self._newline}{' ' * indent}{self._key}:"
        return end, end, key + self._lines(indent + 2)

    def _first(self, items: SequenceNode) -> tuple[int, int, str]:
        """Return the edit that fills an empty list, and keeps a comment after it."""
        if self._parent.flow_style:
            inside = items.end_mark.index - 1
            return inside, inside, ", ".join(item for item, _ in self._added)
        start = len(self._text[: items.start_mark.index].rstrip())
        end = self._line_end(items.end_mark.index)
        indent = self._parent.start_mark.column + 2
        return start, end, self._text[items.end_mark.index : end] + self._lines(indent)

    def _lines(self, indent: int) -> str:
        start = self._newline + " " * indent
        return "".join(f"{start}- {item}{comment}" for item, comment in self._added)

    def _item(self, item_id: str) -> MappingNode:
        assert self._items is not None
        for item in self._items.value:
            identity = _value(item, "id")
            if identity is not None and identity.value == item_id:
                found: MappingNode = item
                return found
        raise KeyError(item_id)

    def _end(self, node: Node) -> int:
        """Return where a node's text ends, without the comments and blank lines after it."""
        if isinstance(node, CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(node, MappingNode) else last)
        end: int = node.end_mark.index
        block = isinstance(node, ScalarNode) and node.style in {"|", ">"}
        return len(self._text[:end].rstrip()) if block else end

    def _line_end(self, position: int) -> int:
        end = self._text.find(self._newline, position)
        return len(self._text) if end < 0 else end


def _at(root: MappingNode, location: Sequence[str | int]) -> MappingNode:
    node: Node = root
    for part in location:
        if isinstance(node, MappingNode):
            child = _value(node, str(part))
            assert child is not None
            node = child
        else:
            node = node.value[part]
    assert isinstance(node, MappingNode)
    return node


def _value(mapping: MappingNode, wanted: str) -> Node | None:
    return next((value for key, value in mapping.value if key.value == wanted), None)


def _flow(value: object) -> str:
    """Return a value as YAML on one line, quoted as it must be between brackets."""
    yaml = YAML()
    yaml.default_flow_style = True
    yaml.width = _WIDEST
    stream = io.StringIO()
    yaml.dump([_quoted(value)], stream)
    return stream.getvalue().strip()[1:-1]


def _quoted(value: object) -> object:
    """Quote text that begins with a sign: the library reads not all that it writes plain."""
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    if isinstance(value, str) and not value[:1].isalnum():
        return DoubleQuotedScalarString(value)
    return value
