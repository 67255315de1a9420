"""`--waves`: which portals are applied to first, and which only after these went well."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from reconciler.errors import UsageProblem

T = TypeVar("T")

REST = "rest"
_HINT = "write numbers of portals, percentages and `rest` at the end, such as 1,10%,rest"


@dataclass(frozen=True, slots=True)
class Waves:
    """The sizes of waves as they were written: `1`, `10%` or, for the last one, `rest`."""

    sizes: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Waves:
        """Raise UsageProblem for what is no list of waves."""
        sizes = tuple(each.strip() for each in text.split(","))
        percent = 0
        for at, size in enumerate(sizes, 1):
            found = re.fullmatch(r"([0-9]{1,6})(%?)", size)
            if size == REST:
                if at < len(sizes):
                    raise UsageProblem(f"--waves {text}: nothing follows `rest`", hint=_HINT)
            elif found is None:
                raise UsageProblem(f"--waves {text}: {size!r} is not a wave", hint=_HINT)
            elif int(found[1]) == 0:
                raise UsageProblem(f"--waves {text}: a wave of {size} has no portal", hint=_HINT)
            elif found[2]:
                percent += int(found[1])
        if percent > 100:
            raise UsageProblem(f"--waves {text}: these are {percent}% of the portals", hint=_HINT)
        return cls(sizes)

    def of(self, portals: Sequence[T]) -> tuple[list[list[T]], list[T]]:
        """The waves of these portals, in their order, and those that are in none of them.

        A percentage is of all portals, rounded up. A wave for which no portal is left is left out.
        """
        waves: list[list[T]] = []
        begin = 0
        for size in self.sizes:
            if size == REST:
                end = len(portals)
            elif size.endswith("%"):
                end = begin + ceil(len(portals) * int(size[:-1]) / 100)
            else:
                end = begin + int(size)
            if wave := list(portals[begin:end]):
                waves.append(wave)
            begin = min(end, len(portals))
        return waves, list(portals[begin:])

    def __str__(self) -> str:
        return ",".join(self.sizes)
