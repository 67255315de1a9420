"""Reading back: gentle, bounded, and not satisfied too early."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.applying.reading import FIRST_PAUSE, LONGEST_PAUSE
from reconciler.errors import ExitCode
from reconciler.model import Status
from tests.applying import truth
from tests.applying.factory import label_id, portal, wanted
from tests.applying.world import Ran, World


def apply(folder: Path, *faults: str, verify_timeout: float = 60.0, timeout: float = 10.0) -> Ran:
    """Raise one label limit from 1 to 2; the report must be true."""
    made = World.in_process(folder, portal(1, {1: 1}))
    made.clock.wait(3600.0)
    plan = made.plan(wanted({1: 2}))
    ran = made.apply(plan, faults, verify_timeout=verify_timeout, timeout=timeout)
    truth.check(ran)
    return ran


def reading_times(ran: Ran) -> list[float]:
    """When the direction was read, in seconds after the last write."""
    last = max(entry.number for entry in ran.requests if entry.operation == "update")
    written = next(entry.time for entry in ran.requests if entry.number == last)
    return [round(entry.time - written, 3) for entry in ran.requests if entry.number > last]


def test_what_shows_at_once_is_read_once(tmp_path: Path) -> None:
    """No pause, no second reading."""
    assert reading_times(apply(tmp_path)) == [0.0]


def test_a_lag_is_waited_out(tmp_path: Path) -> None:
    """The old value is not believed while there is time."""
    ran = apply(tmp_path, "read#2-:lag,seconds=20")
    assert ran.code is ExitCode.DONE
    assert 20.0 <= reading_times(ran)[-1] <= 20.0 + LONGEST_PAUSE


def test_readings_become_rarer(tmp_path: Path) -> None:
    """From a fifth of a second to five seconds: gentle to a portal that is slow."""
    times = reading_times(apply(tmp_path, "read#2-:lag,seconds=600"))
    *pauses, _ = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[0] == pytest.approx(FIRST_PAUSE)
    assert all(later > earlier - 0.01 for earlier, later in pairwise(pauses))
    assert max(pauses) == pytest.approx(LONGEST_PAUSE)
    assert len(times) < 20


def test_what_is_missing_is_told_once(tmp_path: Path) -> None:
    """Not again at every reading."""
    ran = apply(tmp_path, "read#2-:lag,seconds=20")
    told = [words for words in ran.told if words.startswith("reading back")]
    assert told == ["reading back contacts → companies 1"]


def test_the_last_reading_is_taken_when_the_time_is_up(tmp_path: Path) -> None:
    """Not up to five seconds before: what shows in between is seen."""
    ran = apply(tmp_path, "read#2-:lag,seconds=59", verify_timeout=60.0)
    assert ran.code is ExitCode.DONE
    assert reading_times(ran)[-1] == pytest.approx(60.0)


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


def test_no_time_means_one_reading(tmp_path: Path) -> None:
    """`--verify-timeout 0`."""
    assert reading_times(apply(tmp_path, "update:lose", verify_timeout=0.0)) == [0.0]
    assert apply(tmp_path, verify_timeout=0.0).code is ExitCode.DONE


@pytest.mark.parametrize("fault", ["400", "404", "503", "drop", "huge,mb=50", "redirect,to=/x"])
def test_a_reading_that_fails_is_tried_again(tmp_path: Path, fault: str) -> None:
    """Before the first write it did not fail."""
    ran = apply(tmp_path, f"read#2-4:{fault}")
    assert ran.code is ExitCode.DONE


@pytest.mark.parametrize("fault", ["401", "403", "429,policy=DAILY"])
def test_a_reading_that_is_forbidden_is_not(tmp_path: Path, fault: str) -> None:
    """Waiting will not help; what was written stays uncertain, with the reason."""
    ran = apply(tmp_path, f"read#2-:{fault}")
    (result,) = ran.result.changes
    assert result.status is Status.UNCERTAIN
    assert result.error is not None
    assert "it was not read back: " in result.error.message
    assert len(reading_times(ran)) == 1


def test_a_portal_that_is_gone_is_waited_for_no_longer_than_allowed(tmp_path: Path) -> None:
    """The time to show and one call's time."""
    ran = apply(tmp_path, "read#2-:503", verify_timeout=30.0, timeout=10.0)
    assert ran.code is ExitCode.INCOMPLETE
    assert ran.seconds <= 30.0 + 10.0


def test_an_earlier_reading_counts_where_a_later_one_fails(tmp_path: Path) -> None:
    """One limit shows at once and the other never; then the portal is gone."""
    made = World.in_process(tmp_path, portal(2, {1: 1, 2: 1}))
    plan = made.plan(wanted({1: 2, 2: 2}))
    faults = (f"update:alter,type={label_id(2)},as=1", "read#3-:503")
    ran = made.apply(plan, faults)
    truth.check(ran)
    assert [str(each.status) for each in ran.result.changes] == ["verified", "uncertain"]
