"""`comment` when GitHub waits, fails, refuses or sends the token elsewhere, over real sockets."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time

import pytest

from tests.ci import plans
from tests.ci.forges import HTML_PAGE, Forge, Told, serving
from tests.ci.github_api import GitHub
from tests.cli.commenting import comment
from tests.cli.running import Desk
from tests.report import factory

LIST = "GET /repos/acme/limits/issues/7/comments"
CREATE = "POST /repos/acme/limits/issues/7/comments"
UPDATE = "PATCH /repos/acme/limits/issues/comments/"


# ---------------------------------------------------------------- waiting and trying again


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (LIST, Told(429, {"message": "slow down"}, {"Retry-After": "1"})),
        (UPDATE, Told(403, {"message": "secondary rate limit"}, {"Retry-After": "1"})),
        (UPDATE, Told(502, b"<html>Bad Gateway</html>")),
        (LIST, None),
    ],
    ids=["429", "secondary limit", "502", "broken connection"],
)
def test_what_passes_is_waited_out(
    job: Desk, github: GitHub, asked: str, told: Told | None
) -> None:
    """Reading and editing are tried again, and the wait is told."""
    comment(job)
    plans.save(plans.plan(factory.small_changes()[:1]), job.folder / "plan.json")
    github.fail(asked, told)
    ran = comment(job)
    assert (ran.code, ran.out.count("comment updated")) == (0, 1)
    assert "waiting 1 s" in ran.err


@pytest.mark.parametrize("told", [Told(502, b"Bad Gateway"), None], ids=["502", "no answer"])
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_comment_that_was_perhaps_created_is_not_written_twice(
    job: Desk, github: GitHub, told: Told | None, *, carried_out: bool
) -> None:
    """The comments are read again before anything else is written."""
    github.fail(CREATE, told, carried_out=carried_out)
    ran = comment(job)
    assert ran.code == 0
    assert len(github.notes) == 1


def test_a_rate_limit_of_a_create_is_waited_out(job: Desk, github: GitHub) -> None:
    """A refused create was not carried out: it is sent again."""
    github.fail(CREATE, Told(403, {"message": "secondary rate limit"}, {"Retry-After": "1"}))
    ran = comment(job)
    assert ran.code == 0
    assert "was rate limited (HTTP 403); waiting 1 s" in ran.err
    assert len(github.notes) == 1


def test_a_rate_limit_that_ends_too_late_ends_the_run_at_once(job: Desk, github: GitHub) -> None:
    """An hour is longer than the time allowed: no request more, and the reason is told."""
    reset = str(int(time.time()) + 3_600)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    github.fail(LIST, Told(403, {"message": "API rate limit exceeded"}, headers))
    ran = comment(job)
    assert (ran.code, len(github.asked)) == (1, 1)
    assert re.search(r"was rate limited .* asks to wait 3\d\d\d s, longer than", ran.err)


def test_a_server_that_stays_down_is_given_up(job: Desk, github: GitHub) -> None:
    """After the time allowed, with the hint to allow more."""
    github.fail(LIST, Told(503, b""), times=99)
    ran = comment(job, "plan.json", "--timeout", "2")
    assert ran.code == 1
    assert "GitHub: GET /repos/acme/limits/issues/7/comments failed (HTTP 503); given up" in ran.err
    assert "--timeout" in ran.err


def test_an_interrupt_ends_the_wait(job: Desk, github: GitHub) -> None:
    """Ctrl-C while the forge asks for patience."""
    github.fail(LIST, Told(429, {}, {"Retry-After": "120"}), times=99)
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "comment", "plan.json"],
        cwd=job.folder,
        env=job.env,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert re.search("waiting 12[01] s", process.stderr.readline())
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 1
    assert "interrupted" in process.stderr.read()
    process.stderr.close()


# ---------------------------------------------------------------- refusals


def test_a_token_that_may_only_read_is_told_which_permission_is_missing(
    job: Desk, github: GitHub
) -> None:
    """GitHub's own words, and what to write into the workflow."""
    job.variables["GITHUB_TOKEN"] = GitHub.READ_ONLY
    ran = job.run_here("comment", "plan.json")
    assert GitHub.READ_ONLY not in ran.out + ran.err
    assert (ran.code, github.notes) == (1, [])
    assert "(HTTP 403): Resource not accessible by integration" in ran.err
    assert "permissions: pull-requests: write" in ran.err


@pytest.mark.parametrize("existing", [False, True], ids=["new", "edited"])
def test_a_locked_conversation_is_told(job: Desk, github: GitHub, *, existing: bool) -> None:
    """It is not about permissions, though GitHub answers 403 to both."""
    if existing:
        comment(job)
        plans.save(plans.plan(factory.small_changes()[:1]), job.folder / "plan.json")
    github.locked = True
    ran = comment(job)
    assert ran.code == 1
    assert "(HTTP 403): Unable to create comment because issue is locked." in ran.err
    assert "hint: the conversation is locked" in ran.err
    assert "permissions:" not in ran.err


