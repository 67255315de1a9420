"""The pre-commit hook."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.ci.actions import load
from tests.ci.machine import Machine
from tests.ci.repository import Repository

(HOOK,) = load(".pre-commit-hooks.yaml")


def run_hook(folder: Path, machine: Machine) -> subprocess.CompletedProcess[str]:
    """Run the hook's entry as pre-commit does: at the top of the repository, without file names."""
    assert HOOK["pass_filenames"] is False
    machine.install_reconciler()
    return subprocess.run(
        shlex.split(HOOK["entry"]),
        cwd=folder,
        env={**machine.env, "GIT_INDEX_FILE": str(folder / ".git" / "index")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_hook_lets_good_files_pass_and_stops_bad_ones(tmp_path: Path) -> None:
    """It checks the whole workspace: rules hold across files."""
    repository = Repository.start(tmp_path)
    machine = Machine(tmp_path / "machine", real=True)
    assert run_hook(repository.folder, machine).returncode == 0
    repository.write("configs/twice.yaml", "from: contact\nto: company\nmax: 3\n")
    stopped = run_hook(repository.folder, machine)
    assert stopped.returncode == 3
    assert "configs/twice.yaml:1" in stopped.stderr


@pytest.mark.parametrize(
    ("path", "runs"),
    [
        ("configs/contacts-companies.yaml", True),
        ("configs/deep/er/a.yml", True),
        ("hubspot/configs/a.yaml", True),
        ("reconciler.yaml", True),
        ("hubspot/reconciler.yaml", True),
        ("docs/a.yaml", False),
        ("configs/readme.md", False),
        ("my-reconciler.yaml", False),
    ],
)
def test_the_hook_runs_for_the_files_it_checks(path: str, *, runs: bool) -> None:
    """And for no other commit."""
    assert bool(re.search(HOOK["files"], path)) is runs


def test_the_hook_is_what_pre_commit_wants() -> None:
    """The keys it requires, and a language it can install by itself."""
    assert {"id", "name", "entry", "language"} <= set(HOOK)
    assert HOOK["language"] == "python"
