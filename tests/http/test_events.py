"""Events go to one callable: a journal may refuse what has not happened yet, readers nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.http.events import (
    Answered,
    Event,
    Exchange,
    Sending,
    Unanswered,
    WaitCause,
    Waiting,
    report_to,
)

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


def test_nobody_has_to_listen() -> None:
    """Without readers every event is taken."""
    report: Callable[[Event], None] = report_to()
    for event in [Sending(EXCHANGE), *AFTERWARDS]:
        report(event)
