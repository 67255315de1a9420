"""One call and what it goes through: what is asked, its progress, its attempts, its faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from reconciler.errors import PortalUnavailable
from reconciler.http.events import Exchange, WaitCause
from reconciler.http.messages import Response
from reconciler.http.window import Ticket
from reconciler.model.plan import Batch

T = TypeVar("T")


class Repeat(Enum):
    """What sending a request twice does."""

    READ = "read"
    """Nothing: it reads."""
    IDEMPOTENT_WRITE = "idempotent write"
    """The same as sending it once (observed of update and purge)."""
    SINGLE_WRITE = "single write"
    """Perhaps a refusal of what the first one did: `create` is not repeated once in doubt."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """What is asked of the portal, and how to understand the answer."""

    operation: str
    method: str
    path: str
    understand: Callable[[Response], T]
    repeat: Repeat = Repeat.READ
    exempt: bool = False
    body: bytes | None = None
    seconds: float | None = None
    """The time allowed, waits and retries included, where it is less than the connection's."""
    batch: Batch | None = None

    @property
    def endpoint(self) -> str:
        """Method and path, for messages."""
        return f"{self.method} {self.path.partition('?')[0]}"


class Progress:
    """What one call has been through. `deadline`: when the time allowed for it is over."""

    def __init__(self, deadline: float) -> None:
        self.attempt = 0
        self.deadline = deadline
        self.nonsense = 0
        self.in_doubt = False
        """A write left and was not answered: it may have been carried out."""


class PassingFault(Exception):
    """An attempt failed in a way that may pass.

    `wait`: the seconds to wait, at least. `asked`: whether the portal named them. `grows`:
    whether to wait longer from one attempt to the next.
    """

    def __init__(
        self,
        error: PortalUnavailable,
        cause: WaitCause,
        wait: float,
        *,
        status: int | None = None,
        asked: bool = False,
        grows: bool = True,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.cause = cause
        self.status = status
        self.wait = wait
        self.asked = asked
        self.grows = grows and not asked


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """One attempt of a call that has leave to be sent. `started`: seconds of the clock.

    `reached`: whether the portal has answered anything in this run.
    """

    call: Call[T]
    progress: Progress
    ticket: Ticket
    exchange: Exchange
    started: float
    reached: bool

    def doubt(self) -> None:
        """It left and was not answered: if it writes, that may have been done."""
        if self.call.repeat is not Repeat.READ:
            self.progress.in_doubt = True
