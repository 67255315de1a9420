"""What a pull request brings into the checkout is data to the recipes, and nothing of it is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.ci.actions import ACTION, WORKFLOWS, Runner
from tests.ci.gitlab_api import GitLab
from tests.ci.gitlab_stage import Stage
from tests.ci.repository import Repository
from tests.ci.scene import LIMIT, Scene
from tests.ci.shell import Coverage, needs_tools

pytestmark = needs_tools

MODULES = (
    "json",
    "venv",
    "base64",
    "hashlib",
    "tempfile",
    "subprocess",
    "sitecustomize",
    "usercustomize",
    "pip/__init__",
    "pip/__main__",
    "venv/__main__",
    "click/__init__",
    "reconciler/__init__",
    "reconciler/__main__",
)
"""What a Python that has the checkout on its module path would import instead of its own."""


def plant(repository: Repository, mark: Path) -> None:
    """Commit modules that leave a mark where they are imported, and settings for pip."""
    code = f"import os\nwith open({str(mark)!r}, 'a') as mark:\n    mark.write(__file__)\n"
    for name in MODULES:
        repository.write(f"{name}.py", code)
    repository.write("pip.conf", "[install]\nfind-links = evil\n")
    repository.write("setup.cfg", "[install]\nprefix = evil\n")
    repository.write("constraints.txt", "click==0.0.1\n")
    repository.write("requirements.txt", "./evil\n")
    repository.commit("Add helpers")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that exists if a module of the checkout was imported."""
    return tmp_path / "pwned"


@pytest.fixture
def scene(tmp_path: Path, mark: Path) -> Iterator[Scene]:
    """A branch with a change of limits and hostile files; every Python is a real one."""
    with Scene.playing(tmp_path, Coverage(), real=True) as scene:
        scene.repository.branch(object_limit=8, billing=1)
        plant(scene.repository, mark)
        scene.repository.git("push", "-q", "--force", "origin", "change")
        yield scene


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Scene]:
    """A branch with a change of limits, to see what each step is given."""
    with Scene.playing(tmp_path, Coverage()) as scene:
        scene.repository.branch(object_limit=8, billing=1)
        yield scene


HOSTILE_SETTINGS = {
    "PYTHONPATH": ".",
    "PYTHONSTARTUP": "json.py",
    "PIP_CONFIG_FILE": "pip.conf",
    "PIP_CONSTRAINT": "constraints.txt",
    "PIP_TARGET": "evil",
}
"""What a job's environment may hold for the project's own sake, relative to the checkout."""


def test_the_action_runs_no_module_of_the_checkout(scene: Scene, mark: Path) -> None:
    """Not while it sets up, not while it plans, even with a PYTHONPATH that points there.

    Set-up works in a folder of its own, with nothing of the job's environment that pip would read.
    """
    runner = scene.pull_request()
    runner.env |= HOSTILE_SETTINGS
    runner.run_job(WORKFLOWS["plan"]["jobs"]["plan"])
    assert len(scene.github.notes) == 1
    assert not mark.exists(), mark.read_text()
    assert len(runner.machine.started) == 3
    for started in runner.machine.started:
        assert not Path(started.folder).is_relative_to(scene.repository.folder)
        assert not set(started.env) & set(HOSTILE_SETTINGS)


def tokens_of(runner: Runner) -> dict[str, set[str]]:
    """Which steps were given a token of a portal or of the forge, under which variables."""
    tokens = {DEFAULT_TOKEN, "ghs_workflow_token_0123456789"}
    found = {
        step.name: {name for name, value in step.env.items() if any(t in value for t in tokens)}
        for step in runner.ran
    }
    return {name: variables for name, variables in found.items() if variables}


def test_only_the_steps_that_need_a_token_have_it(quick: Scene) -> None:
    """Not those that set up Python, install packages or keep artifacts."""
    runner = quick.pull_request()
    runner.run_job(WORKFLOWS["plan"]["jobs"]["plan"])
    assert tokens_of(runner) == {
        "Plan": {"INPUT_TOKENS"},
        "Put the plan on the pull request": {"GITHUB_TOKEN"},
    }
    for started in runner.machine.started:
        assert DEFAULT_TOKEN not in "".join(started.env.values())
    assert len(runner.ran) > 5


