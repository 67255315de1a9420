"""Which request a CI job is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import CredentialError, UsageProblem
from reconciler.forges.ci import MergeRequest, PullRequest, find_request

GITHUB = {"GITHUB_REPOSITORY": "acme/limits", "GITHUB_TOKEN": "ghs_0123456789"}
GITLAB = {
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PROJECT_ID": "42",
    "CI_PROJECT_URL": "https://gitlab.example/acme/limits",
    "CI_MERGE_REQUEST_IID": "7",
    "GITLAB_TOKEN": "glpat-0123456789",
}


def github(tmp_path: Path, event: object = None, **more: str) -> dict[str, str]:
    """A workflow's environment with this event."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event if event is not None else {}))
    return {**GITHUB, "GITHUB_EVENT_PATH": str(path), **more}


def find(environment: Mapping[str, str], **chosen: Any) -> PullRequest | MergeRequest:
    """What is found, with nothing chosen unless given."""
    return find_request(environment, **{"forge": None, "number": None, **chosen})


@pytest.mark.parametrize(
    ("event", "more"),
    [
        ({"pull_request": {"number": 7}}, {}),
        ({"issue": {"number": 7, "pull_request": {"url": "…"}}}, {}),
        ({"pull_request": None}, {"GITHUB_REF": "refs/pull/7/merge"}),
        ({}, {"GITHUB_REF": "refs/pull/7/head"}),
    ],
    ids=["pull_request and pull_request_target", "issue_comment", "ref", "head"],
)
def test_the_event_names_the_pull_request(tmp_path: Path, event: object, more: Any) -> None:
    """Whatever started the workflow; the ref is the last resort."""
    found = find(github(tmp_path, event, **more))
    assert isinstance(found, PullRequest)
    assert (found.repository, found.number) == ("acme/limits", 7)
    assert found.api_url == "https://api.github.com"


@pytest.mark.parametrize(
    ("event", "more", "words"),
    [
        (
            {},
            {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_REF": "refs/heads/main"},
            "has none",
        ),
        (
            {"issue": {"number": 7}},
            {"GITHUB_EVENT_NAME": "issue_comment"},
            "the event issue_comment has none",
        ),
        (
            {"merge_group": {"head_ref": "refs/heads/gh-readonly-queue/main/pr-7-abc"}},
            {"GITHUB_EVENT_NAME": "merge_group"},
            "a merge group contains several",
        ),
        ([], {"GITHUB_REF": "refs/pull/7/merge/../8"}, "the environment names none"),
    ],
    ids=["workflow_dispatch", "comment on an issue", "merge_group", "nonsense"],
)
def test_an_event_of_no_pull_request_is_told(
    tmp_path: Path, event: object, more: Any, words: str
) -> None:
    """With the way out."""
    with pytest.raises(UsageProblem, match=words) as raised:
        find(github(tmp_path, event, **more))
    assert "--request N" in (raised.value.hint or "")


def test_a_number_given_wins(tmp_path: Path) -> None:
    """The event is not even read."""
    environment = {**GITHUB, "GITHUB_EVENT_PATH": str(tmp_path / "missing.json")}
    assert find(environment, number=9).number == 9
    with pytest.raises(UsageProblem, match="GITHUB_EVENT_PATH: cannot read the event"):
        find(environment)


def test_gh_token_stands_in_for_github_token(tmp_path: Path) -> None:
    """`gh` users set that one."""
    event = {"pull_request": {"number": 7}}
    environment = github(tmp_path, event, GITHUB_TOKEN="", GH_TOKEN="ghp_other")
    assert find(environment).token.reveal() == "ghp_other"
    with pytest.raises(CredentialError, match="neither GITHUB_TOKEN nor GH_TOKEN is set"):
        find(github(tmp_path, event, GITHUB_TOKEN=""))


def test_a_token_with_a_line_break_is_told_and_not_shown(tmp_path: Path) -> None:
    """The variable is named, its value is not."""
    environment = github(tmp_path, {"pull_request": {"number": 7}}, GITHUB_TOKEN="ghs_ab\ncd")
    with pytest.raises(CredentialError, match=r"^the token in GITHUB_TOKEN has") as raised:
        find(environment)
    assert "ghs_ab" not in str(raised.value)


def test_a_merge_request_is_found_in_its_own_project() -> None:
    """A pipeline of a fork runs in the fork; the merge request is in the project it goes to."""
    found = find(
        {
            **GITLAB,
            "CI_MERGE_REQUEST_PROJECT_ID": "41",
            "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.example/up/limits",
        }
    )
    assert isinstance(found, MergeRequest)
    assert (found.project, found.number, found.is_job_token) == ("41", 7, False)
    assert found.page == "https://gitlab.example/up/limits/-/merge_requests/7"


def test_without_a_token_of_ones_own_the_job_token_is_tried() -> None:
    """It acts for the user who started the job."""
    found = find(
        {**GITLAB, "GITLAB_TOKEN": "", "CI_JOB_TOKEN": "glcbt-0123456789", "GITLAB_USER_ID": "3"}
    )
    assert isinstance(found, MergeRequest)
    assert (found.is_job_token, found.user_id) == (True, 3)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("CI_MERGE_REQUEST_IID", "there is no merge request to comment on"),
        ("CI_PROJECT_ID", "CI_PROJECT_ID is not set"),
    ],
)
def test_what_a_job_does_not_say_is_told(missing: str, words: str) -> None:
    """A branch pipeline has no merge request."""
    with pytest.raises(UsageProblem, match=words):
        find({**GITLAB, missing: ""})


