"""Batches of one direction: what is refused stands alone, what is good goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.applying.direction import DOUBTED_FOR, SENT_AGAIN_AT_MOST
from reconciler.applying.events import Watching
from reconciler.applying.knowledge import REFUSAL_WATCH
from reconciler.errors import ExitCode
from reconciler.http.messages import Response
from reconciler.model.limits import DesiredLimit, Label
from reconciler.model.plan import Status
from reconciler.sandbox.portal import AssociationType as SandboxType
from reconciler.sandbox.portal import Category as SandboxCategory
from reconciler.sandbox.portal import Portal
from reconciler.sandbox.rules import Mixed, Rules, Verdict
from tests.applying import truth
from tests.applying.factory import CONTACTS_COMPANIES, label_id, portal, wanted
from tests.applying.faults import Garbling
from tests.applying.traffic import Trouble, written
from tests.applying.world import VERIFY_TIMEOUT, Ran, World

EIGHT = range(1, 9)
ONES = dict.fromkeys(EIGHT, 1)
TWOS = dict.fromkeys(EIGHT, 2)


def apply(
    folder: Path,
    state: Portal,
    limits: Mapping[int, int],
    *faults: str,
    rules: Rules | None = None,
    trouble: Trouble | None = None,
    verify_timeout: float = VERIFY_TIMEOUT,
) -> Ran:
    """Plan these label limits and apply them; the report must be true."""
    made = World.in_process(folder, state, rules=rules)
    plan = made.plan(wanted(limits))
    ran = made.apply(plan, faults, trouble=trouble, verify_timeout=verify_timeout)
    truth.check(ran)
    return ran


def with_status(ran: Ran, status: Status) -> list[str]:
    """The labels of the changes with this status."""
    return [str(each.change.type) for each in ran.result.with_status(status)]


def sent(ran: Ran, operation: str) -> list[int]:
    """How many inputs each request of this operation had."""
    writes = [entry for entry in ran.requests if entry.operation == operation]
    return [len(written([entry])) for entry in writes]


@pytest.mark.parametrize("refused", [{3}, {1, 8}, {4, 5}, {2, 3, 7}, set(EIGHT)])
def test_exactly_the_refused_inputs_fail(tmp_path: Path, refused: set[int]) -> None:
    """HubSpot refuses the batch as a whole; splitting it finds them, the others go through."""
    types = "+".join(str(label_id(number)) for number in refused)
    ran = apply(tmp_path, portal(8, ONES), TWOS, f"write:refuse,types={types}")
    assert with_status(ran, Status.FAILED) == [f"Label {number}" for number in sorted(refused)]
    assert len(with_status(ran, Status.VERIFIED)) == 8 - len(refused)
    assert ran.code is ExitCode.INCOMPLETE


def test_one_refused_input_of_a_hundred_costs_few_requests(tmp_path: Path) -> None:
    """Halves of halves: twice for each halving, and no more."""
    hundred = range(1, 101)
    ran = apply(
        tmp_path,
        portal(100, dict.fromkeys(hundred, 1)),
        dict.fromkeys(hundred, 2),
        f"write:refuse,types={label_id(37)}",
    )
    assert with_status(ran, Status.FAILED) == ["Label 37"]
    assert len(sent(ran, "update")) <= 1 + 2 * 7


def test_a_refusal_carries_all_that_support_asks_for(tmp_path: Path) -> None:
    """HubSpot's message, category and correlation ID, and the line that asked for it."""
    ran = apply(tmp_path, portal(8, ONES), TWOS, f"write:refuse,types={label_id(3)}")
    (failed,) = [each for each in ran.document["changes"] if each["status"] == "failed"]
    error = failed["error"]
    assert "HTTP 400 VALIDATION_ERROR, Refused by a fault rule of the sandbox." in error["message"]
    assert error["category"] == "VALIDATION_ERROR"
    assert error["correlation_id"].startswith("correlation-")
    assert failed["source"] == {"path": "configs/contacts-companies.yaml", "line": 3, "column": 3}


