"""`comment --failed`: the comment that would hold the plan says that there is none, and why."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ci import plans
from tests.ci.github_api import BOT, GitHub
from tests.ci.here import run_here
from tests.cli.commenting import comment
from tests.cli.running import Desk, Ran
from tests.report import factory

WORKSPACE = """\
version: 1
portals:
  production: {token: {env: HUBSPOT_PRODUCTION_TOKEN}}
  sandbox: {token: {env: HUBSPOT_SANDBOX_TOKEN}}
"""
REASON = """\
configs/a.yaml:3:6: error[limit-range]: a limit is a whole number from 1 to 50,000
    3 | max: 0
      |      ^
error: configuration invalid: 1 error
"""


def failed(job: Desk, *arguments: str, reason: str = REASON) -> Ran:
    """Run the command with the words of a failed plan."""
    job.write("log", reason)
    return comment(job, "--failed", "--reason", "log", *arguments)


def test_the_comment_of_a_plan_says_that_planning_failed(job: Desk, github: GitHub) -> None:
    """In place: what it showed before is out of date. A later plan takes the place back."""
    comment(job)
    ran = failed(job, "plan.json")
    assert (ran.code, ran.err) == (0, "")
    assert "comment updated" in ran.out
    (body,) = github.bodies
    assert "No plan for `production`: planning failed" in body
    assert "There is no plan to approve" in body
    assert "to delete" not in body
    assert REASON.rstrip("\n") in body
    comment(job)
    assert "planning failed" not in github.bodies[0]
    assert len(github.notes) == 1


def test_without_a_plan_every_portal_of_the_workspace_says_so(job: Desk, github: GitHub) -> None:
    """In the comments that their plans had, which are found by the workspace's path."""
    job.write("reconciler.yaml", WORKSPACE)
    made = replace(plans.small(), workspace="reconciler.yaml")
    plans.save(made, job.folder / "plan.json")
    comment(job)
    assert failed(job).code == 0
    assert len(github.notes) == 2
    assert [re.findall(r"No plan for `(\w+)`", body) for body in github.bodies] == [
        ["production"],
        ["sandbox"],
    ]


def test_without_a_workspace_file_it_is_the_one_portal(job: Desk, github: GitHub) -> None:
    """Named default, as its plans are."""
    default = plans.plan(factory.small_changes(), name="default")
    plans.save(default, job.folder / "plan.json")
    comment(job)
    assert failed(job).code == 0
    (body,) = github.bodies
    assert "No plan for `default`" in body


def test_portals_that_were_planned_show_their_plan(job: Desk, github: GitHub) -> None:
    """One portal's token is wrong: the other portal's plan is reviewed all the same."""
    job.write("reconciler.yaml", WORKSPACE)
    plans.save(replace(plans.small(), workspace="reconciler.yaml"), job.folder / "plan.json")
    assert failed(job, "--planned", "plan.json").code == 0
    assert len(github.notes) == 2
    assert "## `production`: " in github.bodies[0]
    assert "## No plan for `sandbox`" in github.bodies[1]


def test_only_the_portals_that_were_asked_for_say_so(job: Desk, github: GitHub) -> None:
    """`--portal`, as `plan` was told."""
    job.write("reconciler.yaml", WORKSPACE)
    assert failed(job, "--portal", "sandbox").code == 0
    (body,) = github.bodies
    assert "No plan for `sandbox`" in body


def test_a_workspace_that_cannot_be_read_has_a_comment_of_its_own(
    job: Desk, github: GitHub
) -> None:
    """Until it can be read again: then that comment goes, whether or not there are changes."""
    job.write("reconciler.yaml", "version: 2\n")
    assert failed(job).code == 0
    assert failed(job).out.startswith("the workspace in reconciler.yaml: comment unchanged")
    (body,) = github.bodies
    assert body.splitlines()[2] == "## No plan: planning failed"
    plans.save(replace(plans.plan(), workspace="reconciler.yaml"), job.folder / "empty.json")
    assert comment(job, "empty.json").code == 0
    assert github.notes == []


def test_a_workspace_comment_of_another_file_stays(job: Desk, github: GitHub) -> None:
    """`eu/reconciler.yaml` is still broken."""
    github.write("<!-- reconciler workspace=eu/reconciler.yaml portal= -->", BOT)
    comment(job)
    assert len(github.notes) == 2


