"""One plan on its way to one portal: checked, shown, asked about, carried out and reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import click

import reconciler
from reconciler.applying.apply import untouched, unwritten
from reconciler.applying.events import Event
from reconciler.applying.journal import Journal
from reconciler.applying.safeguards import Safeguards, Settling, check, check_stated
from reconciler.cli import output
from reconciler.cli.approval import approve
from reconciler.cli.from_top import result_document
from reconciler.cli.options import Given
from reconciler.cli.progress import reporting
from reconciler.cli.session import Files, Session
from reconciler.config.workspace import PortalSettings
from reconciler.errors import (
    ConfigurationInvalid,
    ExitCode,
    PlanRefused,
    ReconcilerError,
    UsageProblem,
)
from reconciler.http.clock import SystemClock, timestamp
from reconciler.http.messages import Sending, report_to
from reconciler.hubspot.portal import Portal
from reconciler.model.plan import Destination, Outcome, Plan, Result, Status
from reconciler.report.applied import result_text

EXIT_CODES = {
    Outcome.NOTHING: ExitCode.DONE,
    Outcome.APPLIED: ExitCode.DONE,
    Outcome.INCOMPLETE: ExitCode.INCOMPLETE,
    Outcome.FAILED: ExitCode.ERROR,
    Outcome.REFUSED: ExitCode.REFUSED,
}


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to apply. `verify_timeout`: seconds that written limits have to show.

    `settle`: seconds between two reads that must agree. `reviewed`: the plan whose digest is
    expected, where it is at hand. `no_usage`: a plan that somebody is to say
    yes to does not say whom it affects.
    """

    auto_approve: bool
    dry_run: bool
    expect_digest: str | None
    reviewed: Plan | None
    force: bool
    format: str
    journal: Path | None
    verify_timeout: float
    settle: float
    no_usage: bool
    given: Given

    @property
    def needs_yes(self) -> bool:
        """Whether a plan that nobody has reviewed is asked about."""
        return self.expect_digest is None and not self.auto_approve


def report_result(chosen: ApplyOptions, result: Result) -> Result:
    """Write the result in the format asked for; it is the same whatever becomes of the writing."""
    try:
        as_json = chosen.format == "json"
        text = (
            result_document(result)
            if as_json
            else result_text(result, style=output.style(chosen.given))
        )
        output.result(text, brief=text)
    except Exception as error:  # noqa: BLE001 - a bug in the report does not undo what it reports
        output.show_unexpected(
            error, chosen.given, f"the result ({result.outcome}) cannot be shown: "
        )
    return result


class RequestCount:
    """Counts requests, for the result of an apply that an error ended."""

    def __init__(self, sent_before: int = 0) -> None:
        self.requests = sent_before
        self.writes = 0
        self._lock = Lock()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Sending):
            with self._lock:
                self.requests += 1
                self.writes += event.exchange.writes


@dataclass(frozen=True, slots=True)
class Application:
    """One plan on its way to one portal; `asks` when nobody has reviewed it yet.

    `sent_before`: the requests that it took to make the plan, which the result counts too.
    `events` takes what happens, and progress is shown by others; None: it is shown here.
    """

    session: Session
    settings: PortalSettings
    chosen: ApplyOptions
    plan: Plan
    safeguards: Safeguards
    asks: bool = False
    sent_before: int = 0
    events: Callable[[Event], None] | None = None
    run_id: str | None = None

    def run(self) -> Result:
        """Check, ask, apply, report. What ends it before the first write is raised."""
        clock, count = self.session.clock, RequestCount(self.sent_before)
        started_at = timestamp(clock)
        is_shown = self._show() if self.asks else True
        try:
            self._check(is_shown=is_shown)
            if self.chosen.dry_run:
                return self._dry_run(count)
            return report_result(self.chosen, self._carry_out(count))
        except ReconcilerError as error:
            ended = unwritten(self.plan, error, clock, started_at, count.requests)
            if count.writes:
                return self._broken_off(error, ended)
            if self.chosen.format == "json":
                output.result(result_document(ended))
            raise
        except Exception as error:
            if not count.writes:
                raise
            bug = ReconcilerError(f"internal error: {type(error).__name__}: {error}")
            ended = unwritten(self.plan, bug, clock, started_at, count.requests)
            return self._broken_off(error, ended)

    def _show(self) -> bool:
        """Show the plan; whether all of it could be written somewhere."""
        text = output.render_plan(self.plan, "text", self.chosen.given)
        if self.chosen.format == "text":
            apart = "" if self.events is None else "\n"  # of several portals
            return output.result(f"{apart}{text}", brief=text)
        if self.chosen.needs_yes:
            click.echo(text, err=True)
        return True

    def _check(self, *, is_shown: bool) -> None:
        expected, actual = self.chosen.expect_digest, self.plan.digest
        if expected not in (None, actual):
            details: list[str] = []
            if self.chosen.reviewed is not None:
                from reconciler.cli.since import differing  # only a refused plan is compared

                details = differing(self.chosen.reviewed, self.plan)
            raise PlanRefused(
                f"this is not the plan that was reviewed: its digest is {actual}, expected was "
                f"{expected}",
                details=details,
                hint="the portal or the files changed since the review: review the new plan",
            )
        check_stated(self.plan, self.safeguards)
        if self.asks and self.chosen.needs_yes:
            approve([self.plan], self.session.stop, is_shown=is_shown)

    @contextmanager
    def _connected(
        self, count: RequestCount, journal: Journal | None = None
    ) -> Iterator[tuple[Portal, Callable[[Event], None]]]:
        """The portal, and what takes all events of the apply."""
        version = self.plan.portal.api_version
        with ExitStack() as stack:
            shown = self.events
            if shown is None:
                given = self.chosen.given
                shown = stack.enter_context(reporting(self.settings.name, given, self.plan))
            events: Callable[[Event], None] = report_to(shown, count, journal=journal)
            with self.session.connected(self.settings, events, api_version=version) as portal:
                yield portal, events

    def _carry_out(self, count: RequestCount) -> Result:
        """Apply. What goes wrong after that, in closing what is open, is no part of the result."""
        result: Result | None = None
        try:
            with ExitStack() as stack:
                journal = self._journal(stack)
                portal, events = stack.enter_context(self._connected(count, journal))
                result = reconciler.apply_plan(
                    self.plan,
                    portal,
                    clock=self.session.clock,
                    safety=self.safeguards.safety,
                    force=self.safeguards.force,
                    files=self.safeguards.files,
                    base=self.safeguards.base,
                    verify_timeout=self.chosen.verify_timeout,
                    settle=self.chosen.settle,
                    events=events,
                )
        except Exception as error:
            if result is None:
                raise
            output.show_unexpected(error, self.chosen.given, self._prefix("after the apply: "))
        if journal is not None and journal.problem is not None:
            words = self._prefix("the journal is not complete: ")
            output.show_error(journal.problem, self.chosen.given, words)
        return replace(result, requests=self.sent_before + result.requests)

    def _prefix(self, words: str) -> str:
        """In front of an error that ends nothing; with several portals, which one it is about."""
        return words if self.events is None else f"portal {self.settings.name}: {words}"

    def _broken_off(self, error: Exception, ended: Result) -> Result:
        """Requests that write have left, and nothing says what became of them."""
        changes = tuple(replace(each, status=Status.UNCERTAIN) for each in ended.changes)
        found = replace(ended, outcome=Outcome.INCOMPLETE, changes=changes)
        report_result(self.chosen, found)
        output.show_unexpected(error, self.chosen.given, self._prefix(""))
        return found

    def _journal(self, stack: ExitStack) -> Journal | None:
        if self.chosen.journal is None:
            return None
        return stack.enter_context(
            Journal(self.chosen.journal, self.session.clock.wall, run=self.run_id)
        )

    def _dry_run(self, count: RequestCount) -> Result:
        started_at = timestamp(self.session.clock)
        settling = Settling(self.session.clock, self.chosen.settle, self.chosen.verify_timeout)
        with self._connected(count) as (portal, _):
            check(self.plan, portal, self.safeguards, settling)
        found = untouched(self.plan, self.session.clock, started_at, portal.requests)
        if self.chosen.format == "json":
            return report_result(self.chosen, found)
        counts = render_counts(self.plan)
        output.result(counts, brief=counts)
        return found


