"""Colour and weight for terminals: plain text, or ANSI sequences written by us."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.plan import Action

_COLOURS = {Action.CREATE: "32", Action.UPDATE: "33", Action.DELETE: "31"}


@dataclass(frozen=True, slots=True)
class Style:
    """How text is marked up. Give it escaped text only: see `escape.terminal`."""

    ansi_codes: bool

    @classmethod
    def plain(cls) -> Style:
        """No markup, for files, pipes and `NO_COLOR`."""
        return cls(ansi_codes=False)

    @classmethod
    def ansi(cls) -> Style:
        """ANSI sequences, for terminals and logs that show them."""
        return cls(ansi_codes=True)

    def bold(self, text: str) -> str:
        return self._mark("1", text)

    def dim(self, text: str) -> str:
        return self._mark("2", text)

    def good(self, text: str) -> str:
        return self._mark("1;32", text)

    def bad(self, text: str) -> str:
        return self._mark("1;31", text)

    def warning(self, text: str) -> str:
        return self._mark("1;33", text)

    def place(self, text: str) -> str:
        return self._mark("36", text)

    def action(self, action: Action, text: str) -> str:
        """Green, yellow or red for what is created, updated or deleted."""
        return self._mark(_COLOURS[action], text)

    def _mark(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.ansi_codes and text else text
