"""The outcome decides the exit code, whatever becomes of the words about it.

Each test plays a reader that went away, a full disk or a closed stream with a shell.
"""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import pytest

import reconciler
from reconciler.model.plan import Result
from reconciler.sandbox.faults.language import parse_fault
from tests.cli.running import OTHER_TOKEN, Desk, Ran

DONE = "Apply complete: 1 created, 2 updated, 0 deleted."
FULL, NULL = "/dev/full", "/dev/null"
AS_A_PROCESS = {"plan --detailed-exitcode", "--help"}
WANTED = {("HUBSPOT_DEFINED", 279): 8, ("USER_DEFINED", 28): 2}


def in_a_shell(desk: Desk, line: str) -> Ran:
    """Run a line of bash, `$R` being the command; the code is that of the first of its pipe."""
    done = subprocess.run(
        [
            "bash",
            "-c",
            f'R="$0 -m reconciler"; {_in_haste(line)}; exit "${{PIPESTATUS[0]}}"',
            sys.executable,
        ],
        cwd=desk.folder,
        env=desk.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "Exception ignored" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def _in_haste(line: str) -> str:
    return line.replace("$R apply ", "$R apply --settle 0 ")


def ended_here(
    desk: Desk, line: str, out: str | None, err: str | None, stdin: TextIO | None = None
) -> int:
    """The exit code of a command in this process, its streams being these files or closed."""
    with ExitStack() as stack:
        onto, beside = (
            None if name is None else stack.enter_context(Path(name).open("w"))
            for name in (out, err)
        )
        return desk.run_onto(onto, beside, *line.split(), stdin=stdin)


def applied(desk: Desk) -> bool:
    """Whether the portal has what the pair file says."""
    assert desk.server is not None
    return dict(desk.server.limits("contacts", "companies")) == WANTED


@pytest.mark.parametrize(
    ("streams", "is_said"),
    [
        ("| true", True),
        (">&-", True),
        ("> /dev/full 2> /dev/full", False),
        ("<&- >&- 2>&-", False),
        ("2>&1 | true", False),
    ],
)
def test_an_apply_that_cannot_be_reported_is_an_apply(
    pair: Desk, streams: str, *, is_said: bool
) -> None:
    """Everything is written, exit 0, and the result is on the stream that is left, if any."""
    pair.run_here("plan", "--out", "plan.json")
    ran = in_a_shell(pair, f"$R apply plan.json {streams}")
    assert ran.code == 0
    assert applied(pair)
    assert (DONE in ran.out + ran.err) is is_said


@pytest.mark.parametrize(
    ("out", "err"),
    [(FULL, None), (None, FULL), (FULL, FULL), (None, None), (NULL, FULL), (FULL, NULL)],
)
def test_an_apply_keeps_its_code_whatever_its_streams_are(
    pair: Desk, out: str | None, err: str | None
) -> None:
    """Full or closed, one of the two or both: what was planned is written, exit 0."""
    pair.run_here("plan", "--out", "plan.json")
    assert ended_here(pair, "apply plan.json", out, err) == 0
    assert applied(pair)


@pytest.mark.parametrize("streams", ["| true", FULL, None])
def test_an_apply_that_is_refused_or_incomplete_says_so_by_its_code(
    pair: Desk, streams: str | None
) -> None:
    """4 for a stale plan, 5 for a refused change: neither becomes 1, 120 or 0."""
    command = "apply --verify-timeout 1 plan.json"

    def ended() -> int:
        if streams == "| true":
            return in_a_shell(pair, f"$R {command} {streams}").code
        return ended_here(pair, command, streams, streams)

    pair.run_here("plan", "--out", "plan.json")
    assert pair.server is not None
    pair.server.set_faults([parse_fault("write@companies/contacts:400")])
    assert ended() == 5
    pair.server.set_faults(())
    assert ended() == 4


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("plan --detailed-exitcode", 2),
        ("plan --format json", 0),
        ("validate", 0),
        ("validate broken.yaml", 3),
        ("validate --format json broken.yaml", 3),
        ("show plan.json", 0),
        ("show altered.json", 4),
        ("schema plan", 0),
        ("--help", 0),
        ("--version", 0),
        ("nonsense", 64),
    ],
)
def test_commands_that_only_show_keep_their_code_too(pair: Desk, command: str, code: int) -> None:
    """With both streams full, and with both closed; as a process, too, where that may differ."""
    pair.run_here("plan", "--out", "plan.json")
    plan = (pair.folder / "plan.json").read_text("utf-8")
    pair.write("altered.json", plan.replace('"after":2', '"after":3'))
    pair.write("broken.yaml", "from: contacts\n")
    for stream in (FULL, None):
        assert ended_here(pair, command, stream, stream) == code
    if command in AS_A_PROCESS:
        assert in_a_shell(pair, f"$R {command} > /dev/full 2> /dev/full").code == code
        assert in_a_shell(pair, f"$R {command} >&- 2>&-").code == code


