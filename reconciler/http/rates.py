"""What the headers of an answer say about pace: allowances, and when to come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from math import isfinite

_PREFIX = "x-hubspot-ratelimit-"

LONGEST_INTERVAL = 60.0
"""Seconds: HubSpot's interval is 10 (documented); one of years would stop every run."""

LONGEST_RETRY_AFTER = 366 * 86_400.0
"""Seconds: more than anybody waits, and a number that arithmetic and messages can take."""


class Policy(Enum):
    """HubSpot's rate policies (documented); `ROLLING` also where a 429 names none."""

    ROLLING = "TEN_SECONDLY_ROLLING"
    SECONDLY = "SECONDLY"
    DAILY = "DAILY"


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate headers of an answer, each missing or sensible. `interval` in seconds."""

    limit: int | None = None
    remaining: int | None = None
    interval: float | None = None
    daily_remaining: int | None = None


def read_rate(headers: Mapping[str, str]) -> Rate:
    """The rate headers; what is missing, negative or not a number is None. Keys in lower case.

    An interval is believed up to `LONGEST_INTERVAL`.
    """
    limit = whole(headers.get(f"{_PREFIX}max"))
    milliseconds = whole(headers.get(f"{_PREFIX}interval-milliseconds"))
    return Rate(
        limit=limit or None,
        remaining=whole(headers.get(f"{_PREFIX}remaining")),
        interval=min(milliseconds / 1000, LONGEST_INTERVAL) if milliseconds else None,
        daily_remaining=whole(headers.get(f"{_PREFIX}daily-remaining")),
    )


def read_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that `Retry-After` asks for, given as seconds or as a date; None if neither.

    A date is meant by the server's clock, which the answer's own `Date` tells; `now`, this
    machine's, stands in where there is none.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text, _date(headers.get("date", "")) or now)
    return _bounded(seconds) if isfinite(seconds) else None


def _seconds_until(text: str, now: datetime) -> float | None:
    moment = _date(text)
    if moment is None:
        return None
    try:
        return _bounded((moment - now).total_seconds())
    except OverflowError:
        return LONGEST_RETRY_AFTER if moment > now else 0.0


def _date(text: str) -> datetime | None:
    """Imported here: dates are rare in Retry-After, and the module's import takes 8 ms."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)


def whole(text: str | None) -> int | None:
    """A whole number from 0, in ASCII; of more than twelve digits it is none that is meant."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else None
