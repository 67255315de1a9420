"""What is known of one change while it is carried out, and what follows from it in the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.applying.staleness import shown
from reconciler.errors import PortalError, ReconcilerError
from reconciler.model import Change, ChangeError, ChangeResult, Status


@dataclass(frozen=True, slots=True)
class Untried:
    """It was not sent; `why` says on what it waited, or what kept it."""

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


@dataclass(frozen=True, slots=True)
class Shown:
    """It was in doubt, and a reading before the next step showed it."""


Knowledge = Untried | Accepted | Doubtful | Refused | Shown


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
    if reading is None:
        return _unread(change, known, unread)
    if reading.max == change.after:
        return ChangeResult(change, Status.VERIFIED)
    if isinstance(known, Refused):
        return ChangeResult(change, Status.FAILED, known.error)
    if reading.max == change.before:
        showing = f"the portal still shows {shown(reading.max)}, not {shown(change.after)}"
        return ChangeResult(change, Status.UNCERTAIN, _told(known, showing))
    other = f"written {shown(change.after)}, but the portal shows {shown(reading.max)}"
    return ChangeResult(change, Status.FAILED, _told(known, other))


def _unread(
    change: Change, known: Accepted | Doubtful | Refused | Shown, unread: str
) -> ChangeResult:
    match known:
        case Shown():
            return ChangeResult(change, Status.VERIFIED)
        case Refused(error):
            return ChangeResult(change, Status.FAILED, error)
        case Accepted() | Doubtful():
            error = _told(known, f"it was not read back: {unread}")
            return ChangeResult(change, Status.UNCERTAIN, error)
        case _:
            assert_never(known)


def _told(known: Accepted | Doubtful | Shown, showing: str) -> ChangeError:
    """What the portal shows, after what it answered."""
    match known:
        case Accepted():
            return ChangeError(f"HubSpot answered that it was written; {showing}")
        case Doubtful(error):
            return replace(error, message=f"{error.message}; {showing}")
        case Shown():
            return ChangeError(f"it was shown after the write; {showing}")
        case _:
            assert_never(known)


def change_error(error: ReconcilerError) -> ChangeError:
    """The error as a change's result tells it."""
    if isinstance(error, PortalError):
        return ChangeError(error.message, error.category, error.correlation_id)
    return ChangeError(error.message)
