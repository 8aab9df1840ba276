"""The order in which an agent's objects are walked."""

from hypothesis import given
from hypothesis import strategies as st
from pysnmp.proto.rfc1902 import Integer32

from simulator.mibs.tree import MibTree, Oid

OIDS = st.lists(st.integers(0, 40), min_size=2, max_size=5).map(lambda arcs: (1, 3, *arcs))


@given(oids=st.sets(OIDS, max_size=30), asked=OIDS)
def test_next_is_the_first_object_after_the_one_asked_for(oids: set[Oid], asked: Oid) -> None:
    tree = MibTree({oid: Integer32(number) for number, oid in enumerate(oids)})
    found = tree.get_next(asked, 0.0)
    expected = min((oid for oid in oids if oid > asked), default=None)
    assert (None if found is None else tuple(found[0])) == expected


@given(oids=st.sets(OIDS, max_size=30), asked=OIDS)
def test_get_finds_exactly_what_is_there(oids: set[Oid], asked: Oid) -> None:
    tree = MibTree({oid: Integer32(number) for number, oid in enumerate(oids)})
    assert (tree.get(asked, 0.0) is not None) == (asked in oids)


def test_a_value_may_depend_on_the_time() -> None:
    tree = MibTree({(1, 3, 6): lambda now: Integer32(int(now))})
    found = tree.get((1, 3, 6), 17.0)
    assert found is not None
    assert int(found[1]) == 17
