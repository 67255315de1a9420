"""Pieces of a markdown report that can be cut to the room there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_COUNT_DIGITS = 8
"""Room for a count in the words that tell how much was left out."""


def size(text: str) -> int:
    """Bytes of UTF-8 with a blank line after it: no way of counting characters gives more."""
    return (len(text) if text.isascii() else len(text.encode())) + 2


@dataclass(frozen=True, slots=True)
class Cut:
    """A block cut to fit: empty when not even one line did. `left_out` counts lines."""

    text: str
    left_out: int


@dataclass(frozen=True, slots=True)
class Block:
    """A head, lines and a tail. `more`, with a `{}` for a number, stands for lines left out."""

    head: str
    lines: tuple[str, ...]
    more: str
    tail: str = ""

    def cut(self, room: int) -> Cut:
        """The whole block if it fits, else its first lines that do."""
        room -= size(self.head) + size(self.tail)
        if sum(map(size, self.lines)) <= room:
            return Cut(self._joined(self.lines), 0)
        taken = fitting(self.lines, room - size(self.more) - _COUNT_DIGITS)
        left_out = len(self.lines) - len(taken)
        if not taken:
            return Cut("", left_out)
        return Cut(self._joined([*taken, self.more.format(f"{left_out:,}")]), left_out)

    def _joined(self, lines: Iterable[str]) -> str:
        return "\n".join(part for part in (self.head, *lines, self.tail) if part)


def fitting(lines: Sequence[str], room: int) -> Sequence[str]:
    """The first lines that take no more than `room` together."""
    for index, line in enumerate(lines):
        room -= size(line)
        if room < 0:
            return lines[:index]
    return lines


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[str, tuple[str, ...]]:
    """The head of a table, and its rows, from cells that are escaped already."""
    head = f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}"
    return head, tuple(f"| {' | '.join(row)} |" for row in rows)
