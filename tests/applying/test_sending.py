"""Batches of one direction: what is refused stands alone, what is good goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from reconciler.hubspot import Response
from reconciler.model import DesiredLimit, Label, Status
from reconciler.sandbox import AssociationType as SandboxType
from reconciler.sandbox import Category as SandboxCategory
from reconciler.sandbox import Mixed, Portal, Rules, Verdict
from tests.applying import truth
from tests.applying.factory import label_id, portal, wanted
from tests.applying.faults import Garbling
from tests.applying.traffic import written
from tests.applying.trouble import Trouble
from tests.applying.world import Ran, World

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
) -> Ran:
    """Plan these label limits and apply them; the report must be true."""
    made = World.in_process(folder, state, rules=rules)
    ran = made.apply(made.plan(wanted(limits)), faults, trouble=trouble)
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
    assert ran.code is (ExitCode.ERROR if len(refused) == 8 else ExitCode.INCOMPLETE)


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
    assert error["source"] == "configs/contacts-companies.yaml:3:3"


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
    assert ran.code is ExitCode.ERROR


def test_an_existing_limit_is_never_created(tmp_path: Path) -> None:
    """A refused update of one is a refusal."""
    ran = apply(tmp_path, portal(1, {1: 1}), {1: 5}, "write:400")
    assert sent(ran, "create") == []


@pytest.mark.parametrize("wrote", ["yes", "no"])
def test_a_create_in_doubt_is_read_back_and_not_repeated(tmp_path: Path, wrote: str) -> None:
    """Nor does it stop the other limits: it says nothing of the portal as a whole."""
    ran = apply(
        tmp_path,
        portal(2, {2: 1}),
        {1: 5, 2: 2},
        f"create:drop,wrote={wrote}",
        rules=CREATE_IS_NEEDED,
    )
    assert sent(ran, "create") == [1]
    assert ran.result.message is None
    assert with_status(ran, Status.VERIFIED)[-1] == "Label 2"
    assert ran.code is (ExitCode.DONE if wrote == "yes" else ExitCode.INCOMPLETE)


# ---------------------------------------------------------------- answers that say nothing


def test_a_success_that_makes_no_sense_is_read_back(tmp_path: Path) -> None:
    """It does not stop the apply."""
    ran = apply(tmp_path, portal(8, ONES), TWOS, trouble=Garbling(3, lambda body: body[:30]))
    assert ran.code is ExitCode.DONE
    assert sent(ran, "update") == [8]


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
    assert ran.code is ExitCode.ERROR
