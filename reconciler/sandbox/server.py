"""The stand-in behind a socket of this machine, one thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from .delivery import deliver
from .example import example_portal
from .http1 import BadRequest, closes, head, read_body, read_head
from .options import Options
from .portal import Portal
from .stand_in import Sandbox
from .state import Store
from .wire import Request, Response

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
