"""Rate headers and Retry-After, missing and odd ones included; events and their readers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import pytest

from reconciler.http.messages import (
    LONGEST_INTERVAL,
    LONGEST_RETRY_AFTER,
    Answered,
    Event,
    Exchange,
    Rate,
    Sending,
    Unanswered,
    WaitCause,
    Waiting,
    read_rate,
    read_retry_after,
    report_to,
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


EXCHANGE = Exchange(1, 1, "update", "POST", "/x", writes=True)
AFTERWARDS: list[Event] = [
    Answered(EXCHANGE, 200, 0.1),
    Unanswered(EXCHANGE, "the connection broke"),
    Waiting(1.0, WaitCause.FAULT, "a server error"),
]


def broken(event: Event) -> None:
    """Raise whatever comes."""
    raise OSError(f"no space left for {type(event).__name__}")


def test_the_journal_comes_first_and_what_it_refuses_nobody_hears_of() -> None:
    """Its line is on the disk before a reader shows that a request leaves."""
    order: list[str] = []
    report = report_to(lambda _: order.append("reader"), journal=lambda _: order.append("journal"))
    report(Sending(EXCHANGE))
    assert order == ["journal", "reader"]
    heard: list[Event] = []
    with pytest.raises(OSError, match="for Sending"):
        report_to(heard.append, journal=broken)(Sending(EXCHANGE))
    assert heard == []


@pytest.mark.parametrize("event", AFTERWARDS)
def test_what_has_happened_no_journal_can_refuse(
    event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes to the log, and the readers are called all the same."""
    heard: list[Event] = []
    report_to(heard.append, journal=broken)(event)
    assert heard == [event]
    assert [record.name for record in caplog.records] == ["reconciler"]


@pytest.mark.parametrize("event", [Sending(EXCHANGE), *AFTERWARDS])
def test_a_reader_that_fails_keeps_no_other_from_being_called(
    event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """Progress that cannot be written stops neither the work nor the counters."""
    heard: list[Event] = []
    report_to(broken, heard.append)(event)
    assert heard == [event]
    assert len(caplog.records) == 1


def test_nobody_has_to_listen(caplog: pytest.LogCaptureFixture) -> None:
    """Without readers every event is taken, and no failure of one is logged."""
    report: Callable[[Event], None] = report_to()
    for event in [Sending(EXCHANGE), *AFTERWARDS]:
        report(event)
    assert caplog.records == []
