"""Whether what is selected by id is there."""

from __future__ import annotations

from collections.abc import Iterator

from campuswatch.inventory.models import SchoolSelector
from campuswatch.inventory.parts import Parts
from campuswatch.inventory.places import Places
from campuswatch.inventory.problems import Problem
from campuswatch.inventory.wording import unknown


def errors(parts: Parts, places: Places, selector: SchoolSelector) -> Iterator[Problem]:
    """Yield selected schools that nobody describes."""
    schools = [school.id for school in parts.schools]
    for index, identity in enumerate(selector.ids or []):
        if identity not in schools:
            text = unknown("school", identity, schools, "schools/")
            yield places.problem(selector, ["ids", index], text)
