"""The real transport on real sockets: nonsense, silence, size, redirects, proxies, certificates."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from reconciler.errors import PortalUnavailable, UsageProblem
from reconciler.hubspot import (
    Connection,
    NoAnswer,
    NotSent,
    Portal,
    Request,
    Response,
    Secret,
    UnusableAnswer,
    connect,
)
from reconciler.hubspot.messages import TransportFault
from reconciler.hubspot.transport import MAXIMUM_BODY, HttpTransport, _tls
from reconciler.model import Operation
from tests.hubspot.raw_server import RawServer, Speak, raw_server, response, saying
from tests.hubspot.support import CONTACTS_COMPANIES, TOKEN, Recorder, batch, never

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine that runs the tests has a say."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def get(url: str, seconds: float = 5.0) -> Response:
    """One GET with the real transport."""
    connection = Connection(Secret(TOKEN), base_url=url)
    transport = HttpTransport(connection, time.monotonic)
    headers = {"authorization": f"Bearer {TOKEN}"}
    try:
        return transport.send(Request("GET", f"{connection.base_url}/x", headers), seconds)
    finally:
        transport.close()


def fault(speak: Speak, seconds: float = 5.0) -> TransportFault:
    """The fault that such a server causes."""
    with raw_server(speak) as server, pytest.raises(TransportFault) as caught:
        get(server.url, seconds)
    return caught.value


def portal_at(url: str, timeout: float = 2.0) -> Portal:
    """A portal at that address."""
    return connect(Connection(Secret(TOKEN), base_url=url, timeout=timeout))


def test_a_response_comes_whole() -> None:
    """Status, headers in lower case, body; the token in the header."""
    with raw_server(saying(response(b'{"a": 1}', "X-Some: Thing"))) as server:
        got = get(server.url)
    assert (got.status, got.headers["x-some"], got.body) == (200, "Thing", b'{"a": 1}')
    assert f"authorization: Bearer {TOKEN}".encode() in server.requests[0].lower().replace(
        b"bearer", b"Bearer"
    )


def test_a_compressed_response_is_opened() -> None:
    """As HubSpot compresses."""
    body = gzip.compress(b'{"a": 1}')
    with raw_server(saying(response(body, "content-encoding: gzip"))) as server:
        assert get(server.url).body == b'{"a": 1}'


def test_connections_are_kept() -> None:
    """Two requests, one connection."""
    connections = set()

    def speak(connection: socket.socket, _: RawServer) -> None:
        connections.add(connection.getpeername())
        connection.sendall(response(b"{}"))

    with raw_server(speak) as server:
        connection = Connection(Secret(TOKEN), base_url=server.url)
        transport = HttpTransport(connection, time.monotonic)
        for _ in range(3):
            transport.send(Request("GET", f"{server.url}/x", {}), 5)
        transport.close()
    assert len(connections) == 1


@pytest.mark.parametrize(
    "speak",
    [
        saying(),
        saying(b"HTTP/1.1 200 OK\r\ncontent-le"),
        saying(b"nonsense\r\n\r\n"),
        saying(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"),
        saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"),
        saying(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n{}"),
        saying(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000),
    ],
)
def test_a_broken_answer_is_no_answer(speak: Speak) -> None:
    """The request had left: nobody knows what became of it."""
    assert type(fault(speak)) is NoAnswer


@pytest.mark.parametrize(
    "speak",
    [
        saying(b"", b"", pause=30),
        saying(b"HTTP/1.1 200 OK\r\n", b"", pause=30),
        saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", b"", pause=30),
        saying(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", *[b"x"] * 99, pause=0.1),
        saying(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 99, pause=0.1),
    ],
)
def test_silence_and_trickling_end_in_time(speak: Speak) -> None:
    """A whole attempt is bounded, not each of its reads."""
    assert type(fault(speak, seconds=0.5)) is NoAnswer


def test_a_head_that_trickles_ends_in_time() -> None:
    """Each of its bytes comes soon enough, and the whole never does."""
    speak = saying(b"HTTP/1.1 200 OK\r\nx-head: ", *[b"x"] * 300, b"\r\n\r\n", pause=0.1)
    assert type(fault(speak, seconds=1.2)) is NoAnswer


def test_an_error_is_believed_without_its_body() -> None:
    """Its status says enough, though the body is cut off, hangs or cannot be opened."""
    start = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 100\r\n"
    for speak in (
        saying(start + b"\r\n{"),
        saying(start + b"\r\n{", b"", pause=30),
        saying(response(b"no gzip", "content-encoding: gzip", status="403 Forbidden")),
        saying(response(b"x" * (MAXIMUM_BODY + 1), status="403 Forbidden")),
    ):
        with raw_server(speak) as server:
            got = get(server.url, seconds=0.5)
        assert (got.status, got.body) == (403, b"")


@pytest.mark.parametrize("framing", ["length", "chunked", "close", "gzip"])
def test_an_answer_too_large_is_refused(framing: str) -> None:
    """Past 10 MiB, decompressed, reading stops."""
    body = b"x" * (MAXIMUM_BODY + 1)
    answers = {
        "length": response(body),
        "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
        % (len(body), body),
        "close": b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + body,
        "gzip": response(gzip.compress(body), "content-encoding: gzip"),
    }
    error = fault(saying(answers[framing]))
    assert isinstance(error, UnusableAnswer)
    assert "10 MiB" in error.description
    assert error.status == 200


@pytest.mark.parametrize("body", [b"no gzip", zlib.compress(b"{}")])
def test_an_answer_that_cannot_be_opened(body: bytes) -> None:
    """What is not compressed as it says is unusable, never an empty success."""
    error = fault(saying(response(body, "content-encoding: gzip")))
    assert isinstance(error, UnusableAnswer)
    assert "decompressed" in error.description


def test_an_unusable_answer_to_a_write_leaves_doubt() -> None:
    """It was answered with success, so it may have been written."""
    speak = saying(response(b"no gzip", "content-encoding: gzip"))
    with raw_server(speak) as server, portal_at(server.url) as portal:
        with pytest.raises(PortalUnavailable) as caught:
            portal.write(batch(Operation.UPDATE))
        assert caught.value.may_have_been_written
        assert len(server.requests) == 1


def test_a_refused_connection_was_not_sent() -> None:
    """Nothing listens: nothing was written, and it may pass."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(NotSent, match="no connection") as caught:
        get(f"http://127.0.0.1:{port}")
    assert not caught.value.lasting
    with portal_at(f"http://127.0.0.1:{port}", timeout=1) as portal:
        with pytest.raises(PortalUnavailable, match="could not be sent") as refused:
            portal.write(batch(Operation.UPDATE))
        assert not refused.value.may_have_been_written


