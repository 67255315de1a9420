"""What the process has from the system: its standard streams, and the signals that end it.

What is written to the streams is masked, and a failure stops nothing: what a command did does not
depend on who can read of it. A reader that went away, a full disk or a closed stream is remembered,
and the rest of the command goes on.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from reconciler.outgoing import mask

if TYPE_CHECKING:
    from reconciler.http.clock import Stop


class Outlet(io.TextIOBase):
    """A stream that never raises, and writes at once, so that nothing is left for the end.

    What its encoding does not have is replaced by what looks like it, see `replacement`; bytes are
    written as they are. `problem`: why something could not be written, from the first failure on.
    `answered`: whether it was given a result. `code`: of the first mistake that was shown on it.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, stream: TextIO | None) -> None:
        """Write to the stream, or to its descriptor where it has one; None: it is closed."""
        self._stream = stream
        self._descriptor: int | None = None
        self.problem: OSError | None = None
        self.answered = False
        self.code: str | None = None
        if stream is None:
            self.problem = OSError(errno.EBADF, "it is closed")
            return
        with suppress(LookupError):  # an encoding that Python does not know
            name = codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name
            self.encoding = "utf-8" if name.startswith("utf") else name
        with suppress(OSError, ValueError):  # a stream without a descriptor
            stream.flush()  # nothing is left behind in the stream's own buffer
            if not (os.name == "nt" and stream.isatty()):  # a console takes text, not UTF-8
                self._descriptor = stream.fileno()

    @property
    def reader_left(self) -> bool:
        """Whether a reader went away, which is how readers say that they have seen enough."""
        return self.problem is not None and self.problem.errno == errno.EPIPE

    def write(self, text: str | bytes) -> int:
        if not isinstance(text, str):
            if not text:  # click writes no bytes at all to learn what kind of stream this is
                raise TypeError("a text stream takes text")
            text, encoding = text.decode("utf-8", "surrogateescape"), "utf-8"
        else:
            encoding = self.encoding
        if text and self.problem is None:
            try:
                self._write(mask(text), encoding)
            except OSError as error:
                self.problem = error
            except ValueError:
                self.problem = OSError(errno.EBADF, "it is closed")
        return len(text)

    def flush(self) -> None:
        """Everything is written already."""

    def fileno(self) -> int:
        if self._descriptor is None:
            raise io.UnsupportedOperation("fileno")
        return self._descriptor

    def isatty(self) -> bool:
        with suppress(OSError, ValueError):
            return self._stream is not None and self._stream.isatty()
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def _write(self, text: str, encoding: str) -> None:
        content = text.encode(encoding, _REPLACING)
        if self._descriptor is None:
            assert self._stream is not None  # noqa: S101  a closed one has a problem
            self._stream.write(content.decode(encoding))
            self._stream.flush()
            return
        view = memoryview(content)
        while view:
            view = view[_write_some(self._descriptor, view) :]


_REPLACING = "reconciler.replacing"
_ALIKE = {
    **dict(zip("↑↓↯⚠✗−–—·×“”‘’│─━", "^v!!x----x\"\"''|--", strict=True)),
    "→": "->",
    "←": "<-",
    "✓": "ok",
    "…": "...",
    "\u200e": "",
}
"""What looks like a sign of ours, in ASCII."""


def replacement(error: UnicodeError) -> tuple[str, int]:
    """What to write for the characters that an encoding such as cp1252 does not have.

    Arrows and marks become ASCII that looks like them, strangers' letters Python's escapes.
    """
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 - nothing is decoded with it
    missing = error.object[error.start : error.end]
    escaped = (each.encode("ascii", "backslashreplace").decode() for each in missing)
    found = (_ALIKE.get(each, escape) for each, escape in zip(missing, escaped, strict=True))
    return "".join(found), error.end


codecs.register_error(_REPLACING, replacement)


def _write_some(descriptor: int, data: memoryview) -> int:
    """Write what fits; wait for the reader where whoever started us made the stream not wait."""
    while True:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:
            select.select([], [descriptor], [])


@contextmanager
def outlets() -> Iterator[tuple[Outlet, Outlet]]:
    """Put outlets in the place of the two streams, for everything that prints."""
    _occupy_closed_descriptors()
    before = sys.stdout, sys.stderr
    out, err = Outlet(sys.stdout), Outlet(sys.stderr)
    sys.stdout, sys.stderr = out, err
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr = before


def _occupy_closed_descriptors() -> None:
    """Where a standard stream is closed, the next file or connection would become that stream."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)


# ---------------------------------------------------------------- signals

Handler = signal.Handlers | Callable[[int, FrameType | None], object] | int | None


def stop_signals() -> Sequence[int]:
    """The signals that ask to stop; SIGHUP is not one of them where nohup has it ignored."""
    hangup: int | None = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return (signal.SIGINT, signal.SIGTERM)
    return (signal.SIGINT, signal.SIGTERM, hangup)


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """The first signal asks to stop; a second SIGINT or SIGTERM ends the process at once.

    At once means without a word: a KeyboardInterrupt would wait for the requests under way, and
    then say that nothing was written. A terminal that goes away sends SIGHUP twice, once itself
    and once through its shell, and nobody meant anything by the second.
    """

    def handle(number: int, _: FrameType | None) -> None:
        stop.request()
        if number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    with _handling(handle):
        yield


@contextmanager
def interrupting_on_signals(stop: Stop) -> Iterator[None]:
    """Within: a signal asks to stop and raises KeyboardInterrupt, for a question that waits."""

    def handle(_number: int, _: FrameType | None) -> None:
        stop.request()
        raise KeyboardInterrupt

    with _handling(handle):
        yield


def end_with(code: int) -> None:
    """From here on a signal ends the process with its code: everything is done and reported."""
    for number in stop_signals():
        signal.signal(number, lambda _number, _: os._exit(code))


@contextmanager
def _handling(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    previous: dict[int, Handler] = {number: signal.getsignal(number) for number in stop_signals()}
    for number in previous:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
