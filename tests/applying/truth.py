"""What must be true after every apply, whatever went wrong while it ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from reconciler.applying.knowledge import REFUSAL_WATCH
from reconciler.applying.result_file import ResultDocument, result_json
from reconciler.errors import ExitCode
from reconciler.http.messages import Sending
from reconciler.model.limits import TypeKey
from reconciler.model.plan import Change, ChangeResult, Operation, Outcome, Plan, Status
from reconciler.planning.plan_file import place_json, plan_json
from reconciler.report.applied import result_text
from reconciler.report.terminal import Style
from reconciler.sandbox.portal import Associations
from reconciler.sandbox.portal import TypeKey as SandboxKey
from reconciler.sandbox.state import Origin, Step
from tests.applying.traffic import (
    DirectionKey,
    Input,
    Reading,
    direction_of,
    readings,
    sendings,
    written,
)
from tests.applying.world import TOKEN, Ran

TURNED_AWAY = frozenset({423, 429, 477})
"""Answers to a request that nobody has looked at."""

JUDGED = frozenset({200, 201, 207, 400, 409, 422})
"""Answers to a request whose inputs were looked at."""


def check(ran: Ran, *, stopped: bool = False, journal_is_whole: bool = True) -> None:
    """Demand that the report is true and that the portal was treated well.

    `stopped`: a signal asked to stop, so that what was written may be left unread.
    """
    assert list(rule_broken(ran.steps)) == [], "HubSpot's rule was broken"
    assert list(_strict_rule_broken(ran)) == [], "equal limits came between two states without"
    assert list(_not_in_the_plan(ran)) == [], "something was written that the plan does not name"
    assert list(_repeated(ran)) == [], "a limit was changed twice"
    _check_outcome(ran)
    for each in ran.result.changes:
        _check_status(ran, each, stopped=stopped)
    _check_document(ran)
    assert Counter(written(ran.requests)) <= Counter(journaled(ran)), "not all is in the journal"
    if journal_is_whole:
        _check_journal(ran)
    _check_token(ran)


def rule_broken(steps: Sequence[Step]) -> Iterator[Step]:
    """Steps after which a label limit is above its object limit, unless an edit made it so."""
    return (step for step in _own(steps) if step.breaks_rule)


def _strict_rule_broken(ran: Ran) -> Iterator[Step]:
    """Steps after which limits are equal, though neither end of the apply has equal ones.

    HubSpot contradicts itself on equal limits. Where both ends would do under the strict reading,
    so must every state in between.
    """
    for step in _own(ran.steps):
        direction = ran.before.associations(step.direction)
        key = (step.direction.from_id, step.direction.to_id)
        ends = (direction.limits, target(ran.plan, key, direction))
        if _equal(direction, step.limits) and not any(_equal(direction, end) for end in ends):
            yield step


def _own(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps that requests took in directions which nobody edited meanwhile."""
    edited = {step.direction for step in steps if step.origin is Origin.EDIT}
    return (
        step for step in steps if step.origin is Origin.REQUEST and step.direction not in edited
    )


def _equal(direction: Associations, limits: Mapping[SandboxKey, int]) -> bool:
    objects = [value for key, value in limits.items() if direction.types[key].label is None]
    labels = [value for key, value in limits.items() if direction.types[key].label is not None]
    return bool(objects and labels and max(labels) >= min(objects))


def target(plan: Plan, key: DirectionKey, direction: Associations) -> Mapping[SandboxKey, int]:
    """The limits of a direction once the plan is carried out."""
    limits = {**direction.limits}
    for change in plan.by_direction.get(key, ()):
        name = next(one for one in direction.types if _same(one, change.type.key))
        limits.pop(name, None)
        if change.after is not None:
            limits[name] = change.after
    return limits


def _same(name: SandboxKey, key: TypeKey) -> bool:
    return (name.category.value, name.type_id) == (key.category.value, key.type_id)


def _not_in_the_plan(ran: Ran) -> Iterator[Input]:
    planned = {_input(change) for change in ran.plan.changes}
    for one in written(ran.requests):
        operation = Operation.PURGE if one.operation == Operation.PURGE else Operation.UPDATE
        if (one.direction, operation, one.key, one.max) not in planned:
            yield one


def _input(change: Change) -> tuple[DirectionKey, Operation, TypeKey, int | None]:
    operation = Operation.PURGE if change.after is None else Operation.UPDATE
    return (change.direction.key, operation, change.type.key, change.after)


def _repeated(ran: Ran) -> Iterator[object]:
    """Limits that this apply changed more than once, but for those edited meanwhile."""
    edited = {(step.direction, step.key) for step in ran.steps if step.origin is Origin.EDIT}
    changed = Counter((step.direction, step.key) for step in effective(ran.steps))
    return (name for name, times in changed.items() if times > 1 and name not in edited)


def effective(steps: Sequence[Step]) -> list[Step]:
    """The steps by which a request changed a limit; a repeated one changes nothing."""
    return [each for each in steps if each.origin is Origin.REQUEST and each.before != each.after]


# ---------------------------------------------------------------- outcome and statuses


