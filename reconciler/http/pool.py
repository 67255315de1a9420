"""The threads of one portal: tasks in parallel, results in order, one failure ends the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")

_TURN = 0.2
"""Seconds of one wait. A wait without end would not notice a signal that the system gave to
another thread, and only the main thread can act on it.
"""


class Pool:
    """At most `threads` threads, started when they are needed."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="portal")
        self._here = threading.local()

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """The results, in the order of the tasks.

        The first failure cancels what has not started, lets finish what has, and is raised. One
        task alone runs here. Raise `RuntimeError` in a task: its threads would wait for
        themselves.
        """
        if getattr(self._here, "works", False):
            raise RuntimeError("a task of the pool has no threads to give to other tasks")
        if len(tasks) == 1:
            return [task() for task in tasks]
        failures: list[BaseException] = []
        futures = [self._executor.submit(self._work, task, failures) for task in tasks]
        try:
            while not failures and wait(futures, _TURN, FIRST_EXCEPTION).not_done:
                pass
        finally:
            _cancel(futures)
        while wait(futures, _TURN).not_done:
            pass
        if failures:
            raise failures[0]
        return [future.result() for future in futures]

    def close(self) -> None:
        """Start nothing more and wait for what runs."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _work(self, task: Callable[[], T], failures: list[BaseException]) -> T:
        self._here.works = True
        if failures:
            raise CancelledError
        try:
            return task()
        except BaseException as failure:
            failures.append(failure)
            raise


def _cancel(futures: Sequence[Future[T]]) -> None:
    for future in futures:
        future.cancel()
