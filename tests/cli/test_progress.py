"""Progress on a real terminal, and none of it elsewhere."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

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


def test_a_pipe_gets_plain_lines(pair: Desk) -> None:
    """No bar and no escape sequence in a log; `-q` keeps only results."""
    assert pair.server is not None
    pair.server.set_faults([parse_fault("update#1:429,retry-after=1")])
    ran = pair.run("apply", "--auto-approve")
    assert "default: waiting 1" in ran.err
    assert "\x1b" not in ran.err + ran.out
    pair.server.edit("contacts", "companies", 28, 1)
    assert pair.run_here("-q", "apply", "--auto-approve").err == ""
