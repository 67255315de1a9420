"""Order changes into batches so that HubSpot's rule holds after every single input.

A label limit never exceeds its direction's object limit (documented). Whether HubSpot judges the
inputs of one request one after another or together is unknown, so changes that depend on each
other never share a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model.plan import Action, Batch, BatchInput, Change, Operation

MAXIMUM_INPUTS = 100
"""Most inputs in one request. HubSpot documents no bound (unknown)."""


def order(changes: Sequence[Change]) -> tuple[Batch, ...]:
    """The requests that carry the changes out, those of one direction in the order to send."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault(change.direction.key, []).append(change)
    return tuple(batch for group in groups.values() for batch in _direction(group))


def _direction(changes: Sequence[Change]) -> Iterator[Batch]:
    for step, stage in enumerate(_stages(changes), start=1):
        for operation, members in stage:
            for start in range(0, len(members), MAXIMUM_INPUTS):
                part = members[start : start + MAXIMUM_INPUTS]
                from_id, to_id = part[0].direction.key
                inputs = tuple(BatchInput(change.type.key, change.after) for change in part)
                yield Batch(step, operation, from_id, to_id, inputs)


Stage = list[tuple[Operation, list[Change]]]


def _stages(changes: Sequence[Change]) -> list[Stage]:
    """The table of design.md, "Writing": what comes first depends on the object limit."""
    objects = [change for change in changes if change.is_object_limit]
    removed = [change for change in objects if change.action is Action.DELETE]
    raised = [change for change in objects if change not in removed and not change.lowers]
    lowered = [change for change in objects if change.lowers]
    labels = [change for change in changes if not change.is_object_limit]
    purged = [change for change in labels if change.action is Action.DELETE]
    set_ = [change for change in labels if change.action is not Action.DELETE]
    update, purge = Operation.UPDATE, Operation.PURGE
    if removed:
        stages = [[(purge, removed + purged)], [(update, raised)], [(update, set_)]]
        return _without_empty([*stages, [(update, lowered)]])
    if raised:
        return _without_empty(
            [[(update, raised)], [(update, set_), (purge, purged)], [(update, lowered)]]
        )
    return _without_empty([[(purge, purged), (update, set_)], [(update, lowered)]])


def _without_empty(stages: Iterable[Stage]) -> list[Stage]:
    kept = [[(operation, members) for operation, members in stage if members] for stage in stages]
    return [stage for stage in kept if stage]
