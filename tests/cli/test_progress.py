"""Progress on a real terminal, and none of it elsewhere."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any
from unittest import mock

import pytest
from rich.console import Console
from rich.progress import Progress

from reconciler.applying.events import Checking, Event, ReadingBack, Settled, Watching, Writing
from reconciler.cli.progress import BarReporter, LineReporter, Pane
from reconciler.http.messages import (
    Answered,
    Exchange,
    Rate,
    Sending,
    Unanswered,
    WaitCause,
    Waiting,
)
from reconciler.hubspot.portal import DirectionRead, Reading
from reconciler.model.limits import Direction, ObjectType
from reconciler.model.plan import Operation
from reconciler.sandbox.faults.language import parse_fault
from tests.cli.running import Desk

TERMINAL = {"TERM": "xterm", "COLUMNS": "120"}


def on_a_terminal(desk: Desk, *arguments: str, typed: str = "") -> tuple[int, str]:
    """Run the command with a terminal for its three streams; exit code and all that was shown."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=desk.folder,
        env={**desk.env, **TERMINAL},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        close_fds=True,
    )
    os.close(slave)
    shown = _shown(master, typed)
    return process.wait(30), shown


def on_a_terminal_here(desk: Desk, *arguments: str, typed: str = "") -> tuple[int, str]:
    """The same in this process."""
    master, slave = pty.openpty()
    desk.variables |= TERMINAL
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(_shown, master, typed)
        with (
            open(slave, closefd=False) as stdin,
            open(slave, "w", closefd=False) as out,
            open(slave, "w", closefd=False) as err,
        ):
            code = desk.run_onto(out, err, *arguments, stdin=stdin)
        os.close(slave)
        return code, reading.result()


def _shown(master: int, typed: str) -> str:
    """What is shown until the other side is closed; the question is answered."""
    shown = b""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            shown += os.read(master, 65_536)
        except OSError:  # Linux: the other side is closed
            break
        if typed and b'Type "yes" to apply' in shown:
            os.write(master, typed.encode())
            typed = ""
    os.close(master)
    return shown.decode()


def test_a_person_is_asked_and_says_yes(pair: Desk) -> None:
    """Destination and counts stand above the question."""
    code, shown = on_a_terminal(pair, "apply", typed="yes\n")
    assert code == 0
    asked = shown[: shown.index('Type "yes"')]
    assert "Apply to portal default (1234567, STANDARD)?" in asked
    assert "1 to create, 2 to update, 0 to delete" in asked
    assert "Apply complete: 1 created, 2 updated, 0 deleted." in shown


def test_anything_but_yes_is_a_no(pair: Desk) -> None:
    """So is the end of input."""
    for typed in ("y\n", "YES\n", "\x04"):
        code, shown = on_a_terminal_here(pair, "apply", typed=typed)
        assert code == 4
        assert "not approved" in shown
    assert pair.writes() == []


def test_a_wait_is_told_on_the_bar(pair: Desk) -> None:
    """What is waited for and why."""
    assert pair.server is not None
    pair.server.set_faults([parse_fault("update#1:429,retry-after=1")])
    code, shown = on_a_terminal_here(pair, "apply", "--auto-approve")
    assert code == 0
    assert re.search(r"waiting \d+ s: rate limit, 429", shown)


def test_a_plan_shows_how_many_directions_are_read(pair: Desk) -> None:
    """On a terminal, with the number of all; a pipe is shown nothing of it, and -q neither."""
    assert pair.server is not None
    for other in ("deals", "tickets"):
        pair.write(f"configs/{other}.yaml", f"from: contacts\nto: {other}\nmax: 5\n")
    pair.server.set_faults([parse_fault("read:delay,seconds=0.15")])
    code, shown = on_a_terminal_here(pair, "plan", "--concurrency", "1")
    assert code == 0
    numbers = [int(each) for each in re.findall(r"reading (\d) of 4 directions", shown)]
    assert numbers == sorted(numbers)
    assert {1, 2, 3} <= set(numbers)
    code, shown = on_a_terminal_here(pair, "plan", "-q")
    assert (code, "directions" in shown) == (0, False)
    ran = pair.run_here("plan", "-v")
    assert "of 4 directions" not in ran.out + ran.err


