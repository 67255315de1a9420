"""The stand-in behind a socket of this machine: `http.server`, one thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.message import Message
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase, BufferedReader, RawIOBase

from .delivery import deliver
from .example import example_portal
from .portal import Portal
from .stand_in import Options, Sandbox
from .state import Store
from .wire import Request

HOST = "127.0.0.1"

# How long the listener sleeps between looks at whether it is to stop.
_POLL_SECONDS = 0.05

# How long a stopped server waits for the thread of each connection, which is already broken.
_JOIN_SECONDS = 5.0

# What a client may still send after an answer that ends the connection: some 64 MiB.
_DRAIN_SECONDS = 1.0
_DRAIN_PIECES = 1_000

_LARGEST_BODY = 16 * 1024 * 1024
_LONGEST_LINE = 65_536
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")
# More digits than the length of any accepted body has; int() refuses some thousands of them.
_DIGITS = 20

# A second one of these would leave open where the request ends, or for whom it is.
_SINGLE = frozenset({"content-length", "transfer-encoding", "host"})

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
        others: Iterable[Sandbox] = (),
    ) -> None:
        super().__init__(portal, options, store=store, others=others)
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
        """Give up the port, break every connection and wait for its thread."""
        self._listener.stopping.set()
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
    others: Iterable[Sandbox] = (),
) -> Iterator[Server]:
    """A server that runs in the background while the context lasts.

    `others` are further portals behind the same address, each with a token of its own. Without a
    portal it starts with the example one. Raises OSError when the port is taken.
    """
    first = portal or example_portal()
    server = Server(first, options, port=port, store=store, log=log, others=others)
    thread = threading.Thread(target=server.run, name="sandbox", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
        server.close()


class _Listener(socketserver.ThreadingTCPServer):
    """`http.server.ThreadingHTTPServer` but for its look-up of the host's name, which can be slow."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox, port: int, log: Log | None) -> None:
        self.sandbox = sandbox
        self.log = log
        self.stopping = threading.Event()
        self.peak = 0
        self._in_flight = 0
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__((HOST, port), _Connection)

    @contextlib.contextmanager
    def connected(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._connections[connection] = threading.current_thread()
        try:
            yield
        finally:
            with self._lock:
                del self._connections[connection]

    @contextlib.contextmanager
    def in_flight(self) -> Iterator[None]:
        with self._lock:
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    def break_connections(self) -> None:
        with self._lock:
            connections = dict(self._connections)
        for connection in connections:
            # The client may have closed it already.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in connections.values():
            thread.join(_JOIN_SECONDS)


class _Refused(Exception):
    """A request that is not well-formed; the connection cannot go on."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Lines(BufferedReader):
    """What a connection sends, with two things noticed that the library's parser passes over.

    `last` is the last line: the end of a connection is not the empty line that ends the headers.
    `is_odd`: a carriage return inside a line, which the parser takes for another header.
    """

    def __init__(self, raw: RawIOBase) -> None:
        super().__init__(raw)
        self.last = b""
        self.is_odd = False

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        self.is_odd = self.is_odd or b"\r" in self.last[:-2]
        return self.last


class _Headers(HTTPMessage):
    """Headers that are not those of a mail: the library's parser looks for no parts in a body."""

    def get_content_type(self) -> str:
        return "text/plain"

    def get_content_maintype(self) -> str:
        return "text"


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    MessageClass = _Headers
    # Without this the kernel may hold a small answer back for 40 ms (Nagle and delayed ACK).
    disable_nagle_algorithm = True

    server: _Listener

    def setup(self) -> None:
        """As in the library, but for the reader."""
        super().setup()
        self.rfile = self._lines = _Lines(self.rfile.detach())

    def handle(self) -> None:
        """Serve requests until the client or an answer ends the connection."""
        # A client that goes away, as clients under test do, ends its connection and no more.
        with self.server.connected(self.connection), contextlib.suppress(ConnectionError):
            # A connection made while the server stops would otherwise wait for a request.
            if not self.server.stopping.is_set():
                super().handle()

    def _serve(self) -> None:
        try:
            request = self._read()
        except _Refused as error:
            self.send_error(error.status)
            return
        with self.server.in_flight():
            begin = time.monotonic()
            response = self.server.sandbox.handle(request)
            if self.server.log is not None:
                milliseconds = (time.monotonic() - begin) * 1000
                shown = response.status or "no answer"
                what = _printable(f"{request.method} {request.target}")
                self.server.log(f"{what} → {shown} {milliseconds:.1f} ms")
            keeps = deliver(response, self.connection, self.server.stopping.wait)
        if not keeps or self.server.stopping.is_set():
            self.close_connection = True

    def _read(self) -> Request:
        """The request whose head the library has parsed, with its body. Raises _Refused."""
        if self._lines.last not in (b"\r\n", b"\n") or self._lines.is_odd:
            raise _Refused(400)
        if self.request_version == "HTTP/0.9":
            raise _Refused(400)
        headers = _headers(self.headers)
        return Request(self.command, self.path, headers, read_body(self._lines, headers))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - its names

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request, and take what the client still sends, a while and in bounds.

        To close on unread bytes resets the connection, and the client may never see the answer.
        """
        # Of an unknown version until the first line is understood, and so without a head.
        self.request_version = self.protocol_version
        super().send_error(code, message, explain)
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_DRAIN_SECONDS)
            for _ in range(_DRAIN_PIECES):
                if not self.connection.recv(65_536):
                    return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing: `_serve` logs every request that was understood."""


def _headers(message: Message) -> Mapping[str, str]:
    """The headers by their names in lower case. Raises _Refused."""
    # A line without a colon ends the headers for the library, and what follows is a payload.
    if message.defects or message.get_payload():
        raise _Refused(400)
    headers: dict[str, str] = {}
    for name, value in message.items():
        key = name.lower()
        # A line break: a header continued on the next line, which RFC 9112 lets a server refuse.
        if "\n" in value or (key in headers and key in _SINGLE):
            raise _Refused(400)
        headers[key] = value.strip()
    return headers


def read_body(reader: BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    """The body that the headers announce. Raises _Refused."""
    coding = headers.get("transfer-encoding")
    length = headers.get("content-length")
    if coding is not None:
        # Both: a reader that follows the other one finds another request in the rest (RFC 9112).
        if length is not None:
            raise _Refused(400)
        if coding.lower() != "chunked":
            raise _Refused(501)
        return _chunks(reader)
    if length is None:
        return b""
    if not (length.isascii() and length.isdigit()):
        raise _Refused(400)
    if len(length) > _DIGITS:
        raise _Refused(413)
    return _exactly(reader, int(length))


def _exactly(reader: BufferedIOBase, length: int) -> bytes:
    if length > _LARGEST_BODY:
        raise _Refused(413)
    body = reader.read(length) if length else b""
    if len(body) < length:
        raise _Refused(400)
    return body


def _chunks(reader: BufferedIOBase) -> bytes:
    body = bytearray()
    while True:
        size = reader.readline(_LONGEST_LINE).partition(b";")[0].strip()
        # int() alone would take a sign, an underscore or a space.
        if not size or not set(size) <= _HEX_DIGITS:
            raise _Refused(400)
        length = int(size, 16)
        body += _exactly(reader, length)
        if len(body) > _LARGEST_BODY:
            raise _Refused(413)
        reader.readline(_LONGEST_LINE)
        if length == 0:
            return bytes(body)


def _printable(text: str) -> str:
    """The text without what a terminal would obey."""
    return "".join(one if one.isprintable() else "?" for one in text)