@pytest.mark.parametrize("mixed", list(Mixed))
def test_inputs_refused_within_a_success_are_isolated_too(tmp_path: Path, mixed: Mixed) -> None:
    """A 207 names them; they are not sent again."""
    rules = Rules(mixed=mixed)
    ran = apply(tmp_path, portal(8, ONES), TWOS, f"write#1:part,types={label_id(3)}", rules=rules)
    assert with_status(ran, Status.FAILED) == ["Label 3"]
    assert sent(ran, "update") == [8]


class Unnamed(Trouble):
    """A 207 that says how many inputs failed, and not which; nothing was written."""

    def instead(self, number: int) -> Response | None:
        if number != 3:
            return None
        return Response(207, {}, b'{"status":"COMPLETE","results":[],"numErrors":1}')


def test_errors_that_name_no_input_are_found_by_splitting(tmp_path: Path) -> None:
    """All inputs may be good: they are sent again in smaller batches."""
    ran = apply(tmp_path, portal(8, ONES), TWOS, trouble=Unnamed())
    assert ran.code is ExitCode.DONE
    assert sent(ran, "update") == [4, 4]


TWIN = 8931


def _twins(*categories: SandboxCategory) -> Portal:
    """A portal with eight labels and a type 931 of each of these categories."""
    made = portal(8, {})
    for category in categories:
        twin = SandboxType(category, TWIN, f"Twin {category.value}")
        made = made.with_type("contacts", "companies", twin)
    return made


@pytest.mark.parametrize("gone", [SandboxCategory.USER_DEFINED, SandboxCategory.HUBSPOT_DEFINED])
def test_an_error_names_no_input_whose_type_id_another_shares(
    tmp_path: Path, gone: SandboxCategory
) -> None:
    """A CANCELED answer names "0-8931", which is not a category: the innocent one is sent alone."""
    categories = (SandboxCategory.HUBSPOT_DEFINED, SandboxCategory.USER_DEFINED)
    (left,) = (each for each in categories if each is not gone)
    desired = wanted(ONES)
    (direction,) = desired.directions
    twins = tuple(
        DesiredLimit(Label(f"Twin {each.value}"), 1, direction.place) for each in categories
    )
    desired = replace(desired, directions=(replace(direction, limits=(*direction.limits, *twins)),))
    plan = World.in_process(tmp_path, _twins(*categories)).plan(desired)
    ran = World.in_process(tmp_path, _twins(left)).apply(plan)
    assert with_status(ran, Status.FAILED) == [f"Twin {gone.value}"]
    assert len(with_status(ran, Status.VERIFIED)) == 9
    assert len(sent(ran, "update")) <= 4


@pytest.mark.parametrize("status", [404, 405])
def test_a_refused_address_is_not_split(tmp_path: Path, status: int) -> None:
    """No smaller batch would fare better."""
    ran = apply(tmp_path, portal(8, ONES), TWOS, f"write:{status}")
    assert len(with_status(ran, Status.FAILED)) == 8
    assert sent(ran, "update") == [8]


def test_a_missing_permission_is_not_split(tmp_path: Path) -> None:
    """It is about the token."""
    ran = apply(tmp_path, portal(8, ONES), TWOS, "write:403,scopes=a.write")
    assert len(with_status(ran, Status.FAILED)) == 8
    assert sent(ran, "update") == [8]
    assert ran.code is ExitCode.ERROR


# ---------------------------------------------------------------- create, where update will not do

CREATE_IS_NEEDED = Rules(update_of_missing=Verdict.REFUSE)


def test_create_stands_in_once_for_a_limit_that_does_not_exist(tmp_path: Path) -> None:
    """And the journal says so."""
    ran = apply(tmp_path, portal(1, {}), {1: 5}, rules=CREATE_IS_NEEDED)
    assert ran.code is ExitCode.DONE
    assert (sent(ran, "update"), sent(ran, "create")) == ([1], [1])
    (event,) = [each for each in ran.events if each["event"] == "create_instead"]
    assert event["change"] == f"contacts>companies/USER_DEFINED/{label_id(1)}"
    assert "create it first" in event["because"]


