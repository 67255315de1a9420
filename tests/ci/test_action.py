"""The action and the plan workflow, every shell line of them, against the sandbox and a forge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.planning.saved import read_plan
from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.ci.actions import ACTION, WORKFLOWS, Runner, StepFailed, scripts
from tests.ci.forges import Told
from tests.ci.machine import ROOT
from tests.ci.scene import TWIN_TOKEN, Scene
from tests.ci.shell import Coverage, needs_tools

pytestmark = needs_tools
TOKEN = {"tokens": f"HUBSPOT_ACCESS_TOKEN={DEFAULT_TOKEN}\n"}


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    """Lines of the action that ran in any test of this module."""
    return Coverage()


@pytest.fixture
def scene(tmp_path: Path, coverage: Coverage) -> Iterator[Scene]:
    """A repository whose branch `change` lets a contact have 8 companies."""
    with Scene.playing(tmp_path, coverage) as scene:
        scene.repository.branch(object_limit=8, billing=1)
        yield scene


def plan(runner: Runner) -> None:
    """Run the plan workflow's job."""
    runner.run_job(WORKFLOWS["plan"]["jobs"]["plan"])


def pull_request_is_planned_and_commented(scene: Scene) -> None:
    """Checked, planned against main, kept, summed up, commented on."""
    runner = scene.pull_request()
    plan(runner)
    (note,) = scene.github.notes
    kept = runner.artifacts["reconciler-plans-7"]
    assert sorted(file.name for file in kept.iterdir()) == [
        "default.html",
        "default.json",
        "digests",
    ]
    saved = read_plan((kept / "default.json").read_bytes())
    (change,) = saved.changes
    assert (change.before, change.after, change.origin) == (5, 8, "config")
    name, digest = (kept / "digests").read_text().split()
    assert name == "default"
    assert note.body.startswith(
        f"<!-- reconciler workspace= portal=default digest={digest} commit="
    )
    assert runner.summary in note.body + "\n"
    head = scene.repository.git("rev-parse", "change")
    assert f"https://github.com/acme/limits/blob/{head}/configs/contacts-companies.yaml#L3" in (
        note.body
    )
    assert scene.limits() == {279: 5, 28: 1}


def push_that_takes_all_back_is_told(scene: Scene) -> None:
    """The workflow has no filter for paths: it runs though no pair file differs any more."""
    scene.repository.branch(object_limit=5, billing=1)
    plan(scene.pull_request())
    (note,) = scene.github.notes
    assert "No changes. The portal matches the configuration." in note.body


def pull_request_without_a_token_is_checked_and_told(scene: Scene) -> None:
    """A fork's, or one by Dependabot: known by what is missing. The job succeeds and says why.

    No portal is asked. A comment of an earlier plan says that there is none of this commit; where
    there is no comment, none is written.
    """
    before = len(scene.server.requests)
    for notes in (list(scene.github.notes), []):
        scene.github.notes = notes
        runner = scene.pull_request("mallory/limits")
        runner.secrets = {}
        plan(runner)
        assert "::notice title=Nothing was planned::This run has no token" in runner.log
        assert (len(scene.server.requests), runner.artifacts) == (before, {})
        assert ["No plan for `default`" in note.body for note in notes] == [True] * len(notes)
        assert all("This run has no token" in note.body for note in notes)
        assert len(scene.github.notes) == len(notes)


def comment_that_may_not_be_written_leaves_such_a_run_green(scene: Scene) -> None:
    """What GitHub gives a pull request of a fork can only read."""
    scene.repository.branch(object_limit=8, billing=1)
    plan(scene.pull_request())
    runner = scene.pull_request("mallory/limits")
    runner.secrets = {}
    refused = Told(403, {"message": "Resource not accessible by integration"})
    scene.github.fail("PATCH ", refused)
    plan(runner)
    assert "::warning title=reconciler::The comment with the older plan" in runner.log


