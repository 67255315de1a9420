"""Reading back: gentle, bounded, and not satisfied too early."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.applying.direction import ACCEPTED_FOR, SENT_AGAIN_AT_MOST
from reconciler.applying.events import ReadingBack
from reconciler.applying.reading import FIRST_PAUSE, LONGEST_PAUSE, SHORTEST_READ
from reconciler.errors import ExitCode
from reconciler.model.plan import Status
from tests.applying import truth
from tests.applying.factory import CONTACTS_COMPANIES, label_id, portal, wanted
from tests.applying.world import Ran, World


def apply(
    folder: Path,
    *faults: str,
    verify_timeout: float = 60.0,
    timeout: float = 10.0,
    settle: float = 2.0,
) -> Ran:
    """Raise one label limit from 1 to 2; the report must be true."""
    made = World.in_process(folder, portal(1, {1: 1}))
    made.clock.wait(3600.0)
    plan = made.plan(wanted({1: 2}))
    ran = made.apply(plan, faults, verify_timeout=verify_timeout, timeout=timeout, settle=settle)
    truth.check(ran)
    return ran


def reading_times(ran: Ran) -> list[float]:
    """When the direction was read, in seconds after the first write."""
    first = next(entry for entry in ran.requests if entry.operation == "update")
    return [
        round(entry.time - first.time, 3)
        for entry in ran.requests
        if entry.number > first.number and entry.operation == "read"
    ]


def sending_times(ran: Ran) -> list[float]:
    """When the change was sent, in seconds after the first time."""
    times = [entry.time for entry in ran.requests if entry.operation == "update"]
    return [round(each - times[0], 3) for each in times]


def test_what_shows_at_once_is_read_once_more(tmp_path: Path) -> None:
    """Two reads that agree, the settling time apart, and no other."""
    assert reading_times(apply(tmp_path)) == [0.0, 2.0]
    assert reading_times(apply(tmp_path, settle=7.0)) == [0.0, 7.0]


def test_without_a_settling_time_one_read_will_do(tmp_path: Path) -> None:
    """`--settle 0`."""
    assert reading_times(apply(tmp_path, settle=0.0)) == [0.0]


def test_a_lag_is_waited_out(tmp_path: Path) -> None:
    """The old value is not believed while there is time."""
    ran = apply(tmp_path, "read#2-:lag,seconds=20")
    assert ran.code is ExitCode.DONE
    assert 20.0 <= reading_times(ran)[-2] <= 20.0 + LONGEST_PAUSE


def test_readings_become_rarer(tmp_path: Path) -> None:
    """From a fifth of a second to five seconds, anew after every sending: gentle to the portal."""
    ran = apply(tmp_path, "read#2-:lag,seconds=600")
    times, sent = reading_times(ran), sending_times(ran)
    pauses = [
        later - earlier
        for earlier, later in pairwise(times)
        if not any(earlier <= each < later for each in sent[1:])
    ]
    assert pauses[0] == pytest.approx(FIRST_PAUSE)
    assert max(pauses) == pytest.approx(LONGEST_PAUSE)
    assert len(times) < 40


def test_what_was_answered_as_written_is_sent_again_with_growing_pauses(tmp_path: Path) -> None:
    """A portal that lags for minutes is asked again a few times, and no more."""
    times = sending_times(apply(tmp_path, "read#2-:lag,seconds=600"))
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[0] >= ACCEPTED_FOR
    assert all(later > earlier * 1.3 for earlier, later in pairwise(pauses))
    assert 3 <= len(times) <= 1 + SENT_AGAIN_AT_MOST


def test_what_is_missing_is_reported_once(tmp_path: Path) -> None:
    """Not again at every reading."""
    ran = apply(tmp_path, "read#2-:lag,seconds=20")
    reported = [each for each in ran.heard if isinstance(each, ReadingBack)]
    assert reported == [ReadingBack(CONTACTS_COMPANIES, 1)]


def test_the_last_reading_is_taken_when_the_time_is_up(tmp_path: Path) -> None:
    """Not up to five seconds before: what shows in between is seen, and confirmed afterwards."""
    ran = apply(tmp_path, "read#2-:lag,seconds=59", verify_timeout=60.0)
    assert ran.code is ExitCode.DONE
    assert reading_times(ran)[-2:] == pytest.approx([60.0, 62.0])


def test_what_never_shows_is_uncertain(tmp_path: Path) -> None:
    """With what the portal shows instead."""
    ran = apply(tmp_path, "update:lose", verify_timeout=10.0)
    (result,) = ran.result.changes
    assert result.status is Status.UNCERTAIN
    assert result.error is not None
    assert result.error.message == (
        "HubSpot answered that it was written; the portal still shows 1, not 2"
    )
    assert reading_times(ran)[-1] == pytest.approx(10.0)


def test_another_value_is_a_failure_with_both(tmp_path: Path) -> None:
    """It is waited for until the time is up: it might be an old value."""
    ran = apply(tmp_path, f"update:alter,type={label_id(1)},as=7", verify_timeout=10.0)
    (result,) = ran.result.changes
    assert result.status is Status.FAILED
    assert result.error is not None
    assert "written 2, but the portal shows 7" in result.error.message
    assert reading_times(ran)[-1] == pytest.approx(10.0)


def test_no_time_means_one_read_and_one_that_confirms_it(tmp_path: Path) -> None:
    """`--verify-timeout 0`: what shows at once is verified, what does not is not waited for."""
    assert reading_times(apply(tmp_path, "update:lose", verify_timeout=0.0)) == [0.0]
    ran = apply(tmp_path, verify_timeout=0.0)
    assert (ran.code, reading_times(ran)) == (ExitCode.DONE, [0.0, 2.0])


@pytest.mark.parametrize("fault", ["400", "404", "503", "drop", "huge,mb=50", "redirect,to=/x"])
def test_a_reading_that_fails_is_tried_again(tmp_path: Path, fault: str) -> None:
    """Before the first write it did not fail."""
    ran = apply(tmp_path, f"read#2-4:{fault}")
    assert ran.code is ExitCode.DONE


@pytest.mark.parametrize(("fault", "reads"), [("401", 2), ("403", 2), ("429,policy=DAILY", 1)])
def test_a_reading_that_stays_forbidden_is_not(tmp_path: Path, fault: str, reads: int) -> None:
    """Waiting will not help; what was written stays uncertain, with the reason."""
    ran = apply(tmp_path, f"read#2-:{fault}")
    (result,) = ran.result.changes
    assert result.status is Status.UNCERTAIN
    assert result.error is not None
    assert "it was not read back: " in result.error.message
    assert len(reading_times(ran)) == reads


@pytest.mark.parametrize("fault", ["401", "403"])
def test_one_forbidden_read_is_not_the_end(tmp_path: Path, fault: str) -> None:
    """The token was good a moment ago."""
    assert apply(tmp_path, f"read#2:{fault}").code is ExitCode.DONE
    assert apply(tmp_path, f"read#3:{fault}").code is ExitCode.DONE


def test_a_portal_that_is_gone_is_waited_for_no_longer_than_allowed(tmp_path: Path) -> None:
    """The time to show and one call's time."""
    ran = apply(tmp_path, "read#2-:503", verify_timeout=30.0, timeout=10.0)
    assert ran.code is ExitCode.INCOMPLETE
    assert ran.seconds <= 30.0 + 10.0


