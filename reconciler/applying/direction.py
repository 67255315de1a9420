"""One direction's changes: send the steps in order, isolate what is refused, read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from threading import Event

from reconciler.applying.answers import sort_answer
from reconciler.applying.halt import Halt
from reconciler.applying.knowledge import (
    Accepted,
    Doubtful,
    Knowledge,
    Reading,
    Refused,
    Untried,
    change_error,
    judge,
)
from reconciler.applying.progress import Progress
from reconciler.errors import (
    AuthenticationFailed,
    DailyLimitReached,
    Interrupted,
    PermissionMissing,
    PortalError,
    PortalUnavailable,
    ReconcilerError,
    RequestRefused,
)
from reconciler.hubspot import Clock, Portal
from reconciler.model import (
    Batch,
    BatchInput,
    Change,
    ChangeError,
    ChangeResult,
    Direction,
    ObservedDirection,
    Operation,
    TypeKey,
)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
"""Seconds between two readings of a direction: the first, doubled each time, and the most."""

WHOLE_REQUEST = frozenset({404, 405, 410})
"""Refusals that no smaller batch would change: the address is wrong, not an input."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the directions of one apply share.

    `verify_timeout`: seconds that written limits have to show. `create_is_needed` is set once
    the portal has refused `update` for a limit that did not exist and taken `create`.
    """

    portal: Portal
    clock: Clock
    progress: Progress
    halt: Halt
    verify_timeout: float
    create_is_needed: Event


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a direction's changes, and whether the portal may have written any."""

    results: tuple[ChangeResult, ...]
    may_have_written: bool


