"""HubSpot's rules of a limit, with a switch for all that is unknown, and a batch judged by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from .portal import Associations, Category, Direction, TypeKey
from .state import Origin, Step


@dataclass(frozen=True, slots=True)
class Batch:
    """The inputs of one request, all for one direction."""

    direction: Direction
    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What a batch did. `refusals` are keyed by the position of the input, from 0."""

    after: Associations
    accepted: tuple[Input, ...]
    refusals: Mapping[int, Refusal]
    steps: tuple[Step, ...]


def carry_out(
    batch: Batch,
    before: Associations,
    rules: Rules,
    forced: Mapping[int, Refusal] | None = None,
) -> BatchOutcome:
    """Judge the inputs in their order and apply the accepted ones.

    Whether HubSpot judges an input against the state that earlier inputs left or against the state
    before the batch, and whether it applies the good inputs of a mixed batch, is unknown: `rules`
    decides. `forced` refuses inputs by position, whatever the rules say, and leaves the others.
    """
    outcome = _one_by_one(batch, before, rules, forced or {})
    if not outcome.refusals:
        return outcome
    if rules.mixed is Mixed.PARTIAL or set(outcome.refusals) <= set(forced or {}):
        return outcome
    return replace(outcome, after=before, accepted=(), steps=())


def _one_by_one(
    batch: Batch, before: Associations, rules: Rules, forced: Mapping[int, Refusal]
) -> BatchOutcome:
    current = before
    accepted: list[Input] = []
    refusals: dict[int, Refusal] = {}
    steps: list[Step] = []
    for position, one in enumerate(batch.inputs):
        basis = current if rules.judging is Judging.SEQUENCE else before
        refusal = forced.get(position) or judge(one, basis, rules)
        if refusal is not None:
            refusals[position] = refusal
            continue
        following = current.with_limit(one.key, wanted(one))
        steps.append(Step.between(batch.direction, one.key, current, following, Origin.REQUEST))
        accepted.append(one)
        current = following
    return BatchOutcome(current, tuple(accepted), refusals, tuple(steps))


def wanted(one: Input) -> int | None:
    """The limit that an input asks for; None: no limit."""
    return None if isinstance(one, Purge) else one.maximum


class Verdict(StrEnum):
    """What the stand-in does where HubSpot's own behaviour is unknown."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class Judging(StrEnum):
    """What each input of a batch is judged against: unknown, so both can be played."""

    SEQUENCE = "sequence"
    BEFORE = "before"


class Mixed(StrEnum):
    """What becomes of the good inputs of a batch that has a bad one: unknown."""

    ATOMIC = "atomic"
    PARTIAL = "partial"


class LabelKey(StrEnum):
    """Which rows of a read have the key `label`, which is documented as optional: unknown."""

    ALWAYS = "always"
    LABELLED = "labelled"
    NEVER = "never"


class UnknownPurge(StrEnum):
    """How a purge of an unknown type is answered: 207 and 400 were both observed on v4."""

    MULTI_STATUS = "207"
    REFUSED = "400"
    CANCELED = "canceled"
    """As an update of one: a success status with CANCELED in the body."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the stand-in judges.

    `equality`: a label limit equal to the object limit; HubSpot's changelog contradicts itself.
    `update_of_missing`: `batch/update` for a limit that does not exist yet; accepted (observed on
    2026-09), documented as the work of `batch/create`. `create_of_existing`: unknown. `primary`:
    a limit on HubSpot's Primary type; unknown. `maximum`: 50,000 is the product's technical
    ceiling (documented), the API's own maximum is unknown. `max_inputs`: unknown, None for any.
    `label_key`, `unknown_purge`: as their classes say.
    """

    equality: Verdict = Verdict.ACCEPT
    judging: Judging = Judging.SEQUENCE
    mixed: Mixed = Mixed.ATOMIC
    update_of_missing: Verdict = Verdict.ACCEPT
    create_of_existing: Verdict = Verdict.REFUSE
    primary: Verdict = Verdict.ACCEPT
    maximum: int = 50_000
    max_inputs: int | None = None
    label_key: LabelKey = LabelKey.ALWAYS
    unknown_purge: UnknownPurge = UnknownPurge.MULTI_STATUS


@dataclass(frozen=True, slots=True)
class Update:
    """Set a limit."""

    key: TypeKey
    maximum: int


@dataclass(frozen=True, slots=True)
class Create:
    """Set a limit that is not there yet."""

    key: TypeKey
    maximum: int


@dataclass(frozen=True, slots=True)
class Purge:
    """Remove a limit, if there is one."""

    key: TypeKey


Input = Update | Create | Purge


@dataclass(frozen=True, slots=True)
class UnknownType:
    """The direction has no such association type."""

    key: TypeKey


@dataclass(frozen=True, slots=True)
class Violation:
    """The input breaks a rule; the wording is the stand-in's own, HubSpot's is unknown."""

    key: TypeKey
    message: str


Refusal = UnknownType | Violation


def judge(one: Input, associations: Associations, rules: Rules) -> Refusal | None:
    """Why HubSpot would refuse this input for a direction in this state; None: it would not."""
    if one.key not in associations.types:
        return UnknownType(one.key)
    message = _violation(one, associations, rules)
    return None if message is None else Violation(one.key, message)


def _violation(one: Input, associations: Associations, rules: Rules) -> str | None:
    exists = one.key in associations.limits
    match one:
        case Purge():
            return None
        case Update():
            if not exists and rules.update_of_missing is Verdict.REFUSE:
                return f"Type {one.key.type_id} has no limit to update: create it first."
        case Create():
            if exists and rules.create_of_existing is Verdict.REFUSE:
                return f"Type {one.key.type_id} already has a limit: update it."
        case _:
            assert_never(one)
    return _bad_maximum(one, rules) or _bad_order(one, associations, rules)


def _bad_maximum(one: Update | Create, rules: Rules) -> str | None:
    """The message carries the allowed range (documented)."""
    if 1 <= one.maximum <= rules.maximum:
        return None
    return f"maxToObjectIds must be between 1 and {rules.maximum}, but is {one.maximum}."


def _bad_order(one: Update | Create, associations: Associations, rules: Rules) -> str | None:
    """A label limit must not exceed the object limit, whichever of them is set (documented)."""
    label = associations.types[one.key].label
    is_primary = label == "Primary" and one.key.category is Category.HUBSPOT_DEFINED
    if is_primary and rules.primary is Verdict.REFUSE:
        return "The Primary association type takes no limit."
    # 1 when equality is refused: then the label limit must stay that much below.
    gap = 1 if rules.equality is Verdict.REFUSE else 0
    if label is None:
        highest = associations.highest_label_limit
        if highest is not None and highest + gap > one.maximum:
            return f"The object limit {one.maximum} is too low: a label limit is {highest}."
    else:
        lowest = associations.object_limit
        if lowest is not None and one.maximum + gap > lowest:
            return (
                f"The limit {one.maximum} of {label!r} is too high: the object limit is {lowest}."
            )
    return None