def test_an_unknown_pull_request_is_told(job: Desk) -> None:
    """404 is also what a token gets that may not see it."""
    ran = comment(job, "plan.json", "--request", "8")
    assert ran.code == 1
    assert "GET /repos/acme/limits/issues/8/comments was refused (HTTP 404)" in ran.err
    assert "a token that may not see them gets this response too" in ran.err


def test_a_wrong_token_is_told(job: Desk) -> None:
    """401."""
    job.variables["GITHUB_TOKEN"] = "ghp_revoked_0123456789"
    ran = comment(job)
    assert ran.code == 1
    assert "(HTTP 401): Bad credentials" in ran.err


def test_a_refused_body_is_told_with_githubs_details(job: Desk, github: GitHub) -> None:
    """422: the message and what it is about."""
    error = {"message": "body is too long (maximum is 65536 characters)"}
    github.fail(CREATE, Told(422, {"message": "Validation Failed", "errors": [error]}))
    ran = comment(job)
    assert ran.code == 1
    assert "Validation Failed: body is too long (maximum is 65536 characters)" in ran.err


def test_the_name_of_a_portal_cannot_steer_the_log(job: Desk, github: GitHub) -> None:
    """It is in the plan file and not under the digest, and is shown in front of the result and of an error."""
    name = "::error::production\n::error::it says so\x1b[31m\u202e"
    plans.save(plans.plan(factory.small_changes(), name=name), job.folder / "plan.json")
    written = comment(job)
    github.fail(LIST, Told(403, {"message": "no"}))
    failed = comment(job)
    assert (written.code, failed.code) == (0, 1)
    lines = [*written.out.splitlines(), *failed.err.splitlines()]
    assert all(map(factory.is_printable, lines))
    assert not any(line.lstrip().startswith("::") for line in lines)


def test_a_sign_in_page_is_no_answer(job: Desk, github: GitHub) -> None:
    """A proxy's page with status 200 is not taken for "no comments"."""
    github.fail(LIST, HTML_PAGE, times=9)
    ran = comment(job)
    assert (ran.code, github.notes) == (1, [])
    assert "is not what the API gives (HTTP 200)" in ran.err


def test_a_token_that_a_server_repeats_is_masked(job: Desk, github: GitHub) -> None:
    """Whatever it answers, and on one line."""
    words = f"no\x1b[31m\n::error::{GitHub.TOKEN}"
    github.fail(LIST, Told(400, {"message": words}))
    ran = comment(job)
    assert ran.code == 1
    assert "no\\x1b[31m\\n::error::***" in ran.err


def test_the_token_follows_no_redirect(job: Desk, github: GitHub) -> None:
    """Not even to a server that would answer."""
    elsewhere: Forge = GitHub()
    with serving(elsewhere):
        target = f"{elsewhere.host}/repos/acme/limits/issues/7/comments"
        github.fail(LIST, Told(307, {}, {"Location": target}))
        ran = comment(job)
    assert ran.code == 1
    assert "was redirected (HTTP 307): to 127.0.0.1, where the token is not sent" in ran.err
    assert elsewhere.asked == []


def test_the_token_follows_no_link_to_a_next_page(job: Desk, github: GitHub) -> None:
    """Pages are counted: a Link header to another host is not asked."""
    elsewhere: Forge = GitHub()
    with serving(elsewhere):
        link = f'<{elsewhere.host}/repos/acme/limits/issues/7/comments?page=2>; rel="next"'
        github.fail(LIST, Told(200, [], {"Link": link}))
        assert comment(job).code == 0
    assert elsewhere.asked == []


def test_the_token_is_not_sent_over_plain_http(job: Desk) -> None:
    """Loopback addresses excepted."""
    job.variables["GITHUB_API_URL"] = "http://github.example/api"
    ran = comment(job)
    assert ran.code == 64
    assert "GITHUB_API_URL must be https, because the token is sent there" in ran.err


# ---------------------------------------------------------------- what GitHub sends back


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 200])
@pytest.mark.parametrize("spelled", ["{}", r"\u0067\u0068\u0073{}", "x" * 290 + "{}"])
def test_a_token_that_github_sends_back_is_not_shown(
    job: Desk, github: GitHub, status: int, spelled: str
) -> None:
    """Escaped, or cut where a message is; a 401 names where the token is from."""
    rest = github.TOKEN.removeprefix("ghs") if "u0067" in spelled else github.TOKEN
    body = f'{{"message": "{spelled.format(rest)}"}}'.encode()
    github.fail(LIST, Told(status, body))
    ran = comment(job)
    assert ran.code == 1
    assert github.TOKEN[:12] not in (ran.out + ran.err).replace("\\", "")
    assert "_workflow_token" not in ran.err
    if status == 401:
        assert "the token from GITHUB_TOKEN" in ran.err


def test_a_token_in_a_plan_reaches_no_comment(job: Desk, github: GitHub) -> None:
    """Somebody wrote it into a reason; the comment has a mask instead."""
    plan = (job.folder / "plan.json").read_text("utf-8")
    assert '"reason":null' in plan
    written = plan.replace('"reason":null', f'"reason":"{github.TOKEN}"', 1)
    (job.folder / "plan.json").write_text(written, "utf-8")
    assert comment(job).code == 0
    (note,) = github.notes
    assert github.TOKEN not in repr(note)
    assert "***" in repr(note)
