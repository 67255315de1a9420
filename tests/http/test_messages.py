"""Rate headers and Retry-After, missing and odd ones included."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from reconciler.http.messages import (
    LONGEST_INTERVAL,
    LONGEST_RETRY_AFTER,
    Rate,
    read_rate,
    read_retry_after,
)
from tests.clock import START


def test_hubspots_headers_are_read() -> None:
    """As documented; the interval becomes seconds."""
    headers = {
        "x-hubspot-ratelimit-max": "190",
        "x-hubspot-ratelimit-remaining": "12",
        "x-hubspot-ratelimit-interval-milliseconds": "10000",
        "x-hubspot-ratelimit-daily-remaining": "0",
    }
    assert read_rate(headers) == Rate(190, 12, 10.0, 0)


@pytest.mark.parametrize("text", ["", "-1", "many", "1e3", "²", "9" * 40, "1.5"])
def test_odd_headers_count_as_none(text: str) -> None:
    """Nothing in a header can break a run."""
    rate = read_rate(
        {
            "x-hubspot-ratelimit-max": text,
            "x-hubspot-ratelimit-remaining": text,
            "x-hubspot-ratelimit-interval-milliseconds": text,
        }
    )
    assert rate == Rate()


@pytest.mark.parametrize("milliseconds", ["999999999999", "60001"])
def test_an_interval_is_believed_for_a_minute_at_most(milliseconds: str) -> None:
    """A header cannot stop the command for years."""
    headers = {"x-hubspot-ratelimit-interval-milliseconds": milliseconds}
    assert read_rate(headers).interval == LONGEST_INTERVAL == 60


def test_an_allowance_of_nothing_is_none() -> None:
    """A maximum or an interval of 0 would stop everything for ever."""
    zeros = {
        "x-hubspot-ratelimit-max": "0",
        "x-hubspot-ratelimit-interval-milliseconds": "0",
        "x-hubspot-ratelimit-remaining": "0",
    }
    assert read_rate(zeros) == Rate(remaining=0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), (" 7 ", 7.0), ("86400", 86400.0), ("1.5", 1.5), ("-3", 0.0)],
)
def test_seconds_to_wait(text: str, seconds: float) -> None:
    """A number of seconds, never negative."""
    assert read_retry_after({"retry-after": text}, START) == seconds


def test_a_date_to_wait_for() -> None:
    """The other form that HTTP allows; a date in the past asks for nothing."""
    later = format_datetime(START + timedelta(seconds=90), usegmt=True)
    before = format_datetime(START - timedelta(seconds=90), usegmt=True)
    assert read_retry_after({"retry-after": later}, START) == 90
    assert read_retry_after({"retry-after": before}, START) == 0
    assert read_retry_after({"retry-after": "Sat, 21 Nov 2026 09:00:10"}, START) == 10


def test_a_date_is_meant_by_the_servers_clock() -> None:
    """A machine whose clock is years behind does not wait for years, nor one ahead not at all."""
    for now in (START - timedelta(days=4000), START + timedelta(days=4000)):
        dates = {
            "date": format_datetime(START, usegmt=True),
            "retry-after": format_datetime(START + timedelta(seconds=7), usegmt=True),
        }
        assert read_retry_after(dates, now) == 7
    odd = {"date": "yesterday", "retry-after": "Sat, 21 Nov 2026 09:00:10"}
    assert read_retry_after(odd, START) == 10


@pytest.mark.parametrize(
    "text",
    [
        "1e308",
        "9" * 300,
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Sat, 21 Nov 99999 09:00:10 GMT",
        "Sat, 21 Nov 2026 09:00:10 +99999999999",
        "Sat, 21 Nov 2026 99999999999:00:10 GMT",
        "\x00",
        "1_0",
        ", ,",
    ],
)
def test_a_wait_that_overflows_is_bounded(text: str) -> None:
    """No internal error, and a number that can be compared, shown and added to."""
    wait = read_retry_after({"retry-after": text, "date": text}, START)
    assert wait is None or 0 <= wait <= LONGEST_RETRY_AFTER
    wait = read_retry_after({"retry-after": text}, START)
    assert wait is None or 0 <= wait <= LONGEST_RETRY_AFTER


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "Sat, 99 Nov 2026", "1,5"])
def test_an_odd_wait_counts_as_none(text: str) -> None:
    """It is then guessed."""
    assert read_retry_after({"retry-after": text}, START) is None