def _check_outcome(ran: Ran) -> None:
    statuses = {each.status for each in ran.result.changes}
    sent = written(ran.requests)
    match ran.result.outcome:
        case Outcome.NOTHING:
            assert (ran.code, statuses, sent) == (ExitCode.DONE, set(), [])
        case Outcome.APPLIED:
            assert (ran.code, statuses) == (ExitCode.DONE, {Status.VERIFIED})
        case Outcome.INCOMPLETE:
            assert ran.code is ExitCode.INCOMPLETE
            assert statuses != {Status.VERIFIED}
            assert sent != []
            said = [each.error.message for each in ran.result.changes if each.error]
            waited = all("it waited for" in each for each in said)
            assert (
                ran.result.message or statuses - {Status.VERIFIED, Status.NOT_ATTEMPTED} or waited
            )
        case Outcome.FAILED:
            assert ran.code is ExitCode.ERROR
            assert statuses <= {Status.FAILED, Status.NOT_ATTEMPTED}
            assert [*effective(ran.steps)] == [], "it says that nothing was written"
        case Outcome.REFUSED:
            assert (ran.code, statuses) == (ExitCode.REFUSED, {Status.NOT_ATTEMPTED})
            assert sent == []


def _check_status(ran: Ran, each: ChangeResult, *, stopped: bool) -> None:
    change = each.change
    answers = sendings(ran.delivered, change)
    judged = any(each.status not in TURNED_AWAY for each in answers)
    seen = readings(ran.delivered, change)
    whole = [reading for reading in seen if reading is not None]
    last = whole[-1].value if whole else None
    is_shown = bool(whole) and last == change.after
    settled = _agreed(whole, ran.settle)
    wrote = any(is_about(step, change) for step in effective(ran.steps))
    message = each.error.message if each.error else ""
    match each.status:
        case Status.VERIFIED:
            assert judged, f"{change.id} is verified, though it was never sent"
            assert is_shown, f"{change.id} is verified, though it was not read back"
            assert settled, f"{change.id} is verified, though no two reads agreed"
        case Status.FAILED:
            assert judged, f"{change.id} failed, though nobody looked at it"
            other = bool(whole) and not is_shown and f"shows {_shown(last)}" in message
            assert not wrote or other, f"{change.id} failed, but it was written: {message}"
            unheard = answers[-1].status not in JUDGED
            assert settled or unheard, f"{change.id} failed, though no two reads agreed"
            watched = last != change.before or _agreed(whole, max(ran.settle, REFUSAL_WATCH))
            assert watched or unheard, f"{change.id} failed, but was not watched long enough"
            refused_with = answers[-1]
            alone = refused_with.status != 400 or refused_with.inputs == 1
            assert alone or ran.result.message, f"{change.id} was refused in company"
        case Status.UNCERTAIN:
            assert judged, f"{change.id} is uncertain, though it was never sent"
            assert not (is_shown and settled), f"{change.id} is uncertain, but it was shown"
            old = last == change.before
            assert old or not settled, f"{change.id} shows another value"
            tried = seen or stopped or "the portal limits the rate" in message
            assert tried, f"{change.id} is uncertain, but nobody tried to read it"
        case Status.NOT_ATTEMPTED:
            assert not judged, f"{change.id} was sent: {message}"
            assert not wrote
    assert (each.error is None) == (each.status is Status.VERIFIED)


def _agreed(reads: Sequence[Reading], settle: float) -> bool:
    """Whether the last reads show the same, two of them so many seconds apart."""
    if not reads:
        return False
    same = list(takewhile(lambda each: each.value == reads[-1].value, reversed(reads)))
    return settle == 0 or (len(same) > 1 and same[0].asked >= same[-1].answered + settle)


def is_about(step: Step, change: Change) -> bool:
    """Whether a change of a limit is one of this limit."""
    return tuple(step.direction) == change.direction.key and _same(step.key, change.type.key)


def _shown(value: int | None) -> str:
    return "no limit" if value is None else str(value)


# ---------------------------------------------------------------- what it left behind


def _check_document(ran: Ran) -> None:
    document = ResultDocument.model_validate_json(result_json(ran.result))
    assert [each.id for each in document.changes] == [each.id for each in ran.plan.changes]
    sources = [place_json(each.source) for each in ran.plan.changes]
    assert [each.source and each.source.model_dump() for each in document.changes] == sources
    assert document.portal is not None
    assert document.portal.portal_id == ran.plan.portal.portal_id
    assert document.requests == sum(isinstance(each, Sending) for each in ran.heard)


def _check_journal(ran: Ran) -> None:
    """It begins with the plan and ends with the result."""
    events = ran.events
    assert [events[0]["event"], events[-1]["event"]] == ["start", "finish"]
    stated = {each["id"]: each["status"] for each in events[-1]["changes"]}
    assert stated == ran.statuses


def journaled(ran: Ran) -> Iterator[Input]:
    """Every input that the journal says was about to leave."""
    for event in ran.events:
        if event["event"] == "request" and event["inputs"]:
            direction = direction_of(event["path"].rpartition("/batch/")[0])
            assert direction is not None
            for one in event["inputs"]:
                key = TypeKey(one["category"], one["type_id"])
                yield Input(direction, event["operation"], key, one["max"])


def _check_token(ran: Ran) -> None:
    shown = (
        ran.journal,
        *map(repr, ran.heard),
        result_json(ran.result),
        repr(ran.result),
        plan_json(ran.plan),
        result_text(ran.result, style=Style(ansi_codes=False)),
    )
    assert not any(TOKEN in text for text in shown), "the token was shown"
