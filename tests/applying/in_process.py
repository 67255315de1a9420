"""The sandbox as a transport: what its socket would do with an answer, without the socket."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import assert_never

from reconciler.hubspot import NoAnswer, Request, Response, UnusableAnswer
from reconciler.sandbox import Request as SandboxRequest
from reconciler.sandbox import Response as SandboxResponse
from reconciler.sandbox import Sandbox
from reconciler.sandbox.wire import Dropped, Hanging, Short, Streamed, Trickled, Whole
from tests.applying.clock import VirtualClock

LARGEST_BODY = 10 * 1024 * 1024
"""What the real transport takes; a test over the socket makes sure of it."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A request of the client and the answer as the client had it; None: it had none.

    `left` False: no byte of the request ever left.
    """

    request: Request
    response: Response | None
    left: bool


class Trouble:
    """What goes wrong on the way to the portal and back; by itself nothing does."""

    def before(self, number: int, request: Request) -> None:
        """The request of this number, from 1, is about to leave; may raise to keep it."""

    def instead(self, number: int, request: Request) -> Response | None:
        """An answer from somebody else, who keeps the request from the portal; None: nobody."""

    def after(self, number: int, request: Request, response: Response) -> Response:  # noqa: ARG002
        """The answer as it arrives; may raise to lose it."""
        return response


class InProcess:
    """Carries requests to a sandbox in virtual time. Safe for threads."""

    def __init__(
        self,
        sandbox: Sandbox,
        clock: VirtualClock,
        trouble: Trouble | None = None,
    ) -> None:
        self.delivered: list[Delivered] = []
        self._sandbox = sandbox
        self._clock = clock
        self._trouble = trouble or Trouble()
        self._number = 0
        self._lock = threading.Lock()

    def send(self, request: Request, seconds: float) -> Response:
        """Number the request, hand it over, and deliver what comes back."""
        with self._lock:
            self._number += 1
            number = self._number
        response: Response | None = None
        left = False
        try:
            self._trouble.before(number, request)
            left = True
            answer = self._trouble.instead(number, request)
            if answer is None:
                answer = self._deliver(self._sandbox.handle(_translated(request)), seconds)
            response = self._trouble.after(number, request, answer)
            return response
        finally:
            self.delivered.append(Delivered(request, response, left))

    def close(self) -> None:
        """Nothing is open."""

    def _deliver(self, answer: SandboxResponse, seconds: float) -> Response:
        begun = self._clock.monotonic()
        match answer.delivery:
            case Whole():
                took = answer.delay
            case Trickled(over):
                took = answer.delay + over
            case Dropped() | Short():
                raise NoAnswer("the connection broke")
            case Hanging(silence):
                took = silence
            case Streamed() as streamed:
                if streamed.size > LARGEST_BODY:
                    raise UnusableAnswer("it is larger than 10 MiB", answer.status)
                raise NotImplementedError("no test streams an answer that fits")
            case _:
                assert_never(answer.delivery)
        self._clock.pass_time(begun, min(took, seconds))
        if took >= seconds:
            raise NoAnswer("no answer came in time")
        if isinstance(answer.delivery, Hanging):
            raise NoAnswer("the connection broke")
        headers = {name.lower(): value for name, value in answer.headers}
        return Response(answer.status, headers, answer.body)


def _translated(request: Request) -> SandboxRequest:
    target = "/" + request.url.partition("//")[2].partition("/")[2]
    return SandboxRequest(request.method, target, request.headers, request.body or b"")
