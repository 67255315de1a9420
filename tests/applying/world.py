"""Whole applies against a portal in process: what is planned, applied and left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import reconciler
from reconciler.applying.apply import unwritten
from reconciler.applying.events import Event
from reconciler.applying.journal import Journal
from reconciler.applying.result_file import result_json
from reconciler.cli.application import EXIT_CODES
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.http.clock import Stop, timestamp
from reconciler.http.connection import Connection
from reconciler.http.messages import Transport, report_to
from reconciler.http.transport import HttpTransport
from reconciler.hubspot.portal import Portal
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.limits import Desired, Safety
from reconciler.model.plan import Plan, Result
from reconciler.outgoing import Secret
from reconciler.planning.plan import PlanContext
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.portal import Portal as PortalState
from reconciler.sandbox.rules import Rules
from reconciler.sandbox.server import Server
from reconciler.sandbox.stand_in import Options, Sandbox
from reconciler.sandbox.state import Entry, Step
from tests.applying.traffic import Delivered, InProcess, Recorder, Trouble
from tests.clock import SharedClock, SkippingClock, VirtualClock

TOKEN = "pat-eu1-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
TIMEOUT = 15.0
VERIFY_TIMEOUT = 20.0
SETTLE = 2.0
WIDE = Safety(max_deletes=10_000, max_delete_percent=100, max_changes=10_000)
"""Thresholds that stop no scenario: what they stop is tested elsewhere."""


@dataclass(frozen=True)
class Ran:
    """One apply: how it ended, and everything it left behind."""

    plan: Plan
    code: ExitCode
    result: Result
    requests: tuple[Entry, ...]
    """As the portal saw them."""
    delivered: tuple[Delivered, ...]
    """As the client had them."""
    steps: tuple[Step, ...]
    """Every change of a limit while it ran."""
    journal: str
    heard: tuple[Event, ...]
    """Every event that a reader got."""
    history: int
    """How many changes of limits the portal had seen when it ended."""
    before: PortalState
    seconds: float
    settle: float = SETTLE

    @property
    def document(self) -> Any:
        return json.loads(result_json(self.result))

    @property
    def statuses(self) -> Mapping[str, str]:
        return {each.change.id: str(each.status) for each in self.result.changes}

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of the journal."""
        return [json.loads(line) for line in self.journal.splitlines()]


MakeTransport = Callable[[Connection], Transport]


class World:
    """A portal, its time, and a folder for journals."""

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        clock: VirtualClock,
        transport: MakeTransport,
        *,
        base_url: str = "https://sandbox.test",
        version: ApiVersion = ApiVersion.V2026_03,
        concurrency: int = 1,
    ) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.clock = clock
        self._transport = transport
        self._base_url = base_url
        self._version = version
        self._concurrency = concurrency

    @classmethod
    def in_process(
        cls,
        folder: Path,
        state: PortalState,
        *,
        rules: Rules | None = None,
        version: ApiVersion = ApiVersion.V2026_03,
        concurrency: int = 1,
    ) -> World:
        """Without a socket, in virtual time."""
        clock = (SharedClock if concurrency > 1 else VirtualClock)(1_000.0)
        ids = count(1)
        sandbox = Sandbox(
            state,
            Options(token=TOKEN, rules=rules or Rules()),
            clock=clock.monotonic,
            now=clock.wall,
            correlation_id=lambda: f"correlation-{next(ids)}",
        )
        return cls(
            folder,
            sandbox,
            clock,
            lambda _: InProcess(sandbox, clock),
            version=version,
            concurrency=concurrency,
        )

    @classmethod
    def over_http(cls, folder: Path, server: Server, *, concurrency: int = 1) -> World:
        """Over a real socket, with waits that take no time."""
        clock = SkippingClock()
        return cls(
            folder,
            server,
            clock,
            lambda settings: HttpTransport(settings, clock.monotonic),
            base_url=server.url,
            concurrency=concurrency,
        )

    @contextmanager
    def connected(
        self,
        events: Callable[[Event], None],
        trouble: Trouble | None = None,
        timeout: float = TIMEOUT,
    ) -> Iterator[tuple[Portal, Recorder]]:
        """A portal as `connect` makes it, but for the jitter, which is none."""
        settings = Connection(
            Secret(TOKEN),
            base_url=self._base_url,
            concurrency=self._concurrency,
            timeout=timeout,
        )
        recorder = Recorder(self._transport(settings), trouble, self.clock.monotonic)
        with Portal(
            settings,
            recorder,
            version=self._version,
            clock=self.clock,
            events=events,
            jitter=lambda: 0.0,
        ) as portal:
            yield portal, recorder

    def plan(self, desired: Desired) -> Plan:
        """Plan what is desired, without faults."""
        self.sandbox.set_faults(())
        context = PlanContext(
            tool_version="0.1.0",
            created_at=timestamp(self.clock),
            portal_name="production",
            base_url=self._base_url,
            api_version=str(self._version),
        )
        with self.connected(report_to()) as (portal, _):
            observation = reconciler.observe(portal, desired)
        return reconciler.make_plan(observation, context=context, safety=WIDE)

    def apply(
        self,
        plan: Plan,
        faults: Sequence[str] = (),
        *,
        trouble: Trouble | None = None,
        timeout: float = TIMEOUT,
        verify_timeout: float = VERIFY_TIMEOUT,
        settle: float = SETTLE,
        save: Callable[[int], None] = lambda _: None,
        reader: Callable[[Event], None] = lambda _: None,
    ) -> Ran:
        """Apply a plan while these faults are in force."""
        self.sandbox.set_faults(tuple(parse_fault(rule) for rule in faults))
        before, begun, started_at = (
            self.sandbox.portal,
            self.clock.monotonic(),
            timestamp(self.clock),
        )
        requests, steps = len(self.sandbox.requests), len(self.sandbox.history)
        path = self.folder / "journal.jsonl"
        heard: list[Event] = []
        path.unlink(missing_ok=True)
        with (
            Journal(path, self.clock.wall, save) as journal,
            self.connected(
                events := report_to(reader, heard.append, journal=journal), trouble, timeout
            ) as (portal, recorder),
        ):
            try:
                result = reconciler.apply_plan(
                    plan,
                    portal,
                    clock=self.clock,
                    safety=WIDE,
                    verify_timeout=verify_timeout,
                    settle=settle,
                    events=events,
                )
                code = EXIT_CODES[result.outcome]
            except ReconcilerError as error:
                result = unwritten(plan, error, self.clock, started_at, portal.requests)
                code = error.exit_code
        return Ran(
            plan=plan,
            code=code,
            result=result,
            requests=self.sandbox.requests[requests:],
            delivered=tuple(recorder.delivered),
            steps=self.sandbox.history[steps:],
            history=len(self.sandbox.history),
            journal=path.read_text("utf-8"),
            heard=tuple(heard),
            before=before,
            seconds=self.clock.monotonic() - begun,
            settle=settle,
        )

    def recover(self) -> None:
        """The trouble is over: no fault, no stop, and what was pending has come or never will."""
        self.sandbox.set_faults(())
        self.clock.pass_time(self.clock.monotonic(), 60.0)
        self.clock.stop = Stop()
