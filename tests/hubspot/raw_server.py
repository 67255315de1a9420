"""A server that speaks exactly the bytes a test gives it, for answers no real server makes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class RawServer:
    """Where it listens, and the heads and bodies of all requests it got."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Speak = Callable[[socket.socket, RawServer], None]


@contextmanager
def raw_server(speak: Speak) -> Iterator[RawServer]:
    """Call `speak` for each request of each connection; it answers, or does not."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=_serve, args=(connection, server, speak))
            thread.start()
            threads.append(thread)

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        server.stopping.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for thread in threads:
            thread.join()


def _serve(connection: socket.socket, server: RawServer, speak: Speak) -> None:
    with connection, suppress(OSError):
        connection.settimeout(0.2)
        while not server.stopping.is_set():
            try:
                request = connection.recv(65536)
            except TimeoutError:
                continue
            if not request:
                return
            server.requests.append(request)
            speak(connection, server)


def saying(*parts: bytes, pause: float = 0.0, close: bool = True) -> Speak:
    """Send these bytes, with a pause before each but the first; then close."""

    def speak(connection: socket.socket, server: RawServer) -> None:
        for number, part in enumerate(parts):
            if number and server.stopping.wait(pause):
                return
            connection.sendall(part)
        if close:
            connection.shutdown(socket.SHUT_RDWR)

    return speak


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole response with its length."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
