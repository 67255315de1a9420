"""The steps of one direction: in order, each waiting for the one before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from reconciler.http.messages import Response
from reconciler.model.plan import Result, Status
from reconciler.sandbox.rules import Judging, Mixed, Rules, Verdict
from tests.applying import truth
from tests.applying.factory import label_id, portal, wanted
from tests.applying.faults import Stopping
from tests.applying.traffic import Trouble, written
from tests.applying.world import VERIFY_TIMEOUT, Ran, World

OBJECT = "contacts>companies/HUBSPOT_DEFINED/279"


def raising(folder: Path) -> World:
    """The object limit is 5, that of Label 1 and Label 2 is 3."""
    return World.in_process(folder, portal(3, {1: 3, 2: 3}, object_limit=5))


def apply(
    made: World, faults: Sequence[str], trouble: Trouble | None = None, *, stopped: bool = False
) -> Ran:
    """Raise the object limit first, then both labels; the report must be true."""
    plan = made.plan(wanted({1: 7, 2: 8}, object_limit=9))
    ran = made.apply(plan, faults, trouble=trouble)
    truth.check(ran, stopped=stopped)
    return ran


def by_status(result: Result, status: Status) -> list[str]:
    """The IDs of the changes with this status."""
    return [each.change.id for each in result.with_status(status)]


def operations(ran: Ran) -> list[str]:
    """What the portal was asked, in order."""
    return [str(entry.operation) for entry in ran.requests]


def test_steps_go_out_in_order_and_two_reads_verify_them(tmp_path: Path) -> None:
    """No read between steps that were accepted."""
    ran = apply(raising(tmp_path), ())
    assert operations(ran) == ["account", "read", "update", "update", "read", "read"]


def test_what_depends_on_a_refused_step_is_not_attempted(tmp_path: Path) -> None:
    """And says on what it waited."""
    ran = apply(raising(tmp_path), ["update#1:400"])
    assert by_status(ran.result, Status.FAILED) == [OBJECT]
    waited = ran.result.with_status(Status.NOT_ATTEMPTED)
    assert len(waited) == 2
    assert {each.error.message for each in waited if each.error} == {
        f"not sent: it waited for {OBJECT} (refused)"
    }
    assert ran.code is ExitCode.INCOMPLETE


def test_many_obstacles_are_named_in_part(tmp_path: Path) -> None:
    """A message of a hundred names helps nobody."""
    ones = dict.fromkeys(range(1, 7), 9)
    made = World.in_process(tmp_path, portal(6, ones, object_limit=9))
    plan = made.plan(wanted(dict.fromkeys(ones, 2), object_limit=4))
    ran = made.apply(plan, ["update:404"])
    truth.check(ran)
    (waited,) = ran.result.with_status(Status.NOT_ATTEMPTED)
    assert waited.error is not None
    assert waited.error.message.endswith("USER_DEFINED/103 (refused) and 3 more")


def test_doubt_about_a_step_is_settled_before_the_next(tmp_path: Path) -> None:
    """PENDING for three seconds: it is sent again, the next step waits, and then goes out."""
    ran = apply(raising(tmp_path), ["update#1:pend,seconds=3"])
    assert ran.code is ExitCode.DONE
    first, *_, last = (entry for entry in ran.requests if entry.operation == "update")
    assert (len(written([first])), len(written([last]))) == (1, 2)
    assert last.time - first.time >= 1.0


def test_doubt_that_stays_holds_the_next_step_back(tmp_path: Path) -> None:
    """Never visible: what waited is not attempted; the time to show is spent once."""
    ran = apply(raising(tmp_path), ["update:pend"])
    assert by_status(ran.result, Status.UNCERTAIN) == [OBJECT]
    waited = ran.result.with_status(Status.NOT_ATTEMPTED)
    assert {each.error.message for each in waited if each.error} == {
        f"not sent: it waited for {OBJECT} (in doubt)"
    }
    assert ran.seconds <= VERIFY_TIMEOUT + 1.0


@pytest.mark.parametrize("fault", ["lose", "pend"])
def test_all_reading_back_of_a_direction_shares_one_time(tmp_path: Path, fault: str) -> None:
    """Doubt after the first step spends what the last read would have had."""
    made = raising(tmp_path)
    plan = made.plan(wanted({1: 7, 2: 8}, object_limit=9))
    ran = made.apply(plan, [f"update#1:{fault}", "read#2-:lag,seconds=8"], verify_timeout=9.0)
    truth.check(ran)
    assert ran.code is ExitCode.INCOMPLETE
    assert ran.seconds <= 9.0 + 2.0 + 0.1


def test_a_read_between_two_steps_counts_as_one_of_two(tmp_path: Path) -> None:
    """Where nothing can be read afterwards, what it showed stays uncertain."""
    ran = apply(raising(tmp_path), ["update#1:omit,types=279", "read#3-:403"])
    assert by_status(ran.result, Status.VERIFIED) == []
    (first, *_) = ran.result.with_status(Status.UNCERTAIN)
    assert first.error is not None
    assert first.error.message.startswith(
        "it was shown after the write; the portal shows 9, but no read 2 s later has confirmed it: "
        "the token may not use"
    )


def test_a_step_refused_because_the_one_before_was_lost_is_sent_again(tmp_path: Path) -> None:
    """Answered as written, the object limit was not raised: the labels were refused for that."""
    ran = apply(raising(tmp_path), ["update#1:lose"])
    assert ran.code is ExitCode.DONE


def test_a_step_refused_for_itself_is_not(tmp_path: Path) -> None:
    """The step before shows at once: the refusal is about the input."""
    ran = apply(raising(tmp_path), [f"write:refuse,types={label_id(1)}"])
    assert [str(each.change.type) for each in ran.result.with_status(Status.FAILED)] == ["Label 1"]
    alone = [entry for entry in ran.requests if len(written([entry])) == 1]
    assert len([entry for entry in alone if f'"typeId": {label_id(1)}' in entry.body]) == 1


def test_other_operations_of_the_same_step_are_sent_all_the_same(tmp_path: Path) -> None:
    """Purges and updates of one step do not depend on each other."""
    made = World.in_process(tmp_path, portal(2, {1: 1, 2: 1}))
    ran = made.apply(made.plan(wanted({2: 2})), ["purge:400"])
    truth.check(ran)
    assert [str(each.status) for each in ran.result.changes] == ["failed", "verified"]
    assert ran.code is ExitCode.INCOMPLETE


@pytest.mark.parametrize("rules", [Rules(judging=Judging.BEFORE), Rules(mixed=Mixed.PARTIAL)])
@pytest.mark.parametrize("equality", list(Verdict))
def test_steps_hold_however_hubspot_judges(tmp_path: Path, rules: Rules, equality: Verdict) -> None:
    """Inputs of a request together or one by one, equal limits accepted or not."""
    chosen = Rules(equality=equality, judging=rules.judging, mixed=rules.mixed)
    made = World.in_process(tmp_path, portal(3, {1: 3, 2: 3}, object_limit=5), rules=chosen)
    up, down = wanted({1: 7, 2: 8}, object_limit=9), wanted({1: 1, 3: 2}, object_limit=4)
    for desired in (up, down, wanted({1: 90}), up):
        ran = made.apply(made.plan(desired))
        truth.check(ran)
        assert ran.code is ExitCode.DONE


# ---------------------------------------------------------------- signals and bugs


def test_a_signal_lets_the_request_under_way_finish(tmp_path: Path) -> None:
    """Its answer counts; nothing is sent after it, not even to read back."""
    made = raising(tmp_path)
    ran = apply(made, (), Stopping(3, made.clock), stopped=True)
    assert operations(ran) == ["account", "read", "update"]
    assert by_status(ran.result, Status.UNCERTAIN) == [OBJECT]
    (first, *_) = ran.result.with_status(Status.UNCERTAIN)
    assert first.error is not None
    assert first.error.message == (
        "HubSpot answered that it was written; it was not read back: "
        "interrupted: no further request was sent"
    )
    assert ran.result.message == "interrupted: no further request was sent"
    assert ran.code is ExitCode.INCOMPLETE


def test_a_signal_during_a_retry_leaves_the_write_in_doubt(tmp_path: Path) -> None:
    """The connection broke after the request had left."""
    made = raising(tmp_path)
    ran = apply(made, ["update#1:drop,wrote=yes"], Stopping(3, made.clock), stopped=True)
    assert operations(ran) == ["account", "read", "update"]
    assert by_status(ran.result, Status.UNCERTAIN) == [OBJECT]


class Bug(Trouble):
    """A fault in the tool itself, while it handles the answer to a write."""

    def __init__(self, number: int) -> None:
        self._number = number

    def after(self, number: int, response: Response) -> Response:
        if number == self._number:
            raise ZeroDivisionError("division by zero")
        return response


def test_a_bug_costs_no_report(tmp_path: Path) -> None:
    """What was being sent is uncertain, the rest not attempted; the message is the bug's."""
    made = raising(tmp_path)
    plan = made.plan(wanted({1: 7, 2: 8}, object_limit=9))
    ran = made.apply(plan, trouble=Bug(3))
    truth.check(ran, stopped=True)
    assert by_status(ran.result, Status.UNCERTAIN) == [OBJECT]
    assert ran.result.message == "internal error: ZeroDivisionError: division by zero"
    assert ran.code is ExitCode.INCOMPLETE
