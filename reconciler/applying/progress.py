"""What an apply tells while it runs, for a terminal or nobody."""

from __future__ import annotations

from typing import Protocol

from reconciler.http.events import contained
from reconciler.model.limits import Direction


class Progress(Protocol):
    """Told of the phases of an apply, from several threads."""

    def checking(self, directions: int) -> None:
        """The portal is read again before the first write."""

    def writing(self, direction: Direction, operation: str, inputs: int) -> None:
        """A batch of a direction is about to be sent."""

    def reading_back(self, direction: Direction, missing: int) -> None:
        """So many written limits are not shown by the portal yet."""

    def watching(self, direction: Direction, refused: int, seconds: float) -> None:
        """So many refused limits are read for so long: they may have been written all the same."""

    def settled(self, direction: Direction, changes: int) -> None:
        """All that will be known of a direction's changes is known."""


class NoProgress:
    """Tells nobody."""

    def checking(self, directions: int) -> None: ...
    def writing(self, direction: Direction, operation: str, inputs: int) -> None: ...
    def reading_back(self, direction: Direction, missing: int) -> None: ...
    def watching(self, direction: Direction, refused: int, seconds: float) -> None: ...
    def settled(self, direction: Direction, changes: int) -> None: ...


class Contained:
    """Hands on to a progress; whatever that raises stops no work."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def checking(self, directions: int) -> None:
        contained(self._progress.checking, directions)

    def writing(self, direction: Direction, operation: str, inputs: int) -> None:
        contained(self._progress.writing, direction, operation, inputs)

    def reading_back(self, direction: Direction, missing: int) -> None:
        contained(self._progress.reading_back, direction, missing)

    def watching(self, direction: Direction, refused: int, seconds: float) -> None:
        contained(self._progress.watching, direction, refused, seconds)

    def settled(self, direction: Direction, changes: int) -> None:
        contained(self._progress.settled, direction, changes)
