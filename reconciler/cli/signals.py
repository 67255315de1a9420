"""SIGINT, SIGTERM and SIGHUP ask to stop: nothing new is begun, and what was done is reported."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.http.clock import Stop

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
