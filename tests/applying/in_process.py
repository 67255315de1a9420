"""The sandbox as a transport: what its socket would do with an answer, without the socket."""

from __future__ import annotations

from typing import assert_never

from reconciler.http.messages import NoAnswer, Request, Response, UnusableAnswer
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Dropped, Hanging, Short, Streamed, Trickled, Whole
from reconciler.sandbox.wire import Request as SandboxRequest
from reconciler.sandbox.wire import Response as SandboxResponse
from tests.clock import VirtualClock

LARGEST_BODY = 10 * 1024 * 1024
"""What the real transport takes; a test over a socket makes sure of it."""


class InProcess:
    """Carries requests to a sandbox in virtual time. Safe for threads."""

    def __init__(self, sandbox: Sandbox, clock: VirtualClock) -> None:
        self._sandbox = sandbox
        self._clock = clock

    def send(self, request: Request, seconds: float) -> Response:
        """Hand the request over, and deliver what comes back as a socket would."""
        with self._clock.request_under_way():
            return self._send(request, seconds)

    def close(self) -> None:
        """Nothing is open."""

    def _send(self, request: Request, seconds: float) -> Response:
        target = "/" + request.url.partition("//")[2].partition("/")[2]
        answer = self._sandbox.handle(
            SandboxRequest(request.method, target, request.headers, request.body or b"")
        )
        begun, took = self._clock.monotonic(), _seconds(answer)
        self._clock.pass_time(begun, min(took, seconds))
        if took >= seconds:
            raise NoAnswer("no answer came in time")
        return _delivered(answer)


def _seconds(answer: SandboxResponse) -> float:
    match answer.delivery:
        case Trickled(seconds) | Hanging(seconds):
            return answer.delay + seconds
        case _:
            return answer.delay


def _delivered(answer: SandboxResponse) -> Response:
    match answer.delivery:
        case Whole() | Trickled():
            headers = {name.lower(): value for name, value in answer.headers}
            return Response(answer.status, headers, answer.body)
        case Dropped() | Hanging() | Short():
            raise NoAnswer("the connection broke")
        case Streamed() as streamed:
            assert streamed.size > LARGEST_BODY, "nothing here streams an answer that fits"
            raise UnusableAnswer("it is larger than 10 MiB", answer.status)
        case _:
            assert_never(answer.delivery)
