"""What the files must say for the plan to be empty, and what a file names a limit by."""

from __future__ import annotations

import pytest

from reconciler.errors import ConfigurationInvalid
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
    Selector,
    TypeKey,
    UnknownRow,
    Unlabelled,
)
from reconciler.planning.adoption import Adoption, adopt, name_limits, unwritable

USER, HUBSPOT = Category.USER_DEFINED, Category.HUBSPOT_DEFINED
DIRECTION = Direction(ObjectType("0-1", "contacts"), ObjectType("0-2", "companies"))
PLACE = Place("a.yaml", 1, 7)


def row(
    number: int, label: str | None, value: int | None, category: Category = USER
) -> ObservedLimit:
    """A row of the direction's limits."""
    return ObservedLimit(AssociationType(TypeKey(category, number), label), value)


def seen(*rows: ObservedLimit, labels: tuple[AssociationType, ...] = ()) -> ObservedDirection:
    """What the portal shows, its labels with it."""
    return ObservedDirection(DIRECTION, rows, (*(each.type for each in rows), *labels))


def declared(*limits: tuple[Selector, int | None], prune: bool = True) -> ResolvedDirection:
    """What a file says, each limit on a line of its own."""
    return ResolvedDirection(
        DIRECTION,
        tuple(
            DesiredLimit(selector, value, Place("a.yaml", line, 10), name_place=None)
            for line, (selector, value) in enumerate(limits, start=3)
        ),
        prune,
        PLACE,
    )


def names(*rows: ObservedLimit, taken: tuple[str, ...] = ()) -> list[tuple[Selector, int | None]]:
    """What a file names these limits by."""
    observed = seen(*rows)
    keys = [each.type.key for each in rows if each.max is not None]
    return [(each.selector, each.max) for each in name_limits(observed, keys, taken)]


def test_what_is_equal_needs_nothing() -> None:
    """A number, and `unlimited` for a type without a limit."""
    file = declared((Unlabelled(), 5), (Label("A"), None))
    found = adopt(file, seen(row(1, None, 5, HUBSPOT), row(2, "A", None)))
    assert found == Adoption(file, found.observed)
    assert found.changes == 0


def test_values_additions_and_what_is_gone() -> None:
    """Each as what it is."""
    file = declared((Unlabelled(), 5), (Label("A"), 1), (Label("Gone"), 1))
    found = adopt(file, seen(row(1, None, 9, HUBSPOT), row(2, "A", None), row(3, "New", 3)))
    assert [(limit.selector, value) for limit, value in found.values] == [
        (Unlabelled(), 9),
        (Label("A"), None),
    ]
    assert found.added == (TypeKey(USER, 3),)
    assert [limit.selector for limit in found.gone] == [Label("Gone")]
    assert found.changes == 4


@pytest.mark.parametrize(
    ("prune", "extra"),
    [(False, row(3, "New", 3)), (True, row(3, "Primary", 1, HUBSPOT))],
)
def test_what_no_plan_removes_is_not_added(prune: bool, extra: ObservedLimit) -> None:
    """Unmanaged limits stay unmanaged."""
    file = declared((Unlabelled(), 5), prune=prune)
    assert adopt(file, seen(row(1, None, 5, HUBSPOT), extra)).changes == 0


def test_a_type_whose_row_is_unknown_is_left_alone() -> None:
    """Nobody knows what it holds."""
    key = TypeKey(USER, 2)
    observed = ObservedDirection(
        DIRECTION,
        (row(1, None, 5, HUBSPOT),),
        (AssociationType(key, "A"),),
        unknown=(UnknownRow("USER_DEFINED/2", "the limit -1", key, AssociationType(key, "A")),),
    )
    assert adopt(declared((Unlabelled(), 5), (Label("A"), 1)), observed).changes == 0


def test_a_limit_above_what_a_file_can_say_is_left_as_it_is() -> None:
    """Named or not: no edit could write it."""
    found = adopt(declared((Label("A"), 1)), seen(row(1, "A", 60_000), row(2, "B", 60_000)))
    assert (found.changes, set(found.above)) == (0, {TypeKey(USER, 1), TypeKey(USER, 2)})


def test_a_name_that_could_mean_two_types_is_an_error() -> None:
    """Nothing is guessed."""
    with pytest.raises(ConfigurationInvalid):
        adopt(declared((Label("A"), 1)), seen(row(1, "A", 1), row(2, "A", 1, HUBSPOT)))


def test_the_object_limit_comes_first_then_labels_in_order() -> None:
    """As `fmt` sorts them."""
    assert names(row(3, "beta", 1), row(1, None, 5, HUBSPOT), row(2, "Alpha", 2)) == [
        (Unlabelled(), 5),
        (Label("Alpha"), 2),
        (Label("beta"), 1),
    ]


def test_the_category_says_which_of_two_is_meant() -> None:
    """Also where the other one has no limit; a second one of that text goes by its ID."""
    assert names(row(1, "A", 1), row(2, "A", None, HUBSPOT)) == [(Label("A", USER), 1)]
    assert names(row(1, "A", 1), row(2, "A", 2, HUBSPOT)) == [
        (Label("A", HUBSPOT), 2),
        (ByTypeId(TypeKey(USER, 1)), 1),
    ]
    assert names(row(1, None, 1), row(2, None, None, HUBSPOT)) == [(Unlabelled(USER), 1)]


def test_what_no_label_can_name_goes_by_its_id() -> None:
    """Two types of one category, a text too long for a key, a label that the file has already."""
    assert names(row(1, "A", 1), row(2, "A", None)) == [(ByTypeId(TypeKey(USER, 1)), 1)]
    assert names(row(1, "A" * 501, 1)) == [(ByTypeId(TypeKey(USER, 1)), 1)]
    assert names(row(1, "A", 1), taken=("A",)) == [(ByTypeId(TypeKey(USER, 1)), 1)]


def test_a_label_limit_above_the_object_limit_goes_by_its_id() -> None:
    """A file may not say it by label, and the portal says so all the same."""
    assert names(row(1, "A", 6), row(2, None, 5, HUBSPOT)) == [
        (Unlabelled(), 5),
        (ByTypeId(TypeKey(USER, 1)), 6),
    ]


def test_a_limit_above_what_a_file_can_say_is_left_out() -> None:
    """And reported as such."""
    observed = seen(row(1, "A", 50_001), row(2, "B", 50_000))
    assert [each.selector for each in name_limits(observed, observed.values())] == [Label("B")]
    assert [each.label for each in unwritable(observed)] == ["A"]
