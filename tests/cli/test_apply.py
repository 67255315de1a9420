"""`apply` as a process against the sandbox: approval, refusals, results."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from reconciler.applying.result_file import result_schema
from tests.cli.running import Desk

WANTED = {("HUBSPOT_DEFINED", 279): 8, ("USER_DEFINED", 28): 2}


def test_a_saved_plan_is_applied_as_reviewed(pair: Desk) -> None:
    """No question asked: the review was the approval."""
    pair.run_here("plan", "--out", "plan.json")
    ran = pair.run_here("apply", "plan.json")
    assert (ran.code, ran.last_line) == (0, "Apply complete: 1 created, 2 updated, 0 deleted.")
    assert pair.server is not None
    assert pair.server.limits("contacts", "companies") == WANTED


def test_paths_need_a_yes(pair: Desk) -> None:
    """No terminal, no --auto-approve: refused, nothing written."""
    ran = pair.run_here("apply", stdin="yes\n")
    assert ran.code == 4
    assert "not approved" in ran.err
    assert pair.writes() == []


def test_auto_approve_plans_and_applies(pair: Desk) -> None:
    """The plan is shown, then the result; a second apply writes nothing."""
    ran = pair.run_here("apply", "--auto-approve")
    assert ran.code == 0
    assert "Plan: 1 to create, 2 to update, 0 to delete." in ran.out
    assert ran.last_line == "Apply complete: 1 created, 2 updated, 0 deleted."
    written = pair.writes()
    again = pair.run_here("apply", "--auto-approve")
    assert (again.code, again.last_line) == (0, "No changes. The portal matches the configuration.")
    assert pair.writes() == written


def test_the_result_document_is_what_its_schema_says(pair: Desk) -> None:
    """One line per change, each verified."""
    ran = pair.run_here("apply", "--auto-approve", "--format", "json")
    jsonschema.validate(ran.json, result_schema())
    assert ran.json["outcome"] == "applied"
    assert {each["status"] for each in ran.json["changes"]} == {"verified"}
    assert pair.server is not None
    assert ran.json["requests"] <= len(pair.server.requests)


def test_nothing_to_do_is_a_result_too(pair: Desk) -> None:
    """Outcome `nothing`, exit 0."""
    pair.run_here("apply", "--auto-approve")
    ran = pair.run_here("apply", "--auto-approve", "--format", "json")
    assert (ran.code, ran.json["outcome"], ran.json["changes"]) == (0, "nothing", [])


def test_a_saved_plan_without_changes_says_so(pair: Desk) -> None:
    """The pipeline applies it like any other."""
    pair.run_here("apply", "--auto-approve")
    pair.run_here("plan", "--out", "plan.json")
    ran = pair.run_here("apply", "plan.json")
    assert (ran.code, ran.last_line) == (0, "No changes. The portal matches the configuration.")


def test_a_stale_plan_is_refused(pair: Desk) -> None:
    """Somebody edits in HubSpot between review and apply: exit 4, what differs, no write."""
    pair.run_here("plan", "--out", "plan.json")
    assert pair.server is not None
    pair.server.edit("contacts", "companies", 28, 4)
    ran = pair.run_here("apply", "plan.json", "--format", "json")
    assert ran.code == 4
    assert "the plan expects 1, the portal shows 4" in ran.err
    assert ran.json["outcome"] == "refused"
    assert pair.writes() == []


def test_a_replayed_plan_is_refused(pair: Desk) -> None:
    """Applied once, it says so the second time."""
    pair.run_here("plan", "--out", "plan.json")
    assert pair.run_here("apply", "plan.json").code == 0
    ran = pair.run_here("apply", "plan.json")
    assert ran.code == 4
    assert "applied before" in ran.err


def edit_limit(document: dict[str, Any]) -> None:
    """Raise a limit in the file."""
    document["changes"][0]["after"] = 50


def edit_portal(document: dict[str, Any]) -> None:
    """Point the file at another portal."""
    document["portal"]["portal_id"] = 1


@pytest.mark.parametrize("edit", [edit_limit, edit_portal])
def test_an_altered_plan_is_refused(pair: Desk, edit: Callable[[dict[str, Any]], None]) -> None:
    """The digest does not fit any more."""
    pair.run_here("plan", "--out", "plan.json")
    file = pair.folder / "plan.json"
    document = json.loads(file.read_text("utf-8"))
    edit(document)
    file.write_text(json.dumps(document), "utf-8")
    ran = pair.run_here("apply", "plan.json")
    assert ran.code == 4
    assert "altered" in ran.err
    assert pair.writes() == []


def test_a_plan_for_another_portal_is_refused(pair: Desk) -> None:
    """The token decides which portal it is."""
    pair.run_here("plan", "--out", "plan.json")
    from reconciler.sandbox.example import example_portal
    from reconciler.sandbox.server import serve

    with serve(example_portal(99)) as other:
        pair.server = other
        ran = pair.run_here("apply", "plan.json")
        assert ran.code == 4
        assert "1234567" in ran.err
        assert pair.writes() == []


def test_a_plan_for_a_portal_the_workspace_knows_by_another_id_is_refused(pair: Desk) -> None:
    """Name and portal ID have to agree, before anything is sent."""
    pair.run_here("plan", "--out", "plan.json")
    pair.write("reconciler.yaml", "version: 1\nportals: {default: {portal_id: 99}}\n")
    assert pair.server is not None
    before = len(pair.server.requests)
    ran = pair.run_here("apply", "plan.json")
    assert ran.code == 4
    assert "the workspace names 99" in ran.err
    assert len(pair.server.requests) == before


def test_a_dry_run_checks_and_writes_nothing(pair: Desk) -> None:
    """Exit 0 while the plan fits, 4 when it does not."""
    pair.run_here("plan", "--out", "plan.json")
    ran = pair.run_here("apply", "plan.json", "--dry-run")
    assert ran.code == 0
    assert "Nothing was written." in ran.last_line
    assert pair.server is not None
    pair.server.edit("contacts", "companies", 28, 4)
    assert pair.run_here("apply", "plan.json", "--dry-run").code == 4
    assert pair.writes() == []
    assert pair.run_here("apply", "--dry-run").code == 64


def test_an_expected_digest_stands_for_the_review(pair: Desk) -> None:
    """Planned afresh, applied if it is the reviewed plan, refused if not."""
    digest = pair.run_here("plan", "--format", "json").json["digest"]
    assert pair.server is not None
    pair.server.edit("contacts", "companies", 28, 4)
    ran = pair.run_here("apply", "--expect-digest", digest)
    assert ran.code == 4
    assert "not the plan that was reviewed" in ran.err
    assert pair.writes() == []
    pair.server.edit("contacts", "companies", 28, 1)
    assert pair.run_here("apply", "--expect-digest", digest).code == 0
    assert pair.run_here("apply", "--expect-digest", "sha256:12").code == 64


def test_another_plan_with_nothing_to_do_is_said(pair: Desk) -> None:
    """The merged plan was applied before: exit 0, in words on stdout and in the JSON."""
    digest = pair.run_here("plan", "--format", "json").json["digest"]
    assert pair.run_here("apply", "--expect-digest", digest).code == 0
    ran = pair.run_here("apply", "--expect-digest", digest)
    assert ran.code == 0
    assert f"The plan that was reviewed ({digest}) is not the one made now" in ran.out
    assert ran.last_line == "No changes. The portal matches the configuration."
    ran = pair.run_here("apply", "--expect-digest", digest, "--format", "json")
    assert (ran.code, ran.json["outcome"]) == (0, "nothing")
    assert "is not the one made now" in ran.json["message"]
    now = pair.run_here("plan", "--format", "json").json["digest"]
    ran = pair.run_here("apply", "--expect-digest", now, "--format", "json")
    assert (ran.code, ran.json["message"]) == (0, None)


def test_a_plan_past_a_threshold_renders_and_is_refused(desk: Desk) -> None:
    """`--force` overrides it."""
    desk.write("reconciler.yaml", "version: 1\nsafety: {max_deletes: 0}\n")
    desk.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    planned = desk.run_here("plan", "--out", "plan.json")
    assert planned.code == 4
    assert planned.out.index("max_deletes") < planned.out.index("Billing contact")
    for arguments in (("plan.json",), ("--auto-approve",)):
        assert desk.run_here("apply", *arguments).code == 4
    assert desk.writes() == []
    assert desk.run_here("apply", "plan.json", "--force").code == 0
    assert desk.writes() == ["purge"]


def test_protection_is_not_overridden_by_force(desk: Desk) -> None:
    """A protected limit is never lowered or deleted."""
    desk.write(
        "configs/a.yaml",
        "from: contacts\nto: companies\nmax: {max: 3, protect: true}\n"
        "labels: {Billing contact: 1}\n",
    )
    ran = desk.run_here("apply", "--auto-approve", "--force")
    assert ran.code == 4
    assert "protected" in ran.err
    assert desk.writes() == []


def test_the_journal_has_every_request(pair: Desk) -> None:
    """Request and answer lines, and never the token."""
    assert pair.run_here("apply", "--auto-approve", "--journal", "journal.jsonl").code == 0
    text = (pair.folder / "journal.jsonl").read_text("utf-8")
    assert "sandbox-token" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert (lines[0]["event"], lines[-1]["event"]) == ("start", "finish")
    sent = [line["operation"] for line in lines if line["event"] == "request"]
    assert [each for each in sent if each in {"update", "purge"}] == pair.writes()


def test_a_journal_that_cannot_be_written_stops_before_the_first_write(pair: Desk) -> None:
    """Nothing is sent without its line."""
    ran = pair.run_here("apply", "--auto-approve", "--journal", "missing/journal.jsonl")
    assert ran.code == 1
    assert pair.writes() == []


@pytest.mark.parametrize("path", ["plan.json", "configs/contacts-companies.yaml", "fifo"])
def test_nothing_but_a_journal_is_appended_to(pair: Desk, path: str) -> None:
    """A plan, a pair file, a pipe that nobody reads: refused before anything is sent."""
    pair.run_here("plan", "--out", "plan.json")
    os.mkfifo(pair.folder / "fifo")
    file = pair.folder / path
    before = file.read_bytes() if file.is_file() else b""
    assert pair.server is not None
    sent = len(pair.server.requests)
    ran = pair.run_here("apply", "plan.json", "--journal", path)
    assert (ran.code, len(pair.server.requests)) == (1, sent)
    assert f"--journal: {path} is" in ran.err
    assert not file.is_file() or file.read_bytes() == before


def test_the_settling_time_is_an_option(pair: Desk) -> None:
    """Two reads after the writes, so many seconds apart."""
    ran = pair.run_here("apply", "--auto-approve", "--settle", "0.5")
    assert ran.code == 0
    assert pair.server is not None
    reads = [each for each in pair.server.requests if each.path.endswith("/0-1/0-2")]
    *_, first, second = reads
    assert second.time - first.time >= 0.5


def test_a_saved_plan_keeps_its_api_version(pair: Desk) -> None:
    """Another one asked for is a refusal, none asked for takes the plan's."""
    pair.run_here("plan", "--out", "plan.json", "--api-version", "v4")
    assert pair.run_here("apply", "plan.json", "--api-version", "2026-09").code == 4
    assert pair.run_here("apply", "plan.json").code == 0
    assert pair.server is not None
    assert all("/v4/" in each.path or "/v3/" in each.path for each in pair.server.requests[-6:])


@pytest.mark.parametrize(
    "arguments",
    [
        ("missing.json",),
        ("plan.json", "configs"),
        ("missing-folder",),
        ("--concurrency", "0"),
        ("--timeout", "soon"),
        ("--portal", "a", "--all-portals"),
        ("--shard", "1/2"),
        ("--no-such-option",),
    ],
)
def test_wrong_usage_is_64(pair: Desk, arguments: tuple[str, ...]) -> None:
    """And says what is wrong."""
    pair.run_here("plan", "--out", "plan.json")
    ran = pair.run_here("apply", *arguments)
    assert ran.code == 64
    assert ran.err
