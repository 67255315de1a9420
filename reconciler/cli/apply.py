"""`reconciler apply`: make the portal what the plan says, and verify it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import click

import reconciler
from reconciler.applying.apply import timestamp, untouched, unwritten
from reconciler.applying.document import result_json
from reconciler.applying.journal import Journal
from reconciler.applying.journal_file import check_journal
from reconciler.applying.safeguards import Safeguards, check, check_stated
from reconciler.applying.staleness import Settling
from reconciler.cli import output
from reconciler.cli.approval import approve
from reconciler.cli.exits import show_error, show_unexpected
from reconciler.cli.options import BASE, PATHS, SETTLE, PortalOptions, portal_options
from reconciler.cli.plan_files import read_plan_file, saved_plan
from reconciler.cli.progress import Reporter, reporting
from reconciler.cli.rendering import render_plan
from reconciler.cli.session import Session, for_each_portal
from reconciler.cli.signals import stopping_on_signals
from reconciler.config import PortalSettings
from reconciler.errors import (
    ConfigurationInvalid,
    ExitCode,
    PlanRefused,
    ReconcilerError,
    UsageProblem,
    WrongPortal,
)
from reconciler.hubspot import ApiVersion, Exchange, NullObserver, Observers, Portal, SystemClock
from reconciler.model import Outcome, Plan, Result, Status
from reconciler.planning.document import digest
from reconciler.report.result import result_text

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

    `settle`: seconds between two reads that must agree.
    """

    auto_approve: bool
    dry_run: bool
    expect_digest: str | None
    force: bool
    format: str
    journal: Path | None
    verify_timeout: float
    settle: float


@click.command("apply")
@PATHS
@BASE
@click.option("--auto-approve", is_flag=True, help="Do not ask; for pipelines.")
@click.option("--dry-run", is_flag=True, help="Check a saved plan against the portal; no writes.")
@click.option(
    "--expect-digest",
    metavar="sha256:…",
    help="Refuse unless the plan is the one that was reviewed; stands for the approval.",
)
@click.option("--force", is_flag=True, help="Override the safety thresholds, and nothing else.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Append a line of JSON per request, on disk before the next.",
)
@click.option(
    "--verify-timeout",
    type=click.FloatRange(min=0, max=86_400),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long written limits have to show.",
)
@SETTLE
@portal_options
def command(
    options: PortalOptions,
    paths: tuple[Path, ...],
    base: str | None,
    auto_approve: bool,  # noqa: FBT001 - click passes flags by name
    dry_run: bool,  # noqa: FBT001 - click passes flags by name
    expect_digest: str | None,
    force: bool,  # noqa: FBT001 - click passes flags by name
    format_: str,
    journal: Path | None,
    verify_timeout: float,
    settle: float,
) -> int:
    """Apply a saved plan as it was reviewed, or plan the pair files below PATHS and apply that.

    A saved plan is recognised by its content, whatever its file is called; `-` reads one from
    standard input. Paths need a yes on a terminal, --auto-approve, or the reviewed plan's
    --expect-digest.
    """
    chosen = ApplyOptions(
        auto_approve,
        dry_run,
        _digest(expect_digest),
        force,
        format_,
        journal,
        verify_timeout,
        settle,
    )
    if journal is not None:
        check_journal(journal)
    saved = saved_plan(paths)
    if saved is None and dry_run:
        raise UsageProblem(
            "--dry-run checks a saved plan", hint="`reconciler plan` shows a new one"
        )
    try:
        session = Session.start(options)
        if saved is not None:
            return int(_apply_saved(session, read_plan_file(saved), base, chosen))
        return int(_apply_files(session, paths, base, chosen))
    except ReconcilerError as error:
        _answer(chosen, error)
        raise


def _digest(text: str | None) -> str | None:
    if text is None:
        return None
    kind, _, value = text.partition(":")
    if kind != "sha256" or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise UsageProblem(
            "--expect-digest takes sha256: and 64 hexadecimal digits, as the plan shows it"
        )
    return text


