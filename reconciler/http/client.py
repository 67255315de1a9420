"""One call over HTTP: its attempts, the waits between them, its deadline, and what is in doubt.

HubSpot and the forges share it. Each says what a response means: `Call.understand`, which returns
what was asked for, or a `Setback`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Generic, NoReturn, TypeVar

import tenacity

from reconciler.errors import Interrupted, ReconcilerError, plural
from reconciler.http.clock import Clock
from reconciler.http.connection import Connection
from reconciler.http.messages import (
    Answered,
    Chance,
    Event,
    Exchange,
    NotSent,
    Policy,
    Request,
    Response,
    Sending,
    Transport,
    TransportFault,
    Unanswered,
    UnusableAnswer,
    WaitCause,
    Waiting,
    read_rate,
)
from reconciler.http.pace import Pace, RateExceeded, RateRefusal, Ticket
from reconciler.outgoing import mask, one_line

T = TypeVar("T")

_LONGEST_ATTEMPT, _SHORTEST_ATTEMPT = 30.0, 0.05
_LONGEST_WAIT, _LONGEST_JITTER = 10.0, 1.0
_FLOOR, _LONGEST_FLOOR = 0.2, 2.0
"""Seconds between two attempts at least, doubled each time: a `Retry-After` of 0 makes no loop."""

_BROKEN_CONNECTION_WAIT, USUAL_WAIT = 0.25, 1.0
_NONSENSE_ATTEMPTS = 3
"""An answer of the wrong shape is asked for again, but not for as long as time allows."""


class Repeat(Enum):
    """What sending a request twice does."""

    READ = "read"
    """Nothing: it reads."""
    IDEMPOTENT_WRITE = "idempotent write"
    """The same as sending it once."""
    SINGLE_WRITE = "single write"
    """Perhaps a second effect, or a refusal of the first one: it is not repeated once in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """Why an attempt did not bring what was asked for, and whether another one may.

    `passes`: the same request may succeed later. `leaves_doubt`: a write may have been carried out
    all the same. `lasting`: it is asked for again, but not often. `wait`: seconds before the next
    attempt, at least, which double each time unless the service named its own, `retry_after`.
    `refused_by`: the rate limit that this is a refusal of.
    """

    message: str
    hint: str | None = None
    status: int | None = None
    passes: bool = False
    leaves_doubt: bool = False
    lasting: bool = False
    cause: WaitCause = WaitCause.FAULT
    wait: float = USUAL_WAIT
    retry_after: float | None = None
    refused_by: Policy | None = None
    correlation_id: str | None = None


