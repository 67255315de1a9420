"""Stop sending: a signal, or an error after which no further write makes sense."""

from __future__ import annotations

from threading import Lock

from reconciler.errors import (
    AnswerNotSupported,
    AnswerNotUnderstood,
    EndpointMissing,
    PermissionMissing,
    ReconcilerError,
    RequestRefused,
)


class Halt:
    """Shared by the directions of one apply; the first reason stays."""

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

    It does after a refusal, which is about what was asked, and after a 2xx that cannot be
    understood. It does not after a signal, a token that is no longer accepted, a spent daily
    allowance, a portal that gives no answer in the time allowed, or a journal that is broken.
    """
    match error:
        case RequestRefused() | PermissionMissing() | EndpointMissing():
            return False
        case AnswerNotSupported() | AnswerNotUnderstood():
            return False
        case _:
            return True
