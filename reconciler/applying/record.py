"""Where an apply writes down what it learns, beside the requests themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from reconciler.applying.knowledge import Knowledge
from reconciler.model.limits import Direction
from reconciler.model.plan import BatchInput, ChangeError, ChangeResult, Plan, Result


class Record(Protocol):
    """Told from several threads what was learnt; a journal keeps it.

    `start` may raise to keep an apply from beginning. The others never raise: what they tell of
    has happened.
    """

    def start(self, plan: Plan) -> None:
        """The plan that is about to be applied."""

    def learned(self, direction: Direction, inputs: Sequence[BatchInput], known: Knowledge) -> None:
        """What an answer, or its absence, says of these inputs."""

    def instead(self, direction: Direction, one: BatchInput, refusal: ChangeError) -> None:
        """`update` was refused for a limit that does not exist yet: `create` is tried, once."""

    def settled(self, direction: Direction, results: Sequence[ChangeResult]) -> None:
        """All that will be known of a direction's changes."""

    def finish(self, result: Result) -> None:
        """How the apply ended."""


class NoRecord:
    """Keeps nothing."""

    def start(self, plan: Plan) -> None: ...
    def learned(
        self, direction: Direction, inputs: Sequence[BatchInput], known: Knowledge
    ) -> None: ...
    def instead(self, direction: Direction, one: BatchInput, refusal: ChangeError) -> None: ...
    def settled(self, direction: Direction, results: Sequence[ChangeResult]) -> None: ...
    def finish(self, result: Result) -> None: ...