@pytest.mark.parametrize("mixed", list(Mixed))
def test_one_refusal_teaches_for_the_rest_of_the_apply(tmp_path: Path, mixed: Mixed) -> None:
    """New limits go to `create` from then on, existing ones to `update`."""
    rules = Rules(update_of_missing=Verdict.REFUSE, mixed=mixed)
    ran = apply(tmp_path, portal(8, dict.fromkeys(range(1, 5), 1)), TWOS, rules=rules)
    assert ran.code is ExitCode.DONE
    created = [one for one in written(ran.requests) if one.operation == "create"]
    assert len(created) == len({one.key for one in created}) == 4


def test_a_limit_refused_by_both_tells_both_refusals(tmp_path: Path) -> None:
    """The words of `update` first; category and correlation ID are its own."""
    ran = apply(tmp_path, portal(1, {}), {1: 5}, f"write:refuse,types={label_id(1)}")
    (error,) = [each.error for each in ran.result.changes]
    assert error is not None
    assert error.message.count("Refused by a fault rule of the sandbox.") == 2
    assert "; tried as a create: " in error.message
    assert (sent(ran, "update"), sent(ran, "create")) == ([1], [1])
    assert ran.code is ExitCode.INCOMPLETE


def test_an_existing_limit_is_never_created(tmp_path: Path) -> None:
    """A refused update of one is a refusal."""
    ran = apply(tmp_path, portal(1, {1: 1}), {1: 5}, "write:400")
    assert sent(ran, "create") == []


def with_creates(folder: Path, fault: str) -> Ran:
    """One new limit, for which `create` is needed, and one that exists."""
    state = portal(2, {2: 1})
    ran = apply(folder, state, {1: 5, 2: 2}, fault, rules=CREATE_IS_NEEDED)
    assert ran.result.message is None, "it says nothing of the portal as a whole"
    assert with_status(ran, Status.VERIFIED)[-1] == "Label 2"
    return ran


def test_a_create_in_doubt_that_took_effect_is_not_repeated(tmp_path: Path) -> None:
    """It is read back first: whether it is idempotent is unknown."""
    ran = with_creates(tmp_path, "create:drop,wrote=yes")
    assert (ran.code, sent(ran, "create")) == (ExitCode.DONE, [1])


@pytest.mark.parametrize("fault", ["create#1:drop", "create#1:503", "create#1:hang,seconds=600"])
def test_a_create_in_doubt_without_effect_is_sent_again(tmp_path: Path, fault: str) -> None:
    """As an update first, which is refused only where the limit does not exist."""
    ran = with_creates(tmp_path, fault)
    assert ran.code is ExitCode.DONE
    writes = [str(entry.operation) for entry in ran.requests if entry.method == "POST"]
    assert (writes.count("create"), writes[-2:]) == (2, ["update", "create"])


def test_a_create_that_stays_in_doubt_is_bounded(tmp_path: Path) -> None:
    """Uncertain, after a few attempts with growing pauses."""
    ran = with_creates(tmp_path, "create:drop")
    assert (ran.code, with_status(ran, Status.UNCERTAIN)) == (ExitCode.INCOMPLETE, ["Label 1"])
    assert 2 <= len(sent(ran, "create")) <= 1 + SENT_AGAIN_AT_MOST


# ---------------------------------------------------------------- answers that say nothing


def test_a_success_that_makes_no_sense_is_read_back(tmp_path: Path) -> None:
    """It does not stop the apply, and what is shown is not sent again."""
    ran = apply(tmp_path, portal(8, ONES), TWOS, trouble=Garbling(3, lambda body: body[:30]))
    assert ran.code is ExitCode.DONE
    assert sent(ran, "update") == [8]


class Instead(Trouble):
    """These answers in place of the first ones from the third request on; nothing is written."""

    def __init__(self, *bodies: bytes) -> None:
        self._bodies = bodies

    def instead(self, number: int) -> Response | None:
        index = number - 3
        if index not in range(len(self._bodies)):
            return None
        return Response(200, {}, self._bodies[index])


NONSENSE = b"{not json"


