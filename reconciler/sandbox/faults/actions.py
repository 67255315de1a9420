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
    """JSON that ends in the middle, in an answer that is otherwise whole."""
    SHORT = "short"
    """The connection ends before as many bytes have come as the head announced."""


class Wrote(StrEnum):
    """Whether a write takes effect before its answer goes wrong."""

    NO = "no"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with this status. `scopes` only for 403, `policy` only for 429."""

    code: int
    body: Body = Body.JSON
    wrote: Wrote = Wrote.NO
    retry_after: str | None = None
    policy: str = "TEN_SECONDLY_ROLLING"
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without an answer."""

    wrote: Wrote = Wrote.NO


@dataclass(frozen=True, slots=True)
class Hang:
    """Send nothing for so long, then close the connection."""

    seconds: float
    wrote: Wrote = Wrote.NO


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


Besides = Edit | Rate | Delay
"""Actions that go along with the usual answer, or with that of another rule."""

Failure = Status | Drop | Hang | Redirect | Huge
"""Actions that put an answer of their own, or none, in place of the usual one."""

Misreport = Lose | Cancel | Pend | Part | Refuse | Alter | Omit
"""Actions on a batch that make its answer or its effect differ from what was asked."""

View = Lag | Nulls | Trickle
"""Actions that show the usual answer in another way."""

Instead = Failure | Misreport | View
"""Actions that decide the answer: of several rules, the first one wins."""

Action = Besides | Instead
