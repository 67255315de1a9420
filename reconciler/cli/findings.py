"""`--diagnostics`: what a plan finds wrong with the files, as text, annotations, JSON or SARIF.

Labels and object types can only be checked against a portal, so a plan in a pull request reports
them as `validate` reports the rest. Results stay on stdout, diagnostics on stderr or in a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.cli import output
from reconciler.cli.files import check_output, remove_older, write_file
from reconciler.cli.from_top import MOST_KEPT, github_annotations, sarif_log
from reconciler.cli.options import Invocation
from reconciler.errors import ExitCode, ReconcilerError, UsageProblem
from reconciler.report.terminal import Style

if TYPE_CHECKING:
    from reconciler.errors import Diagnostic

Return = TypeVar("Return")

FORMATS = ("text", "github", "json", "sarif")
_DOCUMENTS = ("json", "sarif")


def diagnostics_options(function: Callable[..., Return]) -> Callable[..., Return]:
    """Add `--diagnostics` and `--diagnostics-file`; above the options that read the global ones."""

    @click.option(
        "--diagnostics",
        "format_of_diagnostics",
        type=click.Choice(FORMATS),
        help="How diagnostics are written to stderr.  "
        "[default: text, and annotations too in a GitHub workflow]",
    )
    @click.option(
        "--diagnostics-file",
        metavar="FILE",
        help="With --diagnostics: where they are written instead; stderr has the text.",
    )
    @wraps(function)
    def with_findings(
        *, format_of_diagnostics: str | None, diagnostics_file: str | None, **others: object
    ) -> Return:
        invocation = click.get_current_context().ensure_object(Invocation)
        findings = Findings(format_of_diagnostics, diagnostics_file)
        invocation.given = replace(invocation.given, findings=findings)
        return function(**others)

    return with_findings


class Findings:
    """The diagnostics of one command, each once though several portals have the same files."""

    def __init__(self, format_: str | None, file: str | None) -> None:
        """Raise UsageProblem or ReconcilerError for a file that cannot be written."""
        if file is not None:
            if format_ is None:
                raise UsageProblem("--diagnostics-file goes with --diagnostics")
            check_output("--diagnostics-file", file)
            remove_older("--diagnostics-file", file)
        in_workflow = os.environ.get("GITHUB_ACTIONS") == "true"
        self._format = format_ or ("text" if not in_workflow else "both")
        self._file = file
        self._found: dict[Diagnostic, None] = {}
        self._lock = Lock()

    @property
    def is_document(self) -> bool:
        """Whether stderr ends with a document, which says all that a text would."""
        return self._file is None and self._format in _DOCUMENTS

    def take(self, diagnostics: Iterable[Diagnostic]) -> tuple[str, bool]:
        """Keep diagnostics; the annotations to write at once, and whether to write text."""
        with self._lock:
            fresh = tuple(each for each in dict.fromkeys(diagnostics) if each not in self._found)
            self._found |= dict.fromkeys(fresh)
            count = len(self._found)
        if self._file is not None or self._format == "text":
            return "", True
        if self._format in _DOCUMENTS:
            return "", False
        return _rendered("github", fresh), self._format == "both" or count > MOST_KEPT

    def close(self, code: int) -> None:
        """Write the document, unless the command ended before it could find anything.

        An empty one would say that all is well: code scanning then closes its alerts.
        """
        ended_early = code in {ExitCode.ERROR, ExitCode.USAGE} and not self._found
        if ended_early or not (self._file is not None or self.is_document):
            return
        text = _rendered(self._format, tuple(self._found))
        if self._file is None:
            click.echo(text, err=True)
            return
        try:
            write_file("--diagnostics-file", self._file, f"{text}\n" if text else "")
        except ReconcilerError as error:  # the outcome of the plan is what decides the exit code
            click.echo(f"error: {error.message}", err=True)


def _rendered(format_: str, found: Sequence[Diagnostic]) -> str:
    from reconciler.report.diagnostics import (  # only diagnostics need it
        diagnostics_json,
        diagnostics_text,
    )

    lines = output.source_lines()
    match format_:
        case "json":
            return diagnostics_json(found)
        case "sarif":
            return sarif_log(found, lines)
        case "github":
            return github_annotations(found, lines) if found else ""
        case _:
            return diagnostics_text(found, style=Style(ansi_codes=False), lines=lines)
