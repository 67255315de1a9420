"""The stand-in itself: `handle` takes a request to its answer, without a socket."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hmac import compare_digest

from . import control
from .bodies import BadBody
from .endpoints import Setting, read_batch
from .exchange import Exchange, edit, set_by_hand
from .faults.actions import Edit
from .faults.language import Fault, FaultError, Schedule
from .portal import Category, Direction, Portal, TypeKey, UnknownObjectTypeError, only_key
from .routes import Call, NoRoute, WrongMethod, route
from .rules import Batch, Rules
from .state import (
    STANDARD_ALLOWANCE,
    Admission,
    Answer,
    Entry,
    Journal,
    RollingWindow,
    State,
    Step,
    Store,
)
from .wire import (
    Dropped,
    Hanging,
    Header,
    Problem,
    Request,
    Response,
    html_response,
    problem_response,
    rate_limited,
    unauthenticated,
    wrong_method,
)

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - a token for nothing but the stand-in


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be chosen.

    `rate`: requests per ten seconds over all endpoints; None: the limit and label endpoints are
    exempt and carry no rate headers (documented), the others are held to 190. `latency`: seconds
    before every answer. `faults`: rules of the fault language, already parsed.
    """

    token: str = field(default=DEFAULT_TOKEN, repr=False)
    rules: Rules = field(default_factory=Rules)
    rate: int | None = None
    latency: float = 0.0
    faults: tuple[Fault, ...] = ()


_NO_PAGE = "<!doctype html><title>Not found</title><h1>404</h1><p>Nothing is served here."


def _now() -> datetime:
    return datetime.now(UTC)


def _correlation_id() -> str:
    return str(uuid.uuid4())


