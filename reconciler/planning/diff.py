"""The limits that are wanted, and how they differ from those in force: one call of DeepDiff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.limits import AssociationType, DesiredLimit, ResolvedDirection, TypeKey

Limits = Mapping[TypeKey, int]
"""The limits in force in one direction, by type."""

ByDirection = Mapping[tuple[str, str], Limits]
"""The limits of many directions, by their pair of object type IDs."""


def wanted_limits(
    declared: ResolvedDirection,
    named: Mapping[TypeKey, DesiredLimit],
    types: Mapping[TypeKey, AssociationType],
) -> dict[TypeKey, int | None]:
    """The limits that a declared direction speaks of; None: there is to be none.

    Where the direction is pruned, those are also the limits that it does not name.
    """
    wanted: dict[TypeKey, int | None] = {}
    if declared.prune:
        wanted = {key: None for key, type_ in types.items() if type_.pruned_when_unnamed}
    return wanted | {key: limit.max for key, limit in named.items()}


@dataclass(frozen=True, slots=True)
class Difference:
    """One limit that differs; None: there is no limit on that side."""

    key: TypeKey
    before: int | None
    after: int | None


def differences(
    before: ByDirection, after: ByDirection
) -> Mapping[tuple[str, str], Sequence[Difference]]:
    """The limits that differ, by direction; directions that are equal are left out.

    Equal limits never reach DeepDiff: over 10,000 of them it takes more than a second, dropping
    them by key five milliseconds. A direction with limits on one side only is a single item of its
    tree: 10,000 new limits in 200 such directions take 5 ms, beside other changes 0.3 s.
    """
    old, new = _without_equal(before, after), _without_equal(after, before)
    if not old and not new:
        return {}
    from deepdiff import DeepDiff  # 0.2 s to import, and most plans change nothing

    # The default threshold reports two dictionaries with few common keys as one replaced value.
    tree = DeepDiff(old, new, view="tree", threshold_to_diff_deeper=0)
    found: dict[tuple[str, str], list[Difference]] = {}
    for kind, levels in tree.items():
        for level in levels:
            direction, *key = level.path(output_format="list")
            was = {} if kind == "dictionary_item_added" else _limits(level.t1, key)
            will_be = {} if kind == "dictionary_item_removed" else _limits(level.t2, key)
            found.setdefault(direction, []).extend(
                Difference(each, was.get(each), will_be.get(each)) for each in was or will_be
            )
    return found


def _limits(value: int | Limits, key: Sequence[TypeKey]) -> Limits:
    """One side of an item of the tree: one limit, or all those of a direction."""
    return value if isinstance(value, Mapping) else {key[0]: value}


def _without_equal(side: ByDirection, other: ByDirection) -> dict[tuple[str, str], Limits]:
    """The limits of one side that the other side does not have, or has with another value."""
    differing: dict[tuple[str, str], Limits] = {}
    for direction, limits in side.items():
        others = other.get(direction, {})
        if limits == others:
            continue
        if own := {key: value for key, value in limits.items() if others.get(key) != value}:
            differing[direction] = own
    return differing
