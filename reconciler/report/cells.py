"""How many terminal cells a text takes, and texts laid out by cells."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from functools import lru_cache
from unicodedata import combining, east_asian_width


@lru_cache(maxsize=8_192)
def cells(text: str) -> int:
    """Terminal cells of printable text: wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if combining(character) or character in "\u200e\ufe0e\ufe0f\u20e3":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


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
