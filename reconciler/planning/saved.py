"""A saved plan: the format's models, and the way back to a plan that can be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.errors import PlanRefused
from reconciler.model.limits import (
    LARGEST_NUMBER,
    MAXIMUM_LIMIT,
    MINIMUM_LIMIT,
    AccountType,
    AssociationType,
    Category,
    ConfigFile,
    Direction,
    ObjectType,
    Place,
    TypeKey,
)
from reconciler.model.plan import (
    Action,
    Batch,
    BatchInput,
    Change,
    GitState,
    LimitUsage,
    ObjectLimit,
    Operation,
    Origin,
    Plan,
    PortalRef,
    Refusal,
    RefusalCode,
    Summary,
    UsageGap,
    count_actions,
)
from reconciler.planning.documents import read_json, what_is_wrong
from reconciler.planning.order import order
from reconciler.planning.plan_file import (
    BYTE_ORDER_MARK,
    FORMAT_VERSION,
    MAXIMUM_BYTES,
    is_plan,
)
from reconciler.planning.safety import protection

Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
ObservedValue = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
LimitValue = Annotated[int, Field(ge=MINIMUM_LIMIT, le=MAXIMUM_LIMIT)]
PortalId = Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
TypeId = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
Position = Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
ObjectTypeId = Annotated[str, Field(pattern=r"^[0-9]{1,10}-[0-9]{1,18}$")]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        defer_build=True,
        frozen=True,
        populate_by_name=True,
        serialize_by_alias=True,
    )


class ToolDocument(_Model):
    """The tool that made the plan."""

    name: Literal["reconciler"] = "reconciler"
    version: str


class PortalDocument(_Model):
    """The destination."""

    name: str
    portal_id: PortalId
    account_type: AccountType
    base_url: str
    api_version: str


class FileDocument(_Model):
    """A configuration file and the SHA-256 of its bytes, in hexadecimal."""

    path: str
    sha256: str


class GitDocument(_Model):
    """The commit the plan was made at; `base` is the merge base."""

    commit: str
    dirty: bool
    base: str | None


class ObjectLimitDocument(_Model):
    """The object limit of a direction whose labels change while it stays."""

    from_id: ObjectTypeId
    to_id: ObjectTypeId
    limit: ObservedValue


class ConfigDocument(_Model):
    """Where the desired limits came from; `workspace` null: there was no workspace file.

    `object_limits` are shown beside the label limits that change below them.
    """

    workspace: str | None
    files: tuple[FileDocument, ...]
    git: GitDocument | None
    object_limits: tuple[ObjectLimitDocument, ...] = ()


class SummaryDocument(_Model):
    """How many limits change, stay, and are left alone."""

    create: Count
    update: Count
    delete: Count
    unchanged: Count
    unmanaged: Count


class PlaceDocument(_Model):
    """File, line and column, counted from 1."""

    path: str
    line: Position
    column: Position


class ChangeDocument(_Model):
    """What one limit is to become; `before` or `after` null: no limit.

    `protected`: the files say `protect: true` of it, here or at the base.
    """

    id: str
    action: Action
    from_: Annotated[str, Field(alias="from")]
    to: str
    from_id: ObjectTypeId
    to_id: ObjectTypeId
    category: Category
    type_id: TypeId
    label: str | None
    before: ObservedValue | None
    after: LimitValue | None
    origin: Origin | None
    protected: bool
    source: PlaceDocument | None
    reason: str | None


class BatchInputDocument(_Model):
    """One input as HubSpot takes it; a purge has no `maxToObjectIds`."""

    category: Category
    type_id: Annotated[TypeId, Field(alias="typeId")]
    max_to_object_ids: Annotated[LimitValue | None, Field(alias="maxToObjectIds")] = None


class BatchDocument(_Model):
    """One request; the steps of a direction run in order."""

    step: Annotated[int, Field(ge=1)]
    operation: Literal[Operation.UPDATE, Operation.PURGE]
    from_id: ObjectTypeId
    to_id: ObjectTypeId
    inputs: tuple[BatchInputDocument, ...]


class UsageDocument(_Model):
    """Records at or near a limit, a hint; null: unknown, for want of a scope if nothing else."""

    from_id: ObjectTypeId
    to_id: ObjectTypeId
    limit: ObservedValue | None
    at_limit: Count | None
    near_limit: Count | None
    unknown_because: UsageGap | None = None


class RefusalDocument(_Model):
    """Why `apply` refuses this plan; `change` is the ID of the change it is about."""

    code: RefusalCode
    message: str
    change: str | None
    source: PlaceDocument | None


class PlanDocument(_Model):
    """A plan for one portal, format version 1.1. `usage` is empty where nobody asked for it."""

    format_version: Literal["1.1"] = FORMAT_VERSION
    tool: ToolDocument
    created_at: str
    portal: PortalDocument
    config: ConfigDocument
    summary: SummaryDocument
    changes: tuple[ChangeDocument, ...]
    batches: tuple[BatchDocument, ...]
    usage: tuple[UsageDocument, ...]
    warnings: tuple[str, ...]
    refusals: tuple[RefusalDocument, ...]
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


_AGAIN = "make the plan again with `reconciler plan --out`"


def plan_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the plan document."""
    schema = PlanDocument.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def read_plan(content: bytes) -> Plan:
    """The plan that a file holds.

    Raises PlanRefused unless it is complete, of this format, and says the same in all its parts:
    IDs, actions, the digest, the batches, the counts of changes, and the refusals of protected
    limits all follow from the changes.
    """
    if len(content) > MAXIMUM_BYTES:
        raise PlanRefused("the file is larger than 64 MiB, so it is not a plan", hint=_AGAIN)
    content = content.removeprefix(BYTE_ORDER_MARK)
    try:
        value = read_json(content)
    except (ValueError, RecursionError) as error:
        what = "the plan file is not complete" if is_plan(content) else "the file is not a plan"
        raise PlanRefused(
            f"{what}: it is not valid JSON ({what_is_wrong(error)})", hint=_AGAIN
        ) from error
    return plan_of(content, value)


