"""What follows from what is known of a change."""

from __future__ import annotations

import pytest

from reconciler.applying.knowledge import (
    REFUSAL_WATCH,
    Accepted,
    Doubtful,
    Knowledge,
    Refused,
    Seen,
    Shown,
    Untried,
    after_no_effect,
    change_error,
    judge,
)
from reconciler.errors import ReconcilerError, RequestRefused
from reconciler.model.limits import TypeKey
from reconciler.model.plan import Change, ChangeError, ChangeResult, Status
from tests.applying.factory import change, key

REFUSAL = ChangeError("HubSpot refused it", "VALIDATION_ERROR", "the-id")
DOUBT = ChangeError("no answer came", "NONE", "the-id")
WAITED, KEPT = ChangeError("it waited"), ChangeError("it was kept")
KNOWN: tuple[Knowledge, ...] = (Accepted(), Doubtful(DOUBT), Refused(REFUSAL), Shown())
SETTLE = 2.0


def reads(*values: int | None, apart: float = SETTLE, of: TypeKey | None = None) -> Seen:
    """Reads of one limit, so many seconds apart; each takes a tenth of a second."""
    seen, asked = Seen(), 100.0
    for value in values:
        seen = seen.then({of or key(1): value}, asked, asked + 0.1)
        asked += 0.1 + apart
    return seen


def judged(one: Change, known: Knowledge, seen: Seen, settle: float = SETTLE) -> ChangeResult:
    """What became of a change."""
    return judge(one, known, seen, settle)


@pytest.mark.parametrize("known", KNOWN)
def test_what_two_reads_show_is_verified(known: Knowledge) -> None:
    """What the portal shows outweighs whatever it answered."""
    result = judged(change(after=2), known, reads(2, 2))
    assert (result.status, result.error) == (Status.VERIFIED, None)


@pytest.mark.parametrize("known", KNOWN)
def test_a_delete_is_verified_by_absence(known: Knowledge) -> None:
    """No limit is what was asked for."""
    assert judged(change(after=None), known, reads(None, None)).status is Status.VERIFIED


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize(
    "seen",
    [reads(2), reads(2, 2, apart=1.9), reads(2, 1, 2), reads(2, 2, 1, 2), reads(1, 2, 2, apart=1)],
)
def test_one_matching_read_verifies_nothing(known: Knowledge, seen: Seen) -> None:
    """Two must agree, so many seconds apart, and none between them may show another value."""
    result = judged(change(before=1, after=2), known, seen)
    assert result.status is Status.UNCERTAIN
    assert result.error is not None
    assert "the portal shows 2, but no read 2 s later has confirmed it" in result.error.message


def test_reads_in_between_do_not_begin_anew() -> None:
    """The first and the last of those that agree count."""
    assert judged(change(after=2), Accepted(), reads(2, 2, 2, apart=1)).status is Status.VERIFIED


def test_without_a_settling_time_one_read_will_do() -> None:
    """`--settle 0`."""
    assert judged(change(after=2), Accepted(), reads(2), 0.0).status is Status.VERIFIED
    assert judged(change(after=2), Refused(REFUSAL), reads(9), 0.0).status is Status.FAILED


def test_what_was_never_sent_is_not_attempted() -> None:
    """Even where the portal happens to show it."""
    result = judged(change(after=2), Untried(WAITED), reads(2, 2))
    assert (result.status, result.error) == (Status.NOT_ATTEMPTED, WAITED)


@pytest.mark.parametrize("value", [1, 9, None])
def test_a_refusal_is_reported_as_hubspot_said_it(value: int | None) -> None:
    """Message, category and correlation ID, whatever the portal shows instead."""
    seen = reads(value, value, apart=REFUSAL_WATCH)
    result = judged(change(before=1, after=2), Refused(REFUSAL), seen)
    assert (result.status, result.error) == (Status.FAILED, REFUSAL)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Seen(unread="gone"), "it was not read back: gone"),
        (reads(9), "the portal shows 9, but no read 2 s later has confirmed it"),
        (reads(1), "the portal shows 1, but no read 15 s later has confirmed it"),
        (reads(1, 1), "the portal shows 1, but no read 15 s later has confirmed it"),
        (reads(1, 2, 1), "the portal shows 1, but no read 15 s later has confirmed it"),
    ],
)
def test_a_refusal_that_no_two_reads_confirm_is_uncertain(seen: Seen, why: str) -> None:
    """It may have been written all the same, and show later."""
    result = judged(change(before=1, after=2), Refused(REFUSAL), seen)
    assert result.status is Status.UNCERTAIN
    assert result.error is not None
    assert result.error.message == f"HubSpot refused it; {why}"