def _apply_saved(session: Session, plan: Plan, base: str | None, chosen: ApplyOptions) -> ExitCode:
    """Apply a reviewed plan: the review was the approval.

    What the files at hand protect, and those of the base where one is given, holds for it too.
    """
    if plan.portal.api_version not in set(ApiVersion):
        raise PlanRefused(
            f"the plan is for API version {plan.portal.api_version!r}, which this version of "
            "reconciler does not know",
            hint=f"it knows {', '.join(ApiVersion)}: make the plan again for one of them",
        )
    asked_for = session.options.api_version
    if asked_for not in (None, plan.portal.api_version):
        raise PlanRefused(
            f"the plan is for API version {plan.portal.api_version}, not {asked_for}",
            hint="leave --api-version out, or make the plan again",
        )
    settings = _planned_portal(session, plan)
    safeguards = Safeguards(session.workspace.safety, chosen.force, *session.at_hand(base))
    application = _Application(session, settings, chosen, plan, safeguards)
    with stopping_on_signals(session.stop):
        return application.run()


def _planned_portal(session: Session, plan: Plan) -> PortalSettings:
    """The workspace's portal that a plan names; without a workspace file, the only one."""
    portals = {each.name: each for each in session.workspace.portals}
    names = session.options.names
    if session.options.every or any(name != plan.portal.name for name in names):
        raise PlanRefused(f"the plan is for portal {plan.portal.name}, and for no other")
    if plan.portal.name in portals:
        return _checked(portals[plan.portal.name], plan)
    if session.workspace.path is None:
        return session.workspace.portals[0]
    raise PlanRefused(
        f"the plan is for portal {plan.portal.name}, which the workspace does not have",
        hint=f"it has {', '.join(portals)}",
    )


def _checked(settings: PortalSettings, plan: Plan) -> PortalSettings:
    if settings.portal_id not in (None, plan.portal.portal_id):
        raise WrongPortal(
            f"the plan is for portal {plan.portal.portal_id}, the workspace names "
            f"{settings.portal_id} as {settings.name}",
            hint="make the plan again for the portal that is meant",
        )
    return settings


def _apply_files(
    session: Session, paths: tuple[Path, ...], base: str | None, chosen: ApplyOptions
) -> ExitCode:
    portals = session.portals()
    files = session.files(paths, base)
    applied: list[str] = []

    def work(settings: PortalSettings) -> ExitCode:
        try:
            return plan_and_apply(settings)
        except ReconcilerError as error:
            _answer(chosen, error)
            raise

    def plan_and_apply(settings: PortalSettings) -> ExitCode:
        started_at = timestamp(session.clock)
        with reporting(settings.name) as progress, session.connected(settings, progress) as portal:
            plan = session.plan(settings, portal, files, chosen.settle)
        if not plan.changes and not plan.refusals:
            said = _another_plan(chosen, plan)
            done = untouched(plan, session.clock, started_at, portal.requests, said)
            return _report(chosen, done)
        safeguards = Safeguards(
            session.workspace.safety, chosen.force, files.loaded.desired, files.base
        )
        code = _Application(session, settings, chosen, plan, safeguards, asks=True).run()
        if code is ExitCode.DONE:
            applied.append(settings.name)
        return code

    with stopping_on_signals(session.stop):
        return _together(for_each_portal(portals, work), applied)


def _together(code: ExitCode, applied: Sequence[str]) -> ExitCode:
    """Code 1 says that nothing was written: not where another portal was applied."""
    if code is not ExitCode.ERROR or not applied:
        return code
    output.note(f"applied: {', '.join(applied)}; not every portal is")
    return ExitCode.INCOMPLETE


def _answer(chosen: ApplyOptions, error: ReconcilerError) -> None:
    """A result document where an error came before there was a plan to report on."""
    if isinstance(error, ConfigurationInvalid | UsageProblem):
        return  # which have no outcome: the document of the error says more
    if chosen.format == "json" and not output.is_answered():
        refused = isinstance(error, PlanRefused)
        now = timestamp(SystemClock())
        outcome = Outcome.REFUSED if refused else Outcome.FAILED
        output.result(result_json(Result(outcome, (), 0, now, now, error.message)))


def _another_plan(chosen: ApplyOptions, plan: Plan) -> str | None:
    """What to say where nothing is to be done and something else was reviewed.

    Refusing would fail every second run of a pipeline: nothing is written, so nothing that was
    not reviewed can be.
    """
    if chosen.expect_digest in (None, digest(plan)):
        return None
    return (
        f"The plan that was reviewed ({chosen.expect_digest}) is not the one made now "
        f"({digest(plan)}), which has nothing to change: the reviewed plan was applied before, or "
        "the portal or the files changed since. Nothing was written."
    )


