"""The real transport, and the only module that knows httpx and httpcore.

httpx is the client. It has one timeout for each read of a response, so that a server that sends it
byte by byte would never be given up. So its transport is one of ours, by its documented interface:
httpcore's connection pool, on sockets whose every wait ends at the deadline of the request.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore

from reconciler.errors import UsageProblem
from reconciler.http.connection import Connection, environment_proxy
from reconciler.http.messages import (
    Chance,
    NoAnswer,
    NotSent,
    Request,
    Response,
    UnusableAnswer,
    decoded,
)
from reconciler.outgoing import one_line

# httpx imports its own command line where it can, with rich and pygments: half of what it costs.
_no_command_line = sys.modules.setdefault("httpx._main", None) is None  # type: ignore[arg-type]
import httpx  # noqa: E402  behind the line that makes it lighter

if _no_command_line:
    del sys.modules["httpx._main"]

_CONNECT_SECONDS = 10.0
_WRITTEN_AT_ONCE = 16 * 1024
_ASIDE = "reconciler-"
"""In front of the name of a header that httpx is not to see."""
_HEADERS = {"accept-encoding": "gzip", "connection": "keep-alive"}
_NO_REQUEST = (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError, httpx.InvalidURL)


class _Sending(threading.local):
    """When the request that a thread is sending has to be over, in seconds of the clock."""

    deadline = 0.0


class HttpTransport:
    """One keep-alive connection pool, as large as the service's threads need.

    Proxies of the environment are honoured, except for this machine itself; netrc, cookies and
    redirects never are, so that the token goes to the base URL's host and nowhere else.
    """

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        """Take the settings and a monotonic clock; raise `UsageProblem` for a wrong environment."""
        self._now = now
        self._connection = connection
        self._sending = _Sending()
        tls = _tls(connection)
        pool = httpcore.ConnectionPool(
            ssl_context=tls,
            proxy=_proxy(connection, tls),
            max_connections=connection.concurrency,  # as many are kept alive
            keepalive_expiry=30.0,
            network_backend=_Sockets(self._left),
        )
        self._client = httpx.Client(
            transport=_Pooled(pool),
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )

    def send(self, request: Request, seconds: float) -> Response:
        """The response within `seconds`, its body included."""
        self._sending.deadline = self._now() + seconds
        with self._faults():
            # The client's `build_request` merges what this one has not: a quarter of the CPU.
            outgoing = httpx.Request(
                request.method,
                request.url,
                headers={**request.headers, **_HEADERS},
                content=request.body,
                extensions={"timeout": {"pool": seconds}},
            )
            response = self._client.send(outgoing, stream=True)
        try:
            received = {
                name.lower().removeprefix(_ASIDE): value for name, value in response.headers.items()
            }
            return Response(response.status_code, received, self._body(response, received))
        finally:
            response.close()

    def close(self) -> None:
        self._client.close()

    def _left(self, late: type[Exception]) -> float:
        """Seconds left for the request that this thread is sending; raise `late` for none."""
        left = self._sending.deadline - self._now()
        if left <= 0:
            raise late
        return left

    def _body(self, response: httpx.Response, headers: Mapping[str, str]) -> bytes:
        """The complete body; of an error, whose status says enough, what cannot be read is nothing."""
        try:
            with self._faults():
                # httpx would decode any number of layers, in any amount of memory.
                return decoded(response.status_code, headers, response.iter_raw())
        except (NoAnswer, UnusableAnswer):
            if response.is_success:
                raise
        return b""

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn their exceptions, which hold the request and its token, into ours, which do not."""
        try:
            yield
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError) as error:
            raise _not_sent(error, self._connection) from None
        except httpcore.PoolTimeout:
            raise NotSent("no connection was free in time") from None
        except _NO_REQUEST as error:
            raise NotSent(
                f"{self._connection.address} cannot be asked: {_kind(error)}", chance=Chance.NONE
            ) from None
        except httpcore.TimeoutException:
            raise NoAnswer("no answer came in time") from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise NoAnswer(f"the connection broke: {_kind(error)}") from None


