"""Object types get their IDs, limits their types, and labels are read only where they must be."""

from __future__ import annotations

import pytest

from reconciler.errors import ConfigurationInvalid
from reconciler.model.limits import (
    CustomName,
    CustomObject,
    DesiredDirection,
    ObjectReference,
    ObjectType,
    ObservedDirection,
    ObservedLimit,
    Place,
)
from reconciler.planning.names import (
    names_custom_objects,
    needs_labels,
    resolve_directions,
    try_resolve,
)
from tests.planning.factory import (
    BILLING,
    COMPANIES,
    CONTACTS,
    CONTACTS_COMPANIES,
    DECISION,
    OBJECT,
    declared,
    limit,
)

CAR = CustomObject("2-4021", "car", "p1234567_car")
CARAVAN = CustomObject("2-4022", "caravan", "p1234567_caravan")


def direction(from_: ObjectReference, to: ObjectReference, line: int = 1) -> DesiredDirection:
    """A declaration without limits."""
    return DesiredDirection(from_, to, (), prune=True, place=Place("configs/a.yaml", line, 7))


def test_custom_names_are_resolved_per_portal() -> None:
    """Name, fully qualified name and ID are one object."""
    for reference in (
        CustomName("car"),
        CustomName("p1234567_car"),
        ObjectType("2-4021", "2-4021"),
    ):
        (found,) = resolve_directions([direction(CONTACTS, reference)], [CAR, CARAVAN])
        assert (found.direction.to.id, found.direction.to.name) == ("2-4021", "car")


def test_schemas_are_needed_only_for_custom_names() -> None:
    """Standard names and IDs know themselves."""
    assert not names_custom_objects([direction(CONTACTS, COMPANIES)])
    assert names_custom_objects([direction(CONTACTS, CustomName("car"))])


def test_an_unknown_custom_object_names_the_nearest() -> None:
    """At the declaration."""
    with pytest.raises(ConfigurationInvalid) as caught:
        resolve_directions([direction(CONTACTS, CustomName("cra"))], [CAR])
    (found,) = caught.value.diagnostics
    assert (found.code, found.hint) == ("object-type-unknown", "did you mean car?")


def test_two_names_of_one_object_declare_one_direction_twice() -> None:
    """Only the portal can tell; both places are named."""
    declared = [
        direction(CONTACTS, CustomName("car"), line=1),
        direction(CONTACTS, ObjectType("2-4021", "2-4021"), line=9),
    ]
    found = try_resolve(declared, [CAR]).diagnostics
    assert [(each.code, each.place.line) for each in found] == [("direction-duplicate", 9)]


def test_a_name_two_objects_share_is_ambiguous() -> None:
    """It takes an ID."""
    twin = CustomObject("2-1", "car", "p1_car")
    found = try_resolve([direction(CONTACTS, CustomName("car"))], [CAR, twin]).diagnostics
    assert [each.code for each in found] == ["object-type-ambiguous"]


PROJECT = CustomObject("2-777", "project", "p1234567_project")
PROJECTS = ObjectType("0-970", "projects", ("project", "projects"), often_custom=True)
TICKETS = ObjectType("0-5", "tickets", ("ticket", "tickets"))


def test_a_name_that_a_custom_object_has_too_is_ambiguous() -> None:
    """Both IDs are offered; nobody is to guess which of the two is meant."""
    found = try_resolve([direction(CONTACTS, PROJECTS)], [CAR, PROJECT]).diagnostics
    assert [each.code for each in found] == ["object-type-ambiguous"]
    assert found[0].message == (
        '"projects" could mean HubSpot\'s projects (0-970) or the custom object project (2-777) '
        "of this portal"
    )
    assert found[0].hint == "write the object type ID: 0-970 or 2-777"


def test_any_standard_name_is_ambiguous_once_the_custom_objects_are_known() -> None:
    """They may be read for another name."""
    ticket = CustomObject("2-5", "TICKET", "p1234567_ticket")
    found = try_resolve([direction(TICKETS, CustomName("car"))], [CAR, ticket]).diagnostics
    assert [each.code for each in found] == ["object-type-ambiguous"]


def test_ids_and_full_names_are_never_ambiguous() -> None:
    """And two types of one name are not shown by the same one."""
    standard = ObjectType("0-970", "projects")
    namesake = CustomObject("2-778", "projects", "p1234567_projects")
    for custom in (ObjectType("2-778", "2-778"), CustomName("p1234567_projects")):
        declared = [direction(CONTACTS, standard, 1), direction(CONTACTS, custom, 9)]
        shown = [str(each.direction.to) for each in resolve_directions(declared, [namesake])]
        assert shown == ["projects", "p1234567_projects"]


def test_a_standard_name_without_a_namesake_is_the_standard_type() -> None:
    """As HubSpot takes it."""
    (found,) = resolve_directions([direction(CONTACTS, PROJECTS)], [CAR])
    assert found.direction.to == ObjectType("0-970", "projects")


def test_schemas_are_needed_for_names_that_custom_objects_often_have() -> None:
    """Not for contacts, companies and deals, which every portal has had from the start."""
    assert names_custom_objects([direction(CONTACTS, PROJECTS)])
    assert not names_custom_objects([direction(CONTACTS, TICKETS)])
    assert not names_custom_objects([direction(CONTACTS, ObjectType("0-970", "projects"))])


# ---------------------------------------------------------------- when labels are read


def seen(*rows: ObservedLimit) -> ObservedDirection:
    """A direction whose labels were not read."""
    return ObservedDirection(CONTACTS_COMPANIES, rows)


def test_rows_that_name_everything_are_enough() -> None:
    """The steady state costs one request per direction."""
    rows = seen(ObservedLimit(OBJECT, 5), ObservedLimit(BILLING, 1))
    assert not needs_labels(declared(limit(OBJECT, 6), limit(BILLING, 2)), rows)


def test_a_number_for_an_unnamed_type_needs_the_labels() -> None:
    """Only they tell its type ID."""
    assert needs_labels(declared(limit(BILLING, 1)), seen(ObservedLimit(OBJECT, 5)))
    assert needs_labels(declared(limit(OBJECT, 1)), seen())


def test_unlimited_costs_nothing_where_nothing_could_be_meant() -> None:
    """Every limit in force is named, so there is none this could have misspelt."""
    rows = seen(ObservedLimit(BILLING, 1))
    assert not needs_labels(declared(limit(BILLING, 1), limit(DECISION, None)), rows)


def test_unlimited_needs_the_labels_where_a_limit_is_left_unnamed() -> None:
    """The unnamed one may be what a misspelt label meant."""
    rows = seen(ObservedLimit(BILLING, 1))
    assert needs_labels(declared(limit(DECISION, None), prune=False), rows)


def test_an_unlimited_object_limit_never_needs_the_labels() -> None:
    """There is one unlabelled type, and no name to misspell."""
    rows = seen(ObservedLimit(BILLING, 1))
    assert not needs_labels(declared(limit(OBJECT, None)), rows)
