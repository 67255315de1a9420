"""What a file has to say so that one portal becomes like another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.object_types import standard_type
from reconciler.model.limits import (
    AssociationType,
    ByTypeId,
    Category,
    DesiredLimit,
    Direction,
    Label,
    ObjectType,
    ObservedDirection,
    ObservedLimit,
    Place,
    ResolvedDirection,
    TypeKey,
    UnknownRow,
    Unlabelled,
)
from reconciler.planning.comparison import (
    Carried,
    Carrier,
    PortalLimits,
    differences,
    limit_name,
)
from reconciler.planning.diff import wanted_limits
from reconciler.planning.names import name_types

NAMES = {"0-1": "contacts", "0-2": "companies", "0-3": "deals"}
PAIR = ("contacts", "companies")
PLACE = Place("pair.yaml", 1, 1)
OWN, HUBSPOTS = Category.USER_DEFINED, Category.HUBSPOT_DEFINED


def type_(
    type_id: int, label: str | None = None, category: Category | None = None
) -> AssociationType:
    """A type of HubSpot's where it has no label, else a user's."""
    chosen = category or (HUBSPOTS if label is None else OWN)
    return AssociationType(TypeKey(chosen, type_id), label)


def portal(
    name: str, *limits: tuple[AssociationType, int], unknown: tuple[UnknownRow, ...] = ()
) -> PortalLimits:
    """A portal with limits from contacts to companies."""
    rows = tuple(ObservedLimit(each, value) for each, value in limits)
    direction = Direction(*(named(id_) for id_ in ("0-1", "0-2")))
    seen = ObservedDirection(direction, rows, unknown=unknown)
    return PortalLimits(name, (seen,) if rows or unknown else (), NAMES, named)


def named(id_: str) -> ObjectType:
    """What a file calls an object type."""
    return standard_type(id_) or ObjectType(id_, id_)


def carrier(
    a: PortalLimits, b: PortalLimits, types: Sequence[AssociationType], *, prune: bool = True
) -> Carrier:
    """From A to B, which has these types in every direction."""
    return Carrier(a, b, lambda _: types, prune)


def said(carried: Carried | None) -> list[tuple[object, int | None]]:
    """What a file says, by what it names limits by."""
    assert carried is not None
    return [(each.selector, each.max) for each in carried.limits]


OBJECT, BILLING, OLD = type_(279), type_(901, "Billing contact"), type_(902, "Old")
TYPES = (OBJECT, BILLING, OLD, type_(1, "Primary", HUBSPOTS))


def test_limits_are_named_by_what_they_are_called_in_the_other_portal() -> None:
    """Whatever the type IDs are there."""
    a = portal("a", (type_(5), 4), (type_(28, "Billing contact"), 2))
    both, left = carrier(a, portal("b"), TYPES).complete(PAIR)
    assert said(both) == [(Unlabelled(), 4), (Label("Billing contact"), 2)]
    assert left == []


def test_a_label_that_means_two_types_there_is_named_with_its_category() -> None:
    """As in a pair file that was written for that portal by hand."""
    a = portal("a", (type_(28, "Primary"), 2))
    both, _ = carrier(a, portal("b"), (*TYPES, type_(903, "Primary"))).complete(PAIR)
    assert said(both) == [(Label("Primary", OWN), 2)]


def test_a_limit_that_only_the_other_has_is_no_longer_named() -> None:
    """Its direction is declared, so it is removed."""
    both, _ = carrier(portal("a", (OBJECT, 4)), portal("b", (OLD, 1)), TYPES).complete(PAIR)
    assert said(both) == [(Unlabelled(), 4)]


@pytest.mark.parametrize(
    ("a", "only_b", "prune"),
    [
        (portal("a"), OLD, True),
        (portal("a", (OBJECT, 4)), TYPES[3], True),
        (portal("a", (OBJECT, 4)), OLD, False),
    ],
    ids=["nothing else to say", "a label of HubSpot's", "a workspace that prunes nothing"],
)
def test_it_is_named_as_unlimited_where_it_would_stay_otherwise(
    a: PortalLimits, only_b: AssociationType, *, prune: bool
) -> None:
    """So that the plan removes it."""
    both, _ = carrier(a, portal("b", (only_b, 1)), TYPES, prune=prune).complete(PAIR)
    assert (Label(str(only_b.label)), None) in said(both)


def test_only_what_differs_goes_into_an_overlay() -> None:
    """Removed limits as unlimited: the pair files below may name them."""
    a = portal("a", (OBJECT, 4), (BILLING, 2))
    b = portal("b", (OBJECT, 4), (BILLING, 3), (OLD, 1))
    over, _ = carrier(a, b, TYPES).differing(PAIR)
    assert said(over) == [(Label("Billing contact"), 2), (Label("Old"), None)]


@pytest.mark.parametrize(
    ("limit", "types", "why"),
    [
        ((type_(28, "Manager"), 1), TYPES, "b has no such label"),
        ((type_(5), 1), (BILLING,), "b has no such association between these object types"),
        ((BILLING, 1), (*TYPES, type_(904, "Billing contact")), "several labels of this name"),
        ((OBJECT, 50_001), TYPES, "a file cannot say more than 50000"),
    ],
)
def test_what_no_file_can_say_is_left_out(
    limit: tuple[AssociationType, int], types: Sequence[AssociationType], why: str
) -> None:
    """With the reason; the rest is carried over."""
    a = portal("a", limit, (OLD, 1))
    both, (left,) = carrier(a, portal("b"), (*types, *({OLD} - {*types}))).complete(PAIR)
    assert said(both) == [(Label("Old"), 1)]
    assert (left.value, why in left.why) == (limit[1], True)


def test_nothing_of_a_missing_object_type_is_carried() -> None:
    """It has to be made first."""
    b = PortalLimits("b", (), {}, named)
    cars = Direction(ObjectType("2-5", "cars"), ObjectType("2-6", "parts"))
    a = PortalLimits(
        "a", (ObservedDirection(cars, (ObservedLimit(OBJECT, 1),)),), {"2-5": "car"}, named
    )
    (difference,) = differences(a, b)
    none, (left,) = carrier(a, b, TYPES).complete(difference.name.direction)
    assert (none, left.why) == (None, "b has no such object type")


def test_a_limit_that_cannot_be_named_does_not_disappear() -> None:
    """A direction in which something had to be left out is not pruned, and says so."""
    row = UnknownRow("a row", "the value", BILLING.key, BILLING)
    a = portal("a", (OBJECT, 4), (BILLING, 60_000))
    b = portal("b", (BILLING, 3), (OLD, 1))
    both, (left,) = carrier(a, b, TYPES).complete(PAIR)
    assert both is not None
    assert (both.prune, left.value) == (False, 60_000)
    assert said(both) == [(Unlabelled(), 4), (Label("Old"), None)]
    unread, (odd,) = carrier(a, portal("b", unknown=(row,)), TYPES).differing(PAIR)
    assert (said(unread), odd.why) == (
        [(Unlabelled(), 4)],
        "this version does not know what b has",
    )


def test_a_standard_type_without_a_name_is_the_same_everywhere() -> None:
    """HubSpot publishes no name for some: their ID holds in every portal."""
    odd = Direction(named("0-999"), named("0-1"))
    a = PortalLimits("a", (ObservedDirection(odd, (ObservedLimit(OBJECT, 1),)),), NAMES, named)
    both, left = carrier(a, PortalLimits("b", (), NAMES, named), TYPES).complete(
        ("0-999", "contacts")
    )
    assert (said(both), left) == ([(Unlabelled(), 1)], [])


def test_types_that_no_label_names_are_named_by_the_other_portals_ids() -> None:
    """A label that is too long for a key of a file."""
    text = "x" * 600
    a = portal("a", (type_(28, text), 2))
    both, _ = carrier(a, portal("b"), (OBJECT, type_(905, text))).complete(PAIR)
    assert said(both) == [(ByTypeId(TypeKey(OWN, 905)), 2)]


# ---------------------------------------------------------------- whatever the two have

NAMED = st.tuples(
    st.sampled_from([OWN, HUBSPOTS, Category.INTEGRATOR_DEFINED]),
    st.sampled_from([None, "A", "B", "Primary", "x" * 600]),
)
LIMITS = st.none() | st.integers(1, 5) | st.just(60_000)


@st.composite
def two_portals(draw: st.DrawFn) -> tuple[PortalLimits, PortalLimits, list[AssociationType]]:
    """Limits under the same names, other type IDs, and what the second portal has types for."""
    ours: list[tuple[AssociationType, int]] = []
    theirs: list[tuple[AssociationType, int]] = []
    there: list[AssociationType] = []
    names = draw(st.lists(NAMED, max_size=6, unique_by=lambda each: each if each[1] else None))
    for number, (category, label) in enumerate(names, 1):
        if (limit := draw(LIMITS)) is not None:
            ours.append((type_(number, label, category), limit))
        if draw(st.integers(0, 3)):
            there.append(type_(number + draw(st.sampled_from([0, 900])), label, category))
            if (limit := draw(LIMITS)) is not None:
                theirs.append((there[-1], limit))
    return portal("a", *ours), portal("b", *theirs), there


@given(two_portals(), st.booleans(), st.booleans())
def test_planned_files_leave_only_what_was_left_out(
    two: tuple[PortalLimits, PortalLimits, list[AssociationType]],
    prune: bool,
    overlay: bool,
) -> None:
    """Pair files and overlays alike, with and without pruning."""
    a, b, there = two
    made = carrier(a, b, there, prune=prune)
    carried, left = made.differing(PAIR) if overlay else made.complete(PAIR)
    after = dict(b.values)
    if carried is not None:
        limits = tuple(DesiredLimit(each.selector, each.max, PLACE) for each in carried.limits)
        pruned = prune and carried.prune and not overlay
        declared = ResolvedDirection(carried.direction, limits, pruned, PLACE)
        seen = replace(b.seen(carried.direction), labels=tuple(there))
        named = name_types(declared, seen)
        assert named.diagnostics == ()
        for key, value in wanted_limits(declared, named.limits, seen.types()).items():
            name = limit_name(PAIR, seen.types()[key])
            after.pop(name, None)
            if value is not None:
                after[name] = value
    out = {each.name for each in left}
    assert {name: value for name, value in after.items() if name not in out} == {
        name: value for name, value in a.values.items() if name not in out
    }
    assert {name: after.get(name) for name in out} == {name: b.values.get(name) for name in out}
