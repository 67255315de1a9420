"""What is not HubSpot's: the page for people and the endpoints for tests."""

from __future__ import annotations

import json

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Request, Response
from tests.sandbox.talking import AUTHORIZED, decoded, get, limits_path, object_limit, one, write

LOCAL = {"host": "127.0.0.1:8080"}


def control(sandbox: Sandbox, method: str, path: str, document: object = None) -> Response:
    """Send a control request as a program of this machine would, without a token."""
    return sandbox.handle(Request(method, path, LOCAL, json.dumps(document).encode()))


def test_requests_can_be_counted() -> None:
    """HubSpot's requests only: looking does not change what is seen."""
    sandbox = Sandbox(example_portal())
    write(sandbox, "update", one(28, 2))
    for _ in range(2):
        (entry,) = decoded(control(sandbox, "GET", "/_sandbox/requests"))["requests"]
        assert (entry["number"], entry["method"], entry["operation"]) == (1, "POST", "update")
        assert (entry["status"], json.loads(entry["body"])["inputs"]) == (200, [one(28, 2)])


def test_history_tells_every_step() -> None:
    """With whether the rule held after it."""
    sandbox = Sandbox(example_portal())
    write(sandbox, "update", object_limit(9), one(28, 7))
    steps = decoded(control(sandbox, "GET", "/_sandbox/history"))["steps"]
    assert [(step["type_id"], step["before"], step["after"]) for step in steps] == [
        (279, 5, 9),
        (28, 1, 7),
    ]
    assert not any(step["breaks_rule"] for step in steps)


def test_limits_can_be_seen_and_edited() -> None:
    """One edit or several; null removes a limit."""
    sandbox = Sandbox(example_portal())
    here = {"from": "contacts", "to": "companies"}
    edit = {**here, "type_id": 28, "max": 3, "category": "USER_DEFINED"}
    assert control(sandbox, "POST", "/_sandbox/limits", edit).status == 200
    edits = [{**here, "type_id": 30, "max": 2}, {**here, "type_id": 279, "max": None}]
    assert control(sandbox, "POST", "/_sandbox/limits", edits).status == 200
    rows = decoded(control(sandbox, "GET", "/_sandbox/limits"))["limits"]
    seen = {(row["type_id"], row["max"]) for row in rows if row["to"] == "companies"}
    assert seen == {(28, 3), (30, 2)}
    assert {row["from"] for row in rows} >= {"contacts", "p1234567_car"}
    assert {step.origin.value for step in sandbox.history} == {"edit"}


@pytest.mark.parametrize(
    "document",
    [
        1,
        [1],
        {},
        {"from": "contacts", "to": "companies", "type_id": 28},
        {"from": "contacts", "to": "companies", "type_id": 999, "max": 1},
        {"from": "car", "to": "companies", "type_id": 28, "max": 1},
        {"from": "contacts", "to": "companies", "type_id": 28, "max": "1"},
        {"from": "contacts", "to": "companies", "type_id": 28, "max": 1, "category": "X"},
    ],
)
def test_a_bad_edit_is_refused(document: object) -> None:
    """400 with a message, and nothing changes."""
    sandbox = Sandbox(example_portal())
    response = control(sandbox, "POST", "/_sandbox/limits", document)
    assert response.status == 400
    assert decoded(response)["message"]
    assert sandbox.history == ()


def test_faults_can_be_replaced_while_it_runs() -> None:
    """A demo can break and repair the portal."""
    sandbox = Sandbox(example_portal())
    assert control(sandbox, "POST", "/_sandbox/faults", {"faults": ["read:503"]}).status == 204
    assert get(sandbox, limits_path("v4")).status == 503
    assert control(sandbox, "POST", "/_sandbox/faults", {"faults": []}).status == 204
    assert get(sandbox, limits_path("v4")).status == 200
    bodies: list[object] = [{"faults": ["x"]}, {"faults": "read:503"}, {"faults": [1]}, []]
    for bad in bodies:
        assert control(sandbox, "POST", "/_sandbox/faults", bad).status == 400


def test_reset_is_at_hand() -> None:
    """Back to the start over HTTP too."""
    sandbox = Sandbox(example_portal())
    write(sandbox, "purge", one(28))
    assert control(sandbox, "POST", "/_sandbox/reset").status == 204
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 1
    assert sandbox.requests == ()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "portal.example.com"},
        {"host": "127.0.0.1.example.com"},
        {"host": "[127.0.0.1"},
        {"host": "localhost:8080", "origin": "https://portal.example.com"},
        {"host": "localhost:8080", "origin": "null"},
        {"host": "localhost:8080", "origin": "http://localhost:3000"},
        {"host": "localhost:8080", "origin": "http://127.0.0.1:8080"},
        {"host": "localhost:8080", "origin": "https://localhost:8080"},
    ],
)
def test_a_page_of_another_site_cannot_reach_in(headers: dict[str, str]) -> None:
    """No token guards these paths, so the caller must be of this machine, and no other page of it."""
    sandbox = Sandbox(example_portal())
    for method, path in (("GET", "/"), ("POST", "/"), ("POST", "/_sandbox/reset")):
        assert sandbox.handle(Request(method, path, headers)).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_the_browser_says_who_sends(site: str) -> None:
    """Another port of this machine is the same site and another origin; a link may lead here."""
    sandbox = Sandbox(example_portal())
    headers = {**LOCAL, "sec-fetch-site": site}
    assert sandbox.handle(Request("POST", "/_sandbox/reset", headers)).status == 403
    assert sandbox.handle(Request("GET", "/", headers)).status == 200


def test_a_name_that_was_bent_to_lead_here_gets_nothing_of_the_portal_either() -> None:
    """A page of such a name could send the token that everybody knows."""
    sandbox = Sandbox(example_portal())
    headers = {**AUTHORIZED, "host": "rebound.example.com:8080"}
    response = sandbox.handle(Request("GET", limits_path("v4"), headers))
    assert response.status == 403
    assert b"Billing" not in response.body
    assert sandbox.handle(Request("GET", limits_path("v4"), {**AUTHORIZED, **LOCAL})).status == 200


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:80", "[::1]:80"])
def test_any_loopback_name_is_answered(host: str) -> None:
    """By number or by name, with or without a port, and from its own page."""
    headers = {"host": host, "origin": f"http://{host}"}
    assert Sandbox(example_portal()).handle(Request("GET", "/", headers)).status == 200


def test_an_unknown_control_path_is_404() -> None:
    """And so is a known one with another method."""
    sandbox = Sandbox(example_portal())
    assert control(sandbox, "GET", "/_sandbox/nothing").status == 404
    assert control(sandbox, "DELETE", "/_sandbox/limits").status == 404
    assert control(sandbox, "PUT", "/").status == 404
