"""JSON Schemas of the configuration files, for editors."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from campuswatch.inventory.extensions import room_models
from campuswatch.inventory.models import (
    CalendarFile,
    District,
    MaintenanceFile,
    MappingsFile,
    School,
)
from campuswatch.settings import SettingsFile

_KERNEL: Final[dict[str, type[BaseModel]]] = {
    "district": District,
    "calendar": CalendarFile,
    "mappings": MappingsFile,
    "maintenance": MaintenanceFile,
    "school": School,
    "settings": SettingsFile,
}


def models() -> dict[str, type[BaseModel]]:
    """Return the models of all configuration files, by the name of their schema."""
    return _KERNEL | room_models()


class _Generator(GenerateJsonSchema):
    """Writes durations the way the files do: 28d, not ISO 8601's P28D."""

    def encode_default(self, dft: Any) -> Any:
        """Return a default as JSON."""
        if isinstance(dft, dt.timedelta):
            return _duration(dft)
        return super().encode_default(dft)


def _duration(value: dt.timedelta) -> str:
    seconds = int(value.total_seconds())
    unit, size = next(
        (unit, size)
        for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
        if seconds % size == 0
    )
    return f"{seconds // size}{unit}"


def schema_text(name: str) -> str:
    """Return the JSON Schema (draft 2020-12) of one kind of file."""
    schema = models()[name].model_json_schema(schema_generator=_Generator)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


def write_schemas(directory: Path) -> list[Path]:
    """Write every schema to `NAME.json` in a directory, and return the paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in models():
        path = directory / f"{name}.json"
        path.write_text(schema_text(name), encoding="utf-8")
        paths.append(path)
    return paths