@pytest.mark.parametrize("seen", [Seen(unread="gone"), reads(1), reads(1, 1)])
def test_what_was_turned_back_at_the_door_failed(seen: Seen) -> None:
    """Nobody looked at the inputs of a request with a bad token: no read is needed."""
    result = judged(change(before=1, after=2), Refused(REFUSAL, judged=False), seen)
    assert (result.status, result.error) == (Status.FAILED, REFUSAL)


@pytest.mark.parametrize("known", [Accepted(), Doubtful(DOUBT), Shown()])
def test_another_value_is_a_failure_with_both_values(known: Knowledge) -> None:
    """Neither what was before nor what was written."""
    result = judged(change(before=1, after=2), known, reads(7, 7))
    assert result.status is Status.FAILED
    assert result.error is not None
    assert "written 2, but the portal shows 7" in result.error.message


@pytest.mark.parametrize("known", [Accepted(), Doubtful(DOUBT), Shown()])
@pytest.mark.parametrize("seen", [reads(1), reads(1, 1), reads(2, 1)])
def test_the_old_value_is_uncertain(known: Knowledge, seen: Seen) -> None:
    """It may still come."""
    result = judged(change(before=1, after=2), known, seen)
    assert result.status is Status.UNCERTAIN
    assert result.error is not None
    assert "the portal still shows 1, not 2" in result.error.message


@pytest.mark.parametrize("known", [Accepted(), Doubtful(DOUBT), Shown()])
def test_what_cannot_be_read_is_uncertain(known: Knowledge) -> None:
    """With the reason."""
    result = judged(change(), known, Seen(unread="interrupted"))
    assert result.status is Status.UNCERTAIN
    assert result.error is not None
    assert "it was not read back: interrupted" in result.error.message


def test_a_doubt_keeps_what_hubspot_said() -> None:
    """Category and correlation ID are for HubSpot's support."""
    result = judged(change(), Doubtful(DOUBT), Seen(unread="interrupted"))
    assert result.error is not None
    assert (result.error.category, result.error.correlation_id) == ("NONE", "the-id")
    assert result.error.message.startswith("no answer came; ")


def test_what_is_sent_again_is_seen_anew() -> None:
    """Reads before a write say nothing of it; those of other limits stay."""
    seen = reads(2, 2).then({key(1): 2, key(2): 5}, 110.0, 110.1).without([key(1)])
    assert judged(change(1, after=2), Accepted(), seen).status is Status.UNCERTAIN
    assert key(2) in seen.sights


@pytest.mark.parametrize(
    ("was", "told", "is_"),
    [
        (Untried(WAITED), Untried(KEPT), Untried(KEPT)),
        (Untried(WAITED), Refused(REFUSAL), Refused(REFUSAL)),
        (Refused(DOUBT), Refused(REFUSAL), Refused(REFUSAL)),
        (Refused(REFUSAL), Untried(KEPT), Refused(REFUSAL)),
        (Doubtful(DOUBT), Untried(KEPT), Doubtful(DOUBT)),
        (Doubtful(DOUBT), Refused(REFUSAL), Doubtful(DOUBT)),
    ],
)
def test_an_attempt_without_effect_takes_no_doubt_away(
    was: Knowledge, told: Untried | Refused, is_: Knowledge
) -> None:
    """What an earlier, larger batch left open stays open."""
    assert after_no_effect(was, told) == is_


def test_an_error_of_the_portal_keeps_its_particulars() -> None:
    """Others have none."""
    refused = RequestRefused("no", category="C", correlation_id="the-id")
    assert change_error(refused) == ChangeError("no", "C", "the-id")
    assert change_error(ReconcilerError("disk full")) == ChangeError("disk full")
