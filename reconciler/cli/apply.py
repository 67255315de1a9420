"""`reconciler apply`: make the portal what the plan says, and verify it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.applying.journal import check_journal
from reconciler.applying.safeguards import Safeguards
from reconciler.cli.application import (
    EXIT_CODES,
    Application,
    ApplyOptions,
    RequestCount,
    answer,
    apply_planned,
    plan_files,
)
from reconciler.cli.from_top import plan_from_here
from reconciler.cli.options import (
    BASE,
    NO_USAGE,
    PATHS,
    SETTLE,
    PortalOptions,
    complete_plans,
    portal_options,
)
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.progress import reporting
from reconciler.cli.saved import read_plan_file, saved_plan
from reconciler.cli.session import Session
from reconciler.config.workspace import PortalSettings
from reconciler.defaults import VERIFY_TIMEOUT
from reconciler.errors import (
    ExitCode,
    PlanRefused,
    ReconcilerError,
    UsageProblem,
    WrongPortal,
)
from reconciler.http.messages import report_to
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.plan import Plan

if TYPE_CHECKING:
    from reconciler.cli.waves import Waves


@click.command("apply")
@PATHS
@BASE
@click.option("--auto-approve", is_flag=True, help="Do not ask; for pipelines.")
@click.option("--dry-run", is_flag=True, help="Check a saved plan against the portal; no writes.")
@click.option(
    "--expect-digest",
    metavar="sha256:…",
    help="Refuse unless the plan is the one that was reviewed; counts as the approval.",
)
@click.option(
    "--reviewed",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    metavar="PLAN.json",
    help="The saved plan that was reviewed: its digest is expected, and a refusal says what differs.",
    shell_complete=complete_plans,
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
    default=VERIFY_TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait until written limits are shown.",
)
@SETTLE
@click.option(
    "--waves",
    metavar="SIZES",
    help="With several portals: how many first, and how many after these, such as 1,10%,rest. "
    "Stops at a wave that does not go well; with --journal the next run takes it up there.",
)
@NO_USAGE
@portal_options
def command(
    options: PortalOptions,
    paths: tuple[Path, ...],
    base: str | None,
    auto_approve: bool,  # noqa: FBT001 - click passes flags by name
    dry_run: bool,  # noqa: FBT001 - click passes flags by name
    expect_digest: str | None,
    reviewed: Path | None,
    force: bool,  # noqa: FBT001 - click passes flags by name
    format_: str,
    journal: Path | None,
    verify_timeout: float,
    settle: float,
    waves: str | None,
    no_usage: bool,  # noqa: FBT001 - click passes flags by name
) -> int:
    """Apply a saved plan as it was reviewed, or plan the pair files below PATHS and apply that.

    A saved plan is recognised by its content, whatever its file is called; `-` reads one from
    standard input. Paths need a yes on a terminal, --auto-approve, or the plan that was reviewed:
    its digest by --expect-digest, or the plan itself by --reviewed.
    """
    chosen = ApplyOptions(
        auto_approve,
        dry_run,
        _digest(expect_digest),
        None,
        force,
        format_,
        journal,
        verify_timeout,
        settle,
        no_usage,
        options.given,
    )
    if journal is not None:
        check_journal(journal)
    saved = saved_plan(paths)
    rollout = _waves(waves, options, saved)
    if saved is None and dry_run:
        raise UsageProblem(
            "--dry-run checks a saved plan", hint="`reconciler plan` shows a new one"
        )
    try:
        if reviewed is not None:
            chosen = _expecting(chosen, reviewed)
        session = Session.start(options)
        if saved is not None:
            return int(_apply_saved(session, plan_from_here(read_plan_file(saved)), base, chosen))
        return int(_apply_files(session, paths, base, chosen, rollout))
    except ReconcilerError as error:
        answer(chosen, error, None)
        raise


def _waves(text: str | None, options: PortalOptions, saved: Path | None) -> Waves | None:
    if text is None:
        return None
    from reconciler.cli.waves import Waves  # only where it is asked for

    found = Waves.parse(text)
    if saved is not None:
        raise UsageProblem("--waves goes with paths: a saved plan is for one portal")
    if not options.asks_for_several:
        raise UsageProblem("--waves goes with --all-portals, or several times --portal")
    return found


def _digest(text: str | None) -> str | None:
    if text is None:
        return None
    kind, _, value = text.partition(":")
    if kind != "sha256" or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise UsageProblem(
            "--expect-digest takes sha256: and 64 hexadecimal digits, as the plan shows it"
        )
    return text


def _expecting(chosen: ApplyOptions, path: Path) -> ApplyOptions:
    """With the plan that was reviewed, whose digest is the expected one."""
    plan = read_plan_file(path)
    if chosen.expect_digest not in (None, plan.digest):
        raise PlanRefused(
            f"{path} is not the plan that --expect-digest names: its digest is {plan.digest}, "
            f"expected was {chosen.expect_digest}",
            hint="give the plan that was reviewed, or leave one of the two options out",
        )
    return replace(chosen, reviewed=plan, expect_digest=plan.digest)


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
    from reconciler.cli.history import at_hand  # only a saved plan is held against files so

    settings = _planned_portal(session, plan)
    safeguards = Safeguards(
        session.workspace.safety,
        chosen.force,
        *at_hand(session.workspace, settings, base, chosen.given),
    )
    application = Application(session, settings, chosen, plan, safeguards)
    with stopping_on_signals(session.stop):
        return EXIT_CODES[application.run().outcome]


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
    session: Session,
    paths: tuple[Path, ...],
    base: str | None,
    chosen: ApplyOptions,
    waves: Waves | None,
) -> ExitCode:
    portals = session.portals()
    files = session.files(portals, paths, base)
    if session.options.asks_for_several:
        from reconciler.cli.rollout import Rollout  # not for one

        return Rollout(session, files, chosen).run(portals, waves)
    (settings,) = portals
    count = RequestCount()
    try:
        with stopping_on_signals(session.stop):
            with reporting(settings.name, chosen.given) as progress:
                events = report_to(progress, count)
                planned = plan_files(session, settings, files.of(settings), chosen, events)
            return EXIT_CODES[apply_planned(session, planned, chosen, asks=True).outcome]
    except ReconcilerError as error:
        answer(chosen, error, session.destination(settings), count.requests)
        raise
