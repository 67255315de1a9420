"""One direction's changes: send the steps in order, read back, send again what is lost, judge.

The plan puts the changes of a direction into steps of one or more batches, so that HubSpot's rule
holds after every single input. `DirectionRun` carries them out: `write` sends the steps, each when
what was before it is written, and reads once; `look` reads again, whenever the direction is due;
`finish` judges each change by what was answered and what was read. What is sent, and what an answer
means, follows from `sending`; what is known of each change is kept in `knowledge.Ledger`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from types import UnionType

from reconciler.applying.events import CreateTried, Learned, ReadingBack, Settled, Watching, Writing
from reconciler.applying.knowledge import (
    REFUSAL_WATCH,
    Accepted,
    Doubtful,
    Fact,
    Knowledge,
    Ledger,
    Refused,
    Sent,
    Untried,
)
from reconciler.applying.reading import Due, Reader
from reconciler.applying.run import Run
from reconciler.applying.sending import Part, by_endpoint, consequence
from reconciler.errors import Interrupted, ReconcilerError
from reconciler.hubspot.batches import BatchAnswer
from reconciler.model.limits import Direction, TypeKey
from reconciler.model.plan import Batch, Change, ChangeError, ChangeResult, Operation

SENT_AGAIN_AT_MOST = 5
"""How often what is not shown is sent again; the pause before it doubles each time."""

DOUBTED_FOR, ACCEPTED_FOR = 1.0, 3.0
"""Seconds after which what is not shown is sent again: in doubt, and answered as written.

At most a quarter of the time allowed, so that there is time left to read it back.
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a direction's changes, and whether the portal may have written any."""

    results: tuple[ChangeResult, ...]
    may_have_written: bool