def test_directions_are_counted_once_and_only_while_they_are_read() -> None:
    """Reading a direction back after its write is no part of the check before it."""
    for changes, verb in ((0, "reading"), (2, "checking")):
        with Progress(console=Console(file=io.StringIO())) as bars:
            reporter = BarReporter("production", bars, changes)
            first: Event = Checking(2) if changes else Reading(2)
            seen = []
            for event in (first, DirectionRead(PATH), DirectionRead(PATH)):
                reporter(event)
                seen.append(bars.tasks[0].description)
            assert seen == [f"{verb} {number} of 2 directions" for number in (0, 1, 2)]
            reporter(Writing(PATH, Operation.UPDATE, 3))
            reporter(DirectionRead(PATH))
            assert bars.tasks[0].description == "update of 3 in contacts → companies"


def test_a_pipe_gets_plain_lines(pair: Desk) -> None:
    """No bar and no escape sequence in a log; `-q` keeps only results."""
    assert pair.server is not None
    pair.server.set_faults([parse_fault("update#1:429,retry-after=1")])
    ran = pair.run("apply", "--auto-approve")
    assert "default: waiting 1" in ran.err
    assert "\x1b" not in ran.err + ran.out
    pair.server.edit("contacts", "companies", 28, 1)
    assert pair.run_here("-q", "apply", "--auto-approve").err == ""


READ = Exchange(1, 1, "limits", "GET", "/limits")
PATH = Direction(ObjectType("0-1", "contacts"), ObjectType("0-2", "companies"))
SAID: tuple[tuple[Event, int, str], ...] = (
    (Sending(READ), 2, "GET /limits: request 1, attempt 1"),
    (Answered(READ, 200, 0.25), 1, "GET /limits: 200 in 0.250 s"),
    (Reading(3), 1, "reading 3 directions"),
    (Unanswered(READ, "the connection broke"), 0, "GET /limits: the connection broke"),
    (Waiting(2.0, WaitCause.LOCKED, "locked", 423), 0, "waiting 2.0 s: locked"),
    (Waiting(0.5, WaitCause.LOCKED, "locked", 423), 1, "waiting 0.5 s: locked"),
    (Checking(2), 0, "checking 2 directions before the first write"),
    (Writing(PATH, Operation.UPDATE, 3), 1, "update of 3 in contacts → companies"),
    (ReadingBack(PATH, 1), 0, "contacts → companies: 1 written limit not shown yet"),
    (
        Watching(PATH, 2, 15.0),
        0,
        f"{PATH}: reading 2 refused limits for up to 15 s, in case they were written anyway",
    ),
    (Settled(PATH, ()), 1, "contacts → companies: 0 settled"),
)


@pytest.mark.parametrize(("event", "verbosity", "line"), SAID)
def test_each_event_has_its_line(event: Event, verbosity: int, line: str) -> None:
    """What matters is said anyway, the rest with -v and -vv; -q says nothing."""
    for given in (-1, 0, 1, 2):
        stream = io.StringIO()
        pane = Pane(stream)
        LineReporter("production", given, pane)(event)
        pane.finish()
        assert stream.getvalue() == (f"production: {line}\n" if given >= verbosity else "")


def test_two_v_give_what_support_asks_for() -> None:
    """The correlation ID of an answer, and what its rate headers leave."""
    answer = Answered(READ, 429, 0.25, "c-1", rate=Rate(remaining=7))
    for verbosity, more in ((1, ""), (2, ", correlation ID c-1, 7 requests left")):
        stream = io.StringIO()
        pane = Pane(stream)
        LineReporter("production", verbosity, pane)(answer)
        pane.finish()
        assert stream.getvalue() == f"production: GET /limits: 429 in 0.250 s{more}\n"


@pytest.mark.parametrize("command", ["plan", "doctor", "status", "import", "schema pair"])
def test_who_asks_for_more_is_given_lines_on_a_terminal_too(desk: Desk, command: str) -> None:
    """Every request of every command that sends any; -q none."""
    desk.write(
        "reconciler.yaml", "version: 1\nportals: {a: {token: {env: HUBSPOT_ACCESS_TOKEN}}}\n"
    )
    if command == "plan":
        desk.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    arguments = [*command.split(), "--portal", "a"]
    code, shown = on_a_terminal_here(desk, *arguments, "-v")
    assert code == 0
    assert re.search(r"a: GET /account-info/\S+: 200 in", shown)
    assert "GET" not in on_a_terminal_here(desk, *arguments, "-q")[1]


# ---------------------------------------------------------------- changes as they are verified

