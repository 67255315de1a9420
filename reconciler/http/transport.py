"""One request and its response, and the real transport: the only module that knows httpx."""

from __future__ import annotations

import errno
import math
import os
import socket
import ssl
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol
from urllib.request import getproxies, proxy_bypass

from reconciler.errors import UsageProblem
from reconciler.http.connection import Connection

# httpx takes along its own command line, and with it rich and pygments, unless that is absent:
# 0.1 s at every start for what nothing here uses.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not to be imported

import httpx  # noqa: E402 - after the line above


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. The headers hold the token and are therefore never shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole and decompressed; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body, for looking into; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    def masked(self, mask: Callable[[str], str], *, body: bool = True) -> Response:
        """The same, with the headers as `mask` leaves them, and the body if that is wanted."""
        text = self.text if body else ""
        everything = "\n\n".join([*self.headers.values(), text])
        if mask(everything) == everything:
            return self
        headers = {name: mask(value) for name, value in self.headers.items()}
        return Response(self.status, headers, mask(text).encode() if body else self.body)


class Transport(Protocol):
    """Sends one request, follows no redirect, repeats nothing."""

    def send(self, request: Request, seconds: float) -> Response:
        """The response within `seconds`; raise `NotSent`, `NoAnswer` or `UnusableAnswer`."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class TransportFault(Exception):
    """No response. `description` is for the user."""

    def __init__(self, description: str, *, hint: str | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.hint = hint


class Chance(Enum):
    """Whether a request that could not be sent may be sent later."""

    GOOD = "good"
    """The cause may pass."""
    ONCE_REACHED = "once reached"
    """It may pass where the portal was reached before; where it never was, the address is wrong."""
    NONE = "none"
    """Not without a change of the settings."""


class NotSent(TransportFault):
    """The request never left."""

    def __init__(
        self, description: str, *, hint: str | None = None, chance: Chance = Chance.GOOD
    ) -> None:
        super().__init__(description, hint=hint)
        self.chance = chance


class NoAnswer(TransportFault):
    """The request left, and no whole answer came back."""


class UnusableAnswer(TransportFault):
    """An answer came that is too large or cannot be decoded."""

    def __init__(self, description: str, status: int) -> None:
        super().__init__(description)
        self.status = status


_LONGEST_TEXT = 600


def plain(text: str) -> str:
    """A server's words in one line, without control characters, of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"


MAXIMUM_BODY = 10 * 1024 * 1024
"""Bytes of an answer, as it comes and decoded; HubSpot's largest here are some hundred kilobytes."""

_CONNECT_SECONDS = 10.0
_SHORTEST_SECONDS = 0.01
_LOCATION = "reconciler.location"