def test_an_unknown_host_is_told_at_once() -> None:
    """`.invalid` exists nowhere (RFC 2606)."""
    with pytest.raises(NotSent) as caught:
        get("https://reconciler.invalid")
    if "unknown" in caught.value.description:
        assert caught.value.lasting


def test_speaking_http_to_a_tls_client_was_not_sent() -> None:
    """The token is not sent before the handshake is done."""
    with raw_server(saying(response(b"{}"))) as server:
        with pytest.raises(NotSent):
            get(server.url.replace("http:", "https:"))
        assert all(TOKEN.encode() not in request for request in server.requests)


def test_a_redirect_does_not_take_the_token_along() -> None:
    """Neither to another host nor to another port, and wherever it points to, it is told."""
    with raw_server(saying(response(b"{}"))) as elsewhere:
        for location in (f"{elsewhere.url}/x", "http://[", "", "//evil.example/", "javascript:x"):
            redirect = response(b"", f"location: {location}", status="307 Temporary Redirect")
            with raw_server(saying(redirect)) as server, portal_at(server.url) as portal:
                with pytest.raises(PortalUnavailable, match="redirected"):
                    portal.read(CONTACTS_COMPANIES, needs_labels=never)
                assert len(server.requests) == 1
        assert elsewhere.requests == []


