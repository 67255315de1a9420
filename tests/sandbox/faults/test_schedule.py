"""Rules strike at the requests they select, as often as they say."""

from __future__ import annotations

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Request
from tests.sandbox.talking import (
    AUTHORIZED,
    batch_path,
    get,
    limits_path,
    object_limit,
    one,
    options,
    send,
    write,
)

ACCOUNT = "/account-info/2026-03/details"
ALL = "/crm/associations/2026-03/definitions/configurations/all"
LABELS = "/crm/associations/2026-03/contacts/companies/labels"
SCHEMAS = "/crm-object-schemas/2026-03/schemas"
USAGE = "/crm/limits/2026-03/associations/records/0-1/0-2"


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ("read", {"read"}),
        ("all", {"all"}),
        ("labels", {"labels"}),
        ("update", {"update"}),
        ("create", {"create"}),
        ("purge", {"purge"}),
        ("write", {"update", "create", "purge"}),
        ("limits", {"read", "all", "update", "create", "purge"}),
        ("account", {"account"}),
        ("schemas", {"schemas"}),
        ("usage", {"usage"}),
        ("POST", {"update", "create", "purge"}),
        ("GET", {"read", "all", "labels", "account", "schemas", "usage"}),
        (
            "any",
            {
                "read",
                "all",
                "labels",
                "update",
                "create",
                "purge",
                "account",
                "schemas",
                "usage",
            },
        ),
    ],
)
def test_a_rule_strikes_its_operations_only(when: str, struck: set[str]) -> None:
    """Operations, groups and methods select what their names say."""
    sandbox = Sandbox(example_portal(), options(f"{when}:503"))
    responses = {
        "read": get(sandbox, limits_path("2026-03")),
        "all": get(sandbox, ALL),
        "labels": get(sandbox, LABELS),
        "update": write(sandbox, "update", one(28, 2)),
        "create": write(sandbox, "create", one(30, 2)),
        "purge": write(sandbox, "purge", one(28)),
        "account": get(sandbox, ACCOUNT),
        "schemas": get(sandbox, SCHEMAS),
        "usage": get(sandbox, USAGE),
    }
    assert {name for name, response in responses.items() if response.status == 503} == struck


def test_a_rule_counts_the_requests_it_selects() -> None:
    """`#2-3` are the second and third read, whatever else happens in between."""
    sandbox = Sandbox(example_portal(), options("read#2-3:503"))
    statuses = []
    for _ in range(4):
        get(sandbox, ACCOUNT)
        statuses.append(get(sandbox, limits_path("v4")).status)
    assert statuses == [200, 503, 503, 200]


def test_a_rule_ends_after_so_many_uses() -> None:
    """`times=2` strikes twice and then no more."""
    sandbox = Sandbox(example_portal(), options("read:503,times=2"))
    assert [get(sandbox, limits_path("v4")).status for _ in range(4)] == [503, 503, 200, 200]


def test_a_rule_can_be_about_one_direction() -> None:
    """Compared as object types, so that IDs and names are the same; others are not counted."""
    sandbox = Sandbox(example_portal(), options("read@contacts/companies#2:503"))
    paths = [("0-1", "0-2"), ("companies", "contacts"), ("Contact", "company"), ("0-1", "0-2")]
    statuses = [get(sandbox, limits_path("v4", *path)).status for path in paths]
    assert statuses == [200, 200, 503, 200]


def test_the_first_rule_that_decides_an_answer_wins() -> None:
    """Later ones are counted all the same."""
    sandbox = Sandbox(example_portal(), options("read#1:503", "any#1-2:404"))
    assert [get(sandbox, limits_path("v4")).status for _ in range(3)] == [503, 404, 200]


def test_edits_headers_and_delays_go_along_with_other_rules() -> None:
    """An edit, rate headers, a delay and a status strike one request together."""
    sandbox = Sandbox(
        example_portal(),
        options(
            "any:503,times=1",
            "any#1:edit,from=contacts,to=companies,type=28,max=4",
            "any#1:rate,max=100,remaining=1",
            "any#1:delay,seconds=2",
            "any#1:delay,seconds=1",
        ),
    )
    response = get(sandbox, limits_path("v4"))
    assert (response.status, response.delay) == (503, 3.0)
    assert dict(response.headers)["X-HubSpot-RateLimit-Remaining"] == "1"
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 4


def test_a_refusal_by_type_counts_only_batches_with_the_type() -> None:
    """`#2` of a rule about type 28 is the second batch that has it."""
    sandbox = Sandbox(example_portal(), options("write#2:refuse,types=28"))
    statuses = [
        write(sandbox, "update", *inputs).status
        for inputs in ([one(28, 2)], [one(30, 2)], [one(30, 2), one(28, 2)], [one(28, 2)])
    ]
    assert statuses == [200, 200, 400, 200]


def test_requests_without_the_token_are_not_counted() -> None:
    """Numbers in a rule are about requests that get as far as HubSpot's endpoints."""
    sandbox = Sandbox(example_portal(), options("read#1:503"))
    assert sandbox.handle(Request("GET", limits_path("v4"))).status == 401
    assert sandbox.handle(Request("GET", limits_path("v4"), AUTHORIZED)).status == 503


def test_a_malformed_batch_is_counted_and_answered_as_usual() -> None:
    """A rule that misreports batches has nothing to say about a body that is none."""
    sandbox = Sandbox(example_portal(), options("write:lose", "write@car/0-1:503"))
    assert send(sandbox, "POST", batch_path("update"), {}).status == 400
    assert send(sandbox, "POST", batch_path("update", start="car"), {}).status == 400
    assert write(sandbox, "update", object_limit(9)).status == 200
    assert sandbox.limits("contacts", "companies")["HUBSPOT_DEFINED", 279] == 5
