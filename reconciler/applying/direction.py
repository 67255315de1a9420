"""One direction's changes: send the steps in order, read back, judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from reconciler.applying.knowledge import Seen
from reconciler.applying.ledger import Ledger
from reconciler.applying.reading import ReadBack
from reconciler.applying.sending import Sender
from reconciler.applying.surroundings import Surroundings
from reconciler.model import Batch, Change, ChangeResult, Direction


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a direction's changes, and whether the portal may have written any."""

    results: tuple[ChangeResult, ...]
    may_have_written: bool


class DirectionRun:
    """Carries out the changes of one direction."""

    def __init__(
        self,
        direction: Direction,
        changes: Sequence[Change],
        batches: Sequence[Batch],
        around: Surroundings,
    ) -> None:
        self._direction = direction
        self._batches = batches
        self._around = around
        self._ledger = Ledger(direction, changes, around.record)
        self._sender = Sender(self._ledger, around)
        self._read_back = ReadBack(direction, around)

    def run(self) -> Settled:
        """Send, read back and judge; whatever happens ends up in the results."""
        seen = Seen()
        try:
            self._send_steps()
            if self._ledger.sent:
                seen = self._read_back.until_shown(self._ledger.missing)
            self._around.progress.settled(self._direction, len(self._ledger))
        except Exception as error:  # noqa: BLE001 - a bug must not cost the report of what was written
            message = f"internal error: {type(error).__name__}: {error}"
            self._around.halt.because(message)
            seen = replace(seen, unread=message)
        results = self._ledger.results(seen)
        self._around.record.settled(self._direction, results)
        return Settled(results, self._ledger.may_have_written)

    def _send_steps(self) -> None:
        for _, step in groupby(self._batches, key=lambda batch: batch.step):
            self._settle_doubts()
            obstacle = self._ledger.obstacle()
            for batch in step:
                if obstacle is None:
                    self._sender.send(batch)
                else:
                    self._ledger.hold_back(batch.inputs, obstacle)

    def _settle_doubts(self) -> None:
        """Before a step, find out what became of the doubtful inputs of the one before."""
        if self._ledger.doubtful and self._around.halt.reason is None:
            self._ledger.settle(self._read_back.until_shown(self._ledger.missing_doubtful))
