"""Local servers that answer as the APIs of GitHub and GitLab do, over real sockets."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it came in; `path` without its query, percent signs decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Told:
    """An answer. A `document` is sent as JSON, bytes as they are."""

    status: int = 200
    document: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        if isinstance(self.document, bytes):
            return self.document
        return b"" if self.document is None else json.dumps(self.document).encode()


@dataclass
class Fault:
    """What is answered instead, `times` times, to requests that read like `asked`.

    `told` None: the connection is closed. `carried_out`: the request had its effect all the same.
    """

    asked: str
    told: Told | None
    times: int = 1
    carried_out: bool = False


@dataclass(frozen=True)
class User:
    """An account; `login` and `type` are GitHub's."""

    id: int
    login: str
    type: str = "User"


@dataclass
class Note:
    """A comment with its author."""

    id: int
    body: str
    user: User
    system: bool = False


BOT = User(41898282, "github-actions[bot]", "Bot")
OTHER_BOT = User(49699333, "dependabot[bot]", "Bot")
STRANGER = User(666, "mallory")
HTML_PAGE = Told(
    200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html; charset=utf-8"}
)


class Forge:
    """Comments of request 7, the tokens that may act, and the faults to come."""

    host: str
    """Where it listens, as `http://127.0.0.1:PORT`; set by `serving`."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self._lock = threading.RLock()
        self._next_id = 1000

    def write(self, body: str, user: User) -> Note:
        """Add a comment."""
        with self._lock:
            self._next_id += 1
            note = Note(self._next_id, body, user)
            self.notes.append(note)
            return note

    def fail(self, asked: str, told: Told | None, times: int = 1, **more: bool) -> None:
        """Answer the next requests that match with something else."""
        self.faults.append(Fault(asked, told, times, **more))

    @property
    def bodies(self) -> list[str]:
        return [note.body for note in self.notes]

    def written(self) -> list[str]:
        """The requests that changed something, as `METHOD path`."""
        return [
            str(each)
            for each in self.asked
            if each.method != "GET" and not each.path.endswith("/graphql")
        ]

    def answer(self, asked: Asked) -> Told | None:
        """What this request is answered, faults first."""
        with self._lock:
            self.asked.append(asked)
            fault = next(
                (f for f in self.faults if f.times and re.search(f.asked, str(asked))), None
            )
            if fault is None:
                return self.serve(asked)
            fault.times -= 1
            if fault.carried_out:
                self.serve(asked)
            return fault.told

    def serve(self, asked: Asked) -> Told:
        """What the API answers."""
        raise NotImplementedError

    def page(self, asked: Asked, entries: list[Any]) -> Told:
        """One page of a listing, with the Link header that both forges send."""
        size = min(int(asked.query.get("per_page", "30")), 100)
        number = int(asked.query.get("page", "1"))
        link = {}
        if number * size < len(entries):
            url = f"{self.host}{asked.path}?per_page={size}&page={number + 1}"
            link = {"Link": f'<{url}>; rel="next", <{url}>; rel="last"'}
        return Told(200, entries[(number - 1) * size : number * size], link)

    def note(self, id_: str) -> Note | None:
        """A comment by its ID."""
        return next((note for note in self.notes if note.id == int(id_)), None)


@dataclass(frozen=True)
class Route:
    """Method and path of an endpoint, and who answers."""

    asked: str
    serve: Callable[[Asked, re.Match[str]], Told]


class GitHub(Forge):
    """Repository acme/limits with pull request 7, as api.github.com shows it."""

    TOKEN = "ghs_workflow_token_0123456789"
    PERSONAL = "ghp_personal_token_0123456789"
    READ_ONLY = "ghs_readonly_token_0123456789"

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self.prefix = prefix
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


class GitLab(Forge):
    """Project 42 with merge request 7, as gitlab.com shows it."""

    TOKEN = "glpat-project_token_0123456789"
    NARROW = "glpat-read_api_token_0123456789"
    JOB_TOKEN = "glcbt-64_job_token_0123456789"

    def __init__(self) -> None:
        super().__init__()
        self.bot = User(900, "project_42_bot")
        notes = "/api/v4/projects/42/merge_requests/7/notes"
        self.routes = [
            Route("GET /api/v4/user", self._me),
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
            "CI_API_V4_URL": f"{self.host}/api/v4",
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
        for route in self.routes:
            found = re.fullmatch(route.asked, str(asked))
            if found is not None:
                return route.serve(asked, found)
        return Told(404, {"message": "404 Not found"})

    def _me(self, _: Asked, __: re.Match[str]) -> Told:
        return Told(200, {"id": self.bot.id, "username": self.bot.login})

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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = self.server.forge.answer(
            Asked(
                self.command,
                unquote(parts.path),
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                _document(raw),
            )
        )
        if told is None:
            self.close_connection = True
            return
        self.send_response(told.status)
        headers = {"Content-Type": "application/json; charset=utf-8", **told.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(told.body)))
        self.end_headers()
        self.wfile.write(told.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def _document(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return dict(parse_qsl(raw.decode()))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, forge: Forge) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.forge = forge


@contextmanager
def serving(forge: Forge) -> Iterator[None]:
    """Let the forge listen on a free port of this machine while the context lasts."""
    with _Server(forge) as server:
        forge.host = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
