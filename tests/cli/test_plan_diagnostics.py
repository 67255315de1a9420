"""`plan --diagnostics`: what only a portal can check is annotated, or read by other tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import OTHER_TOKEN, Desk

MISSPELT = "from: contacts\nto: companies\nmax: 8\nlabels:\n  Biling contact: 1\n"
ANNOTATION = "::error file=configs/a.yaml,line=5,col=3,endColumn=16,title=label-unknown::"
TEXT = "configs/a.yaml:5:3: error[label-unknown]: "
IN_WORKFLOW = {"GITHUB_ACTIONS": "true"}
TWO_PORTALS = """\
version: 1
portals:
  one: {token: {env: HUBSPOT_ACCESS_TOKEN}}
  two: {token: {env: HUBSPOT_TWIN_TOKEN}}
"""


@pytest.fixture
def misspelt(desk: Desk) -> Desk:
    """A pair file with a label that the portal does not have."""
    desk.write("configs/a.yaml", MISSPELT)
    return desk


def test_a_plan_in_a_workflow_annotates_what_it_finds(misspelt: Desk) -> None:
    """Beside the text; stdout stays free for the result."""
    misspelt.variables |= IN_WORKFLOW
    ran = misspelt.run_here("plan")
    assert (ran.code, ran.out) == (3, "")
    assert [line[: len(ANNOTATION)] for line in ran.err.splitlines()].count(ANNOTATION) == 1
    assert TEXT in ran.err
    elsewhere = {**misspelt.variables, "GITHUB_ACTIONS": ""}
    assert "::error" not in Desk(misspelt.folder, misspelt.server, elsewhere).run_here("plan").err


def test_the_formats_are_chosen_by_an_option(misspelt: Desk) -> None:
    """Anywhere, and in a workflow in place of what it would get."""
    github = misspelt.run_here("plan", "--diagnostics", "github")
    assert (ANNOTATION in github.err, TEXT in github.err) == (True, False)
    misspelt.variables |= IN_WORKFLOW
    text = misspelt.run_here("plan", "--diagnostics", "text")
    assert (ANNOTATION in text.err, TEXT in text.err) == (False, True)


@pytest.mark.parametrize("format_", ["json", "sarif"])
def test_a_document_is_all_there_is_on_stderr(misspelt: Desk, format_: str) -> None:
    """`2> plan.sarif` is valid, whatever the format of the result."""
    for arguments in ((), ("--format", "json")):
        ran = misspelt.run_here("plan", "--diagnostics", format_, *arguments)
        assert ran.code == 3
        document = json.loads(ran.err)
        found = document["diagnostics"] if format_ == "json" else document["runs"][0]["results"]
        assert [each.get("code") or each.get("ruleId") for each in found] == ["label-unknown"]
        if arguments:
            assert ran.json["error"]["exit_code"] == 3


def test_a_file_takes_the_document_and_stderr_keeps_the_text(misspelt: Desk) -> None:
    """For code scanning, which wants a file."""
    ran = misspelt.run_here("plan", "--diagnostics", "sarif", "--diagnostics-file", "plan.sarif")
    assert ran.code == 3
    assert TEXT in ran.err
    log = json.loads((misspelt.folder / "plan.sarif").read_text("utf-8"))
    (result,) = log["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "configs/a.yaml"
    assert place["region"]["startLine"] == 5


def test_portals_with_the_same_files_annotate_once(misspelt: Desk) -> None:
    """GitHub keeps ten annotations of a step."""
    misspelt.write("reconciler.yaml", TWO_PORTALS)
    misspelt.variables["HUBSPOT_TWIN_TOKEN"] = OTHER_TOKEN
    ran = misspelt.run_here("plan", "--all-portals", "--diagnostics", "github")
    assert ran.code == 3
    assert ran.err.count("::error file=") == 1
    chosen = ("--diagnostics", "json", "--diagnostics-file", "found.json")
    assert misspelt.run_here("plan", "--all-portals", *chosen).code == 3
    found = json.loads((misspelt.folder / "found.json").read_text("utf-8"))
    assert len(found["diagnostics"]) == 1


def test_what_is_beyond_ten_annotations_is_text(desk: Desk) -> None:
    """GitHub shows ten of a step; the log has them all."""
    labels = "".join(f"  Label {number}: 1\n" for number in range(11))
    desk.write("configs/a.yaml", f"from: contacts\nto: companies\nlabels:\n{labels}")
    ran = desk.run_here("plan", "--diagnostics", "github")
    assert ran.err.count("::error file=") == 11
    assert ran.err.count("error[label-unknown]: ") == 11


def test_warnings_of_a_plan_that_is_made_are_annotated(desk: Desk) -> None:
    """They stop nothing: the plan is on stdout, the document is written all the same."""
    desk.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 20000\n")
    desk.variables |= IN_WORKFLOW
    ran = desk.run_here("plan")
    assert ran.code == 0
    assert "::warning file=configs/a.yaml,line=3," in ran.err
    assert ran.last_line.startswith("Plan: ")
    named = desk.run_here("plan", "--diagnostics", "json", "--diagnostics-file", "found.json")
    assert named.code == 0
    (found,) = json.loads((desk.folder / "found.json").read_text("utf-8"))["diagnostics"]
    assert found["code"] == "limit-above-ui-maximum"


def test_a_plan_that_ended_early_says_not_that_all_is_well(pair: Desk, tmp_path: Path) -> None:
    """An empty log closes what code scanning shows. A plan that found nothing writes one."""
    chosen = ("--diagnostics", "sarif", "--diagnostics-file", "plan.sarif")
    assert pair.run_here("plan", *chosen).code == 0
    log = json.loads((tmp_path / "plan.sarif").read_text("utf-8"))
    assert log["runs"][0]["results"] == []
    pair.variables["HUBSPOT_ACCESS_TOKEN"] = "pat-na1-revoked-0123456789"
    ran = pair.run_here("plan", *chosen)
    assert (ran.code, (tmp_path / "plan.sarif").exists()) == (1, False)
    assert "HTTP 401" in ran.err
    shown = pair.run_here("plan", "--diagnostics", "sarif")
    assert (shown.code, "$schema" in shown.err) == (1, False)


def test_a_file_that_cannot_be_written_is_wrong_usage(pair: Desk) -> None:
    """Before the portal is asked."""
    for arguments in (
        ("--diagnostics-file", "x"),
        ("--diagnostics", "json", "--diagnostics-file", ""),
    ):
        ran = pair.run_here("plan", *arguments)
        assert (ran.code, ran.out) == (64, "")
    assert pair.server is not None
    assert not pair.server.requests