def several_portals_of_a_named_workspace(scene: Scene) -> None:
    """Inputs with lines of their own; no comment, no artifact; fails at the end when asked to."""
    scene.repository.git("checkout", "-q", "main")
    scene.repository.write(
        "sub dir/reconciler.yaml",
        "version: 1\nportals:\n"
        "  production: {portal_id: 1234567, token: {env: HUBSPOT_ACCESS_TOKEN}}\n"
        "  twin: {token: {env: HUBSPOT_TWIN_TOKEN}}\n"
        "  other: {portal_id: 7, token: {env: NOT_SET}}\n",
    )
    scene.repository.write("sub dir/configs/a b.yaml", "from: contacts\nto: companies\nmax: 5\n")
    runner = scene.push()
    inputs = {
        "workspace": "sub dir/reconciler.yaml",
        "portals": "production\ntwin\n",
        "paths": "sub dir/configs/a b.yaml\n",
        "base": "HEAD",
        "artifact": "",
        "fail-on-changes": "true",
    }
    tokens = f"{TOKEN['tokens']}HUBSPOT_TWIN_TOKEN={TWIN_TOKEN}\n"
    with pytest.raises(StepFailed) as raised:
        runner.run_action(inputs | {"tokens": tokens}, {})
    assert raised.value.done.code == 2
    (digests,) = runner.machine.temp.glob("reconciler-plans.*/digests")
    names = [line.split()[0] for line in digests.read_text().splitlines()]
    assert names == ["production", "twin"]
    assert runner.summary.count("## `") == 2
    assert runner.artifacts == {}


def plan_that_apply_would_refuse_is_commented_and_fails_at_the_end(scene: Scene) -> None:
    """Kept, summed up and commented on before: reviewers see why."""
    scene.repository.branch_that_lowers_what_is_protected()
    runner = scene.pull_request()
    with pytest.raises(StepFailed, match="Fail where apply would refuse") as raised:
        plan(runner)
    assert raised.value.done.code == 4
    assert "protected" in scene.github.notes[-1].body
    assert (runner.artifacts["reconciler-plans-7"] / "default.html").exists()


def portal_that_cannot_be_planned_fails_the_job(scene: Scene) -> None:
    """With the command's own status and words; the token of the step's environment is warned of."""
    runner = scene.pull_request()
    with pytest.raises(StepFailed, match="Plan: 1") as raised:
        runner.run_action({}, {"HUBSPOT_ACCESS_TOKEN": "revoked-token"})
    assert "HTTP 401" in raised.value.done.err
    assert "planning commit " in scene.github.notes[-1].body
    assert "HTTP 401" in scene.github.notes[-1].body
    assert "::warning title=reconciler::A token is in the environment of every step" in runner.log
    assert runner.artifacts == {}


def merge_group_is_planned_against_its_base(scene: Scene) -> None:
    """For the check that the queue requires; it contains several pull requests, so no comment."""
    scene.repository.branch(object_limit=8, billing=1)
    before = list(scene.github.asked)
    runner = scene.merge_group()
    plan(runner)
    kept = runner.artifacts["reconciler-plans-merge-group"]
    (change,) = read_plan((kept / "default.json").read_bytes()).changes
    assert (change.before, change.after, change.origin) == (5, 8, "config")
    assert scene.github.asked == before
    runner = scene.merge_group()
    runner.secrets = {}  # nothing excuses a token that is missing here
    with pytest.raises(StepFailed, match="Plan: 1"):
        plan(runner)
    assert scene.github.asked == before


def line_of_tokens_that_is_wrong_is_refused(scene: Scene) -> None:
    """Without showing it."""
    runner = scene.pull_request()
    with pytest.raises(StepFailed, match="Plan: 64"):
        runner.run_action({"tokens": "pat-na1-secret"}, {})
    assert "pat-na1-secret" not in runner.log + scene.github.notes[-1].body


