"""What an apply tells while it runs, for a terminal or nobody."""

from __future__ import annotations

from typing import Protocol

from reconciler.model import Direction


class Progress(Protocol):
    """Told of the phases of an apply, from several threads."""

    def checking(self, directions: int) -> None:
        """The portal is read again before the first write."""

    def writing(self, direction: Direction, operation: str, inputs: int) -> None:
        """A batch of a direction is about to be sent."""

    def reading_back(self, direction: Direction, missing: int) -> None:
        """So many written limits are not shown by the portal yet."""

    def settled(self, direction: Direction, changes: int) -> None:
        """All that will be known of a direction's changes is known."""


class NoProgress:
    """Tells nobody."""

    def checking(self, directions: int) -> None: ...
    def writing(self, direction: Direction, operation: str, inputs: int) -> None: ...
    def reading_back(self, direction: Direction, missing: int) -> None: ...
    def settled(self, direction: Direction, changes: int) -> None: ...
