"""The result document of an apply: written, read again, and its JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.errors import ExitCode, PlanRefused
from reconciler.model.limits import (
    AccountType,
    AssociationType,
    Category,
    Direction,
    ObjectType,
    Place,
    TypeKey,
)
from reconciler.model.plan import (
    Action,
    Change,
    ChangeError,
    ChangeResult,
    Destination,
    Outcome,
    Result,
    Status,
)
from reconciler.outgoing import harmless_json
from reconciler.planning.plan_file import place_json, portal_json
from reconciler.planning.saved import Count, LimitValue, ObservedValue, PlaceDocument

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
    before: ObservedValue | None
    after: LimitValue | None
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
    requests: Count
    started_at: str
    finished_at: str
    message: str | None = None


class PortalErrorDocument(BaseModel):
    """Why a command has no result for a portal, as far as it is read."""

    message: str
    exit_code: ExitCode


class FailureDocument(BaseModel):
    """The error document of one portal among several; what only a person needs is not read."""

    format_version: Literal["1.0"]
    portal: str | None
    error: PortalErrorDocument


class ResultsSummaryDocument(_Model):
    """Portals by outcome and changes by status; an error without a result is refused or failed."""

    portals: Count
    outcomes: dict[Outcome, Count]
    changes: dict[Status, Count]
    requests: Count
    started_at: str | None
    finished_at: str | None


class ResultsDocument(_Model):
    """The results of many portals put together, format version 1.0.

    `exit_code` is that of one apply to all of them. `results` has the documents in the order given.
    """

    format_version: Literal["1.0"]
    exit_code: ExitCode
    summary: ResultsSummaryDocument
    results: tuple[ResultDocument | FailureDocument, ...]


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
    return _schema(ResultDocument)


def results_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of results that were put together."""
    return _schema(ResultsDocument)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def read_result(content: bytes) -> Result:
    """The result that a document holds. Its object types have no ID but their name.

    Raises PlanRefused unless it is complete, of this format, and says the same in all its parts.
    """
    document = _read(ResultDocument, content, "the result of an apply")
    portal = document.portal
    result = Result(
        outcome=document.outcome,
        changes=tuple(map(_read_change, document.changes)),
        requests=document.requests,
        started_at=document.started_at,
        finished_at=document.finished_at,
        message=document.message,
        portal=None if portal is None else Destination(**dict(portal)),
    )
    verified = len(result.with_status(Status.VERIFIED)) == len(result.changes)
    if result.outcome is Outcome.APPLIED and not verified:
        raise PlanRefused("the result was altered: it is applied, and not all its changes are")
    return result


def read_failure(content: bytes) -> FailureDocument:
    """The error document of a portal; raises PlanRefused where it is not one."""
    return _read(FailureDocument, content, "the error of a portal")


Model = TypeVar("Model", bound=BaseModel)


def _read(model: type[Model], content: bytes, what: str) -> Model:
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PlanRefused(
            f"{what} is not complete: {where[:200]}: {first['msg'].lower()}"
        ) from error


def _read_change(each: ChangeResultDocument) -> ChangeResult:
    names, _, key = each.id.rpartition("/")
    names, _, category = names.rpartition("/")
    known = category in set(Category) and key.isascii() and key.isdecimal() and len(key) < 20
    if not known or names != f"{each.from_}>{each.to}":
        raise PlanRefused(f"the result was altered: {each.id[:120]!r} is not the ID of its limit")
    change = Change(
        Direction(ObjectType(each.from_, each.from_), ObjectType(each.to, each.to)),
        AssociationType(TypeKey(Category(category), int(key)), each.label),
        each.before,
        each.after,
        source=None if each.source is None else Place(**dict(each.source)),
    )
    if change.before == change.after or change.action is not each.action:
        raise PlanRefused(f"the result was altered: {each.id[:120]!r} is not what its values say")
    error = each.error
    return ChangeResult(change, each.status, None if error is None else ChangeError(**dict(error)))


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
