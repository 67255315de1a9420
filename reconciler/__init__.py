"""Association limits of HubSpot portals, kept equal to YAML committed in git.

The way of a limit: `load` reads it from a file, `observe` reads the portal beside it, `make_plan`
compares the two, `confirm_drift` reads once more what somebody seems to have changed in HubSpot,
`apply_plan` writes the difference and reads it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.defaults import SETTLE, VERIFY_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reconciler.applying.events import Event
    from reconciler.config.sources import Loaded
    from reconciler.http.clock import Clock
    from reconciler.hubspot.portal import Portal
    from reconciler.model.limits import Account, CustomObject, Desired, Safety
    from reconciler.model.plan import Plan, Result
    from reconciler.planning.origin import Observation
    from reconciler.planning.plan import PlanContext

__version__ = "0.1.0"
__all__ = ["apply_plan", "confirm_drift", "load", "make_plan", "observe"]


def load(paths: Sequence[Path], *, prune: bool = True) -> Loaded:
    """What the pair files below `paths` say; raises ConfigurationInvalid with all errors."""
    from reconciler.config.loading import load as load_files

    return load_files(paths, prune=prune)


def observe(
    portal: Portal,
    desired: Desired,
    *,
    base: Desired | None = None,
    tip: Desired | None = None,
    ref: str = "the base ref",
    portal_id: int | None = None,
) -> Observation:
    """Read what the files are about: one request per direction, plus one.

    Labels are read where the rows of a direction do not name what the files name, and custom
    object schemas where a custom name is used. The account is read at the same time. `base`: the
    limits desired at the merge base; `tip`: those of `ref` as it is now, None where it has not moved
    on since. `portal_id`: the portal that is meant; raises WrongPortal, whatever else fails, where
    the token belongs to another.
    """
    from functools import partial

    from reconciler.errors import PermissionMissing
    from reconciler.model.limits import Observed
    from reconciler.planning.names import (
        names_custom_objects,
        needs_labels,
        resolve_directions,
        shared_names,
    )
    from reconciler.planning.origin import History, Observation, find_vanished, resolve_past
    from reconciler.planning.plan import declared_directions

    read_account = partial(portal.account, portal_id)
    sides = [each for each in (desired, base, tip) if each is not None]
    named = [direction for side in sides for direction in side.directions]
    known: Account | None = None
    custom: tuple[CustomObject, ...] = ()
    if names_custom_objects(named):
        try:
            known, (custom,) = portal.beside(read_account, [portal.custom_objects])
        except PermissionMissing as error:
            if not (ids := shared_names(named)):
                raise
            raise PermissionMissing(
                error.message,
                hint=f"{error.hint}; or write object type IDs, which no custom object can share: {ids}",
                category=error.category,
                correlation_id=error.correlation_id,
            ) from error
    vanished = () if base is None else find_vanished(desired, base, custom)
    gone = {direction.place for direction, _ in vanished}
    head = resolve_directions(
        [each for each in desired.directions if each.place not in gone], custom
    )
    history = None
    if base is not None:
        before = resolve_past(base, desired, custom)
        after = before if tip is None else resolve_past(tip, desired, custom)
        history = History(before, after, ref)
    declared = {each.direction.key: each for each in declared_directions(head, history)}
    account, directions = portal.read_beside(
        read_account if known is None else lambda: known,
        [each.direction for each in declared.values()],
        needs_labels=lambda seen: needs_labels(declared[seen.direction.key], seen),
    )
    found = tuple(each for _, each in vanished)
    return Observation(head, history, Observed(account, tuple(directions)), found)


def make_plan(
    observation: Observation, *, context: PlanContext, safety: Safety | None = None
) -> Plan:
    """Everything that would make the portal equal to the files; writes nothing.

    `safety`: the thresholds past which the plan states that it is refused, by default those of a
    workspace that sets none. Raises ConfigurationInvalid where a limit cannot mean what the file
    says, or HubSpot's rule would not hold.
    """
    from reconciler.planning import plan

    return plan.make_plan(observation, context=context, safety=safety)


def confirm_drift(
    plan: Plan,
    observation: Observation,
    portal: Portal,
    *,
    clock: Clock,
    settle: float = SETTLE,
    beside: Sequence[Callable[[], None]] = (),
) -> None:
    """Read again the directions of which the plan says that somebody changed them in HubSpot.

    Drift is a claim about a person, and after a write single reads of a sibling endpoint were seen
    to flip between the old and the new value for about a minute (observed). All these directions
    are read together, `settle` seconds after the first time, and none where no drift is planned.
    `beside`: what else to run on the portal's threads meanwhile, begun once all these reads have.
    Raises PortalSettling where the reads disagree.
    """
    from reconciler.errors import PortalSettling
    from reconciler.planning.names import needs_labels
    from reconciler.planning.origin import claims, disagreements
    from reconciler.planning.plan import declared_directions

    history = observation.history
    claimed = frozenset() if history is None else claims(plan, observation)
    first = [each for each in observation.observed.directions if each.direction.key in claimed]
    if not first and not beside:
        return
    clock.wait(settle if first else 0)
    declared = {each.direction.key: each for each in declared_directions(observation.head, history)}
    second = portal.read_all(
        [each.direction for each in first],
        needs_labels=lambda seen: needs_labels(declared[seen.direction.key], seen),
        then=beside,
    )
    found = [
        words
        for before, after in zip(first, second, strict=True)
        for words in disagreements(before, after)
    ]
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise PortalSettling(
            f"the portal is still settling: two reads, {settle:g} s apart, disagree about "
            f"{'; '.join(found[:3])}{more}",
            hint="plan again in a minute; --settle SECONDS puts more time between the reads",
        )


def apply_plan(
    plan: Plan,
    portal: Portal,
    *,
    clock: Clock,
    safety: Safety | None = None,
    force: bool = False,
    files: Desired | None = None,
    base: Desired | None = None,
    verify_timeout: float = VERIFY_TIMEOUT,
    settle: float = SETTLE,
    events: Callable[[Event], None] | None = None,
) -> Result:
    """Make the portal what the plan says, and report what was read back.

    Raises PlanRefused or a PortalError before the first write. `safety`: the thresholds, the
    default ones where left out; `force` overrides them, and nothing else. `files` and `base`: the
    limits desired here and at the base, which the plan's protection is held against beside what
    the plan says itself. `verify_timeout`: seconds that the written limits of a direction have to
    show. `settle`: seconds that two reads must be apart that are to agree on a limit; for 0 one
    read will do. `events` takes what happens: give the same callable to `connect`, so that it takes
    the requests as well, and make it with `report_to`, so that a journal can stop an apply that it
    cannot write down, and nobody else can.
    """
    from reconciler.applying import apply
    from reconciler.applying.safeguards import Safeguards
    from reconciler.model.limits import Safety

    return apply.apply_plan(
        plan,
        portal,
        clock=clock,
        safeguards=Safeguards(safety or Safety(), force, files, base),
        verify_timeout=verify_timeout,
        settle=settle,
        events=events,
    )
