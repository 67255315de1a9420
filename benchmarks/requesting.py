"""What one request costs the client in CPU: httpx, its successor httpx2, and bare sockets.

The server is a process of its own that answers from memory. `python -m benchmarks.requesting
CLIENT PORT COUNT` is one measurement, `python -m benchmarks.requesting serve` the server.
"""

from __future__ import annotations

import contextlib
import importlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from benchmarks import data
from benchmarks.lab import Lab
from benchmarks.measure import Command, Failed, run
from benchmarks.row import Row

_BODY = b'{"results":[{"category":"HUBSPOT_DEFINED","typeId":279,"maxToObjectIds":5,"label":null}]}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\n"
    b"X-HubSpot-Correlation-Id: 0\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)
_PATH = "/crm/associations/2026-09/definitions/configurations/0-1/0-2"
_CLIENTS = ("httpx", "httpx2", "sockets")
_WARM = 50


def rows(lab: Lab) -> Iterator[Row]:
    """Each client in turn, several times over, the fastest of its runs."""
    count = lab.size.requests
    found: dict[str, float] = {}
    with _server(lab) as port:
        for _ in range(lab.size.runs):
            for client in _CLIENTS:
                if client == "httpx2" and find_spec(client) is None:
                    continue
                arguments = (sys.executable, "-m", "benchmarks.requesting", client, port)
                done = run(Command((*arguments, str(count)), data.ROOT))
                seconds = float(done.output)
                found[client] = min(found.get(client, seconds), seconds)
    for client in _CLIENTS:
        if client in found:
            through = "" if client == "sockets" else ", through the transport"
            against = f"{found[client] / found['httpx']:.2f} of httpx" if client != "httpx" else ""
            each = f"{found[client] * 1000:.2f} ms CPU"
            yield Row(f"one request, {client}{through}", each, against)
        else:
            yield Row(f"one request, {client}", "not installed", "the bench group has it")


@contextlib.contextmanager
def _server(lab: Lab) -> Iterator[str]:
    process = subprocess.Popen(
        (sys.executable, "-m", "benchmarks.requesting", "serve"),
        cwd=data.ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        if not port:
            raise Failed(f"the server did not start for {lab.directory}")
        yield port
    finally:
        process.kill()
        process.communicate()


def main() -> int:
    what, *rest = sys.argv[1:]
    if what == "serve":
        _serve()
    port, count = (int(each) for each in rest)
    send = _sockets(port) if what == "sockets" else _transport(what, port)
    for _ in range(_WARM):
        send()
    begin = time.process_time()
    for _ in range(count):
        send()
    print((time.process_time() - begin) / count)
    return 0


def _transport(library: str, port: int) -> Callable[[], object]:
    """The project's transport on one of the two libraries, which have the same interface."""
    if library == "httpx2":
        for successor, name in (("httpx2", "httpx"), ("httpcore2", "httpcore")):
            sys.modules[name] = importlib.import_module(successor)
    from reconciler.http.connection import Connection  # after the library was chosen
    from reconciler.http.messages import Request
    from reconciler.http.transport import HttpTransport
    from reconciler.outgoing import Secret

    address = f"http://127.0.0.1:{port}"
    transport = HttpTransport(Connection(Secret("token"), address), time.monotonic)
    headers = {"authorization": "Bearer token", "accept": "application/json"}
    request = Request("GET", address + _PATH, headers)
    return lambda: transport.send(request, 30)


def _sockets(port: int) -> Callable[[], object]:
    """The least that any client in Python could cost: one send and one receive."""
    connection = socket.create_connection(("127.0.0.1", port))
    request = f"GET {_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer token\r\n\r\n"
    sent = request.encode()

    def send() -> bytes:
        connection.sendall(sent)
        return connection.recv(65_536)

    return send


def _serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = b""
    while received := connection.recv(65_536):
        waiting += received
        while b"\r\n\r\n" in waiting:
            _, _, waiting = waiting.partition(b"\r\n\r\n")
            connection.sendall(_ANSWER)


if __name__ == "__main__":
    sys.exit(main())
