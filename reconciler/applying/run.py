"""What the directions of one apply share, and what stops them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Lock

from reconciler.applying.events import Event
from reconciler.errors import (
    AnswerNotSupported,
    AnswerNotUnderstood,
    EndpointMissing,
    PermissionMissing,
    ReconcilerError,
    RequestRefused,
)
from reconciler.http.clock import Clock
from reconciler.hubspot.portal import Portal


class Halt:
    """Stops all directions from sending; the first reason stays."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reason: str | None = None

    def because(self, reason: str) -> None:
        """No direction sends another write from here on."""
        with self._lock:
            self._reason = self._reason or reason

    def after(self, error: ReconcilerError) -> None:
        """Halt if the error concerns more than the direction it was met in."""
        if ends_the_run(error):
            self.because(error.message)

    @property
    def reason(self) -> str | None:
        """Why nothing more is to be written, or None."""
        return self._reason


def ends_the_run(error: ReconcilerError) -> bool:
    """Whether no further write makes sense, in any direction.

    A refusal and an answer that cannot be understood are about what was asked: other directions go
    on. A signal, a token that is not accepted any more, a spent daily allowance, a portal that gives
    no answer in the time allowed and a broken journal end the run.
    """
    match error:
        case RequestRefused() | PermissionMissing() | EndpointMissing():
            return False
        case AnswerNotSupported() | AnswerNotUnderstood():
            return False
        case _:
            return True


@dataclass(frozen=True, slots=True)
class Run:
    """`report` takes every event; what it raises for an announcement stops the apply.

    `verify_timeout`: seconds that written limits of a direction have to show. `settle`: seconds
    that two reads must be apart that are to agree; for 0 one read will do. `create_is_needed` is
    set once the portal has refused `update` for a limit that did not exist and taken `create`.
    """

    portal: Portal
    clock: Clock
    report: Callable[[Event], None]
    verify_timeout: float
    settle: float
    halt: Halt = field(default_factory=Halt)
    create_is_needed: Flag = field(default_factory=Flag)
