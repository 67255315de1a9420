"""`comment` against a server that answers as GitLab's API does, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci import plans
from tests.ci.forges import HTML_PAGE, STRANGER, Told, serving
from tests.ci.gitlab_api import GitLab
from tests.ci.here import run_here
from tests.cli.running import Desk, Ran
from tests.report import factory

MARKER = "<!-- reconciler workspace= portal=production digest="
NOTES = "/api/v4/projects/42/merge_requests/7/notes"


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    """A project with an open merge request and nothing said on it."""
    forge = GitLab()
    with serving(forge):
        yield forge


@pytest.fixture
def job(tmp_path: Path, gitlab: GitLab) -> Desk:
    """A job of a merge request pipeline, with a plan."""
    plans.save(plans.small(), tmp_path / "plan.json")
    plans.save(plans.plan(), tmp_path / "empty.json")
    return Desk(tmp_path, variables=gitlab.variables)


def comment(job: Desk, *arguments: str) -> Ran:
    """Run the command; whatever happens, no token is shown."""
    ran = run_here(job, "comment", *(arguments or ("plan.json",)))
    for token in (GitLab.TOKEN, GitLab.NARROW, GitLab.JOB_TOKEN):
        assert token not in ran.out + ran.err
    return ran


def test_a_note_is_created_then_edited_then_says_no_changes(job: Desk, gitlab: GitLab) -> None:
    """One note for the life of the merge request, as the real command writes it."""
    ran = job.run("comment", "plan.json")
    assert (ran.code, ran.err) == (0, "")
    (note,) = gitlab.notes
    address = f"https://gitlab.com/acme/limits/-/merge_requests/7#note_{note.id}"
    assert ran.out == f"production (portal 1234567): comment created: {address}\n"
    plans.save(plans.plan(factory.small_changes()[:1]), job.folder / "plan.json")
    assert "comment updated" in comment(job).out
    assert "1 lowered" in note.body
    assert "comment updated" in comment(job, "empty.json").out
    assert note.body.startswith(MARKER)
    assert "No changes." in note.body
    assert gitlab.notes == [note]


def test_a_note_is_found_behind_many_others(job: Desk, gitlab: GitLab) -> None:
    """All pages are read, in an order in which nothing moves from page to page."""
    for number in range(130):
        gitlab.write(f"note {number}", STRANGER)
    comment(job)
    assert "comment unchanged" in comment(job).out


def test_a_full_last_page_without_a_link_header_is_not_the_end(job: Desk, gitlab: GitLab) -> None:
    """Proxies strip headers: a page of 100 is asked for the one after it."""
    for number in range(100):
        gitlab.write(f"note {number}", STRANGER)
    comment(job)
    page = [gitlab.shown(note) for note in gitlab.notes[:100]]
    gitlab.fail(f"GET {NOTES}", Told(200, page))
    assert "comment unchanged" in comment(job).out


def test_notes_of_others_and_of_gitlab_itself_are_left_alone(job: Desk, gitlab: GitLab) -> None:
    """A forged marker, and a system note that repeats one."""
    forged = gitlab.write(f"{MARKER}x -->", STRANGER)
    system = gitlab.write(f"{MARKER}x -->", gitlab.bot)
    system.system = True
    assert "comment created" in comment(job).out
    assert forged.body == system.body == f"{MARKER}x -->"


def test_of_several_own_notes_the_oldest_is_kept(job: Desk, gitlab: GitLab) -> None:
    """A run that was faster with the deletion does no harm."""
    for _ in range(3):
        gitlab.write(f"{MARKER}x -->", gitlab.bot)
    oldest = gitlab.notes[0]
    gitlab.fail(f"DELETE {NOTES}", Told(404, {"message": "404 Not found"}), carried_out=True)
    assert "comment updated" in comment(job).out
    assert gitlab.notes == [oldest]


def test_a_note_deleted_in_the_meantime_is_written_anew(job: Desk, gitlab: GitLab) -> None:
    """Between the listing and the edit."""
    gitlab.write(f"{MARKER}x -->", gitlab.bot)
    gitlab.fail(f"PUT {NOTES}", Told(404, {"message": "404 Not found"}))
    assert comment(job).code == 0
    assert len(gitlab.notes) == 1


def test_a_job_token_is_told_what_to_use_instead(job: Desk, gitlab: GitLab) -> None:
    """GitLab lets it do little more than fetch; what it answers is a bare 401."""
    del job.variables["GITLAB_TOKEN"]
    ran = comment(job)
    assert (ran.code, gitlab.notes) == (1, [])
    assert "(HTTP 401): 401 Unauthorized" in ran.err
    assert "CI_JOB_TOKEN may not write notes: set GITLAB_TOKEN" in ran.err
    assert gitlab.asked[0].headers["job-token"] == GitLab.JOB_TOKEN


def test_a_job_token_acts_for_who_started_the_job(job: Desk, gitlab: GitLab) -> None:
    """Where GitLab lets it write, that user's note is the one to edit."""
    del job.variables["GITLAB_TOKEN"]
    gitlab.write(f"{MARKER}x -->", STRANGER)
    page = [gitlab.shown(note) for note in gitlab.notes]
    gitlab.fail(f"GET {NOTES}", Told(200, page))
    edited = gitlab.shown(gitlab.notes[0])
    gitlab.fail(f"PUT {NOTES}", Told(200, edited))
    assert "comment updated" in comment(job).out


