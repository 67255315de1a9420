"""HubSpot's rule: a label limit never exceeds the object limit of its direction (documented)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import AssociationType, DesiredLimit, Place, ResolvedDirection, TypeKey


def rule_broken(
    declared: ResolvedDirection,
    after: Mapping[TypeKey, int],
    types: Mapping[TypeKey, AssociationType],
    named: Mapping[TypeKey, DesiredLimit],
) -> tuple[Diagnostic, ...]:
    """Where the limits that would be in force break the rule.

    What one file says is checked offline; here a limit that stays in the portal without being
    named meets one that is. Equal limits are accepted: HubSpot contradicts itself there.
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
            _blamed(declared, named, key, lowest),
            hint="change one of the two, or name both"
            if key in named and lowest in named
            else "name the other limit too: the portal has it, the file does not mention it",
        )
        for key in after
        if key not in objects and after[key] > after[lowest] and (key in named or lowest in named)
    )


def _blamed(
    declared: ResolvedDirection,
    named: Mapping[TypeKey, DesiredLimit],
    label: TypeKey,
    object_limit: TypeKey,
) -> Place:
    limit = named.get(label) or named.get(object_limit)
    return declared.place if limit is None else limit.place