BRANCH = {
    **GITLAB,
    "CI_MERGE_REQUEST_IID": "",
    "CI_SERVER_URL": "https://example.com/gitlab",
    "CI_API_V4_URL": "https://example.com/gitlab/api/v4",
}


def test_a_branchs_pipeline_names_its_open_merge_request() -> None:
    """GitLab sets CI_OPEN_MERGE_REQUESTS there; the project is the one it goes to."""
    found = find({**BRANCH, "CI_OPEN_MERGE_REQUESTS": "up/group/limits!9"})
    assert isinstance(found, MergeRequest)
    assert (found.project, found.number) == ("up/group/limits", 9)
    assert found.page == "https://example.com/gitlab/up/group/limits/-/merge_requests/9"
    assert found.api_url == "https://example.com/gitlab/api/v4"


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("a/b!7,a/b!8", "CI_OPEN_MERGE_REQUESTS names 2"),
        ("a/b", "CI_OPEN_MERGE_REQUESTS names 1"),
        ("", "CI_MERGE_REQUEST_IID is not set"),
    ],
)
def test_several_open_merge_requests_are_no_answer(named: str, words: str) -> None:
    """--request says which."""
    with pytest.raises(UsageProblem, match=words):
        find({**BRANCH, "CI_OPEN_MERGE_REQUESTS": named})
    assert find({**BRANCH, "CI_OPEN_MERGE_REQUESTS": named}, number=8).number == 8


def test_the_forge_must_be_plain() -> None:
    """Neither, or both as on a runner that imitates the other: `--forge` decides."""
    with pytest.raises(UsageProblem, match="neither GitHub nor GitLab"):
        find({})
    with pytest.raises(UsageProblem, match="both GitHub and GitLab"):
        find({**GITHUB, **GITLAB})
    assert isinstance(find({**GITHUB, **GITLAB}, forge="gitlab"), MergeRequest)
    with pytest.raises(UsageProblem, match="GITHUB_REPOSITORY does not name a repository"):
        find(GITLAB, forge="github")
    with pytest.raises(UsageProblem, match="CI_API_V4_URL is not set"):
        find({**GITHUB, "CI_PROJECT_ID": "1"}, forge="gitlab", number=1)


@pytest.mark.parametrize("repository", ["acme", "acme/limits/..", "acme/limits?x=1", "a b/c"])
def test_a_repository_name_leads_nowhere_else(repository: str) -> None:
    """It becomes part of an address."""
    with pytest.raises(UsageProblem, match="GITHUB_REPOSITORY"):
        find({**GITHUB, "GITHUB_REPOSITORY": repository}, number=1)


@pytest.mark.parametrize(
    "url", ["http://api.example", "https://user:pass@api.example", "ftp://x", "https://x/?a=b"]
)
def test_an_address_must_be_fit_for_a_token(url: str) -> None:
    """The same rule as for the portal's."""
    with pytest.raises(UsageProblem, match=r"^GITHUB_API_URL "):
        find({**GITHUB, "GITHUB_API_URL": url}, number=1)
