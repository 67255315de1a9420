"""Which kept digests count as a review: those of the merged request's own run, and complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.actions import WORKFLOWS, Document, Runner
from tests.ci.github_runs import STRANGERS, apply_run, plan_run, pull_request, runs
from tests.ci.gitlab_job import Merged
from tests.ci.gitlab_stage import Stage
from tests.ci.scene import LIMIT, Scene
from tests.ci.shell import Coverage, needs_tools

pytestmark = needs_tools
REVIEWED = WORKFLOWS["apply"]["jobs"]["reviewed"]
HEAD, MERGE = "a" * 40, "b" * 40


def only(id_: str, **env: str) -> Document:
    """The job with one of its steps, and these variables in place of the step's own."""
    (step,) = (each for each in REVIEWED["steps"] if each.get("id") == id_)
    return {
        "steps": [{**step, "env": {**step["env"], **env}}],
        "env": REVIEWED["env"],
        "outputs": {
            name: f"${{{{ steps.{id_}.outputs.{name} }}}}"
            for name in ("digests", "approval", "commit")
        },
    }


# ---------------------------------------------------------------- GitHub


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A repository whose portal matches its main branch."""
    with Scene.playing(tmp_path, Coverage()) as scene:
        yield scene


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A repository for the tests in which nothing is planned."""
    with Scene.playing(tmp_path_factory.mktemp("asking"), Coverage()) as scene:
        yield scene


def fetched(
    scene: Scene, request: object, run: object, *, artifact: str = "reconciler-plans-7"
) -> bool:
    """Whether the workflow finds digests for the merge, while GitHub knows of these."""
    kept = scene.top / "kept"
    kept.mkdir(exist_ok=True)
    (kept / "digests").write_text(f"default sha256:{'0' * 64}\n")
    runner = scene.push()
    runner.env["GITHUB_SHA"] = MERGE
    runner.machine.gh_knows(
        ("api .*/pulls", [request]),
        ("api .*/hubspot-plan.yml/runs", runs(run)),  # type: ignore[arg-type]  # an entry
        ("run download 81 ", {artifact: str(kept)}),
    )
    return Path(runner.run_job(only("reviewed"))["digests"]).exists()


def test_the_plan_of_the_merged_pull_request_is_found(asking: Scene) -> None:
    """Merged into this branch as this commit, from a branch of this repository."""
    assert fetched(asking, pull_request(MERGE, HEAD), plan_run(HEAD))


def test_an_artifact_of_another_pull_request_is_not_taken(asking: Scene) -> None:
    """By its number, of which this one's is the beginning; other workspaces' ones belong to it."""
    for name, counts in (("reconciler-plans-71", False), ("reconciler-plans-7@eu", True)):
        found = fetched(asking, pull_request(MERGE, HEAD), plan_run(HEAD), artifact=name)
        assert found is counts, name


@pytest.mark.parametrize(
    "forged",
    [
        {"head": {"sha": HEAD, "repo": STRANGERS}},
        {"head": {"sha": HEAD, "repo": None}},
        {"base": {"ref": "main", "repo": STRANGERS}},
        {"base": {"ref": "release", "repo": {"full_name": "acme/limits"}}},
        {"merged_at": None},
        {"merge_commit_sha": "c" * 40},
        {"number": 8},
    ],
    ids=["fork", "fork-gone", "to-fork", "other-branch", "open", "contains", "other-number"],
)
def test_no_other_pull_request_that_holds_the_commit_counts(
    asking: Scene, forged: dict[str, object]
) -> None:
    """Whoever opened it could have had any plan kept."""
    assert not fetched(asking, {**pull_request(MERGE, HEAD), **forged}, plan_run(HEAD))


@pytest.mark.parametrize(
    "forged",
    [
        {"head_repository": STRANGERS},
        {"head_repository": None},
        {"head_sha": "c" * 40},
        {"event": "push"},
        {"event": "workflow_dispatch"},
    ],
    ids=["fork", "fork-gone", "other-head", "push", "by-hand"],
)
def test_no_other_run_for_the_head_commit_counts(asking: Scene, forged: dict[str, object]) -> None:
    """A fork can have a pull request with the same head commit."""
    assert not fetched(asking, pull_request(MERGE, HEAD), {**plan_run(HEAD), **forged})


def test_the_base_is_of_a_run_on_the_branch_itself(asking: Scene) -> None:
    """A pull request whose head branch is called main has runs of that branch, too."""
    runner = asking.push()
    applied = asking.repository.head
    strangers = [
        {**apply_run("c" * 40), "event": "pull_request"},
        {**apply_run("d" * 40), "head_repository": STRANGERS},
        {**apply_run("e" * 40), "head_branch": "other"},
    ]
    runner.machine.gh_knows(("api .*/hubspot-apply.yml/runs", runs(*strangers, apply_run(applied))))
    assert runner.run_job(only("last"))["commit"] == applied
    runner.machine.gh_knows(("api .*/hubspot-apply.yml/runs", runs(*strangers)))
    assert runner.run_job(only("last"))["commit"] == ""


