"""Failures, false reports and unexpected shapes, each as its rule says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Dropped, Hanging, Response, Short, Streamed
from tests.sandbox.talking import (
    VERSIONS,
    Clock,
    decoded,
    get,
    limits_path,
    object_limit,
    one,
    options,
    write,
)


def struck(rule: str) -> Response:
    """The answer to a read under this rule."""
    return get(Sandbox(example_portal(), options(rule)), limits_path("2026-03"))


@pytest.mark.parametrize(
    ("code", "category"),
    [
        (400, "VALIDATION_ERROR"),
        (401, "INVALID_AUTHENTICATION"),
        (403, "MISSING_SCOPES"),
        (404, "OBJECT_NOT_FOUND"),
        (423, "LOCKED"),
        (429, "RATE_LIMITS"),
        (477, "MIGRATION_IN_PROGRESS"),
        (418, None),
        (500, None),
        (502, None),
        (503, None),
        (504, None),
        (521, None),
        (523, None),
        (524, None),
    ],
)
def test_any_error_status_can_be_answered(code: int, category: str | None) -> None:
    """With HubSpot's category where there is one, and always with a correlation ID."""
    response = struck(f"read:{code},retry-after=7")
    document = decoded(response)
    assert response.status == code
    assert (document["status"], document.get("category")) == ("error", category)
    assert document["correlationId"]
    assert dict(response.headers)["Retry-After"] == "7"


@pytest.mark.parametrize("policy", ["SECONDLY", "TEN_SECONDLY_ROLLING", "DAILY"])
def test_a_429_names_its_policy_and_promises_nothing(policy: str) -> None:
    """No Retry-After unless the rule has one."""
    response = struck(f"read:429,policy={policy}")
    assert decoded(response)["policyName"] == policy
    assert "Retry-After" not in dict(response.headers)


def test_bodies_can_be_html_empty_cut_or_short() -> None:
    """HTML, nothing, JSON that ends in the middle, and a connection that does."""
    html, empty = struck("read:502,body=html,retry-after=1"), struck("read:502,body=empty")
    assert dict(html.headers)["Content-Type"].startswith("text/html")
    assert dict(html.headers)["Retry-After"] == "1"
    assert html.body.startswith(b"<!doctype html>")
    assert (empty.body, empty.headers) == (b"", ())
    cut, short = struck("read:502,body=cut"), struck("read:502,body=short")
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut.body)
    assert short.delivery == Short()


def test_a_redirect_names_its_target() -> None:
    """307 with a Location, or another code."""
    response = struck("read:redirect,to=http://127.0.0.1:9/elsewhere")
    assert (response.status, dict(response.headers)["Location"]) == (
        307,
        "http://127.0.0.1:9/elsewhere",
    )
    assert struck("read:redirect,to=/x,code=302").status == 302


def test_a_huge_answer_is_valid_json_of_that_size() -> None:
    """Told as what to send and not held in memory."""
    delivery = struck("read:huge,mb=3").delivery
    assert isinstance(delivery, Streamed)
    assert 2_990_000 <= delivery.size <= 3_010_000
    body = delivery.start + delivery.unit * delivery.count + delivery.end
    assert len(json.loads(body)["results"]) == delivery.count + 1


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        ("update:502", False),
        ("update:502,wrote=yes", True),
        ("update:drop", False),
        ("update:drop,wrote=yes", True),
        ("update:hang,seconds=9", False),
        ("update:hang,seconds=9,wrote=yes", True),
        ("update:401,body=empty,wrote=yes", True),
        ("update:redirect,to=/x", False),
        ("update:huge,mb=1", False),
    ],
)
def test_a_failure_comes_before_or_after_the_write(rule: str, written: bool) -> None:
    """What the client sees is the same, what the portal holds is not."""
    sandbox = Sandbox(example_portal(), options(rule))
    write(sandbox, "update", one(28, 3))
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == (3 if written else 1)


def test_dropped_and_hanging_answers_have_no_status() -> None:
    """They say what to do with the connection; the journal has no status."""
    sandbox = Sandbox(example_portal(), options("read#1:drop", "read#2:hang,seconds=4"))
    assert get(sandbox, limits_path("v4")).delivery == Dropped()
    assert get(sandbox, limits_path("v4")).delivery == Hanging(4)
    assert [entry.status for entry in sandbox.requests] == [None, None]


@pytest.mark.parametrize("failure", ["400", "503", "drop", "hang,seconds=1"])
def test_a_write_that_seems_to_fail_can_take_effect_later(failure: str) -> None:
    """Refused or unanswered, and there all the same once the time has come."""
    clock = Clock()
    rule = f"update:{failure},wrote=5,times=1"
    sandbox = Sandbox(example_portal(), options(rule), clock=clock)
    assert write(sandbox, "update", one(28, 3)).status != 200
    clock.time += 4.9
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 1
    clock.time += 0.1
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 3


BILLING = ("USER_DEFINED", 28)
DECISION = ("USER_DEFINED", 30)


