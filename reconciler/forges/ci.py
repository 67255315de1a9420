"""The request that a CI job runs for: found in the job's variables, and connected to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Literal, assert_never

from reconciler.errors import CredentialError, UsageProblem
from reconciler.forges import github, gitlab
from reconciler.forges.api import Api, Hints
from reconciler.forges.comments import Forge
from reconciler.forges.job import Environment, read_event
from reconciler.http.clock import Clock
from reconciler.http.connection import Connection, parse_base_url
from reconciler.http.messages import whole
from reconciler.http.transport import HttpTransport
from reconciler.outgoing import Secret

ForgeName = Literal["github", "gitlab"]

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_OPEN = re.compile(r"([^!,]+)!([0-9]{1,12})")
_REF = re.compile(r"refs/pull/([0-9]+)/(?:merge|head)")


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


# ---------------------------------------------------------------- GitLab


def _merge_request(environment: Environment, number: int | None) -> MergeRequest:
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID")
    page = environment.get("CI_MERGE_REQUEST_PROJECT_URL") or environment.get("CI_PROJECT_URL")
    number = number or whole(environment.get("CI_MERGE_REQUEST_IID", ""))
    if number is None:
        project, number = _open_merge_request(environment)
        page = f"{environment.get('CI_SERVER_URL', '')}/{project}"
    if not project:
        raise UsageProblem("CI_PROJECT_ID is not set", hint="it is the project's ID or path")
    is_job_token = not environment.get("GITLAB_TOKEN")
    user = whole(environment.get("GITLAB_USER_ID", "")) if is_job_token else None
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


def _open_merge_request(environment: Environment) -> tuple[str, int]:
    """The only open merge request of the branch, as pipelines of branches name it (documented)."""
    open_ones = environment.get("CI_OPEN_MERGE_REQUESTS", "").split(",")
    found = [_OPEN.fullmatch(each) for each in open_ones if each]
    if len(found) == 1 and found[0] is not None:
        return found[0][1], int(found[0][2])
    words = (
        f"CI_OPEN_MERGE_REQUESTS names {len(found)}" if found else "CI_MERGE_REQUEST_IID is not set"
    )
    raise UsageProblem(
        f"there is no merge request to comment on: {words}",
        hint="run the job in merge request pipelines (`rules: - if: $CI_PIPELINE_SOURCE == "
        '"merge_request_event"`), or name the merge request with --request N',
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
