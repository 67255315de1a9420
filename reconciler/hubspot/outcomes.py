"""What became of an attempt: an understood answer, a fault that may pass, or an error."""

from __future__ import annotations

from typing import TypeVar

from reconciler.errors import AnswerNotSupported, PortalUnavailable
from reconciler.hubspot.call import Attempt, PassingFault, Repeat
from reconciler.hubspot.documents import BeyondThisVersion, Nonsense
from reconciler.hubspot.failures import LOCKED, MIGRATING, RATE_LIMITED, Failure
from reconciler.hubspot.messages import (
    NotSent,
    Response,
    TransportFault,
    UnusableAnswer,
)
from reconciler.hubspot.observer import WaitCause

T = TypeVar("T")

_BROKEN_CONNECTION_WAIT = 0.25
_NONSENSE_WAIT = 1.0
_NONSENSE_ATTEMPTS = 3
"""JSON of the wrong shape is asked for again, but not for as long as time allows."""


def understood(attempt: Attempt[T], response: Response) -> T:
    """The answer of a 2xx; raise for one that cannot be understood."""
    try:
        return attempt.call.understand(response)
    except BeyondThisVersion as unknown:
        raise AnswerNotSupported(
            f"{attempt.call.endpoint}: {unknown.description}",
            hint="use a newer version of reconciler, or another --api-version",
            status=response.status,
        ) from None
    except Nonsense as nonsense:
        error = _unusable(attempt, nonsense.description, response.status)
        attempt.progress.nonsense += nonsense.lasting
        lasting = attempt.progress.nonsense >= _NONSENSE_ATTEMPTS
        if attempt.call.repeat is not Repeat.READ or lasting:
            raise error from None
        raise PassingFault(error, WaitCause.FAULT, _NONSENSE_WAIT) from None


def without_answer(attempt: Attempt[T], fault: TransportFault) -> Exception:
    """What to raise when the transport brought no response."""
    match fault:
        case NotSent():
            return _not_sent(attempt, fault)
        case UnusableAnswer():
            return _unusable(attempt, fault.description, fault.status)
        case _:
            return _no_answer(attempt, fault)


def _not_sent(attempt: Attempt[T], fault: NotSent) -> Exception:
    error = PortalUnavailable(
        f"{attempt.call.endpoint} could not be sent: {fault.description}", hint=fault.hint
    )
    return error if fault.lasting else _broken(error)


def _no_answer(attempt: Attempt[T], fault: TransportFault) -> Exception:
    attempt.doubt()
    error = PortalUnavailable(
        f"{attempt.call.endpoint}: {fault.description}",
        may_have_been_written=attempt.progress.in_doubt,
    )
    return error if attempt.call.repeat is Repeat.SINGLE_WRITE else _broken(error)


def _broken(error: PortalUnavailable) -> PassingFault:
    return PassingFault(error, WaitCause.FAULT, _BROKEN_CONNECTION_WAIT)


def _unusable(attempt: Attempt[T], description: str, status: int) -> PortalUnavailable:
    attempt.doubt()
    return PortalUnavailable(
        f"unusable answer to {attempt.call.endpoint}: {description} (HTTP {status})",
        hint="if it stays so: is --base-url HubSpot's, and is there a proxy in between?",
        status=status,
        may_have_been_written=attempt.progress.in_doubt,
    )


def failed(attempt: Attempt[T], failure: Failure, pause: float) -> Exception:
    """What to raise for an answer outside 2xx; `pause`: seconds for which nobody sends."""
    error = failure.error()
    if not isinstance(error, PortalUnavailable):
        return error
    if failure.leaves_doubt:
        attempt.doubt()
        error.may_have_been_written = attempt.progress.in_doubt
    once = attempt.call.repeat is Repeat.SINGLE_WRITE
    if not failure.passes or (once and failure.leaves_doubt):
        return error
    rate_limited = failure.status == RATE_LIMITED
    return PassingFault(
        error,
        _cause(failure.status),
        pause if rate_limited else failure.shortest_wait,
        asked=failure.retry_after is not None,
        grows=not rate_limited,
    )


def _cause(status: int) -> WaitCause:
    if status == RATE_LIMITED:
        return WaitCause.RATE_LIMIT
    return WaitCause.LOCKED if status in {LOCKED, MIGRATING} else WaitCause.FAULT
