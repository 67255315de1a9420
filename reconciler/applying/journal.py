"""The journal: one line of JSON per event, on disk before the next request goes out."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never

from reconciler.applying.journal_file import JournalFile
from reconciler.applying.knowledge import Accepted, Doubtful, Knowledge, Refused, Shown, Untried
from reconciler.errors import ReconcilerError
from reconciler.http.events import Answered, Event, Exchange, Sending, Unanswered, Waiting
from reconciler.model.limits import Direction
from reconciler.model.plan import (
    Batch,
    BatchInput,
    ChangeError,
    ChangeResult,
    Plan,
    Result,
    change_id,
)
from reconciler.outgoing import harmless_json, mask


class Journal:
    """Watches the requests of an apply and writes each down before and after.

    A `request` line without an `answer` or `no_answer` line of the same number was in flight when
    the process ended. Its line is on disk, and with it every line before, before a byte of it
    leaves. A line that cannot be written, be it because the file was deleted or replaced, keeps the
    next write from being sent, and costs no report of what was: see `problem`. Never holds a token.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime],
        save: Callable[[int], None] = os.fsync,
        run: str | None = None,
    ) -> None:
        """Open the file for appending; raise ReconcilerError for what cannot be one.

        `save` puts on the disk what was written to a file descriptor. `run` is on every line and
        tells the lines of this apply from those of others in the same file: by default a random
        one.
        """
        self._now = now
        self._run = run or secrets.token_hex(8)
        self._file = JournalFile(path, save)

    @property
    def problem(self) -> ReconcilerError | None:
        """Why the journal is not complete, or None."""
        return self._file.problem

    # ------------------------------------------------------------ the apply

    def start(self, plan: Plan) -> None:
        """The plan that is about to be applied; raise ReconcilerError if that cannot be written."""
        self._write(
            "start",
            {
                "tool_version": plan.tool_version,
                "portal_id": plan.portal.portal_id,
                "portal": plan.portal.name,
                "digest": plan.digest,
                "changes": [
                    {"id": each.id, "before": each.before, "after": each.after}
                    for each in plan.changes
                ],
            },
        )
        self._file.save()
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
        self._file.save()

    # ------------------------------------------------------------ its requests

    def __call__(self, event: Event) -> None:
        """Write down what happens to a request.

        Raise ReconcilerError for a write that is about to leave without its line on the disk.
        """
        match event:
            case Sending(exchange):
                self._sending(exchange)
            case Answered(exchange, status, duration, correlation_id):
                self._write(
                    "answer",
                    {
                        **_named(exchange),
                        "status": status,
                        "correlation_id": correlation_id,
                        "seconds": round(duration, 3),
                    },
                )
            case Unanswered(exchange, description):
                self._write("no_answer", {**_named(exchange), "error": description})
            case Waiting(seconds, _, message):
                self._write("wait", {"seconds": round(seconds, 3), "reason": message})
            case _:
                assert_never(event)

    def _sending(self, exchange: Exchange) -> None:
        batch = exchange.subject
        self._write(
            "request",
            {
                **_named(exchange),
                "method": exchange.method,
                "path": exchange.path,
                "inputs": [_input(each) for each in batch.inputs]
                if isinstance(batch, Batch)
                else [],
            },
        )
        self._file.save()
        if exchange.writes:
            self._raise_problem()

    # ------------------------------------------------------------ the file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _write(self, event: str, fields: Mapping[str, object]) -> None:
        at = self._now().isoformat(timespec="milliseconds")
        line = json.dumps(
            {"at": at, "run_id": self._run, "event": event, **fields}, ensure_ascii=True
        )
        self._file.append(harmless_json(mask(line)).encode() + b"\n")

    def _raise_problem(self) -> None:
        if self.problem is not None:
            raise self.problem


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
