"""The result document of an apply, and its JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model.limits import AccountType
from reconciler.model.plan import Action, ChangeResult, Outcome, Result, Status
from reconciler.outgoing import harmless_json
from reconciler.planning.plan_file import place_json, portal_json
from reconciler.planning.saved import PlaceDocument

FORMAT_VERSION = "1.0"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ErrorDocument(_Model):
    """Why a change is not verified; `correlation_id` is what HubSpot's support asks for."""

    message: str
    category: str | None
    correlation_id: str | None


class DestinationDocument(_Model):
    """The portal; its ID and account type are null where the apply ended before it was asked."""

    name: str
    portal_id: int | None
    account_type: AccountType | None
    base_url: str
    api_version: str


class ChangeResultDocument(_Model):
    """A change and what is known of it; `before` or `after` null: no limit.

    `source`: the line that asks for it, null where none does. A verified change has no `error`.
    """

    id: str
    from_: Annotated[str, Field(alias="from")]
    to: str
    label: str | None
    action: Action
    before: int | None
    after: int | None
    source: PlaceDocument | None
    status: Status
    error: ErrorDocument | None = None


class ResultDocument(_Model):
    """What an apply did, format version 1.0. Times are UTC in ISO 8601.

    `portal` null: it ended before it was known for which one it is.
    """

    format_version: Literal["1.0"]
    portal: DestinationDocument | None
    outcome: Outcome
    changes: tuple[ChangeResultDocument, ...]
    requests: Annotated[int, Field(ge=0)]
    started_at: str
    finished_at: str
    message: str | None = None


def result_json(result: Result) -> str:
    """The result as canonical JSON: sorted keys, one line, ended by a newline."""
    document = {
        "format_version": FORMAT_VERSION,
        "portal": None if result.portal is None else portal_json(result.portal),
        "outcome": result.outcome,
        "changes": [_change(each) for each in result.changes],
        "requests": result.requests,
        "started_at": result.started_at,
        "finished_at": result.finished_at,
        "message": result.message,
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return harmless_json(text) + "\n"


def result_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the result document."""
    schema = ResultDocument.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _change(result: ChangeResult) -> dict[str, object]:
    change = result.change
    document: dict[str, object] = {
        "id": change.id,
        "from": change.direction.from_.name,
        "to": change.direction.to.name,
        "label": change.type.label,
        "action": change.action,
        "before": change.before,
        "after": change.after,
        "source": place_json(change.source),
        "status": result.status,
    }
    if result.error is not None:
        document["error"] = {
            "message": result.error.message,
            "category": result.error.category,
            "correlation_id": result.error.correlation_id,
        }
    return document
