"""A local server that answers as GitLab's API does, over a real socket."""

from __future__ import annotations

import re

from tests.ci.forges import Asked, Forge, Note, Route, Told, User


class GitLab(Forge):
    """Project 42 with merge request 7, as gitlab.com shows it."""

    TOKEN = "glpat-project_token_0123456789"
    NARROW = "glpat-read_api_token_0123456789"
    JOB_TOKEN = "glcbt-64_job_token_0123456789"

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self.prefix = prefix
        self.bot = User(900, "project_42_bot")
        self.locked = False
        request = f"{prefix}/api/v4/projects/42/merge_requests/7"
        notes = f"{prefix}/api/v4/projects/42/merge_requests/7/notes"
        self.routes = [
            Route(f"GET {prefix}/api/v4/user", self._me),
            Route(f"GET {request}", self._request),
            Route(f"GET {notes}", self._list),
            Route(f"POST {notes}", self._create),
            Route(rf"PUT {notes}/(\d+)", self._update),
            Route(rf"DELETE {notes}/(\d+)", self._delete),
        ]

    @property
    def variables(self) -> dict[str, str]:
        """A job's environment for merge request 7, and a project access token."""
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{self.host}{self.prefix}/api/v4",
            "CI_PROJECT_ID": "42",
            "CI_PROJECT_URL": "https://gitlab.com/acme/limits",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_JOB_TOKEN": self.JOB_TOKEN,
            "GITLAB_USER_ID": "666",
            "GITLAB_TOKEN": self.TOKEN,
        }

    def serve(self, asked: Asked) -> Told:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        token = asked.headers.get("private-token", bearer)
        if token not in {self.TOKEN, self.NARROW}:
            return Told(401, {"message": "401 Unauthorized"})
        if token == self.NARROW and asked.method != "GET":
            words = "The request requires higher privileges than provided by the access token."
            return Told(403, {"error": "insufficient_scope", "error_description": words})
        if self.locked and asked.method in {"POST", "PUT"}:  # no word says why
            return Told(403, {"message": "403 Forbidden"})
        for route in self.routes:
            found = re.fullmatch(route.asked, str(asked))
            if found is not None:
                return route.serve(asked, found)
        return Told(404, {"message": "404 Not found"})

    def _me(self, _: Asked, __: re.Match[str]) -> Told:
        return Told(200, {"id": self.bot.id, "username": self.bot.login})

    def _request(self, _: Asked, __: re.Match[str]) -> Told:
        return Told(200, {"iid": 7, "discussion_locked": True if self.locked else None})

    def _list(self, asked: Asked, _: re.Match[str]) -> Told:
        assert asked.query["sort"] == "asc"
        return self.page(asked, [self.shown(note) for note in self.notes])

    def _create(self, asked: Asked, _: re.Match[str]) -> Told:
        return Told(201, self.shown(self.write(asked.body["body"], self.bot)))

    def _update(self, asked: Asked, found: re.Match[str]) -> Told:
        note = self.note(found[1])
        if note is None:
            return Told(404, {"message": "404 Not found"})
        note.body = asked.body["body"]
        return Told(200, self.shown(note))

    def _delete(self, _: Asked, found: re.Match[str]) -> Told:
        note = self.note(found[1])
        if note is None:
            return Told(404, {"message": "404 Not found"})
        self.notes.remove(note)
        return Told(204)

    def shown(self, note: Note) -> dict[str, object]:
        """A comment as a listing has it."""
        author = {"id": note.user.id, "username": note.user.login}
        return {"id": note.id, "body": note.body, "author": author, "system": note.system}
