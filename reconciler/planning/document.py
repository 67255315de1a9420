"""The plan document: canonical JSON, and the digest that a review is bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from reconciler.model.limits import Place
from reconciler.model.plan import (
    Batch,
    BatchInput,
    Change,
    Destination,
    LimitUsage,
    Plan,
    PortalRef,
)
from reconciler.outgoing import harmless_json

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


def digest(plan: Plan) -> str:
    """`sha256:…` over what `apply` relies on: destination, changes, batches and refusals.

    Times, wording, paths, commits, line numbers, origins and counts of what is left alone stay
    out, so that a merge commit does not void a review, and the same portal and files give the same
    digest anywhere.
    """
    covered = {
        "portal_id": plan.portal.portal_id,
        "api_version": plan.portal.api_version,
        "changes": [
            [each.id, each.action, each.before, each.after, each.protected] for each in plan.changes
        ],
        "batches": [_batch_json(batch) for batch in plan.batches],
        "refusals": sorted([each.code, each.change or ""] for each in plan.refusals),
    }
    return f"sha256:{hashlib.sha256(_canonical(covered).encode()).hexdigest()}"


def plan_json(plan: Plan) -> str:
    """The plan as canonical JSON: sorted keys, one line, ended by a newline."""
    return harmless_json(_canonical(_document(plan))) + "\n"


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _document(plan: Plan) -> dict[str, object]:
    git = plan.git
    return {
        "format_version": FORMAT_VERSION,
        "tool": {"name": "reconciler", "version": plan.tool_version},
        "created_at": plan.created_at,
        "portal": portal_json(plan.portal),
        "config": {
            "workspace": plan.workspace,
            "files": [{"path": file.path, "sha256": file.sha256} for file in plan.files],
            "git": None
            if git is None
            else {"commit": git.commit, "dirty": git.dirty, "base": git.base},
        },
        "summary": {
            "create": plan.summary.create,
            "update": plan.summary.update,
            "delete": plan.summary.delete,
            "unchanged": plan.summary.unchanged,
            "unmanaged": plan.summary.unmanaged,
        },
        "changes": [_change_json(change) for change in plan.changes],
        "batches": [_batch_json(batch) for batch in plan.batches],
        "usage": [_usage_json(each) for each in plan.usage],
        "warnings": list(plan.warnings),
        "refusals": [
            {
                "code": each.code,
                "message": each.message,
                "change": each.change,
                "source": place_json(each.source),
            }
            for each in plan.refusals
        ],
        "digest": digest(plan),
    }


def _change_json(change: Change) -> dict[str, object]:
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


def portal_json(portal: PortalRef | Destination) -> dict[str, object]:
    """A portal, as the documents of this format and of a result write it."""
    return {
        "name": portal.name,
        "portal_id": portal.portal_id,
        "account_type": portal.account_type,
        "base_url": portal.base_url,
        "api_version": portal.api_version,
    }


def place_json(place: Place | None) -> dict[str, object] | None:
    """File, line and column of a place, as the documents of this format write it."""
    if place is None:
        return None
    return {"path": place.path, "line": place.line, "column": place.column}


def _batch_json(batch: Batch) -> dict[str, object]:
    return {
        "step": batch.step,
        "operation": batch.operation,
        "from_id": batch.from_id,
        "to_id": batch.to_id,
        "inputs": [_input_json(each) for each in batch.inputs],
    }


def _usage_json(each: LimitUsage) -> dict[str, object]:
    return {
        "from_id": each.from_id,
        "to_id": each.to_id,
        "limit": each.limit,
        "at_limit": each.at_limit,
        "near_limit": each.near_limit,
    }


def _input_json(each: BatchInput) -> Mapping[str, object]:
    named = {"category": each.key.category, "typeId": each.key.type_id}
    return named if each.max is None else {**named, "maxToObjectIds": each.max}