class Unusable(Setback):
    """The response is too large, or cannot be decoded."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """What is asked, and what the response means. `operation`: what it is for, in words.

    `understand` takes the response and the time of day. The response holds no token, unless its
    body is the data that was asked for. `exempt`: from the rate limit, as documented. `seconds`:
    the time allowed, waits and retries included, where it is less than the connection's.
    `subject`: see `Exchange`. `url`: where it is not below the connection's base URL.
    """

    operation: str
    method: str
    path: str
    understand: Callable[[Response, datetime], T | Setback]
    repeat: Repeat = Repeat.READ
    exempt: bool = False
    body: bytes | None = None
    seconds: float | None = None
    subject: object = None
    url: str | None = None

    @property
    def endpoint(self) -> str:
        """Method and path, for messages."""
        return f"{self.method} {self.path.partition('?')[0]}"


class CallFailed(Exception):
    """A call ended without what was asked for; its caller says so in its own errors.

    `ending`: how the call ended, in words that follow the setback's message. `in_doubt`: a write
    may have been carried out.
    """

    def __init__(self, setback: Setback, ending: str, hint: str | None, *, in_doubt: bool) -> None:
        super().__init__(setback.message + ending)
        self.setback = setback
        self.ending = ending
        self.hint = hint
        self.in_doubt = in_doubt


class _Again(Exception):
    """An attempt failed in a way that may pass; `wait`: seconds until the next, at least."""

    def __init__(self, setback: Setback, wait: float) -> None:
        super().__init__(setback.message)
        self.setback = setback
        self.wait = wait
        self.asked = setback.retry_after is not None


@dataclass(slots=True)
class _Life(Generic[T]):
    """What one call has been through. `deadline`: when the time allowed for it is over.

    `in_doubt`: an attempt of a write left and was not answered, so that it may have been carried
    out; `ending`: what to say of that when a later attempt ends the call.
    """

    call: Call[T]
    allowed: float
    deadline: float
    attempts: int = 0
    nonsense: int = 0
    in_doubt: bool = False
    ending: str = ""


class Client:
    """Carries out calls to one service, for any number of threads, and counts their requests."""

    def __init__(
        self,
        connection: Connection,
        transport: Transport,
        *,
        clock: Clock,
        report: Callable[[Event], None],
        headers: Mapping[str, str],
        correlation_header: str = "x-request-id",
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Take what is called with every event, and the headers of every request."""
        self._connection = connection
        self._transport = transport
        self._clock = clock
        self._report = report
        self._headers = {"user-agent": "hubspot-reconciler", **headers}
        self._correlation_header = correlation_header
        self._jitter = jitter
        self._pace = Pace(clock, patience=connection.timeout, jitter=jitter, report=report)
        self._spare = min(1.0, connection.timeout / 10)
        """Seconds that a wait must leave for the attempt after it."""
        self._counting = threading.Lock()
        self._numbered = 0
        self._sent = 0
        self._reached = False

    @property
    def sent(self) -> int:
        """How many requests were handed to the transport, every attempt counted."""
        return self._sent

    def call(self, call: Call[T]) -> T:
        """What was asked for; raise `CallFailed`, or `Interrupted` while waiting.

        A `ReconcilerError` of `report` keeps a request from leaving, and is raised.

        The retries are tenacity's and not stamina's, because stamina sleeps with a `time.sleep`
        that can be neither injected nor interrupted: SIGINT could not end a wait for a lock.
        """
        timeout = self._connection.timeout
        allowed = timeout if call.seconds is None else min(call.seconds, timeout)
        life = _Life(call, allowed, self._clock.monotonic() + allowed)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            wait=lambda state: self._wait(_again(state), life),
            stop=lambda state: self._is_over(_again(state), life),
            before_sleep=lambda state: self._waiting(_again(state), state.upcoming_sleep),
            sleep=self._clock.wait,
            reraise=True,
        )
        try:
            understood: T = retrying(self._attempt, life)
            return understood
        except _Again as again:
            self._give_up(again, life)
        except ReconcilerError as error:
            if not life.in_doubt:
                raise
            message = error.message + life.ending
            if isinstance(error, Interrupted):
                raise Interrupted(message, hint=error.hint, may_have_been_written=True) from error
            setback = Setback(message=error.message)
            raise CallFailed(setback, life.ending, error.hint, in_doubt=True) from error

    # ------------------------------------------------------------ one attempt

    def _attempt(self, life: _Life[T]) -> T:
        """What was asked for; raise `_Again` for what may pass, or `CallFailed`."""
        call = life.call
        try:
            ticket = self._pace.enter(exempt=call.exempt, patience=self._left(life))
        except RateExceeded as late:
            self._set_back(life, Setback(message=late.message, hint=late.hint))
        started = self._clock.monotonic()
        exchange = self._announce(life, ticket)
        try:
            response = self._send(life)
            understood = call.understand(response, self._clock.wall())
        except TransportFault as fault:
            settle = self._pace.withdrawn if isinstance(fault, NotSent) else self._pace.failed
            settle(ticket)
            self._report(Unanswered(exchange, fault.description))
            self._set_back(life, self._without_response(call, fault))
        except BaseException:
            self._pace.failed(ticket)
            raise
        self._reached = True
        rate = read_rate(response.headers)
        correlation_id, retry_after = response.headers.get(self._correlation_header), None
        if isinstance(understood, Setback):
            correlation_id, retry_after = understood.correlation_id, understood.retry_after
        pause = 0.0
        if isinstance(understood, Setback) and understood.refused_by is not None:
            refusal = RateRefusal(understood.refused_by, retry_after)
            pause = self._pace.refused(ticket, rate, refusal)
        else:
            self._pace.answered(ticket, rate)
        seconds = self._clock.monotonic() - started
        support = None if correlation_id is None else one_line(correlation_id)
        self._report(Answered(exchange, response.status, seconds, support, retry_after, rate))
        if isinstance(understood, Setback):
            self._set_back(life, understood, pause)
        return understood

    def _announce(self, life: _Life[T], ticket: Ticket) -> Exchange:
        """Report a request before a byte of it leaves."""
        call, writes = life.call, life.call.repeat is not Repeat.READ
        life.attempts += 1
        with self._counting:
            self._numbered += 1
            number = self._numbered
        exchange = Exchange(
            number, life.attempts, call.operation, call.method, call.path, writes, call.subject
        )
        try:
            self._report(Sending(exchange))
        except BaseException:
            self._pace.withdrawn(ticket)
            raise
        with self._counting:
            self._sent += 1
        return exchange

    def _send(self, life: _Life[T]) -> Response:
        """One request, for half of the time allowed at most: a silence leaves time for another.

        A server may echo the token: it is masked, except in the data that was asked for.
        """
        call, headers = life.call, self._headers
        if call.body is not None:
            headers = {**headers, "content-type": "application/json"}
        url = call.url or self._connection.base_url + call.path
        longest = min(_LONGEST_ATTEMPT, self._connection.timeout / 2, self._left(life))
        response = self._transport.send(
            Request(call.method, url, headers, call.body), max(_SHORTEST_ATTEMPT, longest)
        )
        is_data = call.repeat is Repeat.READ and 200 <= response.status < 300
        return masked(response, body=not is_data)

    def _without_response(self, call: Call[T], fault: TransportFault) -> Setback:
        match fault:
            case NotSent():
                return Setback(
                    message=f"{call.endpoint} could not be sent: {fault.description}",
                    hint=fault.hint,
                    passes=fault.chance is Chance.GOOD
                    or (fault.chance is Chance.ONCE_REACHED and self._reached),
                    wait=_BROKEN_CONNECTION_WAIT,
                )
            case UnusableAnswer():
                return Unusable(
                    status=fault.status,
                    message=f"unusable answer to {call.endpoint}: {fault.description} "
                    f"(HTTP {fault.status})",
                    hint="if it stays so: is the base URL right, and is there a proxy in between?",
                    passes=call.repeat is Repeat.READ,
                    leaves_doubt=True,
                    lasting=True,
                )
            case _:
                return Setback(
                    message=f"{call.endpoint}: {fault.description}",
                    passes=True,
                    leaves_doubt=True,
                    wait=_BROKEN_CONNECTION_WAIT,
                )

    # ------------------------------------------------------------ after an attempt that failed

    def _set_back(self, life: _Life[T], setback: Setback, pause: float = 0.0) -> NoReturn:
        """End the attempt or the call. `pause`: seconds for which nobody sends, after a 429."""
        earlier = life.ending
        if setback.leaves_doubt and life.call.repeat is not Repeat.READ:
            life.in_doubt, life.ending = True, _EARLIER
        life.nonsense += setback.lasting
        once = setback.leaves_doubt and life.call.repeat is Repeat.SINGLE_WRITE
        if not setback.passes or once or life.nonsense >= _NONSENSE_ATTEMPTS:
            raise CallFailed(setback, earlier, setback.hint, in_doubt=life.in_doubt) from None
        raise _Again(setback, setback.wait if setback.refused_by is None else pause) from None

    def _wait(self, again: _Again, life: _Life[T]) -> float:
        """What the service asks for and never less, or a guess that doubles and fits what is left."""
        doubled = 2.0 ** min(life.attempts - 1, 8)
        asked, wait = again.asked, max(again.wait, min(_LONGEST_FLOOR, _FLOOR * doubled))
        if not asked and again.setback.refused_by is None:
            wait = min(_LONGEST_WAIT, again.wait * doubled)
        wait += min(_LONGEST_JITTER, wait / 4) * self._jitter()
        usable = max(0.0, self._left(life) - self._spare)
        return max(again.wait, usable) if asked and wait > usable else min(wait, usable)

    def _is_over(self, again: _Again, life: _Life[T]) -> bool:
        usable = self._left(life) - self._spare
        return usable <= 0 or (again.asked and again.wait > usable)

    def _waiting(self, again: _Again, seconds: float) -> None:
        setback = again.setback
        self._report(Waiting(seconds, setback.cause, setback.message, setback.status))

    def _left(self, life: _Life[T]) -> float:
        """Seconds left of the time allowed."""
        return life.deadline - self._clock.monotonic()

    def _give_up(self, again: _Again, life: _Life[T]) -> NoReturn:
        ending = (
            f"; given up after {plural(life.attempts, 'attempt')}, "
            f"the time allowed is {life.allowed:g} s"
        )
        if again.asked and self._left(life) > self._spare:
            ending = (
                f"; it asks to wait {again.wait:.0f} s, longer than what is left of the "
                f"{life.allowed:g} s allowed"
            )
        hint = again.setback.hint or "allow more time with --timeout, or run again later"
        raise CallFailed(again.setback, ending, hint, in_doubt=life.in_doubt) from None


def masked(response: Response, *, body: bool = True) -> Response:
    """The response with every token masked in its headers, and in the body if that is wanted."""
    text = response.body.decode("utf-8", "replace") if body else ""
    everything = "\n\n".join([*response.headers.values(), text])
    if mask(everything) == everything:
        return response
    headers = {name: mask(value) for name, value in response.headers.items()}
    return Response(response.status, headers, mask(text).encode() if body else response.body)


_EARLIER = "; an earlier attempt had left without an answer"


def _again(state: tenacity.RetryCallState) -> _Again:
    again = state.outcome.exception() if state.outcome else None
    assert isinstance(again, _Again)  # noqa: S101  tenacity asks after an attempt that failed only
    return again
