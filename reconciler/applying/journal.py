"""The journal: one line of JSON per event, on disk before the next request goes out.

The file below it is a regular one, and the same one from the first line to the last.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG, S_ISSOCK
from threading import Lock
from types import TracebackType
from typing import Self, assert_never

from reconciler.applying.events import (
    ApplyEvent,
    Checking,
    CreateTried,
    Event,
    Finished,
    Learned,
    ReadingBack,
    Settled,
    Started,
    Watching,
    Writing,
)
from reconciler.applying.knowledge import Accepted, Doubtful, Knowledge, Refused, Shown, Untried
from reconciler.errors import ReconcilerError
from reconciler.http import messages as http
from reconciler.hubspot.portal import DirectionRead, Reading
from reconciler.model.plan import Batch, BatchInput, ChangeResult, Plan, change_id
from reconciler.opening import APPENDING
from reconciler.outgoing import harmless_json, mask

MODE = 0o600
"""Of a new journal: it names every limit that was written, to nobody but its owner."""


class Journal:
    """A reader of events that writes down each request before it leaves and what came of it.

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
        distinguishes the lines of this apply from those of others in the same file: by default a
        random one.
        """
        self._now = now
        self._run = run or secrets.token_hex(8)
        self._file = JournalFile(path, save)

    @property
    def problem(self) -> ReconcilerError | None:
        """Why the journal is not complete, or None."""
        return self._file.problem

    def __call__(self, event: Event) -> None:
        """Write an event down.

        Raise ReconcilerError where the start of the apply, or a write that is about to leave, is
        not on the disk.
        """
        for name, fields in _line(event):
            at = self._now().isoformat(timespec="milliseconds")
            line = json.dumps({"at": at, "run_id": self._run, "event": name, **fields})
            self._file.append(harmless_json(mask(line)).encode() + b"\n")
        if isinstance(event, Started | http.Sending | Finished):
            self._file.save()
        stops = isinstance(event, Started) or (
            isinstance(event, http.Sending) and event.exchange.writes
        )
        if stops and self.problem is not None:
            raise self.problem

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


# ---------------------------------------------------------------- the lines

_Line = tuple[str, Mapping[str, object]]
"""The name of an event and what the journal keeps of it."""


def _line(event: Event) -> Iterable[_Line]:
    """The line of an event; none for what a recovery does not need."""
    match event:
        case http.Sending(exchange):
            yield "request", _request(exchange)
        case http.Answered(exchange, status, duration, correlation_id):
            answer = {"status": status, "correlation_id": correlation_id}
            yield "answer", {**_named(exchange), **answer, "seconds": round(duration, 3)}
        case http.Unanswered(exchange, description):
            yield "no_answer", {**_named(exchange), "error": description}
        case http.Waiting(seconds, _, message):
            yield "wait", {"seconds": round(seconds, 3), "reason": message}
        case Reading() | DirectionRead():
            pass
        case _:
            yield from _line_of_apply(event)


def _line_of_apply(event: ApplyEvent) -> Iterable[_Line]:
    match event:
        case Started(plan):
            yield "start", _plan(plan)
        case Learned(direction, inputs, known):
            ids = [change_id(direction, each.key) for each in inputs]
            yield "learned", {"changes": ids, **_known(known)}
        case CreateTried(direction, one, refusal):
            change = change_id(direction, one.key)
            yield "create_instead", {"change": change, "because": refusal.message}
        case Settled(direction, results):
            yield "settled", {"direction": str(direction), "changes": _statuses(results)}
        case Finished(result):
            ended = {"outcome": result.outcome, "message": result.message}
            yield "finish", {**ended, "changes": _statuses(result.changes)}
        case Checking() | Writing() | ReadingBack() | Watching():
            pass
        case _:
            assert_never(event)


def _request(exchange: http.Exchange) -> Mapping[str, object]:
    batch = exchange.subject
    inputs = batch.inputs if isinstance(batch, Batch) else ()
    return {
        **_named(exchange),
        "method": exchange.method,
        "path": exchange.path,
        "inputs": [_input(each) for each in inputs],
    }


def _named(exchange: http.Exchange) -> Mapping[str, object]:
    return {
        "request": exchange.number,
        "attempt": exchange.attempt,
        "operation": exchange.operation,
    }


def _input(each: BatchInput) -> Mapping[str, object]:
    return {"category": each.key.category, "type_id": each.key.type_id, "max": each.max}


def _plan(plan: Plan) -> Mapping[str, object]:
    return {
        "tool_version": plan.tool_version,
        "portal_id": plan.portal.portal_id,
        "portal": plan.portal.name,
        "digest": plan.digest,
        "changes": [
            {"id": each.id, "before": each.before, "after": each.after} for each in plan.changes
        ],
    }


def _statuses(results: Iterable[ChangeResult]) -> list[Mapping[str, object]]:
    return [{"id": each.change.id, "status": each.status} for each in results]


def _known(known: Knowledge) -> Mapping[str, object]:
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


# ---------------------------------------------------------------- the file

_FIRST_LINE = re.compile(rb'\{"at": "[0-9T:.+-]{19,40}", ("run_id": "[0-9a-f]+", )?"event": "\w+"')
_LONGEST_BEGINNING = 200

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (S_ISDIR, "a directory"),
    (S_ISFIFO, "a FIFO"),
    (S_ISCHR, "a device"),
    (S_ISBLK, "a device"),
    (S_ISSOCK, "a socket"),
)


def check_journal(path: Path) -> None:
    """Raise ReconcilerError for a path that cannot be a journal. Creates and changes nothing.

    A journal is a regular file that is new, empty, or begins as a journal does. A symbolic link
    stands for what it leads to.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        _check_folder(path)
        return
    except OSError as error:
        raise _refused(path, f"cannot be used as a journal: {error.strerror}") from error
    if not S_ISREG(found.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "not a file")
        raise _refused(path, f"is {kind}, and a journal is a regular file")
    try:
        with path.open("rb") as file:
            beginning = file.read(_LONGEST_BEGINNING)
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    if not _begins_a_journal(beginning):
        raise _refused(path, "is not a journal, and is left as it is")


