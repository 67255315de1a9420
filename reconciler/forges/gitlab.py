"""The notes of a GitLab merge request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from reconciler.forges.api import Api, ForgeError, Hints
from reconciler.forges.comments import Comment
from reconciler.outgoing import Secret

_LOCKED = (
    "the discussion is locked, and only members of the project may write there: unlock it, or use a "
    "project access token"
)
HINTS = Hints(
    unauthorized="the token is wrong, expired or revoked; set GITLAB_TOKEN to a project access "
    "token with the scope `api`",
    forbidden="set GITLAB_TOKEN to a project access token with the scope `api` and the role "
    "Reporter or higher",
    not_found="check the project and the number; a token that may not see them gets this response "
    "too: GITLAB_TOKEN needs the scope `api`",
    locked=_LOCKED,
)
_INSTEAD = (
    "CI_JOB_TOKEN may not write notes: set GITLAB_TOKEN, masked, to a project access token with "
    "the scope `api`"
)
JOB_TOKEN_HINTS = Hints(_INSTEAD, _INSTEAD, _INSTEAD, _LOCKED)


def headers(token: Secret, *, is_job_token: bool) -> dict[str, str]:
    """What every request to GitLab carries."""
    name = "job-token" if is_job_token else "private-token"
    return {name: token.reveal(), "accept": "application/json"}


class _User(BaseModel):
    id: int


class _Note(BaseModel):
    """`system`: GitLab's own words about the merge request."""

    id: int
    body: str | None
    author: _User | None = None
    system: bool = False


class _Request(BaseModel):
    discussion_locked: bool | None = None


_USER = TypeAdapter(_User)
_REQUEST = TypeAdapter(_Request)
_NOTE = TypeAdapter(_Note)
_NOTES = TypeAdapter(list[_Note])


@dataclass(frozen=True)
class GitLab:
    """One merge request. `project`: ID or path. `user_id`: whose token it is, where that is known.

    `page`: the merge request's address, where it is known.
    """

    api: Api
    project: str
    number: int
    user_id: int | None = None
    page: str | None = None

    def own_comments(self) -> Sequence[Comment]:
        notes = self.api.pages(f"{self._notes}?order_by=created_at&sort=asc", _NOTES)
        return [
            self._comment(note)
            for note in notes
            if not note.system and note.author is not None and note.author.id == self._own_id
        ]

    def create(self, body: str) -> Comment:
        with self._explaining_a_lock():
            return self._comment(self.api.send("POST", self._notes, {"body": body}, _NOTE))

    def update(self, comment: Comment, body: str) -> Comment:
        path = f"{self._notes}/{comment.id}"
        with self._explaining_a_lock():
            return self._comment(self.api.send("PUT", path, {"body": body}, _NOTE))

    def delete(self, comment: Comment) -> None:
        self.api.call("DELETE", f"{self._notes}/{comment.id}")

    @contextmanager
    def _explaining_a_lock(self) -> Iterator[None]:
        """Give a refusal the hint about a locked discussion: GitLab's answer does not name it."""
        try:
            yield
        except ForgeError as error:
            if error.status == 403 and self._is_locked():
                error.hint = _LOCKED
            raise

    def _is_locked(self) -> bool:
        """Whether the merge request says that its discussion is locked (documented)."""
        try:
            return self.api.get(self._request, _REQUEST).discussion_locked is True
        except ForgeError:
            return False

    @property
    def _request(self) -> str:
        return f"/projects/{quote(self.project, safe='')}/merge_requests/{self.number}"

    @property
    def _notes(self) -> str:
        return f"{self._request}/notes"

    def _comment(self, note: _Note) -> Comment:
        page = self.page or f"!{self.number}"
        return Comment(note.id, note.body or "", f"{page}#note_{note.id}")

    @cached_property
    def _own_id(self) -> int:
        return self.api.get("/user", _USER).id if self.user_id is None else self.user_id
