"""The stand-in behind a socket of this machine, one thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Protocol, assert_never

from .example import example_portal
from .portal import Portal
from .stand_in import Options, Sandbox
from .state import Store
from .wire import Dropped, Hanging, Request, Response, Short, Streamed, Trickled, Whole

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
            connection.sendall(head(response) + response.body)
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
            connection.sendall(head(response) + response.body[: len(response.body) // 2])
            return False
        case Streamed() as streamed:
            _stream(response, streamed, connection)
            return True
        case _:
            assert_never(response.delivery)


def _trickle(response: Response, connection: socket.socket, pause: Pause, seconds: float) -> None:
    connection.sendall(head(response))
    step = max(1, -(-len(response.body) // _PIECES))
    for start in range(0, len(response.body), step):
        pause(seconds / _PIECES)
        connection.sendall(response.body[start : start + step])


def _stream(response: Response, streamed: Streamed, connection: socket.socket) -> None:
    framed: Callable[[bytes], bytes] = chunk if streamed.chunked else bytes
    connection.sendall(head(response) + framed(streamed.start))
    whole, rest = divmod(streamed.count, _STREAMED_AT_ONCE)
    block = framed(streamed.unit * _STREAMED_AT_ONCE)
    for _ in range(whole):
        connection.sendall(block)
    if rest:
        connection.sendall(framed(streamed.unit * rest))
    connection.sendall(framed(streamed.end))
    if streamed.chunked:
        connection.sendall(chunk(b""))


HOST = "127.0.0.1"

# How long the listener sleeps between looks at whether it is to stop.
_POLL_SECONDS = 0.05

# What a client may still send after an answer that ends the connection: some 64 MiB.
_HEAR_OUT_SECONDS = 1.0
_HEAR_OUT_PIECES = 1_000

Log = Callable[[str], object]


class Server(Sandbox):
    """A Sandbox that listens on a port of 127.0.0.1; port 0 takes any free one.

    `log` gets one line for each request. Raises OSError when the port is taken.
    """

    def __init__(
        self,
        portal: Portal,
        options: Options | None = None,
        *,
        port: int = 0,
        store: Store | None = None,
        log: Log | None = None,
    ) -> None:
        super().__init__(portal, options, store=store)
        self._listener = _Listener(self, port, log)

    @property
    def port(self) -> int:
        port: int = self._listener.server_address[1]
        return port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def peak(self) -> int:
        """The highest number of requests that were being served at the same moment."""
        return self._listener.peak

    def run(self) -> None:
        """Serve until `stop` is called from another thread."""
        self._listener.serve_forever(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop listening and wake whatever hangs."""
        self._listener.stopping.set()
        self._listener.shutdown()

    def close(self) -> None:
        """Give up the port and break every connection."""
        self._listener.server_close()
        self._listener.break_connections()


@contextlib.contextmanager
def serve(
    portal: Portal | None = None,
    options: Options | None = None,
    *,
    port: int = 0,
    store: Store | None = None,
    log: Log | None = None,
) -> Iterator[Server]:
    """A server that runs in the background while the context lasts.

    Without a portal it starts with the example one. Raises OSError when the port is taken.
    """
    server = Server(portal or example_portal(), options, port=port, store=store, log=log)
    thread = threading.Thread(target=server.run, name="sandbox", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
        server.close()


class _Handler(Protocol):
    """What answers requests."""

    def handle(self, request: Request) -> Response: ...


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, handler: _Handler, port: int, log: Log | None) -> None:
        self.handler = handler
        self.log = log
        self.stopping = threading.Event()
        self.peak = 0
        self._in_flight = 0
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((HOST, port), _Connection)

    @contextlib.contextmanager
    def connected(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)

    def arrive(self) -> None:
        with self._lock:
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)

    def leave(self) -> None:
        with self._lock:
            self._in_flight -= 1

    def break_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                # A connection that its client has already closed is no news here.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.StreamRequestHandler):
    # Without this the kernel may hold a small answer back for 40 ms (Nagle and delayed ACK).
    disable_nagle_algorithm = True

    server: _Listener

    def handle(self) -> None:
        # A client that goes away, as clients under test do, ends its connection and no more.
        with self.server.connected(self.connection), contextlib.suppress(ConnectionError):
            try:
                while self._serve_one():
                    pass
            except BadRequest as error:
                headers = (("Connection", "close"),)
                self.connection.sendall(head(Response(error.status, headers=headers)))
                self._hear_out()

    def _hear_out(self) -> None:
        """Take what the client still sends, a while and in bounds.

        To close on unread bytes resets the connection, and the client may never see the answer.
        """
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_HEAR_OUT_SECONDS)
        with contextlib.suppress(TimeoutError):
            for _ in range(_HEAR_OUT_PIECES):
                if not self.connection.recv(65_536):
                    return

    def _serve_one(self) -> bool:
        """Serve the next request; False when the connection is to be closed."""
        request = read_head(self.rfile)
        if request is None:
            return False
        if request.headers.get("expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = read_body(self.rfile, request.headers)
        self.server.arrive()
        try:
            return self._answer(Request(request.method, request.target, request.headers, body))
        finally:
            self.server.leave()

    def _answer(self, request: Request) -> bool:
        begin = time.monotonic()
        response = self.server.handler.handle(request)
        if self.server.log is not None:
            milliseconds = (time.monotonic() - begin) * 1000
            shown = response.status or "no answer"
            what = _printable(f"{request.method} {request.target}")
            self.server.log(f"{what} → {shown} {milliseconds:.1f} ms")
        keeps = deliver(response, self.connection, self.server.stopping.wait)
        return keeps and not closes(request.headers) and not self.server.stopping.is_set()


def _printable(text: str) -> str:
    """The text without what a terminal would obey."""
    return "".join(one if one.isprintable() else "?" for one in text)
