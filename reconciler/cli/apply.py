"""`reconciler apply`: make the portal what the plan says, and verify it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import click

import reconciler
from reconciler.applying.apply import timestamp, untouched, unwritten
from reconciler.applying.document import result_json
from reconciler.applying.journal import Journal
from reconciler.applying.safeguards import Safeguards, check, check_stated
from reconciler.cli import output
from reconciler.cli.approval import approve
from reconciler.cli.exits import show_error
from reconciler.cli.options import BASE, PATHS, PortalOptions, portal_options
from reconciler.cli.progress import Observers, reporting
from reconciler.cli.rendering import render_plan
from reconciler.cli.session import Session, for_each_portal
from reconciler.cli.show import read_plan_file
from reconciler.config import PortalSettings
from reconciler.errors import ExitCode, PlanRefused, ReconcilerError, UsageProblem, WrongPortal
from reconciler.hubspot import Exchange, NullObserver, Portal
from reconciler.model import Outcome, Plan, Result
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
    """How to apply. `verify_timeout`: seconds that written limits have to show."""

    auto_approve: bool
    dry_run: bool
    expect_digest: str | None
    force: bool
    format: str
    journal: Path | None
    verify_timeout: float


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
) -> int:
    """Apply a saved plan as it was reviewed, or plan the pair files below PATHS and apply that.

    A saved plan is one file that ends in .json. Paths need a yes on a terminal, --auto-approve,
    or the reviewed plan's --expect-digest.
    """
    chosen = ApplyOptions(
        auto_approve, dry_run, _digest(expect_digest), force, format_, journal, verify_timeout
    )
    saved = _saved_plan(paths)
    if saved is None and dry_run:
        raise UsageProblem(
            "--dry-run checks a saved plan", hint="`reconciler plan` shows a new one"
        )
    session = Session.start(options)
    if saved is not None:
        return int(_apply_saved(session, read_plan_file(saved), base, chosen))
    return int(_apply_files(session, paths, base, chosen))


def _saved_plan(paths: tuple[Path, ...]) -> Path | None:
    plans = [path for path in paths if path.suffix == ".json"]
    if not plans:
        return None
    if len(paths) > 1:
        raise UsageProblem("one saved plan at a time, and no paths beside it")
    if not plans[0].is_file():
        raise click.BadParameter(f"{plans[0]} does not exist.", param_hint="PLAN.json")
    return plans[0]


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
    asked_for = session.options.api_version
    if asked_for not in (None, plan.portal.api_version):
        raise PlanRefused(
            f"the plan is for API version {plan.portal.api_version}, not {asked_for}",
            hint="leave --api-version out, or make the plan again",
        )
    settings = _planned_portal(session, plan)
    safeguards = Safeguards(session.workspace.safety, chosen.force, *session.at_hand(base))
    return _Application(session, settings, chosen, plan, safeguards).run()


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

    def work(settings: PortalSettings) -> ExitCode:
        started_at = timestamp(session.clock)
        with reporting(settings.name) as progress, session.connected(settings, progress) as portal:
            plan = session.plan(settings, portal, files)
        if not plan.changes:
            return _told(chosen, untouched(plan, session.clock, started_at, portal.requests))
        if chosen.format == "text":
            output.result(render_plan(plan, "text"))
        safeguards = Safeguards(
            session.workspace.safety, chosen.force, files.loaded.desired, files.base
        )
        return _Application(session, settings, chosen, plan, safeguards, asks=True).run()

    return for_each_portal(portals, work)


def _told(chosen: ApplyOptions, result: Result) -> ExitCode:
    """Write the result in the format asked for; its exit code."""
    as_json = chosen.format == "json"
    output.result(result_json(result) if as_json else result_text(result, style=output.style()))
    return EXIT_CODES[result.outcome]


class _RequestCount(NullObserver):
    """Counts requests, for the result of an apply that an error ended."""

    def __init__(self) -> None:
        self.requests = 0
        self._lock = Lock()

    def sending(self, exchange: Exchange) -> None:  # noqa: ARG002 - any request counts
        with self._lock:
            self.requests += 1


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
        try:
            self._check()
            return self._carry_out(count)
        except ReconcilerError as error:
            if self.chosen.format == "json":
                ended = unwritten(self.plan, error, clock, started_at, count.requests)
                output.result(result_json(ended))
            raise

    def _check(self) -> None:
        expected, actual = self.chosen.expect_digest, digest(self.plan)
        if expected not in (None, actual):
            raise PlanRefused(
                f"this is not the plan that was reviewed: its digest is {actual}, expected was "
                f"{expected}",
                hint="the portal or the files changed since the review: review the new plan",
            )
        check_stated(self.plan, self.safeguards)
        if self.asks and expected is None and not self.chosen.auto_approve:
            approve(self.plan)

    def _carry_out(self, count: _RequestCount) -> ExitCode:
        with ExitStack() as stack:
            progress = stack.enter_context(reporting(self.settings.name, self.plan))
            journal = self._journal(stack)
            watching = (progress, count) if journal is None else (journal, progress, count)
            portal = stack.enter_context(
                self.session.connected(
                    self.settings, Observers(watching), self.plan.portal.api_version
                )
            )
            if self.chosen.dry_run:
                return self._dry_run(portal)
            result = reconciler.apply_plan(
                self.plan,
                portal,
                clock=self.session.clock,
                safety=self.safeguards.safety,
                force=self.safeguards.force,
                files=self.safeguards.files,
                base=self.safeguards.base,
                verify_timeout=self.chosen.verify_timeout,
                progress=progress,
                record=journal,
            )
        if journal is not None and journal.problem is not None:
            show_error(journal.problem, prefix="the journal is not whole: ")
        return _told(self.chosen, result)

    def _journal(self, stack: ExitStack) -> Journal | None:
        if self.chosen.journal is None:
            return None
        return stack.enter_context(Journal(self.chosen.journal, self.session.clock.wall))

    def _dry_run(self, portal: Portal) -> ExitCode:
        started_at = timestamp(self.session.clock)
        check(self.plan, portal, self.safeguards)
        if self.chosen.format == "json":
            found = untouched(self.plan, self.session.clock, started_at, portal.requests)
            return _told(self.chosen, found)
        output.result(render_counts(self.plan))
        return ExitCode.DONE


def render_counts(plan: Plan) -> str:
    """What a dry run found, in one line."""
    counts = plan.summary
    return (
        f"The plan fits the portal: {counts.create} to create, {counts.update} to update, "
        f"{counts.delete} to delete. Nothing was written."
    )
