"""A forge's API: JSON over the one transport, with waits and retries within the time allowed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

import tenacity
from pydantic import TypeAdapter, ValidationError

from reconciler.errors import ReconcilerError
from reconciler.http.clock import Clock
from reconciler.http.connection import Secret
from reconciler.http.messages import Chance, NoAnswer, NotSent, Request, Response, Transport
from reconciler.http.messages import UnusableAnswer as Unusable
from reconciler.http.rates import read_retry_after
from reconciler.outgoing import mask

T = TypeVar("T")

PER_PAGE = 100
MOST_PAGES = 100
"""Ten thousand comments: GitHub allows a quarter of them on one pull request."""

_LONGEST_ATTEMPT = 30.0
_LONGEST_WAIT = 20.0
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


class PassingFault(Exception):
    """An attempt failed in a way that may pass; `asked`: the seconds the forge asks to wait."""

    def __init__(self, error: ForgeError, asked: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.asked = asked


@dataclass(frozen=True, slots=True)
class Hints:
    """How to fix the refusals that a forge's users run into."""

    unauthorized: str
    forbidden: str
    not_found: str

    def for_status(self, status: int) -> str | None:
        """The hint that belongs to a status, if any."""
        return {401: self.unauthorized, 403: self.forbidden, 404: self.not_found}.get(status)


@dataclass(frozen=True)
class Api:
    """`timeout`: seconds for one call, its waits and retries included. `notify`: is called with a line about each wait.

    Redirects are never followed: the token goes to `base_url`'s host and nowhere else.
    """

    name: str
    base_url: str
    token: Secret
    headers: Mapping[str, str] = field(repr=False)
    hints: Hints
    transport: Transport
    clock: Clock
    timeout: float
    notify: Callable[[str], None]
    jitter: Callable[[], float] = random.random

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
        deadline = self.clock.monotonic() + self.timeout
        attempt = _Attempt(self, method, path, document, url, deadline)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(PassingFault),
            wait=lambda state: self._wait(state, deadline),
            stop=lambda state: self._is_over(state, deadline),
            before_sleep=lambda state: self.notify(
                f"{_fault(state).error.message}; waiting {state.upcoming_sleep:.0f} s"
            ),
            sleep=self.clock.wait,
            reraise=True,
        )
        try:
            response: Response = retrying(attempt)
            return response
        except PassingFault as fault:
            self._give_up(fault)

    def left(self, deadline: float) -> float:
        """Seconds left of the time allowed."""
        return deadline - self.clock.monotonic()

    def _wait(self, state: tenacity.RetryCallState, deadline: float) -> float:
        """As long as was asked, or a guess that doubles; never a loop without a pause."""
        guess = float(min(_LONGEST_WAIT, 2.0 ** (state.attempt_number - 1)))
        asked = _fault(state).asked
        wait = guess if asked is None else max(asked, 1.0)
        spread = wait + min(1.0, wait / 4) * self.jitter()
        return max(asked or 0.0, min(spread, self.left(deadline)))

    def _is_over(self, state: tenacity.RetryCallState, deadline: float) -> bool:
        return self.left(deadline) <= max(_fault(state).asked or 0.0, 0.1)

    def _give_up(self, fault: PassingFault) -> NoReturn:
        error = fault.error
        asked = "" if fault.asked is None else f" and asks to wait {fault.asked:.0f} s"
        raise ForgeError(
            f"{error.message}{asked}; given up, the time allowed is {self.timeout:g} s",
            hint=error.hint or "run the job again later, or allow more with --timeout",
            status=error.status,
        ) from None


def _fault(state: tenacity.RetryCallState) -> PassingFault:
    fault = state.outcome.exception() if state.outcome else None
    assert isinstance(fault, PassingFault)  # noqa: S101  tenacity asks after a fault only
    return fault


@dataclass(frozen=True)
class _Attempt:
    """One request, made again each time it is called."""

    api: Api
    method: str
    path: str
    document: object
    url: str | None
    deadline: float

    def __call__(self) -> Response:
        try:
            answer = self.api.transport.send(self._request(), self._seconds())
            response = answer.masked(mask)
        except NotSent as fault:
            error = self._error("could not be sent", fault.description, hint=fault.hint)
            raise PassingFault(error) if fault.chance is Chance.GOOD else error from None
        except NoAnswer as fault:
            raise self._in_doubt(self._error("was not answered", fault.description)) from None
        except Unusable as fault:
            raise self._error("got no usable answer", fault.description) from None
        if 200 <= response.status < 300:
            return response
        raise self._failed(response)

    def _request(self) -> Request:
        headers = {"user-agent": "hubspot-reconciler", **self.api.headers}
        body = None
        if self.document is not None:
            headers["content-type"] = "application/json"
            body = mask(json.dumps(self.document)).encode()
        return Request(self.method, self.url or self.api.base_url + self.path, headers, body)

    def _seconds(self) -> float:
        return max(0.1, min(_LONGEST_ATTEMPT, self.api.left(self.deadline)))

    def _failed(self, response: Response) -> Exception:
        status = response.status
        asked = asked_wait(response, self.api.clock.wall())
        if asked is not None:
            return PassingFault(self._error("was rate limited", status=status), asked)
        words = message(response)
        if status >= 500 or status == _REQUEST_TIMEOUT:
            return self._in_doubt(self._error("failed", words, status=status))
        if 300 <= status < 400:
            return self._redirected(response)
        error = self._error("was refused", words, status=status)
        if status == 404 and self.method in {"PATCH", "PUT", "DELETE"}:
            return CommentGone(error.message, hint=error.hint, status=status)
        return error

    def _in_doubt(self, error: ForgeError) -> Exception:
        if self.method == "POST" and self.url is None:
            return PerhapsCreated(error.message, hint=error.hint, status=error.status)
        return PassingFault(error)

    def _redirected(self, response: Response) -> ForgeError:
        try:
            host = urlsplit(response.headers.get("location", "")).hostname or "nowhere"
        except ValueError:
            host = "nowhere"
        return self._error(
            "was redirected",
            f"to {host}, where the token is not sent",
            status=response.status,
            hint="correct the API's address; or was the repository or project renamed?",
        )

    def _error(
        self, what: str, words: str = "", *, status: int | None = None, hint: str | None = None
    ) -> ForgeError:
        number = "" if status is None else f" (HTTP {status})"
        detail = f": {words}" if words else ""
        asked = f"{self.method} {self.path.partition('?')[0]}"
        hint = hint or (None if status is None else self.api.hints.for_status(status))
        if status == 401 and self.api.token.source is not None:
            what = f"{what}, with the token from {self.api.token.source}"
        return ForgeError(
            f"{self.api.name}: {asked} {what}{number}{detail}", hint=hint, status=status
        )


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
    if _whole(response.headers, "ratelimit-remaining") == 0:
        reset = _whole(response.headers, "ratelimit-reset")
        return SECONDARY_LIMIT_WAIT if reset is None else max(0.0, reset - now.timestamp())
    limited = response.status == 429 or "secondary rate limit" in message(response).lower()
    return SECONDARY_LIMIT_WAIT if limited else None


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"x-{name}", headers.get(name, ""))
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else None


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
