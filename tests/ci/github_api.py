"""A local server that answers as GitHub's API does, over a real socket."""

from __future__ import annotations

import re

from tests.ci.forges import Asked, Forge, Note, Route, Told, User

BOT = User(41898282, "github-actions[bot]", "Bot")
OTHER_BOT = User(49699333, "dependabot[bot]", "Bot")


class GitHub(Forge):
    """Repository acme/limits with pull request 7, as api.github.com shows it."""

    TOKEN = "ghs_workflow_token_0123456789"
    PERSONAL = "ghp_personal_token_0123456789"
    READ_ONLY = "ghs_readonly_token_0123456789"

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self.prefix = prefix
        self.locked = False
        self.users = {
            self.TOKEN: BOT,
            self.PERSONAL: User(1, "octocat"),
            self.READ_ONLY: BOT,
        }
        comments = "/repos/acme/limits/issues/7/comments"
        one = r"/repos/acme/limits/issues/comments/(\d+)"
        self.routes = [
            Route(f"GET {prefix}{comments}", self._list),
            Route(f"POST {prefix}{comments}", self._create),
            Route(f"PATCH {prefix}{one}", self._update),
            Route(f"DELETE {prefix}{one}", self._delete),
            Route(f"POST {prefix.removesuffix('/v3')}/graphql", self._viewer),
        ]

    @property
    def variables(self) -> dict[str, str]:
        """A workflow's environment for pull request 7, and its token."""
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.host + self.prefix,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/limits",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_TOKEN": self.TOKEN,
        }

    def serve(self, asked: Asked) -> Told:
        if not asked.headers.get("user-agent"):
            return Told(403, b"Request forbidden by administrative rules.")
        if self._user(asked) is None:
            return Told(401, {"message": "Bad credentials", "status": "401"})
        for route in self.routes:
            found = re.fullmatch(route.asked, str(asked))
            if found is not None:
                return route.serve(asked, found)
        return Told(404, {"message": "Not Found", "status": "404"})

    def _user(self, asked: Asked) -> User | None:
        return self.users.get(asked.headers.get("authorization", "").removeprefix("Bearer "))

    def _list(self, asked: Asked, _: re.Match[str]) -> Told:
        return self.page(asked, [self.shown(note) for note in self.notes])

    def _create(self, asked: Asked, _: re.Match[str]) -> Told:
        user = self._user(asked)
        assert user is not None
        refused = self._refused(asked)
        return refused or Told(201, self.shown(self.write(asked.body["body"], user)))

    def _update(self, asked: Asked, found: re.Match[str]) -> Told:
        note = self.note(found[1])
        if note is None:
            return Told(404, {"message": "Not Found", "status": "404"})
        refused = self._refused(asked)
        if refused is None:
            note.body = asked.body["body"]
        return refused or Told(200, self.shown(note))

    def _delete(self, _: Asked, found: re.Match[str]) -> Told:
        note = self.note(found[1])
        if note is None:
            return Told(404, {"message": "Not Found", "status": "404"})
        self.notes.remove(note)
        return Told(204)

    def _refused(self, asked: Asked) -> Told | None:
        if self.READ_ONLY in asked.headers.get("authorization", ""):
            words = "Resource not accessible by integration"
            return Told(403, {"message": words, "status": "403"})
        if self.locked:  # as observed
            words = "Unable to create comment because issue is locked."
            about = "https://docs.github.com/articles/locking-conversations/"
            return Told(403, {"message": words, "documentation_url": about, "status": "403"})
        if len(asked.body["body"]) > 65_536:
            words = "body is too long (maximum is 65536 characters)"
            error = {"resource": "IssueComment", "code": "custom", "message": words}
            return Told(422, {"message": "Validation Failed", "errors": [error]})
        return None

    def _viewer(self, asked: Asked, _: re.Match[str]) -> Told:
        user = self._user(asked)
        assert user is not None
        assert asked.body == {"query": "query { viewer { databaseId } }"}
        return Told(200, {"data": {"viewer": {"databaseId": user.id}}})

    def shown(self, note: Note) -> dict[str, object]:
        """A comment as a listing has it."""
        page = "https://github.com/acme/limits/pull/7"
        user = {"id": note.user.id, "login": note.user.login, "type": note.user.type}
        url = f"{page}#issuecomment-{note.id}"
        return {"id": note.id, "body": note.body, "user": user, "html_url": url}
