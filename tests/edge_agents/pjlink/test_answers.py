"""What projectors answer, as the PJLink specification has it, and what they had better not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.measurements import CATALOGUE
from edge_agents.sources.pjlink import answers
from edge_agents.sources.pjlink.answers import (
    IDENTITY,
    POWER,
    SPARES,
    STATUS,
    NonsenseError,
    PasswordError,
    PjLinkError,
    RefusedError,
)

READERS: list[Callable[[str], Any]] = [query.read for query in (POWER, *STATUS)] + [answers.level]


def test_the_specification_s_example_of_a_digest() -> None:
    assert answers.digest("498e4a67", "JBMIAProjectorLink") == "5d8409bc1c3fa39749434aa3a5c38682"


@pytest.mark.parametrize(
    ("line", "salt"),
    [("PJLINK 0", None), ("PJLINK 1 498e4a67", "498e4a67"), ("pjlink 0", None)],
)
def test_greetings(line: str, salt: str | None) -> None:
    assert answers.parse_greeting(line) == salt


@pytest.mark.parametrize("line", ["", "PJLINK", "PJLINK 2", "PJLINK 1", "PJLINK 1 xyz", "SSH-2.0"])
def test_no_greetings(line: str) -> None:
    with pytest.raises(PjLinkError, match="no PJLink greeting"):
        answers.parse_greeting(line)


@pytest.mark.parametrize("code", ["ERR1", "ERR2", "ERR3", "ERR4"])
def test_refusals_say_which(code: str) -> None:
    with pytest.raises(RefusedError, match=code) as caught:
        answers.parse_answer(f"%1LAMP={code}", 1, "LAMP")
    assert caught.value.code == code


def test_a_refused_password() -> None:
    with pytest.raises(PasswordError):
        answers.parse_answer("PJLINK ERRA", 1, "POWR")


@pytest.mark.parametrize("line", ["%1LAMP=1", "%2POWR=1", "POWR=1", "%1POWR 1", ""])
def test_the_answer_to_something_else_is_none(line: str) -> None:
    with pytest.raises(PjLinkError, match="no answer to POWR"):
        answers.parse_answer(line, 1, "POWR")


@pytest.mark.parametrize(
    ("read", "value", "fields"),
    [
        (answers.power, "3", {"power": 3}),
        (answers.shown, "31", {"input": "digital 1"}),
        (answers.shown, "6A", {"input": "internal A"}),
        (answers.lamp_hours, "1234 1", {"lamp_hours": 1234.0}),
        (answers.lamp_hours, "800 1 2200 0", {"lamp_hours": 2200.0}),
        (answers.filter_hours, "99999", {"filter_hours": 99999.0}),
    ],
)
def test_values(read: Callable[[str], Any], value: str, fields: dict[str, Any]) -> None:
    assert read(value) == fields


def test_errors_by_part() -> None:
    assert answers.errors("012000") == {
        "fan_error": 0,
        "lamp_error": 1,
        "temperature_error": 2,
        "cover_error": 0,
        "filter_error": 0,
        "other_error": 0,
    }


@given(st.text(), st.sampled_from(READERS))
def test_any_value_is_read_or_called_nonsense(value: str, read: Callable[[str], Any]) -> None:
    try:
        read(value)
    except NonsenseError:
        return
    assert value.isascii()
    assert value.isprintable()


@given(st.text(), st.sampled_from([POWER, *STATUS, *IDENTITY, *SPARES]))
def test_any_line_is_an_answer_or_an_error(line: str, query: answers.Query) -> None:
    try:
        value = answers.parse_answer(line, query.level, query.command)
    except PjLinkError:
        return
    assert line == f"%{query.level}{query.command}={value}"


@given(st.lists(st.tuples(st.integers(0, 99999), st.sampled_from("01")), min_size=1, max_size=8))
def test_of_several_lamps_the_oldest_counts(lamps: list[tuple[int, str]]) -> None:
    value = " ".join(f"{hours} {lit}" for hours, lit in lamps)
    assert answers.lamp_hours(value) == {"lamp_hours": max(hours for hours, _ in lamps)}


@pytest.mark.parametrize("query", [POWER, *STATUS, *SPARES])
def test_every_field_is_in_the_catalogue(query: answers.Query) -> None:
    examples = {"POWR": "1", "INPT": "31", "LAMP": "5 1", "ERST": "000000", "FILT": "7"}
    fields = query.read(examples.get(query.command, "X-1"))
    assert CATALOGUE["projector"].reading({"device": "p"}, dict(fields), 0).fields == fields