def test_a_full_disk_is_named_and_the_result_is_on_stderr(pair: Desk) -> None:
    """Of a reader that left, who had seen enough, only the last line is kept."""
    full = in_a_shell(pair, "$R plan > /dev/full")
    assert "cannot write to standard output: No space left on device" in full.err
    assert "Billing contact" in full.err
    left = in_a_shell(pair, "$R plan | true")
    assert left.err.splitlines() in ([], ["Plan: 1 to create, 2 to update, 0 to delete."])


def test_files_do_not_land_on_a_closed_stream(pair: Desk) -> None:
    """The journal is not opened as descriptor 1, where results go."""
    ran = in_a_shell(pair, "$R apply --auto-approve --journal journal.jsonl <&- >&-")
    assert ran.code == 0
    lines = (pair.folder / "journal.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines][-1] == "finish"


def test_one_portal_that_cannot_be_reported_does_not_stop_the_next(pair: Desk) -> None:
    """Both are applied."""
    from reconciler.sandbox.stand_in import DEFAULT_TOKEN

    one, other = "{token: {env: HUBSPOT_ACCESS_TOKEN}}", "{token: {env: HUBSPOT_B}}"
    pair.write("reconciler.yaml", f"version: 1\nportals: {{a: {one}, b: {other}}}\n")
    pair.variables |= {"HUBSPOT_ACCESS_TOKEN": DEFAULT_TOKEN, "HUBSPOT_B": OTHER_TOKEN}
    ran = in_a_shell(pair, "$R apply --all-portals --auto-approve > /dev/full")
    assert ran.code == 0
    assert ran.err.count(DONE) == 2
    assert applied(pair)


def test_a_reader_of_progress_that_goes_away_stops_no_write(pair: Desk) -> None:
    """`2>&1 | head -1` while retries are reported: every change is written."""
    pair.run_here("plan", "--out", "plan.json")
    assert pair.server is not None
    pair.server.set_faults([parse_fault("update:503,times=2")])
    ran = in_a_shell(pair, "$R apply plan.json --concurrency 1 2>&1 | head -1")
    assert ran.code == 0
    assert applied(pair)


def test_a_reader_of_progress_that_does_not_read_stops_no_write(pair: Desk) -> None:
    """A full pipe with nobody behind it, as a stopped terminal is one."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while os.write(writing, b"x" * 4096):
            pass
    except BlockingIOError:
        os.set_blocking(writing, True)
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", "-v", "apply", "--settle", "0", "--auto-approve"],
        cwd=pair.folder,
        env=pair.env,
        stdout=subprocess.PIPE,
        stderr=writing,
        text=True,
    ) as process:
        out, _ = process.communicate(timeout=60)
    os.close(reading)
    os.close(writing)
    assert (process.returncode, out.splitlines()[-1]) == (0, DONE)
    assert time.monotonic() - started < 50


# ---------------------------------------------------------------- signals


def interrupted(
    desk: Desk,
    numbers: Sequence[int],
    *,
    before: str = "",
    command: str = "apply --settle 0 --auto-approve",
) -> tuple[int, str, str]:
    """Send signals while the second write of an apply waits for its answer."""
    assert desk.server is not None
    desk.server.set_faults([parse_fault("update#2:delay,seconds=2")])
    with subprocess.Popen(
        ["bash", "-c", f'{before} exec "$0" -m reconciler {command}', sys.executable],
        cwd=desk.folder,
        env=desk.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until = time.monotonic() + 50
        while len(desk.writes()) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.1)
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return process.returncode, out, err


@pytest.mark.parametrize("numbers", [(signal.SIGHUP,), (signal.SIGHUP, signal.SIGHUP)])
def test_a_hangup_is_a_request_to_stop(pair: Desk, numbers: Sequence[int]) -> None:
    """As SIGTERM: what is in flight is finished and reported. A second one changes nothing."""
    code, out, _ = interrupted(
        pair, numbers, command="apply --settle 0 --auto-approve --concurrency 1"
    )
    assert {0: "Apply complete", 5: "Apply incomplete"}[code] in out


def test_an_ignored_hangup_stays_ignored(pair: Desk) -> None:
    """Under nohup nothing is stopped."""
    code, out, _ = interrupted(
        pair,
        [signal.SIGHUP],
        before="trap '' HUP;",
        command="apply --settle 0 --auto-approve --concurrency 1",
    )
    assert (code, out.splitlines()[-1]) == (0, DONE)


@pytest.mark.parametrize("json_format", ["", "--format json"])
def test_nobody_is_asked_about_a_plan_that_cannot_be_shown(pair: Desk, json_format: str) -> None:
    """A "yes" on a terminal counts only for what its user could see; --auto-approve asks nobody."""
    terminal, inner = pty.openpty()
    os.write(terminal, b"yes\n")
    with open(inner) as stdin:  # noqa: PTH123 - a descriptor
        for options, code in (("", 4), ("--auto-approve", 0)):
            line = f"apply {options} {json_format}"
            assert ended_here(pair, line, FULL, FULL, stdin=stdin) == code
            assert applied(pair) is (code == 0)
    os.close(terminal)


ON_ITS_OWN_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "reconciler", *sys.argv[1:]])
"""


def test_a_terminal_that_goes_away_changes_no_outcome(pair: Desk) -> None:
    """The journal has the end of the apply, whatever the terminal saw of it."""
    assert pair.server is not None
    pair.server.set_faults([parse_fault("update#2:delay,seconds=1")])
    terminal, inner = pty.openpty()
    arguments = [
        "apply",
        "--settle",
        "0",
        "--auto-approve",
        "--concurrency",
        "1",
        "--journal",
        "journal.jsonl",
    ]
    with subprocess.Popen(
        [sys.executable, "-c", ON_ITS_OWN_TERMINAL, *arguments],
        cwd=pair.folder,
        env=pair.env,
        stdin=inner,
        stdout=inner,
        stderr=inner,
    ) as process:
        os.close(inner)
        until = time.monotonic() + 50
        while len(pair.writes()) < 2 and time.monotonic() < until:
            if select.select([terminal], [], [], 0.02)[0]:
                os.read(terminal, 65_536)
        os.close(terminal)
        code = process.wait(60)
    assert code in {0, 5}
    lines = (pair.folder / "journal.jsonl").read_text("utf-8").splitlines()
    end = json.loads(lines[-1])
    assert end["event"] == "finish"
    assert end["outcome"] == ("applied" if code == 0 else "incomplete")


def test_a_bug_after_the_first_write_is_not_nothing_was_written(
    pair: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 5, and no change is said to be written or not to be."""
    real = reconciler.apply_plan

    def broken(*args: Any, **kwargs: Any) -> Result:
        real(*args, **kwargs)
        raise RuntimeError("a bug")

    monkeypatch.setattr(reconciler, "apply_plan", broken)
    ran = pair.run_here("apply", "--auto-approve", "--format", "json")
    assert ran.code == 5
    assert "internal error: RuntimeError: a bug" in ran.err
    assert ran.json["outcome"] == "incomplete"
    assert {each["status"] for each in ran.json["changes"]} == {"uncertain"}


def test_a_bug_in_the_report_is_not_the_outcome(
    pair: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is written and verified: exit 0, with the bug on stderr."""

    def broken(*_: object, **__: object) -> str:
        raise RuntimeError("a bug")

    monkeypatch.setattr("reconciler.cli.application.result_text", broken)
    ran = pair.run_here("apply", "--auto-approve")
    assert ran.code == 0
    assert "the result (applied) cannot be shown" in ran.err
