"""Failures in place of the usual answer, before or after the write took effect."""

from __future__ import annotations

import json

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Dropped, Hanging, Response, Short, Streamed
from tests.sandbox.talking import Clock, get, limits_path, one, options, told, write


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
    document = told(response)
    assert response.status == code
    assert (document["status"], document.get("category")) == ("error", category)
    assert document["correlationId"]
    assert dict(response.headers)["Retry-After"] == "7"


@pytest.mark.parametrize("policy", ["SECONDLY", "TEN_SECONDLY_ROLLING", "DAILY"])
def test_a_429_names_its_policy_and_promises_nothing(policy: str) -> None:
    """No Retry-After unless the rule has one."""
    response = struck(f"read:429,policy={policy}")
    assert told(response)["policyName"] == policy
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
    """They tell the adapter what to do with the connection; the journal has no status."""
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