def limits(sandbox: Sandbox) -> dict[tuple[str, int], int]:
    """The limits of contacts → companies as a client reads them."""
    rows = decoded(get(sandbox, limits_path("2026-03")))["results"]
    return {(row["category"], row["typeId"]): row["userEnforcedMaxToObjectIds"] for row in rows}


def type_ids(response: Response) -> list[int]:
    """The type IDs of the answer's rows."""
    return [row["typeId"] for row in decoded(response)["results"]]


def test_a_lost_write_looks_like_a_success() -> None:
    """2xx, COMPLETE and the rows asked for; the portal is as before."""
    sandbox = Sandbox(example_portal(), options("update:lose"))
    response = write(sandbox, "update", one(28, 3))
    assert (response.status, decoded(response)["status"]) == (200, "COMPLETE")
    assert decoded(response)["results"][0]["userEnforcedMaxToObjectIds"] == 3
    assert limits(sandbox)[BILLING] == 1
    assert sandbox.history == ()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("verb", ["update", "create", "purge"])
def test_a_canceled_batch_says_so_in_its_body_alone(version: str, verb: str) -> None:
    """A success status, CANCELED and one error for each input."""
    sandbox = Sandbox(example_portal(), options("write:cancel"))
    inputs = [one(30), one(28)] if verb == "purge" else [one(30, 1), one(28, 2)]
    response = write(sandbox, verb, *inputs, version=version)
    document = decoded(response)
    assert response.status in (200, 201)
    assert (document["status"], document["numErrors"]) == ("CANCELED", 2)
    assert limits(sandbox)[BILLING] == 1


def test_a_pending_batch_shows_after_a_while() -> None:
    """Reads do not show it until its time has come."""
    clock = Clock()
    sandbox = Sandbox(example_portal(), options("update:pend,seconds=5"), clock=clock)
    response = write(sandbox, "update", one(28, 3))
    assert (response.status, decoded(response)["status"]) == (200, "PENDING")
    clock.time += 4.9
    assert limits(sandbox)[BILLING] == 1
    clock.time += 0.1
    assert limits(sandbox)[BILLING] == 3
    assert [step.after for step in sandbox.history] == [3]


def test_a_pending_batch_can_stay_so_for_ever() -> None:
    """Without seconds it never takes effect; what breaks a rule is refused at once."""
    clock = Clock()
    sandbox = Sandbox(example_portal(), options("update:pend"), clock=clock)
    assert decoded(write(sandbox, "update", one(28, 3)))["status"] == "PENDING"
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
    assert (type_ids(response), decoded(response)["numErrors"]) == ([30], 2)
    assert limits(sandbox) == {("HUBSPOT_DEFINED", 279): 5, BILLING: 1, DECISION: 2}


def test_all_inputs_can_be_refused_with_207() -> None:
    """An answer of errors alone, as a partial success with no success."""
    sandbox = Sandbox(example_portal(), options("update:part,types=28"))
    response = write(sandbox, "update", one(28, 3))
    assert (response.status, type_ids(response), decoded(response)["numErrors"]) == (207, [], 1)


def test_a_purge_can_be_refused_in_part() -> None:
    """Even where the version's purge has no body."""
    sandbox = Sandbox(example_portal(), options("purge:part,types=28"))
    response = write(sandbox, "purge", one(28), object_limit(), version="v4")
    assert (response.status, decoded(response)["numErrors"]) == (207, 1)
    assert limits(sandbox) == {BILLING: 1}


def test_every_batch_with_a_type_can_be_refused() -> None:
    """400 as long as the type is among the inputs: split, the others get through."""
    sandbox = Sandbox(example_portal(), options("write:refuse,types=28"))
    refused = write(sandbox, "update", one(30, 2), one(28, 2))
    assert (refused.status, decoded(refused)["category"]) == (400, "VALIDATION_ERROR")
    assert decoded(refused)["errors"][0]["context"] == {"typeId": ["28"]}
    assert write(sandbox, "update", one(28, 2)).status == 400
    assert write(sandbox, "update", one(30, 2)).status == 200
    assert limits(sandbox)[BILLING] == 1


def test_another_value_can_be_stored_than_the_one_asked() -> None:
    """The answer shows what was asked for; only reading back finds out."""
    sandbox = Sandbox(example_portal(), options("update:alter,type=28,as=2"))
    response = write(sandbox, "update", one(28, 4), one(30, 4))
    rows = decoded(response)["results"]
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


LABELS = "/crm/associations/2026-09/contacts/companies/labels"
ALL = "/crm/associations/2026-09/definitions/configurations/all"


def read(*faults: str, path: str = limits_path("2026-09")) -> Response:
    """A read of contacts → companies under these rules."""
    return get(Sandbox(example_portal(), options(*faults)), path)


