"""From a part of the inventory back to the line that declares it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from campuswatch.inventory.documents import Source
from campuswatch.inventory.problems import Problem


class Places:
    """Where each model of the files read so far was declared.

    Models are told apart by identity: equal ones may stand in several places.
    """

    def __init__(self) -> None:
        self._places: dict[int, tuple[Source, tuple[str | int, ...]]] = {}
        self._kept: list[BaseModel] = []  # an id is only unique while its object lives

    def add(self, source: Source, content: BaseModel) -> None:
        """Note the place of `content`, which is all of `source`, and of its parts."""
        self._kept.append(content)
        self._walk(source, (), content)

    def replace(self, old: BaseModel, new: BaseModel) -> None:
        """Let `new` stand at the place of `old`; its parts must have places already."""
        self._kept.append(new)
        self._places[id(new)] = self._places[id(old)]

    def problem(self, model: BaseModel, keys: Sequence[str | int], text: str) -> Problem:
        """Return a problem with the value below `model` to which `keys` lead."""
        source, location = self._places[id(model)]
        return source.problem((*location, *keys), text)

    def where(self, model: BaseModel) -> str:
        """Return FILE:LINE of a model, for messages that name a second place."""
        source, location = self._places[id(model)]
        return f"{source.path}:{source.line(location)}"

    def _walk(self, source: Source, location: tuple[str | int, ...], value: object) -> None:
        if isinstance(value, BaseModel):
            self._places[id(value)] = (source, location)
            for name in value.model_fields_set:
                self._walk(source, (*location, name), getattr(value, name))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._walk(source, (*location, index), item)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._walk(source, (*location, key), item)
