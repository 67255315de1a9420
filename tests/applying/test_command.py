"""The real command under faults and signals: exit codes, streams, journal, and what comes next."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reconciler.errors import ExitCode
from reconciler.model.plan import Plan, Status
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.server import Server, serve
from reconciler.sandbox.stand_in import Options
from tests.applying import process, scenario, truth
from tests.applying.process import Apply, Finished, apply_here
from tests.applying.world import TOKEN, World

SLOWLY = "delay,seconds=1"
"""How a request is answered that a signal is to find under way."""


@contextmanager
def sandbox(*faults: str) -> Iterator[Server]:
    """The scenario's portal, as the plan expects it, with these faults."""
    rules = tuple(parse_fault(rule) for rule in faults)
    start, end, type_id, _ = scenario.EDITED
    (planned,) = [each[3] for each in scenario.LIMITS if each[:3] == (start, end, type_id)]
    state = scenario.portal().with_limit(start, end, type_id, planned)
    with serve(state, Options(token=TOKEN, faults=rules)) as server:
        yield server


@cache
def planned() -> Plan:
    """The scenario's plan."""
    with sandbox() as server, TemporaryDirectory() as folder:
        return World.over_http(Path(folder), server).plan(scenario.configuration())


def apply(folder: Path, server: Server, *options: str) -> Finished:
    """Apply the plan in this process; the report must be true."""
    finished = apply_here(folder, planned(), server.url, *options)
    process.check(finished, planned(), server)
    return finished


def converge(folder: Path, server: Server) -> None:
    """One more apply, of a new plan, puts everything right; the first plan is refused then."""
    with serve(server.portal, Options(token=TOKEN)) as recovered:
        _converge(World.over_http(folder, recovered))


def _converge(made: World) -> None:
    again = made.apply(made.plan(scenario.configuration()))
    truth.check(again)
    assert again.code is ExitCode.DONE
    assert made.plan(scenario.configuration()).changes == ()
    assert made.apply(planned()).code is ExitCode.REFUSED


def test_an_undisturbed_apply_is_verified(tmp_path: Path) -> None:
    """Exit 0; a second one is refused, because the plan was applied before."""
    with sandbox() as server:
        finished = Apply(tmp_path, planned(), server.url, "--settle", "1").finish()
        process.check(finished, planned(), server)
        assert finished.code == 0
        assert finished.document.requests == 23 + len(planned().by_direction)
        assert finished.with_status(Status.VERIFIED) == [each.id for each in planned().changes]
        replayed = apply_here(tmp_path, planned(), server.url)
        assert (replayed.code, replayed.document.requests) == (4, 6)
        assert "it was applied before" in replayed.err


SOON = (
    ("write#3:drop,wrote=yes", 0),
    ("write#2:401", 5),
    ("write#2-:429,policy=DAILY", 5),
    ("write#4:400", 5),
    ("write#1:huge,mb=50", 0),
    ("read#6-:403", 5),
    ("write#1-:429,policy=DAILY", 1),
)
LATE = (
    ("any#2-:503", 1),
    ("write#1-:423", 1),
    ("write#2-:503,wrote=yes", 5),
    ("write#4:lose", 0),
    ("write#4-:lose", 5),
)
"""Faults that are waited out, in real time."""


@pytest.mark.parametrize(
    ("fault", "code"), [*SOON, *(pytest.param(*each, marks=pytest.mark.torture) for each in LATE)]
)
def test_exit_code_and_report_are_true(tmp_path: Path, fault: str, code: int) -> None:
    """Whatever the portal does; one more apply puts it right."""
    with sandbox(fault) as server:
        finished = apply(
            tmp_path, server, "--timeout", "3", "--verify-timeout", "1", "--concurrency", "1"
        )
        assert finished.code == code
        converge(tmp_path, server)


REFUSED = "contacts>companies/USER_DEFINED/28"


def test_each_refusal_names_what_support_asks_for(tmp_path: Path) -> None:
    """File and line, HubSpot's message, category and correlation ID."""
    with sandbox("write:refuse,types=28") as server:
        finished = apply(tmp_path, server, "--verify-timeout", "1")
        (failed,) = [each for each in finished.document.changes if each.id == REFUSED]
        assert failed.status is Status.UNCERTAIN, "it was watched for less than 15 s"
        assert failed.error is not None
        assert failed.source is not None
        assert (failed.source.path, failed.source.line) == ("configs/contacts-companies.yaml", 4)
        assert failed.error.category == "VALIDATION_ERROR"
        assert failed.error.correlation_id is not None
        assert "Refused by a fault rule of the sandbox." in failed.error.message


