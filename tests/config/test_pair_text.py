"""Pair files made of limits: their names, order and text."""

from __future__ import annotations

import pytest

from reconciler.config.formatting import canonical_text
from reconciler.config.pair_text import DirectionText, PairFile, object_type_text, pair_files
from reconciler.config.sources import Source
from reconciler.model.limits import (
    ByTypeId,
    Category,
    Direction,
    Label,
    ObjectType,
    Selector,
    TypeKey,
    Unlabelled,
)
from tests.config.support import text

CONTACTS, COMPANIES = ObjectType("0-1", "contacts"), ObjectType("0-2", "companies")
DEALS, ORDERS = ObjectType("0-3", "deals"), ObjectType("0-123", "orders")


def direction(
    from_: ObjectType, to: ObjectType, *limits: tuple[Selector, int], prune: bool = True
) -> DirectionText:
    """A direction with limits, by default an object limit of 1."""
    return DirectionText(Direction(from_, to), limits or ((Unlabelled(), 1),), prune)


def made(*directions: DirectionText, custom_known: bool = True) -> list[PairFile]:
    """The files of these directions, each in canonical form."""
    files = pair_files(directions, custom_known=custom_known)
    for each in files:
        assert canonical_text(Source(each.name, each.text.encode())) == each.text
    return list(files)


def names(*directions: DirectionText) -> list[str]:
    """The names of their files."""
    return [each.name for each in made(*directions)]


def test_both_directions_are_in_one_file() -> None:
    """The more familiar type first, whatever the order they come in."""
    (file,) = made(
        direction(COMPANIES, CONTACTS, (Label("Billing: contact"), 2)),
        direction(
            CONTACTS,
            COMPANIES,
            (Unlabelled(), 5),
            (Label("Decision maker", Category.USER_DEFINED), 3),
            (ByTypeId(TypeKey(Category.WORK, 9)), 1),
        ),
    )
    assert (file.name, file.limits) == ("contacts-companies.yaml", 4)
    assert file.text == text(
        """\
        from: contacts
        to: companies
        max: 5
        labels:
          Decision maker: {max: 3, category: USER_DEFINED}
        types:
          - {category: WORK, type_id: 9, max: 1}
        inverse:
          labels:
            "Billing: contact": 2
        """
    )


def test_a_single_direction_keeps_the_name_of_its_pair() -> None:
    """So that the other one, should it come, has its place."""
    (file,) = made(direction(COMPANIES, CONTACTS))
    assert (file.name, file.text) == (
        "contacts-companies.yaml",
        "from: companies\nto: contacts\nmax: 1\n",
    )


def test_familiar_pairs_come_first() -> None:
    """Contacts, companies, deals; then HubSpot's other types; then custom objects by name."""
    car, boat = ObjectType("2-9", "car"), ObjectType("2-10", "Boat")
    assert names(
        direction(car, DEALS),
        direction(boat, CONTACTS),
        direction(ORDERS, CONTACTS),
        direction(DEALS, COMPANIES),
        direction(CONTACTS, CONTACTS),
        direction(DEALS, CONTACTS),
    ) == [
        "contacts-contacts.yaml",
        "contacts-deals.yaml",
        "contacts-orders.yaml",
        "contacts-Boat.yaml",
        "companies-deals.yaml",
        "deals-car.yaml",
    ]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", ".hidden", "a/b", "", "nul\0", "x" * 101, "é"]
)
def test_a_name_never_leaves_the_folder(name: str) -> None:
    """What is not a plain name is called by its object type ID."""
    assert names(direction(CONTACTS, ObjectType("2-9", name))) == ["contacts-2-9.yaml"]


def test_names_that_a_file_system_cannot_tell_apart() -> None:
    """The second one goes by IDs."""
    assert names(
        direction(CONTACTS, ObjectType("2-9", "car")),
        direction(CONTACTS, ObjectType("2-10", "Car")),
        direction(ObjectType("2-1", "a-b"), ObjectType("2-2", "c")),
        direction(ObjectType("2-3", "a"), ObjectType("2-4", "b-c")),
    ) == ["contacts-Car.yaml", "0-1-2-9.yaml", "a-b-c.yaml", "2-1-2-2.yaml"]


def test_prune_is_off_where_a_limit_is_left_out() -> None:
    """Otherwise a plan would remove it."""
    (file,) = made(direction(CONTACTS, COMPANIES), direction(COMPANIES, CONTACTS, prune=False))
    assert file.text.endswith("inverse:\n  max: 1\n  prune: false\n")
    (file,) = made(direction(CONTACTS, COMPANIES, prune=False), direction(COMPANIES, CONTACTS))
    assert file.text.endswith("inverse:\n  max: 1\n  prune: true\nprune: false\n")


@pytest.mark.parametrize(
    ("object_type", "custom_known", "written"),
    [
        (CONTACTS, False, "contacts"),
        (ORDERS, True, "orders"),
        (ORDERS, False, "0-123"),
        (ObjectType("0-123", "0-123"), True, "0-123"),
        (ObjectType("2-9", "car"), True, "car"),
        (ObjectType("2-9", "contcts"), True, "2-9"),
        (ObjectType("2-9", "contacts"), True, "2-9"),
        (ObjectType("2-9", "what ever"), True, "2-9"),
    ],
)
def test_an_object_type_is_named_so_that_it_means_no_other(
    object_type: ObjectType, custom_known: bool, written: str
) -> None:
    """By its ID where its name could be read as another one."""
    assert object_type_text(object_type, custom_known=custom_known) == written
