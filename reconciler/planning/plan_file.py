"""A plan as a file: how one is recognised, and the canonical JSON that is written."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from reconciler.outgoing import harmless_json

if TYPE_CHECKING:
    from reconciler.model.limits import Place
    from reconciler.model.plan import Change, Destination, LimitUsage, Plan, PortalRef, Refusal

FORMAT_VERSION: Final = "1.1"


MAXIMUM_BYTES: Final = 64 * 1024 * 1024
"""Largest plan file that is read: far above any real plan, and it bounds what a bad one costs."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def is_plan(content: bytes) -> bool:
    """Whether a file is a saved plan, be it cut, altered or of another format.

    Sorted keys put the batches first, so that they are there however short a plan was cut. A pair
    file in brackets may have a label of that name, and is not a plan for it.
    """
    if not starts_as_json(content):
        return False
    first = content.removeprefix(BYTE_ORDER_MARK).lstrip()[1:].lstrip()
    named = b'"batches"' in content and b'"format_version"' in content
    return named or first.startswith(b'"batches"')


def starts_as_json(content: bytes) -> bool:
    """Whether the first bytes of a file are those of a JSON object."""
    return content.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(b"{")


def plan_json(plan: Plan) -> str:
    """The plan as canonical JSON: sorted keys, one line, ended by a newline."""
    from reconciler.model.plan import canonical_json  # `validate` asks only what is a plan

    return harmless_json(canonical_json(_document(plan))) + "\n"


def _document(plan: Plan) -> dict[str, object]:
    return {
        "format_version": FORMAT_VERSION,
        "tool": {"name": "reconciler", "version": plan.tool_version},
        "created_at": plan.created_at,
        "portal": portal_json(plan.portal),
        "config": {
            "workspace": plan.workspace,
            "files": [{"path": file.path, "sha256": file.sha256} for file in plan.files],
            "git": None if plan.git is None else asdict(plan.git),
            # Only where there are any: nothing but what people read depends on them.
            **(
                {"object_limits": list(map(asdict, plan.object_limits))}
                if plan.object_limits
                else {}
            ),
        },
        "summary": asdict(plan.summary),
        "changes": [change_json(change) for change in plan.changes],
        "batches": [each.json for each in plan.batches],
        "usage": [_usage_json(each) for each in plan.usage],
        "warnings": list(plan.warnings),
        "refusals": [refusal_json(each) for each in plan.refusals],
        "digest": plan.digest,
    }


def _usage_json(usage: LimitUsage) -> dict[str, object]:
    """A reason is there only where there is one besides a scope that the token lacks."""
    return {key: each for key, each in asdict(usage).items() if key != "unknown_because" or each}


def change_json(change: Change) -> dict[str, object]:
    """A change, as the documents of this format write it."""
    return {
        "id": change.id,
        "action": change.action,
        "from": change.direction.from_.name,
        "to": change.direction.to.name,
        "from_id": change.direction.from_.id,
        "to_id": change.direction.to.id,
        "category": change.type.key.category,
        "type_id": change.type.key.type_id,
        "label": change.type.label,
        "before": change.before,
        "after": change.after,
        "origin": change.origin,
        "protected": change.protected,
        "source": place_json(change.source),
        "reason": change.reason,
    }


def refusal_json(refusal: Refusal) -> dict[str, object]:
    """A refusal, as the documents of this format write it."""
    return {
        "code": refusal.code,
        "message": refusal.message,
        "change": refusal.change,
        "source": place_json(refusal.source),
    }


def portal_json(portal: PortalRef | Destination) -> dict[str, object]:
    """A portal, as the documents of this format and of a result write it."""
    return asdict(portal)


def place_json(place: Place | None) -> dict[str, object] | None:
    """File, line and column of a place, as the documents of this format write it."""
    if place is None:
        return None
    return {"path": place.path, "line": place.line, "column": place.column}
