"""What is known of one change while it is carried out, and what follows from it in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.applying.staleness import shown
from reconciler.errors import PortalError, ReconcilerError
from reconciler.model import Change, ChangeError, ChangeResult, Status, TypeKey


@dataclass(frozen=True, slots=True)
class Untried:
    """Nobody looked at it: not sent, or turned away. The error says on what it waited."""

    error: ChangeError


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
    """It was sent, and a reading before the next step showed it."""


Knowledge = Untried | Accepted | Doubtful | Refused | Shown


@dataclass(frozen=True, slots=True)
class Seen:
    """The last whole reading of a direction; `values` None: there is none, because `unread`."""

    values: Mapping[TypeKey, int] | None = None
    unread: str = "nothing of this direction was sent"

    def shows(self, change: Change) -> bool:
        """Whether the limit is what the change was to make it."""
        return self.values is not None and self.values.get(change.type.key) == change.after


def judge(change: Change, known: Knowledge, seen: Seen) -> ChangeResult:
    """What became of a change. The portal's own showing outweighs what it answered."""
    if isinstance(known, Untried):
        return ChangeResult(change, Status.NOT_ATTEMPTED, known.error)
    if seen.values is None:
        return _unread(change, known, seen.unread)
    if seen.shows(change):
        return ChangeResult(change, Status.VERIFIED)
    if isinstance(known, Refused):
        return ChangeResult(change, Status.FAILED, known.error)
    found = seen.values.get(change.type.key)
    if found == change.before:
        showing = f"the portal still shows {shown(found)}, not {shown(change.after)}"
        return ChangeResult(change, Status.UNCERTAIN, _told(known, showing))
    other = f"written {shown(change.after)}, but the portal shows {shown(found)}"
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


def after_no_effect(was: Knowledge, told: Untried | Refused) -> Knowledge:
    """What is known when an attempt had no effect: an earlier doubt or refusal stays.

    An input is sent more than once where a larger batch was refused or left it open.
    """
    if isinstance(was, Untried) or (isinstance(was, Refused) and isinstance(told, Refused)):
        return told
    return was


def change_error(error: ReconcilerError) -> ChangeError:
    """The error as a change's result tells it."""
    if isinstance(error, PortalError):
        return ChangeError(error.message, error.category, error.correlation_id)
    return ChangeError(error.message)