def test_cookies_are_not_kept() -> None:
    """Nothing a server sets comes back to it."""
    speak = saying(response(b"{}", "set-cookie: a=b; Path=/"), close=False)
    with raw_server(speak) as server:
        transport = HttpTransport(Connection(Secret(TOKEN), base_url=server.url), time.monotonic)
        for _ in range(2):
            transport.send(Request("GET", f"{server.url}/x", {}), 5)
        transport.close()
        assert all(b"cookie" not in request.lower() for request in server.requests)


def test_no_netrc_takes_the_tokens_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A netrc entry for the host changes nothing."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", "utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with raw_server(saying(response(b"{}"))) as server:
        get(server.url)
        assert TOKEN.encode() in server.requests[0]
        assert b"Basic" not in server.requests[0]


def test_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox works on a machine whose environment names a proxy."""
    with raw_server(saying(response(b'{"from": "proxy"}'))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        with raw_server(saying(response(b"{}"))) as server:
            assert get(server.url).body == b"{}"
        assert proxy.requests == []


def test_a_proxy_of_the_environment_gets_a_tunnel_and_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tunnel by CONNECT; a proxy that wants a password is a lasting fault."""
    denied = response(b"", status="407 Proxy Authentication Required")
    with raw_server(saying(denied)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(NotSent, match="the proxy refused") as caught:
            get("https://api.hubapi.example")
        assert caught.value.lasting
        assert proxy.requests[0].startswith(b"CONNECT api.hubapi.example:443")
        assert TOKEN.encode() not in b"".join(proxy.requests)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "ftp://127.0.0.1:1", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_wrong_usage(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before anything is sent, without a traceback."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UsageProblem, match="proxy"):
        get("https://api.hubapi.example")


def test_certificates_that_cannot_be_read_are_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE is honoured, so a wrong one is told."""
    for path in (tmp_path / "none.pem", tmp_path / "empty.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        with pytest.raises(UsageProblem, match=r"\.pem"):
            get("https://api.hubapi.example")
        (tmp_path / "empty.pem").write_text("no certificate", "utf-8")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, and nothing else here makes certificates")
    made = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-out", str(made[0]), "-keyout", str(made[1])]
    command = [openssl, "req", "-x509", "-days", "2", *key, *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    return made


@contextmanager
def over_tls(certificate: tuple[Path, Path]) -> Iterator[tuple[str, list[bytes]]]:
    """A server behind that certificate: its address, and what it understood."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    understood: list[bytes] = []

    def speak(first: bytes, connection: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(first)
        while not understood:
            try:
                tls.do_handshake()
                understood.append(tls.read(65536))
                tls.write(response(b"{}"))
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))
        connection.sendall(outgoing.read())

    def serve(connection: socket.socket, server: RawServer) -> None:
        with suppress(ssl.SSLError):
            speak(server.requests[-1], connection)

    with raw_server(serve) as server:
        yield f"https://localhost:{server.port}", understood


def test_a_certificate_that_nobody_vouches_for_is_refused(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, with the way to trust it, and the token has not left."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with over_tls(certificate) as (url, understood):
        with pytest.raises(NotSent, match="certificate is not trusted") as caught:
            get(url)
        assert caught.value.lasting
        assert "SSL_CERT_FILE" in (caught.value.hint or "")
        assert understood == []


def test_a_certificate_of_ones_own_is_trusted_by_name(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE is honoured, for this machine too."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with over_tls(certificate) as (url, understood):
        assert get(url).body == b"{}"
        assert TOKEN.encode() in understood[0]


def test_the_certificate_store_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portals of one process share it."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    connection = Connection(Secret(TOKEN))
    assert _tls(connection) is _tls(connection)


def test_no_fault_shows_the_token() -> None:
    """The exceptions of httpx hold the request; ours do not hold them."""
    observer = Recorder()
    with raw_server(saying()) as server:
        connection = Connection(Secret(TOKEN), base_url=server.url, timeout=0.5)
        portal = connect(connection, observer=observer)
        with portal, pytest.raises(PortalUnavailable) as caught:
            portal.account()
    error: BaseException | None = caught.value
    while error is not None:
        assert TOKEN not in f"{error!r} {vars(error)}"
        error = error.__cause__
    assert TOKEN not in repr(observer.events)
