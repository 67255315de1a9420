"""Play a fault at one request of a whole apply, and see the portal right afterwards."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.errors import ExitCode
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.plan import Outcome, Plan
from reconciler.sandbox.rules import Rules
from tests.applying import scenario, truth
from tests.applying.faults import Fault, Phase
from tests.applying.world import Ran, World


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
        scenario.portal(),
        rules=variation.rules,
        version=variation.version,
        concurrency=variation.concurrency,
    )
    start, end, type_id, _ = scenario.EDITED
    planned = next(limit for limit in scenario.LIMITS if limit[:3] == (start, end, type_id))
    made.sandbox.edit(start, end, type_id, planned[3])
    made.clock.wait(1.0)
    return made


@cache
def plan(variation: Variation) -> Plan:
    """The scenario's plan; it is the same every time."""
    with TemporaryDirectory() as folder:
        return world(Path(folder), variation).plan(scenario.configuration())


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
    again = made.apply(made.plan(scenario.configuration()))
    truth.check(again)
    assert again.code is ExitCode.DONE
    assert made.plan(scenario.configuration()).changes == ()
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
