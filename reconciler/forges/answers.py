"""What an answer of a forge means: usable, to be asked again later, or an error in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from reconciler.forges.problems import ForgeError
from reconciler.http.messages import Response
from reconciler.http.rates import read_retry_after

T = TypeVar("T")

SECONDARY_LIMIT_WAIT = 60.0
"""Seconds to wait where GitHub's secondary limit names none (documented)."""

_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Hints:
    """How to fix the refusals that a forge's users run into."""

    unauthorized: str
    forbidden: str
    not_found: str

    def for_status(self, status: int) -> str | None:
        """The hint that belongs to a status, if any."""
        return {401: self.unauthorized, 403: self.forbidden, 404: self.not_found}.get(status)


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
