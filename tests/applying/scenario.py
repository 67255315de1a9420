"""A portal and a configuration whose plan has every kind of step that design.md names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from reconciler.model.limits import (
    Desired,
    DesiredDirection,
    DesiredLimit,
    Label,
    ObjectType,
    Place,
    Unlabelled,
)
from reconciler.sandbox.example import bare_portal
from reconciler.sandbox.portal import AssociationType, Category, Portal

CONTACTS = ObjectType("0-1", "contacts")
COMPANIES = ObjectType("0-2", "companies")
DEALS = ObjectType("0-3", "deals")
TICKETS = ObjectType("0-5", "tickets")

LABELS = (
    ("contacts", "companies", 28, "Billing"),
    ("contacts", "companies", 30, "Decision maker"),
    ("contacts", "companies", 32, "Former"),
    ("companies", "contacts", 29, "Billing"),
    ("companies", "contacts", 31, "Decision maker"),
    ("companies", "contacts", 33, "Former"),
    ("deals", "contacts", 40, "Champion"),
    ("deals", "contacts", 41, "Sponsor"),
    ("deals", "contacts", 42, "Blocker"),
    ("contacts", "contacts", 50, "Manager"),
    ("contacts", "contacts", 51, "Sibling"),
    ("contacts", "contacts", 52, "Assistant"),
    ("tickets", "contacts", 60, "Reporter"),
    ("deals", "companies", 70, "Reseller"),
)

LIMITS = (
    ("contacts", "companies", 279, 5),
    ("contacts", "companies", 1, 1),
    ("contacts", "companies", 28, 1),
    ("contacts", "companies", 32, 2),
    ("companies", "contacts", 280, 10),
    ("companies", "contacts", 29, 8),
    ("companies", "contacts", 31, 2),
    ("companies", "contacts", 33, 3),
    ("deals", "contacts", 3, 6),
    ("deals", "contacts", 40, 4),
    ("deals", "contacts", 42, 2),
    ("contacts", "contacts", 50, 2),
    ("contacts", "contacts", 52, 5),
    ("tickets", "contacts", 60, 9),
    ("deals", "companies", 341, 7),
    ("deals", "companies", 70, 6),
)
"""What is in force before the apply; `deals → companies` is in no file."""

EDITED = ("companies", "contacts", 29, 7)
"""Had this limit until somebody changed it shortly before the plan was made."""

WANTED: tuple[tuple[ObjectType, ObjectType, tuple[tuple[str | None, int], ...]], ...] = (
    # The object limit is raised, so it goes first.
    (CONTACTS, COMPANIES, ((None, 8), ("Billing", 6), ("Decision maker", 7))),
    # It is lowered, so it goes last.
    (COMPANIES, CONTACTS, ((None, 4), ("Billing", 3), ("Former", 3))),
    # It is removed, so it goes first and sets the labels free.
    (DEALS, CONTACTS, (("Sponsor", 9), ("Blocker", 12))),
    # There is none before and none after.
    (CONTACTS, CONTACTS, (("Manager", 3), ("Sibling", 1))),
    # There is none before, so it goes last.
    (TICKETS, CONTACTS, ((None, 4), ("Reporter", 3))),
)


@cache
def portal() -> Portal:
    """The portal before the last edit."""
    made = bare_portal()
    for start, end, type_id, label in LABELS:
        made = made.with_type(
            start, end, AssociationType(Category.USER_DEFINED, type_id, label, None)
        )
    for start, end, type_id, maximum in LIMITS:
        made = made.with_limit(start, end, type_id, maximum)
    return made.with_limit(*EDITED)


def configuration() -> Desired:
    """What the files say: one per direction."""
    return Desired(tuple(_direction(*wanted) for wanted in WANTED))


def _direction(
    from_: ObjectType, to: ObjectType, limits: Sequence[tuple[str | None, int]]
) -> DesiredDirection:
    path = f"configs/{from_}-{to}.yaml"
    return DesiredDirection(
        from_,
        to,
        tuple(
            DesiredLimit(
                Unlabelled() if label is None else Label(label), maximum, Place(path, line, 3)
            )
            for line, (label, maximum) in enumerate(limits, start=3)
        ),
        prune=True,
        place=Place(path, 1, 1),
    )
