"""HTTP/1.1 as bytes: what is read, what is refused, what a head says."""

from __future__ import annotations

import io

import pytest

from reconciler.sandbox.server import BadRequest, closes, head, read_body, read_head
from reconciler.sandbox.wire import Response


def test_a_request_is_read_with_its_headers() -> None:
    """Header names in lower case, values without the space around them."""
    reader = io.BytesIO(b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nCONTENT-length:  3 \r\n\r\nabcGET")
    request = read_head(reader)
    assert request is not None
    assert (request.method, request.path, request.query) == ("POST", "/a", "b=c")
    assert request.headers == {"host": "x", "content-length": "3"}
    assert read_body(reader, request.headers) == b"abc"
    assert reader.read() == b"GET"


def test_a_chunked_body_is_joined() -> None:
    """With an extension, and with what follows left alone."""
    reader = io.BytesIO(b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nGET")
    assert read_body(reader, {"transfer-encoding": "chunked"}) == b"abc0123456789"
    assert reader.read() == b"GET"


def test_a_body_of_very_many_chunks_is_joined() -> None:
    """In time that grows with its length, not with the square of it, which would be minutes."""
    reader = io.BytesIO(b"1\r\nx\r\n" * 1_000_000 + b"0\r\n\r\n")
    assert len(read_body(reader, {"transfer-encoding": "chunked"})) == 1_000_000


def test_the_end_of_a_connection_is_no_request() -> None:
    """A client that closes between requests has done nothing wrong."""
    assert read_head(io.BytesIO(b"")) is None


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x", 400),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nContent-Length: 1_0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5_000 + b"\r\n", 413),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 400),
        (b"\0" * 70_000, 414),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", 400),
    ],
)
def test_bytes_that_are_no_request_are_refused(data: bytes, status: int) -> None:
    """With the status that the client is told before the connection closes."""
    reader = io.BytesIO(data)
    with pytest.raises(BadRequest) as error:
        read_body(reader, getattr(read_head(reader), "headers", {}))
    assert error.value.status == status


def test_connections_are_kept_unless_the_client_says_otherwise() -> None:
    """HTTP/1.1 keeps, HTTP/1.0 closes unless it asks to keep."""
    for line, expected in [
        (b"GET / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
    ]:
        request = read_head(io.BytesIO(line))
        assert request is not None
        assert closes(request.headers) is expected


def test_a_head_has_the_length_of_the_body() -> None:
    """But for 204, which has no body; an unknown status has a reason all the same."""
    assert head(Response(200, b"abc", (("A", "b"),))) == (
        b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\n"
    )
    assert head(Response(204)) == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert head(Response(477)).startswith(b"HTTP/1.1 477 Unknown\r\n")
