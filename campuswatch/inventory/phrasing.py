"""Pydantic's errors in the words of somebody who runs a network.

What was expected is read from the model's JSON Schema, so that the message
and the hint in the user's editor never differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from campuswatch.inventory.documents import Location, Source
from campuswatch.inventory.models import SLUG_WORDS
from campuswatch.inventory.problems import InventoryError, Problem
from campuswatch.inventory.wording import nearest

Schema = dict[str, Any]
AnyModel = TypeVar("AnyModel", bound=BaseModel)

_LONGEST_VALUE: Final = 60
_URL_SECRET: Final = re.compile(r"//[^/]*@")
_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys and values, indented below it",
}
_FORMATS: Final = {"date": "a date such as 2026-09-01", "time": 'a time such as "08:00"'}


def validate_document(source: Source, model: type[AnyModel]) -> AnyModel:
    """Return what a source holds as `model`.

    Raises:
        InventoryError: with every fault of the source; values of secrets
            are not quoted.
    """
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        raise InventoryError(_problems(source, model, error.errors())) from None


def _problems(
    source: Source, model: type[BaseModel], errors: list[ErrorDetails]
) -> Iterator[Problem]:
    schema = _SchemaTree(model)
    meant = {
        (error["loc"][:-1], near)
        for error in errors
        if error["type"] == "extra_forbidden" and (near := _nearest(schema, error["loc"]))
    }
    for error in errors:
        location = error["loc"]
        if error["type"] == "missing" and (location[:-1], location[-1]) in meant:
            continue  # the misspelt key is reported, and once it is right nothing is missing
        yield source.problem(schema.written(location), _text(schema, error))


def _text(schema: _SchemaTree, error: ErrorDetails) -> str:
    location, kind = error["loc"], error["type"]
    if kind in {"extra_forbidden", "invalid_key"}:
        near = _nearest(schema, location)
        known = f"expected one of {', '.join(schema.keys(location[:-1]))}"
        return f"unknown key {location[-1]!r}; " + (f"did you mean {near!r}?" if near else known)
    if kind == "missing":
        return f"key {location[-1]!r} is missing; expected {schema.expected(location)}"
    if kind == "union_tag_not_found":
        return f"key {_tag(error)!r} is missing; expected {schema.variants(location)}"
    if kind == "union_tag_invalid":
        value, variants = error["input"][_tag(error)], schema.variants(location)
        quotes = " in quotes" if _quoted(str(value)) in variants else ""
        return f"{_tag(error)} is {_quoted(value)}; expected {variants}{quotes}"
    expected = schema.expected(location)
    if kind == "value_error":
        said = str(error["ctx"]["error"])
        if isinstance(error["input"], dict):
            return said
        expected = said.removeprefix("expected ")
    near = nearest(str(error["input"]), schema.at(location).get("enum", []))
    expected = f"expected {expected}" if near is None else f"did you mean {_quoted(near)}?"
    return f"{_name(location)} is {_found(schema, error)}; {expected}"


def _tag(error: ErrorDetails) -> str:
    return str(error["ctx"]["discriminator"]).strip("'")


def _nearest(schema: _SchemaTree, location: Location) -> str | None:
    return nearest(str(location[-1]), schema.keys(location[:-1]))


def _name(location: Location) -> str:
    """Return the last key of a location: where a list item is wrong, the list's."""
    keys = [part for part in location if isinstance(part, str) and part != "[key]"]
    if not keys:
        return "the file"
    return f"key {keys[-1]!r}" if location[-1] == "[key]" else keys[-1]


def _found(schema: _SchemaTree, error: ErrorDetails) -> str:
    """Return words for the faulty value, without quoting what may be a secret."""
    value = error["input"]
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if error["loc"][-1:] == ("[key]",):
        return "no such key"
    if schema.is_secret(error["loc"]):
        return "no reference to a secret"
    return "a single value" if schema.is_group(error["loc"]) else _quoted(value)


