"""Calls: attempts and the waits between them, until an answer, a refusal or the deadline.

The retries are tenacity's and not stamina's, because stamina sleeps with a `time.sleep` that can
be neither injected nor interrupted, so that SIGINT could not end an apply that waits for a lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

import tenacity

from reconciler.errors import Interrupted, PortalError, RequestRefused
from reconciler.http.clock import Clock
from reconciler.http.events import Event, Waiting
from reconciler.hubspot.attempts import Attempts
from reconciler.hubspot.call import Call, PassingFault, Progress

T = TypeVar("T")

_LONGEST_WAIT = 10.0
_FLOOR, _LONGEST_FLOOR = 0.2, 2.0
_LONGEST_JITTER = 1.0


class Calls:
    """Carries calls out, for any number of threads. `timeout`: seconds for one call."""

    def __init__(
        self,
        attempts: Attempts,
        clock: Clock,
        report: Callable[[Event], None],
        timeout: float,
        jitter: Callable[[], float],
    ) -> None:
        self._attempts = attempts
        self._clock = clock
        self._report = report
        self._timeout = timeout
        self._jitter = jitter
        self._spare = min(1.0, timeout / 10)
        """Seconds that a wait must leave for the attempt after it."""

    def __call__(self, call: Call[T]) -> T:
        """The understood answer; raise a `PortalError`, or `Interrupted` while waiting."""
        progress = Progress(self._clock.monotonic() + self._allowed(call))
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(PassingFault),
            wait=lambda state: self._wait(_fault(state), progress),
            stop=lambda state: self._is_over(_fault(state), progress),
            before_sleep=lambda state: self._tell(_fault(state), state.upcoming_sleep),
            sleep=self._clock.wait,
            reraise=True,
        )
        try:
            answer: T = retrying(self._attempts.attempt, call, progress)
            return answer
        except PassingFault as fault:
            self._give_up(fault, progress, self._allowed(call))
        except RequestRefused:
            raise
        except (PortalError, Interrupted) as error:
            if not progress.in_doubt or _is_about_this_attempt(error, progress):
                raise
            raise _in_doubt(error) from error

    def _wait(self, fault: PassingFault, progress: Progress) -> float:
        """What the portal asks for and never less, or a guess that doubles and fits what is left.

        A `Retry-After` of 0 does not make a loop without a pause.
        """
        doubled = 2.0 ** min(progress.attempt - 1, 8)
        wait = max(fault.wait, min(_LONGEST_FLOOR, _FLOOR * doubled))
        if fault.grows:
            wait = min(_LONGEST_WAIT, fault.wait * doubled)
        wait += min(_LONGEST_JITTER, wait / 4) * self._jitter()
        usable = max(0.0, self._attempts.left(progress) - self._spare)
        return max(fault.wait, usable) if fault.asked and wait > usable else min(wait, usable)

    def _is_over(self, fault: PassingFault, progress: Progress) -> bool:
        usable = self._attempts.left(progress) - self._spare
        return usable <= 0 or (fault.asked and fault.wait > usable)

    def _tell(self, fault: PassingFault, seconds: float) -> None:
        self._report(Waiting(seconds, fault.cause, fault.error.message, fault.status))

    def _allowed(self, call: Call[T]) -> float:
        return self._timeout if call.seconds is None else min(call.seconds, self._timeout)

    def _give_up(self, fault: PassingFault, progress: Progress, allowed: float) -> NoReturn:
        error = fault.error
        tries = f"{progress.attempt} attempt{'s' * (progress.attempt != 1)}"
        why = f"given up after {tries}, the time allowed is {allowed:g} s"
        if fault.asked and self._attempts.left(progress) > self._spare:
            why = (
                f"it asks to wait {fault.wait:.0f} s, longer than what is left of the "
                f"{allowed:g} s allowed"
            )
        raise type(error)(
            f"{error.message}; {why}",
            hint=error.hint or "allow more time with --timeout, or run again later",
            category=error.category,
            correlation_id=error.correlation_id,
            may_have_been_written=progress.in_doubt,
        ) from None


def _fault(state: tenacity.RetryCallState) -> PassingFault:
    fault = state.outcome.exception() if state.outcome else None
    assert isinstance(fault, PassingFault)  # noqa: S101  tenacity asks after a fault only
    return fault


def _is_about_this_attempt(error: PortalError | Interrupted, progress: Progress) -> bool:
    """Whether the error itself says that the only attempt may have been carried out."""
    return error.may_have_been_written and progress.attempt == 1


def _in_doubt(error: PortalError | Interrupted) -> PortalError | Interrupted:
    """Whatever ended the call, an earlier attempt of the write may have been carried out."""
    message = f"{error.message}; an earlier attempt had left without an answer"
    if isinstance(error, Interrupted):
        return Interrupted(message, hint=error.hint, may_have_been_written=True)
    return type(error)(
        message,
        hint=error.hint,
        category=error.category,
        correlation_id=error.correlation_id,
        may_have_been_written=True,
    )