def approval(runner: Runner, digests: Path) -> str:
    """What the workflow says of an approval, given these digests as those that were reviewed."""
    job = only("apply", REVIEWED=str(digests), BASE="")
    return str(runner.run_job(job)["approval"])


def test_only_complete_digests_are_a_review(scene: Scene) -> None:
    """Empty, cut short, of another portal or missing: nothing is applied, an approval is asked."""
    (good,) = (scene.planned(8) / "digests").read_text().splitlines()
    scene.repository.merge()
    runner = scene.push()
    runner.machine.install_reconciler()
    forged = scene.top / "forged"
    for text in ("", good, good[:-1] + "\n", good.replace("default", ".*") + "\n"):
        forged.write_text(text)
        assert approval(runner, forged) == "true", text
    assert approval(runner, scene.top / "missing") == "true"
    assert scene.limits()[LIMIT] == 5
    forged.write_text(f"other sha256:{'0' * 64}\n{good}\n")
    assert approval(runner, forged) == "false"
    assert scene.limits()[LIMIT] == 8


# ---------------------------------------------------------------- GitLab


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A project with a merge request that was planned and merged, and its plan kept."""
    with Stage.playing(tmp_path) as stage:
        repository = stage.scene.repository
        repository.branch(object_limit=8, billing=1)
        planned = stage.job("plan", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
        assert planned.code == 0, planned.err
        kept = stage.keep("planned")
        stage.clean()
        repository.merge()
        stage.project.kept = {"refs/merge-requests/7/head": kept}
        yield stage


def test_no_other_merge_request_that_holds_the_commit_counts(stage: Stage) -> None:
    """Of a fork, into another branch or project, open, or one that only contains the commit."""
    merge = stage.scene.repository.head
    forged = [
        Merged(source_project_id=666, merge_commit_sha=merge),
        Merged(target_project_id=666, merge_commit_sha=merge),
        Merged(source_project_id=666, target_project_id=666, merge_commit_sha=merge),
        Merged(target_branch="release", merge_commit_sha=merge),
        Merged(state="opened", merge_commit_sha=merge),
        Merged(state="closed", merge_commit_sha=merge),
        Merged(merge_commit_sha="c" * 40),
    ]
    stage.project.merged = forged
    done = stage.job("apply")
    assert (done.code, stage.scene.limits()[LIMIT]) == (75, 5), done.err
    assert "No reviewed plan was found" in done.out
    assert not any("/jobs/artifacts/" in each.path for each in stage.project.asked)


def test_the_merge_request_that_the_commit_came_by_counts(stage: Stage) -> None:
    """As its merge commit, its squashed commit, or its head where the branch was fast-forwarded."""
    merge = stage.scene.repository.head
    for found in (
        Merged(merge_commit_sha=merge),
        Merged(squash_commit_sha=merge),
        Merged(sha=merge),
    ):
        stage.scene.set_limit(LIMIT, 5)
        stage.project.merged = [Merged(99, source_project_id=666), found]
        done = stage.job("apply")
        assert (done.code, stage.scene.limits()[LIMIT]) == (0, 8), done.err


def test_digests_that_were_cut_short_are_no_review(stage: Stage) -> None:
    """Nothing is applied; an approval is asked."""
    stage.project.merged = [Merged(merge_commit_sha=stage.scene.repository.head)]
    (kept,) = stage.project.kept.values()
    digests = kept / "hubspot-kept" / "plans" / "digests"
    good = digests.read_text()
    for text in ("", good.removesuffix("\n")):
        digests.write_text(text)
        done = stage.job("apply")
        assert (done.code, "No reviewed plan was found" in done.out) == (75, True)
    assert stage.scene.limits()[LIMIT] == 5


def test_files_of_the_repository_are_no_plans_and_no_review(stage: Stage) -> None:
    """Committed and pushed without a merge request, under every name that a job uses."""
    (kept,) = stage.project.kept.values()
    plans = kept / "hubspot-kept" / "plans"
    repository = stage.scene.repository
    for folder in ("", "plans/", "fresh/", "reviewed/", "kept/"):
        for name in ("digests", "default.json"):
            repository.write(f"{folder}{name}", (plans / name).read_text("utf-8"))
    repository.commit("Bring a plan along")
    stage.project.merged = []
    done = stage.job("apply")
    assert (done.code, stage.scene.limits()[LIMIT]) == (75, 5), done.err
    assert "No reviewed plan was found" in done.out


def test_the_base_is_of_a_deployment_of_the_default_branch(stage: Stage) -> None:
    """A job of another branch can name the environment, too."""
    last = stage.scene.repository.git("rev-parse", "main~1")
    stage.project.deployed = [("main", last), ("change", "c" * 40)]
    done = stage.job("apply")
    assert (done.code, "compared with the base" in done.out) == (75, True), done.err
