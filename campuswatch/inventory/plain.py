"""Plain YAML at libyaml's speed, ten times that of the reader that knows lines.

YAML's corners, in which readers differ, are left to the other reader, and so
is everything that is wrong: what is read here, that one reads the same.
"""

from __future__ import annotations

import re
from typing import Any, Final

from ruamel.yaml.resolver import implicit_resolvers
from yaml import CSafeLoader, MappingNode, Node, ScalarNode, SequenceNode, YAMLError

NOT_PLAIN: Final = object()
"""What a document is that has to be read by the other reader."""

_VERSION: Final = (1, 2)
_TAG: Final = "tag:yaml.org,2002:"
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,99})|0x[0-9a-fA-F]{1,99}")
"""Python refuses to read integers of thousands of digits; the other reader tells where they are."""

_FLOAT: Final = re.compile(r"-?[0-9]+\.[0-9]+(?:e[-+][0-9]+)?")
_CORNER: Final = re.compile("^%|[\t\x85\u2028\u2029\ufeff]|[&*][A-Za-z0-9_-]+[?:%@`]", re.MULTILINE)
"""Directives, breaks that only YAML 1.1 knows, and anchors that end where 1.2 lets them go on."""


class _CornerError(Exception):
    """The document has something that is not plain."""


class _Composer(CSafeLoader):
    """Composes nodes whose types are those of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012, as PyYAML declares it


for _versions, _tag, _expression, _beginnings in implicit_resolvers:
    if _VERSION in _versions:
        _Composer.add_implicit_resolver(_tag, _expression, _beginnings)


def read_plain(text: str) -> Any:
    """Return a document's content, or `NOT_PLAIN`."""
    if _CORNER.search(text):
        return NOT_PLAIN
    composer = _Composer(text)
    try:
        root = composer.get_single_node()
        return _value(root, {}) if isinstance(root, MappingNode) else NOT_PLAIN
    except (_CornerError, YAMLError, RecursionError):
        return NOT_PLAIN
    finally:
        composer.dispose()


def _value(node: Node, known: dict[int, Any]) -> Any:
    if isinstance(node, ScalarNode):
        return _scalar(node)
    found = known.get(id(node))  # an alias is the value that its anchor is
    if found is not None:
        return found
    if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
        known[id(node)] = items = [_value(item, known) for item in node.value]
        return items
    if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
        known[id(node)] = mapping = _mapping(node, known)
        return mapping
    raise _CornerError


def _mapping(node: MappingNode, known: dict[int, Any]) -> dict[Any, Any]:
    if not all(isinstance(key, ScalarNode) for key, _ in node.value):
        raise _CornerError
    mapping = {_scalar(key): _value(value, known) for key, value in node.value}
    as_written = {key.value for key, _ in node.value}
    if len(mapping) < len(node.value) or len(as_written) < len(node.value):
        raise _CornerError
    return mapping


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    text: str = node.value
    kind = node.tag.removeprefix(_TAG)
    if kind in ("str", "timestamp"):  # a date stays text; see `documents`
        return text
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text, 0)
    if kind == "float" and _FLOAT.fullmatch(text):
        return float(text)
    if kind == "bool":
        return text.lower() == "true"
    if kind == "null":
        return None
    raise _CornerError
