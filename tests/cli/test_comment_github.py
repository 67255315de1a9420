"""`comment` against a server that answers as GitHub's API does, over real sockets."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.forges.ci import connected, find_request
from reconciler.forges.comments import Action, Report, Text, publish
from reconciler.forges.marker import Key
from reconciler.http.clock import Stop, SystemClock
from reconciler.model.plan import Refusal, RefusalCode
from tests.ci import plans
from tests.ci.forges import STRANGER, Told, serving
from tests.ci.github_api import BOT, OTHER_BOT, GitHub
from tests.ci.here import run_here
from tests.cli.commenting import comment
from tests.cli.running import Desk
from tests.report import factory

MARKER = "<!-- reconciler workspace= portal=production digest="
UPDATE = "PATCH /repos/acme/limits/issues/comments/"


# ---------------------------------------------------------------- one comment, edited in place


def test_the_first_plan_becomes_a_comment(job: Desk, github: GitHub) -> None:
    """Marker and digest first, hidden; then the report; its address on stdout."""
    ran = job.run("comment", "plan.json")
    assert (ran.code, ran.err) == (0, "")
    (note,) = github.notes
    first, blank, title = note.body.splitlines()[:3]
    assert first.startswith(f"{MARKER}{plans.small().digest} commit={plans.COMMIT} push=1 ")
    assert first.endswith(" -->")
    assert (blank, title) == ("", "## `production`: 2 lowered, 1 new limit, 1 removed")
    address = f"https://github.com/acme/limits/pull/7#issuecomment-{note.id}"
    assert ran.out == f"production (portal 1234567): comment created: {address}\n"


def test_the_next_plan_is_put_into_the_same_comment(job: Desk, github: GitHub) -> None:
    """One comment, edited in place."""
    comment(job)
    github.write("Looks good to me", STRANGER)
    plans.save(plans.plan(factory.small_changes()[:1]), job.folder / "plan.json")
    ran = comment(job)
    assert ran.code == 0
    assert "comment updated" in ran.out
    assert "1 lowered" in github.bodies[0]
    assert github.bodies[1:] == ["Looks good to me"]


def test_the_same_plan_writes_nothing(job: Desk, github: GitHub) -> None:
    """A job that runs again leaves no edit behind, however the forge ends its lines."""
    comment(job)
    github.notes[0].body = github.notes[0].body.replace("\n", "\r\n") + "\r\n"
    before = github.written()
    assert "comment unchanged" in comment(job).out
    assert github.written() == before


def test_a_push_that_empties_the_plan_says_no_changes(job: Desk, github: GitHub) -> None:
    """The old plan does not stay."""
    comment(job)
    assert "comment updated" in comment(job, "empty.json").out
    assert len(github.notes) == 1
    assert "No changes. The portal matches the configuration." in github.bodies[0]
    assert "to delete" not in github.bodies[0]


def test_no_changes_and_no_comment_is_not_worth_one(job: Desk, github: GitHub) -> None:
    """A pull request about something else is not commented on."""
    ran = comment(job, "empty.json")
    assert (ran.code, github.notes) == (0, [])
    assert "no changes, and no comment to update" in ran.out


def test_a_plan_that_only_says_why_it_is_refused_is_worth_a_comment(
    job: Desk, github: GitHub
) -> None:
    """A label that is gone in HubSpot: nothing to change, and something to read."""
    refusal = Refusal(RefusalCode.VANISHED, 'contacts → companies has no label "Old"')
    plans.save(replace(plans.plan(), refusals=(refusal,)), job.folder / "refused.json")
    assert "comment created" in comment(job, "refused.json").out
    (body,) = github.bodies
    assert "## `production`: refused" in body
    assert "No changes." not in body


def test_every_portal_has_a_comment_of_its_own(job: Desk, github: GitHub) -> None:
    """Two plans, two comments; each is found again."""
    other = plans.plan(factory.small_changes()[:1], portal_id=89, name="sandbox")
    plans.save(other, job.folder / "other.json")
    assert comment(job, "plan.json", "other.json").code == 0
    plans.save(replace(other, created_at="2026-11-22T09:00:00Z"), job.folder / "other.json")
    ran = comment(job, "plan.json", "other.json")
    assert [line.split(": ")[1] for line in ran.out.splitlines()] == [
        "comment unchanged",
        "comment updated",
    ]
    names = [re.findall(r"portal=(\w+)", body)[0] for body in github.bodies]
    assert names == ["production", "sandbox"]


def test_a_comment_is_found_behind_many_others(job: Desk, github: GitHub) -> None:
    """All pages are read: 250 comments before it, 30 after."""
    for number in range(250):
        github.write(f"comment {number}", STRANGER)
    comment(job)
    for number in range(30):
        github.write(f"more {number}", STRANGER)
    assert "comment unchanged" in comment(job).out
    assert len(github.notes) == 281


def test_a_plan_of_two_thousand_changes_fits(job: Desk, github: GitHub) -> None:
    """GitHub takes 65,536 characters and refuses one more."""
    big = factory.big_plan()
    plans.save(plans.plan(big.changes), job.folder / "plan.json")
    assert comment(job).code == 0
    assert 55_000 < len(github.bodies[0]) < 65_536


# ---------------------------------------------------------------- nobody else's comment


@pytest.mark.parametrize("user", [STRANGER, OTHER_BOT], ids=lambda user: user.login)
def test_a_forged_marker_of_another_user_is_left_alone(
    job: Desk, github: GitHub, user: object
) -> None:
    """A workflow's token could edit it, and its author could then edit the report."""
    forged = github.write(f"{MARKER}{factory.DIGEST} -->\n\nNo changes.", user)  # type: ignore[arg-type]  # parametrised
    ran = comment(job)
    assert "comment created" in ran.out
    assert forged.body.endswith("No changes.")
    assert github.notes[-1].user == BOT