def _quoted(value: object) -> str:
    if isinstance(value, str):
        text = _URL_SECRET.sub("//…@", value)
        short = text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
        return json.dumps(short, ensure_ascii=False)
    return json.dumps(value, default=str)


def _one_of(values: list[object]) -> str:
    words = [_quoted(value) for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _variants(schema: Schema) -> dict[str | int, str]:
    """Return the references to a union's variants, by tag; {} if it is no union."""
    variants: dict[str | int, str] = schema.get("discriminator", {}).get("mapping", {})
    return variants


class _SchemaTree:
    """The JSON Schema of a model, walked by pydantic's error locations."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._root: Schema = model.model_json_schema()
        self._definitions: dict[str, Schema] = self._root.get("$defs", {})

    def at(self, location: Location) -> Schema:
        """Return the schema of the value at a location; {} if there is none."""
        return self._path(location)[-1]

    def written(self, location: Location) -> Location:
        """Return a location as the file has it: without the tags of unions."""
        path = self._path(location)
        return [
            part
            for part, schema in zip(location, path, strict=False)
            if part not in _variants(schema)
        ]

    def _path(self, location: Location) -> list[Schema]:
        path = [self._settled(self._root)]
        for part in location:
            path.append(self._settled(self._child(path[-1], part)))
        return path

    def keys(self, location: Location) -> list[str]:
        """Return the keys that the mapping at a location may have."""
        return list(self.at(location).get("properties", {}))

    def variants(self, location: Location) -> str:
        """Return words for the tags of the union at a location."""
        return _one_of(list(_variants(self.at(location))))

    def is_secret(self, location: Location) -> bool:
        """Return whether the value at a location refers to a secret."""
        return "writeOnly" in self.at(location)

    def is_group(self, location: Location) -> bool:
        """Return whether keys or items belong at a location, not a single value."""
        schema = self.at(location)
        return "oneOf" in schema or schema.get("type") in {"object", "array"}

    def expected(self, location: Location) -> str:
        """Return words for what belongs at a location."""
        if location[-1:] == ("[key]",):
            return SLUG_WORDS if "patternProperties" in self.at(location[:-2]) else "text"
        schema = self.at(location)
        if words := schema.get("patternErrorMessage"):
            return str(words)
        if "enum" in schema:
            return _one_of(schema["enum"])
        if "const" in schema:
            return _one_of([schema["const"]])
        if words := _FORMATS.get(schema.get("format", "")):
            return words
        words = _TYPES.get(schema.get("type", "object"), "a value")
        return words + _bounds(schema) + _example(schema)

    def _child(self, schema: Schema, part: str | int) -> Schema:
        if part in (variants := _variants(schema)):
            return {"$ref": variants[part]}
        named = schema.get("properties", {})
        others = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
        child = schema.get("items") if isinstance(part, int) else named.get(part, others[0])
        return child if isinstance(child, dict) else {}

    def _settled(self, schema: Schema) -> Schema:
        """Follow references, and look through "or null"."""
        while True:
            if "$ref" in schema:
                schema = self._definitions[schema["$ref"].rpartition("/")[2]]
            elif len(schema.get("allOf", [])) == 1:
                schema = schema["allOf"][0]
            elif options := [o for o in schema.get("anyOf", []) if o.get("type") != "null"]:
                schema = options[0]
            else:
                return schema


def _bounds(schema: Schema) -> str:
    bounds = (
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "less than"),
    )
    words = [f"{word} {schema[key]:g}" for key, word in bounds if key in schema]
    if "maxLength" in schema:
        words.append(f"{schema.get('minLength', 0)} to {schema['maxLength']} characters")
    if schema.get("minItems") == 1:
        words.append("at least one item")
    return f", {' and '.join(words)}" if words else ""


def _example(schema: Schema) -> str:
    return f" such as {_quoted(schema['examples'][0])}" if schema.get("examples") else ""
