"""What may be wrong with profiles that load."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from campuswatch.inventory.documents import Document
from campuswatch.inventory.problems import InventoryError, Problem
from edge_agents.sources.snmp.profile import ProfileFile, Table, columns_of, read_profile
from edge_agents.sources.snmp.registry import GENERIC, SHIPPED, ProfileRegistry

_Read = tuple[ProfileFile, Document]


def lint_profiles(files: Sequence[Path]) -> tuple[list[Problem], int]:
    """Return the faults of files, and how many profiles were looked at.

    Args:
        files: beside the shipped ones; if there are none, those are looked at.
    """
    shipped, problems = _read(sorted(SHIPPED.rglob("*.yaml")))
    own, faults = _read(files)
    problems += faults
    looked_at = own if files else shipped
    every = [*shipped, *own]
    if not problems:
        problems += [problem for file in looked_at for problem in _namesakes(file, every)]
    if not problems:
        try:
            registry = ProfileRegistry(every)
        except InventoryError as error:
            problems += error.problems
        else:
            problems += [
                problem for file in looked_at for problem in _faults(file, every, registry)
            ]
    return sorted(set(problems)), len(looked_at)


def profile_schema() -> str:
    """Return the JSON Schema (draft 2020-12) of profile files."""
    schema = ProfileFile.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


def write_profile_schema(path: Path) -> None:
    """Write the JSON Schema of profile files."""
    path.write_text(profile_schema(), encoding="utf-8")


def _read(paths: Sequence[Path]) -> tuple[list[_Read], list[Problem]]:
    read: list[_Read] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            read.append(read_profile(path))
        except InventoryError as error:
            problems += error.problems
    return read, problems


def _faults(read: _Read, every: Sequence[_Read], registry: ProfileRegistry) -> Iterator[Problem]:
    file, document = read
    included = {name for other, _ in every for name in other.includes}
    if not file.match and file.name not in included and file.name != GENERIC:
        text = "nothing includes this profile and no device matches it; expected match"
        yield document.problem(("name",), text)
    for number, match in enumerate(file.match):
        if any(match in other.match for other, _ in every if other.name != file.name):
            text = "another profile has the same match; expected one that tells them apart"
            yield document.problem(("match", number), text)
    tables = registry.get(file.name).tables
    known = {table.id for table in tables}
    for number, table in enumerate(file.tables):
        if table.instead_of is not None and table.instead_of not in known:
            text = f"no table {table.instead_of!r} here or included; expected one that is"
            yield document.problem(("tables", number, "instead_of"), text)
        yield from _overlaps(document, number, table)
        yield from _repeats(document, number, table, tables)


def _namesakes(read: _Read, every: Sequence[_Read]) -> Iterator[Problem]:
    file, document = read
    if sum(other.name == file.name for other, _ in every) > 1:
        yield document.problem(("name",), f"two profiles are called {file.name!r}; expected one")


def _overlaps(document: Document, number: int, table: Table) -> Iterator[Problem]:
    oids = {name: column.oid for name, column in table.columns.items() if column.oid}
    for name, oid in oids.items():
        for other, within in oids.items():
            if not table.scalar and within.startswith(f"{oid}."):
                text = f"{name!r} also walks {other!r}, which is below it; expected a column"
                yield document.problem(("tables", number, "columns", name), text)


def _repeats(
    document: Document, number: int, table: Table, tables: Sequence[Table]
) -> Iterator[Problem]:
    """Find fields that two tables read from the same OIDs."""
    for other in tables:
        if other.id == table.id or other.measurement != table.measurement:
            continue
        if table.where != other.where:
            continue
        for field in table.fields.keys() & other.fields.keys():
            mine, theirs = _oids(table, field), _oids(other, field)
            if mine and mine == theirs:
                text = f"table {other.id!r} reads {field} from the same OIDs; expected one to"
                yield document.problem(("tables", number, "fields", field), text)


def _oids(table: Table, field: str) -> set[str]:
    columns = [table.columns[name] for name in columns_of(table.fields[field])]
    return {column.oid for column in columns if column.oid is not None}
