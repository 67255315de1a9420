"""What the tests of the portal share: a scripted transport, a recorder."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from reconciler.http.clock import Clock
from reconciler.http.connection import Connection
from reconciler.http.messages import Request, Response
from reconciler.hubspot.portal import Portal, PortalEvent, connect
from reconciler.hubspot.portal import Portal as PortalClass
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.limits import Category, Direction, ObjectType, ObservedDirection, TypeKey
from reconciler.model.plan import Batch, BatchInput, Operation
from reconciler.outgoing import Secret
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.server import Server, serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN, Options
from tests.clock import SkippingClock, VirtualClock

TOKEN = "pat-na1-0123456789abcdef"

CONTACTS, COMPANIES = ObjectType("0-1", "contacts"), ObjectType("0-2", "companies")
CONTACTS_COMPANIES = Direction(CONTACTS, COMPANIES)
BILLING = TypeKey(Category.USER_DEFINED, 28)
OBJECT_LIMIT = TypeKey(Category.HUBSPOT_DEFINED, 279)


def never(_: ObservedDirection) -> bool:
    """Read no labels."""
    return False


def always(_: ObservedDirection) -> bool:
    """Read the labels."""
    return True


def batch(operation: Operation = Operation.UPDATE, maximum: int | None = 2) -> Batch:
    """A batch of one input: the limit of "Billing contact"."""
    value = None if operation is Operation.PURGE else maximum
    return Batch(1, operation, "0-1", "0-2", (BatchInput(BILLING, value),))


Step = Response | Exception | Callable[[Request, float], Response]


class ScriptedTransport:
    """Answers with the steps of a script, one for each request; the last one stays."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.requests: list[Request] = []
        self.seconds: list[float] = []
        self.closed = False
        self._lock = threading.Lock()

    def send(self, request: Request, seconds: float) -> Response:
        with self._lock:
            self.requests.append(request)
            self.seconds.append(seconds)
            step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Response) else step(request, seconds)

    def close(self) -> None:
        self.closed = True


E = TypeVar("E")


class Recorder:
    """Keeps the events it is called with."""

    def __init__(self) -> None:
        self.events: list[PortalEvent] = []

    def __call__(self, event: PortalEvent) -> None:
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in list(self.events) if isinstance(event, kind)]


def answer(
    status: int = 200,
    document: object = None,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A response with a JSON document, or with these bytes."""
    content = json.dumps(document).encode() if body is None else body
    return Response(status, dict(headers or {}), content)


def rows(*entries: tuple[TypeKey, str | None, int | None]) -> dict[str, object]:
    """The document of a direction's configurations."""
    return {
        "results": [
            {
                "category": str(key.category),
                "typeId": key.type_id,
                "label": label,
                "userEnforcedMaxToObjectIds": maximum,
            }
            for key, label, maximum in entries
        ]
    }


def scripted(
    *steps: Step,
    clock: VirtualClock | None = None,
    events: Callable[[PortalEvent], None] | None = None,
    timeout: float = 60.0,
    version: ApiVersion = ApiVersion.V2026_03,
) -> tuple[Portal, ScriptedTransport]:
    """A portal over a script, in virtual time and without jitter."""
    transport = ScriptedTransport(*steps)
    connection = Connection(Secret(TOKEN), timeout=timeout)
    portal = PortalClass(
        connection,
        transport,
        version=version,
        clock=clock or VirtualClock(),
        events=events or Recorder(),
        jitter=lambda: 0.0,
    )
    return portal, transport


@contextmanager
def sandboxed(
    *faults: str,
    timeout: float = 10.0,
    concurrency: int = 16,
    events: Callable[[PortalEvent], None] | None = None,
    options: Options | None = None,
    version: ApiVersion = ApiVersion.V2026_03,
    clock: Clock | None = None,
) -> Iterator[tuple[Portal, Server]]:
    """A portal connected over a real socket to the sandbox with these faults; waits take no time."""
    chosen = options or Options(faults=tuple(parse_fault(rule) for rule in faults))
    with serve(options=chosen) as server:
        connection = Connection(
            Secret(DEFAULT_TOKEN),
            base_url=server.url,
            concurrency=concurrency,
            timeout=timeout,
        )
        with connect(
            connection, version=version, events=events, clock=clock or SkippingClock()
        ) as portal:
            yield portal, server


def directions(count: int) -> Sequence[Direction]:
    """The same direction so many times."""
    return [CONTACTS_COMPANIES] * count