def rows(*faults: str, path: str = limits_path("2026-09")) -> dict[int, dict[str, Any]]:
    """The rows of a read under these rules, by type ID."""
    return {row["typeId"]: row for row in decoded(read(*faults, path=path))["results"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("key", ["label", "category", "userEnforcedMaxToObjectIds"])
def test_rows_can_lack_a_key(version: str, key: str) -> None:
    """A key that is missing is not a key with null; the others stay."""
    found = rows(f"read:omit,keys={key}", path=limits_path(version))
    usual = rows(path=limits_path(version))
    for type_id, row in found.items():
        assert row == {name: value for name, value in usual[type_id].items() if name != key}
    assert len(found) == 2


def test_some_rows_can_lack_several_keys() -> None:
    """`types` narrows to rows, `+` joins keys; labels and the rows of all are rows as well."""
    found = rows("read:omit,keys=label+category,types=28")
    assert set(found[28]) == {"typeId", "userEnforcedMaxToObjectIds"}
    assert found[279]["label"] is None
    assert all("label" not in row for row in rows("labels:omit,keys=label", path=LABELS).values())
    everywhere = decoded(read("all:omit,keys=label", path=ALL))["results"]
    assert everywhere
    assert all("label" not in row for row in everywhere)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("0", 0), ("-1", -1), ("5.0", 5.0), ("2147483648", 2**31), ("null", None), ('"5"', "5")],
)
def test_rows_can_have_odd_limits(value: str, shown: object) -> None:
    """The value reaches the wire as it is written, 5.0 with its point."""
    rule = f"read:put,key=userEnforcedMaxToObjectIds,value={value},types=28"
    found = rows(rule)
    assert found[28]["userEnforcedMaxToObjectIds"] == shown
    assert f'"userEnforcedMaxToObjectIds":{value}'.encode() in read(rule).body
    assert found[279]["userEnforcedMaxToObjectIds"] == 5


def test_rows_can_have_a_category_that_nobody_knows() -> None:
    """In the limits as in the labels, in a row that is there or in one more."""
    assert rows("read:put,key=category,value=MYSTERY,types=28")[28]["category"] == "MYSTERY"
    assert rows("labels:put,key=category,value=MYSTERY,types=30", path=LABELS)[30] == {
        "category": "MYSTERY",
        "typeId": 30,
        "label": "Decision maker",
    }
    assert rows("read:row,type=99,category=MYSTERY,label=Ça va,max=0")[99] == {
        "category": "MYSTERY",
        "typeId": 99,
        "label": "Ça va",
        "userEnforcedMaxToObjectIds": 0,
    }
    assert rows("labels:row,type=99", path=LABELS)[99] == {
        "category": "USER_DEFINED",
        "typeId": 99,
        "label": None,
    }


def test_an_answer_can_say_more_beside_its_rows() -> None:
    """Paging, a status, errors: the rows stay; nested keys are made as needed."""
    document = decoded(
        read(
            "read:say,key=paging.next.after,value=2",
            "read:say,key=paging.next.link,value=?after=2",
            "read:say,key=status,value=PENDING",
            "read:say,key=numErrors,value=1",
            'read:say,key=errors,value=[{"message":"no"}]',
        )
    )
    assert len(document.pop("results")) == 2
    assert document == {
        "paging": {"next": {"after": 2, "link": "?after=2"}},
        "status": "PENDING",
        "numErrors": 1,
        "errors": [{"message": "no"}],
    }
    assert decoded(read("read:say,key=results,value=null"))["results"] is None


@pytest.mark.parametrize("status", [200, 202, 203, 206, 207, 299])
def test_a_read_can_be_answered_with_another_status_of_success(status: int) -> None:
    """The rows are those of a usual answer."""
    response = read(f"read:{status}")
    assert response.status == status
    assert response.body == read().body


def test_a_success_can_have_a_body_that_is_none() -> None:
    """Empty, cut, not JSON, or shorter than announced, while the write takes effect."""
    for body, wanted in {"empty": b"", "html": b"<!doctype html>", "cut": b'{"status"'}.items():
        sandbox = Sandbox(example_portal(), options(f"update:200,body={body}"))
        assert write(sandbox, "update", one(28, 3)).body.startswith(wanted)
        assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 3
    assert read("read:200,body=short").delivery == Short()
    assert read("read:204").body == b""


def test_rules_about_the_shape_add_up() -> None:
    """In the order given, along with the rule that decides the answer, but not with an error."""
    faults = ("update:lose", "update:put,key=typeId,value=7", "update:row,type=8", "update:202")
    sandbox = Sandbox(example_portal(), options(*faults))
    response = write(sandbox, "update", one(28, 3))
    assert response.status == 202
    assert [row["typeId"] for row in decoded(response)["results"]] == [7, 8]
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 1
    refused = write(sandbox, "update", object_limit(0))
    assert (refused.status, decoded(refused)["category"]) == (400, "VALIDATION_ERROR")


def test_answers_without_rows_or_without_a_body_stay_as_they_are() -> None:
    """Account details have no rows, and a 204 has nothing."""
    faults = ("any:row,type=9", "any:omit,keys=label", "any:say,key=status,value=PENDING")
    account = decoded(read(*faults, path="/account-info/2026-09/details"))
    assert "results" not in account
    assert account["status"] == "PENDING"
    sandbox = Sandbox(example_portal(), options(*faults))
    assert write(sandbox, "purge", one(28), version="v4").body == b""
