"""The portal as a value: object types by any name, limits, changes that make another value."""

from __future__ import annotations

import pytest

from reconciler.sandbox.example import empty_portal, example_portal
from reconciler.sandbox.portal import Associations, AssociationType, Category, Direction, TypeKey
from reconciler.sandbox.stand_in import Sandbox
from tests.sandbox.talking import VERSIONS, decoded, get, limits_path


@pytest.mark.parametrize("name", ["contact", "contacts", "Contacts", "CONTACT", "0-1"])
def test_a_standard_object_type_has_many_names(name: str) -> None:
    """Singular, plural, any case, or the type ID: all are one object type."""
    rows = decoded(get(Sandbox(example_portal()), limits_path("v4", name, "companies")))["results"]
    assert [row["typeId"] for row in rows] == [279, 28]


@pytest.mark.parametrize("name", ["2-4021", "p1234567_car", "P1234567_CAR"])
def test_a_custom_object_type_has_its_id_and_qualified_name(name: str) -> None:
    """Type ID or fully qualified name, in any case."""
    rows = decoded(get(Sandbox(example_portal()), limits_path("v4", name, "contacts")))["results"]
    assert [row["typeId"] for row in rows] == [40]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["car", "cars", "p_car", "2-9999", "spaceship"])
def test_any_other_name_is_refused(version: str, name: str) -> None:
    """A bare custom name and an unknown one get the observed error, which has no category."""
    response = get(Sandbox(example_portal()), limits_path(version, name, "contacts"))
    document = decoded(response)
    assert response.status == 400
    assert document["message"] == f"Unable to infer object type from: {name}"
    assert "category" not in document


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