@pytest.mark.parametrize("line", ["PATH=/tmp", "HUBSPOT_a b=x", "secret-value"])
def test_the_input_for_tokens_sets_no_other_variable(quick: Scene, line: str) -> None:
    """And a line that is wrong is not shown: it may be a token."""
    runner = quick.pull_request()
    with pytest.raises(AssertionError, match="Plan: 64"):
        runner.run_action({"tokens": f"HUBSPOT_ACCESS_TOKEN={DEFAULT_TOKEN}\n{line}\n"}, {})
    assert "tokens has a line that does not read HUBSPOT_NAME=TOKEN" in runner.log
    assert line not in runner.log
    assert list(quick.server.requests) == []


def test_the_apply_workflow_runs_no_module_of_the_checkout(scene: Scene, mark: Path) -> None:
    """The one with the token that writes."""
    scene.repository.merge()
    runner = scene.push()
    runner.env |= HOSTILE_SETTINGS
    runner.machine.gh_knows((".*/pulls", []), (".*/runs", {"workflow_runs": []}))
    jobs = WORKFLOWS["apply"]["jobs"]
    assert runner.run_job(jobs["reviewed"]) == {"approval": "true"}
    approved = scene.push()
    approved.env |= HOSTILE_SETTINGS
    approved.artifacts = runner.artifacts
    approved.run_job(jobs["approved"])
    assert scene.limits()[LIMIT] == 8
    assert not mark.exists(), mark.read_text()
    assert set(tokens_of(runner)) == {
        "Find the commit that was applied last",
        "Fetch the digests that were reviewed",
        "Apply the plans that were reviewed",
    }
    assert set(tokens_of(approved)) == {"Apply the plans that were approved"}


def test_the_drift_workflow_runs_no_module_of_the_checkout(scene: Scene, mark: Path) -> None:
    """It opens an issue, and the token for reading is with the step that plans alone."""
    scene.repository.merge()
    runner = scene.push()
    runner.env |= HOSTILE_SETTINGS
    runner.machine.gh_knows(("issue list", []), ("", None))
    runner.run_job(WORKFLOWS["drift"]["jobs"]["drift"])
    assert not mark.exists(), mark.read_text()
    assert set(tokens_of(runner)) == {"Plan", "Open, update or close the issues"}


def test_the_workflow_that_accepts_drift_runs_no_module_of_the_checkout(
    scene: Scene, mark: Path
) -> None:
    """The step that asks the portal has no token that pushes, and the one that pushes asks nobody."""
    scene.repository.merge()
    runner = scene.push()
    runner.env |= HOSTILE_SETTINGS
    runner.machine.gh_knows(("auth setup-git", None), ("pr list", []), ("", None))
    runner.run_job(WORKFLOWS["accept-drift"]["jobs"]["accept"])
    assert not mark.exists(), mark.read_text()
    taking, opening = (
        "Take over what was changed in HubSpot",
        "Open, update or close the pull requests",
    )
    assert set(tokens_of(runner)) == {taking, opening}
    held = {step.name: set(step.env) & {"GH_TOKEN", "HUBSPOT_ACCESS_TOKEN"} for step in runner.ran}
    assert (held[taking], held[opening]) == ({"HUBSPOT_ACCESS_TOKEN"}, {"GH_TOKEN"})


def test_the_action_passes_tokens_to_no_other_action() -> None:
    """An input of another action is out of this one's hands."""
    for step in ACTION["runs"]["steps"]:
        assert "inputs.tokens" not in str(step.get("with", {}))


def test_the_pipeline_runs_no_module_of_the_checkout(tmp_path: Path, mark: Path) -> None:
    """Not in the job with the token that writes, nor in the one of the merge request."""
    with Stage.playing(tmp_path / "gitlab", real=True) as stage:
        repository = stage.scene.repository
        repository.branch(object_limit=8, billing=1)
        plant(repository, mark)
        repository.git("push", "-q", "--force", "origin", "change")
        for name in ("check", "plan"):
            done = stage.job(name, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main", **HOSTILE_SETTINGS)
            assert done.code == 0, done.err
        stage.clean()
        repository.merge()
        assert stage.job("apply", **HOSTILE_SETTINGS).code == 75
        assert stage.next_job("approve", **HOSTILE_SETTINGS).code == 0
        assert stage.scene.limits()[LIMIT] == 8
        assert stage.job("drift", **HOSTILE_SETTINGS).code == 0
        assert not mark.exists(), mark.read_text()
        assert len(stage.machine.started) == 5 * 3
        for started in stage.machine.started:
            assert not Path(started.folder).is_relative_to(repository.folder)
            assert not set(started.env) & set(HOSTILE_SETTINGS)
            assert not {DEFAULT_TOKEN, GitLab.TOKEN} & set(started.env.values())
