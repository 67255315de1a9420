"""Stop sending: a signal, or an answer after which no further request makes sense."""

from __future__ import annotations

from threading import Lock


class Halt:
    """Shared by the directions of one apply; the first reason stays."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reason: str | None = None

    def because(self, reason: str) -> None:
        """No direction sends another write from here on."""
        with self._lock:
            self._reason = self._reason or reason

    @property
    def reason(self) -> str | None:
        """Why nothing more is to be written, or None."""
        return self._reason
