"""HTTP/1.1 as bytes: a request read from a connection, the head of a response.

Written by hand, because the parser of `http.server` costs more than everything else a read does.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

from .wire import Request, Response, Streamed

_LINE = 65_536
_HEADERS = 100
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")
_BODY = 16 * 1024 * 1024
# More digits than any length has that is taken; int() refuses some thousands of them.
_DIGITS = 20

_REASONS = {status.value: status.phrase for status in HTTPStatus}

# Answers that have no body, and so no length (RFC 9110).
_BODILESS = frozenset({204, 304})


class Reader(Protocol):
    """What a connection is read through."""

    def readline(self, size: int, /) -> bytes:
        """The next line, or what came before the connection ended."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, or what came before the connection ended."""


class BadRequest(Exception):
    """Bytes that are no request; the connection cannot go on."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def read_head(reader: Reader) -> Request | None:
    """The next request without its body; None when the client has closed. Raises BadRequest."""
    line = reader.readline(_LINE)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest(414 if len(line) == _LINE else 400)
    method, target, version = parts
    headers = _headers(reader)
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return Request(method, target, headers)


def read_body(reader: Reader, headers: Mapping[str, str]) -> bytes:
    """The body that the headers announce. Raises BadRequest."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _chunks(reader)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest(400)
    if len(length) > _DIGITS:
        raise BadRequest(413)
    return _exactly(reader, int(length))


def closes(headers: Mapping[str, str]) -> bool:
    """Whether the client wants the connection closed after the answer."""
    return headers.get("connection", "").lower() == "close"


def head(response: Response) -> bytes:
    """Status line and headers, with the length of the body."""
    reason = _REASONS.get(response.status, "Unknown")
    lines = [f"HTTP/1.1 {response.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if response.status not in _BODILESS:
        lines.append(_framing(response))
    return "\r\n".join((*lines, "\r\n")).encode("latin-1", errors="replace")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; the empty one ends it."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _framing(response: Response) -> str:
    match response.delivery:
        case Streamed(chunked=True):
            return "Transfer-Encoding: chunked"
        case Streamed(size=size):
            return f"Content-Length: {size}"
        case _:
            return f"Content-Length: {len(response.body)}"


def _headers(reader: Reader) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_HEADERS):
        line = reader.readline(_LINE)
        if line in (b"\r\n", b"\n"):
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise BadRequest(400)
        headers[name.lower()] = value.strip()
    raise BadRequest(431)


def _exactly(reader: Reader, length: int) -> bytes:
    if length > _BODY:
        raise BadRequest(413)
    body = reader.read(length) if length else b""
    if len(body) < length:
        raise BadRequest(400)
    return body


def _chunks(reader: Reader) -> bytes:
    body = bytearray()
    while True:
        size = reader.readline(_LINE).partition(b";")[0].strip()
        # int() alone would take a sign, an underscore or a space.
        if not size or not set(size) <= _HEX_DIGITS:
            raise BadRequest(400)
        length = int(size, 16)
        body += _exactly(reader, length)
        if len(body) > _BODY:
            raise BadRequest(413)
        reader.readline(_LINE)
        if length == 0:
            return bytes(body)
