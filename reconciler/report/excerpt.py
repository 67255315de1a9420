"""The source line of a diagnostic with a caret below the column."""

from __future__ import annotations

from reconciler.report.cells import cells
from reconciler.report.escape import visible
from reconciler.report.style import Style

_BEFORE = 60
_AFTER = 40
_WHOLE_LINE = 100
_CUT = "…"


def excerpt(source: str, line: int, column: int, style: Style) -> list[str]:
    """Two lines: the source, windowed around `column` when it is long, and the caret.

    Columns count characters from 1. What is invisible is shown as an escape, tabs included, and
    the caret stands below the first cell of what the column shows as.
    """
    text = source.rstrip("\r\n")
    at = min(max(column - 1, 0), len(text))
    start, end = _window(len(text), at)
    before = _CUT * (start > 0) + _shown(text[start:at])
    after = _shown(text[at:end]) + _CUT * (end < len(text))
    gutter = f"{line:>5} | "
    blank = " " * (len(gutter) - 2) + "| "
    return [
        style.dim(gutter) + before + after,
        style.dim(blank) + " " * cells(before) + style.bad("^"),
    ]


def _window(length: int, at: int) -> tuple[int, int]:
    if length <= _WHOLE_LINE:
        return 0, length
    return max(0, at - _BEFORE), min(length, at + _AFTER)


def _shown(text: str) -> str:
    return visible(text, len(text))
