"""Readings of every legal shape, for property tests."""

from hypothesis import strategies as st

from campuswatch.lineprotocol import MAX_TIME, MIN_TIME, RESERVED_KEYS
from campuswatch.readings import FieldValue, Reading


def _unambiguous(text: str) -> bool:
    return not text.endswith("\\") and not any(f"\\{c}" in text for c in ',= "')


NAMES = st.text(
    st.sampled_from(',= \\"#a0i') | st.characters(exclude_categories=["Cs", "Cc"]),
    min_size=1,
    max_size=8,
).filter(_unambiguous)
KEYS = NAMES.filter(lambda name: name not in RESERVED_KEYS)
STRINGS = st.text(
    st.sampled_from(',= \\"\n\r\t') | st.characters(exclude_categories=["Cs"]), max_size=12
).filter(lambda text: "\0" not in text)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[FieldValue] = st.one_of(FLOATS, INTEGERS, st.booleans(), STRINGS)

READINGS = st.builds(
    Reading,
    NAMES.filter(lambda name: not name.startswith("#")),
    st.dictionaries(KEYS, NAMES, max_size=3),
    st.dictionaries(KEYS, VALUES, min_size=1, max_size=3),
    st.integers(MIN_TIME, MAX_TIME),
)
