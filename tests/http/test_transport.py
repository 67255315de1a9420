"""The real transport on real sockets: nonsense, silence, size, redirects, proxies, certificates."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from reconciler.errors import PortalUnavailable, Redirected, UsageProblem
from reconciler.http.connection import Connection
from reconciler.http.messages import (
    MAXIMUM_BODY,
    Chance,
    NoAnswer,
    NotSent,
    Request,
    Response,
    TransportFault,
    UnusableAnswer,
)
from reconciler.http.transport import HttpTransport, _tls
from reconciler.hubspot.portal import Portal, connect
from reconciler.model.plan import Operation
from reconciler.outgoing import Secret
from tests.clock import SkippingClock
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
    """A portal at that address; waits between attempts take no time."""
    connection = Connection(Secret(TOKEN), base_url=url, timeout=timeout)
    return connect(connection, clock=SkippingClock())


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


ZIPPED = gzip.compress(b"{}", mtime=0)
MALFORMED = [
    (b"no gzip", "cannot be decompressed"),
    (zlib.compress(b"{}"), "cannot be decompressed"),
    (ZIPPED[:-9], "cut off"),
    (ZIPPED[:-1], "cut off"),
    (ZIPPED[:3], "cut off"),
    (ZIPPED + b"{}", "follows its compressed content"),
    (ZIPPED + ZIPPED, "follows its compressed content"),
    (ZIPPED[:-4] + b"\0\0\0\0", "cannot be decompressed"),
]


@pytest.mark.parametrize(("body", "words"), MALFORMED)
def test_an_answer_that_cannot_be_opened(body: bytes, words: str) -> None:
    """What is not compressed as it says is unusable, never an empty success."""
    error = fault(saying(response(body, "content-encoding: gzip")))
    assert isinstance(error, UnusableAnswer)
    assert words in error.description


@pytest.mark.parametrize("name", ["gzip", "GZIP", "x-gzip", "identity, gzip"])
def test_one_layer_of_gzip_is_asked_for_and_opened(name: str) -> None:
    """Accept-Encoding says so; other spellings of the same are taken."""
    with raw_server(saying(response(ZIPPED, f"content-encoding: {name}"))) as server:
        assert get(server.url).body == b"{}"
        head = server.requests[0].lower()
        assert b"accept-encoding: gzip\r\n" in head
        assert head.count(b"accept-encoding") == 1


@pytest.mark.parametrize(
    "headers",
    [
        ("content-encoding: gzip, gzip",),
        ("content-encoding: gzip", "content-encoding: gzip"),
        ("content-encoding: " + ", ".join(["gzip"] * 1000),),
        ("content-encoding: deflate",),
        ("content-encoding: br",),
        ("content-encoding: zstd",),
        ("content-encoding: gzip\x1b[2J",),
        ("content-encoding: " + "x" * 10_000,),
    ],
)
def test_any_other_encoding_is_refused(headers: tuple[str, ...]) -> None:
    """It was not asked for, and layers multiply what a few bytes can become."""
    error = fault(saying(response(gzip.compress(ZIPPED, mtime=0), *headers)))
    assert isinstance(error, UnusableAnswer)
    assert error.description.startswith("it is encoded as ")
    assert len(error.description) < 120
    assert error.description.isprintable()


def test_an_empty_body_needs_no_decoding() -> None:
    """A purge may answer with nothing, whatever its headers say."""
    for name in ("gzip", "identity"):
        with raw_server(saying(response(b"", f"content-encoding: {name}"))) as server:
            assert get(server.url).body == b""


def test_a_small_answer_cannot_become_a_large_one() -> None:
    """A kilobyte that is a gigabyte: no more of it is made than is allowed."""
    compressor = zlib.compressobj(9, wbits=31)
    bomb = b"".join(compressor.compress(b"\0" * 2**20) for _ in range(256)) + compressor.flush()
    tracemalloc.start()
    error = fault(saying(response(bomb, "content-encoding: gzip")))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "10 MiB" in error.description
    assert most < 4 * MAXIMUM_BODY


def test_an_endless_stream_of_empty_blocks_ends() -> None:
    """Compressed bytes that decompress to nothing are counted as they come."""
    compressor = zlib.compressobj(wbits=31)
    block = (
        compressor.compress(b"") + compressor.flush(zlib.Z_FULL_FLUSH) + b"\0\0\0\xff\xff" * 200_000
    )
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\n\r\n"
    tail = [b"\0\0\0\xff\xff" * 200_000] * 11
    assert "10 MiB" in fault(saying(head, block, *tail)).description


@pytest.mark.parametrize(
    "speak",
    [
        saying(b"nonsense \xff\x1b[2J token\r\n\r\n"),
        saying(b"HTTP/1.1 2000 OK\r\n\r\n"),
        saying(b"HTTP/1.1 200 OK\r\nbad header \xff\r\n\r\n"),
        saying(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n{}"),
        saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
        saying(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"),
        saying(),
    ],
)
def test_no_message_quotes_bytes_of_the_server(speak: Speak) -> None:
    """The HTTP library quotes raw bytes, in which a token or an escape sequence may stand."""
    said = fault(speak).description
    assert said.startswith("the connection broke: ")
    assert said.isprintable()
    for raw in ("b'", 'b"', "bytearray", "nonsense", "\\x", "zz"):
        assert raw not in said


def test_a_request_that_can_never_be_sent_is_not_tried_again() -> None:
    """A header that is not valid HTTP stays so, and is not quoted: it may be the token."""
    with raw_server(saying(response(b"{}"))) as server:
        transport = HttpTransport(Connection(Secret(TOKEN), base_url=server.url), time.monotonic)
        broken = Request("GET", f"{server.url}/x", {"x-odd": "hunter2secret\r\n"})
        with pytest.raises(NotSent) as caught:
            transport.send(broken, 5)
        transport.close()
    assert caught.value.chance is Chance.NONE
    assert "hunter2secret" not in caught.value.description


def test_an_unusable_answer_to_a_read_is_asked_for_again() -> None:
    """One bad answer ends nothing; three of them do."""
    bad = response(ZIPPED[:-5], "content-encoding: gzip")
    good = response(b'{"results": []}')
    answers = [bad, bad, good, bad, bad, bad]

    def speak(connection: socket.socket, _: RawServer) -> None:
        connection.sendall(answers.pop(0))

    with raw_server(speak) as server, portal_at(server.url, timeout=20) as portal:
        portal.read(CONTACTS_COMPANIES, needs_labels=never)
        with pytest.raises(PortalUnavailable, match="cut off"):
            portal.read(CONTACTS_COMPANIES, needs_labels=never)


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
    with pytest.raises(NotSent, match=f"nothing listens at http://127.0.0.1:{port}") as caught:
        get(f"http://127.0.0.1:{port}")
    assert caught.value.chance is Chance.ONCE_REACHED
    with portal_at(f"http://127.0.0.1:{port}", timeout=60) as portal:
        with pytest.raises(PortalUnavailable, match="could not be sent") as refused:
            portal.write(batch(Operation.UPDATE))
        assert not refused.value.may_have_been_written
        assert portal.requests == 1


def test_an_unknown_host_is_told_at_once() -> None:
    """`.invalid` exists nowhere (RFC 2606)."""
    with pytest.raises(NotSent, match=r"host of https://reconciler\.invalid is unknown") as caught:
        get("https://reconciler.invalid")
    assert caught.value.chance is Chance.ONCE_REACHED


def test_speaking_http_to_a_tls_client_was_not_sent() -> None:
    """The token is not sent before the handshake is done."""
    with raw_server(saying(response(b"{}"))) as server:
        with pytest.raises(NotSent, match="does not answer as https") as caught:
            get(server.url.replace("http:", "https:"))
        assert caught.value.chance is Chance.ONCE_REACHED
        assert server.requests, "not even the handshake's first bytes came"
        assert all(TOKEN.encode() not in request for request in server.requests)


def test_a_redirect_does_not_take_the_token_along() -> None:
    """Neither to another host nor to another port, and wherever it points to, it is told."""
    with raw_server(saying(response(b"{}"))) as elsewhere:
        for location in (f"{elsewhere.url}/x", "http://[", "", "//evil.example/", "javascript:x"):
            redirect = response(b"", f"location: {location}", status="307 Temporary Redirect")
            with raw_server(saying(redirect)) as server, portal_at(server.url) as portal:
                with pytest.raises(Redirected, match="redirected"):
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
        assert [b"cookie" in request.lower() for request in server.requests] == [False, False]


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


@pytest.mark.parametrize(
    ("status", "hint"),
    [("407 Proxy Authentication Required", "a user and a password"), ("403 Forbidden", "to allow")],
)
def test_a_proxy_of_the_environment_gets_a_tunnel_and_no_token(
    monkeypatch: pytest.MonkeyPatch, status: str, hint: str
) -> None:
    """A tunnel by CONNECT; a proxy that wants a password, or forbids the host, goes on doing so."""
    denied = response(b"", status=status)
    with raw_server(saying(denied)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(
            NotSent, match=f"proxy of the environment refused with HTTP {status[:3]}"
        ) as caught:
            get("https://api.hubapi.example")
        assert caught.value.chance is Chance.NONE
        assert hint in (caught.value.hint or "")
        assert proxy.requests[0].startswith(b"CONNECT api.hubapi.example:443")
        assert TOKEN.encode() not in b"".join(proxy.requests)


def test_a_proxy_that_cannot_be_reached_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It refused, not HubSpot; its URL may hold a password and is not shown."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2secret@127.0.0.1:{port}")
    with pytest.raises(NotSent) as caught:
        get("https://api.hubapi.example")
    said = caught.value.description
    assert "nothing listens at the proxy of HTTPS_PROXY, on the way to https://api." in said
    assert "hunter2secret" not in said
    monkeypatch.setenv("HTTPS_PROXY", "http://reconciler.invalid:3128")
    with pytest.raises(NotSent, match="host of the proxy of HTTPS_PROXY"):
        get("https://api.hubapi.example")


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
        with pytest.raises(NotSent, match=r"certificate of .* is not trusted") as caught:
            get(url)
        assert caught.value.chance is Chance.NONE
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
    """The exceptions of httpcore hold the request; ours do not hold them."""
    events = Recorder()
    with raw_server(saying()) as server:
        connection = Connection(Secret(TOKEN), base_url=server.url, timeout=0.5)
        portal = connect(connection, events=events)
        with portal, pytest.raises(PortalUnavailable) as caught:
            portal.account()
    error: BaseException | None = caught.value
    while error is not None:
        assert TOKEN not in f"{error!r} {vars(error)}"
        error = error.__cause__
    assert TOKEN not in repr(events.events)
