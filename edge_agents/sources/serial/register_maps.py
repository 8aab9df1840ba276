"""Register maps: what a kind of Modbus slave holds, as YAML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from pymodbus.client.mixin import ModbusClientMixin

from campuswatch.inventory.decoder_checks import fault
from campuswatch.inventory.documents import Document, read_document
from campuswatch.inventory.models import Model, Name, NamedField, Slug
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.problems import InventoryError, Problem
from campuswatch.measurements import CATALOGUE
from edge_agents.sources.serial.modbus import Block, Function

SHIPPED: Final = Path(__file__).with_name("maps")
"""The maps that come with Campuswatch."""

DIRECTORY: Final = "registers"
"""Where a district's own maps are, beside its inventory."""

_Type = ModbusClientMixin.DATATYPE
_TYPES: Final = {
    "u16": _Type.UINT16,
    "s16": _Type.INT16,
    "u32": _Type.UINT32,
    "s32": _Type.INT32,
    "u64": _Type.UINT64,
    "s64": _Type.INT64,
    "f32": _Type.FLOAT32,
    "f64": _Type.FLOAT64,
}
_TAGS: Final = {"device", "room", "sensor"}


class Register(NamedField):
    """Where one field of a reading is."""

    function: Function = Field(
        description="holding (read by function 3) or input registers (function 4)."
    )
    address: int = Field(
        ge=0, le=65535, description="As it is sent, from 0: 30001 and 40001 of a manual are 0."
    )
    type: Literal["u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64"] = "u16"
    word_order: Literal["big", "little"] = Field(
        default="big", description="Whether the register with the highest bits comes first."
    )
    scale: float = Field(default=1.0, description="What the number is multiplied by.")
    sensor: str = Field(default="", description="Which of several sensors of one kind it is.")

    @property
    def block(self) -> Block:
        """The registers that it takes."""
        return Block(self.function, self.address, _TYPES[self.type].value[1])

    def number(self, words: list[int]) -> float:
        """Return the number that the registers of `block` hold."""
        raw = ModbusClientMixin.convert_from_registers(
            words, _TYPES[self.type], word_order=self.word_order
        )
        assert isinstance(raw, int | float)
        return raw * self.scale

    def words(self, number: float) -> list[int]:
        """Return the registers of `block` as they hold a number, as near as their type can."""
        raw = number / self.scale
        return ModbusClientMixin.convert_to_registers(
            raw if self.type.startswith("f") else round(raw),
            _TYPES[self.type],
            word_order=self.word_order,
        )


class RegisterMap(Model):
    """What one kind of slave holds."""

    id: Slug
    name: Name = Field(description="Maker and model.")
    source: Name = Field(description="The manual that the addresses are from.")
    registers: list[Register] = Field(min_length=1)


def load_maps(*directories: Path) -> dict[str, RegisterMap]:
    """Read the shipped maps, and those of further directories on top.

    Raises:
        InventoryError: with everything that is wrong, by file and line.
    """
    maps: dict[str, RegisterMap] = {}
    problems: list[Problem] = []
    for directory in (SHIPPED, *directories):
        for path in sorted(directory.glob("*.yaml")):
            try:
                found = _read(path)
            except InventoryError as error:
                problems += error.problems
            else:
                maps[found.id] = found
    if problems:
        raise InventoryError(problems)
    return maps


def _read(path: Path) -> RegisterMap:
    document = read_document(path)
    found = validate_document(document, RegisterMap)
    if problems := list(_problems(document, found)):
        raise InventoryError(problems)
    return found


def _problems(document: Document, found: RegisterMap) -> Iterator[Problem]:
    if found.id != document.path.stem:
        text = f"id is {found.id!r} in a file named {document.path.name!r}"
        yield document.problem(["id"], f"{text}; expected them to agree")
    for index, register in enumerate(found.registers):
        if (wrong := _fault(register)) is not None:
            yield document.problem(["registers", index, "field"], wrong)


def _fault(register: Register) -> str | None:
    if (text := fault(register)) is not None:
        return text
    measurement = CATALOGUE[register.field.partition(".")[0]]
    if not set(measurement.tags[: measurement.required]) <= _TAGS or (
        register.sensor and "sensor" not in measurement.tags
    ):
        return f"measurement {measurement.name!r} needs other tags; expected one such as power"
    return None
