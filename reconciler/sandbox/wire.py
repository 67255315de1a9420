"""A request and a response as values, and how a response is to reach the client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

JSON = ("Content-Type", "application/json;charset=utf-8")
HTML = ("Content-Type", "text/html;charset=utf-8")

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. Header names are in lower case; `target` is the path with its query."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Whole:
    """The response is sent as it is."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection is closed without a byte of response."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """No byte is sent for so many seconds, then the connection is closed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Trickled:
    """The body arrives in pieces, spread over so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Short:
    """The head announces the whole body, half of it is sent, then the connection is closed."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """`start`, `unit` so many times, `end`: made while it is sent, since it may not fit in memory.

    `chunked`, or with its length announced.
    """

    start: bytes
    unit: bytes
    count: int
    end: bytes
    chunked: bool

    @property
    def size(self) -> int:
        return len(self.start) + len(self.unit) * self.count + len(self.end)


Delivery = Whole | Dropped | Hanging | Trickled | Short | Streamed


@dataclass(frozen=True, slots=True)
class Response:
    """What the client is to receive. `delay` seconds pass before the first byte."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    delivery: Delivery = Whole()
    delay: float = 0.0

    def json(self) -> object:
        """The body as JSON. Raises ValueError for a body that is not."""
        return json.loads(self.body)


def json_response(status: int, document: object, *headers: Header) -> Response:
    """An answer whose body is this document."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(status, encoded(text), (JSON, *headers))


def html_response(status: int, page: str, *headers: Header) -> Response:
    """An answer whose body is this page."""
    return Response(status, encoded(page), (HTML, *headers))


def encoded(text: str) -> bytes:
    """The text as UTF-8. Half a character, as JSON's escapes can make one, becomes `?`."""
    return text.encode(errors="replace")
