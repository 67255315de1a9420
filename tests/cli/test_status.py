"""The limits in force: what the files manage, what nobody manages, and who is at a limit."""

from __future__ import annotations

import pytest

from reconciler.sandbox.faults.language import parse_fault
from tests.cli.running import Desk

PAIR = """\
from: contacts
to: companies
max: 8
prune: false
"""


@pytest.fixture
def one_pair(desk: Desk) -> Desk:
    """Contacts → companies is declared without pruning; the other directions are not."""
    desk.write("configs/contacts-companies.yaml", PAIR)
    return desk


def spoil(desk: Desk, *rules: str) -> None:
    """Put these fault rules in force."""
    assert desk.server is not None
    desk.server.set_faults(parse_fault(rule) for rule in rules)


def test_every_limit_is_managed_unmanaged_or_uncovered(one_pair: Desk) -> None:
    """With what the files want where that is something else."""
    ran = one_pair.run_here("status", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["summary"] == {"limits": 6, "managed": 1, "unmanaged": 1, "uncovered": 4}
    limits = {(each["from"], each["to"], each["label"]): each for each in ran.json["limits"]}
    managed = limits["contacts", "companies", None]
    assert (managed["max"], managed["wanted"], managed["source"]["line"]) == (5, 8, 3)
    assert limits["contacts", "companies", "Billing contact"]["standing"] == "unmanaged"
    assert limits["car", "contacts", None]["standing"] == "uncovered"
    assert one_pair.writes() == []


def test_the_text_ends_in_the_counts(one_pair: Desk) -> None:
    """A table per object type above them."""
    ran = one_pair.run_here("status")
    assert '\ncontacts\n  → contacts   "Manager"          1  uncovered\n' in ran.out
    assert "  → companies  object limit       5  12 at the limit, 40 near it; the files" in ran.out
    assert "the files want 8 (configs/contacts-companies.yaml:3" in ran.out
    assert ran.last_line == (
        "6 limits: 1 managed, 1 unmanaged, 4 uncovered. 1 limit not as the files want."
    )


def test_usage_is_asked_for_where_records_are_near_a_limit(one_pair: Desk) -> None:
    """One sweep says which object types those are."""
    ran = one_pair.run_here("status", "--format", "json")
    (usage,) = [
        each for each in ran.json["usage"] if each["from_id"] == "0-1" and each["to_id"] == "0-2"
    ]
    assert (usage["at_limit"], usage["near_limit"]) == (12, 40)
    assert "12 at the limit, 40 near it" in one_pair.run_here("status").out


def test_usage_that_is_not_shown_is_unknown(one_pair: Desk) -> None:
    """A missing scope is not zero records."""
    spoil(one_pair, "usage-types:403")
    assert one_pair.run_here("status", "--format", "json").json["usage"] is None
    assert "usage unknown" in one_pair.run_here("status").out


def test_without_files_everything_is_uncovered(desk: Desk) -> None:
    """A portal can be looked at before there is a repository."""
    ran = desk.run_here("status")
    assert ran.last_line == "6 limits: 6 uncovered."


def test_a_limit_without_a_direction_is_listed(desk: Desk) -> None:
    """Never dropped: its category and ID are there."""
    spoil(desk, "schemas:403")
    out = desk.run_here("status").out
    assert "its direction is not known: USER_DEFINED/40, limit 4" in out
    assert "crm.schemas.custom.read" in out


def test_the_page_has_a_table_per_object_type(one_pair: Desk) -> None:
    """It needs nothing from outside."""
    page = one_pair.run_here("status", "--format", "html").out
    assert page.startswith("<!doctype html>")
    assert page.count("<table") == 4
    assert "uncovered" in page
    assert "<script" not in page