class HttpTransport:
    """One keep-alive connection pool, as large as the portal's threads need.

    Proxies of the environment are honoured, except for this machine itself; netrc, cookies and
    redirects never are, so that the token goes to the base URL's host and nowhere else.
    """

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        """Take the settings and a monotonic clock; raise `UsageProblem` for a wrong environment."""
        self._now = now
        self._connection = connection
        limits = httpx.Limits(
            max_connections=connection.concurrency,
            max_keepalive_connections=connection.concurrency,
            keepalive_expiry=30.0,
        )
        try:
            self._client = httpx.Client(
                verify=_tls(connection),
                limits=limits,
                trust_env=not connection.is_loopback,
                follow_redirects=False,
                cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
                event_hooks={"response": [_set_location_aside]},
            )
        except (ImportError, ValueError, httpx.InvalidURL):
            raise UsageProblem(
                "a proxy variable of the environment cannot be used",
                hint="HTTPS_PROXY and ALL_PROXY take http:// and https:// URLs",
            ) from None

    def send(self, request: Request, seconds: float) -> Response:
        """The response within `seconds`, its body included."""
        deadline = self._now() + seconds
        with self._faults():
            outgoing = self._client.build_request(
                request.method,
                request.url,
                headers={**request.headers, "accept-encoding": "gzip"},
                content=request.body,
                extensions={"timeout": _TimeLeft(deadline, self._now)},
            )
            response = self._client.send(outgoing, stream=True)
        try:
            return Response(
                response.status_code, _headers(response), self._body(response, deadline)
            )
        finally:
            response.close()

    def close(self) -> None:
        self._client.close()

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        """The complete body; of an error, whose status says enough, what cannot be read is nothing."""
        try:
            with self._faults():
                return _decoded(response, self._chunks(response, deadline))
        except (NoAnswer, UnusableAnswer):
            if 200 <= response.status_code < 300:
                raise
        return b""

    def _chunks(self, response: httpx.Response, deadline: float) -> Iterator[bytes]:
        """The body as it comes; httpx would decode any number of layers, in any amount of memory."""
        size = 0
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > MAXIMUM_BODY:
                raise _too_large(response)
            if self._now() > deadline:
                raise NoAnswer("the answer did not end in time")
            yield chunk

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn httpx's exceptions, which hold the request and its token, into ours, which do not."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise _not_sent(error, self._connection) from None
        except httpx.PoolTimeout:
            raise NotSent("no connection was free in time") from None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
            raise NotSent(
                f"{self._connection.address} cannot be asked: {_kind(error)}", chance=Chance.NONE
            ) from None
        except httpx.TimeoutException:
            raise NoAnswer("no answer came in time") from None
        except httpx.TransportError as error:
            raise NoAnswer(f"the connection broke: {_kind(error)}") from None


def _decoded(response: httpx.Response, chunks: Iterator[bytes]) -> bytes:
    """The body out of at most one layer of gzip, which is all that was asked for."""
    layers = [
        layer
        for each in response.headers.get_list("content-encoding", split_commas=True)
        if (layer := each.strip().lower()) not in ("", "identity")
    ]
    match layers:
        case []:
            return b"".join(chunks)
        case ["gzip" | "x-gzip"]:
            return b"".join(_unzipped(response, chunks))
        case _:
            named = plain(", ".join(layers))[:60]
            raise UnusableAnswer(
                f"it is encoded as {named}, and gzip was asked for", response.status_code
            )