def plan_of(content: bytes, value: object) -> Plan:
    """The same of a document that was read already: its bytes and the JSON value of them."""
    document = _parse(content.removeprefix(BYTE_ORDER_MARK), value)
    plan = _plan(document)
    for problem in _contradictions(document, plan):
        raise PlanRefused(
            f"the plan file was altered: {problem}", hint="make the plan again and have it reviewed"
        )
    return plan


def _contradictions(document: PlanDocument, plan: Plan) -> Iterator[str]:
    """Where the plan disagrees with what follows from its changes, the plainest first."""
    changes = plan.changes
    stated = [(each.id, each.action) for each in document.changes]
    if stated != [(each.id, each.action) for each in changes]:
        yield "a change's ID or action does not fit its limit"
    limits = {(each.direction.key, each.type.key) for each in changes}
    if not len({each.id for each in changes}) == len(limits) == len(changes):
        yield "two changes are of the same limit"
    if any(each.before == each.after for each in changes):
        yield "a change changes nothing"
    if _names_contradict(changes):
        yield "one object type has two names"
    if document.digest != plan.digest:
        yield f"its digest says {document.digest}, its content is {plan.digest}"
    if plan.batches != order(changes):
        yield "its batches are not what its changes need"
    counts = count_actions(changes)
    if counts != {action: getattr(plan.summary, action) for action in Action}:
        yield "its summary does not count its changes"
    if plan.usage and [each.key for each in plan.usage] != [each.key for each in plan.restricted]:
        yield "its usage is not of the directions in which it sets or lowers a limit"
    if any(each.is_half_known for each in plan.usage):
        yield "its usage is known and unknown at once"
    yield from _missing_refusals(plan)