class DirectionRun:
    """Carries out the changes of one direction.

    `write` once, then `look` whenever it is due, then `finish`. None of them raises: whatever
    happens ends up in the results.
    """

    def __init__(
        self, direction: Direction, changes: Sequence[Change], batches: Sequence[Batch], run: Run
    ) -> None:
        self._direction = direction
        self._run = run
        self._ledger = Ledger(changes)
        self._reader = Reader(direction, [each.type.key for each in changes], run)
        steps = groupby(batches, key=lambda batch: batch.step)
        self._waiting = deque([list(step) for _, step in steps])
        self._begun: list[Batch] = []
        self._last_sent = 0.0
        self._sent_again = 0
        self._missing = self._watched = 0
        self._ended: Ended | None = None

    def write(self) -> None:
        """Send the steps, and read once what came of them."""
        self._guarded(self._write)

    def look(self) -> None:
        """Read once more, and send again what is lost."""
        self._guarded(self._look)

    @property
    def due(self) -> Due | None:
        """When to look next; None: all is known that can be known."""
        return self._reader.due(self._ledger)

    def close(self, why: str) -> None:
        """Look no more."""
        self._reader.close(why)

    def finish(self) -> Ended:
        """What became of the changes; reported once."""
        if self._ended is None:
            results = self._ledger.results(self._reader.seen, self._run.settle)
            self._ended = Ended(results, self._ledger.may_have_written)
            self._run.report(Settled(self._direction, results))
        return self._ended

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Interrupted as error:
            self._stop(error.message)
        except Exception as error:  # noqa: BLE001 - a bug must not cost the report of what was written
            self._stop(f"internal error: {type(error).__name__}: {error}")

    def _stop(self, why: str) -> None:
        self._run.halt.because(why)
        self.close(why)

    # ------------------------------------------------------------ the steps

    def _write(self) -> None:
        self._send_steps()
        if self._ledger.changes(Sent):
            self._reader.begin()
            self._read()

    def _send_steps(self) -> None:
        """Send the steps in order, each when what was before it is written."""
        while self._waiting:
            self._until_shown(Doubtful)
            obstacle = self._ledger.obstacle()
            if obstacle is not None:
                for batch in chain(*self._waiting):
                    self._hold_back(batch, obstacle)
                return
            self._send_step(self._waiting.popleft())

    def _look(self) -> None:
        """Read; where that shows what the next step waited for, send it after all."""
        self._read()
        in_time = self._run.halt.reason is None and not self._reader.is_over
        if self._waiting and in_time and self._ledger.obstacle() is None:
            self._reader.rest()
            self._send_steps()
            self._reader.begin()

    def _send_step(self, batches: Sequence[Batch]) -> None:
        """Send a step. Where it is refused because the one before was lost, send it once more."""
        follows = bool(self._ledger.changes(Accepted))
        for batch in batches:
            self._begun.append(batch)
            self._send(Part(batch))
        refused = self._ledger.changes(Refused)
        if not (follows and refused):
            return
        before = self._sent_again
        self._until_shown(Accepted | Doubtful)
        if self._sent_again > before and not self._ledger.changes(Accepted | Doubtful):
            self._repeat(batches, {each.type.key for each in refused})

    def _until_shown(self, kinds: type[Knowledge] | UnionType) -> None:
        """Before a step: read until what the one before left open is shown, or time is up."""
        if not self._ledger.changes(kinds) or self._run.halt.reason is not None:
            return
        self._reader.begin()
        self._read()
        while self._ledger.changes(kinds) and not self._reader.is_over:
            self._reader.wait()
            self._read()
        self._reader.rest()

    # ------------------------------------------------------------ sending

    def _send(self, first: Part) -> None:
        """Send a batch, and what its answer leaves to send, until every input stands for itself.

        What was seen of these limits before says nothing any more.
        """
        waiting = deque([first])
        while waiting:
            part = waiting.popleft()
            if self._run.create_is_needed.is_set():
                part, *others = by_endpoint(part, self._ledger.new)
                waiting.extendleft(reversed(others))
            waiting.extendleft(reversed(self._attempt(part)))
        self._reader.forget(first.batch.inputs)
        self._last_sent = self._run.clock.monotonic()

    def _attempt(self, part: Part) -> Sequence[Part]:
        """Send one request, and note what follows; the batches that its answer leaves to send."""
        batch, halt = part.batch, self._run.halt
        if halt.reason is not None:
            self._hold_back(batch, f"not written: {halt.reason}")
            return ()
        if part.refusal is not None and not part.unnamed:
            self._run.report(CreateTried(self._direction, batch.inputs[0], part.refusal))
        self._run.report(Writing(self._direction, batch.operation, len(batch.inputs)))
        self._ledger.begin(batch.inputs)
        reply: BatchAnswer | ReconcilerError
        try:
            reply = self._run.portal.write(batch)
        except ReconcilerError as error:
            reply = error
        found = consequence(part, reply, self._ledger.new)
        for fact in found.facts:
            self._note(fact)
            if batch.operation is Operation.CREATE and isinstance(fact.known, Accepted):
                self._run.create_is_needed.set()
        if found.error is not None:
            halt.after(found.error)
        return found.left

    def _note(self, fact: Fact) -> None:
        for each in self._ledger.note(fact):
            self._run.report(Learned(self._direction, each.inputs, each.known))

    def _hold_back(self, batch: Batch, why: str) -> None:
        self._ledger.note(Fact(batch.inputs, Untried(ChangeError(why))))

    # ------------------------------------------------------------ reading back, sending again

    def _read(self) -> None:
        """Read once, and send again what is lost."""
        self._reader.read()
        self._note(self._ledger.first_shown(self._reader.seen))
        self._report_what_is_open()
        lost = self._ledger.lost(self._reader.seen)
        if lost and self._may_send_again():
            self._sent_again += 1
            self._repeat(self._begun, lost)
            self._reader.hurry()

    def _report_what_is_open(self) -> None:
        missing, refused = len(self._ledger.missing(self._reader.seen)), len(self._ledger.refused)
        if missing not in (0, self._missing):
            self._run.report(ReadingBack(self._direction, missing))
            self._missing = missing
        if refused and not self._watched and not missing:
            seconds = min(REFUSAL_WATCH, self._reader.left)
            self._run.report(Watching(self._direction, refused, seconds))
        self._watched = refused

    def _may_send_again(self) -> bool:
        """After a while that grows, while there is time to read it back."""
        doubted = bool(self._ledger.changes(Doubtful))
        first = min(DOUBTED_FOR if doubted else ACCEPTED_FOR, self._run.verify_timeout / 4)
        moment = self._last_sent + first * 2**self._sent_again
        return (
            self._run.halt.reason is None
            and self._sent_again < SENT_AGAIN_AT_MOST
            and not self._reader.is_over
            and self._run.clock.monotonic() >= moment
        )

    def _repeat(self, batches: Sequence[Batch], keys: Collection[TypeKey]) -> None:
        """Send some inputs of these batches again, in order, for as long as they are accepted."""
        for batch in batches:
            inputs = tuple(each for each in batch.inputs if each.key in keys)
            if not inputs:
                continue
            if not self._ledger.are(inputs, Refused):
                self._ledger.doubt(inputs)
            self._send(Part(replace(batch, inputs=inputs), repeated=True))
            if not self._ledger.are(inputs, Accepted):
                return
