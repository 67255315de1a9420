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
from reconciler.cli.from_top import result_document
from reconciler.cli.options import Given
from reconciler.cli.progress import approve, reporting
from reconciler.cli.session import Session
from reconciler.config.workspace import PortalSettings
from reconciler.errors import (
    ExitCode,
    PlanRefused,
    ReconcilerError,
)
from reconciler.http.clock import timestamp
from reconciler.http.messages import Sending, report_to
from reconciler.hubspot.portal import Portal
from reconciler.model.plan import Outcome, Plan, Result, Status
from reconciler.report.text import result_text

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

    `settle`: seconds between two reads that must agree. `no_usage`: a plan that somebody is to say
    yes to does not say whom it affects.
    """

    auto_approve: bool
    dry_run: bool
    expect_digest: str | None
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


def report_result(chosen: ApplyOptions, result: Result) -> ExitCode:
    """Write the result in the format asked for; the exit code, whatever becomes of the writing."""
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
    return EXIT_CODES[result.outcome]


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
    """

    session: Session
    settings: PortalSettings
    chosen: ApplyOptions
    plan: Plan
    safeguards: Safeguards
    asks: bool = False
    sent_before: int = 0

    def run(self) -> ExitCode:
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
            return output.result(text, brief=text)
        if self._needs_yes:
            click.echo(text, err=True)
        return True

    @property
    def _needs_yes(self) -> bool:
        return self.asks and self.chosen.needs_yes

    def _check(self, *, is_shown: bool) -> None:
        expected, actual = self.chosen.expect_digest, self.plan.digest
        if expected not in (None, actual):
            raise PlanRefused(
                f"this is not the plan that was reviewed: its digest is {actual}, expected was "
                f"{expected}",
                hint="the portal or the files changed since the review: review the new plan",
            )
        check_stated(self.plan, self.safeguards)
        if self._needs_yes:
            approve(self.plan, self.session.stop, is_shown=is_shown)

    @contextmanager
    def _connected(
        self, count: RequestCount, journal: Journal | None = None
    ) -> Iterator[tuple[Portal, Callable[[Event], None]]]:
        """The portal, and what takes all events of the apply."""
        version = self.plan.portal.api_version
        with reporting(self.settings.name, self.chosen.given, self.plan) as progress:
            events: Callable[[Event], None] = report_to(progress, count, journal=journal)
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
            output.show_unexpected(error, self.chosen.given, "after the apply: ")
        if journal is not None and journal.problem is not None:
            output.show_error(journal.problem, self.chosen.given, "the journal is not complete: ")
        return replace(result, requests=self.sent_before + result.requests)

    def _broken_off(self, error: Exception, ended: Result) -> ExitCode:
        """Requests that write have left, and nothing says what became of them."""
        changes = tuple(replace(each, status=Status.UNCERTAIN) for each in ended.changes)
        code = report_result(
            self.chosen, replace(ended, outcome=Outcome.INCOMPLETE, changes=changes)
        )
        output.show_unexpected(error, self.chosen.given)
        return code

    def _journal(self, stack: ExitStack) -> Journal | None:
        if self.chosen.journal is None:
            return None
        return stack.enter_context(Journal(self.chosen.journal, self.session.clock.wall))

    def _dry_run(self, count: RequestCount) -> ExitCode:
        started_at = timestamp(self.session.clock)
        settling = Settling(self.session.clock, self.chosen.settle, self.chosen.verify_timeout)
        with self._connected(count) as (portal, _):
            check(self.plan, portal, self.safeguards, settling)
        if self.chosen.format == "json":
            found = untouched(self.plan, self.session.clock, started_at, portal.requests)
            return report_result(self.chosen, found)
        counts = render_counts(self.plan)
        output.result(counts, brief=counts)
        return ExitCode.DONE


def render_counts(plan: Plan) -> str:
    """What a dry run found, in one line."""
    counts = plan.summary
    return (
        f"The plan fits the portal: {counts.create} to create, {counts.update} to update, "
        f"{counts.delete} to delete. Nothing was written."
    )
