"""`reconciler plan`: show what would change."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.files import check_output, plan_names, remove_older, write_file
from reconciler.cli.from_top import Findings, path_from_top, plan_from_top
from reconciler.cli.options import (
    BASE,
    BASE_URL_TYPED,
    NO_USAGE,
    PATHS,
    SETTLE,
    Given,
    Invocation,
    PortalOptions,
    portal_options,
)
from reconciler.cli.process import stopping_on_signals
from reconciler.config.workspace import PortalSettings
from reconciler.errors import ExitCode, PlanRefused, UsageProblem, plural, worst
from reconciler.forges.marker import Key
from reconciler.http.messages import report_to
from reconciler.model.plan import Plan
from reconciler.planning.plan_file import plan_json
from reconciler.report.view import Unplanned, headline, verdict

if TYPE_CHECKING:
    from reconciler.applying.events import Event
    from reconciler.cli.session import Session


def _take_diagnostics(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    """Have something take the diagnostics, where they are to be more than text on stderr."""
    file = ctx.params.pop("diagnostics_file")
    if value is None and file is None and os.environ.get("GITHUB_ACTIONS") != "true":
        return
    invocation = ctx.ensure_object(Invocation)
    invocation.given = replace(invocation.given, findings=Findings(value, file))


_DIAGNOSTICS = click.option(
    "--diagnostics",
    type=click.Choice(["text", "github", "json", "sarif"]),
    expose_value=False,
    callback=_take_diagnostics,
    help="How diagnostics are written to stderr.  "
    "[default: text, and annotations too in a GitHub workflow]",
)

_DIAGNOSTICS_FILE = click.option(
    "--diagnostics-file",
    metavar="FILE",
    is_eager=True,  # known before --diagnostics
    help="With --diagnostics: where they are written instead; stderr has the text.",
)


@click.command("plan")
@PATHS
@BASE
@click.option(
    "--out",
    metavar="FILE|DIR",
    help="Save the plan; those of several portals in a folder, as DIR/PORTAL.json.",
)
@click.option(
    "--format", "format_", type=click.Choice(output.PLAN_FORMATS), default="text", show_default=True
)
@click.option(
    "--digests",
    metavar="FILE",
    help="Save a line `PORTAL sha256:…` per portal, if all of them could be planned; it ends "
    "in the workspace file's path where that is not reconciler.yaml at the top.",
)
@SETTLE
@NO_USAGE
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when changes are pending.")
@_DIAGNOSTICS
@_DIAGNOSTICS_FILE
@portal_options
def command(
    options: PortalOptions,
    paths: tuple[Path, ...],
    base: str | None,
    out: str | None,
    format_: str,
    digests: str | None,
    settle: float,
    no_usage: bool,  # noqa: FBT001 - click passes flags by name
    detailed_exitcode: bool,  # noqa: FBT001 - click passes flags by name
) -> int:
    """Compare the pair files below PATHS with the portal and show what would change.

    Nothing is written to the portal. Without PATHS: the workspace's configs folder. Exits 4, after
    showing and saving the plan, when `apply` would refuse it.
    """
    from reconciler.cli.progress import reporting
    from reconciler.cli.session import Session  # httpx and pydantic, not for --help

    session = Session.start(options)
    portals = session.portals()
    saved = (
        {}
        if out is None
        else plan_names(out, [each.name for each in portals], several=options.asks_for_several)
    )
    findings = options.given.findings
    reported = None if findings is None else findings.file
    if digests is not None or reported is not None:
        _check_names(saved.values(), digests, reported)
    planned = None if digests is None else Digests(digests)
    files = session.files(portals, paths, base)
    from_top = partial(plan_from_top, path=cache(path_from_top))

    def work(settings: PortalSettings, events: Callable[[Event], None]) -> Plan:
        with session.connected(settings, report_to(events)) as portal:
            plan = session.plan(
                settings, portal, files.of(settings), settle, asks_usage=not no_usage
            )
        if (name := saved.get(settings.name)) is not None:
            write_file("--out", name, plan_json(from_top(plan)))
        return plan

    def judge(plan: Plan) -> ExitCode:
        if planned is not None:
            planned.add(plan)
        if plan.refusals:
            output.show_error(_would_be_refused(plan), options.given)
            return ExitCode.REFUSED
        pending = detailed_exitcode and bool(plan.changes)
        return ExitCode.PENDING if pending else ExitCode.DONE

    if options.asks_for_several:
        code = _plan_several(session, portals, work, judge, format_, from_top, saved)
        _note_saved(saved.values(), out, options.given)
    else:
        (settings,) = portals
        with (
            stopping_on_signals(session.stop),
            reporting(settings.name, options.given) as progress,
        ):
            plan = work(settings, progress)
        shown = plan if format_ == "text" else from_top(plan)
        text = output.render_plan(shown, format_, options.given)
        output.result(text, brief=headline(plan))
        if (name := saved.get(settings.name)) is not None:
            output.note(_saved(name, plan, options), options.given)
        code = judge(plan)
    if planned is not None:
        planned.save(len(portals))
    return int(code)


def _plan_several(
    session: Session,
    portals: Sequence[PortalSettings],
    work: Callable[[PortalSettings, Callable[[Event], None]], Plan],
    judge: Callable[[Plan], ExitCode],
    format_: str,
    from_top: Callable[[Plan], Plan],
    saved: Mapping[str, str],
) -> ExitCode:
    """Plan the portals side by side, and report them in one document."""
    from reconciler.cli.session import owned_by_another
    from reconciler.cli.side_by_side import (  # not for one
        Done,
        Ended,
        Failed,
        answers_of,
        report,
        spread_out,
    )

    as_json = format_ == "json"

    def write(plan: Plan) -> ExitCode:
        if as_json:
            output.result(output.render_plan(from_top(plan), format_, session.given))
        return judge(plan)

    def owned(ended: Ended[Plan]) -> Ended[Plan]:
        """Processes do not know of each other which accounts they have seen."""
        if not isinstance(ended, Done):
            return ended
        portal_id, name = ended.value.portal.portal_id, ended.portal.name
        owner = session.owners.setdefault(portal_id, name)
        if owner == name:
            return ended
        if name in saved:
            remove_older("--out", saved[name])
        return Failed(ended.portal, owned_by_another(portal_id, owner))

    ended = [owned(each) for each in spread_out(session, portals, work, verdict)]
    with answers_of(portals, as_array=as_json) as answers:
        ends = report(ended, session.given, answers, write, verdict)
    if not as_json:
        plans = [
            (each.value if format_ == "text" else from_top(each.value))
            if isinstance(each, Done)
            else Unplanned(each.portal.name, each.error.message)
            for each in ended
        ]
        text = output.render_plans(plans, format_, session.given)
        output.result(text, brief=text.rpartition("\n")[2] if format_ == "text" else "")
    return worst(each.exit_code for each in ends)


def _note_saved(names: Iterable[str], out: str | None, given: Given) -> None:
    """How many plans were saved: those of portals that could be planned."""
    if count := sum(Path(each).exists() for each in names):
        output.note(f"Saved {plural(count, 'plan')} to {out}.", given)


def _saved(name: str, plan: Plan, options: PortalOptions) -> str:
    """What was saved, and the command that applies it, where there is anything to apply."""
    saved = f"Saved the plan to {name}."
    if plan.refusals or not plan.changes or not Path(name).is_file():
        return saved
    typed = ["reconciler", "apply", name if not name.startswith("-") else f"./{name}"]
    if options.given.workspace is not None:
        typed += ["--workspace", options.given.workspace]
    if options.base_url_source == BASE_URL_TYPED:
        typed += ["--base-url", options.base_url]
    for variable in options.allowed.variables:
        typed += ["--allow-token-env", variable]
    for file in options.allowed.files:
        typed += ["--token-file", str(file)]
    return f"{saved} Next: {shlex.join(typed)}"


def _would_be_refused(plan: Plan) -> PlanRefused:
    codes = ", ".join(sorted({each.code for each in plan.refusals}))
    return PlanRefused(f"apply would refuse the plan of portal {plan.portal.name}: {codes}")


def _check_names(plans: Iterable[str], digests: str | None, diagnostics: str | None) -> None:
    """Raise UsageProblem where two options name one file: one would replace what the other wrote."""
    options = {os.path.realpath(each): "--out" for each in plans}
    for option, name in (("--digests", digests), ("--diagnostics-file", diagnostics)):
        other = option if name is None else options.setdefault(os.path.realpath(name), option)
        if other != option:
            raise UsageProblem(f"{other} and {option} name the same file")


class Digests:
    """The file of `--digests`: which plan each portal has, a line each.

    It exists only if every portal was planned, so that a pipeline can take it for complete.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: list[str] = []
        check_output("--digests", name)
        remove_older("--digests", name)

    def add(self, plan: Plan) -> None:
        """Note the plan of one portal."""
        key = Key(plan.workspace, plan.portal.name)
        self._lines.append(f"{key.digest_line(plan.digest)}\n")

    def save(self, portals: int) -> None:
        """Write the file, if as many plans were noted as there are portals."""
        if len(self._lines) == portals:
            write_file("--digests", self._name, "".join(self._lines))
