"""`reconciler show`: render saved plans, or the results of an apply, and what changed since."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.files import located, read_documents
from reconciler.cli.from_top import plan_from_here
from reconciler.cli.options import complete_plans, given_options
from reconciler.errors import UsageProblem
from reconciler.model.plan import Plan
from reconciler.planning.documents import Document, Kind
from reconciler.planning.saved import read_plan

FILE = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)


@click.command("show")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_plans, type=FILE
)
@click.option(
    "--format", "format_", type=click.Choice(output.PLAN_FORMATS), default="text", show_default=True
)
def command(files: tuple[Path, ...], format_: str) -> int:
    """Render saved plans, or put together the results of an apply.

    A FILE holds plans that `plan` saved or printed as JSON, or results that `apply --format json`
    printed, one or many; `-` is standard input. Nothing is read from a portal. The exit code for
    results is the one that `apply` would have had for all portals together.
    """
    given = given_options()
    found = [(path, document) for path in files for document in read_documents(path)]
    kinds = {document.kind: path for path, document in reversed(found)}
    if not kinds or kinds.keys() <= {Kind.RESULT, Kind.ERROR}:
        from reconciler.cli.results import read_ended, show_results  # what plans need not import

        return show_results([read_ended(*each) for each in found], format_, given)
    if Kind.RESULT in kinds:
        other = next(path for kind, path in kinds.items() if kind is not Kind.RESULT)
        raise UsageProblem(
            f"{kinds[Kind.RESULT]} holds the result of an apply, {other} does not",
            hint="show plans and results apart",
        )
    plan, *others = [_plan(path, document) for path, document in found]
    if others:
        raise UsageProblem("one plan at a time", hint="results may be several")
    shown = plan_from_here(plan) if format_ == "text" else plan
    output.result(output.render_plan(shown, format_, given))
    return 0


def _plan(path: Path, document: Document) -> Plan:
    with located(path, document):
        return read_plan(document.content)
