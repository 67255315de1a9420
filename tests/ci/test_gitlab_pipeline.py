"""The GitLab pipeline, every shell line of it, against the sandbox and a server like GitLab's."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler import __version__
from reconciler.sandbox import DEFAULT_TOKEN
from tests.ci.forges import serving
from tests.ci.gitlab_job import PIPELINE, Job, Project, script
from tests.ci.machine import ROOT, Machine
from tests.ci.scene import BILLING, LIMIT, Scene
from tests.ci.shell import Coverage, Done, needs_tools

pytestmark = needs_tools
JOBS = [name for name, job in PIPELINE.items() if "script" in job]


@dataclass
class Stage:
    """A scene whose repository is on GitLab."""

    scene: Scene
    project: Project
    machine: Machine

    def job(self, name: str, **more: str) -> Done:
        """Run a job with the variables that GitLab and the project set."""
        env = {
            **self.project.variables,
            "CI_DEFAULT_BRANCH": "main",
            "HUBSPOT_BASE_URL": self.scene.server.url,
            "HUBSPOT_READ_TOKEN": DEFAULT_TOKEN,
            "CI_COMMIT_SHA": self.scene.repository.head,
        }
        if name in {"apply", "approve"}:
            env["HUBSPOT_ACCESS_TOKEN"] = DEFAULT_TOKEN
        folder = self.scene.repository.folder
        return Job(name, folder, self.machine, self.scene.coverage, {**env, **more}).run()

    def clean(self) -> None:
        """A runner starts each job without what the one before left behind."""
        self.scene.repository.git("clean", "-qfdx")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A project whose portal matches its main branch."""
    project = Project()
    with Scene.playing(tmp_path, Coverage()) as scene, serving(project):
        yield Stage(scene, project, Machine(tmp_path / "machine"))


def merge_request_is_planned_with_what_main_has_now(stage: Stage) -> Path:
    """The branch is merged in the job: the plan is what the merge will give. The plans are kept."""
    repository = stage.scene.repository
    repository.branch(object_limit=8, billing=1)
    repository.git("checkout", "-q", "main")
    repository.write("configs/deals.yaml", "from: deals\nto: companies\nmax: 3\n")
    repository.commit("Somebody else's change")
    repository.git("push", "-q", "origin", "main")
    repository.git("checkout", "-q", "--detach", "change")
    head = repository.head
    assert stage.job("check").code == 0
    planned = stage.job("plan", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    assert planned.code == 0, planned.err
    assert "Plan: 1 to create, 1 to update, 0 to delete." in planned.out
    (note,) = stage.project.notes
    files = f"https://gitlab.com/acme/limits/-/blob/{head}/configs/contacts-companies.yaml#L3"
    assert files in note.body
    kept = repository.folder.parent / "kept"
    (repository.folder / "plans").rename(kept)
    assert sorted(file.name for file in kept.iterdir()) == [
        "default.html",
        "default.json",
        "digests",
    ]
    return kept


def merge_is_applied_as_reviewed(stage: Stage, kept: Path) -> None:
    """The plan of the merge request's own pipeline; the commit before counts as applied."""
    repository = stage.scene.repository
    stage.project.deployed = [repository.git("rev-parse", "main")]
    merge = repository.merge()
    stage.project.merged = {merge: 7}
    stage.project.kept = {"refs/merge-requests/7/head": kept}
    applied = stage.job("apply")
    assert applied.code == 0, applied.out + applied.err
    assert stage.scene.limits() == {LIMIT: 8, BILLING: 1}
    assert (repository.folder / "journal.jsonl").stat().st_size > 0
    assert "Nothing is left to approve." in stage.job("approve").out


def portal_that_moved_on_needs_an_approval(stage: Stage, kept: Path) -> None:
    """Exit 4, which does not fail the pipeline; the manual job applies the fresh plan."""
    stage.clean()
    stage.project.deployed = []
    stage.project.kept = {"refs/merge-requests/7/merge": kept}
    stage.scene.set_limit(BILLING, 4)
    refused = stage.job("apply")
    assert refused.code == 4, refused.err
    assert PIPELINE["apply"]["allow_failure"] == {"exit_codes": [4]}
    assert stage.scene.limits()[BILLING] == 4
    assert stage.job("approve").code == 0
    assert stage.scene.limits() == {LIMIT: 8, BILLING: 1}


def push_without_a_merge_request_needs_none_where_nothing_is_to_do(stage: Stage) -> None:
    """No reviewed plan, a fresh one without changes."""
    stage.clean()
    stage.project.merged = {}
    done = stage.job("apply")
    assert (done.code, "No reviewed plan was found" in done.out) == (0, True)


def failure_fails_the_job(stage: Stage, kept: Path) -> None:
    """With the command's own status, with and without a reviewed plan."""
    stage.clean()
    wrong = {"HUBSPOT_ACCESS_TOKEN": "revoked-token"}
    assert stage.job("apply", **wrong).code == 1
    stage.project.merged = {stage.scene.repository.head: 7}
    stage.project.kept = {"refs/merge-requests/7/head": kept}
    assert stage.job("apply", **wrong).code == 1


def drift_opens_updates_and_closes_an_issue(stage: Stage) -> None:
    """One issue while the portal differs, none when it does not."""
    stage.clean()
    stage.scene.set_limit(BILLING, 4)
    for _ in range(2):
        assert stage.job("drift").code == 0
    (issue,) = stage.project.issues
    assert issue.fields["title"] == "HubSpot portal default differs from the configuration"
    assert "Somebody changed these in HubSpot" in issue.fields["description"]
    stage.scene.set_limit(BILLING, 1)
    assert stage.job("drift").code == 0
    assert [each.state for each in stage.project.issues] == ["closed"]


def test_every_line_of_the_pipeline_runs(stage: Stage) -> None:
    """Planned, applied, approved, failing, drifting."""
    kept = merge_request_is_planned_with_what_main_has_now(stage)
    merge_is_applied_as_reviewed(stage, kept)
    portal_that_moved_on_needs_an_approval(stage, kept)
    push_without_a_merge_request_needs_none_where_nothing_is_to_do(stage)
    failure_fails_the_job(stage, kept)
    drift_opens_updates_and_closes_an_issue(stage)
    missing = {name: stage.scene.coverage.missing([script(name)]) for name in JOBS}
    # Only some jobs ask GitLab; what all of them run first has run in those.
    defined = {"check": 1, "plan": 1, "approve": 1}
    assert {name: len(lines) for name, lines in missing.items() if lines} == defined


def test_the_package_is_installed_at_the_version_at_hand(stage: Stage) -> None:
    """By the name it has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert stage.job("check").code == 0
    assert stage.machine.pip_log[0].endswith(f" {project['name']}=={__version__}")


def test_a_conflict_fails_before_anything_is_planned(stage: Stage) -> None:
    """There is no merge to plan."""
    repository = stage.scene.repository
    repository.branch(object_limit=8, billing=1)
    repository.git("checkout", "-q", "main")
    repository.commit_pair(object_limit=9, billing=1)
    repository.git("push", "-q", "origin", "main")
    repository.git("checkout", "-q", "--detach", "change")
    assert stage.job("plan", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main").code != 0
    assert stage.project.notes == []


def test_only_the_job_of_a_protected_environment_has_the_token_that_writes() -> None:
    """The others read with a token that can do no more."""
    for name in JOBS:
        writes = name in {"apply", "approve"}
        assert (PIPELINE[name].get("environment") == "hubspot") is writes
        lines = script(name)
        assert ("HUBSPOT_READ_TOKEN" in lines) is (name in {"plan", "drift"})
