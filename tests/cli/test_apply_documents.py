"""`apply --format json`: one result document however it ends, an array for several portals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import validate

from reconciler.applying.result_file import result_schema
from reconciler.sandbox.example import example_portal
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN, Options, Sandbox
from tests.cli.running import Desk

SCHEMA = result_schema()
IDS = {
    "companies>contacts/USER_DEFINED/31",
    "contacts>companies/HUBSPOT_DEFINED/279",
    "contacts>companies/USER_DEFINED/28",
}
ONE_CHANGE = "version: 1\nsafety: {max_changes: 1}\n"


def _applied_before(desk: Desk) -> None:
    desk.run_here("apply", "plan.json")


def _one_change_allowed(desk: Desk) -> None:
    desk.write("reconciler.yaml", ONE_CHANGE)


def _faults(*rules: str) -> Callable[[Desk], None]:
    def set_faults(desk: Desk) -> None:
        assert desk.server is not None
        desk.server.set_faults([parse_fault(rule) for rule in rules])

    return set_faults


def _nothing(_: Desk) -> None:
    """Everything is as it should be."""


Prepare = Callable[[Desk], None]
NOT_SENT = "not_attempted"
"""After the first refusal of the token, another thread may have sent its request, or not."""
FROM_FILES = ("--auto-approve",)
ENDS: dict[str, tuple[tuple[str, ...], Prepare, int, str, set[str]]] = {
    "applied": (("plan.json",), _nothing, 0, "applied", {"verified"}),
    "applied from files": (FROM_FILES, _nothing, 0, "applied", {"verified"}),
    "nothing": (FROM_FILES, _applied_before, 0, "nothing", set()),
    "dry run": (("plan.json", "--dry-run"), _nothing, 0, "nothing", {"not_attempted"}),
    "stale": (("plan.json",), _applied_before, 4, "refused", {"not_attempted"}),
    "past a threshold": (FROM_FILES, _one_change_allowed, 4, "refused", {"not_attempted"}),
    "not approved": ((), _nothing, 4, "refused", {"not_attempted"}),
    "another digest": (
        ("--expect-digest", f"sha256:{0:064}"),
        _nothing,
        4,
        "refused",
        {"not_attempted"},
    ),
    "forbidden": (("plan.json",), _faults("write:403"), 1, "failed", {"failed", "not_attempted"}),
    "not accepted": (FROM_FILES, _faults("any:401"), 1, "failed", set()),
    "incomplete": (
        ("plan.json",),
        _faults("write@companies/contacts:400"),
        5,
        "incomplete",
        {"verified", "uncertain"},
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_result_document_says_how_each_change_ended(pair: Desk, end: str) -> None:
    """It keeps to its schema; each change has its portal's names, label, values and line."""
    arguments, prepare, code, outcome, statuses = ENDS[end]
    pair.run_here("plan", "--out", "plan.json")
    prepare(pair)
    assert pair.server is not None
    before = len(pair.server.requests)
    ran = pair.run_here("apply", *arguments, "--format", "json", "--verify-timeout", "1")
    assert ran.code == code
    document = ran.json
    validate(document, SCHEMA)
    assert document["outcome"] == outcome
    assert document["portal"]["name"] == "default"
    assert document["requests"] == len(pair.server.requests) - before
    assert {each["status"] for each in document["changes"]} in (
        statuses,
        statuses - {NOT_SENT} or statuses,
    )
    assert {each["id"] for each in document["changes"]} == (IDS if statuses else set())
    assert document["started_at"] <= document["finished_at"]
    for change in document["changes"]:
        assert change["source"]["path"] == "configs/contacts-companies.yaml"
        assert (change["from"], change["to"]) == tuple(change["id"].partition("/")[0].split(">"))
        assert ("error" in change) is (change["status"] != "verified" and end != "dry run")


def test_several_portals_answer_in_one_array(pair: Desk) -> None:
    """In the workspace's order: one applied, one that has no token, one with nothing to do."""
    limits = Sandbox(example_portal(7), Options("pat-eu1-of-the-other"))
    with serve(example_portal(), others=[limits]) as server:
        desk = Desk(pair.folder, server, {"HUBSPOT_OTHER": "pat-eu1-of-the-other"})
        desk.variables["HUBSPOT_ACCESS_TOKEN"] = DEFAULT_TOKEN
        desk.write(
            "reconciler.yaml",
            "version: 1\nportals:\n  b: {token: {env: HUBSPOT_OTHER}}\n"
            "  none: {token: {env: HUBSPOT_MISSING}}\n  a: {token: {env: HUBSPOT_ACCESS_TOKEN}}\n",
        )
        assert desk.run_here("apply", "--portal", "a", "--auto-approve").code == 0
        ran = desk.run_here("apply", "--all-portals", "--auto-approve", "--format", "json")
    documents: list[dict[str, Any]] = json.loads(ran.out)
    assert [_name(each) for each in documents] == ["b", "none", "a"]
    assert [each["outcome"] for each in documents] == ["applied", "failed", "nothing"]
    for each in documents:
        validate(each, SCHEMA)
    assert ran.code == 5


def _name(document: dict[str, Any]) -> str:
    name: str = document["portal"]["name"]
    return name