@dataclass(frozen=True, slots=True)
class _Pooled(httpx.BaseTransport):
    """httpcore's connection pool behind httpx's client, as httpx's own transport has it."""

    pool: httpcore.ConnectionPool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        found = self.pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        # httpx parses a redirect's target even where it follows none, and fails on a wrong one.
        headers = [
            (_ASIDE.encode() + name if name.lower() == b"location" else name, value)
            for name, value in found.headers
        ]
        return httpx.Response(found.status, headers=headers, stream=_Incoming(found))

    def close(self) -> None:
        self.pool.close()


@dataclass(frozen=True, slots=True)
class _Incoming(httpx.SyncByteStream):
    """The body of a response as it comes."""

    response: httpcore.Response

    def __iter__(self) -> Iterator[bytes]:
        return self.response.iter_stream()

    def close(self) -> None:
        self.response.close()


_Left = Callable[[type[Exception]], float]
"""The seconds left of a request's time; raises the error it is given where there are none."""


@dataclass(frozen=True, slots=True)
class _Sockets(httpcore.NetworkBackend):
    """The system's sockets, with every wait bounded by what is left of the request's time."""

    left: _Left
    system: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the deadline stands in for it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = min(self.left(httpcore.ConnectTimeout), _CONNECT_SECONDS)
        return _Stream(
            self.system.connect_tcp(host, port, seconds, local_address, socket_options), self.left
        )