class Sandbox:
    """A portal behind HubSpot's endpoints. Safe for threads; sleeps never and opens no socket.

    Raises FaultError for an `edit` rule about a limit that the portal cannot have.
    """

    def __init__(
        self,
        portal: Portal,
        options: Options | None = None,
        *,
        store: Store | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _now,
        correlation_id: Callable[[], str] = _correlation_id,
        others: Iterable[Sandbox] = (),
    ) -> None:
        """Stand in for one portal, and for `others` behind the same address, by their tokens."""
        self.options = options or Options()
        self._others = {f"Bearer {each.options.token}": each for each in others}
        self._state = State(portal, clock, store)
        self._journal = Journal()
        self._clock = clock
        self._now = now
        self._correlation_id = correlation_id
        self._begin(self.options.faults)

    def _begin(self, faults: Iterable[Fault]) -> None:
        self.set_faults(faults)
        rate = self.options.rate
        self._exempt_window = None if rate is None else RollingWindow(rate)
        self._governed_window = self._exempt_window or RollingWindow(STANDARD_ALLOWANCE)

    @property
    def portal(self) -> Portal:
        """The portal as it is now."""
        return self._state.portal

    @property
    def requests(self) -> tuple[Entry, ...]:
        """Every request to HubSpot's endpoints, oldest first; control requests are not counted."""
        return self._journal.entries

    @property
    def history(self) -> tuple[Step, ...]:
        """Every single change of a limit, oldest first."""
        return self._state.history

    def limits(self, from_name: str, to_name: str) -> dict[tuple[str, int], int]:
        """The limits of one direction as they are now, by (category, type ID)."""
        return self.portal.limits(from_name, to_name)

    def edit(
        self,
        from_name: str,
        to_name: str,
        type_id: int,
        maximum: int | None,
        category: Category | None = None,
    ) -> None:
        """Change a limit as somebody would in HubSpot; None: no limit. Rules are not asked.

        Raises LookupError for an unknown object type or association type.
        """
        edit(self._state, Edit(from_name, to_name, type_id, maximum, category))

    def set_limit(self, direction: Direction, key: TypeKey, maximum: int | None) -> str | None:
        """Change a limit as somebody would in HubSpot's settings; None: no limit.

        HubSpot's rules are asked. Returns the words of the refusal, or None if there is none.
        """
        answer = set_by_hand(self._state, direction, key, maximum, self.options.rules)
        return answer.message if isinstance(answer, Problem) else None

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Put these rules in place of all others; their counting begins anew."""
        rules = tuple(faults)
        for rule in rules:
            _check(rule, self.portal)
        self._schedule = Schedule(rules)

    def reset(self) -> None:
        """Back to the portal, the faults and the empty windows of the start."""
        self._state.reset()
        self._journal.clear()
        self._begin(self.options.faults)

    def handle(self, request: Request) -> Response:
        """The answer to one request. What is to happen with it is in its `delivery` and `delay`."""
        if control.is_control(request.path):
            return control.answer(self, request)
        other = self._others.get(request.headers.get("authorization", ""))
        if other is not None:
            return other.handle(request)
        arrival = self._clock()
        destination = route(request.method, request.path)
        response = self._respond(request, destination, arrival)
        self._journal.add(
            request.method,
            request.target,
            destination.operation.value if isinstance(destination, Call) else None,
            request.body,
            None if isinstance(response.delivery, Dropped | Hanging) else response.status,
            arrival,
        )
        if not self.options.latency:
            return response
        return replace(response, delay=response.delay + self.options.latency)

    def _respond(
        self, request: Request, destination: Call | WrongMethod | NoRoute, arrival: float
    ) -> Response:
        if "host" in request.headers and not control.names_loopback(request):
            return self._render(Problem(403, "The sandbox answers to loopback addresses only."))
        if isinstance(destination, NoRoute):
            return html_response(404, _NO_PAGE)
        if isinstance(destination, WrongMethod):
            return self._render(wrong_method())
        if not self._is_authentic(request):
            return self._render(unauthenticated())
        admission = self._admit(destination, arrival)
        if admission is None:
            return self._exchange(request, destination)
        if not admission.is_admitted:
            problem = rate_limited("TEN_SECONDLY_ROLLING", *admission.headers)
            return self._render(problem)
        return _with_headers(self._exchange(request, destination), admission.headers)

    def _exchange(self, request: Request, call: Call) -> Response:
        portal = self._state.portal
        batch = _batch(portal, call, request)
        actions = self._schedule.due(request.method, call, batch, portal.object_types)
        setting = Setting(self.options.rules, self._now())
        exchange = Exchange(self._state, call, request, setting, batch, self._render)
        return exchange.carry_out(actions) if actions else exchange.usual()

    def _is_authentic(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        return compare_digest(given.encode(), f"Bearer {self.options.token}".encode())

    def _admit(self, call: Call, arrival: float) -> Admission | None:
        window = self._exempt_window if call.operation.is_exempt else self._governed_window
        return None if window is None else window.admit(arrival)

    def _render(self, answer: Answer) -> Response:
        if isinstance(answer, Problem):
            return problem_response(answer, self._correlation_id())
        return answer


def _batch(portal: Portal, call: Call, request: Request) -> Batch | None:
    """The batch for fault rules to look at; a malformed one is answered like any other request."""
    if not call.operation.is_write:
        return None
    try:
        return read_batch(portal, call, request)
    except (UnknownObjectTypeError, BadBody):
        return None


def _check(fault: Fault, portal: Portal) -> None:
    action = fault.action
    if not isinstance(action, Edit):
        return
    try:
        direction = portal.direction(action.from_name, action.to_name)
        only_key(portal.associations(direction), action.type_id, action.category)
    except LookupError as error:
        raise FaultError(f"In the fault rule {fault.text!r}: {error}") from error


def _with_headers(response: Response, headers: tuple[Header, ...]) -> Response:
    """With these headers, but for those that the response has already."""
    given = {name for name, _ in response.headers}
    added = tuple(header for header in headers if header[0] not in given)
    return replace(response, headers=(*response.headers, *added))