def _unzipped(response: httpx.Response, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The decompressed pieces, of which no more is made than is allowed."""
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    left, came = MAXIMUM_BODY, False
    for chunk in chunks:
        came = came or bool(chunk)
        rest = chunk
        while rest:
            try:
                piece = decoder.decompress(rest, left + 1)
            except zlib.error:
                raise UnusableAnswer("it cannot be decompressed", response.status_code) from None
            left -= len(piece)
            if left < 0:
                raise _too_large(response)
            if decoder.unused_data:
                raise UnusableAnswer(
                    "something follows its compressed content", response.status_code
                )
            yield piece
            rest = decoder.unconsumed_tail
    if came and not decoder.eof:
        raise UnusableAnswer("its compressed content is cut off", response.status_code)


def _too_large(response: httpx.Response) -> UnusableAnswer:
    return UnusableAnswer("it is larger than 10 MiB", response.status_code)


class _SecondsLeft:
    """The timeout of a read, asked for anew at each: whole seconds until the deadline, rounded up.

    httpx takes one timeout for all reads of an answer's head, so a server that sends it byte by
    byte would never be given up. A socket takes any object that is a whole number when asked.
    """

    def __init__(self, deadline: float, now: Callable[[], float]) -> None:
        self._deadline = deadline
        self._now = now

    def __index__(self) -> int:
        left = self._deadline - self._now()
        if left <= 0:
            raise TimeoutError
        return math.ceil(left)


class _TimeLeft(dict[str, float]):
    """httpx's timeouts, asked for anew at each phase: what is left until the deadline.

    Four fixed timeouts (pool, connect, write, read) would add up to four times the time allowed.
    """

    def __init__(self, deadline: float, now: Callable[[], float]) -> None:
        super().__init__()
        self._deadline = deadline
        self._now = now

    def get(self, key: str, default: object = None) -> float | _SecondsLeft:  # type: ignore[override]  # noqa: ARG002  there is always an answer
        left = max(_SHORTEST_SECONDS, self._deadline - self._now())
        if key == "read" and left >= 1:  # rounded up, less would be too much
            return _SecondsLeft(self._deadline, self._now)
        return min(left, _CONNECT_SECONDS) if key == "connect" else left


def _headers(response: httpx.Response) -> dict[str, str]:
    headers = {name.lower(): value for name, value in response.headers.items()}
    location: str | None = response.extensions.get(_LOCATION)
    return headers if location is None else headers | {"location": location}


def _set_location_aside(response: httpx.Response) -> None:
    """Keep httpx from parsing a redirect's target, which it does even when not following it."""
    if "location" in response.headers:
        response.extensions[_LOCATION] = response.headers.pop("location")


def _not_sent(error: httpx.TransportError, connection: Connection) -> NotSent:
    """Some causes pass, some do not, and some only where the portal was reached before."""
    address, nearest = connection.address, _nearest(connection)
    if isinstance(error, httpx.ConnectTimeout):
        return NotSent(f"no connection to {nearest} could be made in time")
    if isinstance(error, httpx.ProxyError):
        return _refused_by_proxy(error)
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return NotSent(
                    f"the certificate of {address} is not trusted ({plain(cause.verify_message)})",
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


def _nearest(connection: Connection) -> str:
    """What is connected to: the portal, or the proxy that the environment puts in between."""
    scheme, host = httpx.URL(connection.base_url).scheme, httpx.URL(connection.base_url).host
    if connection.is_loopback or proxy_bypass(host):
        return connection.address
    proxies = getproxies()
    name = next((each for each in (scheme, "all") if proxies.get(each)), None)
    if name is None:
        return connection.address
    return f"the proxy of {name.upper()}_PROXY, on the way to {connection.address}"


def _refused(connection: Connection) -> NotSent:
    """Nothing listens: on this machine nothing will, elsewhere something may be starting."""
    return NotSent(
        f"nothing listens at {_nearest(connection)}: the connection was refused",
        hint="is the port right, and is the server running?",
        chance=Chance.ONCE_REACHED if connection.is_loopback else Chance.GOOD,
    )


def _refused_by_proxy(error: httpx.ProxyError) -> NotSent:
    status = str(error)[:3]
    said = f" with HTTP {status}" if status.isascii() and status.isdigit() else ""
    chance = Chance.NONE if status == "407" else Chance.GOOD
    return NotSent(f"the proxy of the environment refused{said}", chance=chance)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.RemoteProtocolError, "the answer is not valid HTTP, or was cut off"),
    (httpx.ReadError, "it was closed while the answer was read"),
    (httpx.WriteError, "it was closed while the request was sent"),
    (httpx.CloseError, "it could not be closed"),
    (httpx.LocalProtocolError, "a header is not valid HTTP"),
    (httpx.InvalidURL, "the address is not a valid URL"),
    (httpx.UnsupportedProtocol, "only http and https are possible"),
)
"""httpx's own words quote raw bytes of the server, and may quote the token."""

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
    found = (words for kind, words in _KINDS if isinstance(error, kind))
    return next(found, "the cause is unknown")


def _tls(connection: Connection) -> ssl.SSLContext:
    """Reading the certificate store takes 20 ms: once a process, never for plain http."""
    if connection.base_url.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _shared_tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=4)
def _shared_tls(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except (OSError, ssl.SSLError):
        raise UsageProblem(
            f"the certificates in {cert_file or cert_dir} cannot be read",
            hint="SSL_CERT_FILE names a PEM file, SSL_CERT_DIR a directory of them",
        ) from None
