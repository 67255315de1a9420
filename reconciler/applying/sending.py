"""Send the batches of one direction, until every input stands for itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.applying.answers import SortedAnswer, shared_type_ids, sort_answer
from reconciler.applying.knowledge import (
    Accepted,
    Doubtful,
    Knowledge,
    Refused,
    Untried,
    change_error,
)
from reconciler.applying.ledger import Ledger
from reconciler.applying.surroundings import Surroundings
from reconciler.errors import (
    EndpointMissing,
    Interrupted,
    PortalError,
    ReconcilerError,
    RequestRefused,
    TurnedAway,
)
from reconciler.model.limits import TypeKey
from reconciler.model.plan import Batch, BatchInput, ChangeError, Operation


class Sender:
    """Sends batches; what each answer says of the inputs goes into the ledger."""

    def __init__(self, ledger: Ledger, around: Surroundings) -> None:
        self._ledger = ledger
        self._around = around
        self._update_refusals: dict[TypeKey, ChangeError] = {}
        self._unnamed: set[TypeKey] = set()
        """Inputs that stood alone in an answer with errors that name none: sent once more."""

    def send(self, batch: Batch) -> None:
        """Send a batch, and what its answer leaves to send, for as long as nothing halts."""
        for part in self._through_the_right_endpoint(batch):
            for rest in self._send_once(part):
                self.send(rest)

    def send_again(self, batch: Batch) -> None:
        """Send inputs that were sent and are not shown.

        Through their own endpoint: where a `create` is in doubt, `update` is refused only if the
        limit does not exist, so that nothing is created twice.
        """
        for rest in self._send_once(batch):
            self.send(rest)

    def _through_the_right_endpoint(self, batch: Batch) -> Iterator[Batch]:
        """Where the portal wants `create` for new limits, a batch of updates is two batches."""
        learnt = self._around.create_is_needed.is_set()
        if batch.operation is not Operation.UPDATE or not learnt:
            yield batch
            return
        new = tuple(each for each in batch.inputs if self._ledger.is_new(each))
        old = tuple(each for each in batch.inputs if not self._ledger.is_new(each))
        if new:
            yield replace(batch, operation=Operation.CREATE, inputs=new)
        if old:
            yield replace(batch, inputs=old)

    def _send_once(self, batch: Batch) -> Sequence[Batch]:
        """Send one request; the batches that its answer leaves to send."""
        around = self._around
        if around.halt.reason is not None:
            self._ledger.hold_back(batch.inputs, f"not written: {around.halt.reason}")
            return ()
        around.progress.writing(self._ledger.direction, batch.operation, len(batch.inputs))
        before = self._ledger.sending(batch.inputs)
        try:
            answer = around.portal.write(batch)
        except (RequestRefused, EndpointMissing) as refusal:
            return self._refused_as_a_whole(batch, refusal)
        except ReconcilerError as error:
            self._failed(batch, error, before)
            return ()
        return self._answered(batch, sort_answer(batch, answer))

    # ------------------------------------------------------------ what an answer says

    def _answered(self, batch: Batch, answer: SortedAnswer) -> Sequence[Batch]:
        self._ledger.learn(answer.accepted, Accepted())
        self._ledger.learn(answer.doubtful, Doubtful(answer.error))
        if batch.operation is Operation.CREATE and answer.accepted:
            self._around.create_is_needed.set()
        left = [
            again
            for one, why in answer.refused
            for again in self._refused_alone(replace(batch, inputs=(one,)), why)
        ]
        if not answer.unsettled:
            return left
        self._ledger.learn(answer.unsettled, Doubtful(answer.error))
        rest = replace(batch, inputs=answer.unsettled)
        if len(rest.inputs) < len(batch.inputs):
            return [*left, rest]
        if len(rest.inputs) > 1:
            return _twins_apart(rest) or _halves(rest)
        (one,) = rest.inputs
        if one.key in self._unnamed:
            return self._refused_alone(rest, answer.error)
        self._unnamed.add(one.key)
        return [rest]

    def _refused_as_a_whole(
        self, batch: Batch, refusal: RequestRefused | EndpointMissing
    ) -> Sequence[Batch]:
        """Split a refused batch until the refused inputs stand alone.

        No smaller batch would change that the address is wrong.
        """
        if refusal.may_have_been_written:
            self._ledger.doubt(batch.inputs)
        error = change_error(refusal)
        judged = isinstance(refusal, RequestRefused)
        if len(batch.inputs) == 1 and judged:
            return self._refused_alone(batch, error)
        self._ledger.learn(batch.inputs, Refused(error, judged))
        return _halves(batch) if judged else ()

    def _refused_alone(self, batch: Batch, error: ChangeError) -> Sequence[Batch]:
        """One refused input: where it is new, and `update` did not want it, `create` may."""
        (one,) = batch.inputs
        self._ledger.learn(batch.inputs, Refused(self._with_first_refusal(one, error)))
        if batch.operation is not Operation.UPDATE or not self._ledger.is_new(one):
            return ()
        self._update_refusals[one.key] = error
        self._ledger.create_instead(one, error)
        return (replace(batch, operation=Operation.CREATE),)

    def _with_first_refusal(self, one: BatchInput, error: ChangeError) -> ChangeError:
        """Where `update` was refused before `create`, its words come first."""
        first = self._update_refusals.get(one.key)
        if first is None:
            return error
        return replace(first, message=f"{first.message}; tried as a create: {error.message}")

    # ------------------------------------------------------------ where no usable answer came

    def _failed(
        self, batch: Batch, error: ReconcilerError, before: Mapping[TypeKey, Knowledge]
    ) -> None:
        """A request without a usable answer.

        A `create` in doubt was tried once, so that it says nothing of the portal as a whole: it is
        read back, and sent again if the portal does not show it.
        """
        in_doubt = isinstance(error, PortalError | Interrupted) and error.may_have_been_written
        if not (in_doubt and batch.operation is Operation.CREATE):
            self._around.halt.after(error)
        if in_doubt:
            self._ledger.doubt(batch.inputs)
            self._ledger.learn(batch.inputs, Doubtful(change_error(error)))
        else:
            self._ledger.learn_no_effect(batch.inputs, before, _without_effect(error))


def _without_effect(error: ReconcilerError) -> Untried | Refused:
    told = change_error(error)
    if isinstance(error, TurnedAway):
        return Refused(told, judged=False)
    return Untried(replace(told, message=f"not written: {told.message}"))


def _twins_apart(batch: Batch) -> Sequence[Batch]:
    """Batches without a type ID in common, so that an error names one input; none if it has none.

    The first input of each type ID goes into the first of them, the second into the next.
    """
    if not shared_type_ids(batch):
        return ()
    seen: Counter[int] = Counter()
    parts: dict[int, list[BatchInput]] = {}
    for each in batch.inputs:
        parts.setdefault(seen[each.key.type_id], []).append(each)
        seen[each.key.type_id] += 1
    return [replace(batch, inputs=tuple(part)) for part in parts.values()]


def _halves(batch: Batch) -> Sequence[Batch]:
    """The two halves of a batch of two inputs at least."""
    middle = len(batch.inputs) // 2
    halves = (batch.inputs[:middle], batch.inputs[middle:])
    return [replace(batch, inputs=half) for half in halves]
