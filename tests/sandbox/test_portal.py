"""Portals are values: every change makes another one."""

from __future__ import annotations

import pytest

from reconciler.sandbox.example import empty_portal, example_portal
from reconciler.sandbox.portal import Associations, AssociationType, Category, Direction, TypeKey

UNLABELLED = AssociationType(Category.USER_DEFINED, 1)
LABEL = AssociationType(Category.USER_DEFINED, 2, "Friend")


def with_limits(object_limit: int | None, label_limit: int | None) -> Associations:
    """A direction of two types with these limits."""
    both = Associations().with_type(UNLABELLED).with_type(LABEL)
    return both.with_limit(UNLABELLED.key, object_limit).with_limit(LABEL.key, label_limit)


@pytest.mark.parametrize(
    ("object_limit", "label_limit", "breaks"),
    [(5, 4, False), (5, 5, False), (5, 6, True), (None, 6, False), (5, None, False)],
)
def test_the_rule_breaks_when_a_label_limit_is_above(
    object_limit: int | None, label_limit: int | None, breaks: bool
) -> None:
    """Equal limits and missing ones break nothing."""
    assert with_limits(object_limit, label_limit).breaks_rule is breaks


def test_removing_a_type_removes_its_limit() -> None:
    """No limit is left without a type."""
    left = with_limits(5, 4).without_type(LABEL.key)
    assert (list(left.types), dict(left.limits)) == ([UNLABELLED.key], {UNLABELLED.key: 5})


def test_a_portal_can_be_built_step_by_step() -> None:
    """Types and limits by any name of the object types; the portal before is as it was."""
    before = empty_portal()
    after = before.with_type("contact", "Deals", LABEL).with_limit("0-1", "deal", 2, 7)
    assert after.limits("contacts", "deals") == {("USER_DEFINED", 2): 7}
    assert before.directions == {}
    assert after.with_limit("contacts", "deals", 2, None).limits("contacts", "deals") == {}


def test_a_type_id_of_two_categories_needs_the_category() -> None:
    """Otherwise it would be a guess whose limit changes."""
    twin = AssociationType(Category.WORK, 2, "Friend")
    portal = empty_portal().with_type("contacts", "deals", LABEL).with_type("0-1", "0-3", twin)
    with pytest.raises(LookupError, match="Two categories"):
        portal.with_limit("contacts", "deals", 2, 7)
    assert portal.with_limit("contacts", "deals", 2, 7, Category.WORK).associations(
        Direction("0-1", "0-3")
    ).limits == {TypeKey(Category.WORK, 2): 7}


def test_an_unknown_object_type_is_an_error() -> None:
    """In HubSpot's words."""
    with pytest.raises(LookupError, match="Unable to infer object type from: car"):
        example_portal().direction("car", "contacts")