def test_nobody_listens(tmp_path: Path) -> None:
    """Exit 1 within the time allowed; nothing was written."""
    with sandbox() as server:
        address = server.url
    finished = apply_here(tmp_path, planned(), address, "--timeout", "1")
    assert finished.code == 1
    assert "connection" in finished.err.lower()
    assert {each.status for each in finished.document.changes} == {Status.NOT_ATTEMPTED}


def test_the_cable_is_pulled_in_the_middle(tmp_path: Path) -> None:
    """Incomplete, in the time allowed for a call and for showing; the next apply puts it right."""
    with sandbox(f"write#3-:{SLOWLY}") as server:
        running = Apply(tmp_path, planned(), server.url, "--timeout", "2", "--verify-timeout", "1")
        running.wait_until(lambda: process.writes(server) >= 3)
        server.stop()
        server.close()
        finished = running.finish()
        process.check(finished, planned(), server)
        assert finished.code == 5
        assert finished.document.message is not None
        converge(tmp_path, server)


# ---------------------------------------------------------------- signals


def interrupted(folder: Path, number: signal.Signals, write: int) -> None:
    """The signal finds this write under way."""
    with sandbox(f"write#{write}-:{SLOWLY}") as server:
        running = Apply(folder, planned(), server.url)
        running.wait_until(lambda: process.writes(server) >= write)
        running.send(number)
        finished = running.finish()
        process.check(finished, planned(), server)
        assert finished.code == 5
        assert "interrupted" in (finished.document.message or "")
        assert len(server.requests) == finished.document.requests
        converge(folder, server)


def killed(folder: Path, write: int) -> None:
    """The process is gone while this write is under way."""
    with sandbox(f"write#{write}-:{SLOWLY}") as server:
        running = Apply(folder, planned(), server.url)
        running.wait_until(lambda: process.writes(server) >= write)
        running.send(signal.SIGKILL)
        finished = running.finish()
        assert (finished.code, finished.out) == (-signal.SIGKILL, "")
        process.check_journal(finished, server)
        assert finished.journal[0]["event"] == "start"
        assert finished.journal[-1]["event"] != "finish"
        converge(folder, server)


@pytest.mark.parametrize(("number", "write"), [(signal.SIGINT, 7), (signal.SIGTERM, 1)])
def test_a_signal_ends_it_with_a_true_report(
    tmp_path: Path, number: signal.Signals, write: int
) -> None:
    """Exit 5: no new request, those under way finish, and their inputs are uncertain."""
    interrupted(tmp_path, number, write)


def test_a_kill_leaves_a_journal_with_every_write(tmp_path: Path) -> None:
    """And the next apply puts everything right."""
    killed(tmp_path, 7)


@pytest.mark.torture
@pytest.mark.parametrize("write", range(1, 13))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_every_signal_at_every_write(tmp_path: Path, number: signal.Signals, write: int) -> None:
    """As above."""
    if number is signal.SIGKILL:
        killed(tmp_path, write)
    else:
        interrupted(tmp_path, number, write)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_first_write_writes_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Exit 1 says so."""
    with sandbox(f"read:{SLOWLY}") as server:
        running = Apply(tmp_path, planned(), server.url)
        running.wait_until(lambda: len(server.requests) >= 2)
        running.send(number)
        finished = running.finish()
        assert finished.code == 1
        assert process.writes(server) == 0
        assert {each.status for each in finished.document.changes} == {Status.NOT_ATTEMPTED}


def test_a_signal_ends_a_wait_at_once(tmp_path: Path) -> None:
    """The portal asks for a minute; nobody waits for it."""
    with sandbox("write#1-:423,retry-after=50") as server:
        running = Apply(tmp_path, planned(), server.url)
        running.wait_until(lambda: process.writes(server) >= 5)
        running.send(signal.SIGINT)
        finished = running.finish()
        process.check(finished, planned(), server)
        assert finished.code == 1
        assert finished.seconds < 30
        converge(tmp_path, server)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_without_a_word(
    tmp_path: Path, number: signal.Signals
) -> None:
    """No report is better than a wrong one: the journal has what was sent."""
    with sandbox("write:hang,seconds=600,wrote=yes") as server:
        running = Apply(tmp_path, planned(), server.url)
        running.wait_until(lambda: process.writes(server) >= 5)
        running.send(number)
        time.sleep(1.0)  # two signals that are both pending would be one
        running.send(number)
        finished = running.finish()
        assert (finished.code, finished.out) == (-number, "")
        assert "nothing was written" not in finished.err
        process.check_journal(finished, server)
        converge(tmp_path, server)