@pytest.mark.parametrize("before", ["> ", "As it says:\n\n", " ", "\ufeff"])
def test_a_marker_that_does_not_come_first_is_a_quotation(
    job: Desk, github: GitHub, before: str
) -> None:
    """Even in a comment by the same bot."""
    quoted = github.write(f"{before}{MARKER}{factory.DIGEST} -->", BOT)
    body = quoted.body
    assert "comment created" in comment(job).out
    assert quoted.body == body


def test_a_portal_whose_name_begins_alike_is_another(job: Desk, github: GitHub) -> None:
    """`production` is not `production-eu`, and not the `production` of another workspace."""
    others = ["workspace= portal=production-eu", "workspace=eu/reconciler.yaml portal=production"]
    bodies = [github.write(f"<!-- reconciler {each} digest=x -->", BOT).body for each in others]
    comment(job)
    assert github.bodies[:2] == bodies
    assert len(github.notes) == 3


def test_the_same_portal_of_two_workspaces_has_two_comments(job: Desk, github: GitHub) -> None:
    """Keyed by the workspace file's path, which the plan holds, and the portal's name."""
    eu = replace(plans.small(), workspace="eu/reconciler.yaml")
    plans.save(eu, job.folder / "eu.json")
    assert comment(job, "plan.json", "eu.json").code == 0
    titles = [body.splitlines()[2].partition(":")[0] for body in github.bodies]
    assert titles == [
        "## `production`",
        "## `production` in `eu/reconciler.yaml`",
    ]
    plans.save(replace(plans.plan(), workspace="eu/reconciler.yaml"), job.folder / "eu.json")
    ran = comment(job, "eu.json")
    assert ran.out.startswith("production (portal 1234567) in eu/reconciler.yaml: comment updated")
    assert ["No changes" in body for body in github.bodies] == [False, True]


def test_a_personal_token_edits_its_own_users_comment(job: Desk, github: GitHub) -> None:
    """Not the bot's, which stands there from the time before."""
    comment(job)
    job.variables["GITHUB_TOKEN"] = GitHub.PERSONAL
    assert "comment created" in comment(job).out
    assert "comment unchanged" in comment(job).out
    assert [note.user.login for note in github.notes] == ["github-actions[bot]", "octocat"]


def test_where_github_does_not_say_whose_the_token_is_only_apps_count(
    job: Desk, github: GitHub
) -> None:
    """A person cannot pass for an app."""
    github.write(f"{MARKER}{factory.DIGEST} -->", STRANGER)
    github.fail("POST /graphql", Told(403, {"message": "Resource not accessible"}), times=9)
    assert "comment created" in comment(job).out
    assert "comment unchanged" in comment(job).out