def test_the_reason_is_shown_and_does_nothing(job: Desk, github: GitHub) -> None:
    """No fence that it closes, no mention, no HTML, no command, no character that hides."""
    hostile = (
        "```\n</details><script>\n@acme/all /close ~~~\n``````\n\x1b[31m\u202e##[error]\n/close\n"
    )
    assert failed(job, "plan.json", reason=hostile).code == 0
    (body,) = github.bodies
    fence, content = re.search(
        r"^(`{3,})text\n(.*?)\n\1\n?", body, re.MULTILINE | re.DOTALL
    ).groups()  # type: ignore[union-attr]  # there is one
    assert len(fence) == 7
    assert content.splitlines()[0] == "```"
    assert "@acme/all" in content
    assert "\x1b" not in body
    assert "\u202e" not in body


ANNOTATED = "::error file=configs/a.yaml,line=3,col=6,title=limit-range::a limit is a number"


@pytest.mark.parametrize("with_text", [True, False])
def test_annotations_are_words_only_where_there_are_no_others(
    job: Desk, github: GitHub, *, with_text: bool
) -> None:
    """`plan 2> log` in a workflow writes both."""
    reason = f"[1/2] default: failed\n{ANNOTATED}\n{REASON if with_text else 'error: configuration invalid: 1 error'}"
    assert failed(job, "plan.json", reason=reason).code == 0
    (body,) = github.bodies
    assert (ANNOTATED in body) is not with_text
    assert "[1/2]" not in body
    assert "error: configuration invalid: 1 error" in body


@pytest.mark.parametrize("arguments", [(), ("--failed",)], ids=["plan", "failure"])
def test_only_a_comment_that_is_there_is_updated(
    job: Desk, github: GitHub, arguments: tuple[str, ...]
) -> None:
    """A pull request that was never planned is not told that it is not planned now either."""
    ran = comment(job, "plan.json", "--only-update", *arguments)
    assert (ran.code, github.notes) == (0, [])
    assert "no comment to update" in ran.out
    comment(job, "empty.json")
    github.write("<!-- reconciler workspace= portal=production -->\n\nold", BOT)
    assert "comment updated" in comment(job, "plan.json", "--only-update", *arguments).out


def test_the_reason_holds_no_token(job: Desk, github: GitHub) -> None:
    """None that the environment of the command has, by whatever name."""
    job.variables["HUBSPOT_PRODUCTION_TOKEN"] = "pat-na1-0123456789"
    job.variables["DEPLOY_PASSWORD"] = "correct-horse"
    words = f"sent pat-na1-0123456789, correct-horse and {GitHub.TOKEN}\n"
    assert failed(job, "plan.json", reason=words).code == 0
    assert "sent ***, *** and ***" in github.bodies[0]


@pytest.mark.parametrize("line", ["x" * 100, "`" * 3_000, "\u202e" * 2_000, ""])
def test_a_long_reason_fits(job: Desk, github: GitHub, line: str) -> None:
    """The first errors are shown, and how many lines are not."""
    assert failed(job, "plan.json", reason=f"first\n{line}\n" + f"{line}\n" * 5_000).code == 0
    (body,) = github.bodies
    assert len(body) < 65_536
    assert "first" in body
    if line:
        assert re.search(r"[\d,]+ more lines are in the job's log", body)


def test_the_jobs_log_is_linked(job: Desk, github: GitHub) -> None:
    """Where the job's variables say its address; without a reason the log is all there is."""
    job.variables["GITHUB_RUN_ID"] = "81"
    assert comment(job, "--failed", "plan.json").code == 0
    (body,) = github.bodies
    assert "[The job's log](<https://github.com/acme/limits/actions/runs/81>)" in body
    assert "```" not in body


def test_the_reason_comes_from_standard_input_too(job: Desk, github: GitHub) -> None:
    """`plan 2>&1 | …` in a recipe."""
    ran = job.run_here("comment", "--failed", "--reason", "-", "plan.json", stdin="because\n")
    assert ran.code == 0, ran.err
    assert "\nbecause\n" in github.bodies[0]


@pytest.mark.parametrize(
    "arguments", [("--reason", "log", "plan.json"), ("--planned", "plan.json"), ("--portal", "x")]
)
def test_its_options_need_it(job: Desk, github: GitHub, arguments: tuple[str, ...]) -> None:
    """Whoever leaves --failed out would put a stale plan on the request."""
    job.write("log", "x")
    assert (comment(job, *arguments).code, github.asked) == (64, [])


def test_two_failures_of_one_portal_are_a_mistake(
    job: Desk, github: GitHub, tmp_path: Path
) -> None:
    """As two plans are."""
    assert failed(job, "plan.json", str(tmp_path / "empty.json")).code == 64
    assert run_here(job, "comment", "--failed", "missing.json").code == 64
    assert github.asked == []