# ---------------------------------------------------------------- a plan made just now


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of a portal's files, made just now; `requests`: how many that took."""

    settings: PortalSettings
    files: Files
    plan: Plan
    started_at: str
    requests: int

    @property
    def is_empty(self) -> bool:
        return not self.plan.changes and not self.plan.refusals


def plan_files(
    session: Session,
    settings: PortalSettings,
    files: Files,
    chosen: ApplyOptions,
    events: Callable[[Event], None],
) -> Planned:
    """Plan what the files say of a portal."""
    started_at = timestamp(session.clock)
    asks_usage = chosen.needs_yes and not chosen.no_usage
    with session.connected(settings, report_to(events)) as portal:
        plan = session.plan(settings, portal, files, chosen.settle, asks_usage=asks_usage)
    return Planned(settings, files, plan, started_at, portal.requests)


def apply_planned(
    session: Session,
    planned: Planned,
    chosen: ApplyOptions,
    events: Callable[[Event], None] | None = None,
    *,
    asks: bool,
    run_id: str | None = None,
) -> Result:
    """Apply a plan, which is shown first where nobody has seen it yet (`asks`).

    `run_id`: what the journal calls this apply; None: anything.
    """
    plan = planned.plan
    if planned.is_empty:
        said = _another_plan(chosen, plan)
        done = untouched(plan, session.clock, planned.started_at, planned.requests, said)
        return report_result(chosen, done)
    files = planned.files
    safeguards = Safeguards(
        session.workspace.safety, chosen.force, files.loaded.desired, files.base
    )
    return Application(
        session,
        planned.settings,
        chosen,
        plan,
        safeguards,
        asks=asks,
        sent_before=planned.requests,
        events=events,
        run_id=run_id,
    ).run()


def answer(
    chosen: ApplyOptions, error: ReconcilerError, portal: Destination | None, requests: int = 0
) -> None:
    """A result document where an error came before there was a plan to report on."""
    if isinstance(error, ConfigurationInvalid | UsageProblem):
        return  # which have no outcome: the document of the error says more
    if chosen.format == "json" and not output.is_answered():
        refused = isinstance(error, PlanRefused)
        now = timestamp(SystemClock())
        outcome = Outcome.REFUSED if refused else Outcome.FAILED
        ended = Result(outcome, (), requests, now, now, error.message, portal)
        output.result(result_document(ended))


def _another_plan(chosen: ApplyOptions, plan: Plan) -> str | None:
    """What to say where nothing is to be done and something else was reviewed.

    Refusing would fail every second run of a pipeline: nothing is written, so nothing that was
    not reviewed can be.
    """
    if chosen.expect_digest in (None, plan.digest):
        return None
    return (
        f"The plan that was reviewed ({chosen.expect_digest}) is not the one made now "
        f"({plan.digest}), which has nothing to change: the reviewed plan was applied before, or "
        "the portal or the files changed since. Nothing was written."
    )


def render_counts(plan: Plan) -> str:
    """What a dry run found, in one line."""
    counts = plan.summary
    return (
        f"The plan fits the portal: {counts.create} to create, {counts.update} to update, "
        f"{counts.delete} to delete. Nothing was written."
    )
