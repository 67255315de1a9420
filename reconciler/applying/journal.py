"""The journal: one line of JSON per event, on disk before the next request goes out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from reconciler.errors import ReconcilerError
from reconciler.hubspot import Answer, Exchange, Reason
from reconciler.model import BatchInput, Plan, Result
from reconciler.planning.document import digest


class Journal:
    """Watches the requests of an apply and writes each down before and after.

    A `request` line without an `answer` or `no_answer` line of the same number was in flight when
    the process ended. Every line is flushed to disk before the call returns, so a request never
    leaves before its line is safe. Never holds a token: it is told of none.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        """Open the file for appending; raises ReconcilerError where that fails."""
        self._path = path
        self._now = now
        self._lock = Lock()
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise self._broken(error) from error

    def start(self, plan: Plan) -> None:
        """The plan that is about to be applied."""
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

    def finish(self, result: Result) -> None:
        """How the apply ended."""
        self._write(
            "finish",
            {
                "outcome": result.outcome,
                "message": result.message,
                "changes": [
                    {"id": each.change.id, "status": each.status} for each in result.changes
                ],
            },
        )

    def sending(self, exchange: Exchange) -> None:
        """A request is about to leave."""
        self._write(
            "request",
            {
                **_named(exchange),
                "method": exchange.method,
                "path": exchange.path,
                "inputs": [_input(each) for each in exchange.inputs],
            },
        )

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
        line = json.dumps({"at": at, "event": event, **fields}, ensure_ascii=True)
        with self._lock:
            try:
                self._file.write(line.encode() + b"\n")
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise self._broken(error) from error

    def _broken(self, error: OSError) -> ReconcilerError:
        return ReconcilerError(
            f"cannot write the journal {self._path}: {error.strerror}",
            hint="nothing is sent without its line in the journal",
        )


def _named(exchange: Exchange) -> dict[str, object]:
    return {
        "request": exchange.number,
        "attempt": exchange.attempt,
        "operation": exchange.operation,
    }


def _input(each: BatchInput) -> dict[str, object]:
    return {"category": each.key.category, "type_id": each.key.type_id, "max": each.max}
