"""The portals to start from."""

from __future__ import annotations

from reconciler.sandbox.configurations import inverse_key
from reconciler.sandbox.example import (
    bare_portal,
    empty_portal,
    example_portal,
    generated_portal,
    standard_directions,
    standard_object_types,
)
from reconciler.sandbox.portal import Category


def test_the_main_pairs_have_an_unlabelled_type_each_way() -> None:
    """279 and 280 between contacts and companies, 4 and 3 between contacts and deals."""
    portal = bare_portal()
    for start, end, type_id in [
        ("contacts", "companies", 279),
        ("companies", "contacts", 280),
        ("contacts", "deals", 4),
        ("deals", "contacts", 3),
        ("companies", "companies", 450),
    ]:
        types = portal.associations(portal.direction(start, end)).types.values()
        assert [one.type_id for one in types if one.label is None] == [type_id]


def test_type_ids_of_hubspot_are_unique() -> None:
    """No two directions share one, and no direction has two unlabelled types."""
    directions = standard_directions().values()
    keys = [key for associations in directions for key in associations.types]
    assert len(keys) == len(set(keys)) == 378
    for associations in directions:
        assert sum(one.label is None for one in associations.types.values()) <= 1


def test_inverses_point_at_each_other() -> None:
    """In the standard table and in the example account alike."""
    portal = example_portal()
    for direction, associations in portal.directions.items():
        for one in associations.types.values():
            key = inverse_key(one)
            if key is not None:
                back = portal.associations(direction.inverse).types[key]
                assert inverse_key(back) == one.key


def test_standard_object_types_have_ids_and_names() -> None:
    """A plural that is more than an s, and one that is the singular."""
    found = standard_object_types().find("Company")
    assert found is not None
    assert (found.id, found.plural, found.is_custom) == ("0-2", "companies", False)
    assert len(list(standard_object_types())) == 32


def test_the_example_has_every_kind_of_association_type() -> None:
    """Three categories, single and paired labels, and some limits that keep the rule."""
    portal = example_portal()
    every = list(portal.directions.values())
    categories = {key.category for associations in every for key in associations.types}
    assert categories == {
        Category.HUBSPOT_DEFINED,
        Category.USER_DEFINED,
        Category.INTEGRATOR_DEFINED,
    }
    assert sum(len(associations.limits) for associations in every) == 6
    assert not any(associations.breaks_rule for associations in every)


def test_an_empty_portal_knows_names_and_no_types() -> None:
    """For tests that want nothing but their own."""
    portal = empty_portal(42)
    assert portal.portal_id == 42
    assert portal.directions == {}
    assert portal.direction("contacts", "deals") == ("0-1", "0-3")


def test_a_large_portal_is_made_in_no_time() -> None:
    """400 directions of 50 labels: 20,000 label limits and 400 object limits."""
    portal = generated_portal(400, 50, limit=2)
    assert len(portal.directions) == 400
    assert sum(len(one.limits) for one in portal.directions.values()) == 400 * 51
    keys = {key for one in portal.directions.values() for key in one.types}
    assert len(keys) == 400 * 51
    first = next(iter(portal.directions.values()))
    assert (first.object_limit, first.highest_label_limit) == (1_002, 2)


def test_a_large_portal_can_be_without_limits() -> None:
    """To start a first apply from."""
    portal = generated_portal(3, 2, limit=None)
    assert [len(one.types) for one in portal.directions.values()] == [3, 3, 3]
    assert not any(one.limits for one in portal.directions.values())