def portals_that_could_be_planned_are_commented_on(scene: Scene) -> None:
    """Those that were asked for; the other says why not, and the job fails."""
    scene.repository.write(
        "reconciler.yaml",
        "version: 1\nportals:\n"
        "  production: {portal_id: 1234567, token: {env: HUBSPOT_ACCESS_TOKEN}}\n"
        "  other: {portal_id: 7, token: {env: HUBSPOT_TWIN_TOKEN}}\n"
        "  third: {token: {env: HUBSPOT_NOT_SET}}\n",
    )
    scene.github.notes.clear()
    runner = scene.pull_request()
    tokens = f"{TOKEN['tokens']}HUBSPOT_TWIN_TOKEN={TWIN_TOKEN}\n"
    with pytest.raises(StepFailed, match="Plan: "):
        runner.run_action({"portals": "production\nother\n", "tokens": tokens}, {})
    kept = sorted(file.name for file in runner.artifacts["reconciler-plans"].iterdir())
    assert kept == ["production.html", "production.json"]
    assert "## `production`" in runner.summary
    assert [note.body.splitlines()[2].partition(":")[0] for note in scene.github.notes] == [
        "## `production`",
        "## No plan for `other`",
    ]
    scene.repository.git("clean", "-qfdx")


def invalid_file_is_annotated_and_ends_the_job(scene: Scene) -> None:
    """At its place in the pull request, before any portal is asked."""
    scene.repository.branch(object_limit=0, billing=1)
    before = len(scene.server.requests)
    runner = scene.pull_request()
    with pytest.raises(StepFailed) as raised:
        plan(runner)
    assert raised.value.done.code == 3
    assert "::error file=configs/contacts-companies.yaml,line=3," in raised.value.done.out
    (note,) = scene.github.notes
    assert "No plan for `default`: planning commit " in note.body
    assert "configs/contacts-companies.yaml:3:6: error[" in note.body
    assert len(scene.server.requests) == before


def test_every_line_of_the_action_runs(scene: Scene, coverage: Coverage) -> None:
    """A pull request, a push that takes it back, a fork, a workspace of several portals."""
    pull_request_is_planned_and_commented(scene)
    push_that_takes_all_back_is_told(scene)
    pull_request_without_a_token_is_checked_and_told(scene)
    comment_that_may_not_be_written_leaves_such_a_run_green(scene)
    several_portals_of_a_named_workspace(scene)
    for mode in ("install", "validate", "apply"):
        runs_in_mode(scene, mode)
    plan_that_apply_would_refuse_is_commented_and_fails_at_the_end(scene)
    portal_that_cannot_be_planned_fails_the_job(scene)
    merge_group_is_planned_against_its_base(scene)
    line_of_tokens_that_is_wrong_is_refused(scene)
    portals_that_could_be_planned_are_commented_on(scene)
    scene.github.notes.clear()
    invalid_file_is_annotated_and_ends_the_job(scene)
    assert coverage.missing(scripts(ACTION["runs"]["steps"])) == []


def runs_in_mode(scene: Scene, mode: str) -> None:
    """`install` and `validate` ask no portal; what is no mode is wrong usage."""
    before = len(scene.server.requests)
    runner = scene.push()
    if mode == "apply":
        with pytest.raises(StepFailed) as raised:
            runner.run_action({"mode": mode} | TOKEN, {})
        assert raised.value.done.code == 64
    else:
        workspace = {"workspace": "eu/reconciler.yaml"} if mode == "install" else {}
        outputs = runner.run_action({"mode": mode} | workspace | TOKEN, {})
        assert set(outputs.values()) == {""}
        assert [Path(each).name for each in runner.path] == ["bin"]
    assert len(scene.server.requests) == before


