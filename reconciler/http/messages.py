"""A request as plain values: what is sent, what comes back or why nothing does, what is reported.

The events of a run's requests are reported to one callable. Progress, journal and counters are
readers of them, and of those of an apply, which `applying` adds; `report_to` makes one callable of
several readers.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
from math import isfinite
from typing import Protocol, TypeVar

from reconciler.outgoing import one_line


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. The headers hold the token and are therefore never shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole and decompressed; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Sends one request, follows no redirect, repeats nothing."""

    def send(self, request: Request, seconds: float) -> Response:
        """The response within `seconds`; raise `NotSent`, `NoAnswer` or `UnusableAnswer`."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class TransportFault(Exception):
    """No response. `description` is for the user."""

    def __init__(self, description: str, *, hint: str | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.hint = hint


class Chance(Enum):
    """Whether a request that could not be sent may be sent later."""

    GOOD = "good"
    """The cause may pass."""
    ONCE_REACHED = "once reached"
    """It may pass where the portal was reached before; where it never was, the address is wrong."""
    NONE = "none"
    """Not without a change of the settings."""


class NotSent(TransportFault):
    """The request never left."""

    def __init__(
        self, description: str, *, hint: str | None = None, chance: Chance = Chance.GOOD
    ) -> None:
        super().__init__(description, hint=hint)
        self.chance = chance


class NoAnswer(TransportFault):
    """The request left, and no whole answer came back."""


class UnusableAnswer(TransportFault):
    """An answer came that is too large or cannot be decoded."""

    def __init__(self, description: str, status: int) -> None:
        super().__init__(description)
        self.status = status


# ---------------------------------------------------------------- bodies

MAXIMUM_BODY = 10 * 1024 * 1024
"""Bytes of an answer, as it comes and decoded; HubSpot's largest here are some hundred kilobytes."""


def decoded(status: int, headers: Mapping[str, str], chunks: Iterator[bytes]) -> bytes:
    """The body out of at most one layer of gzip, which is all that was asked for.

    Raises UnusableAnswer for any other encoding, and for a body that is too large or cut off.
    """
    layers = [
        layer
        for each in headers.get("content-encoding", "").split(",")
        if (layer := each.strip().lower()) not in ("", "identity")
    ]
    match layers:
        case []:
            return b"".join(_bounded(status, chunks))
        case ["gzip" | "x-gzip"]:
            return b"".join(_unzipped(status, _bounded(status, chunks)))
        case _:
            named = one_line(", ".join(layers))[:60]
            raise UnusableAnswer(f"it is encoded as {named}, and gzip was asked for", status)


