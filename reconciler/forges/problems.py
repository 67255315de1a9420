"""What a forge refuses or fails at: errors for the user, and faults that are dealt with here."""

from __future__ import annotations

from reconciler.errors import ReconcilerError


class ForgeError(ReconcilerError):
    """The forge refused, could not be reached, or gave no usable answer."""

    def __init__(self, message: str, *, hint: str | None = None, status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status

    @property
    def refused(self) -> bool:
        """Whether the forge said no to this request, and not to the token as such."""
        return self.status is not None and 400 <= self.status < 500 and self.status != 401


class CommentGone(ForgeError):
    """The comment to change is not there any more."""


class PerhapsCreated(ForgeError):
    """A request that is not repeated left, and nobody knows whether it was carried out."""


class PassingFault(Exception):
    """An attempt failed in a way that may pass; `asked`: the seconds the forge asks to wait."""

    def __init__(self, error: ForgeError, asked: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.asked = asked
