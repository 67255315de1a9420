"""What follows from what is known of a change."""

from __future__ import annotations

import pytest

from reconciler.applying.knowledge import (
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
from reconciler.model import ChangeError, Status, TypeKey
from tests.applying.factory import change, key

REFUSAL = ChangeError("HubSpot refused it", "VALIDATION_ERROR", "the-id")
DOUBT = ChangeError("no answer came", "NONE", "the-id")
WAITED, KEPT = ChangeError("it waited"), ChangeError("it was kept")
KNOWN: tuple[Knowledge, ...] = (Accepted(), Doubtful(DOUBT), Refused(REFUSAL), Shown())


@pytest.mark.parametrize("known", KNOWN)
def test_what_is_shown_is_verified(known: Knowledge) -> None:
    """The portal's own showing outweighs whatever it answered."""
    result = judge(change(after=2), known, Seen({key(1): 2}))
    assert (result.status, result.error) == (Status.VERIFIED, None)


@pytest.mark.parametrize("known", KNOWN)
def test_a_delete_is_verified_by_absence(known: Knowledge) -> None:
    """No limit is what was asked for."""
    assert judge(change(after=None), known, Seen({})).status is Status.VERIFIED


def test_what_was_never_sent_is_not_attempted() -> None:
    """Even where the portal happens to show it."""
    result = judge(change(after=2), Untried(WAITED), Seen({key(1): 2}))
    assert (result.status, result.error) == (Status.NOT_ATTEMPTED, WAITED)


@pytest.mark.parametrize("values", [{key(1): 1}, {key(1): 9}, {}])
def test_a_refusal_is_told_as_hubspot_said_it(values: dict[TypeKey, int]) -> None:
    """Message, category and correlation ID, whatever the portal shows instead."""
    result = judge(change(before=1, after=2), Refused(REFUSAL), Seen(values))
    assert (result.status, result.error) == (Status.FAILED, REFUSAL)


@pytest.mark.parametrize("known", [Accepted(), Doubtful(DOUBT), Shown()])
def test_another_value_is_a_failure_with_both_values(known: Knowledge) -> None:
    """Neither what was before nor what was written."""
    result = judge(change(before=1, after=2), known, Seen({key(1): 7}))
    assert result.status is Status.FAILED
    assert result.error is not None
    assert "written 2, but the portal shows 7" in result.error.message


@pytest.mark.parametrize("known", [Accepted(), Doubtful(DOUBT), Shown()])
def test_the_old_value_is_uncertain(known: Knowledge) -> None:
    """It may still come."""
    result = judge(change(before=1, after=2), known, Seen({key(1): 1}))
    assert result.status is Status.UNCERTAIN
    assert result.error is not None
    assert "the portal still shows 1, not 2" in result.error.message


@pytest.mark.parametrize("known", [Accepted(), Doubtful(DOUBT)])
def test_what_cannot_be_read_is_uncertain(known: Knowledge) -> None:
    """With the reason."""
    result = judge(change(), known, Seen(unread="interrupted"))
    assert result.status is Status.UNCERTAIN
    assert result.error is not None
    assert "it was not read back: interrupted" in result.error.message


def test_a_doubt_keeps_what_hubspot_said() -> None:
    """Category and correlation ID are for HubSpot's support."""
    result = judge(change(), Doubtful(DOUBT), Seen(unread="interrupted"))
    assert result.error is not None
    assert (result.error.category, result.error.correlation_id) == ("NONE", "the-id")
    assert result.error.message.startswith("no answer came; ")


def test_what_was_shown_before_needs_no_second_reading() -> None:
    """A reading between two steps counts where the last one fails."""
    assert judge(change(), Shown(), Seen(unread="interrupted")).status is Status.VERIFIED


def test_a_refusal_needs_no_reading() -> None:
    """It was not written."""
    assert judge(change(), Refused(REFUSAL), Seen(unread="gone")).error == REFUSAL


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
    refused = RequestRefused("no", status=400, category="C", correlation_id="the-id")
    assert change_error(refused) == ChangeError("no", "C", "the-id")
    assert change_error(ReconcilerError("disk full")) == ChangeError("disk full")
