"""What can be held of Windows without one: nothing that only POSIX has is needed.

The names that Python lacks there are taken away, and the commands work all the same. Line ends,
paths and encodings are tested where they are handled.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.cli.running import Ran, environment

_WITHOUT = """\
import asyncio, http.client, http.server, os, select, shutil, signal, socket, ssl, subprocess, sys
import tempfile, threading, urllib.request
import rich.console, rich.progress  # they know Windows by its name

for name in ("fcntl", "grp", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
for name in (
    "O_ACCMODE", "O_CLOEXEC", "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "chown",
    "fchmod", "fork", "getegid", "geteuid", "getgid", "getpgid", "getuid", "killpg", "mkfifo",
    "pread", "pwrite", "sysconf", "uname", "wait",
):
    delattr(os, name)
for name in ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTSTP"):
    delattr(signal, name)
del select.poll

from reconciler.__main__ import main
sys.argv = ["reconciler", *sys.argv[1:]]
main()
"""
PAIR = "from: contacts\r\nto: companies\r\nmax: 5\r\nlabels:\r\n  Billing contact: 2  # two\r\n"


def run(folder: Path, address: str, *arguments: str) -> Ran:
    """The command in a Python that lacks what Windows lacks."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, *arguments],
        cwd=folder,
        env=environment({"HUBSPOT_BASE_URL": address, "HUBSPOT_ACCESS_TOKEN": DEFAULT_TOKEN}),
        capture_output=True,
        timeout=60,
        check=False,
    )
    ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in ran.err, ran.err
    assert "internal error" not in ran.err, ran.err
    return ran


def test_the_daily_commands_need_nothing_that_windows_lacks(tmp_path: Path) -> None:
    """From `init` to a verified apply with a journal, on files with line ends of Windows."""
    file = tmp_path / "configs" / "contacts-companies.yaml"
    file.parent.mkdir()
    file.write_bytes(PAIR.encode())
    with serve(example_portal()) as server:

        def here(*arguments: str) -> Ran:
            return run(tmp_path, server.url, *arguments)

        assert here("init", "--no-import", "--ci", "none").code == 0
        assert here("validate").out.startswith("Valid: 1 file")
        planned = here("plan", "--settle", "0", "--out", "plan.json")
        assert planned.code == 0, planned.err
        assert here("show", "plan.json", "--format", "html").code == 0
        applied = here("apply", "plan.json", "--settle", "0", "--journal", "journal.ndjson")
        assert applied.code == 0, applied.err
        again = here("apply", "--auto-approve", "--settle", "0", "--journal", "journal.ndjson")
        assert again.code == 0, again.err
        assert here("import", "--update").code == 0
        assert here("fmt", "--check").code == 2  # canonical is LF, whatever git checks out
        assert here("explain", "4").code == 0
        here("doctor")
    assert b"max: 5\r\nlabels:\r\n" in file.read_bytes()


def test_an_edit_in_place_keeps_line_ends_of_windows(tmp_path: Path) -> None:
    """`import --update` writes what a file has; `fmt` is asked for one form and writes LF."""
    file = tmp_path / "configs" / "contacts-companies.yaml"
    file.parent.mkdir()
    file.write_bytes(PAIR.replace("max: 5", "max: 4").encode())
    with serve(example_portal()) as server:
        assert run(tmp_path, server.url, "import", "--update").code == 0
        written = file.read_bytes()
        assert b"max: 5\r\n" in written
        assert written.count(b"\r\n") == written.count(b"\n")
        assert run(tmp_path, server.url, "fmt").code == 0
    assert b"\r" not in file.read_bytes()