LINES = (
    '+ new limit  companies → contacts  "Decision maker"   unlimited → 7  configs/contacts-companies.yaml:10',
    "↑ raised     contacts → companies  object limit       5 → 8          configs/contacts-companies.yaml:3",
    '↑ raised     contacts → companies  "Billing contact"  1 → 2          configs/contacts-companies.yaml:5',
)


def test_an_apply_lists_each_change_as_it_is_verified(pair: Desk) -> None:
    """In a log on stderr, by portal; stdout has the result and nothing else. Not with -q."""
    pair.run_here("plan", "--out", "plan.json")
    ran = pair.run_here("apply", "plan.json")
    assert ran.out == "Apply complete: 1 created, 2 updated, 0 deleted.\n"
    assert [each for each in ran.err.splitlines() if "✓" in each] == [
        f"default: ✓ {line}" for line in LINES
    ]
    assert pair.server is not None
    pair.server.edit("contacts", "companies", 28, 1)
    ran = pair.run_here("apply", "--auto-approve", "-q", "--format", "json")
    assert (ran.err, ran.json["outcome"]) == ("", "applied")


def test_a_terminal_lists_them_above_the_bar(pair: Desk) -> None:
    """With the colours of their effects, and without any where none are wanted."""
    code, shown = on_a_terminal_here(pair, "apply", "--auto-approve")
    assert code == 0
    for line in LINES:
        words = re.escape(line[:10].rstrip()).replace("\\ ", " ")
        assert re.search(rf"✓[^\r\n]*{words}", shown)
    assert "\x1b[94m" in shown
    assert pair.server is not None
    pair.server.edit("contacts", "companies", 28, 1)
    code, shown = on_a_terminal_here(pair, "apply", "--auto-approve", "--color", "never")
    assert (code, "\x1b[94m" in shown) == (0, False)
    assert '✓ ↑ raised  contacts → companies  "Billing contact"  1 → 2' in shown


def test_what_is_not_verified_is_not_listed_and_the_code_says_so(pair: Desk) -> None:
    """One direction is refused, the other is verified."""
    assert pair.server is not None
    pair.server.set_faults([parse_fault("write@companies/contacts:400")])
    ran = pair.run_here("apply", "--auto-approve", "--verify-timeout", "1")
    assert ran.code == 5
    assert sum("✓" in each for each in ran.err.splitlines()) == 2
    assert "Decision maker" not in "".join(each for each in ran.err.splitlines() if "✓" in each)
    assert re.search(r"^  \+ new limit  companies → contacts  ", ran.out, re.MULTILINE)


def test_v_ends_with_the_number_of_requests(pair: Desk) -> None:
    """Those of the plan, and those of the apply that follows; without -v nobody counts."""
    assert pair.server is not None
    ran = pair.run_here("-v", "plan")
    assert ran.err.splitlines()[-1] == f"default: {len(pair.server.requests)} requests"
    assert "reading 0 directions" not in ran.err
    before = len(pair.server.requests)
    ran = pair.run_here("-v", "apply", "--auto-approve")
    counted = re.findall(r"^default: (\d+) requests$", ran.err, re.MULTILINE)
    assert sum(map(int, counted)) == len(pair.server.requests) - before
    assert "requests" not in pair.run_here("plan").err
    assert not re.search(r"^default: \d+ requests?$", pair.run_here("validate", "-v").err)


def test_threads_that_write_at_once_share_one_writer() -> None:
    """A second one would take the end of the progress from the first, which waits for it."""
    made: list[str] = []

    class Slow(threading.Thread):
        def __init__(self, **given: Any) -> None:
            made.append("a writer")
            time.sleep(0.05)  # in which the other thread writes
            super().__init__(**given)

    stream = io.StringIO()
    pane = Pane(stream)
    with mock.patch("reconciler.cli.progress.Thread", Slow), ThreadPoolExecutor(2) as threads:
        wait([threads.submit(pane.write, "a line\n") for _ in range(2)])
    pane.finish()
    assert stream.getvalue() == "a line\n" * 2
    assert len(made) == 1


def test_a_terminal_that_cannot_move_its_cursor_is_given_lines(
    pair: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TERM=dumb, as an editor's shell says of itself: no bar, no sequence, no empty line."""
    monkeypatch.setitem(TERMINAL, "TERM", "dumb")
    code, shown = on_a_terminal_here(pair, "apply", "--auto-approve")
    assert code == 0
    assert "\x1b" not in shown
    assert shown.count("default: ✓") == 3
    assert not shown.startswith("\r\n")
