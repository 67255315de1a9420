"""The answers of several portals: their results in order, and their JSON in one array."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Self

from reconciler.cli import output


class Answers:
    """The results of several portals, in the order of their names; as JSON, one array.

    `of` says whose results are written from here on in this thread: portals may work side by side.
    The first that is not done writes at once, the others are kept until it is their turn. Elements
    of an array are kept until the block ends, however it ends: what is done by then is valid JSON.
    """

    def __init__(self, names: Iterable[str], *, as_array: bool) -> None:
        self._as_array = as_array
        self._lock = RLock()
        self._turns = {name: _Turn(self) for name in names}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            kept = [text for each in self._turns.values() for text, _ in each.kept]
            if self._as_array:
                output.result(json_array(kept))
                return
            for each in self._turns.values():
                each.write()

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Within, in this thread: results and errors are those of this portal."""
        turn = self._turns[name]
        token = output.TURN.set(turn)
        try:
            yield
        finally:
            output.TURN.reset(token)
            with self._lock:
                turn.done = True
                if not self._as_array:
                    self._write_what_is_next()

    def take(self, turn: _Turn, text: str, brief: str) -> bool:
        """Write a result if it is the portal's turn, else keep it; whether it is written."""
        with self._lock:
            turn.answered = True
            turn.kept.append((text, brief))
            if self._as_array:
                return True
            self._write_what_is_next()
            return not turn.kept and turn.shown

    def _write_what_is_next(self) -> None:
        for each in self._turns.values():
            each.write()
            if not each.done:
                return


@dataclass(slots=True)
class _Turn:
    """One portal's results that are not written yet."""

    answers: Answers
    kept: list[tuple[str, str]] = field(default_factory=list)
    answered: bool = False
    done: bool = False
    shown: bool = True

    def take(self, text: str, brief: str) -> bool:
        """Write a result or keep it; whether it is written."""
        return self.answers.take(self, text, brief)

    def write(self) -> None:
        """Write what is kept."""
        token = output.TURN.set(None)
        for text, brief in self.kept:
            self.shown = output.result(text, brief=brief)
        self.kept.clear()
        output.TURN.reset(token)


def json_array(documents: Iterable[str]) -> str:
    """JSON documents as one array, an element beginning on each line."""
    elements = ",\n".join(each.strip() for each in documents)
    return f"[\n{elements}\n]" if elements else "[]"
