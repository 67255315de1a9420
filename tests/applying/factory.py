"""Small portals, configurations and changes for the tests of one part."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.limits import (
    AssociationType,
    Category,
    Desired,
    DesiredDirection,
    DesiredLimit,
    Direction,
    Label,
    ObjectType,
    Place,
    TypeKey,
    Unlabelled,
)
from reconciler.model.plan import Batch, BatchInput, Change, Operation
from reconciler.sandbox.example import bare_portal
from reconciler.sandbox.portal import AssociationType as SandboxType
from reconciler.sandbox.portal import Category as SandboxCategory
from reconciler.sandbox.portal import Portal

CONTACTS, COMPANIES = ObjectType("0-1", "contacts"), ObjectType("0-2", "companies")
CONTACTS_COMPANIES = Direction(CONTACTS, COMPANIES)
FIRST_LABEL = 101


def label_id(number: int) -> int:
    """The type ID of `Label 1`, `Label 2`, …"""
    return FIRST_LABEL + number - 1


def portal(labels: int, limits: Mapping[int, int], object_limit: int | None = None) -> Portal:
    """Contacts → companies with so many labels, some with a limit, by their numbers from 1."""
    made = bare_portal()
    for number in range(1, labels + 1):
        made = made.with_type(
            "contacts",
            "companies",
            SandboxType(SandboxCategory.USER_DEFINED, label_id(number), f"Label {number}"),
        )
    for number, maximum in limits.items():
        made = made.with_limit("contacts", "companies", label_id(number), maximum)
    return made.with_limit("contacts", "companies", 279, object_limit)


def wanted(limits: Mapping[int, int], object_limit: int | None = None) -> Desired:
    """What a file would say of contacts → companies; `Label 3` stands in line 3."""
    named = {Unlabelled(): object_limit} if object_limit is not None else {}
    lines = {number: (Label(f"Label {number}"), limits[number]) for number in limits}
    return Desired(
        (
            DesiredDirection(
                CONTACTS,
                COMPANIES,
                (
                    *(DesiredLimit(key, value, _place(100)) for key, value in named.items()),
                    *(
                        DesiredLimit(label, value, _place(number))
                        for number, (label, value) in lines.items()
                    ),
                ),
                prune=True,
                place=_place(1),
            ),
        )
    )


def _place(line: int) -> Place:
    return Place("configs/contacts-companies.yaml", line, 3)


def key(number: int) -> TypeKey:
    """The key of `Label 1`, `Label 2`, …"""
    return TypeKey(Category.USER_DEFINED, label_id(number))


def change(number: int = 1, before: int | None = 1, after: int | None = 2) -> Change:
    """A change of one label's limit."""
    return Change(
        CONTACTS_COMPANIES,
        AssociationType(key(number), f"Label {number}"),
        before,
        after,
        source=_place(number),
    )


def batch(operation: Operation, **limits: int | None) -> Batch:
    """One request for labels by number: `batch(Operation.UPDATE, _1=5, _2=6)`."""
    inputs = tuple(BatchInput(key(int(name[1:])), value) for name, value in limits.items())
    return Batch(1, operation, "0-1", "0-2", inputs)
