"""The source line of a diagnostic with what is wrong underlined."""

from __future__ import annotations

import re

from reconciler.errors import Located
from reconciler.outgoing import star_alike
from reconciler.report.cells import cells
from reconciler.report.escape import visible
from reconciler.report.style import Style

_BEFORE = 60
_AFTER = 40
_WHOLE_LINE = 100
_AROUND = 1_000
_CUT = "…"
_WORD = re.compile(r"[^\s:,\[\]{}]+")


def excerpt(source: str, place: Located, style: Style) -> list[str]:
    """Two lines: the source, windowed around the place when it is long, and carets.

    Columns count characters from 1. What is invisible is shown as an escape, tabs included, and
    the carets are below the cells of what the place covers. Where its end is not known, that is
    the word that starts there, and one cell where none does. What looks like a token is masked.
    """
    text = source.rstrip("\r\n")
    at = min(max(place.column - 1, 0), len(text))
    first, last = max(0, at - _AROUND), at + _AROUND
    text = text[:first] + star_alike(text[first:last]) + text[last:]
    start, end = _window(len(text), at)
    stop = min(max(_stop(text, at, place.end), at), end)
    before = _CUT * (start > 0) + _shown(text[start:at])
    wrong = _shown(text[at:stop])
    after = _shown(text[stop:end]) + _CUT * (end < len(text))
    gutter = f"{place.line:>5} | "
    blank = " " * (len(gutter) - 2) + "| "
    return [
        style.dim(gutter) + before + wrong + after,
        style.dim(blank) + " " * cells(before) + style.bad("^" * max(1, cells(wrong))),
    ]


def _stop(text: str, at: int, end: int | None) -> int:
    """Where what is wrong stops: an offset."""
    if end is not None:
        return end - 1
    word = _WORD.match(text, at)
    return at + 1 if word is None else word.end()


def _window(length: int, at: int) -> tuple[int, int]:
    if length <= _WHOLE_LINE:
        return 0, length
    return max(0, at - _BEFORE), min(length, at + _AFTER)


def _shown(text: str) -> str:
    return visible(text, len(text))
