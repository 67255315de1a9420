"""A portal whose plan has every kind of step that design.md names, and applies of that plan.

`play` applies it with a fault at one of its requests, and sees the portal right afterwards.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.errors import ExitCode
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.limits import (
    Desired,
    DesiredDirection,
    DesiredLimit,
    Label,
    ObjectType,
    Place,
    Unlabelled,
)
from reconciler.model.plan import Outcome, Plan
from reconciler.sandbox.example import bare_portal
from reconciler.sandbox.portal import AssociationType, Category, Portal
from reconciler.sandbox.rules import Rules
from tests.applying import truth
from tests.applying.faults import Fault, Phase
from tests.applying.world import Ran, World

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


# ---------------------------------------------------------------- applies of its plan


@dataclass(frozen=True, slots=True)
class Variation:
    """A portal that behaves in one of the ways that are not known of HubSpot."""

    rules: Rules = field(default_factory=Rules)
    version: ApiVersion = ApiVersion.V2026_03
    concurrency: int = 1


USUAL = Variation()


def world(folder: Path, variation: Variation) -> World:
    """The scenario's portal, a second after somebody edited it."""
    made = World.in_process(
        folder,
        portal(),
        rules=variation.rules,
        version=variation.version,
        concurrency=variation.concurrency,
    )
    start, end, type_id, _ = EDITED
    planned = next(limit for limit in LIMITS if limit[:3] == (start, end, type_id))
    made.sandbox.edit(start, end, type_id, planned[3])
    made.clock.wait(1.0)
    return made


@cache
def plan(variation: Variation) -> Plan:
    """The scenario's plan; it is the same every time."""
    with TemporaryDirectory() as folder:
        return world(Path(folder), variation).plan(configuration())


@cache
def phases(variation: Variation) -> tuple[Phase, ...]:
    """What each request of an undisturbed apply is for, in order."""
    with TemporaryDirectory() as folder:
        ran = world(Path(folder), variation).apply(plan(variation))
    truth.check(ran)
    assert ran.code is ExitCode.DONE
    methods = [entry.method for entry in ran.requests]
    first_write = methods.index("POST")
    return tuple(
        Phase.WRITING if method == "POST" else _reading(number, first_write)
        for number, method in enumerate(methods)
    )


def _reading(number: int, first_write: int) -> Phase:
    return Phase.CHECKING if number < first_write else Phase.READING_BACK


def positions(fault: Fault, variation: Variation) -> list[int]:
    """The requests, from 1, at which this fault can strike; one, where it has its own choice."""
    found = [
        number for number, phase in enumerate(phases(variation), start=1) if phase in fault.phases
    ]
    return found if fault.is_placed else found[:1]


def play(
    fault: Fault, number: int, variant: int, folder: Path, variation: Variation = USUAL
) -> Ran:
    """Apply the scenario's plan with the fault at the request of this number.

    Whatever happens, the report must be true, and one more apply must put everything right.
    """
    made = world(folder, variation)
    trouble = fault.trouble(number, made.clock) if fault.trouble else None
    save: Callable[[int], None] = full_disk(number) if fault.breaks_journal else ignore
    ran = made.apply(plan(variation), fault.faults(number, variant), trouble=trouble, save=save)
    truth.check(ran, stopped=fault.stops, journal_is_whole=not fault.breaks_journal)
    converge(made, ran)
    return ran


def converge(made: World, ran: Ran) -> None:
    """The trouble is over: one apply of a new plan, and nothing is left to do."""
    made.recover()
    if ran.result.outcome in (Outcome.FAILED, Outcome.REFUSED):
        assert truth.effective(made.sandbox.history[ran.history :]) == [], "it was written later"
    again = made.apply(made.plan(configuration()))
    truth.check(again)
    assert again.code is ExitCode.DONE
    assert made.plan(configuration()).changes == ()
    replayed = made.apply(ran.plan)
    truth.check(replayed)
    assert replayed.code is ExitCode.REFUSED, "the plan was applied a second time"


def ignore(_: int) -> None:
    """A disk that is never full, and takes no time."""


def full_disk(number: int) -> Callable[[int], None]:
    """A disk that takes what is saved for the start and for so many requests, less one."""
    saved = 0

    def save(_: int) -> None:
        nonlocal saved
        saved += 1
        if saved > number:
            raise OSError(errno.ENOSPC, "No space left on device")

    return save
