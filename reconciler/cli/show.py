"""`reconciler show`: render saved plans, or the results of an apply, and what changed since."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.answers import json_array
from reconciler.cli.from_top import plan_from_here
from reconciler.cli.options import complete_plans, complete_shown, given_options
from reconciler.cli.saved import located, read_documents
from reconciler.errors import UsageProblem
from reconciler.model.plan import Plan, canonical_json
from reconciler.outgoing import harmless_json
from reconciler.planning.documents import Document, Kind
from reconciler.planning.plan_file import plan_json
from reconciler.report.escape import terminal
from reconciler.report.terminal import wrapped
from reconciler.report.view import Unplanned

if TYPE_CHECKING:
    from reconciler.cli.since import Earlier

FILE = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)


@click.command("show")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_shown, type=FILE
)
@click.option(
    "--format", "format_", type=click.Choice(output.PLAN_FORMATS), default="text", show_default=True
)
@click.option(
    "--since",
    "earlier",
    multiple=True,
    metavar="OLD.json",
    shell_complete=complete_plans,
    type=FILE,
    help="Say what changed from an earlier plan of the same portal; repeatable.",
)
def command(files: tuple[Path, ...], format_: str, earlier: tuple[Path, ...]) -> int:
    """Render saved plans, or put together the results of an apply.

    A FILE holds plans that `plan` saved or printed as JSON, or results that `apply --format json`
    printed, one or many; `-` is standard input. Nothing is read from a portal. The exit code for
    results is the one that `apply` would have had for all portals together.
    """
    given = given_options()
    found = [(path, document) for path in files for document in read_documents(path)]
    kinds = {document.kind: path for path, document in reversed(found)}
    of_plans = not kinds and format_ in ("html", "mermaid")  # nothing is anything
    if not of_plans and kinds.keys() <= {Kind.RESULT, Kind.ERROR}:
        from reconciler.cli.results import read_ended, show_results  # what plans need not import

        if earlier:
            raise UsageProblem("--since is about plans, and these are not")
        return show_results([read_ended(*each) for each in found], format_, given)
    if Kind.RESULT in kinds:
        other = next(path for kind, path in kinds.items() if kind is not Kind.RESULT)
        raise UsageProblem(
            f"{kinds[Kind.RESULT]} holds the result of an apply, {other} does not",
            hint="show plans and results apart",
        )
    shown = [_read(path, document) for path, document in found]
    plans = [each for each in shown if isinstance(each, Plan)]
    _check_portals(plans)
    from reconciler.cli.since import Earlier  # pydantic, not for --help

    before = Earlier.of(plans, {path: _plans(path) for path in earlier})
    match format_:
        case "json":
            texts = [
                _json(each, document, before if earlier else None)
                for each, (_, document) in zip(shown, found, strict=True)
            ]
            is_one = len(files) == 1 and found[0][1].line == 0
            text = texts[0] if is_one else json_array(texts)
        case "text":
            here = [plan_from_here(each) if isinstance(each, Plan) else each for each in shown]
            text = _since_text(plans, before) + output.render_plans(here, format_, given)
        case "markdown":
            text = output.render_plans(shown, format_, given, before.markdown)
        case "mermaid" if earlier:
            raise UsageProblem("mermaid has no room for what changed since: choose another format")
        case _:
            text = output.render_plans(shown, format_, given, before.plain)
    output.result(text)
    return 0


def _read(path: Path, document: Document) -> Plan | Unplanned:
    """A plan, or why a portal has none."""
    with located(path, document):
        if document.kind is Kind.ERROR:
            from reconciler.applying.result_file import read_failure  # seldom among plans

            failure = read_failure(document.content)
            return Unplanned(failure.portal or "(no portal)", failure.error.message)
        from reconciler.planning.saved import plan_of  # pydantic, not for --help

        return plan_of(document.content, document.value)


def _plans(path: Path) -> list[Plan]:
    """The plans of a file; portals without one are left out."""
    read = [_read(path, document) for document in read_documents(path)]
    return [each for each in read if isinstance(each, Plan)]


def _check_portals(plans: Sequence[Plan]) -> None:
    from reconciler.cli.since import key_of

    for (_, name), count in Counter(map(key_of, plans)).most_common(1):
        if count > 1:
            raise UsageProblem(
                f"{count} of the plans are for portal {name}: one document has one plan of each",
                hint="`show NEW.json --since OLD.json` says what changed between two plans",
            )


def _json(shown: Plan | Unplanned, document: Document, before: Earlier | None) -> str:
    """The document as it was; with `--since`, a plan beside what changed."""
    if not isinstance(shown, Plan):
        return harmless_json(canonical_json(document.value))
    if before is None:
        return plan_json(shown)
    since = harmless_json(canonical_json(before.json(shown)))
    return f'{{"plan":{plan_json(shown).strip()},"since":{since}}}\n'


def _since_text(plans: Sequence[Plan], before: Earlier) -> str:
    """What changed, a paragraph for each portal that has an earlier plan, above the plans."""
    found = [(each, words) for each in plans if (words := before.text(each))]
    if len(plans) > 1:
        found = [(each, f"{terminal(each.portal.name)}: {words}") for each, words in found]
    width = output.width_of(sys.stdout)
    lines = [line for _, words in found for line in wrapped(words, "", width)]
    return "".join(f"{line}\n" for line in [*lines, ""]) if lines else ""
