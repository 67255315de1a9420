"""Run the real command as a person or a pipeline would: a process of its own, in a folder."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from unittest import mock

from reconciler import outgoing
from reconciler.cli import workspace
from reconciler.cli.root import cli, run
from reconciler.sandbox.server import Server
from reconciler.sandbox.stand_in import DEFAULT_TOKEN

OTHER_TOKEN = "token-of-the-other-portal"
"""Of a second portal, which is like the first and changes apart from it."""

LEFT_OUT = ("HUBSPOT_", "GITHUB_", "CI", "NO_COLOR", "FORCE_COLOR", "GITLAB_", "RECONCILER_")


@dataclass(frozen=True)
class Ran:
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.out)

    @property
    def last_line(self) -> str:
        return self.out.rstrip("\n").rpartition("\n")[2]


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _checked(ran: Ran, arguments: Sequence[str]) -> Ran:
    """No traceback and no token, whatever was run; the sandbox's own may stand in its help."""
    assert "Traceback" not in ran.err, ran.err
    if "sandbox" not in arguments:
        shown = ran.out + ran.err
        assert DEFAULT_TOKEN not in shown, "the token was shown"
        assert OTHER_TOKEN not in shown, "the token was shown"
    return ran


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tests' own environment without what would steer the command, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    return {**kept, "COLUMNS": "100", **(extra or {})}


def _in_haste(arguments: Sequence[str]) -> Sequence[str]:
    """With a settling time of 0 where none is given: settling is tested in virtual time."""
    for at, name in enumerate(arguments):
        if name in {"apply", "plan"} and "--settle" not in arguments:
            return (*arguments[: at + 1], "--settle", "0", *arguments[at + 1 :])
        if not name.startswith("-"):
            break
    return arguments


@dataclass
class Desk:
    """A folder to work in and a portal to talk to."""

    folder: Path
    server: Server | None = None
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        known = {}
        if self.server is not None:
            known = {"HUBSPOT_BASE_URL": self.server.url, "HUBSPOT_ACCESS_TOKEN": DEFAULT_TOKEN}
        return environment({**known, **self.variables})

    def write(self, path: str, text: str) -> Path:
        """Put a file into the folder."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def run(self, *arguments: str, stdin: str | None = None, seconds: float = 60) -> Ran:
        """Run `reconciler` in a process of its own; standard input is empty unless given."""
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *_in_haste(arguments)],
            cwd=self.folder,
            env=self.env,
            input=stdin or "",
            capture_output=True,
            timeout=seconds,
            check=False,
            encoding="utf-8",
        )
        return _checked(Ran(done.returncode, done.stdout, done.stderr), arguments)

    def run_here(self, *arguments: str, stdin: str = "", name: str = "reconciler") -> Ran:
        """The same in this process: thirty times as fast, its streams are texts."""
        out, err = io.StringIO(), io.StringIO()
        typed = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        code = self.run_onto(out, err, *arguments, stdin=typed, name=name)
        return _checked(Ran(code, out.getvalue(), err.getvalue()), arguments)

    def run_onto(
        self,
        out: TextIO | None,
        err: TextIO | None,
        *arguments: str,
        stdin: TextIO | None = None,
        name: str = "reconciler",
    ) -> int:
        """Run in this process with these streams, None being a closed one; its exit code."""
        with (
            self._as_if_started([name, *_in_haste(arguments)], stdin),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            return run(cli)

    @contextmanager
    def _as_if_started(self, argv: list[str], stdin: TextIO | None) -> Iterator[None]:
        """What a new process would have: arguments, environment, folder, signals, no secrets yet."""
        before, handlers = Path.cwd(), [(each, signal.getsignal(each)) for each in _SIGNALS]
        workspace._warn.cache_clear()
        with (
            mock.patch.object(sys, "argv", argv),
            mock.patch.object(sys, "stdin", stdin),
            mock.patch.object(outgoing, "_known", ()),
            mock.patch.dict(os.environ, self.env, clear=True),
        ):
            os.chdir(self.folder)
            try:
                yield
            finally:
                os.chdir(before)
                for number, handler in handlers:
                    signal.signal(number, handler)

    def writes(self) -> list[str]:
        """The operations of every write the portal was sent."""
        assert self.server is not None
        return [
            str(each.operation)
            for each in self.server.requests
            if each.operation in {"update", "create", "purge"}
        ]


def git(desk: Desk, *arguments: str) -> str:
    """Run git as somebody with a name; what it prints."""
    done = subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *arguments],
        cwd=desk.folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
