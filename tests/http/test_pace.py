"""One pace for all threads, in virtual time against a server that counts what arrives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import Interrupted
from reconciler.http.clock import Stop, SystemClock
from reconciler.http.messages import Event, Policy, Rate, WaitCause, Waiting
from reconciler.http.pace import Pace, RateExceeded, RateRefusal
from tests.clock import VirtualClock
from tests.http.simulation import RollingServer, Simulation, busiest
from tests.hubspot.support import Recorder

FULL = RateRefusal(Policy.ROLLING, None)


def floor(simulation: Simulation) -> float:
    """The least time that the server's limit allows."""
    return (simulation.requests - 1) // simulation.server.limit * simulation.server.interval


def pace_of(clock: VirtualClock, report: Callable[[Event], None] = lambda _: None) -> Pace:
    """A pace with a patience of a minute and no jitter."""
    return Pace(clock, patience=60, jitter=lambda: 0.0, report=report)


@settings(max_examples=150, deadline=None)
@given(
    limit=st.integers(16, 190),
    workers=st.integers(1, 16),
    slowest=st.floats(0.001, 3.0),
    requests=st.integers(1, 600),
    seed=st.integers(0, 2**32),
    exempt=st.booleans(),
)
def test_a_server_that_tells_its_limit_refuses_nothing(
    limit: int, workers: int, slowest: float, requests: int, seed: int, *, exempt: bool
) -> None:
    """Whatever the network does, no interval of the server's own clock sees more than it allows."""
    simulation = Simulation(
        RollingServer(limit),
        requests,
        workers=workers,
        latency=lambda random: random.uniform(0, slowest),
        seed=seed,
        exempt=exempt,
    ).run()
    assert simulation.server.refused_at == []
    laps = requests // limit + 1
    throttled = floor(simulation) + laps * 2 * slowest
    latency_bound = requests / workers * slowest
    assert simulation.duration <= throttled + latency_bound + 1


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_throughput_is_within_a_tenth_of_the_servers_own(seed: int, *, tells: bool) -> None:
    """Five hundred requests at 100 per ten seconds; 429s only where the limit is found out."""
    server = RollingServer(100, tells=tells)
    simulation = Simulation(server, 500, seed=seed).run()
    assert simulation.duration < floor(simulation) * 1.1
    assert len([at for at in server.refused_at if at > 2]) == 0
    assert len(server.refused_at) <= (0 if tells else simulation.workers)


@pytest.mark.parametrize("used", [30, 90, 100])
def test_foreign_use_is_heeded_before_it_hurts(used: int) -> None:
    """What an earlier run or another tool has used counts, as soon as one answer tells of it."""
    server = RollingServer(100)
    server.admitted.extend([0.0] * used)
    simulation = Simulation(server, 300).run()
    assert len(server.refused_at) <= (1 if used == 100 else 0)
    assert simulation.duration < floor(simulation) + 10 + 2


def test_a_lower_limit_that_nobody_states_is_learned() -> None:
    """Half of the usual allowance, without headers: found out, kept to, tried again slowly."""
    server = RollingServer(50, tells=False)
    simulation = Simulation(server, 500).run()
    assert simulation.duration < floor(simulation) * 1.25
    assert busiest([at for at in server.refused_at if at > 20], 10) <= 3


def test_one_refusal_that_was_foreign_use_costs_little() -> None:
    """A window that others had filled is waited out, and the allowance is the usual one again."""
    server = RollingServer(100, tells=False)
    server.admitted.extend([0.0] * 100)
    simulation = Simulation(server, 300).run()
    assert len(server.refused_at) <= 5
    assert simulation.duration < 40


@pytest.mark.parametrize("limit", [5, 15])
def test_a_limit_by_the_second_is_kept_too(limit: int) -> None:
    """SECONDLY has a window of its own, and is backed off from for a second at least."""
    server = RollingServer(limit, interval=1.0, tells=False, policy=Policy.SECONDLY)
    simulation = Simulation(server, 200).run()
    assert simulation.duration < max(floor(simulation), 20) * 1.3
    assert len(server.refused_at) < 30


def test_a_retry_after_is_believed() -> None:
    """A portal that says one second is asked again after one second, not after the interval."""
    clock = VirtualClock()
    pace = pace_of(clock)
    ticket = pace.enter(exempt=True)
    full = Rate(limit=100, remaining=0, interval=10.0)
    assert pace.refused(ticket, full, RateRefusal(Policy.ROLLING, 1.0)) == 1.0
    pace.answered(pace.enter(exempt=True), Rate(limit=100, remaining=99))
    pace.enter(exempt=True)
    assert clock.now == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rate", "policy", "waited"),
    [
        (Rate(limit=100, interval=10.0), Policy.ROLLING, 10.0),
        (Rate(limit=100, remaining=0, interval=10.0), Policy.ROLLING, 10.0),
        (Rate(limit=100, remaining=57, interval=10.0), Policy.SECONDLY, 1.0),
        (Rate(limit=100, interval=10.0), Policy.SECONDLY, 1.0),
        (Rate(), Policy.ROLLING, 1.0),
    ],
)
def test_what_a_refusal_tells_of_the_window(rate: Rate, policy: Policy, waited: float) -> None:
    """A stated limit means that the window is full, unless another policy refused."""
    clock = VirtualClock()
    pace = pace_of(clock)
    pace.refused(pace.enter(exempt=True), rate, RateRefusal(policy, None))
    pace.enter(exempt=True)
    assert clock.now == pytest.approx(waited, abs=0.1)


