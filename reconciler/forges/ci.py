"""What a CI job's environment says: its pull or merge request, its log, where files are shown."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, assert_never
from urllib.parse import quote, urlsplit

from reconciler.errors import CredentialError, GitError, UsageProblem
from reconciler.forges import github, gitlab
from reconciler.forges.api import Api, Hints
from reconciler.forges.comments import Forge
from reconciler.git.repository import Repository, find_repository, run
from reconciler.http.clock import Clock
from reconciler.http.connection import Connection, parse_base_url
from reconciler.http.messages import whole
from reconciler.http.transport import HttpTransport
from reconciler.model.limits import Place
from reconciler.model.plan import Plan
from reconciler.outgoing import Secret

Environment = Mapping[str, str]
ForgeName = Literal["github", "gitlab"]

Links = Callable[[Place], str | None]

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_LARGEST_EVENT = 64 * 1024 * 1024
_REF = re.compile(r"refs/pull/([0-9]+)/(?:merge|head)")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SSH = re.compile(r"(?:[^@/:]+@)?([^@/:]+):(?!/)(.+)")
_SEPARATORS = {"github.com": "/blob/", "gitlab.com": "/-/blob/"}


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request on GitHub; `repository` reads `owner/name`."""

    api_url: str
    repository: str
    number: int
    token: Secret


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """A merge request on GitLab. `is_job_token`: it acts for the user who started the job."""

    api_url: str
    project: str
    number: int
    token: Secret
    is_job_token: bool
    user_id: int | None
    page: str | None


def find_request(
    environment: Environment, *, forge: ForgeName | None, number: int | None
) -> PullRequest | MergeRequest:
    """The request that the job runs for; `forge` and `number` override what the job says.

    Raises UsageProblem where the environment does not say it, CredentialError without a token.
    """
    match forge or _forge(environment):
        case "github":
            return _pull_request(environment, number)
        case "gitlab":
            return _merge_request(environment, number)
        case other:
            assert_never(other)


def _forge(environment: Environment) -> ForgeName:
    github = bool(environment.get("GITHUB_REPOSITORY"))
    gitlab = bool(environment.get("CI_API_V4_URL"))
    if github == gitlab:
        which = "both GitHub and GitLab" if github else "neither GitHub nor GitLab"
        raise UsageProblem(
            f"the environment has the variables of {which}: name the forge",
            hint="--forge github needs GITHUB_REPOSITORY, --forge gitlab needs CI_API_V4_URL and "
            "CI_PROJECT_ID; CI jobs have them",
        )
    return "github" if github else "gitlab"


# ---------------------------------------------------------------- GitHub


def _pull_request(environment: Environment, number: int | None) -> PullRequest:
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(repository):
        raise UsageProblem(
            "GITHUB_REPOSITORY does not name a repository", hint="its form is owner/name"
        )
    return PullRequest(
        api_url=_address(environment, "GITHUB_API_URL", "https://api.github.com"),
        repository=repository,
        number=number or _pull_request_number(environment),
        token=_token(
            environment,
            ("GITHUB_TOKEN", "GH_TOKEN"),
            "in a workflow: `env: {GITHUB_TOKEN: ${{ github.token }}}` and "
            "`permissions: pull-requests: write`",
        ),
    )


def _pull_request_number(environment: Environment) -> int:
    event = read_event(environment)
    issue = event.get("issue")
    is_pull_request = isinstance(issue, dict) and "pull_request" in issue
    for source in (event.get("pull_request"), issue if is_pull_request else None):
        found = source.get("number") if isinstance(source, dict) else None
        if isinstance(found, int) and found > 0:
            return found
    in_ref = _REF.fullmatch(environment.get("GITHUB_REF", ""))
    if in_ref:
        return int(in_ref[1])
    raise _no_pull_request(environment.get("GITHUB_EVENT_NAME"))


