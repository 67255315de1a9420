"""The real transport, and the only module that knows httpx."""

from __future__ import annotations

import math
import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

from reconciler.errors import UsageProblem
from reconciler.hubspot.connection import Connection
from reconciler.hubspot.messages import NoAnswer, NotSent, Request, Response, UnusableAnswer

# httpx takes along its own command line, and with it rich and pygments, unless that is absent:
# 0.1 s at every start for what nothing here uses.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not to be imported

import httpx  # noqa: E402 - after the line above

MAXIMUM_BODY = 10 * 1024 * 1024
"""Bytes of a decompressed answer; HubSpot's largest here are some hundred kilobytes."""

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
        outgoing = self._client.build_request(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=request.body,
            extensions={"timeout": _TimeLeft(deadline, self._now)},
        )
        with _faults():
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
        """The whole body; of an error, whose status says enough, what cannot be read is nothing."""
        try:
            with _faults():
                return b"".join(self._chunks(response, deadline))
        except httpx.DecodingError:
            if response.is_success:
                raise UnusableAnswer("it cannot be decompressed", response.status_code) from None
        except (NoAnswer, UnusableAnswer):
            if response.is_success:
                raise
        return b""

    def _chunks(self, response: httpx.Response, deadline: float) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > MAXIMUM_BODY:
                raise UnusableAnswer("it is larger than 10 MiB", response.status_code)
            if self._now() > deadline:
                raise NoAnswer("the answer did not end in time")
            yield chunk


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


@contextmanager
def _faults() -> Iterator[None]:
    """Turn httpx's exceptions, which hold the request and its token, into ours, which do not."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise _not_sent(error) from None
    except (httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise NotSent(_words(error)) from None
    except httpx.TimeoutException:
        raise NoAnswer("no answer came in time") from None
    except httpx.TransportError as error:
        raise NoAnswer(f"the connection broke ({_words(error)})") from None


def _not_sent(error: httpx.TransportError) -> NotSent:
    """Some causes pass (a refused connection), some do not (an unknown host, a certificate)."""
    if isinstance(error, httpx.ConnectTimeout):
        return NotSent("no connection could be made in time")
    if isinstance(error, httpx.ProxyError):
        return NotSent(f"the proxy refused ({_words(error)})", lasting="407" in str(error))
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NotSent(
                f"the server's certificate is not trusted ({cause.verify_message})",
                hint="behind a TLS-inspecting proxy, set SSL_CERT_FILE to its CA bundle",
                lasting=True,
            )
        if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
            return NotSent("the host is unknown", hint="check --base-url", lasting=True)
    return NotSent(f"no connection could be made ({_words(error)})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


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
