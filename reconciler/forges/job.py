"""What a CI job says of itself: its event, run and commit, its log, where its files are shown."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from reconciler.errors import GitError, UsageProblem
from reconciler.forges.marker import Run
from reconciler.git.repository import find_repository, run
from reconciler.http.messages import whole
from reconciler.model.limits import Place
from reconciler.model.plan import GitState, Plan
from reconciler.opening import READING

Environment = Mapping[str, str]
Links = Callable[[Place], str | None]

_LARGEST_EVENT = 64 * 1024 * 1024
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SSH = re.compile(r"(?:[^@/:]+@)?([^@/:]+):(?!/)(.+)")
_SEPARATORS = {"github.com": "/blob/", "gitlab.com": "/-/blob/"}


def read_event(environment: Environment) -> dict[str, Any]:
    """What started the workflow, as GITHUB_EVENT_PATH says; empty where it is not set."""
    path = environment.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    try:
        event = json.loads(_read_regular(path))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageProblem(
            f"GITHUB_EVENT_PATH: cannot read the event: {error}", hint="use --request N"
        ) from None
    return event if isinstance(event, dict) else {}


def _read_regular(path: str) -> bytes:
    """A pipe or a device is not read: that may never end."""
    with open(os.open(path, READING), "rb") as file:  # noqa: PTH123 - a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a regular file")
        return file.read(_LARGEST_EVENT)


# ---------------------------------------------------------------- the run and its commit


def current_run(environment: Environment, directory: Path, plan: Plan | None = None) -> Run:
    """The run that this job belongs to, and the pushed commit that it is about.

    That is the plan's commit, else the one that is checked out in `directory`. GitHub and GitLab
    count runs up for good (documented: the run's ID stays the same when it is run again, and its
    attempt grows; a job that is retried in a pipeline is a new one).
    """
    commit = _checked_out(directory) if plan is None else plan.git and plan.git.commit
    if environment.get("GITHUB_REPOSITORY"):
        shown = _github_commit(commit or environment.get("GITHUB_SHA", ""), environment)
        order = _numbers(environment, ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT"))
    else:
        shown = _gitlab_commit(commit or environment.get("CI_COMMIT_SHA", ""), environment)
        order = _numbers(environment, ("CI_PIPELINE_ID", "CI_JOB_ID"))
    return Run(_commit_or(shown, "") or None, order)


def _numbers(environment: Environment, names: tuple[str, ...]) -> tuple[int, ...]:
    """The variables' values, or none where one of them is not a number."""
    found = [whole(environment.get(name, "")) for name in names]
    return tuple(each for each in found if each is not None) if None not in found else ()


def _checked_out(directory: Path) -> str | None:
    try:
        answer = run(find_repository(directory).top, "rev-parse", "--verify", "HEAD")
    except GitError:
        return None
    return answer.lines[0] if answer.status == 0 else None


def job_page(environment: Mapping[str, str]) -> str | None:
    """The address of the CI job's log, where the job's variables say it."""
    server, name = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    run_id = environment.get("GITHUB_RUN_ID")
    if server and name and run_id:
        return f"{server.rstrip('/')}/{name}/actions/runs/{run_id}"
    return environment.get("CI_JOB_URL")


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


# ---------------------------------------------------------------- links


def links_for(git: GitState | None, environment: Mapping[str, str], directory: Path) -> Links:
    """The address of a place's line at the commit that a plan was made at.

    The host is the CI job's, else that of the remote `origin` where it is github.com or
    gitlab.com. None for every place where the host or the commit is not known, or the files are
    not what the commit has; None for a place outside the repository. Paths are from the top of
    the repository, whatever folder the command runs in. `directory`: whose remote is meant.
    """
    if git is None or git.dirty or not _COMMIT.fullmatch(git.commit):
        return _no_link
    files = _files(git.commit, environment, directory)
    return _no_link if files is None else _Linked(files)


def _no_link(_place: Place) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class _Linked:
    """`files`: the address of the repository's top at the commit."""

    files: str

    def __call__(self, place: Place) -> str | None:
        path = PurePosixPath(place.path)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            return None
        encoded = quote(str(path).encode("utf-8", "surrogateescape"), safe="/")
        return f"{self.files}{encoded}#L{place.line}"


def _files(commit: str, environment: Mapping[str, str], directory: Path) -> str | None:
    server, name = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    if server and name:
        return f"{server.rstrip('/')}/{name}/blob/{_github_commit(commit, environment)}/"
    project = environment.get("CI_PROJECT_URL")
    if project:
        return f"{project.rstrip('/')}/-/blob/{_gitlab_commit(commit, environment)}/"
    try:
        remote = run(find_repository(directory).top, "remote", "get-url", "origin")
    except GitError:
        return None
    top = _hosted(remote.lines[0]) if remote.status == 0 else None
    return None if top is None else f"{top}{commit}/"


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
