"""A portal with its threads: parallel reads, one failure, a stop, a pace."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time

import pytest

from reconciler.errors import Interrupted, PortalUnavailable, RequestRefused
from reconciler.http.clock import Stop, SystemClock
from reconciler.http.connection import Connection
from reconciler.hubspot.portal import connect
from reconciler.model.limits import Direction, ObjectType, ObservedDirection
from reconciler.outgoing import Secret
from reconciler.sandbox.stand_in import Options
from tests.http.simulation import RollingServer
from tests.hubspot.raw_server import RawServer, raw_server, response
from tests.hubspot.support import (
    COMPANIES,
    CONTACTS,
    TOKEN,
    answer,
    directions,
    never,
    rows,
    sandboxed,
    scripted,
)


def test_reads_are_truly_parallel_and_in_order() -> None:
    """32 reads of 100 ms on 16 threads overlap, and come back as they were given."""
    given = [
        Direction(CONTACTS, COMPANIES) if even else Direction(COMPANIES, CONTACTS)
        for even in (True, False) * 16
    ]
    with sandboxed(options=Options(latency=0.1)) as (portal, server):
        portal.account()
        observed = portal.read_all(given, needs_labels=never)
        assert server.peak > 8
    assert [each.direction for each in observed] == given


def test_concurrency_is_a_bound() -> None:
    """Three threads are never more than three requests at once."""
    with sandboxed(options=Options(latency=0.02), concurrency=3) as (portal, server):
        portal.read_all(directions(20), needs_labels=never)
        assert server.peak == 3


def test_the_first_failure_cancels_the_rest() -> None:
    """What has not started is not sent; the failure is raised as it is."""
    with sandboxed("read#1-:400", options=None, concurrency=2) as (portal, server):
        with pytest.raises(RequestRefused):
            portal.read_all(directions(200), needs_labels=never)
        assert len(server.requests) <= 4


def test_a_judge_of_labels_that_fails_is_raised() -> None:
    """An error of the caller's own function is not swallowed."""

    def broken(_: ObservedDirection) -> bool:
        raise KeyError("label")

    with sandboxed() as (portal, _), pytest.raises(KeyError, match="label"):
        portal.read_all(directions(5), needs_labels=broken)


def test_a_task_gives_no_tasks_to_the_threads_it_runs_on() -> None:
    """They would wait for themselves: that is an error at once, not sometimes a deadlock."""
    with sandboxed(concurrency=2) as (portal, _):

        def nested() -> int:
            return sum(portal.in_parallel([lambda: 1] * 5))

        with pytest.raises(RuntimeError, match="no threads to give"):
            portal.in_parallel([nested] * 10)
        assert portal.in_parallel([]) == []


def test_no_tasks_and_one_task_need_no_thread() -> None:
    """One task runs where it was asked for."""
    portal, _ = scripted(answer(200, rows()))
    here = threading.current_thread()
    assert portal.in_parallel([threading.current_thread]) == [here]
    portal.close()


def test_a_stop_ends_reads_under_way() -> None:
    """No further request; those in flight are finished; the wait for a lock is over at once."""
    stop = Stop()
    with sandboxed("read:423", clock=SystemClock(stop), timeout=60) as (portal, server):
        timer = threading.Timer(0.3, stop.request)
        timer.start()
        begin = time.monotonic()
        with pytest.raises(Interrupted):
            portal.read_all(directions(40), needs_labels=never)
        assert time.monotonic() - begin < 40
        assert len(server.requests) <= 16
        timer.join()


def test_a_portal_that_limits_for_ever_is_given_up_in_time() -> None:
    """Sixteen threads do not each wait out the time allowed, one after the other."""
    with sandboxed("any:429", timeout=1.5) as (portal, _):
        begin = time.monotonic()
        with pytest.raises(PortalUnavailable) as caught:
            portal.read_all(directions(40), needs_labels=never)
        assert time.monotonic() - begin < 40
        assert re.search("limits the rate|HTTP 429", caught.value.message)


def test_a_rate_limited_portal_is_read_without_a_refusal() -> None:
    """Rate headers bring the window in with the first answer: no 429 on a real socket either."""
    limits, lock = RollingServer(20, interval=1.0), threading.Lock()

    def speak(connection: socket.socket, _: RawServer) -> None:
        with lock:
            admits, rate = limits.arrive(time.monotonic())
        headers = [
            f"X-HubSpot-RateLimit-Max: {rate.limit}",
            f"X-HubSpot-RateLimit-Remaining: {rate.remaining}",
            "X-HubSpot-RateLimit-Interval-Milliseconds: 1000",
        ]
        status = "200 OK" if admits else "429 Too Many Requests"
        connection.sendall(response(b'{"results": [], "portalId": 1}', *headers, status=status))

    with raw_server(speak) as server:
        with connect(Connection(Secret(TOKEN), base_url=server.url)) as portal:
            portal.account()
            begin = time.monotonic()
            portal.read_all(directions(60), needs_labels=never)
            assert time.monotonic() - begin > 2.9
        assert len(server.requests) == 61
    assert limits.refused_at == []


def test_the_paths_of_custom_objects_are_quoted() -> None:
    """An object type ID cannot leave its place in the path."""
    odd = Direction(ObjectType("../x", "x"), ObjectType("a b?c#d", "y"))
    portal, transport = scripted(answer(200, rows()))
    portal.read(odd, needs_labels=never)
    assert transport.requests[0].url.endswith("/configurations/..%2Fx/a%20b%3Fc%23d")
    portal.close()
    assert transport.closed


def test_requests_count_every_attempt() -> None:
    """As the result document reports them."""
    with sandboxed("account#1:503") as (portal, server):
        portal.account()
        assert portal.requests == len(server.requests) == 2


def test_closing_waits_for_what_runs() -> None:
    """No thread outlives its portal."""

    def slow(connection: socket.socket, server: RawServer) -> None:
        server.stopping.wait(0.2)
        connection.sendall(response(b'{"portalId": 1}'))

    before = threading.active_count()
    with raw_server(slow) as server:
        connection = Connection(Secret(TOKEN), base_url=server.url)
        with connect(connection) as portal:
            assert [each.portal_id for each in portal.in_parallel([portal.account] * 3)] == [1] * 3
    assert threading.active_count() <= before


def test_what_every_command_imports_is_cheap() -> None:
    """httpcore, pydantic and tenacity are loaded when a portal is made, not before."""
    script = (
        "import sys, reconciler.http.connection, reconciler.http.clock, reconciler.hubspot.versions; "
        "print(sorted({'httpcore', 'pydantic', 'tenacity', 'ssl', 'asyncio'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert ran.stdout.strip() == "[]"
