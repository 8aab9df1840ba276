"""The profiles there are, and which one fits a device."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from campuswatch.errors import UserError
from campuswatch.inventory.documents import Document
from campuswatch.inventory.problems import InventoryError, Problem
from edge_agents.sources.snmp.profile import ProfileFile, Table, moved, read_profile

SHIPPED: Final = Path(__file__).parents[2] / "profiles"
"""The profiles that come with Campuswatch."""

GENERIC: Final = "generic"
"""The profile of whatever no other recognises."""


@dataclass(frozen=True)
class Profile:
    """A profile with everything it includes.

    Attributes:
        name: its id.
        title: for people.
        vendor: "" if it is not one vendor's.
        tables: what to read; those of included profiles first.
    """

    name: str
    title: str
    vendor: str
    tables: tuple[Table, ...]

    @property
    def oids(self) -> set[str]:
        """All columns and scalars that it reads."""
        columns = [column.oid for table in self.tables for column in table.columns.values()]
        markers = [oid for table in self.tables for oid in table.changed_by]
        return {oid for oid in (*columns, *markers) if oid is not None}


class ProfileRegistry:
    """All profiles by name."""

    def __init__(self, files: Iterable[tuple[ProfileFile, Document]]) -> None:
        """Compose profiles; of two with the same name the later counts.

        Raises:
            InventoryError: an include that does not exist, or that leads back.
        """
        self._files = {file.name: (file, document) for file, document in files}
        self._profiles = {name: self._compose(name) for name in self._files}

    @classmethod
    def load(cls, *directories: Path) -> ProfileRegistry:
        """Read the shipped profiles, and those of further directories on top.

        Raises:
            InventoryError: with everything that is wrong, by file and line.
        """
        files: list[tuple[ProfileFile, Document]] = []
        problems: list[Problem] = []
        for directory in (SHIPPED, *directories):
            for path in sorted(directory.rglob("*.yaml")):
                try:
                    files.append(read_profile(path))
                except InventoryError as error:
                    problems.extend(error.problems)
        if problems:
            raise InventoryError(problems)
        return cls(files)

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._profiles)

    @property
    def oids(self) -> set[str]:
        """All that any profile reads, or is chosen by."""
        matches = [match for file, _ in self._files.values() for match in file.match]
        found = {match.answers for match in matches if match.answers is not None}
        return found.union(*(profile.oids for profile in self._profiles.values()))

    @property
    def makers(self) -> dict[str, str]:
        """Vendors by their number below 1.3.6.1.4.1, as far as profiles tell."""
        return {
            match.object_id.split(".")[6]: file.vendor
            for file, _ in self._files.values()
            for match in file.match
            if match.object_id is not None and match.object_id.count(".") >= 6 and file.vendor
        }

    def get(self, name: str) -> Profile:
        """Return a profile by its name.

        Raises:
            UserError: there is none.
        """
        try:
            return self._profiles[name]
        except KeyError:
            known = ", ".join(self.names)
            raise UserError(f"unknown SNMP profile {name!r}; expected one of {known}") from None

    def choose(self, object_id: str, description: str, answering: Collection[str] = ()) -> Profile:
        """Return the profile that fits a device best, `generic` if none does.

        Args:
            object_id: sysObjectID, dotted.
            description: sysDescr.
            answering: those of `probes` that the device has values at.
        """
        weights = {
            name: max(
                (match.weight(object_id, description, answering) for match in file.match),
                default=0,
            )
            for name, (file, _) in self._files.items()
        }
        best = max(weights, key=lambda name: (weights[name], name), default=GENERIC)
        return self.get(best if weights.get(best) else GENERIC)

    def probes(self, object_id: str, description: str) -> list[str]:
        """Return the OIDs to ask a device for before choosing its profile.

        They are those of the matches that fit but for it. A match by nothing
        else is tried on devices that no sysObjectID and no sysDescr tells of.
        """
        matches = [match for file, _ in self._files.values() for match in file.match]
        known = any(match.weight(object_id, description) for match in matches)
        return sorted(
            {
                match.answers
                for match in matches
                if match.answers is not None
                and (match.object_id or match.description or not known)
                and match.weight(object_id, description, [match.answers])
            }
        )

    def _compose(self, name: str) -> Profile:
        file, document = self._files[name]
        tables: dict[str, Table] = {}
        for part in self._in_order(name, ()):
            for number, omitted in enumerate(part.omits):
                if omitted not in tables:
                    known = ", ".join(tables) or "none"
                    text = f"no included table {omitted!r}; expected one of {known}"
                    raise InventoryError([document.problem(("omits", number), text)])
                del tables[omitted]
            for id_, columns in part.without.items():
                table = tables.get(id_)
                if table is None or not columns.keys() <= table.columns.keys():
                    text = f"expected an included table {id_!r} with columns {', '.join(columns)}"
                    raise InventoryError([document.problem(("without", id_), text)])
                without = {**table.without, **columns}
                tables[id_] = table.model_copy(update={"without": without})
            if part.moved:
                tables = {id_: moved(table, part.moved) for id_, table in tables.items()}
            tables |= {table.id: table for table in part.tables}
        return Profile(file.name, file.title, file.vendor, tuple(tables.values()))

    def _in_order(self, name: str, path: tuple[str, ...]) -> list[ProfileFile]:
        """Return a profile after all that it includes."""
        file, document = self._files[name]
        found: list[ProfileFile] = []
        for number, include in enumerate(file.includes):
            place = ("includes", number)
            if include not in self._files:
                known = ", ".join(sorted(self._files))
                text = f"unknown profile {include!r}; expected one of {known}"
                raise InventoryError([document.problem(place, text)])
            if include in (*path, name):
                text = f"{include!r} includes itself; expected no circle"
                raise InventoryError([document.problem(place, text)])
            found += self._in_order(include, (*path, name))
        return [*found, file]
