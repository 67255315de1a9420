"""What a fault does to an exchange: one value for each kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..portal import Category


class Body(StrEnum):
    """What the body of an error answer is."""

    JSON = "json"
    HTML = "html"
    EMPTY = "empty"
    CUT = "cut"
    """JSON that ends in the middle, in an answer that is otherwise complete."""
    SHORT = "short"
    """The connection ends before as many bytes have come as the head announced."""


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with this status. `scopes` only for 403, `policy` only for 429.

    `wrote`, here and below: so many seconds later a write takes effect all the same; None: never.
    """

    code: int
    body: Body = Body.JSON
    wrote: float | None = None
    retry_after: str | None = None
    policy: str = "TEN_SECONDLY_ROLLING"
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without an answer."""

    wrote: float | None = None


@dataclass(frozen=True, slots=True)
class Hang:
    """Send nothing for so long, then close the connection."""

    seconds: float
    wrote: float | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """Answer as usual, but only after so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Trickle:
    """Answer as usual, the body in pieces over so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lose:
    """Answer as if it had been written, and write nothing."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Answer 2xx with `CANCELED` in the body, and write nothing."""


@dataclass(frozen=True, slots=True)
class Pend:
    """Answer 2xx with `PENDING`; the write takes effect after so long, or never (None)."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Refuse the chosen inputs, by position from 1 or by type ID, and carry out the others."""

    inputs: frozenset[int] = frozenset()
    types: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer 400 to the whole batch, if it has an input of one of these type IDs."""

    types: frozenset[int]


@dataclass(frozen=True, slots=True)
class Alter:
    """Store another value for a type ID than the one asked for, and answer with the one asked."""

    type_id: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Omit:
    """Carry the batch out, and leave the rows of these type IDs out of the answer."""

    types: frozenset[int]


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the client elsewhere."""

    to: str
    code: int = 307


@dataclass(frozen=True, slots=True)
class Huge:
    """Answer 200 with a JSON list of so many megabytes, `chunked` or with its length announced."""

    megabytes: int
    chunked: bool = True


@dataclass(frozen=True, slots=True)
class Lag:
    """Answer a read with the state of so long ago."""

    seconds: float


class First(StrEnum):
    """Which state the first of alternating reads shows."""

    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Flap:
    """Answer every other read after a change with the state before it, for a while or for ever.

    With `seconds`, the old state is that of so long ago, and so reads agree after that time. With
    `reads`, it is the state before the last change, and so many reads alternate. With neither they
    never agree.
    """

    seconds: float | None = None
    reads: int | None = None
    first: First = First.OLD


@dataclass(frozen=True, slots=True)
class Nulls:
    """Answer a read of limits with a row for every type, a null limit where there is none."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Answer as usual, with rate headers that say this."""

    maximum: int
    remaining: int
    interval_milliseconds: int = 10_000


@dataclass(frozen=True, slots=True)
class Edit:
    """Change a limit as somebody would in HubSpot, right before the request is served.

    None: no limit. HubSpot's rules are not asked, so that any state can be made.
    """

    from_name: str
    to_name: str
    type_id: int
    maximum: int | None
    category: Category | None = None


@dataclass(frozen=True, slots=True)
class OmitKeys:
    """Leave these keys out of the answer's rows: of all, or of those with one of these type IDs."""

    keys: frozenset[str]
    types: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Put:
    """Show this value under a key of the answer's rows: of all, or of those of these type IDs."""

    key: str
    value: object
    types: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """Show one more row. Its label is null, and there is no key for a limit unless `maximum` is."""

    type_id: int
    category: str = "USER_DEFINED"
    label: str | None = None
    maximum: object = None


@dataclass(frozen=True, slots=True)
class Say:
    """Show this value under a key of the answer itself, beside `results`.

    Dots lead into objects: `paging.next.after`.
    """

    path: tuple[str, ...]
    value: object


@dataclass(frozen=True, slots=True)
class Success:
    """Answer as usual, but with this status from 200 to 299 and this kind of body."""

    code: int
    body: Body = Body.JSON


Reshape = OmitKeys | Put | Row | Say | Success
"""Actions on a 2xx answer once it is made, in the order of the rules."""

Besides = Edit | Rate | Delay | Reshape
"""Actions that go along with the usual answer, or with that of another rule."""

Failure = Status | Drop | Hang | Redirect | Huge
"""Actions that put an answer of their own, or none, in place of the usual one."""

Misreport = Lose | Cancel | Pend | Part | Refuse | Alter | Omit
"""Actions on a batch that make its answer or its effect differ from what was asked."""

View = Lag | Flap | Nulls | Trickle
"""Actions that show the usual answer in another way."""

Instead = Failure | Misreport | View
"""Actions that decide the answer: of several rules, the first one wins."""

Action = Besides | Instead
