"""What a command writes: results, plans, notes, errors, and diagnostics with their source lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

import click

from reconciler.cli.options import Given, asks_for_json, format_asked
from reconciler.cli.process import Outlet
from reconciler.config.sources import read_source
from reconciler.errors import (
    ConfigurationInvalid,
    Diagnostic,
    ExitCode,
    Located,
    PlanRefused,
    ReconcilerError,
    Severity,
)
from reconciler.planning.plan_file import plan_json
from reconciler.report.escape import PROSE_LIMIT, terminal
from reconciler.report.terminal import Mark, Style

if TYPE_CHECKING:
    from reconciler.forges.job import Links
    from reconciler.model.plan import Plan
    from reconciler.report.view import Unplanned

_LONGEST_PREFIX = 100_000
"""Characters in front of an error: the names of all portals that have it."""

PLAN_FORMATS = ("text", "markdown", "json", "html", "mermaid")


def style(given: Given, stream: TextIO | None = None) -> Style:
    """Colour for a terminal, none elsewhere, unless `--color` or the environment says otherwise.

    `--color` counts more than NO_COLOR (https://no-color.org), and that more than FORCE_COLOR
    (https://force-color.org), of which 0 and false mean none, as Node's tools have it.
    """
    match given.color:
        case "always":
            wanted = True
        case "never":
            wanted = False
        case _ if os.environ.get("NO_COLOR"):
            wanted = False
        case _ if forced := os.environ.get("FORCE_COLOR"):
            wanted = forced.casefold() not in ("0", "false")
        case _:
            wanted = (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"
    return Style(ansi_codes=wanted)


def width_of(stream: TextIO) -> int | None:
    """The cells of a terminal's lines; None for files and pipes, which nobody wraps for."""
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or None
    return None


def note(message: str, given: Given) -> None:
    """Say something about the run on stderr, unless `-q` was given; strangers' words are escaped."""
    if given.verbosity >= 0:
        click.echo(terminal(message, PROSE_LIMIT), err=True)


class Turn(Protocol):
    """One portal's results where several portals answer: `answers.Answers` has their order."""

    @property
    def answered(self) -> bool:
        """Whether a result was given."""

    def take(self, text: str, brief: str) -> bool:
        """Write a result or keep it; whether it is written."""


TURN: ContextVar[Turn | None] = ContextVar("turn", default=None)
"""Whose results are written, in each thread; None: there is one portal, or none."""


def result(text: str, *, brief: str = "", is_document: bool = False) -> bool:
    """Write a result to stdout, ended by one newline; its colour was decided by `style`.

    A document, which any `--format` but text is, is UTF-8 whatever the stream's encoding is.

    What stdout does not take goes to stderr. Where a reader went away, it had seen enough: then
    only `brief` does. Where several portals answer, it is kept until it is this one's turn, see
    `answers`. Returns whether the text is written somewhere, to its last byte.
    """
    text = text.rstrip("\n")
    if (turn := TURN.get()) is not None:
        return turn.take(text, brief)
    out, err = sys.stdout, sys.stderr
    if not isinstance(out, Outlet):
        click.echo(text, color=True)
        return True
    line: str | bytes = f"{text}\n"
    if out.encoding != "utf-8" and (
        is_document or format_asked(sys.argv[1:]) not in (None, "text")
    ):
        line = f"{text}\n".encode("utf-8", "backslashreplace")
    out.write(line)
    out.answered = True
    if out.problem is None:
        return True
    instead = brief if out.reader_left else text
    if not out.reader_left:
        click.echo(f"error: cannot write to standard output: {out.problem.strerror}", err=True)
    if instead:
        click.echo(instead, err=True, color=True)
    return instead == text and isinstance(err, Outlet) and err.problem is None


def is_answered() -> bool:
    """Whether a result was written, for this portal where there are several."""
    turn = TURN.get()
    if turn is not None:
        return turn.answered
    return isinstance(sys.stdout, Outlet) and sys.stdout.answered


# ---------------------------------------------------------------- diagnostics


def show_diagnostics(diagnostics: Iterable[Diagnostic], given: Given) -> None:
    """Write diagnostics with their source lines to stderr, and a blank line after them.

    With `-q` warnings are left out. `--diagnostics` may ask for another format.
    """
    found = tuple(
        each for each in diagnostics if given.verbosity >= 0 or each.severity is Severity.ERROR
    )
    if not found:
        return
    from reconciler.report.diagnostics import diagnostics_text  # only diagnostics need it

    annotations, as_text = ("", True) if given.findings is None else given.findings.take(found)
    if as_text:
        look, width = style(given, sys.stderr), width_of(sys.stderr)
        text = diagnostics_text(found, lines=source_lines(), style=look, width=width)
        errors = (each.code for each in found if each.severity is Severity.ERROR)
        if isinstance(sys.stderr, Outlet) and sys.stderr.code is None:
            sys.stderr.code = next(errors, None)
        click.echo(f"{text}\n", err=True, color=True)
    if annotations:
        click.echo(annotations, err=True)


def source_lines() -> Callable[[Located], str | None]:
    """Finds the line a diagnostic is about, or None where the file cannot be read any more.

    Each file is read once. What was refused unread, a link out of the repository, is not read
    here either.
    """
    files: dict[str, tuple[str, ...]] = {}

    def line_at(place: Located) -> str | None:
        if place.path not in files:
            files[place.path] = _lines(Path(place.path))
        lines = files[place.path]
        return lines[place.line - 1] if 0 < place.line <= len(lines) else None

    return line_at


def _lines(path: Path) -> tuple[str, ...]:
    source = read_source(path)
    if isinstance(source, Diagnostic):
        return ()
    text = source.content.decode("utf-8", "replace")
    return tuple(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"))


# ---------------------------------------------------------------- a plan


def render_plan(plan: Plan, format_: str, given: Given) -> str:
    """The plan in one of the formats; files are linked where their host is known."""
    match format_:
        case "json":
            return plan_json(plan)
        case "markdown":
            from reconciler.report.markdown import plan_markdown

            return plan_markdown(plan, links=_links()(plan))
        case "html":
            from reconciler.report.html import plan_html

            return plan_html(plan, links=_links()(plan))
        case "mermaid":
            from reconciler.report.mermaid import plan_mermaid

            return plan_mermaid(plan)
        case _:
            from reconciler.report.text import plan_text

            width = width_of(sys.stdout) if sys.stdout.isatty() else None
            return plan_text(plan, style=style(given), width=width)


def render_plans(
    plans: Sequence[Plan | Unplanned],
    format_: str,
    given: Given,
    since: Callable[[Plan], str] = lambda _plan: "",
) -> str:
    """The plans of several portals as one document, with a table of all of them.

    `since` says what differs from an earlier plan, made harmless for markdown; text does without.
    """
    match format_:
        case "markdown":
            from reconciler.report.markdown import plans_markdown

            return plans_markdown(plans, links=_links(), since=since)
        case "html":
            from reconciler.report.html import plans_html

            return plans_html(plans, links=_links(), since=since)
        case "mermaid":
            from reconciler.report.mermaid import plans_mermaid

            return plans_mermaid(plans)
        case _:
            from reconciler.report.text import plans_text

            return plans_text(plans, style=style(given), width=width_of(sys.stdout))


def _links() -> Callable[[Plan], Links]:
    """The links of a plan's files. Git is asked once for each commit, not for each plan."""
    from reconciler.forges.job import links_for

    of_commit = cache(lambda git: links_for(git, os.environ, Path.cwd()))
    return lambda plan: of_commit(plan.git)


# ---------------------------------------------------------------- an error


def show_error(
    error: ReconcilerError, given: Given, prefix: str = "", portal: str | None = None
) -> int:
    """Write an error, what it is about and how to fix it to stderr; its exit code.

    With `--format json` stdout gets a document of it, unless the command has written its own.
    """
    if isinstance(error, ConfigurationInvalid):
        show_diagnostics(error.diagnostics, given)
        if given.findings is not None and given.findings.is_document:
            answer_in_json(error, error.exit_code, portal)
            return int(error.exit_code)
    show_words(error, given, prefix)
    answer_in_json(error, error.exit_code, portal)
    return int(error.exit_code)


def show_words(error: ReconcilerError, given: Given, prefix: str = "") -> None:
    """Write what an error says and how to fix it to stderr, without its diagnostics."""
    look = style(given, sys.stderr)
    words = f"{terminal(prefix, _LONGEST_PREFIX)}{terminal(error.message, PROSE_LIMIT)}"
    click.echo(f"{look.mark(Mark.BAD, 'error:')} {words}", err=True, color=True)
    if isinstance(error, PlanRefused):
        for detail in error.details:
            click.echo(f"  - {terminal(detail, PROSE_LIMIT)}", err=True)
    if error.hint:
        hint = terminal(error.hint, PROSE_LIMIT)
        click.echo(f"  {look.mark(Mark.BOLD, 'hint:')} {hint}", err=True, color=True)


def show_unexpected(
    error: Exception, given: Given, prefix: str = "", portal: str | None = None
) -> int:
    """Report what nobody foresaw: trouble of this machine in its words, anything else as a bug."""
    return show_error(as_error(error), given, prefix, portal)


def as_error(error: Exception) -> ReconcilerError:
    """What nobody foresaw as an error in words, in an `except` block. Its traceback if asked for."""
    if os.environ.get("RECONCILER_TRACEBACK"):
        import traceback

        traceback.print_exc()
    match error:
        case ReconcilerError():
            return error
        case FileNotFoundError(filename=None) if _directory_is_gone():
            return ReconcilerError(
                "the current directory does not exist any more", hint="change to one that does"
            )
        case OSError(strerror=str(words)):
            about = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
            return ReconcilerError(f"{about}{words}", hint="RECONCILER_TRACEBACK=1 shows where")
        case _:
            return ReconcilerError(
                f"internal error: {type(error).__name__}: {error}; this is a bug in reconciler",
                hint="RECONCILER_TRACEBACK=1 shows where",
            )


def _directory_is_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def answer_in_json(error: ReconcilerError, code: ExitCode, portal: str | None = None) -> None:
    """With `--format json`, a document of the error, unless the command has written its own."""
    if not asks_for_json(sys.argv[1:]) or not isinstance(sys.stdout, Outlet) or is_answered():
        return
    from reconciler.report.diagnostics import error_json

    found = error.diagnostics if isinstance(error, ConfigurationInvalid) else ()
    details = error.details if isinstance(error, PlanRefused) else ()
    result(error_json(error.message, error.hint, details, found, exit_code=code, portal=portal))