@dataclass(frozen=True, slots=True)
class _Stream(httpcore.NetworkStream):
    """One connection of `_Sockets`; timeouts that httpcore names are not asked for."""

    stream: httpcore.NetworkStream
    left: _Left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self.stream.read(max_bytes, self.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        for start in range(0, len(buffer), _WRITTEN_AT_ONCE):
            part = buffer[start : start + _WRITTEN_AT_ONCE]
            self.stream.write(part, self.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        seconds = min(self.left(httpcore.ConnectTimeout), _CONNECT_SECONDS)
        return _Stream(self.stream.start_tls(ssl_context, server_hostname, seconds), self.left)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def _not_sent(error: Exception, connection: Connection) -> NotSent:
    """Some causes pass, some do not, and some only where the portal was reached before."""
    address, nearest = connection.address, _nearest(connection)
    if isinstance(error, httpcore.ConnectTimeout):
        return NotSent(f"no connection to {nearest} could be made in time")
    if isinstance(error, httpcore.ProxyError):
        return _refused_by_proxy(error)
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return NotSent(
                    f"the certificate of {address} is not trusted ({one_line(cause.verify_message)})",
                    hint="behind a TLS-inspecting proxy, set SSL_CERT_FILE to its CA bundle",
                    chance=Chance.NONE,
                )
            case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
                return NotSent(f"{address} closed the connection while it was being made")
            case ssl.SSLError():
                return NotSent(
                    f"{address} does not answer as https",
                    hint="is it an http address? only this machine may be asked by http",
                    chance=Chance.ONCE_REACHED,
                )
            case socket.gaierror():
                unknown = cause.errno in _UNKNOWN_HOST
                return NotSent(
                    f"the host of {nearest} "
                    + ("is unknown" if unknown else "cannot be looked up just now"),
                    hint="check the address, and the name service (DNS) of this machine",
                    chance=Chance.ONCE_REACHED,
                )
            case OSError(errno=errno.ECONNREFUSED):
                return _refused(connection)
    return NotSent(f"no connection to {nearest} could be made: {_kind(error)}")


_UNKNOWN_HOST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def _proxy(connection: Connection, tls: ssl.SSLContext) -> httpcore.Proxy | None:
    """The proxy on the way; raise `UsageProblem` for one that cannot be used."""
    found = environment_proxy(connection.base_url)
    if found is None:
        return None
    unusable = UsageProblem(
        "a proxy variable of the environment cannot be used",
        hint="HTTPS_PROXY and ALL_PROXY take http:// and https:// URLs",
    )
    try:
        parts = urlsplit(found[1] if "://" in found[1] else f"http://{found[1]}")
        place = parts.netloc.rpartition("@")[2]
        is_url = parts.port != 0 and bool(parts.hostname) and place.isascii()
    except ValueError:
        raise unusable from None
    if not is_url or parts.scheme not in {"http", "https"}:
        raise unusable
    auth = None
    if parts.username is not None:
        auth = unquote(parts.username).encode(), unquote(parts.password or "").encode()
    context = tls if parts.scheme == "https" else None
    return httpcore.Proxy(f"{parts.scheme}://{place}", auth=auth, ssl_context=context)


def _nearest(connection: Connection) -> str:
    """What is connected to: the service, or the proxy that the environment puts in between."""
    found = environment_proxy(connection.base_url)
    if found is None:
        return connection.address
    return f"the proxy of {found[0].upper()}_PROXY, on the way to {connection.address}"


def _refused(connection: Connection) -> NotSent:
    """Nothing listens: on this machine nothing will, elsewhere something may be starting."""
    return NotSent(
        f"nothing listens at {_nearest(connection)}: the connection was refused",
        hint="is the port right, and is the server running?",
        chance=Chance.ONCE_REACHED if connection.is_loopback else Chance.GOOD,
    )


_PROXY_HINTS = {
    "403": "whoever runs the proxy has to allow this host and port",
    "407": "it wants a user and a password: http://USER:PASSWORD@HOST:PORT",
}
"""What asking again does not change."""


def _refused_by_proxy(error: httpcore.ProxyError) -> NotSent:
    status = str(error)[:3]
    said = f" with HTTP {status}" if status.isascii() and status.isdigit() else ""
    hint = _PROXY_HINTS.get(status)
    chance = Chance.GOOD if hint is None else Chance.NONE
    return NotSent(f"the proxy of the environment refused{said}", hint=hint, chance=chance)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (httpcore.RemoteProtocolError, "the answer is not valid HTTP, or was cut off"),
    (httpcore.ReadError, "it was closed while the answer was read"),
    (httpcore.WriteError, "it was closed while the request was sent"),
    (httpcore.LocalProtocolError, "a header is not valid HTTP"),
    (httpcore.UnsupportedProtocol, "only http and https are possible"),
    (httpx.InvalidURL, "the address is not a valid URL"),
)
"""httpcore's own words quote raw bytes of the server, and may quote the token."""

_ERRNO_WORDS = {
    errno.ENETUNREACH: "the network is unreachable",
    errno.EHOSTUNREACH: "the host is unreachable",
    errno.ETIMEDOUT: "no answer came in time",
    errno.ECONNRESET: "the other side closed it",
    errno.EMFILE: "too many files are open",
    errno.EACCES: "this machine does not permit it",
    errno.EPERM: "this machine does not permit it",
    errno.EADDRNOTAVAIL: "this machine has no address for it",
}


def _kind(error: Exception) -> str:
    """What went wrong, in words of our own."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in _ERRNO_WORDS:
            return _ERRNO_WORDS[cause.errno]
    return next(
        (words for kind, words in _KINDS if isinstance(error, kind)), "the cause is unknown"
    )


def _tls(connection: Connection) -> ssl.SSLContext:
    """Reading the certificate store takes 20 ms: once a process, never for plain http."""
    if connection.base_url.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _shared_tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=4)
def _shared_tls(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    try:
        if cert_file or cert_dir:
            return ssl.create_default_context(
                cafile=cert_file or None, capath=None if cert_file else cert_dir
            )
        return httpcore.default_ssl_context()
    except (OSError, ssl.SSLError):
        raise UsageProblem(
            f"the certificates in {cert_file or cert_dir} cannot be read",
            hint="SSL_CERT_FILE names a PEM file, SSL_CERT_DIR a directory of them",
        ) from None
