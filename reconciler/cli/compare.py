"""`reconciler compare`: how two portals differ, without any file."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import click

from reconciler.cli import output
from reconciler.cli.exits import stopping_on_signals
from reconciler.cli.options import PortalOptions, portal_options
from reconciler.cli.progress import reporting
from reconciler.cli.session import Session
from reconciler.config.object_types import STANDARD, standard_type
from reconciler.config.workspace import PortalSettings
from reconciler.errors import ExitCode, UsageProblem
from reconciler.http.events import report_to
from reconciler.hubspot.portal import Portal
from reconciler.hubspot.survey import Survey, survey
from reconciler.model.limits import AssociationType, Direction
from reconciler.model.portals import Comparison, Side
from reconciler.planning.comparison import Labels, PortalLimits, differences, with_lacking
from reconciler.report import comparison as report


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when the portals differ.")
@portal_options
def command(
    options: PortalOptions,
    a: str,
    b: str,
    format_: str,
    detailed_exitcode: bool,  # noqa: FBT001 - click passes flags by name
) -> int:
    """Show how the limits of portal A and portal B differ, by object types and labels.

    Both are portals of the workspace. Type IDs differ from portal to portal and do not count. No
    file is read, and nothing is written.
    """
    if options.names or options.every:
        raise UsageProblem("compare takes the names of two portals: compare A B")
    session = Session.start(replace(options, names=(a, b)))
    if a == b:
        raise UsageProblem("compare takes two different portals")
    with stopping_on_signals(session.stop):
        found = compared(session, *session.portals())
    match format_:
        case "json":
            output.result(report.comparison_json(found))
        case "markdown":
            output.result(report.comparison_markdown(found))
        case _:
            output.result(report.comparison_text(found))
    differ = detailed_exitcode and bool(found.differences)
    return int(ExitCode.PENDING if differ else ExitCode.DONE)


def compared(session: Session, a: PortalSettings, b: PortalSettings) -> Comparison:
    """Read both portals and compare them; raises a `PortalError` of either."""
    with ExitStack() as stack:
        portals = [
            stack.enter_context(
                session.connected(
                    each, report_to(stack.enter_context(reporting(each.name, session.given)))
                )
            )
            for each in (a, b)
        ]
        surveys = [survey(portal, standard_type) for portal in portals]
        sides = dict(
            zip(
                Side,
                (_limits(each.name, found) for each, found in zip((a, b), surveys, strict=True)),
                strict=True,
            )
        )
        labels: dict[Side, Labels] = {
            side: partial(_labels, portal) for side, portal in zip(Side, portals, strict=True)
        }
        found = with_lacking(differences(*sides.values()), sides, labels)
    shared = len(sides[Side.A].values().items() & sides[Side.B].values().items())
    first, second = surveys
    return Comparison(
        (a.name, b.name),
        (first.observed.account, second.observed.account),
        found,
        shared,
        (first.unplaced_in_words, second.unplaced_in_words),
    )


def _limits(name: str, found: Survey) -> PortalLimits:
    names = {id_: plural for id_, _, plural in STANDARD}
    names |= {each.id: each.name for each in found.custom_objects}
    return PortalLimits(name, found.observed.directions, names)


def _labels(portal: Portal, direction: Direction) -> tuple[AssociationType, ...]:
    return portal.labels(direction).types
