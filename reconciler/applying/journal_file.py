"""The file below a journal: a regular one, and the same one from the first line to the last."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG, S_ISSOCK
from threading import Lock

from reconciler.errors import ReconcilerError

MODE = 0o600
"""Of a new journal: it names every limit that was written, to nobody but its owner."""

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
    """Raise ReconcilerError for a path that can be no journal. Creates and changes nothing.

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

    def __init__(self, path: Path, save: Callable[[int], None]) -> None:
        """Open for appending; raise ReconcilerError for what cannot be a journal.

        `save` puts on the disk what was written to a file descriptor.
        """
        check_journal(path)
        self._path = path
        self._save = save
        self._lock = Lock()
        self._failure: str | None = None
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            self._descriptor = os.open(path, flags, MODE)
            opened = os.fstat(self._descriptor)
            half = opened.st_size > 0 and os.pread(self._descriptor, 1, opened.st_size - 1) != b"\n"
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