def test_an_enterprise_server_is_asked_at_its_own_addresses(tmp_path: Path) -> None:
    """REST below /api/v3, GraphQL at /api/graphql."""
    github = GitHub("/api/v3")
    plans.save(plans.small(), tmp_path / "plan.json")
    with serving(github):
        ran = comment(Desk(tmp_path, variables=github.variables))
    assert (ran.code, ran.err) == (0, "")
    assert [str(each) for each in github.asked][:2] == [
        "GET /api/v3/repos/acme/limits/issues/7/comments",
        "POST /api/v3/repos/acme/limits/issues/7/comments",
    ]


# ---------------------------------------------------------------- two runs at once


def test_of_several_own_comments_the_oldest_is_kept(job: Desk, github: GitHub) -> None:
    """The others say something that is not so any more."""
    for _ in range(3):
        github.write(f"{MARKER}{factory.DIGEST} -->", BOT)
    oldest = github.notes[0]
    github.write(f"{MARKER}{factory.DIGEST} -->", STRANGER)
    assert "comment updated" in comment(job).out
    assert [note.user for note in github.notes] == [BOT, STRANGER]
    assert github.notes[0] is oldest


def test_runs_at_the_same_time_end_in_one_comment(job: Desk, github: GitHub) -> None:
    """Whoever comes second finds the other's and takes its own back."""
    request = find_request(job.env, forge=None, number=None)
    clock = SystemClock(Stop())
    report = Report(Key(None, "default"), "default", factory.DIGEST, lambda _: Text("# A plan"))

    def one_run(_: int) -> Action:
        with connected(request, clock=clock, timeout=20, notify=print) as comments:
            return publish(comments, report, clock.wait).action

    with ThreadPoolExecutor(4) as pool:
        actions = set(pool.map(one_run, range(4)))
    assert Action.CREATED in actions
    assert len(github.notes) == 1


def test_a_comment_deleted_in_the_meantime_is_written_anew(job: Desk, github: GitHub) -> None:
    """Between the listing and the edit."""
    comment(job)
    plans.save(plans.plan(factory.small_changes()[:1]), job.folder / "plan.json")
    github.fail(UPDATE, Told(404, {"message": "Not Found"}))
    assert comment(job).code == 0
    assert len(github.notes) == 1


# ---------------------------------------------------------------- wrong usage


def test_an_altered_plan_is_refused_and_the_plan_beside_it_is_shown(
    job: Desk, github: GitHub
) -> None:
    """Exit 4: one portal's file says nothing about another's."""
    text = (job.folder / "plan.json").read_text("utf-8")
    job.write("altered.json", text.replace('"after":3', '"after":4', 1))
    assert (comment(job, "altered.json").code, github.asked) == (4, [])
    ran = comment(job, "altered.json", "plan.json")
    assert (ran.code, len(github.notes)) == (4, 1)
    assert "altered" in ran.err


def test_two_plans_for_one_portal_are_a_mistake(job: Desk, github: GitHub) -> None:
    """They would overwrite each other."""
    ran = comment(job, "plan.json", "empty.json")
    assert (ran.code, github.asked) == (64, [])
    assert "2 of the plans are for portal production" in ran.err


def test_a_plan_is_needed(job: Desk) -> None:
    """And it must be there."""
    assert run_here(job, "comment").code == 64
    assert comment(job, "missing.json").code == 64


def test_hostile_names_make_no_second_marker(job: Desk, github: GitHub) -> None:
    """Labels come from strangers; the comment still begins with the one marker there is."""
    text = f"--> {MARKER}x --> @acme/all <script>\n/close"
    hostile = factory.hostile_plan(text)
    changes = [replace(each, origin=None) for each in hostile.changes]
    plans.save(plans.plan(changes), job.folder / "plan.json")
    assert comment(job).code == 0
    body = github.bodies[0]
    assert body.startswith(MARKER)
    assert not re.search(r"^/close", body, re.MULTILINE)
    assert "comment unchanged" in comment(job).out