def _report(chosen: ApplyOptions, result: Result) -> ExitCode:
    """Write the result in the format asked for; the exit code, whatever becomes of the writing."""
    try:
        as_json = chosen.format == "json"
        text = result_json(result) if as_json else result_text(result, style=output.style())
        output.result(text, brief=text)
    except Exception as error:  # noqa: BLE001 - a bug in the report does not undo what it reports
        show_unexpected(error, prefix=f"the result ({result.outcome}) cannot be shown: ")
    return EXIT_CODES[result.outcome]


class _RequestCount(NullObserver):
    """Counts requests, for the result of an apply that an error ended."""

    def __init__(self) -> None:
        self.requests = 0
        self.writes = 0
        self._lock = Lock()

    def sending(self, exchange: Exchange) -> None:
        with self._lock:
            self.requests += 1
            self.writes += bool(exchange.inputs)


@dataclass(frozen=True, slots=True)
class _Application:
    """One plan on its way to one portal; `asks` when nobody has reviewed it yet."""

    session: Session
    settings: PortalSettings
    chosen: ApplyOptions
    plan: Plan
    safeguards: Safeguards
    asks: bool = False

    def run(self) -> ExitCode:
        """Check, ask, apply, report. What ends it before the first write is raised."""
        clock, count = self.session.clock, _RequestCount()
        started_at = timestamp(clock)
        is_shown = self._show() if self.asks else True
        try:
            self._check(is_shown=is_shown)
            if self.chosen.dry_run:
                return self._dry_run(count)
            return _report(self.chosen, self._carry_out(count))
        except ReconcilerError as error:
            ended = unwritten(self.plan, error, clock, started_at, count.requests)
            if count.writes:
                return self._broken_off(error, ended)
            if self.chosen.format == "json":
                output.result(result_json(ended))
            raise
        except Exception as error:
            if not count.writes:
                raise
            bug = ReconcilerError(f"internal error: {type(error).__name__}: {error}")
            ended = unwritten(self.plan, bug, clock, started_at, count.requests)
            return self._broken_off(error, ended)

    def _show(self) -> bool:
        """Show the plan; whether all of it could be written somewhere."""
        text = render_plan(self.plan, "text")
        if self.chosen.format == "text":
            return output.result(text, brief=text)
        if self._needs_yes:
            click.echo(text, err=True)
        return True

    @property
    def _needs_yes(self) -> bool:
        return self.asks and self.chosen.expect_digest is None and not self.chosen.auto_approve

    def _check(self, *, is_shown: bool) -> None:
        expected, actual = self.chosen.expect_digest, digest(self.plan)
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
        self, count: _RequestCount, journal: Journal | None = None
    ) -> Iterator[tuple[Portal, Reporter]]:
        with (
            reporting(self.settings.name, self.plan) as progress,
            self.session.connected(
                self.settings,
                Observers([progress, count]),
                journal=journal,
                api_version=self.plan.portal.api_version,
            ) as portal,
        ):
            yield portal, progress

    def _carry_out(self, count: _RequestCount) -> Result:
        """Apply. What goes wrong after that, in closing what is open, is no part of the result."""
        result: Result | None = None
        try:
            with ExitStack() as stack:
                journal = self._journal(stack)
                portal, progress = stack.enter_context(self._connected(count, journal))
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
                    progress=progress,
                    record=journal,
                )
        except Exception as error:
            if result is None:
                raise
            show_unexpected(error, prefix="after the apply: ")
        if journal is not None and journal.problem is not None:
            show_error(journal.problem, prefix="the journal is not complete: ")
        return result

    def _broken_off(self, error: Exception, ended: Result) -> ExitCode:
        """Requests that write have left, and nothing says what became of them."""
        changes = tuple(replace(each, status=Status.UNCERTAIN) for each in ended.changes)
        code = _report(self.chosen, replace(ended, outcome=Outcome.INCOMPLETE, changes=changes))
        show_unexpected(error)
        return code

    def _journal(self, stack: ExitStack) -> Journal | None:
        if self.chosen.journal is None:
            return None
        return stack.enter_context(Journal(self.chosen.journal, self.session.clock.wall))

    def _dry_run(self, count: _RequestCount) -> ExitCode:
        started_at = timestamp(self.session.clock)
        settling = Settling(self.session.clock, self.chosen.settle, self.chosen.verify_timeout)
        with self._connected(count) as (portal, _):
            check(self.plan, portal, self.safeguards, settling)
        if self.chosen.format == "json":
            found = untouched(self.plan, self.session.clock, started_at, portal.requests)
            return _report(self.chosen, found)
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
