"""Where a service is and how to talk to it: base URL, token and bounds."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote, urlsplit

from reconciler.defaults import BASE_URL, CONCURRENCY, TIMEOUT
from reconciler.errors import UsageProblem
from reconciler.outgoing import Secret

_PLACE = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::[0-9]{1,5})?")
"""Host and port, and nothing beside them: `[::1]x` is not `[::1]`."""
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")
_VISIBLE = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one service. `timeout`: seconds allowed for one call, its retries included.

    `base_url_source`: where the base URL was given, such as `HUBSPOT_BASE_URL`, for messages.
    """

    token: Secret
    base_url: str = BASE_URL
    base_url_source: str | None = None
    concurrency: int = CONCURRENCY
    timeout: float = TIMEOUT
    is_loopback: bool = field(init=False)

    def __post_init__(self) -> None:
        """Normalise the base URL and cap the concurrency; raise `UsageProblem`."""
        if self.concurrency < 1:
            raise UsageProblem(f"concurrency must be at least 1, not {self.concurrency}")
        if not (math.isfinite(self.timeout) and self.timeout > 0):
            raise UsageProblem(f"timeout must be a number of seconds above 0, not {self.timeout}")
        base_url = parse_base_url(self.base_url)
        object.__setattr__(self, "base_url", base_url)
        object.__setattr__(self, "concurrency", min(self.concurrency, CONCURRENCY))
        object.__setattr__(self, "is_loopback", _is_loopback(urlsplit(base_url).hostname or ""))

    @property
    def address(self) -> str:
        """The base URL and where it was given, for messages."""
        return self.base_url + (f" ({self.base_url_source})" if self.base_url_source else "")


def parse_base_url(text: str) -> str:
    """The base URL without a trailing slash; raise `UsageProblem` unless it is safe for a token.

    https, or http to a loopback address; no user, query or fragment; a path prefix is allowed.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageProblem("the base URL is not a URL", hint=_BASE_URL_HINT) from None
    checks = {
        "has a space or a character outside ASCII": not _VISIBLE.fullmatch(text),
        "must begin with https://": parts.scheme not in {"https", "http"},
        "must not hold a user name or password": "@" in parts.netloc,
        "names no host that can be used": not (_PLACE.fullmatch(parts.netloc) and _is_host(host)),
        "must be https, because the token is sent there (http only to this machine)": (
            parts.scheme == "http" and not _is_loopback(host)
        ),
        "must have neither query nor fragment": "?" in text or "#" in text,
        "has a path that cannot be used": (
            not _PATH.fullmatch(parts.path) or ".." in unquote(parts.path).split("/")
        ),
    }
    if problem := next((words for words, found in checks.items() if found), None):
        raise UsageProblem(f"the base URL {problem}", hint=_BASE_URL_HINT)
    bracketed = f"[{host}]" if ":" in host else host
    place = bracketed if port is None else f"{bracketed}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


_BASE_URL_HINT = f"it looks like {BASE_URL}; see --base-url and HUBSPOT_BASE_URL"


def _is_host(host: str) -> bool:
    """An IP address, or a name whose parts the name service can take."""
    if ":" in host:
        return _address(host) is not None
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    try:
        for label in labels:
            label.encode("ascii").decode("idna")
            if label.lower().startswith("xn--"):
                import idna  # httpx's rule, stricter than Python's own; only these names pay for it

                idna.decode(label)
    except UnicodeError:
        return False
    return True


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def environment_proxy(base_url: str) -> tuple[str, str] | None:
    """The name and the value of the environment's proxy variable for an address, if any.

    `https` for HTTPS_PROXY, `all` for ALL_PROXY. This machine itself is never asked by a proxy.
    """
    host = urlsplit(base_url).hostname or ""
    if _is_loopback(host):
        return None
    return _proxy_by(base_url, host, tuple(map(os.environ.get, _PROXY_VARIABLES)))


_PROXY_VARIABLES = tuple(
    each
    for name in ("https_proxy", "all_proxy", "http_proxy", "no_proxy", "request_method")
    for each in (name, name.upper())
)
"""What the library looks at; `REQUEST_METHOD` says that a web server has started this (CGI)."""


@lru_cache(maxsize=8)
def _proxy_by(
    base_url: str,
    host: str,
    variables: tuple[str | None, ...],  # noqa: ARG001 - as long as they are the same, so is the answer
) -> tuple[str, str] | None:
    """The library looks through the environment, where hundreds of portals have a token each."""
    from urllib.request import getproxies, proxy_bypass  # 20 ms that only requests should cost

    if proxy_bypass(host):
        return None
    proxies = getproxies()
    schemes = (urlsplit(base_url).scheme, "all")
    return next(((each, found) for each in schemes if (found := proxies.get(each))), None)
