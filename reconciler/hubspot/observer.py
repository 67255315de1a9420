"""Who watches the requests go by: progress, logs and the journal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from reconciler.hubspot.rates import Rate
from reconciler.model import BatchInput


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
    """Called from the portal's threads, several at a time.

    `sending` returns before a byte leaves: a journal flushes there, and the request is not sent
    if it raises.
    """

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
