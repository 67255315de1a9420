"""The stand-in over real sockets: kept connections, many at once, and every way to fail."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import BytesIO

import httpx
import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.server import Server, read_body, serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN, Options, Sandbox
from tests.sandbox.talking import batch_path, client, limits_path, one, options

PATH = limits_path("2026-03")


def struck(*rules: str) -> Options:
    """Options with these fault rules."""
    return Options(faults=tuple(parse_fault(rule) for rule in rules))


def test_it_serves_the_same_as_in_process() -> None:
    """The socket adds nothing to the answer."""
    with serve() as server, client(server.url) as http:
        answer = http.get(PATH)
        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            "application/json;charset=utf-8",
        )
        assert [row["typeId"] for row in answer.json()["results"]] == [279, 28]
        assert http.post(batch_path("purge", "v4"), json={"inputs": [one(28)]}).content == b""
        assert [entry.operation for entry in server.requests] == ["read", "purge"]
        assert [step.after for step in server.history] == [None]
        assert server.limits("contacts", "companies") == {("HUBSPOT_DEFINED", 279): 5}


def test_it_listens_on_loopback_only() -> None:
    """127.0.0.1 and a free port, shown in the address."""
    with serve() as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        with socket.create_connection(("127.0.0.1", server.port)):
            pass
        other = socket.socket()
        other.settimeout(1)
        with other, pytest.raises(OSError, match="refused"):
            other.connect(("127.0.0.2", server.port))


def test_a_taken_port_is_an_error() -> None:
    """Rather than a stand-in that nobody reaches."""
    with serve() as server, pytest.raises(OSError, match="in use"), serve(port=server.port):
        pass


def test_a_stopped_server_gives_up_its_port() -> None:
    """It can be started again at once in the same place."""
    with serve() as server:
        port = server.port
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    with serve(port=port) as again:
        assert again.port == port


def test_one_connection_serves_many_requests() -> None:
    """It is kept alive."""
    with serve() as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        reader = connection.makefile("rb")
        request = f"GET {PATH} HTTP/1.1\r\nAuthorization: Bearer {DEFAULT_TOKEN}\r\n\r\n".encode()
        for _ in range(100):
            connection.sendall(request)
            assert reader.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := reader.readline()) != b"\r\n":
                if line.startswith(b"Content-Length"):
                    length = int(line.split()[1])
            reader.read(length)
        reader.close()


def test_sixteen_requests_are_served_at_once() -> None:
    """With a latency of 0.3 s, sixteen take little more than one."""
    with serve(options=Options(latency=0.3)) as server:
        barrier = threading.Barrier(16)

        def ask(_: int) -> int:
            with client(server.url) as http:
                barrier.wait()
                return http.get(PATH).status_code

        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(ask, range(16))) == {200}
        assert server.peak == 16


def test_concurrent_writes_do_not_lose_each_other() -> None:
    """Eighty writes from eight threads: every step starts where one before it ended."""
    with serve() as server:

        def raise_limits(number: int) -> None:
            with client(server.url) as http:
                for value in range(10):
                    inputs = [one(28, 1 + (number + value) % 5)]
                    assert http.post(batch_path("update"), json={"inputs": inputs}).is_success

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(raise_limits, range(8)))
        steps = server.history
        assert len(steps) == len(server.requests) == 80
        assert [step.before for step in steps[1:]] == [step.after for step in steps[:-1]]


@pytest.mark.parametrize("rule", ["update:drop", "update:drop,wrote=yes"])
def test_a_dropped_connection_says_nothing_of_the_write(rule: str) -> None:
    """The client sees the same whether the write took effect or not."""
    with serve(options=struck(rule)) as server, client(server.url) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(batch_path("update"), json={"inputs": [one(28, 2)]})
        written = server.limits("contacts", "companies")["USER_DEFINED", 28] == 2
        assert written is rule.endswith("yes")
        assert http.get(PATH).status_code == 200


def test_a_hanging_answer_times_the_client_out() -> None:
    """And the server still stops at once, without waiting for it."""
    begin = time.monotonic()
    with (
        serve(options=struck("read:hang,seconds=60")) as server,
        client(server.url, timeout=0.2) as http,
        pytest.raises(httpx.ReadTimeout),
    ):
        http.get(PATH)
    assert time.monotonic() - begin < 40


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_a_huge_answer_can_be_read_or_left(framing: str) -> None:
    """Valid JSON of that size; a client that stops reading does not disturb the server."""
    rule = f"read:huge,mb=3,framing={framing}"
    with serve(options=struck(rule)) as server, client(server.url) as http:
        body = http.get(PATH).content
        assert len(json.loads(body)["results"]) > 2_000
        assert 2_990_000 <= len(body) <= 3_010_000
        with http.stream("GET", PATH) as stream:
            assert ("content-length" in stream.headers) is (framing == "length")
            next(stream.iter_raw(1_000))
        assert http.get("/account-info/v3/details").status_code == 200


def test_a_short_answer_breaks_off() -> None:
    """The head promises more than comes."""
    with (
        serve(options=struck("read:500,body=short")) as server,
        client(server.url) as http,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        http.get(PATH)


def test_a_redirect_can_lead_to_another_host() -> None:
    """A client that follows it must not take the token along."""
    with (
        serve() as other,
        serve(options=struck(f"read:redirect,to={other.url}/stolen")) as server,
        client(server.url) as http,
    ):
        answer = http.get(PATH)
        assert answer.status_code == 307
        assert answer.headers["location"] == f"{other.url}/stolen"


def test_nonsense_is_answered_and_the_connection_closed() -> None:
    """400 and the end, and the next client is served."""
    with serve() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            received = b""
            while piece := connection.recv(1_000):
                received += piece
            assert received.startswith(b"HTTP/1.1 400 ")
            assert b"Connection: close" in received
        with client(server.url) as http:
            assert http.get(PATH).status_code == 200


def test_a_body_that_is_too_large_is_refused_in_words_that_arrive() -> None:
    """413, although the client is still sending when the answer comes."""
    head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n\r\n"
    with (
        serve() as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection,
    ):
        connection.sendall(head.encode())
        for _ in range(30):
            connection.sendall(b"x" * 1_000_000)
        assert connection.recv(10_000).startswith(b"HTTP/1.1 413 ")


def test_the_log_says_nothing_that_a_terminal_obeys() -> None:
    """An escape sequence in a path stays text."""
    lines: list[str] = []
    with (
        serve(log=lines.append) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection,
    ):
        connection.sendall(b"GET /\x1b[2J\x9b HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert connection.recv(10_000).startswith(b"HTTP/1.1 404 ")
    assert lines[0].startswith("GET /?[2J? → 404 ")


def test_expecting_clients_may_continue() -> None:
    """As curl asks before a larger body."""
    body = json.dumps({"inputs": [one(28, 2)]}).encode()
    head = (
        f"POST {batch_path('update')} HTTP/1.1\r\nAuthorization: Bearer {DEFAULT_TOKEN}\r\n"
        f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with (
        serve() as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection,
    ):
        connection.sendall(head.encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(10_000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_are_logged_without_the_token() -> None:
    """One line each: method, path, status and time."""
    lines: list[str] = []
    with (
        serve(options=struck("read#2:drop"), log=lines.append) as server,
        client(server.url) as http,
    ):
        http.get(PATH)
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(PATH)
    assert lines[0].startswith(f"GET {PATH} → 200 ")
    assert lines[1].startswith(f"GET {PATH} → no answer ")
    assert DEFAULT_TOKEN not in "".join(lines)


def test_a_server_is_a_sandbox() -> None:
    """It can be asked in process and set up while it runs."""
    with serve(example_portal(), options(rate=100)) as server, client(server.url) as http:
        assert isinstance(server, Sandbox)
        server.set_faults([parse_fault("read#1:503")])
        assert [http.get(PATH).status_code for _ in range(2)] == [503, 200]
        server.edit("contacts", "companies", 28, 4)
        assert http.get(PATH).json()["results"][1]["userEnforcedMaxToObjectIds"] == 4
        server.reset()
        assert server.requests == ()


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    """One server for all tests that leave nothing behind."""
    with serve() as server:
        yield server


def answered(server: Server, sent: bytes) -> bytes:
    """All that comes back on a connection that sends this and no more."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
        return received


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    """An authorized request as it is on the wire."""
    return (
        "\r\n".join((line, f"Authorization: Bearer {DEFAULT_TOKEN}", *headers, "\r\n")).encode()
        + body
    )


