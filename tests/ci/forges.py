"""What a forge's local server has in common with another: comments, faults, pages, a socket."""

from __future__ import annotations

import json
import re
import threading
from abc import ABC, abstractmethod
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


STRANGER = User(666, "mallory")
HTML_PAGE = Told(
    200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html; charset=utf-8"}
)


class Forge(ABC):
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

    @abstractmethod
    def serve(self, asked: Asked) -> Told:
        """What the API answers."""

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
