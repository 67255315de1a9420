"""A plan and its result made of bytes: the first line gives numbers, each further line is a text."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle

from reconciler.model.limits import (
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
    Change,
    ChangeError,
    ChangeResult,
    GitState,
    LimitUsage,
    Origin,
    Outcome,
    Plan,
    PortalRef,
    Refusal,
    RefusalCode,
    Result,
    Status,
    Summary,
    UsageGap,
    count_actions,
)
from reconciler.planning.order import order

_LIMITS = (None, 1, 2, 5, 10_000, 50_000)
_NUMBERS = (1, 0, 7, 50_001, 2**31 - 1)
_ORIGINS = (None, *Origin)
_MOST_CHANGES = 12


class _Supply:
    """Numbers and texts without end: what there is, again and again."""

    def __init__(self, data: bytes) -> None:
        first, _, rest = data.partition(b"\n")
        self._numbers = cycle(first or b"\0")
        self._texts = cycle(_text(line) for line in rest.split(b"\n"))

    def number(self, below: int) -> int:
        return next(self._numbers) % below

    def text(self) -> str:
        return next(self._texts)


def _text(line: bytes) -> str:
    """Text with half characters in it, as JSON can spell them, where the bytes are such."""
    try:
        return line.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return line.decode("utf-8", "replace")


def plan_from(data: bytes) -> Plan:
    """A plan whose counts and batches follow from its changes, as in any that is made."""
    supply = _Supply(data)
    # Names are in the IDs that the digest covers; the reader of answers refuses half characters.
    names = [supply.text().encode(errors="replace").decode() for _ in range(3)]
    objects = [ObjectType(f"2-{number}", name) for number, name in enumerate(names, 1)]
    changes = tuple(
        change
        for number in range(supply.number(_MOST_CHANGES + 1))
        if (change := _change(supply, objects, number)) is not None
    )
    counts = count_actions(changes)
    portal = PortalRef(
        supply.text(),
        1 + supply.number(9),
        tuple(AccountType)[supply.number(len(AccountType))],
        supply.text(),
        "2026-09",
    )
    plan = Plan(
        tool_version=supply.text(),
        created_at=supply.text(),
        portal=portal,
        files=(ConfigFile(supply.text(), "ab" * 32),),
        git=GitState(supply.text(), dirty=True, base=supply.text()) if supply.number(2) else None,
        summary=Summary(
            create=counts[Action.CREATE],
            update=counts[Action.UPDATE],
            delete=counts[Action.DELETE],
            unchanged=supply.number(3),
            unmanaged=supply.number(3),
        ),
        changes=changes,
        batches=order(changes),
        warnings=tuple(supply.text() for _ in range(supply.number(3))),
        refusals=tuple(_refusal(supply, changes) for _ in range(supply.number(3))),
        workspace=supply.text() if supply.number(2) else None,
    )
    if supply.number(2):
        return plan
    return replace(plan, usage=tuple(_usage(supply, each) for each in plan.restricted))


def result_from(plan: Plan, data: bytes) -> Result:
    """What could have become of the plan."""
    supply = _Supply(data)
    results = tuple(
        ChangeResult(
            change,
            tuple(Status)[supply.number(len(Status))],
            ChangeError(supply.text(), supply.text(), supply.text()) if supply.number(2) else None,
        )
        for change in plan.changes
    )
    outcome = tuple(Outcome)[supply.number(len(Outcome))]
    message = supply.text() if supply.number(2) else None
    return Result(outcome, results, supply.number(99), supply.text(), supply.text(), message)


def _usage(supply: _Supply, direction: Direction) -> LimitUsage:
    """What the portal says of a direction, or why it says nothing."""
    from_id, to_id = direction.key
    limit = _LIMITS[supply.number(6)]
    if supply.number(2):
        return LimitUsage(from_id, to_id, limit, _number(supply), _number(supply))
    why = (None, *UsageGap)[supply.number(3)]
    return LimitUsage(from_id, to_id, None, None, None, why)


def _change(supply: _Supply, objects: list[ObjectType], number: int) -> Change | None:
    direction = Direction(objects[supply.number(3)], objects[supply.number(3)])
    label = supply.text() if number % 3 else None
    category = tuple(Category)[supply.number(len(Category))]
    before, after = _LIMITS[supply.number(6)], _LIMITS[supply.number(6)]
    if before == after:
        return None
    return Change(
        direction=direction,
        type=AssociationType(TypeKey(category, number + 1), label),
        before=before,
        after=after,
        origin=_ORIGINS[supply.number(len(_ORIGINS))],
        source=Place(supply.text(), 1 + _number(supply), 1) if supply.number(2) else None,
        reason=supply.text() if supply.number(2) else None,
        protected=bool(supply.number(2)),
    )


def _refusal(supply: _Supply, changes: tuple[Change, ...]) -> Refusal:
    code = tuple(RefusalCode)[supply.number(len(RefusalCode))]
    about = changes[supply.number(len(changes))].id if changes and supply.number(2) else None
    source = Place(supply.text(), 1, 1) if supply.number(2) else None
    return Refusal(code, supply.text(), about, source)


def _number(supply: _Supply) -> int:
    return _NUMBERS[supply.number(len(_NUMBERS))]
