"""Who watches the requests go by: progress, logs and the journal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec, Protocol

from reconciler.http.rates import Rate
from reconciler.model.plan import BatchInput


class CallName(StrEnum):
    """What a request is for."""

    ACCOUNT = "account"
    CUSTOM_OBJECTS = "custom objects"
    LIMITS = "limits"
    ALL_LIMITS = "all limits"
    LABELS = "labels"
    USAGE = "usage"
    UPDATE = "update"
    PURGE = "purge"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request: its number within the portal, and the attempt of its call, both from 1."""

    number: int
    attempt: int
    operation: CallName
    method: str
    path: str
    inputs: tuple[BatchInput, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request. `duration` and `retry_after` in seconds."""

    status: int
    duration: float
    correlation_id: str | None = None
    retry_after: float | None = None
    rate: Rate | None = None


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
class Reason:
    """Why nothing is sent for a while, in words too; `status` where an answer is the cause."""

    cause: WaitCause
    message: str
    status: int | None = None


class Observer(Protocol):
    """Called from the portal's threads, several at a time; `sending` before a byte leaves."""

    def sending(self, exchange: Exchange) -> None: ...
    def answered(self, exchange: Exchange, answer: Answer) -> None: ...
    def failed(self, exchange: Exchange, description: str) -> None: ...
    def waiting(self, seconds: float, reason: Reason) -> None: ...


class NullObserver:
    """Watches nothing."""

    def sending(self, exchange: Exchange) -> None: ...
    def answered(self, exchange: Exchange, answer: Answer) -> None: ...
    def failed(self, exchange: Exchange, description: str) -> None: ...
    def waiting(self, seconds: float, reason: Reason) -> None: ...


class Observers:
    """Several observers in turn.

    The journal is for safety: it comes first, and a request is not sent if its `sending` raises.
    The others are for people, and nothing they raise stops anything.
    """

    def __init__(self, others: Sequence[Observer], journal: Observer | None = None) -> None:
        self._journal = journal
        self._others = others

    def sending(self, exchange: Exchange) -> None:
        if self._journal is not None:
            self._journal.sending(exchange)
        for each in self._others:
            contained(each.sending, exchange)

    def answered(self, exchange: Exchange, answer: Answer) -> None:
        for each in self._all:
            contained(each.answered, exchange, answer)

    def failed(self, exchange: Exchange, description: str) -> None:
        for each in self._all:
            contained(each.failed, exchange, description)

    def waiting(self, seconds: float, reason: Reason) -> None:
        for each in self._all:
            contained(each.waiting, seconds, reason)

    @property
    def _all(self) -> Sequence[Observer]:
        return self._others if self._journal is None else (self._journal, *self._others)


Arguments = ParamSpec("Arguments")


def contained(
    report: Callable[Arguments, None], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> None:
    """Call an observer. What it raises goes to the log `reconciler`: it must not stop any work."""
    try:
        report(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever an observer raises, the work goes on
        logging.getLogger("reconciler").warning(
            "an observer failed: %s: %s", type(error).__name__, error
        )
