"""Links from a plan to the lines it speaks of."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.forges.job import links_for
from reconciler.model.limits import Place
from reconciler.model.plan import GitState, Plan
from tests.ci import plans
from tests.report import factory

COMMIT = plans.COMMIT
HEAD = "f" * 40
GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/limits"}
GITLAB = {"CI_PROJECT_URL": "https://gitlab.example/acme/group/limits"}
PLACE = Place("configs/a.yaml", 12, 3)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty git repository."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "configs").mkdir()
    return tmp_path


def plan_at(commit: str = COMMIT, *, dirty: bool = False) -> Plan:
    """A plan made at a commit."""
    return factory.plan(git=GitState(commit, dirty=dirty))


def link(
    directory: Path, environment: Mapping[str, str], place: Place = PLACE, plan: Plan | None = None
) -> str | None:
    """The link to a place."""
    return links_for((plan or plan_at()).git, environment, directory)(place)


def test_github_shows_the_line_at_the_commit(repository: Path) -> None:
    """`/blob/<commit>/<path>#L<line>`."""
    expected = f"https://github.com/acme/limits/blob/{COMMIT}/configs/a.yaml#L12"
    assert link(repository, GITHUB) == expected


def test_gitlab_shows_the_line_at_the_commit(repository: Path) -> None:
    """`/-/blob/<commit>/<path>#L<line>`."""
    expected = f"https://gitlab.example/acme/group/limits/-/blob/{COMMIT}/configs/a.yaml#L12"
    assert link(repository, GITLAB) == expected


def test_a_merge_commit_gives_way_to_the_pull_requests_own(repository: Path) -> None:
    """What a pull_request workflow checks out vanishes; its head stays."""
    event = repository / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": HEAD}}}))
    merge = {**GITHUB, "GITHUB_SHA": COMMIT, "GITHUB_EVENT_PATH": str(event)}
    assert f"/blob/{HEAD}/" in str(link(repository, merge))
    checked_out_otherwise = {**merge, "GITHUB_SHA": "e" * 40}
    assert f"/blob/{COMMIT}/" in str(link(repository, checked_out_otherwise))


@pytest.mark.parametrize(
    "event", ["", "[]", '{"pull_request": 1}', '{"pull_request": {"head": {"sha": "x/../y"}}}']
)
def test_an_event_that_says_nothing_usable_changes_nothing(repository: Path, event: str) -> None:
    """The plan's commit stands."""
    (repository / "event.json").write_text(event)
    path = str(repository / "event.json")
    environment = {**GITHUB, "GITHUB_SHA": COMMIT, "GITHUB_EVENT_PATH": path}
    assert f"/blob/{COMMIT}/" in str(link(repository, environment))


def test_a_merged_result_gives_way_to_the_source_branchs_commit(repository: Path) -> None:
    """In merge request pipelines, GitLab's own merges and the job's vanish alike."""
    merged = {
        **GITLAB,
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": "e" * 40,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
    }
    assert f"/-/blob/{HEAD}/" in str(link(repository, merged))
    detached = {**merged, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": ""}
    assert f"/-/blob/{'e' * 40}/" in str(link(repository, detached))
    branch = {**merged, "CI_MERGE_REQUEST_IID": ""}
    assert f"/-/blob/{COMMIT}/" in str(link(repository, branch))


@pytest.mark.parametrize(
    ("remote", "files"),
    [
        ("https://github.com/acme/limits.git", "https://github.com/acme/limits/blob/"),
        ("https://github.com/acme/limits/", "https://github.com/acme/limits/blob/"),
        ("https://x:ghp_secret@github.com/acme/limits", "https://github.com/acme/limits/blob/"),
        ("git@github.com:acme/limits.git", "https://github.com/acme/limits/blob/"),
        ("ssh://git@github.com:22/acme/limits.git", "https://github.com/acme/limits/blob/"),
        ("git@gitlab.com:a/b/limits.git", "https://gitlab.com/a/b/limits/-/blob/"),
        ("https://gitlab.com/a/b/limits.git", "https://gitlab.com/a/b/limits/-/blob/"),
        ("https://git.example/acme/limits.git", None),
        ("git@github.com.evil.example:acme/limits.git", None),
        ("/srv/git/github.com/acme/limits.git", None),
        ("https://github.com/", None),
        ("https://[github.com/a/b", None),
    ],
)
def test_outside_ci_the_remote_tells_the_host(
    repository: Path, remote: str, files: str | None
) -> None:
    """github.com and gitlab.com only, in every form, without the credentials in it."""
    subprocess.run(["git", "remote", "add", "origin", remote], cwd=repository, check=True)
    expected = None if files is None else f"{files}{COMMIT}/configs/a.yaml#L12"
    assert link(repository, {}) == expected


def test_links_are_the_same_whatever_folder_the_command_runs_in(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Paths of a plan are from the top of the repository, also for one that has no checkout."""
    elsewhere = tmp_path_factory.mktemp("no-checkout")
    for folder in (repository, repository / "configs", elsewhere):
        assert str(link(folder, GITHUB)).endswith(f"{COMMIT}/configs/a.yaml#L12")


def test_odd_names_are_encoded(repository: Path) -> None:
    """Spaces, hashes, question marks, parentheses, letters beyond ASCII."""
    odd = Place("configs/Å ende (#1)?.yaml", 3, 1)
    assert str(link(repository, GITHUB, odd)).endswith(
        "/configs/%C3%85%20ende%20%28%231%29%3F.yaml#L3"
    )


@pytest.mark.parametrize("path", ["../outside.yaml", "/etc/passwd", "."])
def test_a_place_outside_the_repository_has_no_link(repository: Path, path: str) -> None:
    """Nor has the repository itself a line."""
    assert link(repository, GITHUB, Place(path, 1, 1)) is None


@pytest.mark.parametrize(
    "plan",
    [
        factory.plan(),
        plan_at(dirty=True),
        plan_at("main"),
        plan_at("../../../evil" + "0" * 27),
    ],
    ids=["no git", "uncommitted files", "no commit", "hostile commit"],
)
def test_without_a_commit_that_has_the_files_nothing_is_linked(
    repository: Path, plan: Plan
) -> None:
    """A wrong link is worse than none."""
    assert link(repository, GITHUB, plan=plan) is None


def test_outside_a_repository_and_a_job_nothing_is_linked(tmp_path: Path) -> None:
    """There is no remote to ask."""
    assert link(tmp_path, {}) is None


def test_without_a_remote_nothing_is_linked(repository: Path) -> None:
    """A repository of one's own machine."""
    assert link(repository, {}) is None
