"""Makes attempts: leave to send, the observer, the wire, and word to the pace."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from reconciler.errors import PortalError
from reconciler.http.clock import Clock
from reconciler.http.connection import Connection
from reconciler.http.events import Answered, Event, Exchange, Sending, Unanswered
from reconciler.http.messages import NotSent, Request, Response, Transport, TransportFault
from reconciler.http.pace import Pace, RateRefusal
from reconciler.http.rates import Policy, Rate, read_rate, read_retry_after
from reconciler.http.window import Ticket
from reconciler.hubspot.batches import correlation_id
from reconciler.hubspot.call import Attempt, Call, Progress, Repeat
from reconciler.hubspot.failures import RATE_LIMITED, Failure
from reconciler.hubspot.outcomes import failed, understood, without_answer

T = TypeVar("T")

_LONGEST_ATTEMPT = 30.0
_SHORTEST_ATTEMPT = 0.05


class Attempts:
    """Makes attempts, for any number of threads, and counts them."""

    def __init__(
        self,
        connection: Connection,
        transport: Transport,
        clock: Clock,
        report: Callable[[Event], None],
        pace: Pace,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._clock = clock
        self._report = report
        self._pace = pace
        self._counting = threading.Lock()
        self._numbered = 0
        self._sent = 0
        self._reached = False

    @property
    def sent(self) -> int:
        """How many requests were handed to the transport."""
        return self._sent

    def left(self, progress: Progress) -> float:
        """Seconds left of the time allowed."""
        return progress.deadline - self._clock.monotonic()

    def attempt(self, call: Call[T], progress: Progress) -> T:
        """The understood answer; raise `PassingFault` for what may pass, or a `PortalError`."""
        ticket = self._pace.enter(exempt=call.exempt, patience=self.left(progress))
        started = self._clock.monotonic()
        progress.attempt += 1
        exchange = self._announce(call, progress, ticket)
        attempt = Attempt(call, progress, ticket, exchange, started, self._reached)
        response = self._send(attempt)
        self._reached = True
        rate = read_rate(response.headers)
        if response.is_success:
            self._pace.answered(ticket, rate)
            self._answered(attempt, response, correlation_id(response), rate, None)
            self._refuse_token(call, response)
            return understood(attempt, response)
        retry_after = read_retry_after(response.headers, self._clock.wall())
        source = self._connection.token.source
        failure = Failure(call.endpoint, response, rate, retry_after, token_source=source)
        pause = self._heed(ticket, failure, rate)
        self._answered(attempt, response, failure.correlation_id, rate, retry_after)
        raise failed(attempt, failure, pause)

    def _announce(self, call: Call[T], progress: Progress, ticket: Ticket) -> Exchange:
        with self._counting:
            self._numbered += 1
            number = self._numbered
        writes = call.repeat is not Repeat.READ
        exchange = Exchange(
            number, progress.attempt, call.operation, call.method, call.path, writes, call.batch
        )
        try:
            self._report(Sending(exchange))
        except BaseException:
            self._pace.withdrawn(ticket)
            raise
        with self._counting:
            self._sent += 1
        return exchange

    def _send(self, attempt: Attempt[T]) -> Response:
        call, ticket = attempt.call, attempt.ticket
        url = self._connection.base_url + call.path
        request = Request(call.method, url, self._headers(call), call.body)
        try:
            response = self._transport.send(request, self._seconds(attempt.progress))
        except TransportFault as fault:
            settle = self._pace.withdrawn if isinstance(fault, NotSent) else self._pace.failed
            settle(ticket)
            self._report(Unanswered(attempt.exchange, fault.description))
            raise without_answer(attempt, fault) from None
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
        return max(_SHORTEST_ATTEMPT, min(longest, self.left(progress)))

    def _without_token(self, call: Call[T], response: Response) -> Response:
        """Mask a token that a server echoes, except in the data that was asked for."""
        is_data = call.repeat is Repeat.READ and response.is_success
        return response.masked(self._connection.token.scrub, body=not is_data)

    def _refuse_token(self, call: Call[T], response: Response) -> None:
        """Data that holds the token would carry it into plans and reports; masked, it is not data."""
        if call.repeat is Repeat.READ and self._connection.token.is_in(response.text):
            raise PortalError(
                f"the answer to {call.endpoint} holds the token of this run; nothing of it is used",
                hint="revoke the token: it stands in a label or a name, or something between here "
                "and HubSpot sends it back",
            )

    def _heed(self, ticket: Ticket, failure: Failure, rate: Rate) -> float:
        """Tell the pace; the seconds for which nobody sends."""
        if failure.status != RATE_LIMITED or failure.policy is Policy.DAILY:
            self._pace.answered(ticket, rate)
            return 0.0
        return self._pace.refused(ticket, rate, RateRefusal(failure.policy, failure.retry_after))

    def _answered(
        self,
        attempt: Attempt[T],
        response: Response,
        correlation: str | None,
        rate: Rate,
        retry_after: float | None,
    ) -> None:
        duration = self._clock.monotonic() - attempt.started
        self._report(
            Answered(attempt.exchange, response.status, duration, correlation, retry_after, rate)
        )