def _check_folder(path: Path) -> None:
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise _refused(path, f"cannot be made: there is no folder {folder}")


def _begins_a_journal(beginning: bytes) -> bool:
    """Whether a file is empty, begins with a line of a journal, or with a part of one.

    A process that was killed may have left no more than a part of its first line.
    """
    if _FIRST_LINE.match(beginning):
        return True
    cut_off = len(beginning) < _LONGEST_BEGINNING and b"\n" not in beginning
    return cut_off and (beginning.startswith(b'{"at": "') or b'{"at": "'.startswith(beginning))


def _refused(path: Path, why: str) -> ReconcilerError:
    return ReconcilerError(
        f"--journal: {path} {why}",
        hint="name a file that does not exist yet, or a journal to append to",
    )


class JournalFile:
    """Appends lines for several threads, and stops at the first that cannot be kept.

    A file that was deleted, replaced or shortened meanwhile keeps no line: what was in it before
    is what a recovery needs.
    """

    def __init__(self, path: Path, save: Callable[[int], None] = os.fsync) -> None:
        """Open for appending; raise ReconcilerError for what cannot be a journal.

        `save` puts on the disk what was written to a file descriptor.
        """
        check_journal(path)
        self._path = path
        self._save = save
        self._lock = Lock()
        self._failure: str | None = None
        try:
            self._descriptor = os.open(path, APPENDING, MODE)
            opened = os.fstat(self._descriptor)
            half = False
            if (
                opened.st_size > 0
            ):  # read without `pread`, which Windows lacks; writes append anyway
                os.lseek(self._descriptor, -1, os.SEEK_END)
                half = os.read(self._descriptor, 1) != b"\n"
        except OSError as error:
            self._failure = error.strerror
            raise self._broken() from error
        self._identity = (opened.st_dev, opened.st_ino)
        self._size = opened.st_size
        if half:
            self.append(b"\n")

    @property
    def problem(self) -> ReconcilerError | None:
        """Why not every line was kept, or None."""
        return None if self._failure is None else self._broken()

    def append(self, line: bytes) -> None:
        """Append a complete line; after the first failure nothing more, so that no gap is hidden."""
        with self._lock:
            try:
                self._failure = self._failure or self._tampering()
                while line and self._failure is None:
                    written = os.write(self._descriptor, line)
                    self._size += written
                    line = line[written:]
            except OSError as error:
                self._failure = error.strerror

    def lock(self) -> bool:
        """Keep others from locking the file until it is closed; False where one of them has.

        True, too, where the system or its file system has no such locks.
        """
        try:
            import fcntl  # Windows has none
        except ImportError:
            return True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def save(self) -> None:
        """Everything so far is on the disk, not only with the operating system."""
        try:
            self._save(self._descriptor)
        except OSError as error:
            self._failure = self._failure or error.strerror

    def close(self) -> None:
        """Close the file. What was deleted or replaced after the last line is reported, too."""
        try:
            with self._lock:
                self._failure = self._failure or self._tampering()
            os.close(self._descriptor)
        except OSError as error:
            self._failure = self._failure or error.strerror

    def _tampering(self) -> str | None:
        """What somebody did to the file since the last line. Others may have appended to it."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return "it was deleted during the apply"
        if (found.st_dev, found.st_ino) != self._identity:
            return "it was replaced by another file during the apply"
        if found.st_size < self._size:
            return "it was shortened during the apply"
        return None

    def _broken(self) -> ReconcilerError:
        return ReconcilerError(
            f"cannot write the journal {self._path}: {self._failure}",
            hint="nothing is written to the portal without its line in the journal",
        )
