"""The plan and the result of an apply: changes, batches, refusals and what became of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property

from reconciler.model.limits import (
    AccountType,
    AssociationType,
    ConfigFile,
    Direction,
    Place,
    TypeKey,
)


class Action(StrEnum):
    """What happens to a limit."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Origin(StrEnum):
    """Who moved a limit: this branch, somebody in HubSpot, or both."""

    CONFIG = "config"
    DRIFT = "drift"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Change:
    """What one limit is to become. `before` or `after` None: no limit.

    `protected`: the files say `protect: true` of it, here or at the base.
    """

    direction: Direction
    type: AssociationType
    before: int | None
    after: int | None
    origin: Origin | None = None
    source: Place | None = None
    reason: str | None = None
    protected: bool = False

    @property
    def id(self) -> str:
        """A name that is stable and unique within a plan."""
        return change_id(self.direction, self.type.key)

    @property
    def action(self) -> Action:
        if self.before is None:
            return Action.CREATE
        return Action.DELETE if self.after is None else Action.UPDATE

    @property
    def lowers(self) -> bool:
        """Whether records that were allowed before may be refused after."""
        return self.after is not None and (self.before is None or self.after < self.before)


def change_id(direction: Direction, key: TypeKey) -> str:
    """`contacts>companies/USER_DEFINED/28`: direction, category and type ID of a limit."""
    return f"{direction.from_}>{direction.to}/{key}"


