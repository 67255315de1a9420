"""The workflows for merges and for nights, every shell line of them, with a `gh` that is a fake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.ci.actions import WORKFLOWS, Document, Runner, StepFailed, scripts
from tests.ci.github_runs import apply_run, plan_run, pull_request, runs
from tests.ci.scene import BILLING, LIMIT, Scene
from tests.ci.shell import Coverage, needs_tools

pytestmark = needs_tools
APPLY = WORKFLOWS["apply"]["jobs"]
DRIFT = WORKFLOWS["drift"]["jobs"]["drift"]
ACCEPT = WORKFLOWS["accept-drift"]["jobs"]["accept"]
TOKEN = {"tokens": f"HUBSPOT_ACCESS_TOKEN={DEFAULT_TOKEN}"}


@pytest.fixture
def coverage() -> Coverage:
    """Lines that ran."""
    return Coverage()


@pytest.fixture
def scene(tmp_path: Path, coverage: Coverage) -> Iterator[Scene]:
    """A repository whose portal matches its main branch."""
    with Scene.playing(tmp_path, coverage) as scene:
        yield scene


def reviewed(scene: Scene, object_limit: int) -> Runner:
    """A pull request was planned and merged; the runner of the push, which finds its plan."""
    return merged(scene, scene.planned(object_limit))


def merged(scene: Scene, plans: Path) -> Runner:
    """The branch is merged; the runner of the push, which finds these plans."""
    last = scene.repository.git("rev-parse", "main")
    head = scene.repository.git("rev-parse", "change")
    merge = scene.repository.merge()
    runner = scene.push()
    knows(runner, merge, head, last, plans)
    return runner


def knows(runner: Runner, merge: str, head: str, last: str, plans: Path) -> None:
    """What GitHub tells of the merge: two pull requests hold its commit, one of them was merged."""
    other = {**pull_request("0" * 40, "1" * 40), "number": 6}
    runner.machine.gh_knows(
        (f"api repos/acme/limits/commits/{merge}/pulls", [other, pull_request(merge, head)]),
        (rf"api .*/hubspot-plan.yml/runs\?.*head_sha={head} ", runs(plan_run(head))),
        ("run download 81 ", {"reconciler-plans-7": str(plans), "reconciler-plans-71": "/"}),
        (r"api .*/hubspot-apply.yml/runs\?branch=main&status=success ", runs(apply_run(last))),
    )


def the_reviewed_plan_is_applied(scene: Scene) -> None:
    """Nobody is asked again. The plan is the one that the action kept."""
    scene.repository.branch(object_limit=8, billing=1)
    planning = scene.pull_request()
    planning.run_job(WORKFLOWS["plan"]["jobs"]["plan"])
    runner = merged(scene, planning.artifacts["reconciler-plans-7"])
    assert runner.run_job(APPLY["reviewed"]) == {"approval": "false"}
    assert scene.limits() == {LIMIT: 8, BILLING: 1}
    assert "Apply complete: 0 created, 1 updated, 0 deleted." in runner.log
    assert (runner.artifacts["hubspot-journal"] / "journal.jsonl").stat().st_size > 0
    assert runner.run_job(APPLY["approval"], {"reviewed": {"approval": "false"}}) is None


def a_portal_that_moved_on_needs_an_approval(scene: Scene) -> None:
    """The reviewed plan is refused, a fresh one is made, and applied once it is approved."""
    runner = reviewed(scene, 9)
    scene.set_limit(BILLING, 4)
    assert runner.run_job(APPLY["reviewed"]) == {"approval": "true"}
    assert scene.limits() == {LIMIT: 8, BILLING: 4}
    assert "drift" in runner.summary.lower()
    approved = scene.push()
    approved.artifacts = runner.artifacts
    approved.run_job(APPLY["approval"], {"reviewed": {"approval": "true"}})
    approved.run_job(APPLY["approved"])
    assert scene.limits() == {LIMIT: 9, BILLING: 1}


def a_push_without_a_pull_request_needs_an_approval(scene: Scene) -> None:
    """Unless there is nothing to do. On the very first run no commit was applied before."""
    scene.repository.git("checkout", "-q", "main")
    for object_limit, approval in ((9, "false"), (10, "true")):
        merge = scene.repository.commit_pair(object_limit=object_limit, billing=1)
        runner = scene.push()
        runner.machine.gh_knows(
            (f"api repos/acme/limits/commits/{merge}/pulls", []),
            ("api .*/hubspot-apply.yml/runs", runs()),
        )
        assert runner.run_job(APPLY["reviewed"]) == {"approval": approval}
        assert "No reviewed plan was found" in runner.log
        assert scene.limits()[LIMIT] == 9


def force_push_that_lost_the_last_applied_commit_needs_an_approval(scene: Scene) -> None:
    """Planned without a base, though the plan was reviewed with one.

    Whether git still has the commit or not.
    """
    plans = scene.planned(12)
    scene.repository.merge()
    head = scene.repository.git("rev-parse", "change")
    elsewhere = scene.repository.git("commit-tree", "-m", "Lost", "HEAD^{tree}")
    for lost in ("c" * 40, elsewhere):
        runner = scene.push()
        knows(runner, scene.repository.head, head, lost, plans)
        before = scene.limits()
        assert runner.run_job(APPLY["reviewed"]) == {"approval": "true"}
        assert "::warning title=The commit applied last is not part of this branch" in runner.log
        assert lost in runner.log
        assert scene.limits() == before
        assert "compared with" not in runner.log


def a_failure_ends_the_job(scene: Scene) -> None:
    """A token that is refused is no reason to ask for an approval."""
    runner = reviewed(scene, 11)
    runner.secrets = {"HUBSPOT_ACCESS_TOKEN": "revoked-token"}
    with pytest.raises(StepFailed) as raised:
        runner.run_job(APPLY["reviewed"])
    assert raised.value.done.code == 1
    runner.machine.gh_knows(("api .*/pulls", []), ("api .*/runs", runs()))
    with pytest.raises(StepFailed) as raised:
        runner.run_job(APPLY["reviewed"])
    assert raised.value.done.code == 1


def a_plan_that_is_refused_fails_the_job(scene: Scene) -> None:
    """Though it was reviewed: nobody can approve it."""
    scene.repository.branch_that_lowers_what_is_protected()
    planning = scene.pull_request()
    with pytest.raises(StepFailed):
        planning.run_job(WORKFLOWS["plan"]["jobs"]["plan"])
    runner = merged(scene, planning.artifacts["reconciler-plans-7"])
    before = scene.limits()
    with pytest.raises(StepFailed) as raised:
        runner.run_job(APPLY["reviewed"])
    assert (raised.value.done.code, scene.limits()) == (4, before)


def test_every_line_of_the_apply_workflow_runs(scene: Scene, coverage: Coverage) -> None:
    """Applied as reviewed; approved anew; without a pull request; failing."""
    the_reviewed_plan_is_applied(scene)
    a_portal_that_moved_on_needs_an_approval(scene)
    a_push_without_a_pull_request_needs_an_approval(scene)
    force_push_that_lost_the_last_applied_commit_needs_an_approval(scene)
    a_failure_ends_the_job(scene)
    a_plan_that_is_refused_fails_the_job(scene)
    for job in APPLY.values():
        assert coverage.missing(scripts(job["steps"])) == []


def test_another_workspace_is_applied_by_its_own_digests(scene: Scene) -> None:
    """By a copy of the workflow; the other workspace has a portal of the same name."""
    repository = scene.repository
    repository.git("checkout", "-q", "-B", "change", "main")
    text = "version: 1\nportals:\n  default: {token: {env: HUBSPOT_ACCESS_TOKEN}}\n"
    repository.write("eu/reconciler.yaml", text)
    repository.write("eu/configs/deals.yaml", "from: deals\nto: companies\nmax: 3\n")
    repository.commit("Begin in another folder")
    planning = scene.pull_request()
    for workspace in ("", "eu/reconciler.yaml"):
        inputs = {"workspace": workspace, "artifact": "reconciler-plans-7", **TOKEN}
        planning.run_action(inputs, {})
    head = repository.git("rev-parse", "change")
    merge = repository.merge()
    job = {
        **APPLY["reviewed"],
        "env": {**APPLY["reviewed"]["env"], "WORKSPACE": "eu/reconciler.yaml"},
    }
    for kept, approval in ((["reconciler-plans-7"], "true"), (list(planning.artifacts), "false")):
        runner = scene.push()
        artifacts = {name: str(planning.artifacts[name]) for name in kept}
        runner.env["GITHUB_WORKFLOW_REF"] = "acme/limits/.github/workflows/eu.yml@refs/heads/main"
        runner.machine.gh_knows(
            (f"api repos/acme/limits/commits/{merge}/pulls", [pull_request(merge, head)]),
            ("api .*/hubspot-plan.yml/runs", runs(plan_run(head))),
            ("run download 81 ", artifacts),
            ("api .*/workflows/eu.yml/runs", runs()),
        )
        assert runner.run_job(job) == {"approval": approval}
    assert "Apply complete: 1 created, 0 updated, 0 deleted." in runner.log


def test_a_direction_given_up_since_the_last_apply_is_removed(scene: Scene) -> None:
    """The base is the last commit that was applied, not the one before the push."""
    last = scene.repository.git("rev-parse", "main")
    scene.repository.git("checkout", "-q", "main")
    scene.repository.git("rm", "-q", "configs/contacts-companies.yaml")
    scene.repository.write("configs/deals.yaml", "from: deals\nto: companies\nmax: 3\n")
    scene.repository.commit("Give up contacts and companies")
    scene.repository.commit("Something else")
    runner = scene.push()
    runner.machine.gh_knows(
        ("api .*/pulls", []), ("api .*/hubspot-apply.yml/runs", runs(apply_run(last)))
    )
    assert runner.run_job(APPLY["reviewed"]) == {"approval": "true"}
    approved = scene.push()
    approved.artifacts = runner.artifacts
    approved.run_job(APPLY["approval"], {"reviewed": {"approval": "true"}})
    approved.run_job(APPLY["approved"])
    assert scene.limits() == {}


def test_every_line_of_the_drift_workflow_runs(scene: Scene, coverage: Coverage) -> None:
    """An issue is opened, kept up to date, closed; a portal that matches needs none.

    A label that was renamed in HubSpot is drift, though `apply` would refuse the plan.
    """
    scene.repository.git("checkout", "-q", "main")
    scene.set_limit(BILLING, 4)
    differing = scene.push()
    label, issue = night(differing, DRIFT, [])
    assert label.startswith("label create hubspot-drift-default --force --description ")
    title = "HubSpot portal default differs from the configuration"
    opened = f"issue create --label hubspot-drift-default --title {title} --body-file"
    assert issue == opened
    assert "somebody changed these in HubSpot" in differing.machine.gh_body
    assert "`Billing contact`" in differing.machine.gh_body
    assert night(differing, last_step(differing), [{"number": 3}]) == ["issue edit 3 --body-file"]
    scene.set_limit(BILLING, 1)
    matching = scene.push()
    close = "issue close 3 --comment HubSpot matches the configuration again."
    assert night(matching, DRIFT, [{"number": 3}]) == [close]
    assert night(matching, last_step(matching), []) == []
    scene.repository.name_a_label_that_is_gone()
    vanished = scene.push()
    assert night(vanished, DRIFT, [])[1].startswith("issue create --label hubspot-drift-default ")
    assert "Old label" in vanished.machine.gh_body
    matching.secrets = {"HUBSPOT_READ_TOKEN": "revoked-token"}
    with pytest.raises(StepFailed) as raised:
        night(matching, DRIFT, [])
    assert raised.value.done.code == 1
    assert coverage.missing(scripts(DRIFT["steps"])) == []


def night(runner: Runner, job: Document, issues: object) -> list[str]:
    """Run the drift job while these issues are open; what `gh` is told to do."""
    runner.machine.gh_knows(("issue list --label hubspot-drift-default ", issues), ("", None))
    runner.run_job(job)
    temp = str(runner.machine.temp)
    return [line.split(f" {temp}")[0] for line in runner.machine.gh_log[1:]]


def last_step(runner: Runner) -> Document:
    """The drift job without planning again: its last step, with the plans that there are."""
    step = DRIFT["steps"][-1]
    (digests,) = runner.machine.temp.glob("drift.*/digests")
    env = {**step["env"], "PLANS": str(digests.parent), "STATUS": "0"}
    return {**DRIFT, "steps": [{**step, "env": env}]}


def test_every_line_of_the_workflow_that_accepts_drift_runs(
    scene: Scene, coverage: Coverage
) -> None:
    """A pull request has the portal's values; it is kept up to date, and closed when they are back."""
    repository = scene.repository
    repository.git("checkout", "-q", "main")
    scene.set_limit(BILLING, 4)
    title = "Accept what was changed in HubSpot portal default"
    create = f"pr create --head hubspot-drift-default --base main --title {title} --body-file"
    assert accepting(scene, []) == [create]
    body = scene.runners[-1].machine.gh_body
    assert "    updated configs/contacts-companies.yaml (1 limit)\n" in body
    proposed = repository.git("diff", "--unified=0", "main", "origin/hubspot-drift-default")
    assert proposed.endswith("-  Billing contact: 1\n+  Billing contact: 4")
    assert accepting(scene, [{"number": 3}]) == ["pr edit 3 --body-file"]
    scene.set_limit(BILLING, 1)
    close = "pr close 3 --comment HubSpot matches the configuration again."
    assert accepting(scene, [{"number": 3}]) == [close]
    assert accepting(scene, []) == []
    assert coverage.missing(scripts(ACCEPT["steps"])) == []


def accepting(scene: Scene, requests: object) -> list[str]:
    """Run the job on main while these pull requests are open; what `gh` is told to do."""
    scene.repository.git("checkout", "-q", "main")
    runner = scene.push()
    runner.machine.gh_knows(
        ("auth setup-git", None), ("pr list --head hubspot-drift-default ", requests), ("", None)
    )
    runner.run_job(ACCEPT)
    temp = str(runner.machine.temp)
    return [line.split(f" {temp}")[0] for line in runner.machine.gh_log[2:]]
