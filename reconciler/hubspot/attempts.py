"""One attempt of a call: leave to send, the journal, the wire, and what the answer means."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from reconciler.errors import PortalUnavailable
from reconciler.hubspot.clock import Clock
from reconciler.hubspot.connection import Connection
from reconciler.hubspot.failures import LOCKED, MIGRATING, RATE_LIMITED, Failure
from reconciler.hubspot.messages import (
    NoAnswer,
    NotSent,
    Request,
    Response,
    Transport,
    UnusableAnswer,
)
from reconciler.hubspot.observer import Answer, CallName, Exchange, Observer, WaitCause
from reconciler.hubspot.pace import Pace, RateRefusal
from reconciler.hubspot.rates import Policy, Rate, read_rate, read_retry_after
from reconciler.hubspot.window import Ticket
from reconciler.hubspot.wire import Nonsense, correlation_id
from reconciler.model import BatchInput

T = TypeVar("T")

_LONGEST_ATTEMPT = 30.0
_SHORTEST_ATTEMPT = 0.05
_BROKEN_CONNECTION_WAIT = 0.25
_NONSENSE_WAIT = 1.0
_NONSENSE_ATTEMPTS = 3
"""JSON of the wrong shape is asked for again, but not for as long as time allows."""


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

    operation: CallName
    method: str
    path: str
    understand: Callable[[Response], T]
    repeat: Repeat = Repeat.READ
    exempt: bool = False
    body: bytes | None = None
    inputs: tuple[BatchInput, ...] = ()

    @property
    def endpoint(self) -> str:
        """Method and path, for messages."""
        return f"{self.method} {self.path.partition('?')[0]}"


class Progress:
    """What one call has been through. `deadline`: set when its first attempt may leave."""

    def __init__(self) -> None:
        self.attempt = 0
        self.deadline: float | None = None
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
        asked: bool = False,
        grows: bool = True,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.cause = cause
        self.wait = wait
        self.asked = asked
        self.grows = grows and not asked


@dataclass(frozen=True, slots=True)
class _Attempt(Generic[T]):
    call: Call[T]
    progress: Progress
    ticket: Ticket
    exchange: Exchange
    started: float

    def doubt(self) -> None:
        if self.call.repeat is not Repeat.READ:
            self.progress.in_doubt = True


class Attempts:
    """Makes attempts, for any number of threads, and counts them."""

    def __init__(
        self,
        connection: Connection,
        transport: Transport,
        clock: Clock,
        observer: Observer,
        pace: Pace,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._clock = clock
        self._observer = observer
        self._pace = pace
        self._counting = threading.Lock()
        self._numbered = 0
        self._sent = 0

    @property
    def sent(self) -> int:
        """How many requests were handed to the transport."""
        return self._sent

    def left(self, progress: Progress) -> float | None:
        """Seconds left of the time allowed; None before the first attempt."""
        if progress.deadline is None:
            return None
        return progress.deadline - self._clock.monotonic()

    def attempt(self, call: Call[T], progress: Progress) -> T:
        """The understood answer; raise `PassingFault` for what may pass, or a `PortalError`."""
        ticket = self._pace.enter(exempt=call.exempt, patience=self.left(progress))
        started = self._clock.monotonic()
        progress.attempt += 1
        if progress.deadline is None:
            progress.deadline = started + self._connection.timeout
        attempt = _Attempt(call, progress, ticket, self._announce(call, progress, ticket), started)
        response = self._send(attempt)
        rate = read_rate(response.headers)
        if 200 <= response.status < 300:
            self._pace.answered(ticket, rate)
            self._report(attempt, response, correlation_id(response), rate)
            return _understand(attempt, response)
        failure = Failure(call.endpoint, response, rate)
        pause = self._heed(attempt, failure, response, rate)
        self._report(attempt, response, failure.correlation_id, rate)
        raise _failed(attempt, failure, self._retry_after(response), pause)

    def _announce(self, call: Call[T], progress: Progress, ticket: Ticket) -> Exchange:
        with self._counting:
            self._numbered += 1
            number = self._numbered
        exchange = Exchange(
            number, progress.attempt, call.operation, call.method, call.path, call.inputs
        )
        try:
            self._observer.sending(exchange)
        except BaseException:
            self._pace.withdrawn(ticket)
            raise
        with self._counting:
            self._sent += 1
        return exchange

    def _send(self, attempt: _Attempt[T]) -> Response:
        call, ticket = attempt.call, attempt.ticket
        url = self._connection.base_url + call.path
        request = Request(call.method, url, self._headers(call), call.body)
        try:
            response = self._transport.send(request, self._seconds(attempt.progress))
        except NotSent as fault:
            self._pace.withdrawn(ticket)
            self._observer.failed(attempt.exchange, fault.description)
            raise _not_sent(attempt, fault) from None
        except NoAnswer as fault:
            self._pace.failed(ticket)
            self._observer.failed(attempt.exchange, fault.description)
            raise _no_answer(attempt, fault) from None
        except UnusableAnswer as fault:
            self._pace.failed(ticket)
            self._observer.failed(attempt.exchange, fault.description)
            raise _unusable(attempt, fault.description, fault.status) from None
        except BaseException:
            self._pace.failed(ticket)
            raise
        return self._without_token(call, response)

    def _headers(self, call: Call[T]) -> dict[str, str]:
        headers = {
            "authorization": f"Bearer {self._connection.token.reveal()}",
            "accept": "application/json",
            "user-agent": "hubspot-reconciler",
        }
        return headers if call.body is None else headers | {"content-type": "application/json"}

    def _seconds(self, progress: Progress) -> float:
        """Half of the time allowed at most, so that one silence leaves time for another try."""
        longest = min(_LONGEST_ATTEMPT, self._connection.timeout / 2)
        left = self.left(progress)
        return max(_SHORTEST_ATTEMPT, longest if left is None else min(longest, left))

    def _without_token(self, call: Call[T], response: Response) -> Response:
        """Mask a token that a server echoes, except in the data that was asked for."""
        token = self._connection.token
        headers = {name: token.scrub(value) for name, value in response.headers.items()}
        body = response.body
        if call.repeat is not Repeat.READ or not 200 <= response.status < 300:
            body = token.scrub(body.decode("utf-8", "replace")).encode()
        return Response(response.status, headers, body)

    def _retry_after(self, response: Response) -> float | None:
        return read_retry_after(response.headers, self._clock.wall())

    def _heed(
        self, attempt: _Attempt[T], failure: Failure, response: Response, rate: Rate
    ) -> float:
        """Tell the pace; the seconds for which nobody sends."""
        if failure.status != RATE_LIMITED or failure.policy is Policy.DAILY:
            self._pace.answered(attempt.ticket, rate)
            return 0.0
        refusal = RateRefusal(failure.policy, self._retry_after(response))
        return self._pace.refused(attempt.ticket, rate, refusal)

    def _report(
        self, attempt: _Attempt[T], response: Response, correlation: str | None, rate: Rate
    ) -> None:
        duration = self._clock.monotonic() - attempt.started
        retry_after = self._retry_after(response)
        answer = Answer(response.status, duration, correlation, retry_after, rate)
        self._observer.answered(attempt.exchange, answer)


# ---------------------------------------------------------------- what became of an attempt


def _understand(attempt: _Attempt[T], response: Response) -> T:
    try:
        return attempt.call.understand(response)
    except Nonsense as nonsense:
        error = _unusable(attempt, nonsense.description, response.status)
        progress = attempt.progress
        progress.nonsense += nonsense.is_json
        lasting = progress.nonsense >= _NONSENSE_ATTEMPTS
        if attempt.call.repeat is not Repeat.READ or lasting:
            raise error from None
        raise PassingFault(error, WaitCause.FAULT, _NONSENSE_WAIT) from None


def _not_sent(attempt: _Attempt[T], fault: NotSent) -> Exception:
    error = PortalUnavailable(
        f"{attempt.call.endpoint} could not be sent: {fault.description}", hint=fault.hint
    )
    return error if fault.lasting else _broken(error)


def _no_answer(attempt: _Attempt[T], fault: NoAnswer) -> Exception:
    attempt.doubt()
    error = PortalUnavailable(
        f"{attempt.call.endpoint}: {fault.description}",
        may_have_been_written=attempt.progress.in_doubt,
    )
    return error if attempt.call.repeat is Repeat.SINGLE_WRITE else _broken(error)


def _broken(error: PortalUnavailable) -> PassingFault:
    return PassingFault(error, WaitCause.FAULT, _BROKEN_CONNECTION_WAIT)


def _unusable(attempt: _Attempt[T], description: str, status: int) -> PortalUnavailable:
    attempt.doubt()
    return PortalUnavailable(
        f"nonsense answer to {attempt.call.endpoint}: {description} (HTTP {status})",
        hint="If it stays so: is --base-url HubSpot's, and is there a proxy in between?",
        status=status,
        may_have_been_written=attempt.progress.in_doubt,
    )


def _failed(
    attempt: _Attempt[T], failure: Failure, retry_after: float | None, pause: float
) -> Exception:
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
    wait = pause if rate_limited else retry_after
    return PassingFault(
        error,
        _cause(failure.status),
        failure.shortest_wait if wait is None else wait,
        asked=retry_after is not None,
        grows=not rate_limited,
    )


def _cause(status: int) -> WaitCause:
    if status == RATE_LIMITED:
        return WaitCause.RATE_LIMIT
    return WaitCause.LOCKED if status in {LOCKED, MIGRATING} else WaitCause.FAULT