class Operation(StrEnum):
    """The batch endpoints. `create` only stands in where a portal refuses `update`."""

    UPDATE = "update"
    PURGE = "purge"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class BatchInput:
    """One input of a batch; `max` None belongs to a purge."""

    key: TypeKey
    max: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """One request: direction, operation and inputs. Steps of one direction run in order."""

    step: int
    operation: Operation
    from_id: str
    to_id: str
    inputs: tuple[BatchInput, ...]

    @property
    def direction_key(self) -> tuple[str, str]:
        return (self.from_id, self.to_id)

    @property
    def json(self) -> dict[str, object]:
        """The batch as a plan document writes it; its inputs are what HubSpot takes."""
        return {
            "step": self.step,
            "operation": self.operation,
            "from_id": self.from_id,
            "to_id": self.to_id,
            "inputs": [
                {"category": each.key.category, "typeId": each.key.type_id}
                | ({} if each.max is None else {"maxToObjectIds": each.max})
                for each in self.inputs
            ],
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a plan: changes by action, limits that stay, limits that are left alone."""

    create: int = 0
    update: int = 0
    delete: int = 0
    unchanged: int = 0
    unmanaged: int = 0


@dataclass(frozen=True, slots=True)
class PortalRef:
    """The destination of a plan."""

    name: str
    portal_id: int
    account_type: AccountType
    base_url: str
    api_version: str


@dataclass(frozen=True, slots=True)
class GitState:
    """The commit a plan was made at; `base` is the merge base, None without `--base`."""

    commit: str
    dirty: bool
    base: str | None = None


class RefusalCode(StrEnum):
    """Why a plan may not be applied."""

    MAX_DELETES = "max_deletes"
    MAX_DELETE_PERCENT = "max_delete_percent"
    MAX_CHANGES = "max_changes"
    PROTECTED = "protected"
    VANISHED = "vanished"
    """Something that the files name, then as now, is gone from the portal: drift."""


THRESHOLDS = frozenset(
    {RefusalCode.MAX_DELETES, RefusalCode.MAX_DELETE_PERCENT, RefusalCode.MAX_CHANGES}
)
"""The refusals that `--force` overrides; it overrides no other."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why a plan is not safe to apply; `change` is the ID of the change it is about.

    None: it is about no single change, as for a threshold or for what the portal no longer has.
    """

    code: RefusalCode
    message: str
    change: str | None = None
    source: Place | None = None

    @property
    def overridden_by_force(self) -> bool:
        return self.code in THRESHOLDS


class UsageGap(StrEnum):
    """Why the usage of a direction is unknown, where it is not the scope that the token lacks."""

    NOT_OFFERED = "not offered"
    """The portal has no such endpoint, or none for these object types."""
    NO_ANSWER = "no answer"
    """The portal did not answer in the time that a hint is worth, or with nonsense."""


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """How many records of a direction are at or near its limit: a hint, never an exact count.

    `limit`: what HubSpot counts against, the object limit in force (inferred); None where there is
    none. `at_limit` and `near_limit` None: unknown, for want of a `crm.objects.*.read` scope
    (documented) unless `unknown_because` says otherwise.
    """

    from_id: str
    to_id: str
    limit: int | None
    at_limit: int | None
    near_limit: int | None
    unknown_because: UsageGap | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The direction, as the pair of object type IDs."""
        return (self.from_id, self.to_id)

    @property
    def is_of_somebody(self) -> bool:
        """Whether any record is at or near the limit, or may be."""
        return (self.at_limit, self.near_limit) != (0, 0)

    @property
    def is_half_known(self) -> bool:
        """Whether one count is known and the other is not, or a count has a reason to be unknown."""
        known = self.at_limit is not None
        return known != (self.near_limit is not None) or (known and bool(self.unknown_because))


@dataclass(frozen=True, slots=True)
class ObjectLimit:
    """The limit of a direction's unlabelled type, which a plan leaves as it is."""

    from_id: str
    to_id: str
    limit: int


@dataclass(frozen=True)
class Plan:
    """Changes and batches for one portal. `created_at` is UTC in ISO 8601, to the second.

    `workspace` is the path of the workspace file, None where there is none. `usage`: of each
    direction in which a limit is set or lowered, in the plan's order; empty where nobody asked.
    `object_limits` are those that stay above label limits that change.
    """

    tool_version: str
    created_at: str
    portal: PortalRef
    files: tuple[ConfigFile, ...]
    git: GitState | None
    summary: Summary
    changes: tuple[Change, ...]
    batches: tuple[Batch, ...]
    warnings: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    workspace: str | None = None
    usage: tuple[LimitUsage, ...] = ()
    object_limits: tuple[ObjectLimit, ...] = ()

    @cached_property
    def by_direction(self) -> Mapping[tuple[str, str], tuple[Change, ...]]:
        """The changes grouped by the pair of object type IDs, in the plan's order."""
        return by_direction(self.changes)

    @cached_property
    def restricted(self) -> tuple[Direction, ...]:
        """The directions in which a limit is set or lowered, in the plan's order."""
        groups = self.by_direction.values()
        return tuple(group[0].direction for group in groups if any(one.lowers for one in group))

    def usage_of(self, direction: Direction) -> LimitUsage | None:
        """The usage of a direction; None where nobody asked for it."""
        return self._usage.get(direction.key)

    @cached_property
    def _usage(self) -> Mapping[tuple[str, str], LimitUsage]:
        return {each.key: each for each in self.usage}

    @cached_property
    def digest(self) -> str:
        """`sha256:…` over what `apply` relies on: destination, changes, batches and refusals.

        Times, wording, paths, commits, line numbers, origins and counts of what is left alone stay
        out: a merge commit does not void a review, and the digest is the same on every machine.
        """
        covered = {
            "portal_id": self.portal.portal_id,
            "api_version": self.portal.api_version,
            "changes": [
                [each.id, each.action, each.before, each.after, each.protected]
                for each in self.changes
            ],
            "batches": [batch.json for batch in self.batches],
            "refusals": sorted([each.code, each.change or ""] for each in self.refusals),
        }
        text = canonical_json(covered)  # a name may hold half of a surrogate pair
        return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


# ---------------------------------------------------------------- the result of an apply


class Status(StrEnum):
    """What is known of a change after an apply."""

    VERIFIED = "verified"
    """Two reads of the portal agree that it was written."""
    FAILED = "failed"
    """The portal refused it and its reads confirm that, or they show another value."""
    UNCERTAIN = "uncertain"
    """It was sent, and no two reads agree on what became of it."""
    NOT_ATTEMPTED = "not_attempted"
    """It was never sent."""


class Outcome(StrEnum):
    """How an apply ended."""

    NOTHING = "nothing"
    APPLIED = "applied"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ChangeError:
    """Why a change is not verified: words for the user, and what HubSpot's support asks for."""

    message: str
    category: str | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """A change and what became of it."""

    change: Change
    status: Status
    error: ChangeError | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """The portal an apply was for; `portal_id` and `account_type` None: it ended before asking."""

    name: str
    base_url: str
    api_version: str
    portal_id: int | None = None
    account_type: AccountType | None = None

    @classmethod
    def of(cls, portal: PortalRef) -> Destination:
        """The destination of a plan."""
        return cls(**asdict(portal))


@dataclass(frozen=True, slots=True)
class Result:
    """What an apply did. Times are UTC in ISO 8601; `requests` counts all that were sent.

    `portal` None: it ended before it was known for which one it is.
    """

    outcome: Outcome
    changes: tuple[ChangeResult, ...]
    requests: int
    started_at: str
    finished_at: str
    message: str | None = None
    portal: Destination | None = None

    def with_status(self, status: Status) -> tuple[ChangeResult, ...]:
        return tuple(result for result in self.changes if result.status is status)


def canonical_json(value: object) -> str:
    """JSON with sorted keys, in UTF-8 and without spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def by_direction(changes: Iterable[Change]) -> Mapping[tuple[str, str], tuple[Change, ...]]:
    """Changes grouped by the pair of object type IDs, in the order given."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault(change.direction.key, []).append(change)
    return {key: tuple(group) for key, group in groups.items()}


def count_actions(changes: Iterable[Change]) -> dict[Action, int]:
    """How many changes there are of each action."""
    counts = dict.fromkeys(Action, 0)
    for change in changes:
        counts[change.action] += 1
    return counts
