"""A report that must not get too long: what is left of its room, and what fits in."""

from __future__ import annotations

from collections.abc import Iterable


def size(text: str) -> int:
    """UTF-16 code units: no way of counting characters gives more."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


class Room:
    """Takes texts, each with a line end, as long as they fit."""

    def __init__(self, units: int) -> None:
        self.units = units

    def take(self, text: str) -> bool:
        """Whether the text fits; if so, its size is no longer free."""
        needed = size(text) + 1
        if needed > self.units:
            return False
        self.units -= needed
        return True

    def take_while_fitting(self, texts: Iterable[str], reserve: int = 0) -> list[str]:
        """The first texts that fit, with `reserve` units to spare."""
        self.units -= reserve
        taken = []
        for text in texts:
            if not self.take(text):
                break
            taken.append(text)
        self.units += reserve
        return taken

    def part(self, share: int) -> Room:
        """Room for a part of the report: one `share`-th of what is free, taken off at once."""
        part = Room(self.units // share)
        self.units -= part.units
        return part

    def give_back(self, part: Room) -> None:
        """Returns what a part did not need."""
        self.units += part.units
        part.units = 0