PURGE = f"POST {batch_path('purge')} HTTP/1.1"
INPUTS = json.dumps({"inputs": [one(28)]}).encode()
CHUNKED = (
    b"3;x=y\r\n" + INPUTS[:3] + b"\r\n%X\r\n" % (len(INPUTS) - 3) + INPUTS[3:] + b"\r\n0\r\n\r\n"
)


def test_a_request_is_read_with_its_headers(shared: Server) -> None:
    """Header names in any case, values without spaces at their ends, the query kept."""
    sent = request(f"GET {PATH}?x=1 HTTP/1.1", "CONTENT-length:  0 ", "Connection: close")
    assert answered(shared, sent).startswith(b"HTTP/1.1 200 OK\r\n")
    assert shared.requests[-1].path == f"{PATH}?x=1"


@pytest.mark.parametrize(
    ("header", "body"),
    [(f"Content-Length: {len(INPUTS)}", INPUTS), ("Transfer-Encoding: Chunked", CHUNKED)],
)
def test_a_body_ends_where_it_says(header: str, body: bytes) -> None:
    """With its length or in chunks; the request that follows on the connection is served too."""
    with serve() as server:
        received = answered(
            server, request(PURGE, header, body=body) + request(f"GET {PATH} HTTP/1.1")
        )
        assert [entry.body for entry in server.requests] == [INPUTS.decode(), ""]
        assert received.count(b"HTTP/1.1 20") == 2