def test_exempt_requests_run_free_whatever_the_others_hear() -> None:
    """Headers of the account endpoint say nothing about the limit endpoints (documented)."""
    clock = VirtualClock()
    pace = pace_of(clock)
    for _ in range(10):
        pace.answered(pace.enter(exempt=False), Rate(limit=10, remaining=0, interval=10.0))
        for _ in range(500):
            pace.answered(pace.enter(exempt=True), Rate())
        if clock.now:
            break
    assert clock.now == pytest.approx(10, abs=0.1)


def test_other_endpoints_are_held_to_the_usual_allowance_from_the_start() -> None:
    """100 in ten seconds where nothing is said."""
    clock = VirtualClock()
    pace = pace_of(clock)
    for _ in range(101):
        pace.answered(pace.enter(exempt=False), Rate())
    assert clock.now == pytest.approx(10, abs=0.1)


def test_exempt_requests_count_once_they_are_limited() -> None:
    """What ran free in the last interval is counted when a header brings the window in."""
    clock = VirtualClock()
    pace = pace_of(clock)
    for _ in range(120):
        pace.answered(pace.enter(exempt=True), Rate())
    pace.answered(pace.enter(exempt=True), Rate(limit=100, remaining=0, interval=10.0))
    pace.enter(exempt=True)
    assert clock.now == pytest.approx(10, abs=0.1)


def test_a_refusal_stops_everybody() -> None:
    """While one thread's 429 is waited out, no other sends, exempt or not."""
    clock = VirtualClock()
    events = Recorder()
    pace = pace_of(clock, events)
    first, second = pace.enter(exempt=True), pace.enter(exempt=True)
    pace.refused(first, Rate(), RateRefusal(Policy.ROLLING, 7.0))
    pace.answered(second, Rate())
    pace.answered(pace.enter(exempt=True), Rate())
    assert clock.now == 7.0
    (waiting,) = events.of(Waiting)
    assert (waiting.seconds, waiting.cause) == (7.0, WaitCause.RATE_LIMIT)


def test_refusals_in_a_row_wait_longer() -> None:
    """Without Retry-After the pauses double, up to ten seconds."""
    clock = VirtualClock()
    pace = pace_of(clock)
    pauses = [pace.refused(pace.enter(exempt=True), Rate(), FULL) for _ in range(6)]
    assert pauses == [1, 2, 4, 8, 10, 10]


def test_requests_refused_together_are_one_refusal() -> None:
    """Sixteen 429s of requests that left together do not add up to a long pause."""
    pace = pace_of(VirtualClock())
    tickets = [pace.enter(exempt=True) for _ in range(16)]
    assert [pace.refused(ticket, Rate(), FULL) for ticket in tickets] == [1.0] * 16


def test_a_pause_longer_than_the_time_allowed_fails_at_once() -> None:
    """Threads that have not sent anything yet do not sleep through it either."""
    clock = VirtualClock()
    pace = pace_of(clock)
    pace.refused(pace.enter(exempt=True), Rate(), RateRefusal(Policy.ROLLING, 3600.0))
    with pytest.raises(RateExceeded, match="may start in 3600"):
        pace.enter(exempt=True)
    assert clock.now == 0


def test_a_request_waits_no_longer_for_refusals_to_end_than_a_call_may_take() -> None:
    """Pauses that others keep prolonging are not waited out for ever."""
    clock = VirtualClock()
    pace = pace_of(clock)
    waiting = pace.enter(exempt=True)
    pace.refused(pace.enter(exempt=True), Rate(), RateRefusal(Policy.ROLLING, 50.0))
    clock.now = 40.0
    pace.refused(waiting, Rate(), RateRefusal(Policy.ROLLING, 70.0))
    with pytest.raises(RateExceeded):
        pace.enter(exempt=True)


def test_a_retry_does_not_wait_past_its_time() -> None:
    """With seconds left it fails, saying how long it would have taken."""
    pace = pace_of(VirtualClock())
    pace.answered(pace.enter(exempt=False), Rate(limit=1, remaining=0, interval=10.0))
    with pytest.raises(RateExceeded, match=r"10\.0 s, and 4\.0 s are left"):
        pace.enter(exempt=False, patience=4.0)


def test_a_request_that_never_left_used_nothing() -> None:
    """Its slot is free again, and a probe that never left does not end the pause's caution."""
    clock = VirtualClock()
    pace = pace_of(clock)
    for _ in range(300):
        pace.withdrawn(pace.enter(exempt=False))
    assert clock.now == 0
    pace.refused(pace.enter(exempt=False), Rate(), FULL)
    pace.withdrawn(pace.enter(exempt=False))
    pace.failed(pace.enter(exempt=False))
    assert clock.now == 1


def test_after_a_pause_one_request_tries_alone() -> None:
    """The others wait for its answer, so that a refusal is followed by one at most."""
    clock = SystemClock()
    pace = Pace(clock, patience=60, jitter=lambda: 0.0, report=lambda _: None)
    pace.refused(pace.enter(exempt=True), Rate(), RateRefusal(Policy.ROLLING, 0.05))
    probe = pace.enter(exempt=True)
    entered = threading.Event()

    def enter() -> None:
        pace.enter(exempt=True)
        entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.2)
    pace.answered(probe, Rate())
    assert entered.wait(5)
    thread.join()


def test_a_stop_ends_every_wait() -> None:
    """Threads that queue for their turn are interrupted one after the other, at once."""
    stop = Stop()
    pace = Pace(
        SystemClock(stop),
        patience=600,
        jitter=Random(0).random,
        report=lambda _: None,
    )
    pace.refused(pace.enter(exempt=True), Rate(), RateRefusal(Policy.ROLLING, 300.0))
    interrupted = []

    def enter() -> None:
        try:
            pace.enter(exempt=True)
        except Interrupted:
            interrupted.append(True)

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    stop.request()
    for thread in threads:
        thread.join(5)
    assert interrupted == [True] * 8
