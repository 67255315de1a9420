"""What is known of one change while it is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from reconciler.applying.staleness import shown
from reconciler.errors import PortalError, ReconcilerError
from reconciler.model import Change, ChangeError, ChangeResult, Status


@dataclass(frozen=True, slots=True)
class Untried:
    """It was not sent; `why` says on what it waited."""

    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The portal says it was written."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """It was sent, and the answer does not say that it was written."""

    error: ChangeError


@dataclass(frozen=True, slots=True)
class Refused:
    """The portal says it was not written."""

    error: ChangeError


Knowledge = Untried | Accepted | Doubtful | Refused


@dataclass(frozen=True, slots=True)
class Reading:
    """What the portal shows of a limit; `max` None: no limit."""

    max: int | None


def judge(change: Change, known: Knowledge, reading: Reading | None, unread: str) -> ChangeResult:
    """What became of a change. The portal's own showing outweighs what it answered.

    `reading` None: it could not be read back, for the reason `unread`.
    """
    if isinstance(known, Untried):
        return ChangeResult(change, Status.NOT_ATTEMPTED, ChangeError(known.why))
    if reading is not None and reading.max == change.after:
        return ChangeResult(change, Status.VERIFIED)
    if isinstance(known, Refused):
        return ChangeResult(change, Status.FAILED, known.error)
    if reading is not None and reading.max != change.before:
        message = f"written {shown(change.after)}, but the portal shows {shown(reading.max)}"
        return ChangeResult(change, Status.FAILED, ChangeError(message))
    return ChangeResult(change, Status.UNCERTAIN, _uncertain(change, known, reading, unread))


def _uncertain(
    change: Change, known: Accepted | Doubtful, reading: Reading | None, unread: str
) -> ChangeError:
    showing = (
        f"it was not read back: {unread}"
        if reading is None
        else f"the portal still shows {shown(reading.max)}, not {shown(change.after)}"
    )
    match known:
        case Accepted():
            return ChangeError(showing)
        case Doubtful(error):
            return ChangeError(f"{error.message}; {showing}", error.category, error.correlation_id)
        case _:
            assert_never(known)


def change_error(error: ReconcilerError) -> ChangeError:
    """The error as a change's result tells it."""
    if isinstance(error, PortalError):
        return ChangeError(error.message, error.category, error.correlation_id)
    return ChangeError(error.message)
