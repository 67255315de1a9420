"""A comment shows the newest commit: whichever run ends last, and whatever becomes of another portal."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from reconciler.forges.comments import Comment, Report, Text
from reconciler.forges.marker import Key, Run
from tests.ci import plans
from tests.ci.forges import Told
from tests.ci.github_api import BOT, GitHub
from tests.cli.commenting import comment
from tests.cli.running import Desk, Ran, git
from tests.report import factory

OLD, NEW = "a" * 40, "b" * 40


def pushed(job: Desk, commit: str, run: int, attempt: int = 1) -> None:
    """From here on the job is an attempt of a run for this head commit."""
    event = {"pull_request": {"number": 7, "head": {"sha": commit}}}
    job.write("event.json", json.dumps(event))
    job.variables |= {
        "GITHUB_EVENT_PATH": str(job.folder / "event.json"),
        "GITHUB_SHA": plans.COMMIT,
        "GITHUB_RUN_ID": str(run),
        "GITHUB_RUN_ATTEMPT": str(attempt),
    }


def plan_of(job: Desk, changes: int, name: str = "production") -> str:
    """The file of a plan with so many changes."""
    made = plans.plan(factory.small_changes()[:changes], name=name)
    plans.save(made, job.folder / f"{name}-{changes}.json")
    return f"{name}-{changes}.json"


def test_the_first_line_says_commit_and_run(job: Desk, github: GitHub) -> None:
    """Beside key and digest, so that a later run knows what is older."""
    pushed(job, NEW, 82, 3)
    comment(job)
    first = github.bodies[0].splitlines()[0]
    assert f" digest={plans.small().digest} commit={NEW} run=82.3 " in first


@pytest.mark.parametrize("failing", [False, True], ids=["plan", "failure"])
def test_an_older_commits_run_that_ends_later_changes_nothing(
    job: Desk, github: GitHub, *, failing: bool
) -> None:
    """Or is run again, hours after the newer push: the plan that is shown stays."""
    pushed(job, NEW, 82)
    assert comment(job, plan_of(job, 1)).code == 0
    before = github.bodies
    for attempt in (1, 2):
        pushed(job, OLD, 81, attempt)
        arguments = ["--failed"] if failing else []
        ran = comment(job, *arguments, plan_of(job, 2))
        assert (ran.code, github.bodies) == (0, before)
        assert "a newer run has commented on a newer commit: https://" in ran.out
    pushed(job, OLD, 83)  # a force-push back to the old commit
    assert "comment updated" in comment(job, plan_of(job, 2)).out


def test_the_same_commit_is_planned_again(job: Desk, github: GitHub) -> None:
    """A run that is repeated has read the portal later, whatever its number."""
    pushed(job, NEW, 82)
    comment(job, plan_of(job, 1))
    pushed(job, NEW, 81, 2)
    assert "comment updated" in comment(job, plan_of(job, 2)).out
    assert f" commit={NEW} run=81.2 " in github.bodies[0]


def test_an_old_run_says_nothing_of_a_workspace_that_is_invalid_now(
    job: Desk, github: GitHub
) -> None:
    """Nor does it take that comment away."""
    job.write("reconciler.yaml", "version: 2\n")
    pushed(job, NEW, 82)
    assert comment(job, "--failed").code == 0
    before = github.bodies
    pushed(job, OLD, 81)
    made = replace(plans.small(), workspace="reconciler.yaml")
    plans.save(made, job.folder / "plan.json")
    assert comment(job).code == 0
    assert github.bodies == before


def test_of_two_comments_the_newest_report_is_kept(job: Desk, github: GitHub) -> None:
    """Two runs at once created one each: the older run ends with the newer run's words, too."""
    pushed(job, OLD, 81)
    comment(job, plan_of(job, 2))
    (old,) = github.bodies
    github.notes.clear()
    pushed(job, NEW, 82)
    comment(job, plan_of(job, 1))
    (new,) = github.bodies
    github.notes.clear()
    github.write(old, BOT)
    github.write(new, BOT)
    pushed(job, OLD, 81)
    comment(job, plan_of(job, 2))
    assert github.bodies == [new]


@pytest.mark.parametrize(
    "run", ["", "run=", "run=x", "run=82", "run=82.1.", "run=-1", "run=\u0661", "run=" + "9" * 99]
)
def test_a_first_line_that_somebody_edited_stops_nobody(
    job: Desk, github: GitHub, run: str
) -> None:
    """It says of no run, or of an older one: the plan is shown."""
    github.write(f"<!-- reconciler workspace= portal=production {run} -->\n\nold", BOT)
    pushed(job, NEW, 83)
    assert "comment updated" in comment(job).out


def test_fields_of_other_versions_are_read_past() -> None:
    """What a first line holds beside the key is a list of names and values."""
    body = Report(
        Key("eu/a b.yaml", "p"), "p", "sha256:0", lambda _: Text("x"), run=Run(NEW, (1, 2))
    ).body({})
    more = body.replace(" -->", " push=3 record=%7B%22a%22%3A1%7D -->", 1)
    found = Comment(1, more, "")
    assert found.is_about(Key("eu/a b.yaml", "p"))
    assert found.fields == {
        "digest": "sha256:0",
        "commit": NEW,
        "run": "1.2",
        "push": "3",
        "record": '{"a":1}',
    }
    assert Run.of(found.fields) == Run(NEW, (1, 2))


def failing(job: Desk, *arguments: str) -> Ran:
    """Run the command with the words of a failed plan."""
    job.write("log", "error: it failed\n")
    return comment(job, "--failed", "--reason", "log", *arguments)


