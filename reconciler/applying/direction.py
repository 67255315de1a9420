"""One direction's changes: send the steps in order, read back, send again what is lost, judge."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from types import UnionType

from reconciler.applying.knowledge import Accepted, Doubtful, Knowledge, Refused
from reconciler.applying.ledger import Ledger
from reconciler.applying.reading import Due, Reader
from reconciler.applying.sending import Sender
from reconciler.applying.surroundings import Surroundings
from reconciler.errors import Interrupted
from reconciler.model.limits import Direction, TypeKey
from reconciler.model.plan import Batch, Change, ChangeResult

SENT_AGAIN_AT_MOST = 5
"""How often what is not shown is sent again; the pause before it doubles each time."""

DOUBTED_FOR, ACCEPTED_FOR = 1.0, 3.0
"""Seconds after which what is not shown is sent again: in doubt, and answered as written.

At most a quarter of the time allowed, so that there is time left to read it back.
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a direction's changes, and whether the portal may have written any."""

    results: tuple[ChangeResult, ...]
    may_have_written: bool


class DirectionRun:
    """Carries out the changes of one direction.

    `write` once, then `look` whenever it is due, then `finish`. None of them raises: whatever
    happens ends up in the results.
    """

    def __init__(
        self,
        direction: Direction,
        changes: Sequence[Change],
        batches: Sequence[Batch],
        around: Surroundings,
    ) -> None:
        self._direction = direction
        steps = groupby(batches, key=lambda batch: batch.step)
        self._waiting = deque([list(step) for _, step in steps])
        self._around = around
        self._ledger = Ledger(direction, changes, around.record)
        self._sender = Sender(self._ledger, around)
        self._reader = Reader(direction, [each.type.key for each in changes], around)
        self._begun: list[Batch] = []
        self._last_sent = 0.0
        self._sent_again = 0
        self._settled: Settled | None = None

    def write(self) -> None:
        """Send the steps, and read once what came of them."""
        self._guarded(self._write)

    def look(self) -> None:
        """Read once more, and send again what is lost."""
        self._guarded(self._look)

    @property
    def due(self) -> Due | None:
        """When to look next; None: all is known that can be known."""
        return self._reader.due(self._ledger) if self._ledger.sent else None

    def close(self, why: str) -> None:
        """Look no more."""
        self._reader.close(why)

    def finish(self) -> Settled:
        """What became of the changes; reported once."""
        if self._settled is None:
            results = self._ledger.results(self._reader.seen, self._around.settle)
            self._settled = Settled(results, self._ledger.may_have_written)
            self._around.progress.settled(self._direction, len(self._ledger))
            self._around.record.settled(self._direction, results)
        return self._settled

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Interrupted as error:
            self._stop(error.message)
        except Exception as error:  # noqa: BLE001 - a bug must not cost the report of what was written
            self._stop(f"internal error: {type(error).__name__}: {error}")

    def _stop(self, why: str) -> None:
        self._around.halt.because(why)
        self.close(why)

    # ------------------------------------------------------------ the steps

    def _write(self) -> None:
        self._send_steps()
        if self._ledger.sent:
            self._reader.begin()
            self._read()

    def _send_steps(self) -> None:
        """Send the steps in order, each when what was before it is written."""
        while self._waiting:
            self._until_shown(Doubtful)
            obstacle = self._ledger.obstacle()
            if obstacle is not None:
                for batch in chain(*self._waiting):
                    self._ledger.hold_back(batch.inputs, obstacle)
                return
            self._send_step(self._waiting.popleft())

    def _look(self) -> None:
        """Read; where that shows what the next step waited for, send it after all."""
        self._read()
        in_time = self._around.halt.reason is None and not self._reader.is_over
        if self._waiting and in_time and self._ledger.obstacle() is None:
            self._reader.rest()
            self._send_steps()
            self._reader.begin()

    def _send_step(self, batches: Sequence[Batch]) -> None:
        """Send a step. Where it is refused because the one before was lost, send it once more."""
        follows = bool(self._ledger.changes(Accepted))
        for batch in batches:
            self._begun.append(batch)
            self._send(batch, self._sender.send)
        refused = self._ledger.changes(Refused)
        if not (follows and refused):
            return
        before = self._sent_again
        self._until_shown(Accepted | Doubtful)
        if self._sent_again > before and not self._ledger.changes(Accepted | Doubtful):
            self._repeat(batches, {each.type.key for each in refused})

    def _until_shown(self, kinds: type[Knowledge] | UnionType) -> None:
        """Before a step: read until what the one before left open is shown, or time is up."""
        if not self._ledger.changes(kinds) or self._around.halt.reason is not None:
            return
        self._reader.begin()
        self._read()
        while self._ledger.changes(kinds) and not self._reader.is_over:
            self._reader.wait()
            self._read()
        self._reader.rest()

    # ------------------------------------------------------------ reading back, sending again

    def _read(self) -> None:
        self._reader.read(self._ledger)
        lost = self._ledger.lost(self._reader.seen)
        if lost and self._may_send_again():
            self._sent_again += 1
            self._repeat(self._begun, lost)
            self._reader.hurry()

    def _may_send_again(self) -> bool:
        """After a while that grows, while there is time to read it back."""
        doubted = bool(self._ledger.changes(Doubtful))
        first = min(DOUBTED_FOR if doubted else ACCEPTED_FOR, self._around.verify_timeout / 4)
        moment = self._last_sent + first * 2**self._sent_again
        return (
            self._around.halt.reason is None
            and self._sent_again < SENT_AGAIN_AT_MOST
            and not self._reader.is_over
            and self._around.clock.monotonic() >= moment
        )

    def _repeat(self, batches: Sequence[Batch], keys: Collection[TypeKey]) -> None:
        """Send some inputs of these batches again, in order, for as long as they are accepted."""
        for batch in batches:
            inputs = tuple(each for each in batch.inputs if each.key in keys)
            if not inputs:
                continue
            if not self._ledger.are(inputs, Refused):
                self._ledger.doubt(inputs)
            self._send(replace(batch, inputs=inputs), self._sender.send_again)
            if not self._ledger.are(inputs, Accepted):
                return

    def _send(self, batch: Batch, send: Callable[[Batch], None]) -> None:
        """Send, and forget what was seen of these limits before."""
        send(batch)
        self._reader.forget(batch.inputs)
        self._last_sent = self._around.clock.monotonic()
