"""From a part of the inventory back to the line that declares it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from campuswatch.inventory.documents import Document
from campuswatch.inventory.problems import Problem


class Places:
    """Where each model of the files read so far was declared.

    Models are told apart by identity: equal ones may stand in several places.
    """

    def __init__(self) -> None:
        self._places: dict[int, tuple[Document, tuple[str | int, ...]]] = {}
        self._kept: list[BaseModel] = []  # an id is only unique while its object lives

    def add(self, document: Document, content: BaseModel) -> None:
        """Note the place of `content`, which is all of `document`, and of its parts."""
        self._kept.append(content)
        self._walk(document, (), content)

    def problem(self, model: BaseModel, keys: Sequence[str | int], text: str) -> Problem:
        """Return a problem with the value below `model` to which `keys` lead."""
        document, location = self._places[id(model)]
        return document.problem((*location, *keys), text)

    def where(self, model: BaseModel) -> str:
        """Return FILE:LINE of a model, for messages that name a second place."""
        document, location = self._places[id(model)]
        return f"{document.path}:{document.line(location)}"

    def _walk(self, document: Document, location: tuple[str | int, ...], value: object) -> None:
        if isinstance(value, BaseModel):
            self._places[id(value)] = (document, location)
            for name in value.model_fields_set:
                self._walk(document, (*location, name), getattr(value, name))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._walk(document, (*location, index), item)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._walk(document, (*location, key), item)