def test_nonsense_that_wrote_nothing_is_sent_again(tmp_path: Path) -> None:
    """After a second in doubt, and not after a minute."""
    ran = apply(tmp_path, portal(8, ONES), TWOS, trouble=Instead(NONSENSE))
    assert (ran.code, sent(ran, "update")) == (ExitCode.DONE, [8])
    assert ran.seconds <= DOUBTED_FOR + 1.0 + ran.settle


def test_only_what_is_not_shown_is_sent_again(tmp_path: Path) -> None:
    """Half of the batch was carried out before the answer was lost."""
    state = portal(8, ONES)
    made = World.in_process(tmp_path, state)
    plan = made.plan(wanted(TWOS))

    class Half(Instead):
        def instead(self, number: int) -> Response | None:
            if number == 3:
                for one in range(1, 5):
                    made.sandbox.edit("contacts", "companies", label_id(one), 2)
            return super().instead(number)

    ran = made.apply(plan, trouble=Half(NONSENSE))
    assert (ran.code, sent(ran, "update")) == (ExitCode.DONE, [4])


def test_what_somebody_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    """The answer made no sense, and the portal shows a third value."""
    made = World.in_process(tmp_path, portal(1, {1: 1}))
    plan = made.plan(wanted({1: 2}))

    class Edit(Instead):
        def instead(self, number: int) -> Response | None:
            if number == 3:
                made.sandbox.edit("contacts", "companies", label_id(1), 9)
            return super().instead(number)

    ran = made.apply(plan, trouble=Edit(NONSENSE))
    assert (ran.code, sent(ran, "update")) == (ExitCode.INCOMPLETE, [])
    assert with_status(ran, Status.FAILED) == ["Label 1"]
    assert made.sandbox.limits("contacts", "companies") == {("USER_DEFINED", label_id(1)): 9}


def test_doubt_for_ever_is_bounded_and_uncertain(tmp_path: Path) -> None:
    """A few attempts with growing pauses, within the time allowed."""
    ran = apply(tmp_path, portal(8, ONES), TWOS, "update:pend")
    assert (ran.code, len(with_status(ran, Status.UNCERTAIN))) == (ExitCode.INCOMPLETE, 8)
    assert 2 <= len(sent(ran, "update")) <= 1 + SENT_AGAIN_AT_MOST
    assert ran.seconds <= VERIFY_TIMEOUT + ran.settle


def test_what_was_in_doubt_and_is_refused_stays_in_doubt(tmp_path: Path) -> None:
    """The refusal is about the second attempt; the first may still take effect."""
    ran = apply(tmp_path, portal(1, {1: 1}), {1: 5}, "update:400", trouble=Instead(NONSENSE))
    (result,) = ran.result.changes
    assert (ran.code, result.status) == (ExitCode.INCOMPLETE, Status.UNCERTAIN)


@pytest.mark.parametrize("first", ["drop", "503", "hang,seconds=600"])
def test_a_refusal_says_nothing_of_an_attempt_before_it(tmp_path: Path, first: str) -> None:
    """The first attempt had left without an answer; the second is refused, alone or in a batch."""
    for limits in ({1: 5}, {1: 5, 2: 5, 3: 5}):
        state = portal(3, dict.fromkeys(limits, 1))
        ran = apply(tmp_path, state, limits, f"update#1:{first}", "update#2-:400")
        assert ran.code is ExitCode.INCOMPLETE
        assert len(with_status(ran, Status.UNCERTAIN)) == len(limits)


# ---------------------------------------------------------------- refusals that are not true


@pytest.mark.parametrize("delay", ["yes", "1", "5", "9", "14"])
@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refused_write_that_takes_effect_is_never_denied(
    tmp_path: Path, status: int, delay: str
) -> None:
    """However late: exit 1 would claim that nothing was written."""
    fault = f"update:{status},wrote={delay}"
    ran = apply(tmp_path, portal(1, {1: 1}), {1: 5}, fault, verify_timeout=60.0)
    assert (ran.code, with_status(ran, Status.VERIFIED)) == (ExitCode.DONE, ["Label 1"])


