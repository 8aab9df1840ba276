"""Editing the devices of a school's file in place.

Only what changes is rewritten: comments, order and layout of the rest stay
as their author wrote them.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

_WIDEST: Final = 2**16
"""No line is broken; a device in flow style stays on its line."""


class DevicesEditor:
    """Collects edits of the `devices` of one file, and then makes them.

    Args:
        text: the file, which must be a valid school.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._root: MappingNode = YAML(typ="safe", pure=True).compose(io.StringIO(text))
        self._devices = _value(self._root, "devices")
        self._added: list[tuple[str, str]] = []
        self._edits: list[tuple[int, int, str]] = []

    def set(self, device_id: str, key: str, value: object) -> None:
        """Give a device's key a value, whether it had one or not."""
        device = self._device(device_id)
        old = _value(device, key)
        if old is not None:
            self._edits.append((old.start_mark.index, self._end(old), _flow(value)))
        elif device.flow_style:
            end = device.end_mark.index - 1
            last = len(self._text[:end].rstrip())
            comma = "" if self._text[last - 1] == "," else ","
            self._edits.append((last, last, f"{comma} {key}: {_flow(value)}"))
        else:
            end = self._line_end(self._end(device))
            indent = self._newline + " " * device.start_mark.column
            self._edits.append((end, end, f"{indent}{key}: {_flow(value)}"))

    def add(self, device: Mapping[str, object], remark: str) -> None:
        """Add a device after the last one, with a comment beside it."""
        self._added.append((_flow(device), f" # {remark}" if remark else ""))

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
        devices = self._devices
        if devices is None:
            end = len(self._text)
            start = "" if self._text.endswith("\n") else self._newline
            return end, end, f"{start}devices:{self._lines(2)}{self._newline}"
        assert isinstance(devices, SequenceNode)
        if not devices.value:
            return self._first(devices)
        if devices.flow_style:
            end = len(self._text[: devices.end_mark.index - 1].rstrip().rstrip(","))
            return end, end, "".join(f", {device}" for device, _ in self._added)
        end = self._line_end(self._end(devices))
        return end, end, self._lines(devices.start_mark.column)

    def _first(self, devices: SequenceNode) -> tuple[int, int, str]:
        """Return the edit that fills `devices: []`, and keeps a comment after it."""
        start = len(self._text[: devices.start_mark.index].rstrip())
        end = self._line_end(devices.end_mark.index)
        return start, end, self._text[devices.end_mark.index : end] + self._lines(2)

    def _lines(self, indent: int) -> str:
        start = self._newline + " " * indent
        return "".join(f"{start}- {device}{comment}" for device, comment in self._added)

    def _device(self, device_id: str) -> MappingNode:
        assert self._devices is not None
        for device in self._devices.value:
            identity = _value(device, "id")
            if identity is not None and identity.value == device_id:
                found: MappingNode = device
                return found
        raise KeyError(device_id)

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