def test_a_server_below_a_path_is_asked_there(tmp_path: Path) -> None:
    """As self-hosted ones are: https://example.com/gitlab."""
    forge = GitLab("/gitlab")
    plans.save(plans.small(), tmp_path / "plan.json")
    with serving(forge):
        ran = comment(Desk(tmp_path, variables=forge.variables))
    assert (ran.code, ran.err, len(forge.notes)) == (0, "", 1)
    assert all(each.path.startswith("/gitlab/api/v4/") for each in forge.asked)


def test_a_missing_scope_is_named(job: Desk, gitlab: GitLab) -> None:
    """A token with read_api can list and not write."""
    job.variables["GITLAB_TOKEN"] = GitLab.NARROW
    ran = comment(job)
    assert (ran.code, gitlab.notes) == (1, [])
    assert "(HTTP 403): The request requires higher privileges" in ran.err
    assert "with the scope `api`" in ran.err


@pytest.mark.parametrize("existing", [False, True], ids=["new", "edited"])
def test_a_locked_discussion_is_told(job: Desk, gitlab: GitLab, *, existing: bool) -> None:
    """GitLab refuses the note with no word about the lock: the merge request is asked for it."""
    if existing:
        comment(job)
        plans.save(plans.plan(factory.small_changes()[:1]), job.folder / "plan.json")
    gitlab.locked = True
    ran = comment(job)
    assert ran.code == 1
    assert "notes" in ran.err
    assert "(HTTP 403): 403 Forbidden" in ran.err
    assert "hint: the discussion is locked" in ran.err


def test_an_unknown_merge_request_is_told(job: Desk) -> None:
    """404 is also what a token gets that may not see it."""
    ran = comment(job, "plan.json", "--request", "8")
    assert ran.code == 1
    assert "merge_requests/8/notes was refused (HTTP 404)" in ran.err
    assert "check the project and the number" in ran.err


def test_a_rate_limit_is_waited_out(job: Desk, gitlab: GitLab) -> None:
    """GitLab names the seconds."""
    gitlab.fail(f"POST {NOTES}", Told(429, b"Retry later\n", {"Retry-After": "1"}))
    ran = comment(job)
    assert (ran.code, len(gitlab.notes)) == (0, 1)
    assert "waiting 1 s" in ran.err


def test_a_note_that_was_perhaps_created_is_not_written_twice(job: Desk, gitlab: GitLab) -> None:
    """The answer got lost: the notes are read again first."""
    gitlab.fail(f"POST {NOTES}", None, carried_out=True)
    assert comment(job).code == 0
    assert len(gitlab.notes) == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (HTML_PAGE, "is not what the API gives (HTTP 200)"),
        (
            Told(302, b"", {"Location": "https://sso.example/users/sign_in"}),
            "was redirected (HTTP 302): to sso.example, where the token is not sent",
        ),
        (Told(200, {"message": "not a list"}), "is not what the API gives (HTTP 200)"),
    ],
    ids=["sign-in page", "redirect", "another document"],
)
def test_what_is_no_list_of_notes_is_not_taken_for_an_empty_one(
    job: Desk, gitlab: GitLab, told: Told, words: str
) -> None:
    """Else every push would write a new note."""
    gitlab.fail(f"GET {NOTES}", told, times=9)
    ran = comment(job)
    assert (ran.code, gitlab.notes) == (1, [])
    assert words in ran.err
