"""`reconciler comment`: put plans on the pull or merge request."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.options import Given, complete_plans, given_options
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.saved import read_plan_file
from reconciler.cli.since import Earlier, since_push
from reconciler.cli.workspace import (
    choose_portals,
    open_workspace,
    workspace_file,
    workspace_name,
)
from reconciler.errors import ExitCode, ReconcilerError, UsageProblem, worst
from reconciler.forges.api import ForgeError
from reconciler.forges.ci import ForgeName, connected, find_request
from reconciler.forges.comments import Action, Forge, Published, Report, Text, publish
from reconciler.forges.job import current_run, job_page, links_for
from reconciler.forges.marker import USUAL_WORKSPACE, Fields, Key, Run
from reconciler.git.repository import find_top
from reconciler.http.clock import Stop, SystemClock
from reconciler.model.plan import Plan
from reconciler.model.since import Outline
from reconciler.outgoing import know
from reconciler.planning.pushes import Pushes, read_pushes, write_planned
from reconciler.report.escape import PROSE_LIMIT, terminal
from reconciler.report.markdown import LIMIT, failure_markdown, plan_markdown, removed_markdown

DEFAULT_TIMEOUT = 300.0
LONGEST_FIRST_LINE = 200
"""Characters of the hidden first line, besides what is kept, that LIMIT leaves no room for."""

LONGEST_REASON = 1 << 20
"""Bytes of a reason that are read; a comment has room for less."""
_ANNOTATION = re.compile(r"::(?:error|warning|notice) ")
_PROGRESS = re.compile(r"\[\d+/\d+\] ")
_DIAGNOSTIC = re.compile(r":\d+:\d+: (?:error|warning)\[")
_SECRET = re.compile("TOKEN|SECRET|PASSWORD|KEY")

PLAN_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("comment")
@click.argument(
    "plan_files",
    metavar="[PLAN.json]...",
    nargs=-1,
    type=PLAN_FILE,
    shell_complete=complete_plans,
)
@click.option(
    "--failed",
    is_flag=True,
    help="Report that planning failed: in the comments of these plans, or of the workspace's portals.",
)
@click.option(
    "--reason",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="With --failed: what the command wrote to stderr; - is standard input.",
)
@click.option(
    "--planned",
    multiple=True,
    type=PLAN_FILE,
    metavar="PLAN.json",
    help="With --failed: a plan that was made nevertheless; repeatable.",
)
@click.option(
    "--portal", "names", multiple=True, metavar="NAME", help="With --failed: portal; repeatable."
)
@click.option(
    "--only-update", is_flag=True, help="Write nothing where there is no comment of the portal yet."
)
@click.option(
    "--since",
    "earlier",
    multiple=True,
    type=PLAN_FILE,
    metavar="OLD.json",
    shell_complete=complete_plans,
    help="Say what changed from this plan of the same portal, not from the last push; repeatable.",
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
    plan_files: tuple[Path, ...],
    failed: bool,  # noqa: FBT001 - click passes flags by name
    reason: Path | None,
    planned: tuple[Path, ...],
    names: tuple[str, ...],
    earlier: tuple[Path, ...],
    only_update: bool,  # noqa: FBT001 - click passes flags by name
    forge: ForgeName | None,
    number: int | None,
    timeout: float,
) -> int:
    """Put saved plans on the pull or merge request, edited in place.

    There is one comment per workspace and portal. GitHub: GITHUB_TOKEN with `pull-requests: write`.
    GitLab: GITLAB_TOKEN with the scope `api`. A plan without changes updates the portal's comment,
    and creates none where there is none. With --failed the same comment says that planning failed.
    """
    given = given_options()
    plans, codes = _readable(plan_files, given)
    why = _read_reason(reason)
    if failed:
        made, unreadable = _readable(planned, given)
        codes += unreadable
        keys = [_key(plan) for plan in plans] or _planless(names, made, given)
        failures = _failures(keys, why)
    else:
        _check_usage(plan_files, (reason, planned, names))
        made, failures = plans, []
    before = _earlier(made, earlier)
    reports = [*(_report(plan, before) for plan in made), *failures]
    _check_keys([report.key for report in reports])
    if not reports:
        return worst(codes)
    request = find_request(os.environ, forge=forge, number=number)
    stop = Stop()
    clock = SystemClock(stop)

    def notify(words: str) -> None:
        output.note(words, given)

    with (
        stopping_on_signals(stop),
        connected(request, clock=clock, timeout=timeout, notify=notify) as comments,
    ):
        reports = [*_in_place_of_the_workspace(comments, reports, why)]
        put = partial(_put, comments, wait=clock.wait, given=given)
        codes += [
            put(replace(each, says_nothing=each.says_nothing or only_update)) for each in reports
        ]
        if ExitCode.ERROR not in codes and find_top(Path.cwd()) is not None:
            keys = [report.key for report in reports]
            gone = [key for key in _commented(comments) if _is_gone(key, keys, given)]
            codes += [put(_removal(key)) for key in gone]
    return worst(codes)


def _put(forge: Forge, report: Report, *, wait: Callable[[float], None], given: Given) -> int:
    """Put one report up; its exit code. The other portals have comments of their own."""
    try:
        line = terminal(_line(report, publish(forge, report, wait)), PROSE_LIMIT)
    except ForgeError as error:
        return output.show_error(error, given, f"{report.about}: ")
    output.result(line, brief=line)
    return ExitCode.DONE


def _readable(files: Sequence[Path], given: Given) -> tuple[list[Plan], list[int]]:
    """The plans, and the exit codes of those that cannot be read: the others are shown."""
    plans, codes = [], []
    for path in files:
        try:
            plans.append(read_plan_file(path))
        except ReconcilerError as error:
            codes.append(output.show_error(error, given))
    return plans, codes


def _check_usage(plan_files: Sequence[Path], with_failed: Sequence[object]) -> None:
    if any(with_failed):
        raise UsageProblem("--reason, --planned and --portal go with --failed")
    if not plan_files:
        raise UsageProblem("no plan to comment on", hint="name the files that `plan --out` saved")


def _check_keys(keys: Sequence[Key]) -> None:
    for key, count in Counter(keys).most_common(1):
        if count > 1:
            raise UsageProblem(
                f"{count} of the plans are for portal {key.portal}, which has one comment",
                hint="give one plan per workspace and portal",
            )


# ---------------------------------------------------------------- a plan


def _key(plan: Plan) -> Key:
    return Key(plan.workspace, plan.portal.name)


def _earlier(plans: Sequence[Plan], files: Sequence[Path]) -> Earlier:
    return Earlier.of(plans, {path: [read_plan_file(path)] for path in files})


def _report(plan: Plan, before: Earlier) -> Report:
    links = links_for(plan.git, os.environ, Path.cwd())
    says_nothing = not plan.changes and not plan.refusals
    key = _key(plan)
    about = _named(key, f"{plan.portal.name} (portal {plan.portal.portal_id})")
    run = current_run(os.environ, Path.cwd(), plan)

    def writing(fields: Fields) -> Text:
        pushes = _pushes(fields).now_at(run.commit, plan.digest)
        pushes = pushes.with_plan(plan.digest, Outline.of(plan))
        kept, words = _kept(pushes), before.markdown(plan) or since_push(pushes)
        room = _room(kept)
        return Text(plan_markdown(plan, links=links, limit=room, since=words), kept)

    return Report(key, about, plan.digest, writing, says_nothing=says_nothing, run=run)


def _pushes(fields: Fields) -> Pushes:
    return read_pushes(fields.get("push", ""), Run.of(fields).commit, fields.get("planned", ""))


def _kept(pushes: Pushes) -> Fields:
    return {"push": str(pushes.push), "planned": write_planned(pushes.planned)}


def _room(kept: Fields) -> int:
    """What is left to the report, were the names in the first line as long as they may be."""
    return LIMIT - sum(map(len, kept.values())) - LONGEST_FIRST_LINE


# ---------------------------------------------------------------- no plan


def _planless(names: Sequence[str], made: Sequence[Plan], given: Given) -> list[Key]:
    """The portals that were to be planned and have no plan, or the workspace if it is invalid."""
    workspace = workspace_name(workspace_file(given))
    try:
        portals = choose_portals(open_workspace(given), names, every=not names, shard=None)
    except (ReconcilerError, click.UsageError):
        keys = [Key(workspace, name) for name in names] or [Key(workspace, None)]
    else:
        keys = [Key(workspace, each.name) for each in portals]
    planned = {_key(plan) for plan in made}
    return [key for key in keys if key not in planned]


def _failures(keys: Sequence[Key], reason: str) -> list[Report]:
    _know_secrets()
    page, run = job_page(os.environ), current_run(os.environ, Path.cwd())

    def report(key: Key) -> Report:
        def writing(fields: Fields) -> Text:
            kept = _kept(_pushes(fields).now_at(run.commit, None))
            room = _room(kept)
            words = failure_markdown(
                key.portal, key.workspace, reason=reason, log=page, commit=run.commit, limit=room
            )
            return Text(words, kept)

        return Report(key, _named(key, key.portal or "the workspace"), None, writing, run=run)

    return [report(key) for key in keys]


def _commented(forge: Forge) -> Iterator[Key]:
    """The portals that have a comment."""
    for key in dict.fromkeys(each.key for each in forge.own_comments()):
        if key is not None and key.portal is not None:
            yield key


def _in_place_of_the_workspace(
    forge: Forge, reports: Sequence[Report], why: str
) -> Iterator[Report]:
    """The reports. Where a workspace cannot be read, its portals that have a comment say so there."""
    keys = [report.key for report in reports]
    for report in reports:
        others = []
        if report.key.portal is None:
            found = [key for key in _commented(forge) if key not in keys]
            others = [key for key in found if key.workspace == report.key.workspace]
        yield from _failures(others, why) if others else [report]


def _is_gone(key: Key, reported: Sequence[Key], given: Given) -> bool:
    """Whether this checkout, which has the workspace that was reported, lacks the portal."""
    top, workspace = find_top(Path.cwd()), workspace_name(workspace_file(given))
    if key in reported or top is None or workspace not in {each.workspace for each in reported}:
        return False
    if key.workspace is None:
        return workspace == USUAL_WORKSPACE
    if key.workspace != workspace:
        return not os.path.lexists(top / key.workspace)
    try:
        return key.portal not in {each.name for each in open_workspace(given).portals}
    except (ReconcilerError, click.UsageError):
        return False


def _removal(key: Key) -> Report:
    words = Text(removed_markdown(key.portal, key.workspace))
    run = current_run(os.environ, Path.cwd())
    return Report(key, _named(key, f"{key.portal}"), None, lambda _: words, run=run)


def _read_reason(path: Path | None) -> str:
    """The beginning of what a failed command wrote."""
    if path is None:
        return ""
    try:
        with click.open_file(str(path), "rb") as file:
            return _words_of(str(file.read(LONGEST_REASON), "utf-8", "replace"))
    except OSError as error:
        raise ReconcilerError(f"cannot read {path}: {error.strerror}") from error


def _words_of(log: str) -> str:
    """What a log says to people: not how far the portals are, and nothing twice.

    A plan in a workflow writes annotations beside the same words as text. Where there is no text
    the annotations are the words.
    """
    lines = [line for line in log.splitlines() if not _PROGRESS.match(line)]
    others = [line for line in lines if not _ANNOTATION.match(line)]
    return "\n".join(others if any(map(_DIAGNOSTIC.search, others)) else lines)


def _know_secrets() -> None:
    """Mask what this job keeps secret: the words of the failed command come from another process."""
    for name, value in os.environ.items():
        if _SECRET.search(name):
            know(value.strip())


def _line(report: Report, published: Published) -> str:
    if published.action is Action.NOT_NEEDED:
        what = "no plan" if report.digest is None else "no changes"
        return f"{report.about}: {what}, and no comment to update"
    if published.action is Action.OUTDATED:
        what = f"{report.about}: nothing written, a newer run has commented on a newer commit"
        return f"{what}: {published.url}"
    return f"{report.about}: comment {published.action}: {published.url}"


def _named(key: Key, name: str) -> str:
    return name if key.workspace is None else f"{name} in {key.workspace}"
