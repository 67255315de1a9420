"""What is read elsewhere: diagnostics for forges and machines, and paths as the repository has them.

What a terminal shows stays relative to the folder that its user is in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler import __version__
from reconciler.cli import output
from reconciler.cli.files import check_output, remove_older, write_file
from reconciler.errors import Diagnostic, ExitCode, ReconcilerError, UsageProblem
from reconciler.git.paths import path_in_checkout, path_in_repository
from reconciler.git.repository import find_top
from reconciler.report.terminal import Style

if TYPE_CHECKING:
    from reconciler.model.plan import Change, Plan, Refusal, Result
    from reconciler.report.diagnostics import SourceLines

MOST_KEPT = 10
"""Annotations of one severity that GitHub keeps of a step (documented); more are in its log only."""


def github_annotations(found: Iterable[Diagnostic], lines: SourceLines) -> str:
    """Diagnostics as commands to GitHub's runner."""
    from reconciler.report.diagnostics import diagnostics_github  # only diagnostics need it

    return diagnostics_github(tuple(found), lines=lines, path=cache(_for_a_forge))


def sarif_log(found: Iterable[Diagnostic], lines: SourceLines) -> str:
    """Diagnostics as a SARIF log."""
    from reconciler.report.diagnostics import diagnostics_sarif  # only diagnostics need it

    return diagnostics_sarif(
        tuple(found),
        lines=lines,
        path=cache(_for_a_forge),
        tool_version=__version__,
    )


def _for_a_forge(path: str) -> str:
    """From the top of the checkout; a path outside of any is absolute, unless it is below here."""
    inside = path_in_checkout(path)
    if inside is not None:
        return inside
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - keeps links
    here = Path.cwd()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else absolute).as_posix()


_DOCUMENTS = ("json", "sarif")


class Findings:
    """`--diagnostics`: those of one command, each once though several portals have the same files.

    Labels and object types can only be checked against a portal, so a plan in a pull request reports
    them as `validate` reports the rest. Results stay on stdout, diagnostics on stderr or in a file.
    """

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
        self.file = file
        self._found: dict[Diagnostic, None] = {}
        self._lock = Lock()

    @property
    def is_document(self) -> bool:
        """Whether stderr ends with a document, which says all that a text would."""
        return self.file is None and self._format in _DOCUMENTS

    def take(self, diagnostics: Iterable[Diagnostic]) -> tuple[str, bool]:
        """Keep diagnostics; the annotations to write at once, and whether to write text."""
        with self._lock:
            fresh = tuple(each for each in dict.fromkeys(diagnostics) if each not in self._found)
            self._found |= dict.fromkeys(fresh)
            count = len(self._found)
        if self.file is not None or self._format == "text":
            return "", True
        if self._format in _DOCUMENTS:
            return "", False
        return _rendered("github", fresh), self._format == "both" or count > MOST_KEPT

    def close(self, code: int) -> None:
        """Write the document, unless the command ended before it could find anything.

        An empty one would say that all is well: code scanning then closes its alerts.
        """
        ended_early = code in {ExitCode.ERROR, ExitCode.USAGE} and not self._found
        if ended_early or not (self.file is not None or self.is_document):
            return
        text = _rendered(self._format, tuple(self._found))
        if self.file is None:
            click.echo(text, err=True)
            return
        try:
            write_file("--diagnostics-file", self.file, f"{text}\n" if text else "")
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


# ---------------------------------------------------------------- plans and results


def plan_from_top(plan: Plan, path: Callable[[str], str]) -> Plan:
    """The document of a plan: its files are named from the top of the repository that has them.

    `path` does what `path_from_top` does. Plans of several portals have the same files: give all of
    them the same `cache(path_from_top)`.
    """
    return _with_paths(plan, path)


def plan_from_here(plan: Plan) -> Plan:
    """A plan with its files as they are seen from here, where the repository of this folder has them."""
    top, here = find_top(Path.cwd()), os.path.realpath(Path.cwd())
    if top is None or here == str(top):
        return plan
    if not any(os.path.exists(top / each.path) for each in plan.files):  # noqa: PTH110 - any text
        return plan
    return _with_paths(plan, cache(lambda path: Path(os.path.relpath(top / path, here)).as_posix()))


def result_document(result: Result) -> str:
    """The document of a result, its files named as those of a plan's document."""
    from reconciler.applying.result_file import result_json  # not for a plan

    path = cache(path_from_top)
    changes = (replace(each, change=_moved(each.change, path)) for each in result.changes)
    return result_json(replace(result, changes=tuple(changes)))


def path_from_top(path: str) -> str:
    """A path that is not here is not taken from here: a plan of another repository has its own."""
    inside = path_in_repository(path) if os.path.lexists(path) else None
    return path if inside is None else inside


Sourced = TypeVar("Sourced", "Change", "Refusal")


def _moved(each: Sourced, path: Callable[[str], str]) -> Sourced:
    source = each.source
    return each if source is None else replace(each, source=replace(source, path=path(source.path)))


def _with_paths(plan: Plan, path: Callable[[str], str]) -> Plan:
    return replace(
        plan,
        files=tuple(replace(each, path=path(each.path)) for each in plan.files),
        changes=tuple(_moved(each, path) for each in plan.changes),
        refusals=tuple(_moved(each, path) for each in plan.refusals),
    )
