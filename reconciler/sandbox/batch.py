"""One batch carried out on one direction: which inputs were accepted, refused, and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .history import Origin, Step
from .portal import Associations, Direction
from .rules import Input, Judging, Mixed, Purge, Refusal, Rules, judge


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