@pytest.mark.parametrize("lag", [1, 5, 9, 14])
def test_a_refused_write_that_shows_late_is_never_denied(tmp_path: Path, lag: int) -> None:
    """It took effect at once, and reads show the state of some seconds ago."""
    made = World.in_process(tmp_path, portal(1, {1: 1}))
    made.clock.wait(100.0)
    faults = ("update:400,wrote=yes", f"read#2-:lag,seconds={lag}")
    ran = made.apply(made.plan(wanted({1: 5})), faults, verify_timeout=60.0)
    truth.check(ran)
    assert (ran.code, with_status(ran, Status.VERIFIED)) == (ExitCode.DONE, ["Label 1"])


def test_a_refusal_is_watched_for_a_bounded_time(tmp_path: Path) -> None:
    """Then it counts as refused. A write has left, so that the exit code is 5 all the same."""
    ran = apply(tmp_path, portal(1, {1: 1}), {1: 5}, "update:400", verify_timeout=60.0)
    assert (ran.code, with_status(ran, Status.FAILED)) == (ExitCode.INCOMPLETE, ["Label 1"])
    assert REFUSAL_WATCH <= ran.seconds <= REFUSAL_WATCH + 1.0
    watched = [each for each in ran.heard if isinstance(each, Watching)]
    assert watched == [Watching(CONTACTS_COMPANIES, 1, REFUSAL_WATCH)]
    assert len([entry for entry in ran.requests if entry.operation == "read"]) <= 6


def test_a_refusal_is_watched_no_longer_than_allowed(tmp_path: Path) -> None:
    """`--verify-timeout` below that: what may show later is uncertain."""
    ran = apply(tmp_path, portal(1, {1: 1}), {1: 5}, "update:400", verify_timeout=4.0)
    assert (ran.code, with_status(ran, Status.UNCERTAIN)) == (ExitCode.INCOMPLETE, ["Label 1"])
    assert ran.settle <= ran.seconds <= 4.0 + ran.settle


def test_a_refusal_that_cannot_be_read_back_is_uncertain(tmp_path: Path) -> None:
    """Nobody knows: exit 5, with what HubSpot said and why it was not read."""
    ran = apply(tmp_path, portal(1, {1: 1}), {1: 5}, "update:400", "read#2-:404")
    (result,) = ran.result.changes
    assert (ran.code, result.status) == (ExitCode.INCOMPLETE, Status.UNCERTAIN)
    assert result.error is not None
    assert result.error.category == "VALIDATION_ERROR"
    assert "; it was not read back: " in result.error.message


def test_a_refused_write_that_shows_after_the_time_allowed_is_not_denied(tmp_path: Path) -> None:
    """It took effect when nobody looked any more: exit 5 and uncertain, not "nothing was written"."""
    fault = "update:400,wrote=6"
    ran = apply(tmp_path, portal(1, {1: 1}), {1: 5}, fault, verify_timeout=3.0)
    assert (ran.code, with_status(ran, Status.UNCERTAIN)) == (ExitCode.INCOMPLETE, ["Label 1"])


@pytest.mark.parametrize("fault", ["423", "429,policy=DAILY", "477,retry-after=86400"])
def test_what_is_turned_away_is_not_attempted(tmp_path: Path, fault: str) -> None:
    """Nobody has looked at it; what HubSpot's support asks for is kept."""
    ran = apply(tmp_path, portal(1, {1: 1}), {1: 5}, f"write:{fault}")
    (error,) = [each.error for each in ran.result.changes]
    assert error is not None
    assert error.message.startswith("not written: ")
    assert error.correlation_id is not None
    assert with_status(ran, Status.NOT_ATTEMPTED) == ["Label 1"]
    assert ran.code is ExitCode.ERROR


def test_what_a_refused_batch_had_is_no_longer_untried(tmp_path: Path) -> None:
    """The batch was refused, then the token: its second half was sent, in the batch."""
    ran = apply(tmp_path, portal(8, ONES), TWOS, "write#1:400", "write#2:401")
    assert len(with_status(ran, Status.FAILED)) == 8
    assert ran.code is ExitCode.INCOMPLETE
