"""Batches whose answer or effect differs from what was asked."""

from __future__ import annotations

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Response
from tests.sandbox.talking import (
    VERSIONS,
    Clock,
    get,
    limits_path,
    object_limit,
    one,
    options,
    told,
    write,
)

BILLING = ("USER_DEFINED", 28)
DECISION = ("USER_DEFINED", 30)


def limits(sandbox: Sandbox) -> dict[tuple[str, int], int]:
    """The limits of contacts → companies as a client reads them."""
    rows = told(get(sandbox, limits_path("2026-03")))["results"]
    return {(row["category"], row["typeId"]): row["userEnforcedMaxToObjectIds"] for row in rows}


def type_ids(response: Response) -> list[int]:
    """The type IDs of the answer's rows."""
    return [row["typeId"] for row in told(response)["results"]]


def test_a_lost_write_looks_like_a_success() -> None:
    """2xx, COMPLETE and the rows asked for; the portal is as before."""
    sandbox = Sandbox(example_portal(), options("update:lose"))
    response = write(sandbox, "update", one(28, 3))
    assert (response.status, told(response)["status"]) == (200, "COMPLETE")
    assert told(response)["results"][0]["userEnforcedMaxToObjectIds"] == 3
    assert limits(sandbox)[BILLING] == 1
    assert sandbox.history == ()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("verb", ["update", "create", "purge"])
def test_a_canceled_batch_says_so_in_its_body_alone(version: str, verb: str) -> None:
    """A success status, CANCELED and one error for each input."""
    sandbox = Sandbox(example_portal(), options("write:cancel"))
    inputs = [one(30), one(28)] if verb == "purge" else [one(30, 1), one(28, 2)]
    response = write(sandbox, verb, *inputs, version=version)
    document = told(response)
    assert response.status in (200, 201)
    assert (document["status"], document["numErrors"]) == ("CANCELED", 2)
    assert limits(sandbox)[BILLING] == 1


def test_a_pending_batch_shows_after_a_while() -> None:
    """Reads do not show it until its time has come."""
    clock = Clock()
    sandbox = Sandbox(example_portal(), options("update:pend,seconds=5"), clock=clock)
    response = write(sandbox, "update", one(28, 3))
    assert (response.status, told(response)["status"]) == (200, "PENDING")
    clock.time += 4.9
    assert limits(sandbox)[BILLING] == 1
    clock.time += 0.1
    assert limits(sandbox)[BILLING] == 3
    assert [step.after for step in sandbox.history] == [3]


def test_a_pending_batch_can_stay_so_for_ever() -> None:
    """Without seconds it never takes effect; what breaks a rule is refused at once."""
    clock = Clock()
    sandbox = Sandbox(example_portal(), options("update:pend"), clock=clock)
    assert told(write(sandbox, "update", one(28, 3)))["status"] == "PENDING"
    assert write(sandbox, "update", one(28, 30)).status == 400
    clock.time += 100_000
    assert limits(sandbox)[BILLING] == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("rule", ["part,inputs=1+3", "part,types=28+279"])
def test_chosen_inputs_are_refused_and_the_others_written(version: str, rule: str) -> None:
    """207 in every version, by position or by type ID."""
    sandbox = Sandbox(example_portal(), options(f"update:{rule}"))
    inputs = (one(28, 3), one(30, 2), object_limit(9))
    response = write(sandbox, "update", *inputs, version=version)
    assert response.status == 207
    assert (type_ids(response), told(response)["numErrors"]) == ([30], 2)
    assert limits(sandbox) == {("HUBSPOT_DEFINED", 279): 5, BILLING: 1, DECISION: 2}


def test_all_inputs_can_be_refused_with_207() -> None:
    """An answer of errors alone, as a partial success with no success."""
    sandbox = Sandbox(example_portal(), options("update:part,types=28"))
    response = write(sandbox, "update", one(28, 3))
    assert (response.status, type_ids(response), told(response)["numErrors"]) == (207, [], 1)


def test_a_purge_can_be_refused_in_part() -> None:
    """Even where the version's purge has no body."""
    sandbox = Sandbox(example_portal(), options("purge:part,types=28"))
    response = write(sandbox, "purge", one(28), object_limit(), version="v4")
    assert (response.status, told(response)["numErrors"]) == (207, 1)
    assert limits(sandbox) == {BILLING: 1}


def test_every_batch_with_a_type_can_be_refused() -> None:
    """400 as long as the type is among the inputs: split, the others get through."""
    sandbox = Sandbox(example_portal(), options("write:refuse,types=28"))
    refused = write(sandbox, "update", one(30, 2), one(28, 2))
    assert (refused.status, told(refused)["category"]) == (400, "VALIDATION_ERROR")
    assert told(refused)["errors"][0]["context"] == {"typeId": ["28"]}
    assert write(sandbox, "update", one(28, 2)).status == 400
    assert write(sandbox, "update", one(30, 2)).status == 200
    assert limits(sandbox)[BILLING] == 1


def test_another_value_can_be_stored_than_the_one_asked() -> None:
    """The answer tells what was asked for; only reading back finds out."""
    sandbox = Sandbox(example_portal(), options("update:alter,type=28,as=2"))
    response = write(sandbox, "update", one(28, 4), one(30, 4))
    rows = told(response)["results"]
    assert [row["userEnforcedMaxToObjectIds"] for row in rows] == [4, 4]
    assert (limits(sandbox)[BILLING], limits(sandbox)[DECISION]) == (2, 4)


def test_a_row_can_be_missing_from_the_answer() -> None:
    """The limit is written all the same; a purge without a body stays without."""
    sandbox = Sandbox(example_portal(), options("write:omit,types=28"))
    response = write(sandbox, "update", one(28, 2), one(30, 2))
    assert type_ids(response) == [30]
    assert limits(sandbox)[BILLING] == 2
    assert write(sandbox, "update", one(28, 60)).status == 400
    assert write(sandbox, "purge", one(28), version="v4").status == 204
