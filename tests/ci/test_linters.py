"""What the linters of shells, workflows and hooks say of the recipes; no line is exempt."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ci.actions import ACTION, WORKFLOWS, scripts
from tests.ci.gitlab_job import JOBS, script
from tests.ci.machine import ROOT


def tool(name: str) -> str:
    """A linter on the PATH or beside this Python; the test is skipped where there is none."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def shell_scripts() -> dict[str, str]:
    """Every shell script of the action, the workflows and the pipeline, by where it stands."""
    found = {
        f"action.yml {number}": text for number, text in enumerate(scripts(ACTION["runs"]["steps"]))
    }
    for name, workflow in WORKFLOWS.items():
        for job, each in workflow["jobs"].items():
            texts = enumerate(scripts(each["steps"]))
            found |= {f"{name} {job} {number}": text for number, text in texts}
    return found | {f"pipeline {name}": script(name) for name in JOBS}


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    """In any script, as bash runs it; the pipeline's jobs need not all call what they define."""
    shellcheck = tool("shellcheck")
    for number, (name, text) in enumerate(shell_scripts().items()):
        (tmp_path / f"{number:02} {name}.sh").write_text(f"set -euo pipefail\n{text}")
    files = sorted(str(file) for file in tmp_path.iterdir())
    unused = ["--exclude=SC2317,SC2329"]
    done = subprocess.run(
        [shellcheck, "--shell=bash", *unused, *files], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """In a repository that has the workflows and the action in their places."""
    actionlint = tool("actionlint")
    target = tmp_path / ".github" / "workflows"
    shutil.copytree(ROOT / "examples" / "ci" / "github", target)
    shutil.copy(ROOT / "action.yml", tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    done = subprocess.run(
        [actionlint, "-no-color"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_workflows_refer_to_each_other_by_the_names_they_have() -> None:
    """The apply workflow looks for the runs of the plan workflow by its file's name.

    For its own by the one it has, so that a copy finds those of the copy.
    """
    folder = ROOT / "examples" / "ci" / "github"
    names = {file.name for file in folder.iterdir()}
    for file in folder.iterdir():
        assert file.read_text("utf-8").startswith(f"# .github/workflows/{file.name}\n")
    text = (folder / "hubspot-apply.yml").read_text("utf-8")
    assert re.findall(r"actions/workflows/([\w.-]+)/runs", text) == ["hubspot-plan.yml"]
    assert text.count("actions/workflows/${workflow##*/}/runs") == 1
    assert "hubspot-plan.yml" in names
    (planning,) = (
        step["with"]["artifact"]
        for step in WORKFLOWS["plan"]["jobs"]["plan"]["steps"]
        if "artifact" in step.get("with", {})
    )
    prefix, _, number = planning.partition("${{ github.event.pull_request.number ")
    assert number == "|| 'merge-group' }}"
    assert f'--pattern "{prefix}$number" --pattern "{prefix}$number@*"' in text


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    """In the workflows and the action, offline; what is exempt says why at its place."""
    zizmor = tool("zizmor")
    target = tmp_path / ".github" / "workflows"
    shutil.copytree(ROOT / "examples" / "ci" / "github", target)
    shutil.copy(ROOT / "action.yml", tmp_path)
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", "--color=never", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
