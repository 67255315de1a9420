"""Connect to the forge that a request is on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import assert_never

from reconciler.forges import github, gitlab
from reconciler.forges.answers import Hints
from reconciler.forges.api import Api
from reconciler.forges.comments import Forge
from reconciler.forges.context import MergeRequest, PullRequest
from reconciler.http.clock import Clock
from reconciler.http.connection import Connection
from reconciler.http.transport import HttpTransport


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
                name=name,
                base_url=request.api_url,
                token=request.token,
                headers=headers,
                hints=hints,
                transport=transport,
                clock=clock,
                timeout=timeout,
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
