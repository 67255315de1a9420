"""The GitLab pipeline, every shell line of it, against the sandbox and a server like GitLab's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.gitlab_api import GitLab
from tests.ci.gitlab_job import JOBS, PIPELINE, Merged, script
from tests.ci.gitlab_stage import Stage
from tests.ci.scene import BILLING, LIMIT
from tests.ci.shell import needs_tools

pytestmark = needs_tools
ASKS = ("curl ", "first()")
"""The commands of what all jobs define to ask GitLab, and only some of them use."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A project whose portal matches its main branch."""
    with Stage.playing(tmp_path) as stage:
        yield stage


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
    kept = stage.keep("planned")
    names = sorted(file.name for file in (kept / "hubspot-kept" / "plans").iterdir())
    assert names == ["default.html", "default.json", "digests"]
    return kept


def merge_is_applied_as_reviewed(stage: Stage, kept: Path) -> None:
    """The plan of the merge request's own pipeline; the commit before counts as applied."""
    repository = stage.scene.repository
    stage.project.deployed = [("main", repository.git("rev-parse", "main"))]
    merge = repository.merge()
    stage.project.merged = [Merged(99, "closed"), Merged(merge_commit_sha=merge)]
    stage.project.kept = {"refs/merge-requests/7/head": kept}
    applied = stage.job("apply")
    assert applied.code == 0, applied.out + applied.err
    assert stage.scene.limits() == {LIMIT: 8, BILLING: 1}
    assert (repository.folder / "hubspot-kept" / "journal.jsonl").stat().st_size > 0
    assert "Nothing is left to approve." in stage.next_job("approve").out


def portal_that_moved_on_needs_an_approval(stage: Stage, kept: Path) -> None:
    """A status that does not fail the pipeline; the manual job applies the fresh plan."""
    stage.clean()
    stage.project.deployed = []
    stage.project.kept = {"refs/merge-requests/7/merge": kept}
    stage.scene.set_limit(BILLING, 4)
    refused = stage.job("apply")
    assert PIPELINE["apply"]["allow_failure"] == {"exit_codes": [refused.code]}, refused.err
    assert stage.scene.limits()[BILLING] == 4
    assert stage.next_job("approve").code == 0
    assert stage.scene.limits() == {LIMIT: 8, BILLING: 1}


def push_without_a_merge_request_needs_none_where_nothing_is_to_do(stage: Stage) -> None:
    """No reviewed plan, a fresh one without changes."""
    stage.clean()
    stage.project.merged = []
    done = stage.job("apply")
    assert (done.code, "No reviewed plan was found" in done.out) == (0, True)


def failure_fails_the_job(stage: Stage, kept: Path) -> None:
    """With the command's own status, with and without a reviewed plan."""
    wrong = {"HUBSPOT_ACCESS_TOKEN": "revoked-token"}
    stage.clean()
    assert stage.job("apply", **wrong).code == 1
    stage.clean()
    stage.project.merged = [Merged(merge_commit_sha=stage.scene.repository.head)]
    stage.project.kept = {"refs/merge-requests/7/head": kept}
    assert stage.job("apply", **wrong).code == 1


def drift_opens_updates_and_closes_an_issue(stage: Stage) -> None:
    """One issue while the portal differs, none when it does not; a failure opens none."""
    stage.clean()
    stage.scene.set_limit(BILLING, 4)
    for _ in range(2):
        assert stage.job("drift").code == 0
    (issue,) = stage.project.issues
    assert issue.fields["title"] == "HubSpot portal default differs from the configuration"
    assert "somebody changed these in HubSpot" in issue.fields["description"]
    stage.scene.set_limit(BILLING, 1)
    assert stage.job("drift").code == 0
    assert [each.state for each in stage.project.issues] == ["closed"]
    assert stage.job("drift", HUBSPOT_READ_TOKEN="revoked-token").code == 1
    assert len(stage.project.issues) == 1


