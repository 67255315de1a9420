"""What the configuration says of the limits that are in force in a portal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model.limits import ObservedDirection, ResolvedDirection
from reconciler.model.portals import LimitInForce, Standing
from reconciler.planning.names import name_types


def limits_in_force(
    observed: Iterable[ObservedDirection], declared: Sequence[ResolvedDirection]
) -> tuple[LimitInForce, ...]:
    """Every limit that can be named, with whether the files manage it, by direction."""
    by_key = {each.direction.key: each for each in declared}
    return tuple(
        limit
        for seen in sorted(observed, key=lambda each: each.direction)
        for limit in _of(seen, by_key.get(seen.direction.key))
    )


def _of(seen: ObservedDirection, declared: ResolvedDirection | None) -> Iterator[LimitInForce]:
    """The limits of one direction: the object limit first, then by label."""
    types = seen.types()
    named = {} if declared is None else name_types(declared, seen).limits
    keys = [key for key in seen.values() if key in types]
    for key in sorted(keys, key=lambda key: (types[key].label or "", key)):
        value, type_ = seen.values()[key], types[key]
        if declared is None:
            yield LimitInForce(seen.direction, type_, value, Standing.UNCOVERED)
        elif (limit := named.get(key)) is not None:
            yield LimitInForce(
                seen.direction, type_, value, Standing.MANAGED, limit.max, limit.place
            )
        elif declared.prune and type_.pruned_when_unnamed:
            yield LimitInForce(seen.direction, type_, value, Standing.MANAGED, None, declared.place)
        else:
            yield LimitInForce(seen.direction, type_, value, Standing.UNMANAGED)