def _no_pull_request(event: str | None) -> UsageProblem:
    match event:
        case None | "":
            words = "the environment names none"
        case "merge_group":
            words = "a merge group contains several"
        case _:
            words = f"the event {event} has none"
    return UsageProblem(
        f"there is no pull request to comment on: {words}",
        hint="run it on pull_request, or name the pull request with --request N",
    )


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
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as file:  # noqa: PTH123 - a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a regular file")
        return file.read(_LARGEST_EVENT)


# ---------------------------------------------------------------- GitLab


def _merge_request(environment: Environment, number: int | None) -> MergeRequest:
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID")
    if not project:
        raise UsageProblem("CI_PROJECT_ID is not set", hint="it is the project's ID or path")
    number = number or whole(environment.get("CI_MERGE_REQUEST_IID", ""))
    if number is None:
        raise UsageProblem(
            "there is no merge request to comment on: CI_MERGE_REQUEST_IID is not set",
            hint="run the job in merge request pipelines (`rules: - if: $CI_PIPELINE_SOURCE == "
            '"merge_request_event"`), or name the merge request with --request N',
        )
    is_job_token = not environment.get("GITLAB_TOKEN")
    user = whole(environment.get("GITLAB_USER_ID", "")) if is_job_token else None
    page = environment.get("CI_MERGE_REQUEST_PROJECT_URL") or environment.get("CI_PROJECT_URL")
    return MergeRequest(
        api_url=_address(environment, "CI_API_V4_URL", None),
        project=project,
        number=number,
        token=_token(
            environment,
            ("GITLAB_TOKEN", "CI_JOB_TOKEN"),
            "set GITLAB_TOKEN, masked, to a project access token with the scope `api`",
        ),
        is_job_token=is_job_token,
        user_id=user,
        page=f"{page}/-/merge_requests/{number}" if page else None,
    )


# ---------------------------------------------------------------- both


def _token(environment: Environment, names: tuple[str, str], hint: str) -> Secret:
    """The token of the first variable that is set; its value never appears in an error."""
    for name in names:
        value = environment.get(name, "").strip()
        if value:
            return Secret(value, name)
    raise CredentialError(f"no token: neither {names[0]} nor {names[1]} is set", hint=hint)


def _address(environment: Environment, name: str, default: str | None) -> str:
    """The API's address: https, or http on this machine, as the token is sent there."""
    text = environment.get(name) or default
    if text is None:
        raise UsageProblem(f"{name} is not set", hint="it looks like https://gitlab.com/api/v4")
    try:
        return parse_base_url(text)
    except UsageProblem as error:
        words = error.message.removeprefix("the base URL ")
        raise UsageProblem(
            f"{name} {words}", hint=f"it looks like {default or 'https://gitlab.com/api/v4'}"
        ) from None


@contextmanager
def connected(
    request: PullRequest | MergeRequest,
    *,
    clock: Clock,
    timeout: float,
    notify: Callable[[str], None],
) -> Iterator[Forge]:
    """The comments of a request. `timeout`: seconds for one call, with waits and retries."""
    connection = Connection(
        token=request.token,
        base_url=request.api_url,
        base_url_source="the address of the API",
        concurrency=1,
        timeout=timeout,
    )
    with closing(HttpTransport(connection, clock.monotonic)) as transport:

        def api(name: str, headers: dict[str, str], hints: Hints) -> Api:
            return Api(
                name,
                connection,
                transport,
                headers=headers,
                hints=hints,
                clock=clock,
                notify=notify,
            )

        match request:
            case PullRequest(repository=repository, number=number):
                headers = github.headers(request.token)
                yield github.GitHub(api("GitHub", headers, github.HINTS), repository, number)
            case MergeRequest(project=project, number=number):
                headers = gitlab.headers(request.token, is_job_token=request.is_job_token)
                hints = gitlab.JOB_TOKEN_HINTS if request.is_job_token else gitlab.HINTS
                yield gitlab.GitLab(
                    api("GitLab", headers, hints), project, number, request.user_id, request.page
                )
            case other:
                assert_never(other)


# ---------------------------------------------------------------- links


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
