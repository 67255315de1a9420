"""Association limits of HubSpot portals, kept equal to YAML committed in git.

The way of a limit: `load` reads it from a file, `observe` reads the portal beside it, `make_plan`
compares the two, `confirm_drift` reads once more what somebody seems to have changed in HubSpot,
`apply_plan` writes the difference and reads it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reconciler.applying.events import Event
    from reconciler.config.source import Loaded
    from reconciler.http.clock import Clock
    from reconciler.hubspot.portal import NeedsLabels, Portal
    from reconciler.model.limits import (
        CustomObject,
        Desired,
        DesiredDirection,
        History,
        Observation,
        ResolvedDirection,
        Safety,
    )
    from reconciler.model.plan import Plan, Result
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
    """Read what the files are about: at most one request per direction, plus one.

    Labels are read where the rows of a direction do not name what the files name, and custom
    object schemas where a custom name is used. `base`: the limits desired at the merge base; `tip`:
    those of `ref` as it is now, None where it has not moved on since. `portal_id`: the portal that
    is meant; raises WrongPortal before anything else is read where the token belongs to another.
    """
    from reconciler.errors import WrongPortal
    from reconciler.model.limits import History, Observation, Observed
    from reconciler.planning.names import names_custom_objects, resolve_directions
    from reconciler.planning.origin import find_vanished, resolve_past
    from reconciler.planning.plan import directions_to_read

    account = portal.account()
    if portal_id not in (None, account.portal_id):
        raise WrongPortal(
            f"the workspace names portal {portal_id}, the token belongs to portal "
            f"{account.portal_id}",
            hint="use a token of the portal, or correct portal_id in the workspace file",
        )
    past = [each for each in (base, tip) if each is not None]
    declared = [each for side in (desired, *past) for each in side.directions]
    custom = _custom_objects(portal, declared) if names_custom_objects(declared) else ()
    vanished = () if base is None else find_vanished(desired, base, custom)
    gone = {direction.place for direction, _ in vanished}
    head = resolve_directions(
        [each for each in desired.directions if each.place not in gone], custom
    )
    history = None
    if base is not None:
        before = resolve_past(base, desired, custom)
        history = History(
            before, before if tip is None else resolve_past(tip, desired, custom), ref
        )
    directions = portal.read_all(
        directions_to_read(head, history), needs_labels=_needs_labels(head, history)
    )
    found = tuple(each for _, each in vanished)
    return Observation(head, history, Observed(account, tuple(directions)), found)


def _needs_labels(head: Sequence[ResolvedDirection], history: History | None) -> NeedsLabels:
    from reconciler.planning.names import needs_labels

    by_key = {} if history is None else dict(history.base.by_key)
    by_key |= {each.direction.key: each for each in head}
    return lambda seen: needs_labels(by_key[seen.direction.key], seen)


def _custom_objects(
    portal: Portal, declared: Sequence[DesiredDirection]
) -> tuple[CustomObject, ...]:
    """The portal's custom objects; a token that may not read them can do without, by IDs."""
    from reconciler.errors import PermissionMissing
    from reconciler.planning.names import shared_names

    try:
        return portal.custom_objects()
    except PermissionMissing as error:
        if shared := shared_names(declared):
            ids = ", ".join(f"{each.id} for {each}" for each in shared)
            error.hint = (
                f"{error.hint}; or write object type IDs, which no custom object can share: {ids}"
            )
        raise


def make_plan(
    observation: Observation, *, context: PlanContext, safety: Safety | None = None
) -> Plan:
    """Everything that would make the portal equal to the files; writes nothing."""
    from reconciler.planning import plan

    return plan.make_plan(
        observation.head,
        observation.observed,
        context=context,
        history=observation.history,
        vanished=observation.vanished,
        safety=safety,
    )


def confirm_drift(
    plan: Plan, observation: Observation, portal: Portal, *, clock: Clock, settle: float = 2.0
) -> None:
    """Read again the directions of which the plan says that somebody changed them in HubSpot.

    Drift is a claim about a person, and after a write single reads of a sibling endpoint were seen
    to flip between the old and the new value for about a minute (observed). All these directions
    are read together, `settle` seconds after the first time, and none where no drift is planned.
    Raises PortalSettling where the reads disagree.
    """
    from reconciler.errors import PortalSettling
    from reconciler.planning.origin import claims, disagreements

    claimed = claims(plan, observation)
    first = [each for each in observation.observed.directions if each.direction.key in claimed]
    if not first:
        return
    clock.wait(settle)
    second = portal.read_all(
        [each.direction for each in first],
        needs_labels=_needs_labels(observation.head, observation.history),
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
    verify_timeout: float = 60.0,
    settle: float = 2.0,
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
