"""What a portal has beside what the files say: what differs, and what no file declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import reconciler
from reconciler.cli.session import Files
from reconciler.config.object_types import canonical, standard_type
from reconciler.errors import (
    PermissionMissing,
    UsageProblem,
)
from reconciler.hubspot.portal import Portal
from reconciler.hubspot.survey import ObjectTypeNames, Row, survey
from reconciler.model.limits import (
    MAXIMUM_LIMIT,
    CustomName,
    CustomObject,
    Desired,
    DesiredDirection,
    Direction,
    ObjectReference,
    ObjectType,
    ObservedDirection,
    Place,
    ResolvedDirection,
)
from reconciler.planning.adoption import Adoption, adopt
from reconciler.planning.names import names_custom_objects, try_resolve
from reconciler.planning.origin import History, Observation

PairName = tuple[ObjectReference, ObjectReference]
Key = tuple[str, str]


def parse_pair(text: str) -> PairName:
    """The object types of `--pair FROM:TO`; raises UsageProblem."""
    sides = [canonical(side.strip()) for side in text.split(":")]
    named = [side for side in sides if isinstance(side, ObjectType | CustomName)]
    if len(sides) != 2 or len(named) != 2:
        raise UsageProblem(
            f"--pair {text}: write two object types, such as contacts:companies or 0-1:p123_car"
        )
    return named[0], named[1]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to import: these pairs (None: all); with `drift` only what HubSpot changed."""

    pairs: tuple[PairName, ...] | None
    drift: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read: how declared directions differ, and what no file declares.

    `notes` and `unplaced` say what could not be looked at, and what belongs to no direction.
    """

    adoptions: tuple[Adoption, ...]
    uncovered: tuple[ObservedDirection, ...] = ()
    unplaced: tuple[Row, ...] = ()
    unplaced_in_words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    custom_known: bool = True


def look(
    portal: Portal,
    files: Files,
    wanted: Wanted,
    portal_id: int | None,
    confirm: Callable[[Observation], object],
) -> Seen:
    """Read the portal beside the files. Raises a `PortalError` where a read fails.

    `confirm` is called with what was read before anything is taken for drift, and raises where a
    second read shows something else.
    """
    desired, custom_known = files.loaded.desired, True
    custom: tuple[CustomObject, ...] = ()
    asked: dict[Key, Direction] = {}
    if wanted.pairs is not None:
        reconciler.observe(portal, Desired(()), portal_id=portal_id)  # the portal that is meant
        custom, custom_known = _custom_objects(portal, wanted.pairs, desired)
        asked = _directions(wanted.pairs, custom, ObjectTypeNames(standard_type, custom))
        kept = [each for each in desired.directions if _key(each, custom) in asked]
        desired = replace(desired, directions=tuple(kept))
    base, tip = (files.base, files.tip) if wanted.drift else (None, None)
    observation = reconciler.observe(
        portal, desired, base=base, tip=tip, ref=files.ref, portal_id=portal_id
    )
    if wanted.drift:
        confirm(observation)
    history = observation.history if wanted.drift else None
    seen = observation.observed.by_key
    adoptions = tuple(
        _adopted(portal, each, seen[each.direction.key], history) for each in observation.head
    )
    notes = (*(each.message for each in observation.vanished), *_left_alone(adoptions))
    if wanted.drift:
        return Seen(adoptions, notes=notes)
    if wanted.pairs is not None:
        missing = [each for key, each in asked.items() if key not in seen]
        found = portal.read_all(missing, needs_labels=lambda _: True)
        return Seen(adoptions, found, notes=notes, custom_known=custom_known)
    everything = survey(portal, standard_type, observation.observed)
    found = tuple(each for each in everything.observed.directions if each.direction.key not in seen)
    return Seen(
        adoptions,
        _with_labels(portal, found),
        everything.unplaced,
        everything.unplaced_in_words,
        (*notes, *everything.notes),
        custom_known=not everything.notes,
    )


def _custom_objects(
    portal: Portal, pairs: Sequence[PairName], desired: Desired
) -> tuple[tuple[CustomObject, ...], bool]:
    """The portal's custom objects if any name needs them, and whether all names are certain."""
    named = [_declared(pair) for pair in pairs]
    if not names_custom_objects([*named, *desired.directions]):
        return (), False
    try:
        return portal.custom_objects(), True
    except PermissionMissing:
        if any(isinstance(side, CustomName) for pair in pairs for side in pair):
            raise
        return (), False


def _declared(pair: PairName) -> DesiredDirection:
    return DesiredDirection(*pair, (), True, Place("--pair", 1, 1))  # noqa: FBT003 - a field


def _directions(
    pairs: Iterable[PairName], custom: Sequence[CustomObject], names: ObjectTypeNames
) -> dict[Key, Direction]:
    """Both directions of every pair, by object type IDs; raises UsageProblem for unknown names."""
    found: dict[Key, Direction] = {}
    for one, other in pairs:
        for pair in ((one, other), (other, one)):
            resolution = try_resolve([_declared(pair)], custom)
            for problem in resolution.diagnostics:
                raise UsageProblem(f"--pair {one}:{other}: {problem.message}", hint=problem.hint)
            for each in resolution.directions:
                key = each.direction.key
                found[key] = Direction(*map(names.named, key))
    return found


def _key(declared: DesiredDirection, custom: Sequence[CustomObject]) -> Key | None:
    found = try_resolve([declared], custom).directions
    return found[0].direction.key if found else None


def _adopted(
    portal: Portal, declared: ResolvedDirection, seen: ObservedDirection, history: History | None
) -> Adoption:
    """What changes in a direction; its labels are read where limits are to be named by them."""
    adoption = adopt(declared, seen, history)
    if adoption.added and seen.labels is None:
        return adopt(declared, seen.with_labels(portal.labels(seen.direction)), history)
    return adoption


def _left_alone(adoptions: Iterable[Adoption]) -> Iterator[str]:
    for each in adoptions:
        types, where = each.observed.types(), each.declared.direction
        for key in each.conflicts:
            what = "changed in HubSpot and on this branch"
            yield f"{where}, {types[key]}: {what}, so the file is left as it is"
        for key in each.above:
            what = f"its limit is above {MAXIMUM_LIMIT}, the most that a file can say"
            yield f"{where}, {types[key]}: {what}; the file is left as it is, and a plan changes it"


def _with_labels(
    portal: Portal, directions: Sequence[ObservedDirection]
) -> tuple[ObservedDirection, ...]:
    """Directions with their labels, without which nobody knows what a label names."""
    unread = [each for each in directions if each.labels is None]
    lists = portal.in_parallel([partial(portal.labels, each.direction) for each in unread])
    read = {
        each.direction.key: each.with_labels(labels)
        for each, labels in zip(unread, lists, strict=True)
    }
    return tuple(read.get(each.direction.key, each) for each in directions)
