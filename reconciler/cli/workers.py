"""Work spread over processes, where one core of Python would be the wall before the network is.

The processes are forked, so that nothing is read or imported twice, and hand on what they find by
messages.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, TypeVar

from reconciler.http.clock import TURN

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

    from reconciler.http.clock import Stop

_LEAST = 32
"""Fewer pieces than this are done before a further process has paid for itself."""

Piece = TypeVar("Piece")
Message = TypeVar("Message")


def processes_for(pieces: int) -> int:
    """How many processes so many pieces of work are worth: one for a core, with 32 pieces each.

    One where forking is not safe: on other systems than Linux, and beside other threads.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), pieces // _LEAST))


Running = Mapping[Connection, "ForkProcess"]
"""The processes by the connection that their messages come through."""


@contextmanager
def started(
    groups: Sequence[Sequence[Piece]],
    work: Callable[[Sequence[Piece], Callable[[Message], None]], None],
) -> Iterator[Running]:
    """Do the work on each group in a process of its own, which has ended when the block does.

    Enter it where `processes_for` gives more than one, and use `receive_all` within.
    """
    running: dict[Connection, ForkProcess] = {}
    context = multiprocessing.get_context("fork")
    try:
        for group in groups:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_child, args=(group, work, theirs, [ours, *running]))
            process.start()
            theirs.close()
            running[ours] = process
        yield running
    finally:
        for connection, process in running.items():
            process.terminate()  # one that has sent everything is at its end anyway
            process.join()
            connection.close()


def receive_all(running: Running, receive: Callable[[Message], None], stop: Stop) -> None:
    """Give `receive` each message, until every process has ended; a request to stop is passed on.

    A process that is killed sends no more messages: those are for the caller to miss.
    """
    sending, asked = set(running), False
    while sending:
        for connection in wait(sending, TURN):
            assert isinstance(connection, Connection)  # noqa: S101 - nothing else was waited for
            try:
                message = connection.recv()
            except (EOFError, OSError):  # the latter where a message ends in its middle
                sending.discard(connection)
            else:
                receive(message)
        if stop.requested and not asked:
            asked = True
            for connection in sending:
                running[connection].terminate()


def _child(
    group: Sequence[Piece],
    work: Callable[[Sequence[Piece], Callable[[Message], None]], None],
    connection: Connection,
    of_others: Sequence[Connection],
) -> None:
    for each in of_others:
        each.close()  # or the end of another process would not be seen
    lock = threading.Lock()

    def send(message: Message) -> None:
        with lock:
            connection.send(message)

    with suppress(BrokenPipeError):  # the parent is gone, and with it whoever wants to know
        work(group, send)
