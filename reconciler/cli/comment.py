"""`reconciler comment`: put plans on the pull or merge request."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.forge.comments import Action, Published, Report, publish
from reconciler.cli.forge.connecting import connected
from reconciler.cli.forge.context import ForgeName, find_request
from reconciler.cli.links import links_for
from reconciler.cli.plan_files import read_plan_file
from reconciler.cli.signals import stopping_on_signals
from reconciler.errors import UsageProblem
from reconciler.hubspot import Stop, SystemClock
from reconciler.model import Plan
from reconciler.planning.document import digest
from reconciler.report.escape import visible
from reconciler.report.markdown import plan_markdown

DEFAULT_TIMEOUT = 300.0


@click.command("comment")
@click.argument(
    "plan_files",
    metavar="PLAN.json...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@click.option(
    "--forge",
    type=click.Choice(["github", "gitlab"]),
    help="Where the request is.  [default: as the CI job's variables say]",
)
@click.option(
    "--request",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of the pull or merge request.  [default: the CI job's]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=86_400),
    default=DEFAULT_TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="For one call, its waits and retries included.",
)
def command(
    plan_files: tuple[Path, ...], forge: ForgeName | None, number: int | None, timeout: float
) -> None:
    """Put saved plans on the pull or merge request, one comment per portal, edited in place.

    GitHub: GITHUB_TOKEN with `pull-requests: write`. GitLab: GITLAB_TOKEN with the scope `api`.
    A plan without changes updates the portal's comment, and creates none where there is none.
    """
    plans = [read_plan_file(path) for path in plan_files]
    _check_portals(plans)
    request = find_request(os.environ, forge=forge, number=number)
    reports = [_report(plan) for plan in plans]
    stop = Stop()
    clock = SystemClock(stop)
    with (
        stopping_on_signals(stop),
        connected(request, clock=clock, timeout=timeout, tell=_tell) as comments,
    ):
        for plan, report in zip(plans, reports, strict=True):
            output.result(visible(_line(plan, publish(comments, report, clock.wait))))


def _check_portals(plans: Sequence[Plan]) -> None:
    portal, count = Counter(plan.portal.portal_id for plan in plans).most_common(1)[0]
    if count > 1:
        raise UsageProblem(
            f"{count} of the plans are for portal {portal}, which has one comment",
            hint="give one plan per portal",
        )


def _report(plan: Plan) -> Report:
    made = digest(plan)
    links = links_for(plan, os.environ, Path.cwd())
    markdown = plan_markdown(plan, digest=made, links=links)
    return Report(plan.portal.portal_id, made, markdown, says_nothing=not plan.changes)


def _line(plan: Plan, published: Published) -> str:
    portal = f"{plan.portal.name} (portal {plan.portal.portal_id})"
    if published.action is Action.NOT_NEEDED:
        return f"{portal}: no changes, and no comment that would have to say so"
    return f"{portal}: comment {published.action}: {published.url}"


def _tell(words: str) -> None:
    output.note(visible(words))
