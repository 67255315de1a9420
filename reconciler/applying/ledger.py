"""What is known of each change of one direction, kept as it is learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import UnionType

from reconciler.applying.knowledge import (
    Accepted,
    Doubtful,
    Knowledge,
    Refused,
    Seen,
    Shown,
    Untried,
    after_no_effect,
    judge,
)
from reconciler.applying.record import Record
from reconciler.model.limits import Direction, TypeKey
from reconciler.model.plan import BatchInput, Change, ChangeError, ChangeResult

_NAMED_OBSTACLES = 3

SENT = Accepted | Doubtful | Shown
"""Kinds of knowledge of what the portal may have written."""


class Ledger:
    """The changes of one direction, each with what is known of it."""

    def __init__(self, direction: Direction, changes: Sequence[Change], record: Record) -> None:
        self.direction = direction
        self._changes: Mapping[TypeKey, Change] = {each.type.key: each for each in changes}
        self._known: dict[TypeKey, Knowledge] = dict.fromkeys(
            self._changes, Untried(ChangeError("nothing was sent"))
        )
        self._doubted: set[TypeKey] = set()
        self._record = record

    def sending(self, inputs: Sequence[BatchInput]) -> dict[TypeKey, Knowledge]:
        """From here on the portal may have written these; what was known of them until now."""
        before = {each.key: self._known[each.key] for each in inputs}
        self._set(inputs, Doubtful(ChangeError("it was being sent when the apply broke off")))
        return before

    def learn(self, inputs: Sequence[BatchInput], known: Knowledge) -> None:
        """What an answer, or its absence, says of these inputs."""
        if isinstance(known, Refused):
            doubted = [each for each in inputs if each.key in self._doubted]
            self._note(doubted, Doubtful(known.error))
            inputs = [each for each in inputs if each.key not in self._doubted]
        self._note(inputs, known)

    def doubt(self, inputs: Sequence[BatchInput]) -> None:
        """They left before without an answer that can be believed.

        Whether that was carried out, no refusal of a later attempt can say.
        """
        self._doubted.update(each.key for each in inputs)

    def learn_no_effect(
        self,
        inputs: Sequence[BatchInput],
        before: Mapping[TypeKey, Knowledge],
        told: Untried | Refused,
    ) -> None:
        """An attempt wrote nothing, so that what was known before it still holds."""
        for each in inputs:
            self._known[each.key] = after_no_effect(before[each.key], told)
        self._record.learned(self.direction, inputs, told)

    def hold_back(self, inputs: Sequence[BatchInput], why: str) -> None:
        """These are not sent, or not again."""
        told = Untried(ChangeError(why))
        for each in inputs:
            self._known[each.key] = after_no_effect(self._known[each.key], told)

    def are(self, inputs: Sequence[BatchInput], kind: type[Knowledge]) -> bool:
        """Whether this is known of all these inputs."""
        return all(isinstance(self._known[each.key], kind) for each in inputs)

    def create_instead(self, one: BatchInput, refusal: ChangeError) -> None:
        """`update` was refused for a limit that does not exist yet."""
        self._record.instead(self.direction, one, refusal)

    def is_new(self, one: BatchInput) -> bool:
        """Whether the limit did not exist when the plan was made."""
        return self._changes[one.key].before is None

    # ------------------------------------------------------------ what follows from it

    def __len__(self) -> int:
        return len(self._changes)

    def changes(self, kinds: type[Knowledge] | UnionType) -> list[Change]:
        """The changes of which such a thing is known, in the plan's order."""
        return [
            self._changes[key] for key, known in self._known.items() if isinstance(known, kinds)
        ]

    def was_judged(self, change: Change) -> bool:
        """Whether the portal refused it, and looked at it before."""
        known = self._known[change.type.key]
        return isinstance(known, Refused) and known.judged

    @property
    def sent(self) -> bool:
        return any(not isinstance(known, Untried) for known in self._known.values())

    @property
    def may_have_written(self) -> bool:
        """Whether a write has left that the portal looked at, whatever it answered."""
        refused = any(self.was_judged(each) for each in self.changes(Refused))
        return refused or bool(self.changes(Accepted | Doubtful | Shown))

    def missing(self, seen: Seen, kinds: type[Knowledge] | UnionType = SENT) -> list[Change]:
        """The sent changes that the last read does not show; refused ones are not waited for."""
        return [each for each in self.changes(kinds) if not seen.shows(each)]

    def lost(self, seen: Seen) -> frozenset[TypeKey]:
        """What was sent, never shown, and is as it was before: to be sent again.

        Not what has another value, for somebody may have changed it since.
        """
        return frozenset(
            each.type.key for each in self.changes(Accepted | Doubtful) if seen.shows_old(each)
        )

    def settle(self, seen: Seen) -> None:
        """What a read shows is in doubt no more, whatever can be read later."""
        shown = [
            BatchInput(each.type.key, each.after)
            for each in self.changes(Accepted | Doubtful | Refused)
            if seen.shows(each)
        ]
        self.learn(shown, Shown())

    def obstacle(self) -> str | None:
        """Why what comes after must not be sent: something before it was refused or is in doubt."""
        stuck = [
            f"{self._changes[key].id} ({'refused' if isinstance(known, Refused) else 'in doubt'})"
            for key, known in self._known.items()
            if isinstance(known, Doubtful | Refused)
        ]
        if not stuck:
            return None
        more = len(stuck) - _NAMED_OBSTACLES
        named = ", ".join(stuck[:_NAMED_OBSTACLES]) + (f" and {more} more" if more > 0 else "")
        return f"not sent: it waited for {named}"

    def results(self, seen: Seen, settle: float) -> tuple[ChangeResult, ...]:
        """What became of each change, by what is known and what was seen in the end."""
        return tuple(
            judge(change, self._known[key], seen, settle) for key, change in self._changes.items()
        )

    def _note(self, inputs: Sequence[BatchInput], known: Knowledge) -> None:
        if inputs:
            self._set(inputs, known)
            self._record.learned(self.direction, inputs, known)

    def _set(self, inputs: Sequence[BatchInput], known: Knowledge) -> None:
        for each in inputs:
            self._known[each.key] = known
