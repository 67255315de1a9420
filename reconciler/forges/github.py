"""The comments of a GitHub pull request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, TypeAdapter

from reconciler.forges.api import Api, ForgeError, Hints, read
from reconciler.forges.comments import Comment
from reconciler.outgoing import Secret

HINTS = Hints(
    unauthorized="the token is wrong or expired; in a workflow: GITHUB_TOKEN: ${{ github.token }}",
    forbidden="give the job `permissions: pull-requests: write`; a pull request from a fork, "
    "and most often one by Dependabot, gets a token that can only read",
    not_found="check the repository and the number; a token that may not see them gets this "
    "response too: give the job `permissions: pull-requests: write`",
    locked="the conversation is locked, and GitHub takes no comment of a workflow there: unlock it on "
    "the pull request and run the job again; the plan is in the run's summary and artifact",
)


def headers(token: Secret) -> dict[str, str]:
    """What every request to GitHub carries."""
    return {
        "authorization": f"Bearer {token.reveal()}",
        "accept": "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
    }


class _User(BaseModel):
    id: int
    type: str


class _Comment(BaseModel):
    """`user` None: the account was deleted."""

    id: int
    body: str | None
    user: _User | None
    html_url: str

    def comment(self) -> Comment:
        return Comment(self.id, self.body or "", self.html_url)


class _Viewer(BaseModel):
    databaseId: int  # noqa: N815 - GitHub's name


class _ViewerData(BaseModel):
    viewer: _Viewer


class _ViewerAnswer(BaseModel):
    data: _ViewerData


_COMMENT = TypeAdapter(_Comment)
_COMMENTS = TypeAdapter(list[_Comment])
_VIEWER = TypeAdapter(_ViewerAnswer)


@dataclass(frozen=True)
class GitHub:
    """One pull request of `repository`, which reads `owner/name`."""

    api: Api
    repository: str
    number: int

    def own_comments(self) -> Sequence[Comment]:
        entries = self.api.pages(f"{self._issues}/{self.number}/comments", _COMMENTS)
        return [each.comment() for each in entries if self._is_own(each.user)]

    def create(self, body: str) -> Comment:
        path = f"{self._issues}/{self.number}/comments"
        return self.api.send("POST", path, {"body": body}, _COMMENT).comment()

    def update(self, comment: Comment, body: str) -> Comment:
        path = f"{self._issues}/comments/{comment.id}"
        return self.api.send("PATCH", path, {"body": body}, _COMMENT).comment()

    def delete(self, comment: Comment) -> None:
        self.api.call("DELETE", f"{self._issues}/comments/{comment.id}")

    @property
    def _issues(self) -> str:
        return f"/repos/{self.repository}/issues"

    def _is_own(self, user: _User | None) -> bool:
        """A token that may write can edit anybody's comment: only its own user's are touched.

        Where GitHub does not say whose token it is, apps count as own: no person can pass for
        one.
        """
        if user is None:
            return False
        return user.type == "Bot" if self._user_id is None else user.id == self._user_id

    @cached_property
    def _user_id(self) -> int | None:
        """The user of the token. Asked of GraphQL: a workflow's token may not GET /user (observed).

        It answers a workflow's token with the ID of `github-actions[bot]` (observed).
        """
        document = {"query": "query { viewer { databaseId } }"}
        try:
            response = self.api.call("POST", "/graphql", document, url=self._graphql_url)
            return read(_VIEWER, response, "viewer").data.viewer.databaseId
        except ForgeError as error:
            if error.refused or error.status == 200:
                return None
            raise

    @property
    def _graphql_url(self) -> str:
        """Beside the REST API: at /graphql, and at /api/graphql of an Enterprise Server."""
        return f"{self.api.base_url.removesuffix('/v3')}/graphql"
