"""The requests that a stand-in has served, for tests to count and read. It never holds a token."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

# Old entries go, so that a stand-in which runs for weeks does not grow without end.
_ENTRIES = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and what became of it.

    `number` counts from 1. `operation` is None for a path that is not served. `status` is None
    when the client got no answer. `time` is in seconds of the stand-in's clock at arrival.
    """

    number: int
    method: str
    path: str
    operation: str | None
    body: str
    status: int | None
    time: float


class Journal:
    """Safe for threads."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_ENTRIES)
        self._count = 0
        self._lock = threading.Lock()

    @property
    def entries(self) -> tuple[Entry, ...]:
        with self._lock:
            return tuple(self._entries)

    def add(
        self,
        method: str,
        path: str,
        operation: str | None,
        body: bytes,
        status: int | None,
        time: float,
    ) -> None:
        text = body.decode(errors="replace")
        with self._lock:
            self._count += 1
            self._entries.append(Entry(self._count, method, path, operation, text, status, time))

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._count = 0