class DirectionRun:
    """Carries out the changes of one direction; what is known of each is kept as it is learnt."""

    def __init__(
        self,
        direction: Direction,
        changes: Sequence[Change],
        batches: Sequence[Batch],
        surroundings: Surroundings,
    ) -> None:
        self._direction = direction
        self._changes: Mapping[TypeKey, Change] = {each.type.key: each for each in changes}
        self._batches = batches
        self._around = surroundings
        self._known: dict[TypeKey, Knowledge] = dict.fromkeys(
            self._changes, Untried("nothing was sent")
        )
        self._given_up: set[TypeKey] = set()
        self._update_errors: dict[TypeKey, ChangeError] = {}

    def run(self) -> Settled:
        """Send, read back and judge. Portal errors and signals end up in the results."""
        for _, step in groupby(self._batches, key=lambda batch: batch.step):
            waiting_for = self._obstacle()
            for batch in step:
                if waiting_for is None:
                    self._send(batch)
                else:
                    self._learn(batch.inputs, Untried(waiting_for))
            self._settle_doubts()
        sent = [key for key, known in self._known.items() if not isinstance(known, Untried)]
        readings, unread = self._read_back(sent)
        results = tuple(
            judge(change, self._known[key], readings.get(key), unread)
            for key, change in self._changes.items()
        )
        self._around.progress.settled(self._direction, len(results))
        return Settled(
            results, any(isinstance(known, Accepted | Doubtful) for known in self._known.values())
        )

    # ------------------------------------------------------------ sending

    def _obstacle(self) -> str | None:
        """Why the next step must not be sent, or None."""
        if self._around.halt.reason is not None:
            return self._around.halt.reason
        stuck = [
            self._changes[key].id
            for key, known in self._known.items()
            if isinstance(known, Doubtful | Refused)
        ]
        return f"it waited for {', '.join(stuck)}" if stuck else None

    def _send(self, batch: Batch) -> None:
        """Send a batch, and what is left of it again until every input stands for itself."""
        for part in self._through_the_right_endpoint(batch):
            for rest in self._send_once(part):
                self._send(rest)

    def _through_the_right_endpoint(self, batch: Batch) -> Iterator[Batch]:
        """Where the portal wants `create` for new limits, a batch of updates is two batches."""
        new = [each for each in batch.inputs if self._is_new(each)]
        if (
            batch.operation is not Operation.UPDATE
            or not new
            or not self._around.create_is_needed.is_set()
        ):
            yield batch
            return
        yield replace(batch, operation=Operation.CREATE, inputs=tuple(new))
        old = tuple(each for each in batch.inputs if each not in new)
        if old:
            yield replace(batch, inputs=old)

    def _is_new(self, each: BatchInput) -> bool:
        return self._changes[each.key].before is None

    def _send_once(self, batch: Batch) -> Iterator[Batch]:
        """Send one request; yield the batches that its answer leaves to send."""
        around = self._around
        if around.halt.reason is not None:
            self._learn(batch.inputs, Untried(around.halt.reason))
            return
        around.progress.writing(self._direction, batch.operation, len(batch.inputs))
        try:
            answer = around.portal.write(batch)
        except RequestRefused as error:
            if error.status in WHOLE_REQUEST:
                self._learn(batch.inputs, Refused(change_error(error)))
            else:
                yield from self._refused(batch, change_error(error))
            return
        except ReconcilerError as error:
            self._learn(batch.inputs, self._after_failure(error))
            return
        sorted_ = sort_answer(batch, answer)
        self._learn(sorted_.accepted, Accepted())
        self._learn(sorted_.doubtful, Doubtful(sorted_.error))
        if batch.operation is Operation.CREATE and sorted_.accepted:
            around.create_is_needed.set()
        for each, why in sorted_.refused:
            yield from self._refused(replace(batch, inputs=(each,)), why)
        if sorted_.unsettled:
            rest = replace(batch, inputs=sorted_.unsettled)
            yield from (
                self._refused(rest, sorted_.error)
                if len(rest.inputs) == len(batch.inputs)
                else (rest,)
            )

    def _after_failure(self, error: ReconcilerError) -> Knowledge:
        """What a request that brought no usable answer says of its inputs; the run halts."""
        match error:
            case Interrupted():
                self._around.halt.because(error.message)
                if error.may_have_been_written:
                    return Doubtful(change_error(error))
                return Untried(error.message)
            case PortalUnavailable(may_have_been_written=True):
                self._around.halt.because(f"the portal stopped answering: {error.message}")
                return Doubtful(change_error(error))
            case AuthenticationFailed() | PermissionMissing() | DailyLimitReached():
                self._around.halt.because(error.message)
                return Refused(change_error(error))
            case _:
                self._around.halt.because(error.message)
                return Untried(error.message)

    def _refused(self, batch: Batch, error: ChangeError) -> Iterator[Batch]:
        """Split a refused batch until the refused inputs stand alone."""
        if len(batch.inputs) > 1:
            middle = len(batch.inputs) // 2
            yield replace(batch, inputs=batch.inputs[:middle])
            yield replace(batch, inputs=batch.inputs[middle:])
        elif batch.operation is Operation.UPDATE and self._is_new(batch.inputs[0]):
            self._update_errors[batch.inputs[0].key] = error
            yield replace(batch, operation=Operation.CREATE)
        else:
            first = self._update_errors.get(batch.inputs[0].key, error)
            self._learn(batch.inputs, Refused(first))

    def _learn(self, inputs: Iterable[BatchInput], known: Knowledge) -> None:
        for each in inputs:
            self._known[each.key] = known

    # ------------------------------------------------------------ reading back

    def _settle_doubts(self) -> None:
        """Before the next step, find out what the doubtful inputs of this one became."""
        doubtful = [key for key, known in self._known.items() if isinstance(known, Doubtful)]
        if not doubtful or self._around.halt.reason is not None:
            return
        readings, _ = self._read_back(doubtful)
        for key in doubtful:
            if key in readings and readings[key].max == self._changes[key].after:
                self._known[key] = Accepted()
            else:
                self._given_up.add(key)

    def _read_back(self, keys: Sequence[TypeKey]) -> tuple[dict[TypeKey, Reading], str]:
        """Read until every sent limit shows, or the time is up; a refused one is read once.

        Returns the last reading by key and, when there is none, the reason.
        """
        clock = self._around.clock
        deadline = clock.monotonic() + self._around.verify_timeout
        pause = FIRST_PAUSE
        readings: dict[TypeKey, Reading] = {}
        unread = "nothing of this direction was sent"
        if not keys:
            return readings, unread
        while True:
            try:
                readings = self._read(keys)
                missing = self._missing(keys, readings)
                if not missing or clock.monotonic() + pause > deadline:
                    return readings, unread
                self._around.progress.reading_back(self._direction, len(missing))
                clock.wait(pause)
            except Interrupted as error:
                return readings, error.message
            except PortalError as error:
                unread = error.message
                if self._hopeless(error) or clock.monotonic() + pause > deadline:
                    return readings, unread
                clock.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _hopeless(self, error: PortalError) -> bool:
        return isinstance(
            error, AuthenticationFailed | PermissionMissing | DailyLimitReached | RequestRefused
        )

    def _read(self, keys: Sequence[TypeKey]) -> dict[TypeKey, Reading]:
        values = self._around.portal.read(self._direction, needs_labels=never).values()
        return {key: Reading(values.get(key)) for key in keys}

    def _missing(
        self, keys: Sequence[TypeKey], readings: Mapping[TypeKey, Reading]
    ) -> list[TypeKey]:
        return [
            key
            for key in keys
            if readings[key].max != self._changes[key].after
            and key not in self._given_up
            and not isinstance(self._known[key], Refused)
        ]


def never(_: ObservedDirection) -> bool:
    """A change names its type by ID: reading it back needs no labels."""
    return False
