"""Whole applies against a portal in process: what is planned, applied and left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import reconciler
from reconciler.applying.apply import timestamp, unwritten
from reconciler.applying.document import result_json
from reconciler.applying.journal import Journal
from reconciler.cli.apply import EXIT_CODES
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.hubspot import Answer, ApiVersion, Connection, Exchange, Reason, Secret
from reconciler.hubspot.portal import Portal
from reconciler.model import Desired, Plan, Result
from reconciler.planning.plan import PlanContext
from reconciler.sandbox import Entry, Options, Rules, Sandbox, Step, parse_fault
from reconciler.sandbox import Portal as PortalState
from tests.applying.clock import VirtualClock
from tests.applying.in_process import Delivered, InProcess, Trouble

TOKEN = "pat-eu1-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
TIMEOUT = 10.0
VERIFY_TIMEOUT = 10.0


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
    told: str
    """Everything the observers were told, in one text."""
    history: int
    """How many changes of limits the portal had seen when it ended."""
    before: PortalState
    after: PortalState
    seconds: float

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


class Told:
    """An observer and a progress that keep every word they are told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def sending(self, exchange: Exchange) -> None:
        self.words.append(f"sending {exchange!r}")

    def answered(self, exchange: Exchange, answer: Answer) -> None:
        self.words.append(repr((exchange, answer)))

    def failed(self, exchange: Exchange, description: str) -> None:
        self.words.append(repr((exchange, description)))

    def waiting(self, seconds: float, reason: Reason) -> None:
        self.words.append(repr((seconds, reason)))


class Both:
    """Two observers; the journal comes first."""

    def __init__(self, journal: Journal, told: Told) -> None:
        self._all = (journal, told)

    def sending(self, exchange: Exchange) -> None:
        for each in self._all:
            each.sending(exchange)

    def answered(self, exchange: Exchange, answer: Answer) -> None:
        for each in self._all:
            each.answered(exchange, answer)

    def failed(self, exchange: Exchange, description: str) -> None:
        for each in self._all:
            each.failed(exchange, description)

    def waiting(self, seconds: float, reason: Reason) -> None:
        for each in self._all:
            each.waiting(seconds, reason)


@dataclass
class World:
    """A portal, its time, and a folder for journals."""

    folder: Path
    state: PortalState
    rules: Rules = field(default_factory=Rules)
    version: ApiVersion = ApiVersion.V2026_03
    concurrency: int = 1
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        self._ids = 0
        self.sandbox = Sandbox(
            self.state,
            Options(token=TOKEN, rules=self.rules),
            clock=self.clock.monotonic,
            now=self.clock.wall,
            correlation_id=self._correlation_id,
        )

    def _correlation_id(self) -> str:
        self._ids += 1
        return f"correlation-{self._ids}"

    @contextmanager
    def connected(
        self, transport: InProcess, observer: Both | Told, timeout: float = TIMEOUT
    ) -> Iterator[Portal]:
        """A portal as `connect` makes it, but for the jitter, which is none."""
        settings = Connection(
            Secret(TOKEN),
            base_url="https://sandbox.test",
            api_version=self.version,
            concurrency=self.concurrency,
            timeout=timeout,
        )
        with Portal(
            settings, transport, clock=self.clock, observer=observer, jitter=lambda: 0.0
        ) as portal:
            yield portal

    def plan(self, desired: Desired) -> Plan:
        """Plan what is desired, without faults."""
        self.sandbox.set_faults(())
        context = PlanContext(
            tool_version="0.1.0",
            created_at=timestamp(self.clock),
            portal_name="production",
            base_url="https://sandbox.test",
            api_version=str(self.version),
        )
        with self.connected(InProcess(self.sandbox, self.clock), Told()) as portal:
            observation = reconciler.observe(portal, desired)
        return reconciler.make_plan(observation, context=context)

    def apply(
        self,
        plan: Plan,
        faults: Sequence[str] = (),
        *,
        trouble: Trouble | None = None,
        timeout: float = TIMEOUT,
        verify_timeout: float = VERIFY_TIMEOUT,
        save: Callable[[int], None] = lambda _: None,
    ) -> Ran:
        """Apply a plan while these faults are in force."""
        self.sandbox.set_faults(tuple(parse_fault(rule) for rule in faults))
        before, begun = self.sandbox.portal, self.clock.monotonic()
        requests, steps = len(self.sandbox.requests), len(self.sandbox.history)
        path, told = self.folder / "journal.jsonl", Told()
        path.unlink(missing_ok=True)
        transport = InProcess(self.sandbox, self.clock, trouble)
        started_at = timestamp(self.clock)
        with (
            Journal(path, self.clock.wall, save) as journal,
            self.connected(transport, Both(journal, told), timeout) as portal,
        ):
            try:
                result = reconciler.apply_plan(
                    plan,
                    portal,
                    clock=self.clock,
                    verify_timeout=verify_timeout,
                    record=journal,
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
            delivered=tuple(transport.delivered),
            steps=self.sandbox.history[steps:],
            history=len(self.sandbox.history),
            journal=path.read_text("utf-8"),
            told="\n".join(told.words),
            before=before,
            after=self.sandbox.portal,
            seconds=self.clock.monotonic() - begun,
        )

    def recover(self) -> None:
        """The trouble is over: no fault, no stop, and what was pending has come or never will."""
        self.sandbox.set_faults(())
        self.clock = _restarted(self.clock)


def _restarted(clock: VirtualClock) -> VirtualClock:
    """The next process: its clock goes on where this one's was, and no signal has come yet."""
    clock.pass_time(clock.monotonic(), 60.0)
    clock.stop = type(clock.stop)()
    return clock
