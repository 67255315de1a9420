"""What happens to the requests of a run, as values reported to one callable.

Progress, journal and counters are readers of these events, and of those of an apply, which
`applying` adds. `report_to` makes one callable of several readers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from reconciler.http.messages import Rate


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
