"""Result documents of several applies, as those of shards, put together as if one had made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.applying.result_file import read_failure, read_result
from reconciler.cli import output
from reconciler.cli.application import EXIT_CODES
from reconciler.cli.options import Given
from reconciler.cli.saved import located
from reconciler.errors import ExitCode, UsageProblem, worst, worst_of_applies
from reconciler.model.plan import Outcome, canonical_json
from reconciler.outgoing import harmless_json
from reconciler.planning.documents import Document, Kind
from reconciler.report.results import (
    Ended,
    by_outcome,
    changes_by_status,
    results_markdown,
    results_text,
)

FORMATS = ("text", "markdown", "json")


@dataclass(frozen=True, slots=True)
class Found:
    """A result or an error document, and the file it is from."""

    path: Path
    document: Document
    ended: Ended


def read_ended(path: Path, document: Document) -> Found:
    """How one portal's apply ended; raises PlanRefused where the document does not say it."""
    with located(path, document):
        if document.kind is Kind.RESULT:
            result = read_result(document.content)
            portal = None if result.portal is None else result.portal.name
            return Found(path, document, Ended(portal, EXIT_CODES[result.outcome], result))
        failure = read_failure(document.content)
    error = failure.error
    return Found(path, document, Ended(failure.portal, error.exit_code, None, error.message))


def show_results(found: Sequence[Found], format_: str, given: Given) -> int:
    """Write one summary of all portals; the exit code is that of an apply to all of them."""
    if format_ not in FORMATS:
        raise UsageProblem(
            f"results are not shown as {format_}", hint=f"--format {' or '.join(FORMATS)}"
        )
    ended = [each.ended for each in found]
    applied = any(each.outcome is Outcome.APPLIED for each in ended)
    code = worst_of_applies((each.code for each in ended), is_written=applied)
    twice = list(_twice(found))
    if twice:
        code = worst([code, ExitCode.USAGE])
    match format_:
        case "json":
            text = _json(found, code)
        case "markdown":
            text = results_markdown(ended)
        case _:
            text = results_text(ended, style=output.style(given))
    output.result(text)
    for problem in twice:
        output.show_error(problem, given)
    return int(code)


def _twice(found: Sequence[Found]) -> Iterable[UsageProblem]:
    """Portals of which there is more than one result, as where shards overlap."""
    names = Counter(each.ended.portal for each in found if each.ended.portal is not None)
    for name, count in names.items():
        if count > 1:
            files = dict.fromkeys(str(each.path) for each in found if each.ended.portal == name)
            yield UsageProblem(
                f"{count} of the results are of portal {name}: {', '.join(files)}",
                hint="give each shard's result once; shards of one N do not overlap",
            )


def _json(found: Sequence[Found], code: ExitCode) -> str:
    ended = [each.ended for each in found]
    times = [each.result for each in ended if each.result is not None]
    document = {
        "format_version": "1.0",
        "exit_code": code,
        "summary": {
            "portals": len(ended),
            "outcomes": by_outcome(ended),
            "changes": changes_by_status(ended),
            "requests": sum(each.requests for each in times),
            "started_at": min((each.started_at for each in times), default=None),
            "finished_at": max((each.finished_at for each in times), default=None),
        },
        "results": [each.document.value for each in found],
    }
    return harmless_json(canonical_json(document)) + "\n"