def test_an_earlier_reading_counts_where_a_later_one_fails(tmp_path: Path) -> None:
    """One limit shows at once and the other never; then the portal is gone."""
    made = World.in_process(tmp_path, portal(2, {1: 1, 2: 1}))
    plan = made.plan(wanted({1: 2, 2: 2}))
    faults = (f"update:alter,type={label_id(2)},as=1", "read#7-:503")
    ran = made.apply(plan, faults)
    truth.check(ran)
    assert [str(each.status) for each in ran.result.changes] == ["verified", "uncertain"]


@pytest.mark.parametrize("wanted_limit", [2, 5])
def test_a_row_that_nobody_understands_verifies_nothing(tmp_path: Path, wanted_limit: int) -> None:
    """The limit 0 is neither what was written nor "no limit"; the others are verified."""
    made = World.in_process(tmp_path, portal(2, {1: 1, 2: 1}))
    plan = made.plan(wanted({1: wanted_limit, 2: 2}))
    odd = f"read#2-:put,key=userEnforcedMaxToObjectIds,value=0,types={label_id(1)}"
    ran = made.apply(plan, [odd])
    assert [str(each.status) for each in ran.result.changes] == ["failed", "verified"]
    error = ran.result.changes[0].error
    assert error is not None
    assert f"written {wanted_limit}, but this version does not know the limit 0" in error.message


