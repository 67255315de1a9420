"""The journal: one line of JSON per event, on disk before the next request goes out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from types import TracebackType
from typing import Self, assert_never

from reconciler.applying.knowledge import Accepted, Doubtful, Knowledge, Refused, Shown, Untried
from reconciler.errors import ReconcilerError
from reconciler.hubspot import Answer, Exchange, Reason
from reconciler.model import (
    BatchInput,
    ChangeError,
    ChangeResult,
    Direction,
    Plan,
    Result,
    change_id,
)
from reconciler.outgoing import harmless_json, mask
from reconciler.planning.document import digest


class Journal:
    """Watches the requests of an apply and writes each down before and after.

    A `request` line without an `answer` or `no_answer` line of the same number was in flight when
    the process ended. Its line is on disk, and with it every line before, before a byte of it
    leaves. A line that cannot be written keeps the next write from being sent, and costs no report
    of what was: see `problem`. Never holds a token: it is told of none.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime],
        save: Callable[[int], None] = os.fsync,
    ) -> None:
        """Open the file for appending; raise ReconcilerError where that fails.

        `save` puts on the disk what was written to a file descriptor.
        """
        self._path = path
        self._now = now
        self._save_file = save
        self._lock = Lock()
        self._failure: OSError | None = None
        try:
            whole = _ends_in_a_whole_line(path)
            self._file = path.open("ab", buffering=0)
            self._is_on_disk = S_ISREG(os.fstat(self._file.fileno()).st_mode)
        except OSError as error:
            raise self._broken(error) from error
        if not whole:
            self._put(b"\n")

    @property
    def problem(self) -> ReconcilerError | None:
        """Why the journal is not whole, or None."""
        return None if self._failure is None else self._broken(self._failure)

    # ------------------------------------------------------------ the apply

    def start(self, plan: Plan) -> None:
        """The plan that is about to be applied; raise ReconcilerError if that cannot be written."""
        self._write(
            "start",
            {
                "tool_version": plan.tool_version,
                "portal_id": plan.portal.portal_id,
                "portal": plan.portal.name,
                "digest": digest(plan),
                "changes": [
                    {"id": each.id, "before": each.before, "after": each.after}
                    for each in plan.changes
                ],
            },
        )
        self._save()
        self._raise_problem()

    def learned(self, direction: Direction, inputs: Sequence[BatchInput], known: Knowledge) -> None:
        """What an answer, or its absence, says of these inputs."""
        ids = [change_id(direction, each.key) for each in inputs]
        self._write("learned", {"changes": ids, **_known(known)})

    def instead(self, direction: Direction, one: BatchInput, refusal: ChangeError) -> None:
        """`update` was refused for a limit that does not exist yet: `create` is tried, once."""
        self._write(
            "create_instead",
            {"change": change_id(direction, one.key), "because": refusal.message},
        )

    def settled(self, direction: Direction, results: Sequence[ChangeResult]) -> None:
        """All that will be known of a direction's changes."""
        self._write("settled", {"direction": str(direction), "changes": _statuses(results)})

    def finish(self, result: Result) -> None:
        """How the apply ended."""
        self._write(
            "finish",
            {
                "outcome": result.outcome,
                "message": result.message,
                "changes": _statuses(result.changes),
            },
        )
        self._save()

    # ------------------------------------------------------------ its requests

    def sending(self, exchange: Exchange) -> None:
        """A request is about to leave; raise ReconcilerError if it is a write without its line."""
        self._write(
            "request",
            {
                **_named(exchange),
                "method": exchange.method,
                "path": exchange.path,
                "inputs": [_input(each) for each in exchange.inputs],
            },
        )
        self._save()
        if exchange.inputs:
            self._raise_problem()

    def answered(self, exchange: Exchange, answer: Answer) -> None:
        """The answer to a request."""
        self._write(
            "answer",
            {
                **_named(exchange),
                "status": answer.status,
                "correlation_id": answer.correlation_id,
                "seconds": round(answer.duration, 3),
            },
        )

    def failed(self, exchange: Exchange, description: str) -> None:
        """A request that brought no answer; a write may have taken effect."""
        self._write("no_answer", {**_named(exchange), "error": description})

    def waiting(self, seconds: float, reason: Reason) -> None:
        """Nothing is sent for a while."""
        self._write("wait", {"seconds": round(seconds, 3), "reason": reason.message})

    # ------------------------------------------------------------ the file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as failure:
            self._failure = self._failure or failure

    def _write(self, event: str, fields: Mapping[str, object]) -> None:
        at = self._now().isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, "event": event, **fields}, ensure_ascii=True)
        line = harmless_json(mask(line))
        self._put(line.encode() + b"\n")

    def _put(self, line: bytes) -> None:
        """Append a whole line; after the first failure nothing more, so that no gap is hidden."""
        with self._lock:
            try:
                while line and self._failure is None:
                    line = line[self._file.write(line) :]
            except OSError as error:
                self._failure = error

    def _save(self) -> None:
        """Everything so far is on the disk, not only with the operating system."""
        if not self._is_on_disk:
            return
        try:
            self._save_file(self._file.fileno())
        except OSError as error:
            self._failure = self._failure or error

    def _raise_problem(self) -> None:
        if self.problem is not None:
            raise self.problem

    def _broken(self, error: OSError) -> ReconcilerError:
        return ReconcilerError(
            f"cannot write the journal {self._path}: {error.strerror}",
            hint="nothing is written to the portal without its line in the journal",
        )


def _ends_in_a_whole_line(path: Path) -> bool:
    """Whether a new line can begin: a process that was killed may have left half a line."""
    if not path.is_file() or path.stat().st_size == 0:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _named(exchange: Exchange) -> dict[str, object]:
    return {
        "request": exchange.number,
        "attempt": exchange.attempt,
        "operation": exchange.operation,
    }


def _input(each: BatchInput) -> dict[str, object]:
    return {"category": each.key.category, "type_id": each.key.type_id, "max": each.max}


def _statuses(results: Sequence[ChangeResult]) -> list[dict[str, object]]:
    return [{"id": each.change.id, "status": each.status} for each in results]


def _known(known: Knowledge) -> dict[str, object]:
    match known:
        case Accepted():
            return {"what": "accepted"}
        case Shown():
            return {"what": "shown"}
        case Doubtful(error):
            return {"what": "doubtful", "why": error.message}
        case Refused(error):
            return {"what": "refused", "why": error.message}
        case Untried(error):
            return {"what": "not attempted", "why": error.message}
        case _:
            assert_never(known)
