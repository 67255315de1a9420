"""Where output goes and how: colour, diagnostics with their source lines, several portals."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TextIO

import click

from reconciler.cli.settings import settings
from reconciler.errors import Diagnostic, Located
from reconciler.report.style import Style


def style(stream: TextIO | None = None) -> Style:
    """Colour for a terminal, none elsewhere, as `--color` and NO_COLOR say."""
    chosen = settings().color
    wanted = (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR")
    if chosen == "always" or (chosen == "auto" and wanted and os.environ.get("TERM") != "dumb"):
        return Style.ansi()
    return Style.plain()


def note(message: str) -> None:
    """Say something about the run on stderr, unless `-q` was given."""
    if settings().verbosity >= 0:
        click.echo(message, err=True)


def result(text: str) -> None:
    """Write a result to stdout, ended by one newline; its colour was decided by `style`."""
    click.echo(text.rstrip("\n"), color=True)


def show_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics with their source lines to stderr."""
    from reconciler.report.diagnostics import diagnostics_text

    text = diagnostics_text(tuple(diagnostics), lines=source_line, style=style(sys.stderr))
    if text:
        click.echo(text.rstrip("\n"), err=True, color=True)


def source_line(place: Located) -> str | None:
    """The line a diagnostic speaks of, or None where the file cannot be read any more."""
    lines = _lines(place.path)
    return lines[place.line - 1] if 0 < place.line <= len(lines) else None


@lru_cache(maxsize=256)
def _lines(path: str) -> tuple[str, ...]:
    try:
        text = Path(path).read_bytes()[: 1 << 20].decode("utf-8", "replace")
    except (OSError, ValueError):
        return ()
    return tuple(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"))
