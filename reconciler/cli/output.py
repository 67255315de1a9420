"""What a command writes: results, plans, notes, and diagnostics with their source lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from reconciler.cli.given import Given
from reconciler.cli.streams import Outlet
from reconciler.config.sources import read_source
from reconciler.errors import Diagnostic, Located
from reconciler.model.plan import Plan
from reconciler.planning.plan_file import plan_json
from reconciler.report.escape import PROSE_LIMIT, terminal
from reconciler.report.terminal import Style

if TYPE_CHECKING:
    from reconciler.forges.ci import Links

PLAN_FORMATS = ("text", "markdown", "json", "html", "mermaid")


def style(given: Given, stream: TextIO | None = None) -> Style:
    """Colour for a terminal, none elsewhere, unless `--color` or the environment says otherwise."""
    match given.color:
        case "always":
            wanted = True
        case "never":
            wanted = False
        case _ if os.environ.get("NO_COLOR"):
            wanted = False
        case _ if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
            wanted = True
        case _:
            wanted = (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"
    return Style(ansi_codes=wanted)


def note(message: str, given: Given) -> None:
    """Say something about the run on stderr, unless `-q` was given; strangers' words are escaped."""
    if given.verbosity >= 0:
        click.echo(terminal(message, PROSE_LIMIT), err=True)


def result(text: str, *, brief: str = "") -> bool:
    """Write a result to stdout, ended by one newline; its colour was decided by `style`.

    What stdout does not take goes to stderr. Where a reader went away, it had seen enough: then
    only `brief` does. Returns whether the text is written somewhere, to its last byte.
    """
    text = text.rstrip("\n")
    click.echo(text, color=True)
    out, err = sys.stdout, sys.stderr
    if not isinstance(out, Outlet):
        return True
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
    return isinstance(sys.stdout, Outlet) and sys.stdout.answered


def next_answer() -> None:
    """What follows is about another portal, which has no result yet."""
    if isinstance(sys.stdout, Outlet):
        sys.stdout.answered = False


def show_diagnostics(diagnostics: Iterable[Diagnostic], given: Given) -> None:
    """Write diagnostics with their source lines to stderr."""
    found = tuple(diagnostics)
    if not found:
        return
    from reconciler.report.diagnostics import diagnostics_text  # only diagnostics need it

    text = diagnostics_text(found, lines=source_lines(), style=style(given, sys.stderr))
    click.echo(text.rstrip("\n"), err=True, color=True)


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

            return plan_markdown(plan, digest=plan.digest, links=_links(plan))
        case "html":
            from reconciler.report.html import plan_html

            return plan_html(plan, digest=plan.digest, links=_links(plan))
        case "mermaid":
            from reconciler.report.mermaid import plan_mermaid

            return plan_mermaid(plan)
        case _:
            from reconciler.report.text import plan_text

            return plan_text(plan, style=style(given))


def _links(plan: Plan) -> Links:
    from reconciler.forges.ci import links_for

    return links_for(plan, os.environ, Path.cwd())