def drift_is_proposed_as_a_merge_request(stage: Stage) -> None:
    """One while the portal differs, with its values; closed when it does not."""
    stage.clean()
    repository = stage.scene.repository
    main = repository.head
    address = {
        "CI_PROJECT_URL": str(repository.origin).removesuffix(".git"),
        "GITLAB_ACCEPT_TOKEN": GitLab.TOKEN,
        "CI_COMMIT_SHA": main,
    }
    stage.scene.set_limit(BILLING, 4)
    for _ in range(2):
        done = stage.job("accept-drift", **address)
        assert done.code == 0, done.err
    (request,) = stage.project.proposals
    assert request.fields["source_branch"] == "hubspot-drift-default"
    assert request.fields["target_branch"] == "main"
    assert request.fields["title"] == "Accept what was changed in HubSpot portal default"
    repository.git("fetch", "-q", "origin")
    proposed = repository.git("diff", "--unified=0", main, "origin/hubspot-drift-default")
    assert proposed.endswith("-  Billing contact: 1\n+  Billing contact: 4")
    stage.scene.set_limit(BILLING, 1)
    for _ in range(2):
        assert stage.job("accept-drift", **address).code == 0
    assert [each.state for each in stage.project.proposals] == ["closed"]
    repository.git("checkout", "-q", "-f", "--detach", main)


def label_that_is_gone_in_hubspot_opens_an_issue(stage: Stage) -> None:
    """It is drift, though `apply` would refuse the plan."""
    stage.scene.repository.name_a_label_that_is_gone()
    assert stage.job("drift").code == 0
    assert "Old label" in stage.project.issues[-1].fields["description"]
    assert len(stage.project.issues) == 2
    stage.scene.repository.git("reset", "-q", "--hard", "HEAD~1")


