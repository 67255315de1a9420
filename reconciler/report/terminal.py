"""Text for terminals: colour and weight, widths in cells, and source lines with a mark below."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from unicodedata import combining, east_asian_width

from reconciler.errors import Located
from reconciler.outgoing import star_alike
from reconciler.report.escape import visible

# ---------------------------------------------------------------- colour and weight


class Mark(StrEnum):
    """How a piece of text stands out, as the number of an ANSI sequence."""

    BOLD = "1"
    DIM = "2"
    PLACE = "36"
    GOOD = "1;32"
    WARNING = "1;33"
    BAD = "1;31"
    RESTRICTS = "33"
    RELAXES = "94"


@dataclass(frozen=True, slots=True)
class Style:
    """Whether text is marked up: ANSI sequences for terminals, none for files and pipes."""

    ansi_codes: bool

    def mark(self, mark: Mark, text: str) -> str:
        """Give it escaped text only: see `escape.terminal`."""
        return f"\x1b[{mark}m{text}\x1b[0m" if self.ansi_codes and text else text


# ---------------------------------------------------------------- cells


@lru_cache(maxsize=8_192)
def cells(text: str) -> int:
    """Terminal cells of printable text: wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if combining(character) or character in "\u200e\ufe0e\ufe0f\u20e3"
        else 1 + (east_asian_width(character) in "WF")
        for character in text
    )


def padded(text: str, width: int) -> str:
    """`text` with spaces after it, up to `width` cells."""
    return text + " " * (width - cells(text))


def widest(texts: Iterable[str], at_most: int) -> int:
    """Cells of the widest text that is not wider than `at_most`."""
    return max((width for width in map(cells, texts) if width <= at_most), default=0)


def wrapped(text: str, indent: str, width: int | None) -> list[str]:
    """Lines of prose, every one of them indented; `width` None: one line."""
    if width is None:
        return [indent + text]
    return textwrap.wrap(
        text,
        max(width, len(indent) + 20),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [indent]


# ---------------------------------------------------------------- source lines

_WIDEST_LINE = 100
"""Cells of a source line that is shown in full, where the terminal is not narrower."""
_LEAST = 20
_BEFORE = 0.6
"""The part of a cut line that is before the place."""
_AROUND = 1_000
_CUT = "…"
_QUOTED = r""""(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?"""
_PLAIN = r"(?:[^\s:,\[\]{}]|:(?=\S)| (?=[^\s:#,\[\]{}]))+"
"""A text of YAML without quotes, up to what ends it."""


def excerpt(source: str, place: Located, style: Style, width: int | None = None) -> list[str]:
    """Two lines: the source, cut on both sides of the place when it is long, and carets.

    Columns count characters from 1. What is invisible is shown as an escape, tabs included, and
    the carets are below the cells of what the place covers. Where its end is not known, that is
    the YAML text that starts there, and one cell where none does. What looks like a token is
    masked. `width` in cells is what the terminal has, None where nothing is known of it.
    """
    text = source.rstrip("\r\n")
    at = min(max(place.column - 1, 0), len(text))
    first, last = max(0, at - _AROUND), at + _AROUND
    text = text[:first] + star_alike(text[first:last]) + text[last:]
    gutter = f"{place.line:>5} | "
    room = _WIDEST_LINE
    if width is not None:
        room = min(room, max(_LEAST, width - len(gutter) - 2 * len(_CUT)))
    start, end = _window(text, at, room)
    stop = min(max(_stop(text, at, place.end), at), end)
    before, wrong, after = (
        visible(part, len(part)) for part in (text[start:at], text[at:stop], text[stop:end])
    )
    before, after = _CUT * (start > 0) + before, after + _CUT * (end < len(text))
    blank = " " * (len(gutter) - 2) + "| "
    return [
        style.mark(Mark.DIM, gutter) + before + wrong + after,
        style.mark(Mark.DIM, blank)
        + " " * cells(before)
        + style.mark(Mark.BAD, "^" * max(1, cells(wrong))),
    ]


def _window(text: str, at: int, room: int) -> tuple[int, int]:
    """The part of a line to show around an offset: all of it, or what fits on both sides."""
    if len(text) <= _AROUND and cells(visible(text, len(text))) <= room:
        return 0, len(text)
    left = int(room * _BEFORE)
    return at - _fitting(text[:at][::-1], left), at + _fitting(text[at:], room - left)


def _fitting(text: str, room: int) -> int:
    """How many characters at the beginning of the text fit into so many cells."""
    for number, character in enumerate(text):
        room -= cells(visible(character))
        if room < 0:
            return number
    return len(text)


def end_column(source: str, place: Located) -> int:
    """The column behind what a place covers: behind the YAML text that starts there, if not known."""
    text = source.rstrip("\r\n")
    at = min(max(place.column - 1, 0), len(text))
    return _stop(text, at, place.end) + 1


def _stop(text: str, at: int, end: int | None) -> int:
    """Where what is wrong stops: an offset."""
    if end is not None:
        return end - 1
    word = re.match(f"{_QUOTED}|{_PLAIN}", text[at:])
    return at + (1 if word is None else word.end())
