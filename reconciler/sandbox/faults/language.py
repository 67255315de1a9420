"""The rule language of `--fault`: which requests, and what goes wrong with them.

    WHEN[@FROM/TO][#N | #N-M | #N- | *]:ACTION[,key=value]…[,times=K]

WHEN is an HTTP method (`GET`, `POST`, …) or an operation: `read` (limits of a direction), `all`
(limits of the portal), `labels`, `update`, `create`, `purge`, `account`, `usage`, `schemas`; or a
group: `any`, `write` (update, create, purge), `limits` (read, all and write). `@FROM/TO` narrows to
one direction. `#2` is the second request that WHEN selects, `#2-4` the second to fourth, `#2-` all
from the second, `*` or nothing all of them. `times=K` ends the rule after K uses.

    503  429  477  …         this status; body=json|html|empty|cut|short, retry-after=SECONDS,
                             wrote=yes|SECONDS (a write takes effect all the same, at once or
                             after SECONDS);
                             429: policy=SECONDLY|TEN_SECONDLY_ROLLING|DAILY; 403: scopes=a+b
    202  207  …              answered as usual, but with this status from 200 to 299;
                             body=json|html|empty|cut|short
    drop                     the connection is closed unanswered; wrote=yes|SECONDS
    hang,seconds=S           the same, but only after S seconds; wrote=yes|SECONDS
    delay,seconds=S          answered after S seconds
    trickle,seconds=S        answered in pieces over S seconds
    lose                     answered 2xx, nothing written
    cancel                   answered 2xx with CANCELED, nothing written
    pend[,seconds=S]         answered 2xx with PENDING, written after S seconds; without: never
    part,inputs=1+3          answered 207, these inputs refused, the others written;
                             or types=28+29
    refuse,types=28+29       answered 400 whenever the batch has one of these type IDs
    alter,type=28,as=7       7 stored for type ID 28, answered as asked
    omit,types=28            written, but the answer lacks these rows
    omit,keys=label+category the rows of a 2xx answer lack these keys;
                             types=28+29: these rows only
    put,key=K,value=V        the rows of a 2xx answer have this value, JSON if it reads as JSON,
                             such as 5.0 or null; types=28+29: these rows only
    row,type=N               a 2xx answer with rows has one more; category=ANY, label=TEXT, max=V
    say,key=K,value=V        a 2xx answer has this beside its rows, such as key=status or
                             key=paging.next.after
    redirect,to=URL          answered 307, or code=CODE
    huge,mb=N                answered with N megabytes of rows; framing=chunked|length
    lag,seconds=S            a read shows the state of S seconds ago
    flap,seconds=S           every other read after a change shows the state of S seconds ago;
                             or reads=N: N reads of a direction alternate between the states before
                             and after its last change; without: for ever; first=old|new
    nulls                    a read of limits has a row with null for every type without a limit
    rate,max=N,remaining=N   rate headers that say this; interval=MILLISECONDS
    edit,from=F,to=T,type=N,max=N|none
                             a limit is changed behind the client's back; category=CATEGORY

Of several rules that decide one answer, the first wins. `edit`, `delay`, `rate`, a status of 2xx,
`omit,keys`, `put`, `row` and `say` go along with it, in the order given.

Examples: `read#1-2:503`, `update:drop,wrote=yes,times=1`, `write@contacts/companies:429,policy=DAILY`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from ..portal import ObjectTypes
from ..routes import METHODS, WRITES, Call, Operation
from ..rules import Batch
from .actions import Action, Refuse
from .vocabulary import ArgumentError, Arguments, read_action

_RULE = re.compile(
    r"(?P<when>[A-Za-z-]+)"
    r"(?:@(?P<from_name>[^/@#*:]+)/(?P<to_name>[^/@#*:]+))?"
    r"(?:#(?P<first>[0-9]{1,9})(?P<range>-(?P<last>[0-9]{0,9}))?|\*)?"
    r":(?P<action>[a-z0-9]+)(?:,(?P<arguments>.*))?"
)

_GROUPS: dict[str, frozenset[Operation]] = {
    "any": frozenset(Operation),
    "write": WRITES,
    "limits": WRITES | {Operation.READ, Operation.READ_ALL},
    "schemas": frozenset({Operation.SCHEMAS, Operation.SCHEMA, Operation.SCHEMAS_BATCH}),
    "usage": frozenset({Operation.USAGE, Operation.USAGE_TYPES}),
}


class FaultError(ValueError):
    """A rule that cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule. `first` and `last` count the requests that it selects, from 1."""

    text: str
    operations: frozenset[Operation]
    method: str | None
    from_name: str | None
    to_name: str | None
    first: int
    last: int | None
    times: int | None
    action: Action

    def selects(self, method: str, call: Call, object_types: ObjectTypes) -> bool:
        """Whether the rule is about this kind of request, whichever in number it is.

        Directions are compared as object types, so that any name of an object type will do.
        """
        if call.operation not in self.operations or self.method not in (None, method):
            return False
        return (
            self.from_name is None
            or self.to_name is None
            or (
                _is_same(self.from_name, call.from_name, object_types)
                and _is_same(self.to_name, call.to_name, object_types)
            )
        )

    def covers(self, number: int) -> bool:
        """Whether the rule is about the request of this number among those it selects."""
        return self.first <= number and (self.last is None or number <= self.last)


def parse_fault(text: str) -> Fault:
    """Read one rule. Raises FaultError."""
    found = _RULE.fullmatch(text)
    if found is None:
        raise FaultError(
            f"{text!r} is not a fault rule. It should be WHEN[@FROM/TO][#N]:ACTION[,key=value]…"
        )
    try:
        arguments = Arguments.parse(found["arguments"] or "")
        times = arguments.optional_whole("times")
        action = read_action(found["action"], arguments)
        arguments.refuse_rest()
        operations, method = _when(found["when"])
    except ArgumentError as error:
        raise FaultError(f"In the fault rule {text!r}: {error}") from error
    first, last = _numbers(found)
    return Fault(
        text=text,
        operations=operations,
        method=method,
        from_name=found["from_name"],
        to_name=found["to_name"],
        first=first,
        last=last,
        times=times,
        action=action,
    )


def _when(word: str) -> tuple[frozenset[Operation], str | None]:
    if word in METHODS:
        return frozenset(Operation), word
    if word in _GROUPS:
        return _GROUPS[word], None
    if word in frozenset(Operation):
        return frozenset({Operation(word)}), None
    known = ", ".join(sorted({*_GROUPS, *(one.value for one in Operation), *METHODS}))
    raise ArgumentError(f"{word} is not an operation. Known are {known}.")


def _numbers(found: re.Match[str]) -> tuple[int, int | None]:
    if found["first"] is None:
        return 1, None
    first = int(found["first"])
    if found["range"] is None:
        return first, first
    return first, int(found["last"]) if found["last"] else None


def _is_same(name: str, other: str, object_types: ObjectTypes) -> bool:
    found = object_types.find(name)
    return found is not None and found == object_types.find(other)


@dataclass(slots=True)
class _Count:
    selected: int = 0
    used: int = 0


class Schedule:
    """The rules in force, each with how often it was asked and used. Safe for threads."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = [(fault, _Count()) for fault in faults]
        self._lock = threading.Lock()

    def due(
        self, method: str, call: Call, batch: Batch | None, object_types: ObjectTypes
    ) -> list[Action]:
        """The actions for this request, in the order of the rules. Counts the request."""
        if not self._faults:
            return []
        with self._lock:
            return [
                fault.action
                for fault, count in self._faults
                if fault.selects(method, call, object_types)
                and _concerns(fault.action, batch)
                and self._strikes(fault, count)
            ]

    @staticmethod
    def _strikes(fault: Fault, count: _Count) -> bool:
        count.selected += 1
        if not fault.covers(count.selected):
            return False
        if fault.times is not None and count.used >= fault.times:
            return False
        count.used += 1
        return True


def _concerns(action: Action, batch: Batch | None) -> bool:
    """A rule about type IDs of a batch is silent on a batch that has none of them."""
    if not isinstance(action, Refuse):
        return True
    return batch is not None and any(one.key.type_id in action.types for one in batch.inputs)