def test_a_failure_names_the_commit_and_holds_no_digest(job: Desk, github: GitHub) -> None:
    """The pushed one, not the merge that GitHub checked out: that one is on no branch."""
    pushed(job, OLD, 81)
    comment(job)
    pushed(job, NEW, 82)
    assert failing(job, "plan.json").code == 0
    (body,) = github.bodies
    title = f"## No plan for `production`: planning commit {NEW[:10]} failed"
    assert body.splitlines()[2] == title
    assert "sha256:" not in body


# ---------------------------------------------------------------- what is not planned any more


WORKSPACE = """\
version: 1
portals:
  production: {token: {env: HUBSPOT_PRODUCTION_TOKEN}}
  sandbox: {token: {env: HUBSPOT_SANDBOX_TOKEN}}
"""


@pytest.fixture
def checkout(job: Desk) -> Desk:
    """A repository with a workspace of two portals, whose plans were commented on."""
    git(job, "init", "-q")
    job.write("reconciler.yaml", WORKSPACE)
    for name in ("production", "sandbox"):
        made = replace(plans.plan(factory.small_changes(), name=name), workspace="reconciler.yaml")
        plans.save(made, job.folder / f"{name}.json")
    assert comment(job, "production.json", "sandbox.json").code == 0
    return job


def test_a_workspace_that_cannot_be_read_leaves_no_plan_behind(
    checkout: Desk, github: GitHub
) -> None:
    """Every comment of its portals says so. One of the workspace is for where there is none."""
    other = github.write("<!-- reconciler workspace=eu/reconciler.yaml portal=p -->\n\nkept", BOT)
    checkout.write("eu/reconciler.yaml", WORKSPACE)
    checkout.write("reconciler.yaml", "version: 2\n")
    assert failing(checkout).code == 0
    assert other.body.endswith("kept")
    github.notes.remove(other)
    titles = [body.splitlines()[2] for body in github.bodies]
    assert [title.partition(": ")[0] for title in titles] == [
        "## No plan for `production`",
        "## No plan for `sandbox`",
    ]
    assert all("error: it failed" in body and "sha256:" not in body for body in github.bodies)
    checkout.write("reconciler.yaml", WORKSPACE)
    assert comment(checkout, "production.json", "sandbox.json").code == 0
    assert ["No plan" in body for body in github.bodies] == [False, False]


def test_a_portal_that_a_commit_removes_has_no_plan_any_more(
    checkout: Desk, github: GitHub
) -> None:
    """Its comment says so; that of another workspace's portal stays."""
    other = github.write("<!-- reconciler workspace=eu/reconciler.yaml portal=p -->\n\nkept", BOT)
    checkout.write("eu/reconciler.yaml", WORKSPACE)
    checkout.write("reconciler.yaml", "\n".join(WORKSPACE.splitlines()[:3]))
    ran = comment(checkout, "production.json")
    assert ran.code == 0
    assert "sandbox in reconciler.yaml: comment updated" in ran.out
    removed = github.bodies[1]
    assert removed.splitlines()[2] == "## `sandbox`: not in the workspace any more"
    assert "sha256:" not in removed
    assert other.body.endswith("kept")
    (checkout.folder / "eu/reconciler.yaml").unlink()
    comment(checkout, "production.json")
    assert "## `p` in `eu/reconciler.yaml`: not in the workspace any more" in other.body


def test_a_workspace_file_that_a_commit_adds_ends_the_plan_without_one(
    checkout: Desk, github: GitHub
) -> None:
    """The only portal was called default until then."""
    before = github.write("<!-- reconciler workspace= portal=default -->\n\nold", BOT)
    comment(checkout, "production.json")
    assert "## `default`: not in the workspace any more" in before.body


@pytest.mark.parametrize("workspace", ["a" * 5_000, "é/reconciler.yaml", "%2e%2e/x", "a%00b"])
def test_a_first_line_that_somebody_edited_stops_nothing(
    checkout: Desk, github: GitHub, workspace: str
) -> None:
    """It names a workspace that no system can have, or that nobody writes so."""
    edited = github.write(f"<!-- reconciler workspace={workspace} portal=p -->\n\nkept", BOT)
    comments = len(github.notes)
    ran = comment(checkout, "production.json")
    assert (ran.code, ran.err) == (0, "")
    assert len(github.notes) == comments
    assert edited in github.notes


def test_without_a_checkout_nothing_is_known_of_other_portals(job: Desk, github: GitHub) -> None:
    """A job that only has the plan files comments on those."""
    other = github.write("<!-- reconciler workspace=reconciler.yaml portal=p -->\n\nkept", BOT)
    assert comment(job).code == 0
    assert other.body.endswith("kept")


# ---------------------------------------------------------------- several portals


def test_one_portals_refused_comment_does_not_keep_the_others(job: Desk, github: GitHub) -> None:
    """Each is tried; the exit code is the worst."""
    files = [plan_of(job, 2, name) for name in ("production", "sandbox", "third")]
    error = {"message": "Validation Failed", "errors": [{"message": "body is too long"}]}
    create = "POST /repos/acme/limits/issues/7/comments"
    github.fail(create, Told(422, error))
    ran = comment(job, *files)
    assert ran.code == 1
    assert "error: production (portal 1234567): GitHub: POST " in ran.err
    assert [re.findall(r"portal=(\w+)", body)[0] for body in github.bodies] == ["sandbox", "third"]


def test_a_plan_that_cannot_be_read_fails_after_the_others(job: Desk, github: GitHub) -> None:
    """Cut short by a full disk."""
    good = plan_of(job, 2, "sandbox")
    job.write("cut.json", (job.folder / good).read_text("utf-8")[:200])
    ran = comment(job, "cut.json", good)
    assert (ran.code, len(github.notes)) == (4, 1)
    assert "cut.json" in ran.err