@pytest.mark.parametrize("kind", ["multipart/form-data", "message/rfc822", 'text/x; a="b'])
def test_the_type_of_a_body_does_not_change_how_it_is_read(kind: str) -> None:
    """The library reads headers as those of a mail, where some types have parts of their own."""
    with serve() as server:
        length = f"Content-Length: {len(INPUTS)}"
        received = answered(server, request(PURGE, length, f"Content-Type: {kind}", body=INPUTS))
        assert received.startswith(b"HTTP/1.1 20")
        assert [entry.body for entry in server.requests] == [INPUTS.decode()]


def test_a_body_of_very_many_chunks_is_joined() -> None:
    """In time that grows with its length, not with the square of it, which would be minutes."""
    reader = BytesIO(b"1\r\nx\r\n" * 300_000 + b"0\r\n\r\nGET")
    begin = time.monotonic()
    assert len(read_body(reader, {"transfer-encoding": "chunked"})) == 300_000
    assert time.monotonic() - begin < 10
    assert reader.read() == b"GET"


def test_the_end_of_a_connection_is_not_a_request(shared: Server) -> None:
    """A client that closes between requests has done nothing wrong."""
    assert answered(shared, b"") == b""


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\nA: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\rContent-Length: 3\r\n\r\nabc", 400),
        (b"GET / HTTP/1.1\r\nHost: x", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", 400),
        (b"GET / HTTP/1.1\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nContent-Length: 1_0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\nabc", 400),
        (
            b"GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5_000 + b"\r\n", 413),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"\0" * 70_000, 414),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", 400),
    ],
)
def test_bytes_that_are_not_a_request_are_refused(shared: Server, data: bytes, status: int) -> None:
    """With a status, and the connection closes: what follows is not taken for a request."""
    before = len(shared.requests)
    received = answered(shared, data + request(f"GET {PATH} HTTP/1.1") * (data[-4:] == b"\r\n\r\n"))
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close" in received
    assert received.count(b"HTTP/1.1 ") == 1
    assert len(shared.requests) == before


@pytest.mark.parametrize(
    ("line", "headers", "is_kept"),
    [
        ("GET / HTTP/1.1", (), True),
        ("GET / HTTP/1.1", ("Connection: Close",), False),
        ("GET / HTTP/1.0", (), False),
        ("GET / HTTP/1.0", ("Connection: keep-alive",), True),
    ],
)
def test_connections_are_kept_unless_the_client_says_otherwise(
    shared: Server, line: str, headers: tuple[str, ...], is_kept: bool
) -> None:
    """HTTP/1.1 keeps, HTTP/1.0 closes unless it asks to keep."""
    received = answered(shared, request(line, *headers) * 2)
    assert received.count(b"HTTP/1.1 403 ") == 1 + is_kept


def test_a_stopped_server_leaves_no_thread() -> None:
    """Not for a client that keeps its connection open either, and it does not take long."""
    before = set(threading.enumerate())
    begin = time.monotonic()
    with ExitStack() as clients, serve() as server:
        for _ in range(5):
            connection = socket.create_connection(("127.0.0.1", server.port))
            clients.enter_context(connection)
            connection.sendall(request(f"GET {PATH} HTTP/1.1"))
            assert connection.recv(10)
        server.stop()
        server.close()
        for thread in set(threading.enumerate()) - before:
            thread.join(10)
        assert not set(threading.enumerate()) - before
    assert time.monotonic() - begin < 10
