"""`reconciler status`: the limits in force, with usage, and what no file manages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.options import PATHS, PortalOptions, portal_options
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.workspace import refuse_left_out
from reconciler.config.object_types import standard_type
from reconciler.config.workspace import PortalSettings
from reconciler.errors import ExitCode, worst
from reconciler.http.clock import Clock
from reconciler.http.messages import report_to
from reconciler.model.limits import Desired
from reconciler.model.portals import PortalStatus
from reconciler.planning.adoption import limits_in_force
from reconciler.planning.names import resolve_directions
from reconciler.report.portals import portals_text
from reconciler.report.status import status_counts, status_json, status_text
from reconciler.report.terminal import Style
from reconciler.report.view import USAGE_NEEDS_SCOPE, Unplanned

if TYPE_CHECKING:
    from reconciler.applying.events import Event
    from reconciler.hubspot.portal import Portal


@click.command("status")
@PATHS
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
)
@portal_options
def command(options: PortalOptions, paths: tuple[Path, ...], format_: str) -> int:
    """Show the limits in force in a portal, and which of them the pair files below PATHS manage.

    Unmanaged: its direction is declared, and no file names or removes it. Uncovered: no file
    declares its direction. With how many records are at or near a limit, where the portal says so.
    Nothing is written.
    """
    from reconciler.cli.progress import reporting
    from reconciler.cli.session import Session  # httpx and pydantic, not for --help

    session = Session.start(options)
    portals = session.portals()
    has_files = bool(paths) or session.workspace.config_directory.is_dir()
    if not has_files:
        refuse_left_out([session.workspace.config_directory])
    files = session.files(portals, paths, None) if has_files else None

    def work(settings: PortalSettings, events: Callable[[Event], None]) -> PortalStatus:
        own = Desired(()) if files is None else files.of(settings).loaded.desired
        with session.connected(settings, report_to(events)) as portal:
            return _status(settings, portal, own, session.clock)

    one_page = options.asks_for_several and format_ == "html"

    def write(found: PortalStatus) -> ExitCode:
        if not one_page:
            output.result(
                _rendered(found, format_, output.style(options.given)), brief=status_counts(found)
            )
        return ExitCode.DONE

    if options.asks_for_several:
        from reconciler.cli.side_by_side import Done, answers_of, report, spread_out  # not for one

        ended = spread_out(session, portals, work, status_counts)
        with answers_of(portals, as_array=format_ == "json") as answers:
            ends = report(ended, session.given, answers, write, status_counts)
        if format_ == "text":
            output.result(portals_text(ends, output.style(session.given)))
        if one_page:
            from reconciler.report.html import statuses_html

            shown = [
                each.value
                if isinstance(each, Done)
                else Unplanned(each.portal.name, each.error.message)
                for each in ended
            ]
            output.result(statuses_html(shown))
        return int(worst(each.exit_code for each in ends))
    (settings,) = portals
    with stopping_on_signals(session.stop), reporting(settings.name, session.given) as progress:
        found = work(settings, progress)
    return int(write(found))


def _rendered(found: PortalStatus, format_: str, style: Style) -> str:
    match format_:
        case "json":
            return status_json(found)
        case "html":
            from reconciler.report.html import status_html  # jinja2: only pages pay for it

            return status_html(found)
        case _:
            return status_text(found, style)


def _status(
    settings: PortalSettings, portal: Portal, desired: Desired, clock: Clock
) -> PortalStatus:
    from reconciler.hubspot.survey import survey
    from reconciler.hubspot.usage import UsageInquiry  # pydantic, not for --help

    seen = survey(portal, standard_type, portal_id=settings.portal_id)
    declared = resolve_directions(desired.directions, seen.custom_objects)
    inquiry = UsageInquiry(portal, seen.observed.directions, clock, at_once=0)
    portal.in_parallel(inquiry.first)
    usage = inquiry.complete()
    why = USAGE_NEEDS_SCOPE if inquiry.lacks_scope else f"usage unknown: {inquiry.problem}"
    ended = inquiry.lacks_scope or inquiry.problem is not None
    known = any(each.at_limit is not None for each in usage)
    return PortalStatus(
        settings.name,
        seen.observed.account,
        limits_in_force(seen.observed.directions, declared),
        tuple(each for each in usage if each.is_of_somebody) if known or not ended else None,
        seen.unplaced_in_words,
        (*seen.notes, why) if ended else seen.notes,
    )
