"""How a response reaches the client: at once, late, in pieces, in part or not at all."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import assert_never

from .wire import Dropped, Hanging, Response, Short, Streamed, Trickled, Whole

# Answers that have no body, and so no length (RFC 9110).
_BODILESS = frozenset({204, 304})

_REASONS = {status.value: status.phrase for status in HTTPStatus}

_PIECES = 10
_STREAMED_AT_ONCE = 64

Pause = Callable[[float], object]


def deliver(response: Response, connection: socket.socket, pause: Pause) -> bool:
    """Send the response as it wants to be sent; False when the connection is to be closed then.

    `pause` waits so many seconds, or less when the server stops.
    """
    if response.delay:
        pause(response.delay)
    match response.delivery:
        case Whole():
            # One packet: a head sent on its own would wait for the client's delayed ACK.
            connection.sendall(_head(response) + response.body)
            return True
        case Dropped():
            return False
        case Hanging(seconds):
            pause(seconds)
            return False
        case Trickled(seconds):
            _trickle(response, connection, pause, seconds)
            return True
        case Short():
            connection.sendall(_head(response) + response.body[: len(response.body) // 2])
            return False
        case Streamed() as streamed:
            _stream(response, streamed, connection)
            return True
        case _:
            assert_never(response.delivery)


def _head(response: Response) -> bytes:
    """Status line and headers, with the length of the body."""
    reason = _REASONS.get(response.status, "Unknown")
    lines = [f"HTTP/1.1 {response.status} {reason}", f"Date: {_date(int(time.time()))}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if response.status not in _BODILESS:
        lines.append(_framing(response))
    return "\r\n".join((*lines, "\r\n")).encode("latin-1", errors="replace")


# Remembered for a second, since it takes longer than the rest of a head.
@lru_cache(1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _chunk(data: bytes) -> bytes:
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


def _trickle(response: Response, connection: socket.socket, pause: Pause, seconds: float) -> None:
    connection.sendall(_head(response))
    step = max(1, -(-len(response.body) // _PIECES))
    for start in range(0, len(response.body), step):
        pause(seconds / _PIECES)
        connection.sendall(response.body[start : start + step])


def _stream(response: Response, streamed: Streamed, connection: socket.socket) -> None:
    framed: Callable[[bytes], bytes] = _chunk if streamed.chunked else bytes
    connection.sendall(_head(response) + framed(streamed.start))
    whole, rest = divmod(streamed.count, _STREAMED_AT_ONCE)
    block = framed(streamed.unit * _STREAMED_AT_ONCE)
    for _ in range(whole):
        connection.sendall(block)
    if rest:
        connection.sendall(framed(streamed.unit * rest))
    connection.sendall(framed(streamed.end))
    if streamed.chunked:
        connection.sendall(_chunk(b""))
