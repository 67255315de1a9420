"""`handle` as a whole: token, journal, history, edits and reset."""

from __future__ import annotations

import json

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.faults.language import FaultError
from reconciler.sandbox.portal import Category
from reconciler.sandbox.stand_in import Options, Sandbox
from reconciler.sandbox.state import Origin
from reconciler.sandbox.wire import Request
from tests.sandbox.talking import (
    AUTHORIZED,
    batch_path,
    decoded,
    get,
    limits_path,
    one,
    options,
    write,
)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer other"},
        {"authorization": "sandbox-token"},
        {"authorization": "Basic sandbox-token"},
        {"authorization": "Bearer sändbox-token"},
    ],
)
def test_without_the_token_nothing_is_answered(headers: dict[str, str]) -> None:
    """401 INVALID_AUTHENTICATION with a correlation ID, and nothing is written."""
    sandbox = Sandbox(example_portal(), correlation_id=lambda: "the-id")
    response = sandbox.handle(Request("GET", limits_path("v4"), headers))
    document = decoded(response)
    assert response.status == 401
    assert (document["category"], document["correlationId"]) == (
        "INVALID_AUTHENTICATION",
        "the-id",
    )


def test_requests_are_recorded_without_the_token() -> None:
    """Method, path, operation, body and status of each request, in order."""
    sandbox = Sandbox(example_portal(), options("read:drop"))
    write(sandbox, "update", one(28, 2))
    get(sandbox, limits_path("v4") + "?x=1")
    get(sandbox, "/nonsense")
    told_entries = [(one.number, one.operation, one.status) for one in sandbox.requests]
    assert told_entries == [(1, "update", 200), (2, "read", None), (3, None, 404)]
    assert sandbox.requests[0].body.startswith('{"inputs"')
    assert sandbox.requests[1].path.endswith("/companies?x=1")
    assert "sandbox-token" not in repr(sandbox.requests)


def test_history_has_every_change_with_the_state_after_it() -> None:
    """Each step knows its limit, both values and what the direction then had."""
    sandbox = Sandbox(example_portal())
    write(sandbox, "update", one(30, 3), one(28, 2))
    first, second = sandbox.history
    assert (first.key.type_id, first.before, first.after) == (30, None, 3)
    assert (second.key.type_id, second.before, second.after) == (28, 1, 2)
    assert sorted(second.limits.values()) == [2, 3, 5]
    assert second.origin is Origin.REQUEST


def test_an_edit_changes_a_limit_behind_the_clients_back() -> None:
    """Rules are not asked; the history distinguishes an edit from a request."""
    sandbox = Sandbox(example_portal())
    sandbox.edit("contacts", "companies", 28, 9)
    sandbox.edit("contacts", "companies", 279, None, Category.HUBSPOT_DEFINED)
    assert sandbox.limits("contacts", "companies") == {("USER_DEFINED", 28): 9}
    assert [(step.origin, step.breaks_rule) for step in sandbox.history] == [
        (Origin.EDIT, True),
        (Origin.EDIT, False),
    ]


def test_an_edit_of_what_is_not_there_is_an_error() -> None:
    """Unknown object types, type IDs and categories do not pass silently."""
    sandbox = Sandbox(example_portal())
    with pytest.raises(LookupError, match="car"):
        sandbox.edit("car", "companies", 28, 9)
    with pytest.raises(LookupError, match="no association type 999"):
        sandbox.edit("contacts", "companies", 999, 9)
    with pytest.raises(LookupError, match="no association type 28"):
        sandbox.edit("contacts", "companies", 28, 9, Category.WORK)


def test_reset_goes_back_to_the_start() -> None:
    """Limits, journal, history, windows and the counting of faults begin anew."""
    sandbox = Sandbox(example_portal(), options("read#2:503", rate=3))
    write(sandbox, "update", one(28, 2))
    get(sandbox, limits_path("v4"))
    sandbox.reset()
    assert (sandbox.requests, sandbox.history) == ((), ())
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 1
    statuses = [get(sandbox, limits_path("v4")).status for _ in range(3)]
    assert statuses == [200, 503, 200]


def test_a_rule_about_a_limit_that_cannot_be_is_refused_at_the_start() -> None:
    """An `edit` of an unknown type would only fail in the middle of a test."""
    for rule in (
        "any:edit,from=car,to=deals,type=1,max=1",
        "any:edit,from=0-1,to=0-2,type=9,max=1",
    ):
        with pytest.raises(FaultError, match="In the fault rule"):
            Sandbox(example_portal(), options(rule))


def test_the_portal_given_is_never_changed() -> None:
    """Portals are values: two stand-ins may share one."""
    portal = example_portal()
    sandbox = Sandbox(portal)
    sandbox.handle(Request("GET", limits_path("v4"), AUTHORIZED))
    write(sandbox, "purge", one(28))
    assert portal.limits("contacts", "companies")["USER_DEFINED", 28] == 1


def test_another_portal_is_reached_by_its_token() -> None:
    """Behind the same address: each token reads and writes its own portal, no other one any."""
    other = Sandbox(example_portal(77), Options(token="second"))
    sandbox = Sandbox(example_portal(), others=[other])
    body = json.dumps({"inputs": [one(28, 3)]}).encode()
    headers = {"authorization": "Bearer second"}
    assert sandbox.handle(Request("POST", batch_path("update"), headers, body)).status == 200
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 1
    assert other.limits("contacts", "companies")["USER_DEFINED", 28] == 3
    assert (len(sandbox.requests), len(other.requests)) == (0, 1)
    third = {"authorization": "Bearer third"}
    assert sandbox.handle(Request("GET", limits_path("v4"), third)).status == 401
