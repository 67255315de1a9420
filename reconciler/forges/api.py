"""A forge's API: JSON over the one transport, with waits and retries within the time allowed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from reconciler.errors import ReconcilerError
from reconciler.http.client import USUAL_WAIT, Call, CallFailed, Client, Repeat, Setback, masked
from reconciler.http.clock import Clock
from reconciler.http.connection import Connection
from reconciler.http.messages import (
    Event,
    Response,
    Transport,
    WaitCause,
    Waiting,
    read_retry_after,
    report_to,
    whole,
)
from reconciler.outgoing import mask

T = TypeVar("T")

PER_PAGE = 100
MOST_PAGES = 100
"""Ten thousand comments: GitHub allows a quarter of them on one pull request."""

_REQUEST_TIMEOUT = 408

SECONDARY_LIMIT_WAIT = 60.0
"""Seconds to wait where GitHub's secondary limit names none (documented)."""

_LONGEST_MESSAGE = 300


class ForgeError(ReconcilerError):
    """The forge refused, could not be reached, or gave no usable answer."""

    def __init__(self, message: str, *, hint: str | None = None, status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status

    @property
    def refused(self) -> bool:
        """Whether the forge said no to this request, and not to the token as such."""
        return self.status is not None and 400 <= self.status < 500 and self.status != 401


class CommentGone(ForgeError):
    """The comment to change is not there any more."""


class PerhapsCreated(ForgeError):
    """A request that is not repeated left, and nobody knows whether it was carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Setback):
    """An answer outside 2xx; `kind`: the error that it is."""

    kind: type[ForgeError] = ForgeError


@dataclass(frozen=True, slots=True)
class Hints:
    """How to fix the refusals that a forge's users run into."""

    unauthorized: str
    forbidden: str
    not_found: str
    locked: str

    def of(self, status: int, words: str) -> str | None:
        """The hint that belongs to a status and the body's words, if any."""
        if status == 403 and "is locked" in words:
            return self.locked
        return {401: self.unauthorized, 403: self.forbidden, 404: self.not_found}.get(status)


class Api:
    """Calls to one forge, with waits and retries within the time allowed of the connection.

    Redirects are never followed: the token goes to the base URL's host and nowhere else.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        transport: Transport,
        *,
        headers: Mapping[str, str],
        hints: Hints,
        clock: Clock,
        notify: Callable[[str], None],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Take the headers of every request, and what is called with a line about each wait."""
        self.name = name
        self.base_url = connection.base_url
        self._token = connection.token
        self._hints = hints

        def report(event: Event) -> None:
            if isinstance(event, Waiting):
                notify(f"{name}: {event.message}; waiting {max(1.0, event.seconds):.0f} s")

        self._client = Client(
            connection,
            transport,
            clock=clock,
            report=report_to(report),
            headers=headers,
            jitter=jitter,
        )

    def get(self, path: str, adapter: TypeAdapter[T]) -> T:
        """What is at a path."""
        return read(adapter, self.call("GET", path), f"GET {path}")

    def pages(self, path: str, adapter: TypeAdapter[list[T]]) -> Iterator[T]:
        """Every entry of a listing, in its order. Page numbers are counted, links not followed."""
        join = "&" if "?" in path else "?"
        for number in range(1, MOST_PAGES + 1):
            page = f"{path}{join}per_page={PER_PAGE}&page={number}"
            response = self.call("GET", page)
            entries = read(adapter, response, f"GET {path}")
            yield from entries
            if not has_next_page(response, len(entries), PER_PAGE):
                return
        raise ForgeError(f"{self.name}: {path} has more than {MOST_PAGES} pages")

    def send(self, method: str, path: str, document: object, adapter: TypeAdapter[T]) -> T:
        """What a write answers. A POST is not repeated once it may have been carried out."""
        return read(adapter, self.call(method, path, document), f"{method} {path}")

    def call(
        self, method: str, path: str, document: object = None, *, url: str | None = None
    ) -> Response:
        """The answer of status 2xx; raises a ForgeError, or Interrupted while waiting.

        `url` stands in for a path below the API's own address; it may be repeated whatever the
        method.
        """
        body = None if document is None else mask(json.dumps(document)).encode()
        repeat = Repeat.READ if method == "GET" or url is not None else Repeat.IDEMPOTENT_WRITE
        if method == "POST" and url is None:
            repeat = Repeat.SINGLE_WRITE

        def understand(response: Response, now: datetime) -> Response | Refusal:
            found = masked(response)
            return found if 200 <= found.status < 300 else self._refusal(call, found, now)

        call = Call("forge", method, path, understand, repeat, exempt=True, body=body, url=url)
        try:
            return self._client.call(call)
        except CallFailed as failed:
            setback = failed.setback
            kind = setback.kind if isinstance(setback, Refusal) else ForgeError
            if failed.in_doubt and repeat is Repeat.SINGLE_WRITE:
                kind = PerhapsCreated
            message = f"{self.name}: {setback.message}{failed.ending}"
            raise kind(message, hint=failed.hint, status=setback.status) from None

    def _refusal(self, call: Call[Response], response: Response, now: datetime) -> Refusal:
        """What an answer outside 2xx means."""
        status, words = response.status, message(response)
        hint = self._hints.of(status, words)
        asked = asked_wait(response, now)
        kind: type[ForgeError] = ForgeError
        passes = status >= 500 or status == _REQUEST_TIMEOUT
        if asked is not None:
            what, words, hint = "was rate limited", "", None
        elif passes:
            what = "failed"
        elif 300 <= status < 400:
            what, words = "was redirected", f"to {_host(response)}, where the token is not sent"
            hint = "correct the API's address; or was the repository or project renamed?"
        else:
            what = "was refused"
            if status == 404 and call.method in {"PATCH", "PUT", "DELETE"}:
                kind = CommentGone
        if status == 401 and self._token.source is not None:
            what = f"{what}, with the token from {self._token.source}"
        detail = f": {words}" if words else ""
        return Refusal(
            message=f"{call.endpoint} {what} (HTTP {status}){detail}",
            hint=hint,
            status=status,
            kind=kind,
            passes=passes or asked is not None,
            leaves_doubt=passes and asked is None,
            cause=WaitCause.FAULT if asked is None else WaitCause.RATE_LIMIT,
            wait=USUAL_WAIT if asked is None else max(asked, 1.0),
            retry_after=asked,
        )


def _host(response: Response) -> str:
    try:
        return urlsplit(response.headers.get("location", "")).hostname or "nowhere"
    except ValueError:
        return "nowhere"


# ---------------------------------------------------------------- answers


def read(adapter: TypeAdapter[T], response: Response, asked: str) -> T:
    """The body as `adapter` wants it; raises ForgeError for anything else, an HTML page above all."""
    try:
        return adapter.validate_json(response.body)
    except ValidationError:
        raise ForgeError(
            f"the answer to {asked} is not what the API gives (HTTP {response.status})",
            hint="is the API's address right, and is there a proxy in between?",
            status=response.status,
        ) from None


def has_next_page(response: Response, count: int, per_page: int) -> bool:
    """Whether more pages follow: as the Link header says; without one, whether this one is full."""
    link = response.headers.get("link")
    return count == per_page if link is None else 'rel="next"' in link


def asked_wait(response: Response, now: datetime) -> float | None:
    """The seconds that a rate limit asks to wait; None where the answer speaks of no limit.

    GitHub's limits come as 403 or 429, with `Retry-After`, with no requests remaining until
    `X-RateLimit-Reset`, or with nothing but words (documented). GitLab's come as 429.
    """
    if response.status not in {403, 429}:
        return None
    named = read_retry_after(response.headers, now)
    if named is not None:
        return named
    if _named(response.headers, "ratelimit-remaining") == 0:
        reset = _named(response.headers, "ratelimit-reset")
        return SECONDARY_LIMIT_WAIT if reset is None else max(0.0, reset - now.timestamp())
    limited = response.status == 429 or "secondary rate limit" in message(response).lower()
    return SECONDARY_LIMIT_WAIT if limited else None


def _named(headers: Mapping[str, str], name: str) -> int | None:
    return whole(headers.get(f"x-{name}", headers.get(name)))


def message(response: Response) -> str:
    """What the body says of an error, in few words; empty where it says nothing that is JSON."""
    try:
        found = json.loads(response.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    words = [found.get("message") or found.get("error_description") or found.get("error")]
    details = found.get("errors")
    if isinstance(details, list):
        words += [each.get("message") for each in details if isinstance(each, dict)]
    return ": ".join(_text(each) for each in words if each)[:_LONGEST_MESSAGE]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
