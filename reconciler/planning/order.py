"""HubSpot's rule, a label limit never exceeds the object limit of its direction (documented).

Here is found where it would be broken, and here changes are ordered into batches so that it holds
after every single input. Whether HubSpot judges the inputs of one request one after another or
together is unknown, so changes that depend on each other never share a step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import AssociationType, DesiredLimit, ResolvedDirection, TypeKey
from reconciler.model.plan import Batch, BatchInput, Change, Operation, by_direction

MAXIMUM_INPUTS = 100
"""Most inputs in one request. HubSpot documents no bound (unknown)."""


def rule_broken(
    declared: ResolvedDirection,
    after: Mapping[TypeKey, int],
    types: Mapping[TypeKey, AssociationType],
    named: Mapping[TypeKey, DesiredLimit],
    changing: Collection[TypeKey],
) -> tuple[Diagnostic, ...]:
    """Where a limit that is changing breaks the rule.

    What one file says is checked offline; here a limit that stays in the portal without being
    named meets one that is. A portal that breaks the rule already stays as it is: nothing is sent
    that HubSpot could refuse. Equal limits are accepted: HubSpot contradicts itself there.
    """
    objects = [key for key in after if types[key].label is None]
    if not objects:
        return ()
    lowest = min(objects, key=lambda key: after[key])
    return tuple(
        Diagnostic(
            DiagnosticCode.LABEL_ABOVE_OBJECT_LIMIT,
            f'limit {after[key]} of label "{types[key]}" would be above the object limit '
            f"{after[lowest]} of {declared.direction}, which HubSpot refuses",
            (named.get(key) or named[lowest]).place,
            hint="change one of the two, or name both"
            if key in named and lowest in named
            else "name the other limit too: the portal has it, the file does not mention it",
        )
        for key in after
        if key not in objects
        and after[key] > after[lowest]
        and (key in changing or lowest in changing)
    )


def order(changes: Sequence[Change]) -> tuple[Batch, ...]:
    """The requests that carry the changes out, those of one direction in the order to send."""
    return tuple(
        Batch(
            step,
            operation,
            *direction,
            tuple(
                BatchInput(change.type.key, change.after)
                for change in part[start : start + MAXIMUM_INPUTS]
            ),
        )
        for direction, members in by_direction(changes).items()
        for step, stage in enumerate(_stages(members), start=1)
        for operation, part in stage
        for start in range(0, len(part), MAXIMUM_INPUTS)
    )


Stage = list[tuple[Operation, list[Change]]]


def _stages(changes: Sequence[Change]) -> list[Stage]:
    """The table of design.md, "Writing": what comes first depends on the object limit."""
    removed, raised, lowered, purged, set_ = (list[Change]() for _ in range(5))
    for change in changes:
        if change.type.label is not None:
            kind = purged if change.after is None else set_
        elif change.after is None:
            kind = removed
        else:
            kind = lowered if change.lowers else raised
        kind.append(change)
    update, purge = Operation.UPDATE, Operation.PURGE
    if removed:
        stages = [[(purge, removed + purged)], [(update, raised)], [(update, set_)]]
    elif raised:
        stages = [[(update, raised)], [(update, set_), (purge, purged)]]
    else:
        stages = [[(purge, purged), (update, set_)]]
    stages.append([(update, lowered)])
    kept = [[part for part in stage if part[1]] for stage in stages]
    return [stage for stage in kept if stage]
