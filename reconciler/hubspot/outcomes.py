"""What became of an attempt: an understood answer, a fault that may pass, or an error."""

from __future__ import annotations

from typing import TypeVar, assert_never

from reconciler.errors import AnswerNotSupported, AnswerNotUnderstood, PortalUnavailable
from reconciler.http.events import WaitCause
from reconciler.http.messages import Chance, NotSent, Response, TransportFault, UnusableAnswer
from reconciler.hubspot.call import Attempt, PassingFault, Repeat
from reconciler.hubspot.documents import BeyondThisVersion, Nonsense
from reconciler.hubspot.failures import LOCKED, MIGRATING, RATE_LIMITED, Failure

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
        ) from None
    except Nonsense as nonsense:
        raise _nonsense(attempt, nonsense, response.status) from None


def _nonsense(attempt: Attempt[T], nonsense: Nonsense, status: int) -> Exception:
    """A read is asked again: one bad answer ends nothing. A write may have been carried out."""
    error = _unusable(attempt, nonsense.description, status)
    attempt.progress.nonsense += nonsense.lasting
    lasting = attempt.progress.nonsense >= _NONSENSE_ATTEMPTS
    if attempt.call.repeat is not Repeat.READ or lasting:
        return error
    return PassingFault(error, WaitCause.FAULT, _NONSENSE_WAIT, status=status)


def without_answer(attempt: Attempt[T], fault: TransportFault) -> Exception:
    """What to raise when the transport brought no response."""
    match fault:
        case NotSent():
            return _not_sent(attempt, fault)
        case UnusableAnswer():
            return _nonsense(attempt, Nonsense(fault.description, lasting=True), fault.status)
        case _:
            return _no_answer(attempt, fault)


def _not_sent(attempt: Attempt[T], fault: NotSent) -> Exception:
    error = PortalUnavailable(
        f"{attempt.call.endpoint} could not be sent: {fault.description}", hint=fault.hint
    )
    match fault.chance:
        case Chance.NONE:
            return error
        case Chance.ONCE_REACHED if not attempt.reached:
            return error
        case Chance.ONCE_REACHED | Chance.GOOD:
            return _broken(error)
        case _:
            assert_never(fault.chance)


def _no_answer(attempt: Attempt[T], fault: TransportFault) -> Exception:
    attempt.doubt()
    error = PortalUnavailable(
        f"{attempt.call.endpoint}: {fault.description}",
        may_have_been_written=attempt.progress.in_doubt,
    )
    return error if attempt.call.repeat is Repeat.SINGLE_WRITE else _broken(error)


def _broken(error: PortalUnavailable) -> PassingFault:
    return PassingFault(error, WaitCause.FAULT, _BROKEN_CONNECTION_WAIT)


def _unusable(attempt: Attempt[T], description: str, status: int) -> AnswerNotUnderstood:
    attempt.doubt()
    return AnswerNotUnderstood(
        f"unusable answer to {attempt.call.endpoint}: {description} (HTTP {status})",
        hint="if it stays so: is --base-url HubSpot's, and is there a proxy in between?",
        may_have_been_written=attempt.progress.in_doubt,
    )


def failed(attempt: Attempt[T], failure: Failure, pause: float) -> Exception:
    """What to raise for an answer outside 2xx; `pause`: seconds for which nobody sends."""
    if failure.leaves_doubt:
        attempt.doubt()
    error = failure.error(in_doubt=attempt.progress.in_doubt)
    if not isinstance(error, PortalUnavailable):
        return error
    once = attempt.call.repeat is Repeat.SINGLE_WRITE
    if not failure.passes or (once and failure.leaves_doubt):
        return error
    rate_limited = failure.status == RATE_LIMITED
    return PassingFault(
        error,
        _cause(failure.status),
        pause if rate_limited else failure.shortest_wait,
        status=failure.status,
        asked=failure.retry_after is not None,
        grows=not rate_limited,
    )


def _cause(status: int) -> WaitCause:
    if status == RATE_LIMITED:
        return WaitCause.RATE_LIMIT
    return WaitCause.LOCKED if status in {LOCKED, MIGRATING} else WaitCause.FAULT
