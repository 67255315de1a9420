"""`examples/demo.sh`, which `make demo` runs."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.project.command import ROOT, on_path

DEMO = ("sh", str(ROOT / "examples" / "demo.sh"))


def demo(directory: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the demo; `before` can make some of its commands misbehave."""
    return subprocess.run(
        DEMO,
        cwd=directory,
        env=on_path(directory / "bin", before),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def address(output: str) -> tuple[str, int]:
    """Where the demo's sandbox listened."""
    found = re.search(r"^http://(127\.0\.0\.1):(\d+)$", output, re.MULTILINE)
    assert found is not None, output
    return found[1], int(found[2])


def nobody_listens(at: tuple[str, int]) -> bool:
    """A connection is refused."""
    with socket.socket() as client:
        return client.connect_ex(at) != 0


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again and again, for a minute at most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ends_with_no_changes_and_leaves_nothing_running(tmp_path: Path) -> None:
    """From an empty start to a portal that matches, and the sandbox is down afterwards."""
    done = demo(tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Apply complete: " in done.stdout
    assert done.stdout.splitlines()[-1].startswith("No changes.")
    assert nobody_listens(address(done.stdout))


@pytest.mark.parametrize("command", ["validate", "plan", "apply"])
def test_fails_when_a_command_does(tmp_path: Path, command: str) -> None:
    """A demo that prints an error and exits 0 would teach the wrong thing."""
    before = {"validate": "nothing", "plan": "validate", "apply": "validate|plan"}[command]
    done = demo(tmp_path, f'case "$1" in {before}) exit 0;; {command}) exit 1;; esac')

    assert done.returncode == 1
    assert nobody_listens(address(done.stdout))


def test_fails_when_apply_changed_nothing(tmp_path: Path) -> None:
    """The last "No changes." is checked, not assumed."""
    done = demo(tmp_path, 'case "$1 $2" in "validate "|"plan --out"|apply*) exit 0;; esac')

    assert done.returncode == 1
    assert "does not match after apply" in done.stderr


def test_says_why_the_sandbox_did_not_start(tmp_path: Path) -> None:
    """The sandbox's own words are shown."""
    done = demo(tmp_path, 'case "$1" in sandbox) echo "no port to be had" >&2; exit 1;; esac')

    assert done.returncode == 1
    assert "no port to be had" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_takes_the_sandbox_down(tmp_path: Path, number: int) -> None:
    """Ctrl-C leaves no server behind."""
    output = tmp_path / "output"
    with (
        output.open("w") as file,
        subprocess.Popen(
            DEMO,
            env=on_path(
                tmp_path / "bin", 'case "$1" in validate) echo asleep; exec sleep 60;; esac'
            ),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            # A job in the background ignores Ctrl-C, and so would the shell that it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process,
    ):
        try:
            wait_until(lambda: "asleep" in output.read_text())
            os.killpg(process.pid, number)
            process.wait(timeout=30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    assert process.returncode == 128 + number
    assert nobody_listens(address(output.read_text()))
