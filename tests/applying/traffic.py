"""The way between the tool and a sandbox: without a socket, with trouble, and what was carried."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from reconciler.http.messages import (
    NoAnswer,
    NotSent,
    Request,
    Response,
    Transport,
    UnusableAnswer,
)
from reconciler.model.limits import Category, TypeKey
from reconciler.model.plan import Change
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.state import Entry
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


# ---------------------------------------------------------------- trouble on the way


@dataclass(frozen=True, slots=True)
class Delivered:
    """A request of the client and the answer as the client had it; None: it had none.

    `left` False: no byte of the request ever left. `asked` and `answered` in seconds of the clock.
    """

    request: Request
    response: Response | None
    left: bool
    asked: float = 0.0
    answered: float = 0.0


class Trouble:
    """What goes wrong on the way to the portal and back; by itself nothing does."""

    def before(self, number: int) -> None:
        """The request of this number, from 1, is about to leave; may raise to keep it."""

    def instead(self, number: int) -> Response | None:
        """An answer from somebody else, who keeps the request from the portal; None: nobody."""

    def after(self, number: int, response: Response) -> Response:  # noqa: ARG002 - for subclasses
        """The answer as it arrives; may raise to lose it."""
        return response


class Recorder:
    """Numbers the requests, lets trouble happen to them, and keeps what came of each."""

    def __init__(
        self,
        inner: Transport,
        trouble: Trouble | None = None,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.delivered: list[Delivered] = []
        self._inner = inner
        self._trouble = trouble or Trouble()
        self._now = now
        self._number = 0
        self._lock = threading.Lock()

    def send(self, request: Request, seconds: float) -> Response:
        """Carry the request, unless trouble keeps it."""
        with self._lock:
            self._number += 1
            number = self._number
        response: Response | None = None
        left, asked = True, self._now()
        try:
            self._trouble.before(number)
            answer = self._trouble.instead(number) or self._inner.send(request, seconds)
            response = self._trouble.after(number, answer)
            return response
        except NotSent:
            left = False
            raise
        finally:
            self.delivered.append(Delivered(request, response, left, asked, self._now()))

    def close(self) -> None:
        self._inner.close()


# ---------------------------------------------------------------- what it says about limits

DirectionKey = tuple[str, str]
_LIMITS = re.compile(
    r"/definitions/configurations/(?P<from>[^/]+)/(?P<to>[^/]+)(/batch/(?P<op>\w+))?$"
)


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a write, with what it was sent to."""

    direction: DirectionKey
    operation: str
    key: TypeKey
    max: int | None


def direction_of(path: str) -> DirectionKey | None:
    """The direction that a path is about; None: it is about none."""
    found = _LIMITS.search(path)
    return None if found is None else (found["from"], found["to"])


@lru_cache(maxsize=1_000)
def inputs_of(path: str, body: str) -> Sequence[Input]:
    """The inputs of one request; none for what is not a write."""
    found = _LIMITS.search(path)
    if found is None or found["op"] is None:
        return ()
    return [
        Input(
            (found["from"], found["to"]),
            found["op"],
            TypeKey(Category(one["category"]), one["typeId"]),
            one.get("maxToObjectIds"),
        )
        for one in json.loads(body)["inputs"]
    ]


def written(requests: Sequence[Entry]) -> list[Input]:
    """Every input that reached the portal, oldest first."""
    return [one for entry in requests for one in inputs_of(entry.path, entry.body)]


@dataclass(frozen=True, slots=True)
class Reading:
    """One read of a limit: what it showed, when it was asked for and when it was answered."""

    value: int | None
    asked: float
    answered: float


def readings(delivered: Sequence[Delivered], change: Change) -> list[Reading | None]:
    """What the client saw of a limit since its change was last sent, oldest first.

    None: a read that brought nothing. A sending under way when the apply ended counts.
    """
    found: list[Reading | None] = []
    for each in delivered:
        if direction_of(each.request.url) != change.direction.key:
            continue
        if each.request.method == "GET":
            shown = None if each.response is None else values(each.response)
            found.append(
                None
                if shown is None
                else Reading(shown.get(change.type.key), each.asked, each.answered)
            )
        elif any(one.key == change.type.key for one in _inputs(each.request)):
            found = []
    return found


@dataclass(frozen=True, slots=True)
class Sending:
    """One request that had a change: how many inputs it had, and the answer's status, if any."""

    inputs: int
    status: int | None


def sendings(delivered: Sequence[Delivered], change: Change) -> list[Sending]:
    """Every request with this change that left, oldest first."""
    return [
        Sending(len(inputs), each.response.status if each.response else None)
        for each in delivered
        if each.left and direction_of(each.request.url) == change.direction.key
        for inputs in [_inputs(each.request)]
        if any(one.key == change.type.key for one in inputs)
    ]


def _inputs(request: Request) -> Sequence[Input]:
    return inputs_of(request.url, (request.body or b"").decode())


def values(response: Response) -> Mapping[TypeKey, int] | None:
    """The limits that an answer to a read shows, of known categories; None: it is not one."""
    return _values(response.body) if 200 <= response.status < 300 else None


@lru_cache(maxsize=1_000)
def _values(body: bytes) -> Mapping[TypeKey, int] | None:
    try:
        rows = json.loads(body)["results"]
        return {
            TypeKey(Category(row["category"]), row["typeId"]): row["userEnforcedMaxToObjectIds"]
            for row in rows
            if row["userEnforcedMaxToObjectIds"] is not None
            and row["category"] in frozenset(Category)
        }
    except (ValueError, TypeError, KeyError):
        return None
