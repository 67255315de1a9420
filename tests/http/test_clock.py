"""Time, and the wish to stop."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from reconciler.errors import Interrupted
from reconciler.http.clock import Stop, SystemClock


def test_a_stop_wakes_every_waiter_at_once() -> None:
    """Threads that wait for minutes raise Interrupted as soon as a stop is requested."""
    stop = Stop()
    clock = SystemClock(stop)
    interrupted = []

    def wait() -> None:
        try:
            clock.wait(300)
        except Interrupted:
            interrupted.append(True)

    threads = [threading.Thread(target=wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    begin = time.monotonic()
    stop.request()
    for thread in threads:
        thread.join(60)
    assert interrupted == [True] * 5
    assert time.monotonic() - begin < 60


def test_after_a_stop_no_wait_begins() -> None:
    """Even a wait of no seconds raises, so that nothing is sent after a stop."""
    stop = Stop()
    stop.request()
    assert stop.requested
    assert stop.wait(300)
    with pytest.raises(Interrupted):
        SystemClock(stop).wait(0)


def test_a_signal_in_the_waiting_thread_ends_its_wait() -> None:
    """The handler runs inside the wait that it ends, and does not deadlock."""
    stop = Stop()
    previous = signal.signal(signal.SIGALRM, lambda *_: stop.request())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        begin = time.monotonic()
        with pytest.raises(Interrupted):
            SystemClock(stop).wait(30)
        assert time.monotonic() - begin < 25
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_a_signal_given_to_another_thread_ends_the_wait_too() -> None:
    """The system may give a signal to any thread; only the main one runs the handler."""
    stop, over = Stop(), threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    previous = signal.signal(signal.SIGALRM, lambda *_: stop.request())
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        begin = time.monotonic()
        assert stop.wait(60)
        assert time.monotonic() - begin < 40
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        signal.signal(signal.SIGALRM, previous)
        over.set()
        other.join()


def test_without_a_stop_a_wait_takes_its_time() -> None:
    """Nothing else wakes it."""
    clock = SystemClock()
    begin = clock.monotonic()
    clock.wait(0.05)
    assert clock.monotonic() - begin > 0.04
    assert clock.wall().utcoffset() is not None
