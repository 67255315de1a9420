"""What the comment says of the push before, over three pushes and a failure."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from reconciler.model.plan import Change, GitState, Origin
from tests.ci import plans
from tests.ci.github_api import GitHub
from tests.cli.commenting import comment
from tests.cli.running import Desk
from tests.report import factory
from tests.report.factory import CAR, CONTACTS, DEALS, change, label, object_limit

LOWERED = change(CONTACTS, CAR, object_limit(5), 10, 8, line=4, origin=Origin.CONFIG)
REMOVED = change(CONTACTS, DEALS, label("Champion"), 20, None, line=5, origin=Origin.CONFIG)
RAISED = change(DEALS, CONTACTS, label("Champion", 29), 1, 2, line=6, origin=Origin.CONFIG)


def push(job: Desk, commit: int, *changes: Change) -> None:
    """Plan a commit of the pull request, and comment on it."""
    at(job, commit)
    plans.save(plans.plan(changes), job.folder / "plan.json")
    assert comment(job).code == 0


def fail(job: Desk, commit: int) -> None:
    """Planning fails at a commit."""
    at(job, commit)
    job.write("reason", "error: configs/a.yaml:3: unknown label\n")
    assert comment(job, "plan.json", "--failed", "--reason", "reason").code == 0


def at(job: Desk, commit: int) -> None:
    """From here on the job is about this commit, the runs being numbered alike."""
    head = {"sha": f"{commit:040x}"}
    event = {"pull_request": {"number": 7, "head": head}}
    job.write("event.json", json.dumps(event))
    job.variables |= {
        "GITHUB_EVENT_PATH": str(job.folder / "event.json"),
        "GITHUB_SHA": plans.COMMIT,
        "GITHUB_RUN_ID": str(commit),
        "GITHUB_RUN_ATTEMPT": "1",
    }


def since(github: GitHub) -> list[str]:
    """What the one comment says of an earlier push."""
    (body,) = github.bodies
    return re.findall(
        r"^(?:Since|Nothing changed since|The plan changed since) .*", body, re.MULTILINE
    )


def test_each_push_says_what_it_changed(job: Desk, github: GitHub) -> None:
    """From nothing to say, over a limit more and one fewer, to the same plan again."""
    push(job, 1, RAISED)
    assert since(github) == []
    push(job, 2, RAISED, LOWERED)
    assert since(github) == ["Since push 1: 1 limit more is lowered (contacts → car)."]
    push(job, 3, LOWERED, REMOVED)
    assert since(github) == [
        (
            'Since push 2: 1 limit more is removed (contacts → deals "Champion"), '
            '1 change is gone (deals → contacts "Champion").'
        )
    ]
    push(job, 4, LOWERED, REMOVED)
    assert since(github) == ["Nothing changed since push 3."]
    push(job, 5)
    assert since(github) == [
        'Since push 4: 2 changes are gone (contacts → car, contacts → deals "Champion").'
    ]


def test_a_run_that_is_repeated_says_the_same_again(job: Desk, github: GitHub) -> None:
    """And edits nothing where it found the same."""
    push(job, 1, RAISED)
    push(job, 2, RAISED, LOWERED)
    body, written = github.bodies[0], github.written()
    push(job, 2, RAISED, LOWERED)
    assert (github.bodies, github.written()) == ([body], written)
    push(job, 2, LOWERED)
    assert since(github) == [
        'Since push 2: 1 change is gone (deals → contacts "Champion").',
    ]


def test_changes_that_are_not_committed_are_planned_again(job: Desk, github: GitHub) -> None:
    """Their commit says nothing of them: the plan does."""
    for changes in ((RAISED,), (RAISED, LOWERED)):
        made = plans.plan(changes)
        plans.save(replace(made, git=GitState(plans.COMMIT, dirty=True)), job.folder / "plan.json")
        assert comment(job).code == 0
    assert since(github) == ["Since push 1: 1 limit more is lowered (contacts → car)."]


def test_a_failure_in_between_keeps_the_last_plan(job: Desk, github: GitHub) -> None:
    """It counts as a push, says nothing of another one, and the next plan is compared."""
    push(job, 1, RAISED)
    fail(job, 2)
    assert "planning commit" in github.bodies[0]
    assert since(github) == []
    push(job, 3, RAISED, LOWERED)
    assert since(github) == ["Since push 1: 1 limit more is lowered (contacts → car)."]
    fail(job, 4)
    fail(job, 4)
    push(job, 4, RAISED)
    assert since(github) == ["Since push 3: 1 change is gone (contacts → car)."]


def test_a_first_push_may_fail(job: Desk, github: GitHub) -> None:
    """There is nothing to compare the first plan with."""
    fail(job, 1)
    push(job, 2, RAISED)
    assert since(github) == []
    assert " push=2 " in github.bodies[0]


def test_a_plan_too_large_to_keep_is_said_to_have_changed(job: Desk, github: GitHub) -> None:
    """By its digest: the comment says less, and nothing wrong; GitHub takes 65,536 characters."""
    many = factory.big_plan(900).changes
    push(job, 1, *many)
    push(job, 2, *many)
    assert since(github) == ["Nothing changed since push 1."]
    push(job, 3, *many[1:])
    assert since(github) == ["The plan changed since push 2."]
    push(job, 4, *many[:400])
    push(job, 5, *many[:399])
    assert since(github)[0].startswith("Since push 4: 1 change is gone")
    fail(job, 6)


def test_a_failure_with_a_long_reason_fits_beside_what_is_kept(job: Desk, github: GitHub) -> None:
    """GitHub takes 65,536 characters."""
    push(job, 1, *factory.big_plan(400).changes)
    at(job, 2)
    job.write("reason", "error: it is long\n" * 10_000)
    assert comment(job, "plan.json", "--failed", "--reason", "reason").code == 0
    assert 60_000 < len(github.bodies[0]) < 65_536
    push(job, 3, *factory.big_plan(399).changes)
    assert since(github)[0].startswith("Since push 1: 1 change is gone")


def test_a_plan_to_compare_with_may_be_given(job: Desk, github: GitHub) -> None:
    """Whatever the last push was; the count goes on, and the push is kept for the next one."""
    plans.save(plans.plan([REMOVED]), job.folder / "old.json")
    push(job, 1, RAISED)
    at(job, 2)
    plans.save(plans.plan([REMOVED, RAISED]), job.folder / "plan.json")
    assert comment(job, "plan.json", "--since", "old.json").code == 0
    words = 'Since the previous plan: 1 limit more is raised (deals → contacts "Champion").'
    assert since(github) == [words]
    push(job, 3, REMOVED, RAISED)
    assert since(github) == ["Nothing changed since push 2."]


def test_a_plan_of_another_portal_is_nothing_to_compare_with(job: Desk, github: GitHub) -> None:
    """Wrong usage, before anything is written."""
    plans.save(plans.plan([REMOVED], portal_id=7), job.folder / "old.json")
    ran = comment(job, "plan.json", "--since", "old.json")
    assert (ran.code, github.notes) == (64, [])
    assert "old.json is for portal production (7), and what is shown is not" in ran.err


def test_the_longest_names_fit_beside_what_is_kept(job: Desk, github: GitHub) -> None:
    """Two long names, a commit of SHA-256, and a report that fills its room."""
    made = plans.plan(factory.big_plan().changes, name="portal" * 40)
    long = replace(made, workspace="folder/" * 40 + "reconciler.yaml")
    plans.save(replace(long, git=None), job.folder / "plan.json")
    job.variables |= {"GITHUB_RUN_ID": "9" * 19, "GITHUB_RUN_ATTEMPT": "9" * 19}
    for _ in range(2):
        assert comment(job).code == 0
    assert 30_000 < len(github.bodies[0]) < 65_536


# ---------------------------------------------------------------- edited by somebody


@pytest.mark.parametrize(
    "line",
    [
        " push=99999999999999999999 planned=AAAA",
        " push=-1 planned=",
        " push=2 planned=%3Cscript%3E",
        " push=2",
        " planned=eNoDAAAAAAE",
        "",
    ],
)
def test_an_edited_first_line_says_less_and_changes_nothing(
    job: Desk, github: GitHub, line: str
) -> None:
    """No markup, no other verdict, the same report."""
    push(job, 1, RAISED)
    push(job, 2, RAISED, LOWERED)
    (first, _, rest) = github.bodies[0].partition("\n")
    report = rest.replace(f"{since(github)[0]}\n\n", "").replace(f"{2:040x}", f"{3:040x}").strip()
    note = github.notes[0]
    note.body = f"{re.sub(r' push=.*', line, first)} -->\n{rest}"
    push(job, 3, RAISED, LOWERED)
    assert since(github) == []
    assert github.bodies[0].partition("\n")[2].strip() == report


def test_names_in_an_edited_first_line_are_no_markup(job: Desk, github: GitHub) -> None:
    """Whoever edits the comment may say that a change is gone, in words that do nothing."""
    strange = change(CONTACTS, CAR, label("@acme <b>![x](https://evil.example)"), 10, 8)
    push(job, 1, strange)
    push(job, 2)
    (words,) = since(github)
    assert words == (
        'Since push 1: 1 change is gone (`contacts → car "@acme <b>![x](https://evil.example)"`).'
    )