@pytest.mark.parametrize(
    "fault",
    [
        "omit,keys=label",
        "row,type=999,category=LATER_DEFINED,max=5",
        "row,type=998,category=USER_DEFINED,label=New,max=-1",
        "row,type=998,category=USER_DEFINED,label=New,max=5.0",
    ],
)
def test_odd_rows_beside_it_disturb_nobody(tmp_path: Path, fault: str) -> None:
    """A change names its type by ID; other rows are none of its business."""
    ran = apply(tmp_path, f"read:{fault}")
    assert (ran.code, len(reading_times(ran))) == (ExitCode.DONE, 2)


# ---------------------------------------------------------------- settling


def flapping(folder: Path, seconds: float, first: str, verify_timeout: float = 60.0) -> Ran:
    """Reads that alternate between the new limit and the one before, for so long."""
    return apply(
        folder, f"read:flap,seconds={seconds},first={first}", verify_timeout=verify_timeout
    )


@pytest.mark.parametrize("first", ["old", "new"])
@pytest.mark.parametrize("seconds", [1, 3, 8, 20, 50])
def test_reads_that_alternate_are_read_until_they_agree(
    tmp_path: Path, first: str, seconds: int
) -> None:
    """Verified once they have settled, and never on the word of one of them."""
    ran = flapping(tmp_path, seconds, first)
    assert ran.code is ExitCode.DONE
    assert len(sending_times(ran)) <= 1 + SENT_AGAIN_AT_MOST


@pytest.mark.parametrize("first", ["old", "new"])
def test_reads_that_never_agree_leave_it_uncertain(tmp_path: Path, first: str) -> None:
    """In the time allowed and one settling time more; the words say what was read."""
    ran = flapping(tmp_path, 3_600, first, verify_timeout=20.0)
    (result,) = ran.result.changes
    assert (ran.code, result.status) == (ExitCode.INCOMPLETE, Status.UNCERTAIN)
    assert ran.seconds <= 20.0 + 2.0 + 0.1
    assert result.error is not None
    assert "it was shown after the write; the portal " in result.error.message


def test_what_was_shown_once_is_not_sent_again(tmp_path: Path) -> None:
    """The old value after the new one may be somebody's: only reads are repeated."""
    ran = flapping(tmp_path, 30, "new")
    assert sending_times(ran) == [0.0]
    reported = [each for each in ran.heard if isinstance(each, ReadingBack)]
    assert reported == [ReadingBack(CONTACTS_COMPANIES, 1)]


@pytest.mark.parametrize(
    "fault",
    [
        "read#2-:rate,max=1,remaining=0,interval=60000",
        "read#2-:429,retry-after=50",
        "read#2-:503,retry-after=50",
    ],
)
def test_no_wait_goes_beyond_the_time_to_verify(tmp_path: Path, fault: str) -> None:
    """Neither a rate header nor Retry-After outlasts --verify-timeout, whatever --timeout allows."""
    ran = apply(tmp_path, fault, verify_timeout=8.0, timeout=60.0)
    assert ran.seconds <= 8.0 + SHORTEST_READ + ran.settle + 1.0
    assert ran.code is ExitCode.INCOMPLETE
    assert [each.status for each in ran.result.changes] == [Status.UNCERTAIN]
