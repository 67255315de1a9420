"""What `--help` promises: examples that run, what is written, 80 columns, faults on demand."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import click
import pytest

from reconciler.applying.result_file import result_json
from reconciler.cli.help import ENDINGS
from reconciler.cli.root import COMMANDS, cli
from reconciler.model.plan import Outcome, Result
from reconciler.sandbox.example import bare_portal
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN, Options, Sandbox
from tests.ci.github_api import GitHub
from tests.cli.running import Desk, git

WORKSPACE = """\
version: 1
portals:
  production: {token: {env: HUBSPOT_ACCESS_TOKEN}}
  staging: {token: {env: HUBSPOT_STAGING_TOKEN}}
"""
STAGING = "pat-eu1-of-staging"


def help_of(desk: Desk, command: str) -> str:
    """As a terminal of 80 columns shows it."""
    desk.variables["COLUMNS"] = "80"
    ran = desk.run_here(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    return ran.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_is_written_and_gives_two_examples(offline: Desk, command: str) -> None:
    """At its end, and no line is longer than a terminal of 80 columns shows."""
    shown = help_of(offline, command)
    assert re.search(r"^  Writes \w", shown, re.MULTILINE)
    examples = shown.partition("\n  Examples:\n")[2].splitlines()
    assert len(examples) == 2
    assert [each.strip() for each in examples] == list(ENDINGS[command].examples)
    assert all(re.search(rf"\breconciler {command}\b", each) for each in examples)
    assert max(map(len, shown.splitlines())) <= 80


def test_the_help_of_the_command_line_has_examples_too(pair: Desk) -> None:
    """One after the other, as they are typed."""
    pair.variables["COLUMNS"] = "80"
    shown = pair.run_here("--help").out
    assert "Only `apply` writes to a portal." in shown
    assert max(map(len, shown.splitlines())) <= 80
    examples = shown.partition("\n  Examples:\n")[2].splitlines()
    assert len(examples) == 2
    for example in examples:
        assert pair.run_here(*typed(example)).code == 0


def test_no_command_is_left_out() -> None:
    """A command that is added gets an end of its help."""
    assert set(COMMANDS) <= set(ENDINGS)


def typed(example: str) -> list[str]:
    """The arguments of an example; what a shell does with its output is left out."""
    inner = re.search(r"\$\((.*)\)", example)
    words = shlex.split(inner[1] if inner else example)
    return words[1 : words.index(">")] if ">" in words else words[1:]


ENDLESS = {"sandbox"}
EXAMPLES = [
    pytest.param(command, typed(example), id=example)
    for command in COMMANDS
    for example in ENDINGS[command].examples
]


@pytest.mark.parametrize(("command", "arguments"), EXAMPLES)
def test_examples_run(pair: Desk, github: GitHub, command: str, arguments: list[str]) -> None:
    """In a repository with two portals, and with -q behind them without a word on stderr.

    Those of a server are only parsed.
    """
    assert pair.server is not None
    if command in ENDLESS:
        found = cli.get_command(click.Context(cli), command)
        assert found is not None
        found.make_context(command, arguments[1:], parent=click.Context(cli))
        return
    with serve(others=[Sandbox(bare_portal(7), Options(STAGING))]) as server:
        desk = repository(Desk(pair.folder, server), github)
        if command == "import":
            shutil.rmtree(desk.folder / "configs")
        ran = desk.run_here(*arguments, "-q")
    assert (ran.code, ran.err) == (0, "")


def repository(desk: Desk, github: GitHub) -> Desk:
    """A checkout in a pull request's job, with saved plans, a result, and the log of a failure."""
    desk.variables = {"HUBSPOT_STAGING_TOKEN": STAGING, "HUBSPOT_ACCESS_TOKEN": DEFAULT_TOKEN}
    desk.write("reconciler.yaml", WORKSPACE)
    desk.write("configs/deals.yaml", "from: deals\nto: contacts\nmax: 5\n")
    desk.write("plan.log", "error: no\n")
    git(desk, "init", "-q", "-b", "main")
    git(desk, "add", ".")
    git(desk, "commit", "-qm", "limits")
    git(desk, "update-ref", "refs/remotes/origin/main", "HEAD")
    for name in ("plan.json", "old.json"):
        desk.run_here("plan", "--portal", "production", "--out", name)
    done = Result(Outcome.NOTHING, (), 0, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    Path(desk.folder / "result.json").write_text(result_json(done), "utf-8")
    desk.variables |= github.variables
    return desk


def test_the_sandbox_shows_its_faults_when_asked(offline: Desk) -> None:
    """Rules and switches are in `--help-faults` and in no other help."""
    short, faults = help_of(offline, "sandbox"), offline.run_here("sandbox", "--help-faults")
    assert (faults.code, faults.err) == (0, "")
    assert max(map(len, faults.out.splitlines())) <= 80
    for words in ("--strict-update", "--unknown-purge", "--max-limit"):
        assert words not in short
        assert words in faults.out
    assert "--help-faults" in short
    assert "retry-after=SECONDS" in faults.out
    assert "retry-after" not in short
    assert offline.run_here("sandbox", "--fault", "help").out == faults.out
