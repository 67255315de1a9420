"""2xx answers in a shape that no document promises, which a client must not misread."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Response, Short
from tests.sandbox.talking import (
    VERSIONS,
    get,
    limits_path,
    object_limit,
    one,
    options,
    told,
    write,
)

LABELS = "/crm/associations/2026-09/contacts/companies/labels"
ALL = "/crm/associations/2026-09/definitions/configurations/all"


def read(*faults: str, path: str = limits_path("2026-09")) -> Response:
    """A read of contacts → companies under these rules."""
    return get(Sandbox(example_portal(), options(*faults)), path)


def rows(*faults: str, path: str = limits_path("2026-09")) -> dict[int, dict[str, Any]]:
    """The rows of a read under these rules, by type ID."""
    return {row["typeId"]: row for row in told(read(*faults, path=path))["results"]}


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
    everywhere = told(read("all:omit,keys=label", path=ALL))["results"]
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
    document = told(
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
    assert told(read("read:say,key=results,value=null"))["results"] is None


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
    assert [row["typeId"] for row in told(response)["results"]] == [7, 8]
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 1
    refused = write(sandbox, "update", object_limit(0))
    assert (refused.status, told(refused)["category"]) == (400, "VALIDATION_ERROR")


def test_answers_without_rows_or_without_a_body_stay_as_they_are() -> None:
    """Account details have no rows, and a 204 has nothing."""
    faults = ("any:row,type=9", "any:omit,keys=label", "any:say,key=status,value=PENDING")
    account = told(read(*faults, path="/account-info/2026-09/details"))
    assert "results" not in account
    assert account["status"] == "PENDING"
    sandbox = Sandbox(example_portal(), options(*faults))
    assert write(sandbox, "purge", one(28), version="v4").body == b""