def _bounded(status: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces as they come, of which no more are taken than is allowed."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAXIMUM_BODY:
            raise _too_large(status)
        yield chunk


def _unzipped(status: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The decompressed pieces, of which no more is made than is allowed."""
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    left, came = MAXIMUM_BODY, False
    for chunk in chunks:
        came = came or bool(chunk)
        rest = chunk
        while rest:
            try:
                piece = decoder.decompress(rest, left + 1)
            except zlib.error:
                raise UnusableAnswer("it cannot be decompressed", status) from None
            left -= len(piece)
            if left < 0:
                raise _too_large(status)
            if decoder.unused_data:
                raise UnusableAnswer("something follows its compressed content", status)
            yield piece
            rest = decoder.unconsumed_tail
    if came and not decoder.eof:
        raise UnusableAnswer("its compressed content is cut off", status)


def _too_large(status: int) -> UnusableAnswer:
    """The response is larger than `MAXIMUM_BODY`, as it comes or decompressed."""
    return UnusableAnswer("it is larger than 10 MiB", status)


# ---------------------------------------------------------------- rates: allowances, and when to come back

_PREFIX = "x-hubspot-ratelimit-"

LONGEST_INTERVAL = 60.0
"""Seconds: HubSpot's interval is 10 (documented); one of years would stop every run."""

LONGEST_RETRY_AFTER = 366 * 86_400.0
"""Seconds: more than anybody waits, and a number that arithmetic and messages can take."""


class Policy(Enum):
    """HubSpot's rate policies (documented); `ROLLING` also where a 429 names none."""

    ROLLING = "TEN_SECONDLY_ROLLING"
    SECONDLY = "SECONDLY"
    DAILY = "DAILY"


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate headers of an answer, each missing or sensible. `interval` in seconds."""

    limit: int | None = None
    remaining: int | None = None
    interval: float | None = None
    daily_remaining: int | None = None


def read_rate(headers: Mapping[str, str]) -> Rate:
    """The rate headers; what is missing, negative or not a number is None. Keys in lower case.

    An interval is believed up to `LONGEST_INTERVAL`.
    """
    limit = whole(headers.get(f"{_PREFIX}max"))
    milliseconds = whole(headers.get(f"{_PREFIX}interval-milliseconds"))
    return Rate(
        limit=limit or None,
        remaining=whole(headers.get(f"{_PREFIX}remaining")),
        interval=min(milliseconds / 1000, LONGEST_INTERVAL) if milliseconds else None,
        daily_remaining=whole(headers.get(f"{_PREFIX}daily-remaining")),
    )


def read_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that `Retry-After` asks for, given as seconds or as a date; None if neither.

    A date is meant by the server's clock, which the answer's own `Date` tells; `now`, this
    machine's, stands in where there is none.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text, _date(headers.get("date", "")) or now)
    return _sensible(seconds) if isfinite(seconds) else None


def _seconds_until(text: str, now: datetime) -> float | None:
    moment = _date(text)
    if moment is None:
        return None
    try:
        return _sensible((moment - now).total_seconds())
    except OverflowError:
        return LONGEST_RETRY_AFTER if moment > now else 0.0


def _date(text: str) -> datetime | None:
    """Imported here: dates are rare in Retry-After, and the module's import takes 8 ms."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _sensible(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)


def whole(text: str | None) -> int | None:
    """A whole number from 0, in ASCII; of more than twelve digits it is none that is meant."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else None


# ---------------------------------------------------------------- events


class Announcement:
    """An event that has not happened yet: a journal that raises keeps it from happening."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request: its number within the connection, and the attempt of its call, both from 1.

    `operation`: what it is for, in words. `writes`: whether it may change something. `subject`:
    what the caller says it is about, such as a batch; HTTP only hands it on.
    """

    number: int
    attempt: int
    operation: str
    method: str
    path: str
    writes: bool = False
    subject: object = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Sending(Announcement):
    """A request is about to leave: no byte of it has."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Answered:
    """The response to a request. `duration` and `retry_after` in seconds."""

    exchange: Exchange
    status: int
    duration: float
    correlation_id: str | None = None
    retry_after: float | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request brought no usable response; a write may have taken effect."""

    exchange: Exchange
    description: str


class WaitCause(StrEnum):
    """What is being waited for."""

    PACE = "pace"
    """Our own sliding window: nothing was refused."""
    RATE_LIMIT = "rate limit"
    """A 429."""
    LOCKED = "locked"
    """A 423 or a 477."""
    FAULT = "fault"
    """A server error, a broken connection or an answer that makes no sense."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing is sent for so many seconds; `status` where a response is the cause."""

    seconds: float
    cause: WaitCause
    message: str
    status: int | None = None


Event = Sending | Answered | Unanswered | Waiting

E = TypeVar("E")


def report_to(
    *readers: Callable[[E], None], journal: Callable[[E], None] | None = None
) -> Callable[[E], None]:
    """One callable for events out of several, called from several threads at a time.

    The journal is for safety: it comes first, and what it raises for an `Announcement`, such as
    `Sending`, is raised, so that nothing is sent without its line. Whatever else is raised goes to
    the log `reconciler` and stops no work: readers are for people.
    """

    def report(event: E) -> None:
        rest = readers
        if journal is not None and isinstance(event, Announcement):
            journal(event)
        elif journal is not None:
            rest = (journal, *readers)
        for reader in rest:
            try:
                reader(event)
            except Exception as error:  # noqa: BLE001 - whatever a reader raises, the work goes on
                logging.getLogger("reconciler").warning(
                    "a reader of events failed: %s: %s", type(error).__name__, error
                )

    return report
