"""When labels are read, and what is left open without them."""

from __future__ import annotations

from reconciler.model.limits import ObservedDirection, ObservedLimit
from reconciler.planning.types import needs_labels
from tests.planning.factory import (
    BILLING,
    CONTACTS_COMPANIES,
    DECISION,
    OBJECT,
    declared,
    limit,
)


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
