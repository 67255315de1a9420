"""`reconciler plan`: show what would change."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.options import BASE, PATHS, PortalOptions, portal_options
from reconciler.cli.progress import reporting
from reconciler.cli.rendering import PLAN_FORMATS, render_plan
from reconciler.cli.session import Session, for_each_portal
from reconciler.config import PortalSettings
from reconciler.errors import ExitCode, ReconcilerError, UsageProblem


@click.command("plan")
@PATHS
@BASE
@click.option(
    "--out",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Save the plan; {portal} in the name stands for the portal's.",
)
@click.option(
    "--format", "format_", type=click.Choice(PLAN_FORMATS), default="text", show_default=True
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when changes are pending.")
@portal_options
def command(
    options: PortalOptions,
    paths: tuple[Path, ...],
    base: str | None,
    out: str | None,
    format_: str,
    detailed_exitcode: bool,  # noqa: FBT001 - click passes flags by name
) -> int:
    """Compare the pair files below PATHS with the portal and show what would change.

    Nothing is written to the portal. Without PATHS: the workspace's configs folder.
    """
    session = Session.start(options)
    portals = session.portals()
    if out is not None and len(portals) > 1 and "{portal}" not in out:
        raise UsageProblem("--out: several portals need {portal} in the file name")
    files = session.files(paths, base)

    def work(settings: PortalSettings) -> ExitCode:
        with (
            reporting(settings.name) as progress,
            session.connected(settings, progress) as portal,
        ):
            plan = session.plan(settings, portal, files)
        if out is not None:
            _save(Path(out.replace("{portal}", settings.name)), render_plan(plan, "json"))
        output.result(render_plan(plan, format_))
        pending = detailed_exitcode and bool(plan.changes)
        return ExitCode.PENDING if pending else ExitCode.DONE

    return int(for_each_portal(portals, work))


def _save(path: Path, text: str) -> None:
    """Write the whole plan or nothing: a cut plan file must not be taken for one."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
        part.replace(path)
    except OSError as error:
        raise ReconcilerError(f"cannot write the plan to {path}: {error.strerror}") from error
