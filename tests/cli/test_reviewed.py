"""`apply --reviewed PLAN.json`: the reviewed plan at hand, and what differs from it where it is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.planning.plan_file import plan_json
from reconciler.planning.saved import read_plan
from tests.cli.running import Desk


@pytest.fixture
def reviewed(pair: Desk) -> Desk:
    """A folder with pair files, and the plan of them that was reviewed."""
    assert pair.run_here("plan", "--out", "reviewed.json").code == 0
    return pair


def change_files(desk: Desk) -> None:
    """After the review one limit more is changed, and one differently."""
    file = desk.folder / "configs/contacts-companies.yaml"
    text = file.read_text("utf-8")
    assert "Billing contact: 2\n" in text
    text = text.replace("Billing contact: 2\n", "Billing contact: 1\n").replace("max: 8", "max: 9")
    file.write_text(text, "utf-8")


def digest(desk: Desk) -> str:
    """The digest of the reviewed plan."""
    found: str = json.loads((desk.folder / "reviewed.json").read_text("utf-8"))["digest"]
    return found


def test_the_plan_that_was_reviewed_is_applied_without_a_question(reviewed: Desk) -> None:
    """As by its digest: the review was the approval."""
    ran = reviewed.run_here("apply", "--reviewed", "reviewed.json")
    assert (ran.code, "error" in ran.err) == (0, False)
    assert ran.last_line == "Apply complete: 1 created, 2 updated, 0 deleted."


def test_a_refusal_says_what_differs(reviewed: Desk) -> None:
    """By kind of difference, with the limits by name; nothing is written."""
    change_files(reviewed)
    for arguments in ((), ("--expect-digest", digest(reviewed))):
        ran = reviewed.run_here("apply", "--reviewed", "reviewed.json", *arguments)
        assert ran.code == 4
        assert f"expected was {digest(reviewed)}" in ran.err
        assert '  - 1 change is gone (contacts → companies "Billing contact")\n' in ran.err
        assert "  - 1 change differs (contacts → companies 5 → 9 instead of 5 → 8)\n" in ran.err
    assert reviewed.writes() == []


def test_the_json_of_a_refusal_says_it_too(reviewed: Desk) -> None:
    """In the message of the result."""
    change_files(reviewed)
    ran = reviewed.run_here("apply", "--reviewed", "reviewed.json", "--format", "json")
    assert (ran.code, ran.json["outcome"]) == (4, "refused")
    assert "1 change differs (contacts → companies 5 → 9 instead of 5 → 8)" in ran.json["message"]


def test_a_saved_plan_is_held_against_the_reviewed_one(reviewed: Desk) -> None:
    """What a pipeline carries from job to job may be checked, too."""
    change_files(reviewed)
    reviewed.run_here("plan", "--out", "now.json")
    ran = reviewed.run_here("apply", "now.json", "--reviewed", "reviewed.json")
    assert ran.code == 4
    assert "  - 1 change differs (" in ran.err
    same = reviewed.run_here("apply", "now.json", "--reviewed", "now.json")
    assert (same.code, "error" in same.err) == (0, False)


def test_a_plan_that_is_not_the_expected_one_is_said_to_be_so(reviewed: Desk) -> None:
    """Before anything is asked of the portal."""
    expected = "sha256:" + "0" * 64
    assert reviewed.server is not None
    asked = len(reviewed.server.requests)
    ran = reviewed.run_here("apply", "--reviewed", "reviewed.json", "--expect-digest", expected)
    assert ran.code == 4
    words = "reviewed.json is not the plan that --expect-digest names: its digest is "
    assert f"{words}{digest(reviewed)}, expected was {expected}" in ran.err
    assert len(reviewed.server.requests) == asked


def test_a_reviewed_plan_of_another_portal_is_said_to_be_so(reviewed: Desk) -> None:
    """The first difference, since it explains all others."""
    file = reviewed.folder / "reviewed.json"
    plan = read_plan(file.read_bytes())
    file.write_text(plan_json(replace(plan, portal=replace(plan.portal, portal_id=7))), "utf-8")
    ran = reviewed.run_here("apply", "--reviewed", "reviewed.json")
    assert ran.code == 4
    assert f"  - it is for portal {plan.portal.portal_id} instead of 7\n" in ran.err


def test_an_altered_reviewed_plan_is_refused(reviewed: Desk) -> None:
    """As any other plan file, and in JSON where that is asked for."""
    file = reviewed.folder / "reviewed.json"
    file.write_text(file.read_text("utf-8").replace('"after":8', '"after":9'), "utf-8")
    ran = reviewed.run_here("apply", "--reviewed", "reviewed.json", "--format", "json")
    assert (ran.code, ran.json["outcome"]) == (4, "refused")
    assert "reviewed.json: the plan file was altered" in ran.err


def test_nothing_to_do_is_not_refused(reviewed: Desk) -> None:
    """A pipeline that runs again: nothing is written, so nothing that was not reviewed can be."""
    assert reviewed.run_here("apply", "--reviewed", "reviewed.json").code == 0
    ran = reviewed.run_here("apply", "--reviewed", "reviewed.json")
    assert ran.code == 0
    assert "is not the one made now" in ran.out
