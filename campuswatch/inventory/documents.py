"""YAML files whose every value knows its line."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from campuswatch.inventory.plain import NOT_PLAIN, read_plain
from campuswatch.inventory.problems import InventoryError, Problem

Location = Sequence[str | int]
"""Keys and list indices that lead from a document's top to a value."""

_SYNTAX: Final = {
    "found character '\\t'": "a tab indents this line; expected spaces",
    "mapping values are not allowed here": (
        "a second ': ' in one value, or a wrong indentation; "
        "expected one 'key: value' a line, and quotes around text that holds ': '"
    ),
    "could not find expected ':'": "this line is no 'key: value'; expected a ':' after the key",
    "but found another document": "a second document begins here; expected one document a file",
    "found character": "this character can't begin a value; expected quotes around the value",
    "found unknown escape character": (
        "in double quotes a backslash begins an escape; expected two, or single quotes"
    ),
    "could not determine a constructor for the tag": (
        "a value that begins with '!' is a tag, and none has a meaning here; expected quotes"
    ),
    "expected <block end>": (
        "the indentation does not fit the lines above; expected the keys of one group, "
        "or the dashes of one list, below each other"
    ),
    "sequence entries are not allowed here": (
        "a list can't begin in the middle of a line; expected its dashes on lines of their own"
    ),
    "expected alphabetic or numeric": (
        "a value that begins with '&' or '*' is an anchor or alias; expected quotes around text"
    ),
    "expected a comment or a line break": (
        "a value that begins with '|' or '>' is a block of text; expected quotes around it"
    ),
    "no such value": "this value can't be read; expected text in quotes, or a plain number",
    "expected the node content": "a value or a bracket is missing; expected it before here",
    "found undefined alias": (
        "a value that begins with '*' is an alias, and nothing has that name; expected quotes"
    ),
    "found unexpected end of stream": "a quotation mark opens here; expected it to be closed",
    "expected ',' or '}'": "a '{' opens here; expected ',' between its items and '}' in the end",
    "expected ',' or ']'": "a '[' opens here; expected ',' between its items and ']' in the end",
}
"""Words for how the YAML reader's messages begin; others are handed on as they are."""

_FAULT_AT_OPENING: Final = ("found unexpected end", "expected ',' or")


class Source(Protocol):
    """What faults are reported against: a file, or a row of one."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def data(self) -> object:
        """Its content as plain dicts, lists and scalars."""
        ...

    def line(self, location: Location = ()) -> int:
        """Return the line, from 1, on which the value at a location begins."""
        ...

    def problem(self, location: Location, text: str) -> Problem:
        """Return a problem with the value at a location."""
        ...


class Document:
    """One YAML file, read.

    Attributes:
        path: where it was read from.
        data: its content as plain dicts, lists and scalars.
    """

    def __init__(self, path: Path, text: str, data: object) -> None:
        self.path = path
        self.data = data
        self._text = text

    def line(self, location: Location = ()) -> int:
        """Return the line, from 1, on which a value begins.

        Parts of the location that the file does not have (a key that is
        missing, the tag of a union) are passed over: the line is then that of
        the value around it.
        """
        node, line = self._root, _line(self._root)
        for part in location:
            node, line = _child(node, part) or (node, line)
        return line

    def problem(self, location: Location, text: str) -> Problem:
        """Return a problem at the line of a value."""
        return Problem(self.path, self.line(location), text)

    @cached_property
    def _root(self) -> Node:
        """The values with their lines, which only those who ask for lines pay for."""
        return _compose(self.path, self._text)


def read_document(path: Path) -> Document:
    """Read one YAML 1.2 file.

    Raises:
        InventoryError: it can't be read, is empty, is no YAML, or has a key
            twice; the messages never quote values, which may be secrets.
    """
    return parse_document(path, read_text(path))


def parse_document(path: Path, text: str) -> Document:
    """Read the text of a file, as `read_document` does."""
    data = read_plain(text)
    if data is NOT_PLAIN:
        data = read_exactly(path, text)
    return Document(path, text, data)


def read_exactly(path: Path, text: str) -> object:
    """Return the content of any YAML 1.2 file, or say what is wrong with it."""
    root = _compose(path, text)
    if duplicates := sorted(_duplicate_keys(path, root, seen=set())):
        raise InventoryError(duplicates)
    try:
        return _yaml().constructor.construct_document(root)
    except MarkedYAMLError as error:
        raise InventoryError([_syntax_problem(path, error)]) from None


class _Constructor(SafeConstructor):
    """Leaves dates as text, so that a day which does not exist is a fault with a line."""

    def construct_object(self, node: Node, deep: bool = False) -> object:
        """Return the value of a node, or say on which line it has none."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError):
            raise ConstructorError(None, None, "no such value", node.start_mark) from None


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_str)


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    return yaml


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, with or without a byte order mark.

    Raises:
        InventoryError: it can't be read, or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InventoryError([Problem(path, 0, "the file is missing; expected it")]) from None
    except OSError as error:
        raise InventoryError([Problem(path, 0, f"{error.strerror}; expected a file")]) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = f"byte 0x{content[error.start]:02x} is not UTF-8; expected a file saved as UTF-8"
        raise InventoryError([Problem(path, line, text)]) from None


def _compose(path: Path, text: str) -> Node:
    try:
        root = _yaml().compose(io.StringIO(text))
    except MarkedYAMLError as error:
        raise InventoryError([_syntax_problem(path, error)]) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"control character {error.character!r}; expected printable text"
        raise InventoryError([Problem(path, line, problem)]) from None
    except RecursionError:
        problem = "brackets are nested too deeply; expected them to be closed"
        raise InventoryError([Problem(path, 0, problem)]) from None
    if root is None:
        raise InventoryError([Problem(path, 0, "the file is empty; expected 'key: value' lines")])
    if not isinstance(root, MappingNode):
        problem = "the file holds no keys at its top; expected 'key: value' lines"
        raise InventoryError([Problem(path, _line(root), problem)])
    return root


def _syntax_problem(path: Path, error: MarkedYAMLError) -> Problem:
    said = error.problem or error.context or "not YAML"
    text = next((words for start, words in _SYNTAX.items() if said.startswith(start)), None)
    marks = [error.problem_mark, error.context_mark]
    if said.startswith(_FAULT_AT_OPENING):
        marks.reverse()
    mark = marks[0] or marks[1]
    return Problem(path, mark.line + 1 if mark else 0, text or f"no valid YAML: {said}")


def _duplicate_keys(path: Path, node: Node, seen: set[int]) -> Iterator[Problem]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for item in node.value:
            yield from _duplicate_keys(path, item, seen)
    if isinstance(node, MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value in first:
                text = f"key {key.value!r} is already on line {first[key.value]}; expected it once"
                yield Problem(path, _line(key), text)
            elif isinstance(key, ScalarNode):
                first[key.value] = _line(key)
            yield from _duplicate_keys(path, value, seen)


def _line(node: Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def _child(node: Node, part: str | int) -> tuple[Node, int] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == str(part):
                return value, _line(key)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], _line(node.value[part])
    return None
