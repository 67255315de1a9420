"""What the headers of an answer say about pace: allowances, and when to come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from math import isfinite

_PREFIX = "x-hubspot-ratelimit-"


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

    @property
    def speaks_of_the_window(self) -> bool:
        return self.limit is not None or self.remaining is not None


def read_rate(headers: Mapping[str, str]) -> Rate:
    """The rate headers; what is missing, negative or no number is None. Keys in lower case."""
    limit = _whole(headers.get(f"{_PREFIX}max"))
    milliseconds = _whole(headers.get(f"{_PREFIX}interval-milliseconds"))
    return Rate(
        limit=limit or None,
        remaining=_whole(headers.get(f"{_PREFIX}remaining")),
        interval=milliseconds / 1000 if milliseconds else None,
        daily_remaining=_whole(headers.get(f"{_PREFIX}daily-remaining")),
    )


def read_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that `Retry-After` asks for, given as seconds or as a date; None if neither."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text, now)
    return max(0.0, seconds) if isfinite(seconds) else None


def _seconds_until(text: str, now: datetime) -> float | None:
    """Imported here: dates are rare in Retry-After, and the module's import takes 8 ms."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _whole(text: str | None) -> int | None:
    """A whole number from 0; longer than any real allowance counts as none."""
    if text is None or len(text) > 12 or not text.strip().isdecimal():
        return None
    return int(text)
