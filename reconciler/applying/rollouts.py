"""What a journal says of an apply to many portals in waves: how it is resumed after any end.

The rollout's own lines are `rollout` at its beginning and `rollout_end` when every wave is done. The
lines of each portal's apply are those of any apply. Their `run_id` begins with that of the rollout,
so that its `finish` line, on the disk before anything else happens, says that the portal is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from reconciler.applying.events import Finished, Started
from reconciler.applying.journal import Journal, JournalFile, check_journal
from reconciler.errors import ReconcilerError
from reconciler.model.plan import Outcome, Plan, Result

_ID_DIGITS = 16
_DONE = frozenset({Outcome.APPLIED.value, Outcome.NOTHING.value})


class RolloutJournal:
    """A rollout in a journal: begun here, or resumed where the last one of `key` has not ended.

    `done`: the IDs of the portals' runs that a rollout which is resumed has finished. Close it after
    use. Until then no other process can roll out with the same journal, where the system has locks.
    """

    def __init__(
        self, path: Path, key: str, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        """Raise ReconcilerError for what cannot be a journal, or is in use by another rollout.

        `key` is the same for the same waves of the same portals with the same files.
        """
        check_journal(path)
        self._path = path
        self._now = now
        self._file = JournalFile(path)
        if not self._file.lock():
            self._file.close()
            raise ReconcilerError(
                f"--journal: another apply in waves is using {path}",
                hint="wait for its end: it is taken up where it ended",
            )
        self._id, self.done = _unfinished(path, key)
        self.is_resumed = bool(self._id)
        if not self.is_resumed:
            self._id = new_id()
            self._append({"event": "rollout", "key": key})

    def run_of(self, portal: str) -> str:
        """The `run_id` of a portal's apply."""
        return f"{self._id}{sha256(portal.encode()).hexdigest()[:_ID_DIGITS]}"

    def is_done(self, portal: str) -> bool:
        """Whether the portal was finished before: verified, or found as the files want it."""
        return self.run_of(portal) in self.done

    def found_nothing(self, plan: Plan, result: Result) -> None:
        """Write down that a portal needs no apply: its plan has no changes."""
        with Journal(self._path, self._now, run=self.run_of(plan.portal.name)) as journal:
            journal(Started(plan))
            journal(Finished(result))

    def end(self) -> None:
        """Write down that every wave is done: the next rollout begins anew."""
        self._append({"event": "rollout_end"})

    def close(self) -> None:
        """Let others use the journal; raise ReconcilerError where it is not complete."""
        self._file.close()
        if self._file.problem is not None:
            raise self._file.problem

    def _append(self, fields: Mapping[str, object]) -> None:
        at = self._now().isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, "run_id": self._id, **fields})
        self._file.append(line.encode() + b"\n")
        self._file.save()
        if self._file.problem is not None:
            raise self._file.problem


def _unfinished(path: Path, key: str) -> tuple[str, frozenset[str]]:
    """The last rollout of the journal, if it is of this key and has not ended, and what it did.

    Another rollout after it, with other files perhaps, means that this one begins anew.
    """
    rollout, found, done = "", "", set[str]()
    for line in _lines(path):
        match line:
            case {"event": "rollout", "run_id": str(run), "key": str(of)}:
                rollout, found, done = run, of, set()
            case {"event": "rollout_end", "run_id": str(run)} if run == rollout:
                rollout, found, done = "", "", set()
            case {"event": "finish", "run_id": str(run), "outcome": str(outcome)} if (
                rollout and run.startswith(rollout)
            ):
                (done.add if outcome in _DONE else done.discard)(run)
    return (rollout, frozenset(done)) if found == key else ("", frozenset())


def _lines(path: Path) -> Iterator[Any]:
    """The lines that are complete. One that was cut off or damaged says nothing.

    What it may have said is done again, after a fresh look at the portal.
    """
    with path.open("rb") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue
