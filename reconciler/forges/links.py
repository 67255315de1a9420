"""Where a place in a file can be looked at: GitHub's and GitLab's address of its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from reconciler.config.git_process import Repository, find_repository, run
from reconciler.errors import GitError, UsageProblem
from reconciler.forges.context import read_event
from reconciler.model.limits import Place
from reconciler.model.plan import Plan

Links = Callable[[Place], str | None]

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SSH = re.compile(r"(?:[^@/:]+@)?([^@/:]+):(?!/)(.+)")
_SEPARATORS = {"github.com": "/blob/", "gitlab.com": "/-/blob/"}


def links_for(plan: Plan, environment: Mapping[str, str], directory: Path) -> Links:
    """The address of a place's line at the plan's commit.

    The host is the CI job's, else that of the remote `origin` where it is github.com or
    gitlab.com. None for every place where the host or the commit is not known, or the files are
    not what the commit has; None for a place outside the repository. Paths are relative to
    `directory`, in which the plan was made.
    """
    if plan.git is None or plan.git.dirty or not _COMMIT.fullmatch(plan.git.commit):
        return _no_link
    try:
        repository = find_repository(directory)
    except GitError:
        return _no_link
    files = _files(plan.git.commit, environment, repository)
    return _no_link if files is None else _Linked(repository, files)


def job_page(environment: Mapping[str, str]) -> str | None:
    """The address of the CI job's log, where the job's variables say it."""
    server, name = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    run_id = environment.get("GITHUB_RUN_ID")
    if server and name and run_id:
        return f"{server.rstrip('/')}/{name}/actions/runs/{run_id}"
    return environment.get("CI_JOB_URL")


def _no_link(_place: Place) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class _Linked:
    """`files`: the address of the repository's top at the commit."""

    repository: Repository
    files: str

    def __call__(self, place: Place) -> str | None:
        parts = self.repository.parts(place.path)
        if not parts:
            return None
        path = quote("/".join(parts).encode("utf-8", "surrogateescape"), safe="/")
        return f"{self.files}{path}#L{place.line}"


def _files(commit: str, environment: Mapping[str, str], repository: Repository) -> str | None:
    server, name = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    if server and name:
        return f"{server.rstrip('/')}/{name}/blob/{_github_commit(commit, environment)}/"
    project = environment.get("CI_PROJECT_URL")
    if project:
        return f"{project.rstrip('/')}/-/blob/{_gitlab_commit(commit, environment)}/"
    remote = run(repository.top, "remote", "get-url", "origin")
    top = _hosted(remote.lines[0]) if remote.status == 0 else None
    return None if top is None else f"{top}{commit}/"


def _github_commit(commit: str, environment: Mapping[str, str]) -> str:
    """The pull request's own commit: the merge commit that is checked out does not stay."""
    if commit != environment.get("GITHUB_SHA"):
        return commit
    try:
        request = read_event(environment).get("pull_request")
    except UsageProblem:
        return commit
    head = request.get("head") if isinstance(request, dict) else None
    return _commit_or(head.get("sha") if isinstance(head, dict) else None, commit)


def _gitlab_commit(commit: str, environment: Mapping[str, str]) -> str:
    """The source branch's own commit: what a job merges to plan it is nowhere but in the job."""
    if not environment.get("CI_MERGE_REQUEST_IID"):
        return commit
    names = ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA")
    return _commit_or(next(filter(None, map(environment.get, names)), None), commit)


def _commit_or(found: object, commit: str) -> str:
    return found if isinstance(found, str) and _COMMIT.fullmatch(found) else commit


def _hosted(remote: str) -> str | None:
    """The address of a remote's files, without the credentials a remote may hold."""
    short = None if "://" in remote else _SSH.fullmatch(remote)
    try:
        parts = urlsplit(remote)
        host, path = (short[1], short[2]) if short else (parts.hostname or "", parts.path)
    except ValueError:
        return None
    separator = _SEPARATORS.get(host.lower())
    path = path.strip("/").removesuffix(".git")
    if separator is None or "/" not in path:
        return None
    return f"https://{host.lower()}/{quote(path, safe='/')}{separator}"