@pytest.mark.parametrize(
    ("folder", "suffix"), [("eu", "@eu+reconciler.yaml"), ("eu west", "@22382635324")]
)
def test_two_workspaces_keep_their_plans_apart(scene: Scene, folder: str, suffix: str) -> None:
    """Portals of one name in one run: a comment and an artifact each; digests say which is whose."""
    repository = scene.repository
    repository.git("checkout", "-q", "change")
    text = "version: 1\nportals:\n  default: {token: {env: HUBSPOT_ACCESS_TOKEN}}\n"
    repository.write(f"{folder}/reconciler.yaml", text)
    repository.write(f"{folder}/configs/a.yaml", "from: deals\nto: companies\nmax: 3\n")
    repository.commit("Begin in another folder")
    runner = scene.pull_request()
    runner.run_action(TOKEN, {})
    runner.run_action({"workspace": f"./{folder}/reconciler.yaml"} | TOKEN, {})
    digests = {
        name: (kept / "digests").read_text().split() for name, kept in runner.artifacts.items()
    }
    assert list(digests) == ["reconciler-plans", f"reconciler-plans{suffix}"]
    usual, other = digests.values()
    assert (usual[0], usual[2:]) == ("default", [])
    workspace = f"{folder}/reconciler.yaml".replace(" ", "%20")
    assert (other[0], other[2:]) == ("default", [workspace])
    assert len(scene.github.notes) == 2


def test_outputs_tell_the_digest_and_whether_anything_changes(scene: Scene) -> None:
    """For the steps that follow."""
    runner = scene.pull_request()
    outputs = runner.run_action({"comment": "false"} | TOKEN, {})
    saved = json.loads((Path(outputs["plans"]) / "default.json").read_text("utf-8"))
    assert outputs["changes"] == "true"
    assert outputs["digest"] == saved["digest"]
    assert scene.github.notes == []


@pytest.mark.parametrize("name", ["paths", "portals", "base", "tokens"])
def test_an_input_is_never_run_as_code(scene: Scene, name: str) -> None:
    """Whatever stands in it, it is a value that names nothing."""
    hostile = "\"; touch pwned; $(touch pwned) `touch pwned` '\n--help\n"
    with pytest.raises(StepFailed) as raised:
        scene.push().run_action(TOKEN | {name: hostile}, {})
    assert raised.value.done.code in {1, 64}
    assert not (scene.repository.folder / "pwned").exists()


def test_no_expression_stands_in_a_script() -> None:
    """Text between `${{ }}` would become code: only variables reach the shell."""
    jobs = [job for each in WORKFLOWS.values() for job in each["jobs"].values()]
    found = scripts(ACTION["runs"]["steps"])
    found += [script for job in jobs for script in scripts(job["steps"])]
    assert found
    assert [script for script in found if "${{" in script] == []


def test_the_action_installs_its_own_checkout(scene: Scene) -> None:
    """What is run is what the commit holds, in an environment of its own, one name on the PATH."""
    runner = scene.push()
    runner.run_action({"mode": "install"}, {})
    (folder,) = runner.path
    assert [file.name for file in Path(folder).iterdir()] == ["reconciler"]
    made, packages, own = [each.arguments for each in runner.machine.started]
    assert made[:3] == ["-I", "-m", "venv"]
    assert "--require-hashes" in packages
    assert packages[-1] == str(ROOT / ".ci" / "requirements.txt")
    assert {"--no-index", "--no-deps"} <= set(own)
    assert own[-1] == str(ROOT)


def test_every_job_says_what_it_may_and_how_long() -> None:
    """No permission by default; one recipe writes branches; no job hangs for six hours."""
    for name, workflow in WORKFLOWS.items():
        assert workflow["permissions"] == {}
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= 60
            checkout = job["steps"][0]
            if "uses" not in checkout:
                assert job["permissions"] == {}
                continue
            assert job["permissions"]["contents"] == ("write" if "accept" in name else "read")
            assert checkout["uses"].startswith("actions/checkout@")
            assert checkout["with"]["persist-credentials"] is False
