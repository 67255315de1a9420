"""`--diagnostics`: what a plan finds wrong with the files, as text, annotations, JSON or SARIF.

Labels and object types can only be checked against a portal, so a plan in a pull request reports
them as `validate` reports the rest. Results stay on stdout, diagnostics on stderr or in a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.files import check_output, remove_older, write_file
from reconciler.cli.from_top import MOST_KEPT, github_annotations, sarif_log
from reconciler.errors import ExitCode, ReconcilerError, UsageProblem
from reconciler.report.terminal import Style

if TYPE_CHECKING:
    from reconciler.errors import Diagnostic

_DOCUMENTS = ("json", "sarif")


class Findings:
    """The diagnostics of one command, each once though several portals have the same files."""

    def __init__(self, format_: str | None, file: str | None) -> None:
        """Take the format, None for text and annotations both, and the file to write to.

        Raises UsageProblem or ReconcilerError for a file that cannot be written.
        """
        if file is not None:
            if format_ is None:
                raise UsageProblem("--diagnostics-file goes with --diagnostics")
            check_output("--diagnostics-file", file)
            remove_older("--diagnostics-file", file)
        self._format = format_ or "both"
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