def plan_that_apply_would_refuse_is_shown_and_fails_the_job(stage: Stage) -> None:
    """The note says why, and the plan is kept."""
    stage.clean()
    repository = stage.scene.repository
    repository.branch_that_lowers_what_is_protected()
    planned = stage.job("plan", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    assert planned.code == 4, planned.err
    assert "protected" in stage.project.notes[-1].body
    assert (repository.folder / "hubspot-kept" / "plans" / "default.html").exists()


def what_the_repository_has_at_the_jobs_own_folder_stops_them(stage: Stage) -> None:
    """Nothing is installed, planned or applied: a job could take it for another job's."""
    stage.clean()
    repository = stage.scene.repository
    repository.write("hubspot-kept/fresh/default.json", "{}")
    repository.commit("Keep a plan")
    before = (len(stage.machine.started), len(stage.scene.server.requests))
    for name in JOBS:
        done = stage.job(name)
        assert (done.code, "hubspot-kept" in done.err) == (1, True)
    assert (len(stage.machine.started), len(stage.scene.server.requests)) == before


def portal_that_cannot_be_planned_has_a_note_that_says_why(stage: Stage) -> None:
    """In place of its plan; the plan of another portal is put up all the same."""
    stage.clean()
    repository = stage.scene.repository
    repository.git("checkout", "-q", "-B", "change", "main")
    repository.write(
        "reconciler.yaml",
        "version: 1\nportals:\n"
        "  production: {portal_id: 1234567, token: {env: HUBSPOT_ACCESS_TOKEN}}\n"
        "  other: {token: {env: HUBSPOT_OTHER_TOKEN}}\n",
    )
    repository.commit_pair(object_limit=7, billing=1)
    stage.project.notes.clear()
    failed = stage.job("plan", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    assert failed.code == 1, failed.err
    kept = sorted(file.name for file in (repository.folder / "hubspot-kept" / "plans").iterdir())
    assert kept == ["production.html", "production.json"]
    assert [note.body.splitlines()[2].partition(":")[0] for note in stage.project.notes] == [
        "## `production`",
        "## No plan for `other`",
    ]
    assert "HUBSPOT_OTHER_TOKEN is not set" in stage.project.notes[1].body


def merge_request_without_a_token_is_checked_and_told(stage: Stage) -> None:
    """A fork's: known by what is missing. No portal is asked, and the job is green.

    The note of an earlier plan says that there is none of this commit; none is begun.
    """
    stage.clean()
    before = len(stage.scene.server.requests)
    for notes, token in ((list(stage.project.notes), GitLab.TOKEN), ([], GitLab.TOKEN), ([], "")):
        stage.project.notes = notes
        done = stage.job("plan", HUBSPOT_READ_TOKEN="", GITLAB_TOKEN=token)
        assert done.code == 0, done.err
        assert "Nothing was planned: this pipeline has no token" in done.err
        assert ("could not be changed" in done.err) is (token == "")
        assert len(stage.project.notes) == len(notes)
        assert all("Nothing was planned" in note.body for note in notes)
    assert len(stage.scene.server.requests) == before


def merge_train_is_planned_and_not_commented_on(stage: Stage) -> None:
    """It contains several merge requests."""
    stage.clean()
    train = {
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train",
    }
    stage.scene.repository.branch(object_limit=7, billing=1)
    stage.project.notes.clear()
    assert stage.job("plan", **train).code == 0
    stage.clean()
    assert stage.job("plan", HUBSPOT_READ_TOKEN="wrong", **train).code == 1
    assert stage.project.notes == []


def force_push_that_lost_the_last_applied_commit_needs_an_approval(
    stage: Stage, kept: Path
) -> None:
    """Planned without a base, though the plan was reviewed with one."""
    stage.clean()
    stage.project.kept = {"refs/merge-requests/7/head": kept}
    stage.scene.set_limit(LIMIT, 5)
    for lost in ("c" * 40, stage.scene.repository.git("commit-tree", "-m", "x", "HEAD^{tree}")):
        stage.project.deployed = [("main", lost)]
        done = stage.job("apply")
        assert (done.code, f"The commit applied last, {lost}, is not part" in done.out) == (
            75,
            True,
        )
        assert stage.scene.limits()[LIMIT] == 5
        stage.clean()
    stage.scene.set_limit(LIMIT, 8)


def test_every_line_of_the_pipeline_runs(stage: Stage) -> None:
    """Planned, applied, approved, failing, drifting."""
    kept = merge_request_is_planned_with_what_main_has_now(stage)
    merge_is_applied_as_reviewed(stage, kept)
    portal_that_moved_on_needs_an_approval(stage, kept)
    force_push_that_lost_the_last_applied_commit_needs_an_approval(stage, kept)
    push_without_a_merge_request_needs_none_where_nothing_is_to_do(stage)
    failure_fails_the_job(stage, kept)
    drift_opens_updates_and_closes_an_issue(stage)
    drift_is_proposed_as_a_merge_request(stage)
    label_that_is_gone_in_hubspot_opens_an_issue(stage)
    plan_that_apply_would_refuse_is_shown_and_fails_the_job(stage)
    portal_that_cannot_be_planned_has_a_note_that_says_why(stage)
    merge_request_without_a_token_is_checked_and_told(stage)
    merge_train_is_planned_and_not_commented_on(stage)
    what_the_repository_has_at_the_jobs_own_folder_stops_them(stage)
    for name in JOBS:
        missing = stage.scene.coverage.missing([script(name)])
        # Only some jobs ask GitLab.
        assert [line for line in missing if not line.lstrip().startswith(ASKS)] == [], name
        if name in {"apply", "drift", "accept-drift"}:
            assert missing == []


def test_a_conflict_fails_before_anything_is_planned(stage: Stage) -> None:
    """There is no merge to plan."""
    repository = stage.scene.repository
    repository.branch(object_limit=8, billing=1)
    repository.git("checkout", "-q", "main")
    repository.commit_pair(object_limit=9, billing=1)
    repository.git("push", "-q", "origin", "main")
    repository.git("checkout", "-q", "--detach", "change")
    assert stage.job("plan", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main").code == 1
    assert not stage.scene.server.requests
    (note,) = stage.project.notes
    assert "planning commit " in note.body
    assert "CONFLICT (content)" in note.body


def test_only_the_job_of_a_protected_environment_has_the_token_that_writes() -> None:
    """The others have the one for reading, of an environment that can be protected, too."""
    for name in JOBS:
        writes = name in {"apply", "approve"}
        reads = name in {"plan", "drift", "accept-drift"}
        lines = "\n".join(PIPELINE[name]["script"])
        environment = PIPELINE[name].get("environment")
        assert (environment == "hubspot", "HUBSPOT_ACCESS_TOKEN=" in lines) == (
            writes,
            writes or reads,
        )
        assert ("HUBSPOT_READ_TOKEN" in lines) is reads
        assert (environment == {"name": "hubspot-plan", "action": "access"}) is reads