def _names_contradict(changes: Sequence[Change]) -> bool:
    sides = [side for each in changes for side in (each.direction.from_, each.direction.to)]
    return len({(side.id, side.name) for side in sides}) != len({side.id for side in sides})


def _missing_refusals(plan: Plan) -> Iterator[str]:
    """What a plan must state against itself, and whom its refusals are about.

    The thresholds in force when it was made are not in the plan: `apply` judges by its own.
    """
    stated = {each.change for each in plan.refusals if each.code is RefusalCode.PROTECTED}
    missing = [each.change for each in protection(plan.changes, {}) if each.change not in stated]
    if missing:
        yield f"it does not refuse to lower the protected limit {missing[0]}"
    if stated - {each.id for each in plan.changes if each.protected}:
        yield "a refusal is about a protected limit that it does not change"


def _parse(content: bytes, value: object) -> PlanDocument:
    if not isinstance(value, dict) or "batches" not in value:
        raise PlanRefused(
            f"the file is not a plan: {_what_else(value)}",
            hint=_AGAIN,
        )
    version = value.get("format_version")
    if version != FORMAT_VERSION:
        raise _other_format(version)
    try:
        return PlanDocument.model_validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PlanRefused(
            f"the file is not a complete plan: {where}: {first['msg'].lower()}", hint=_AGAIN
        ) from error


def _other_format(version: object) -> PlanRefused:
    if version == "1.0":
        return PlanRefused(
            "the plan has format 1.0: its digest does not cover protected limits and refusals, so "
            "it is neither shown nor applied any more",
            hint="plan again with this version, and have the new plan reviewed",
        )
    short = version[:20] if isinstance(version, str) else version
    named = isinstance(short, str | int | float)
    stated = f"has format {json.dumps(short)}" if named else "states no format"
    return PlanRefused(
        f'the plan {stated}; this version of reconciler reads "{FORMAT_VERSION}"',
        hint="use the version of reconciler that made it, or plan again with this one",
    )


def _what_else(value: object) -> str:
    """What a JSON document is that is not a plan, as far as its keys tell."""
    if not isinstance(value, dict):
        return "it is not a JSON object"
    if "outcome" in value:
        return "it is the result of an apply"
    if "portals" in value or "from" in value:
        return "it reads like configuration, which belongs in a .yaml file"
    return "it has no batches"


def _plan(document: PlanDocument) -> Plan:
    git = document.config.git
    return Plan(
        tool_version=document.tool.version,
        created_at=document.created_at,
        portal=PortalRef(**dict(document.portal)),
        files=tuple(ConfigFile(file.path, file.sha256) for file in document.config.files),
        git=None if git is None else GitState(git.commit, git.dirty, git.base),
        summary=Summary(**dict(document.summary)),
        changes=tuple(_change(each) for each in document.changes),
        batches=tuple(_batch(each) for each in document.batches),
        warnings=document.warnings,
        refusals=tuple(
            Refusal(each.code, each.message, each.change, _place(each.source))
            for each in document.refusals
        ),
        workspace=document.config.workspace,
        usage=tuple(LimitUsage(**dict(each)) for each in document.usage),
        object_limits=tuple(ObjectLimit(**dict(each)) for each in document.config.object_limits),
    )


def _change(each: ChangeDocument) -> Change:
    return Change(
        direction=Direction(ObjectType(each.from_id, each.from_), ObjectType(each.to_id, each.to)),
        type=AssociationType(TypeKey(each.category, each.type_id), each.label),
        before=each.before,
        after=each.after,
        origin=each.origin,
        source=_place(each.source),
        reason=each.reason,
        protected=each.protected,
    )


def _place(each: PlaceDocument | None) -> Place | None:
    return None if each is None else Place(each.path, each.line, each.column)


def _batch(each: BatchDocument) -> Batch:
    inputs = tuple(
        BatchInput(TypeKey(one.category, one.type_id), one.max_to_object_ids) for one in each.inputs
    )
    return Batch(each.step, each.operation, each.from_id, each.to_id, inputs)
