"""How two portals differ, by object types and labels, without any file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.sandbox.example import bare_portal, example_portal
from reconciler.sandbox.portal import AccountType, AssociationType, Category, ObjectType, Portal
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import Options, Sandbox
from tests.cli.running import Desk

OTHER_TOKEN = "pat-eu1-of-the-sandbox-account"
WORKSPACE = """version: 1
portals:
  production: {token: {env: HUBSPOT_ACCESS_TOKEN}}
  sandbox: {token: {env: HUBSPOT_SANDBOX_TOKEN}}
"""


def other_portal() -> Portal:
    """A sandbox account: other type IDs, a custom object of the same name, some limits differ."""
    car = ObjectType("2-77", "car", "cars", "p7654321_car")
    portal = bare_portal(7654321, AccountType.SANDBOX)
    portal = replace(portal, object_types=portal.object_types.extended([car]))
    for start, end, label, type_id in (
        ("contacts", "companies", "Billing contact", 901),
        ("companies", "contacts", "Billing contact", 902),
        ("deals", "contacts", "Champion", 903),
        ("2-77", "contacts", None, 904),
    ):
        one = AssociationType(Category.USER_DEFINED, type_id, label)
        portal = portal.with_type(start, end, one)
    for start, end, type_id, limit in (
        ("contacts", "companies", 279, 10),
        ("contacts", "companies", 901, 1),
        ("companies", "contacts", 902, 2),
        ("2-77", "contacts", 904, 4),
        ("companies", "deals", 342, 9),
    ):
        portal = portal.with_limit(start, end, type_id, limit)
    return portal


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Desk]:
    """A production portal and its sandbox account, in one workspace."""
    other = Sandbox(other_portal(), Options(OTHER_TOKEN))
    with serve(example_portal(), others=[other]) as server:
        desk = Desk(tmp_path, server, {"HUBSPOT_SANDBOX_TOKEN": OTHER_TOKEN})
        desk.write("reconciler.yaml", WORKSPACE)
        yield desk


def test_what_differs_is_named_by_object_types_and_labels(two: Desk) -> None:
    """Other type IDs and another ID of the custom object are no difference."""
    ran = two.run_here("compare", "production", "sandbox", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["shared"] == 3
    assert [
        (each["from"], each["to"], each["label"], each["values"], each["lacking"])
        for each in ran.json["differences"]
    ] == [
        ("companies", "deals", None, [None, 9], None),
        ("contacts", "companies", None, [5, 10], None),
        ("contacts", "contacts", "Manager", [1, None], "label"),
        ("deals", "contacts", "Champion", [1, None], None),
    ]
    assert [each["portal_id"] for each in ran.json["portals"]] == [1234567, 7654321]
    assert two.writes() == []


def test_the_text_says_what_exists_on_one_side_only(two: Desk) -> None:
    """With the counts on the last line, to grep."""
    ran = two.run_here("compare", "production", "sandbox")
    assert "sandbox (portal 7654321, SANDBOX)" in ran.out
    assert "sandbox has no such label" in ran.out
    assert ran.last_line == (
        "4 limits differ: 1 with another value, 2 only in production, 1 only in sandbox. "
        "The same in both: 3."
    )


def test_the_markdown_is_one_table(two: Desk) -> None:
    """For a comment or an issue."""
    out = two.run_here("compare", "production", "sandbox", "--format", "markdown").out
    assert "| direction | limit | `production` | `sandbox` | |" in out
    assert "| `contacts → companies` | `object limit` | 5 | 10 |" in out


def test_equal_portals_have_no_differences(two: Desk) -> None:
    """Two tokens of one portal."""
    two.variables["HUBSPOT_SANDBOX_TOKEN"] = "sandbox-token"
    ran = two.run_here("compare", "production", "sandbox", "--detailed-exitcode")
    assert (ran.code, ran.last_line) == (0, "No differences. 6 limits in both portals.")


def test_the_exit_code_can_say_that_they_differ(two: Desk) -> None:
    """As `plan --detailed-exitcode` does."""
    assert two.run_here("compare", "production", "sandbox", "--detailed-exitcode").code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["production", "production"], "two different portals"),
        (["production", "nowhere"], "nowhere"),
        (["production", "sandbox", "--all-portals"], "two portals"),
    ],
)
def test_wrong_names_are_wrong_usage(two: Desk, arguments: list[str], words: str) -> None:
    """Before anything is sent."""
    ran = two.run_here("compare", *arguments)
    assert ran.code == 64
    assert words in ran.err


def test_a_portal_that_fails_is_named(two: Desk) -> None:
    """Half a comparison would be none."""
    two.variables["HUBSPOT_SANDBOX_TOKEN"] = "pat-wrong"
    ran = two.run_here("compare", "production", "sandbox")
    assert ran.code == 1
    assert "HUBSPOT_SANDBOX_TOKEN" in ran.err
