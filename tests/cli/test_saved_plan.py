"""A saved plan that passed through hostile hands, applied with and without the files at hand."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.errors import PlanRefused
from reconciler.http.clock import Stop, SystemClock
from reconciler.http.connection import Connection, parse_base_url
from reconciler.hubspot.portal import connect
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.limits import Safety
from reconciler.model.plan import Plan
from reconciler.outgoing import Secret
from reconciler.planning.plan_file import plan_json
from reconciler.planning.saved import read_plan
from reconciler.sandbox.example import example_portal, generated_portal
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.cli.running import Desk, Ran, git

PROTECTED = """\
from: contacts
to: companies
max: 5
labels:
  Billing contact: {max: 1, protect: true}
"""
LOWERED = PROTECTED.replace("max: 5", "max: {max: 3, protect: true}")


def document(desk: Desk, name: str = "plan.json") -> Any:
    """A saved plan."""
    return json.loads((desk.folder / name).read_text("utf-8"))


def save(desk: Desk, document: Any, name: str = "plan.json") -> None:
    """What a hostile hand puts in its place."""
    desk.write(name, json.dumps(document))


def forge(desk: Desk, change: Callable[[Plan], Plan], name: str = "plan.json") -> None:
    """Replace a saved plan by another one that agrees with itself, its digest made to fit."""
    forged = change(read_plan((desk.folder / name).read_bytes()))
    (desk.folder / name).write_text(plan_json(forged), "utf-8")


def unprotected(plan: Plan) -> Plan:
    """Every trace of protection cut out."""
    return replace(
        plan,
        refusals=(),
        changes=tuple(replace(each, protected=False) for each in plan.changes),
    )


def refused(ran: Ran, words: str) -> bool:
    """Exit 4, with these words."""
    assert words in ran.err, ran.err
    return ran.code == 4


# ---------------------------------------------------------------- under the digest


def test_a_refusal_cut_out_of_a_reviewed_plan_is_seen(desk: Desk) -> None:
    """The reviewed digest does not fit any more, with and without --expect-digest."""
    desk.write("configs/a.yaml", LOWERED)
    assert desk.run_here("plan", "--out", "plan.json").code == 4
    saved = document(desk)
    reviewed = saved["digest"]
    saved["refusals"] = []
    save(desk, saved)
    for arguments in ((), ("--expect-digest", reviewed), ("--force",)):
        assert refused(desk.run_here("apply", "plan.json", *arguments), "altered")
    assert desk.writes() == []


def test_a_refused_apply_says_why_in_its_json(desk: Desk) -> None:
    """The message of the result names the limit, not only that something is unsafe."""
    desk.write("configs/a.yaml", LOWERED)
    desk.run_here("plan", "--out", "plan.json")
    for arguments in (("plan.json",), ("--auto-approve",)):
        ran = desk.run_here("apply", *arguments, "--format", "json")
        assert (ran.code, ran.json["outcome"]) == (4, "refused")
        assert "the object limit of contacts → companies is protected at 5" in ran.json["message"]


def test_a_forged_plan_is_not_the_reviewed_one(desk: Desk) -> None:
    """A digest made to fit again is another digest."""
    desk.write("configs/a.yaml", LOWERED)
    desk.run_here("plan", "--out", "plan.json")
    reviewed = document(desk)["digest"]
    forge(desk, unprotected)
    ran = desk.run_here("apply", "plan.json", "--expect-digest", reviewed)
    assert refused(ran, "not the plan that was reviewed")
    assert desk.writes() == []


# ---------------------------------------------------------------- held against the files at hand


def test_protection_cut_out_of_a_plan_is_held_by_the_files_at_hand(desk: Desk) -> None:
    """The plan agrees with itself, and nothing in it speaks of protection."""
    desk.write("configs/a.yaml", LOWERED)
    desk.run_here("plan", "--out", "plan.json")
    forge(desk, unprotected)
    for arguments in ((), ("--force",), ("--dry-run",)):
        assert refused(desk.run_here("apply", "plan.json", *arguments), "is protected at 5")
    assert desk.writes() == []


def test_a_claim_of_drift_is_held_by_the_base_at_hand(desk: Desk) -> None:
    """The files at hand want the lower value; only the base knows that they did not before."""
    desk.write("configs/a.yaml", PROTECTED.replace("max: 5", "max: {max: 5, protect: true}"))
    git(desk, "init", "-b", "main")
    git(desk, "add", "configs")
    git(desk, "commit", "-m", "Declare contacts and companies")
    git(desk, "checkout", "-b", "branch")
    desk.write("configs/a.yaml", LOWERED.replace(", protect: true}\nlabels", "}\nlabels"))
    assert desk.run_here("plan", "--base", "main", "--out", "plan.json").code == 4
    forge(desk, unprotected)
    ran = desk.run_here("apply", "plan.json", "--base", "main")
    assert refused(ran, "protect was taken off in the same change")
    assert desk.writes() == []


def test_a_pipeline_without_a_checkout_applies_a_saved_plan(pair: Desk) -> None:
    """No pair files at hand: said on stderr, and the plan's own word holds."""
    pair.run_here("plan", "--out", "plan.json")
    (pair.folder / "configs/contacts-companies.yaml").unlink()
    (pair.folder / "configs").rmdir()
    ran = pair.run_here("apply", "plan.json")
    assert ran.code == 0
    assert "no pair files found" in ran.err


def test_pair_files_at_hand_that_are_invalid_are_an_error(pair: Desk) -> None:
    """What they protect cannot be known, so nothing is sent."""
    pair.run_here("plan", "--out", "plan.json")
    pair.write("configs/b.yaml", "from: contacts\nto: deals\nmax: {max: 3, protetc: true}\n")
    assert pair.server is not None
    before = len(pair.server.requests)
    ran = pair.run_here("apply", "plan.json")
    assert ran.code == 3
    assert "configs/b.yaml" in ran.err
    assert "checked against the protection in these pair files" in ran.err
    assert len(pair.server.requests) == before


def test_a_protected_limit_that_drifted_is_put_back(desk: Desk) -> None:
    """The file says 1, somebody set 3 in HubSpot: planned with a base it is applied."""
    desk.write("configs/a.yaml", PROTECTED)
    git(desk, "init", "-b", "main")
    git(desk, "add", "configs")
    git(desk, "commit", "-m", "Declare contacts and companies")
    assert desk.server is not None
    desk.server.edit("contacts", "companies", 28, 3)
    assert refused(desk.run_here("plan"), "protected")
    planned = desk.run_here("plan", "--base", "HEAD", "--out", "plan.json")
    assert planned.code == 0
    assert document(desk)["changes"][0]["protected"] is True
    assert desk.run_here("apply", "plan.json").code == 0
    assert desk.server.limits("contacts", "companies")[("USER_DEFINED", 28)] == 1


# ---------------------------------------------------------------- thresholds at hand


def keeping(*labels: int, inverse: bool = False) -> str:
    """A pair file of a direction of the large portal that keeps these of its twelve labels."""
    lines = [f"    Label {number}: 1" for number in labels]
    first, second = ("2-9001", "2-9000") if inverse else ("2-9000", "2-9001")
    return "\n".join([f"from: {first}", f"to: {second}", "max: 1001", "labels:", *lines, ""])


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Desk]:
    """Two directions of thirteen limits each, in a folder without files."""
    with serve(generated_portal(2, 12)) as server:
        yield Desk(tmp_path, server)


def test_counts_of_a_plan_do_not_weaken_the_thresholds_at_hand(large: Desk) -> None:
    """Made under wider thresholds, its counts raised: counted again in the portal, refused."""
    large.write("reconciler.yaml", "version: 1\nsafety: {max_delete_percent: 100}\n")
    large.write("configs/a.yaml", keeping(1))
    assert large.run_here("plan", "--out", "plan.json").code == 0
    saved = document(large)
    assert saved["summary"]["delete"] == 11
    saved["summary"] |= {"unchanged": 99_999, "unmanaged": 99_999}
    save(large, saved)
    large.write("reconciler.yaml", "version: 1\n")
    for arguments in ((), ("--dry-run",), ("--expect-digest", saved["digest"])):
        assert refused(large.run_here("apply", "plan.json", *arguments), "11 of 13 observed limits")
    shutil.rmtree(large.folder / "configs")
    assert refused(large.run_here("apply", "plan.json"), "11 of 13 observed limits")
    assert large.writes() == []
    assert large.run_here("apply", "plan.json", "--force").code == 0


def test_the_other_declared_directions_count_as_they_did_for_the_plan(large: Desk) -> None:
    """Four of 26 limits: `plan` lets it pass, and so does `apply`, saved or not."""
    large.write("configs/a.yaml", keeping(*range(1, 9)))
    large.write("configs/b.yaml", keeping(*range(1, 13), inverse=True))
    assert large.run_here("plan", "--out", "plan.json").code == 0
    assert document(large)["summary"]["delete"] == 4
    assert large.run_here("apply", "plan.json", "--dry-run").code == 0
    assert large.run_here("apply", "--auto-approve").code == 0


def test_the_strictest_threshold_holds(large: Desk) -> None:
    """What the plan states against itself stays when the workspace at hand allows more."""
    large.write("reconciler.yaml", "version: 1\nsafety: {max_deletes: 0}\n")
    large.write("configs/a.yaml", keeping(*range(1, 12)))
    assert large.run_here("plan", "--out", "plan.json").code == 4
    large.write("reconciler.yaml", "version: 1\n")
    assert refused(large.run_here("apply", "plan.json"), "max_deletes allows 0")
    assert large.run_here("apply", "plan.json", "--force").code == 0


# ---------------------------------------------------------------- recognised by its content


@pytest.mark.parametrize("name", ["tfplan", "plan.yaml", "plan.json", "plan.json.bak", "-plan"])
def test_a_saved_plan_is_applied_whatever_its_file_is_called(pair: Desk, name: str) -> None:
    """Not taken for a pair file; read with a byte order mark and white space in front, too."""
    pair.run_here("plan", "--out", name)
    content = (pair.folder / name).read_bytes()
    (pair.folder / name).write_bytes(b"\xef\xbb\xbf\n " + content)
    assert pair.run_here("apply", "--", name).last_line.startswith("Apply complete")


def test_a_cut_plan_is_still_a_plan(pair: Desk) -> None:
    """Refused as one, not read as a pair file."""
    pair.run_here("plan", "--out", "tfplan")
    content = (pair.folder / "tfplan").read_bytes()
    (pair.folder / "tfplan").write_bytes(content[: len(content) // 2])
    assert refused(pair.run_here("apply", "tfplan"), "tfplan: the plan file is not complete")


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_a_saved_plan_is_not_a_pair_file(pair: Desk, command: str) -> None:
    """Wrong usage, with what to do instead, and not twelve errors of YAML."""
    pair.run_here("plan", "--out", "tfplan")
    ran = pair.run_here(command, "configs", "tfplan")
    assert ran.code == 64
    assert "tfplan is a saved plan" in ran.err
    assert "reconciler apply tfplan" in ran.err


def test_a_saved_plan_in_the_folder_of_pair_files_is_one_error(pair: Desk) -> None:
    """Named as what it is, once."""
    pair.run_here("plan", "--out", "configs/plan.yaml")
    ran = pair.run_here("plan")
    assert ran.code == 3
    assert "configs/plan.yaml:1:1: error[saved-plan]" in ran.err
    assert "configuration invalid: 1 error\n" in ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"name": "left-pad", "version": "1.0.0"}', "it has no batches"),
        ('{"format_version": "1.0", "outcome": "applied"}', "the result of an apply"),
        ('{"from": "contacts", "to": "companies"}', "it reads like configuration"),
        ("[1, 2]", "it is not a JSON object"),
        ("from: contacts\n", "it is not valid JSON"),
        ("", "it is not valid JSON"),
        ('{"batches": [], "format_version": "3"}', 'the plan has format "3"'),
        ('{"batches": []}', "the plan states no format"),
    ],
)
def test_a_json_file_that_is_not_a_plan_is_refused_in_words(
    pair: Desk, text: str, words: str
) -> None:
    """What it is not, and exit 4: it was meant as a plan."""
    pair.write("x.json", text)
    for command in ("apply", "show"):
        assert refused(pair.run_here(command, "x.json"), words)
    assert pair.run_here("apply", "x.json").err.startswith("error: x.json: ")


def aged(desk: Desk, version: object) -> None:
    """A plan as the first release wrote it, or one that only states another format."""
    desk.run_here("plan", "--out", "plan.json")
    path = desk.folder / "plan.json"
    document = json.loads(path.read_text())
    document["format_version"] = version
    if version == "1.0":
        del document["usage"], document["config"]["workspace"]
        for each in document["changes"]:
            del each["protected"]
    path.write_text(json.dumps(document, sort_keys=True))


@pytest.mark.parametrize("version", ["1.0", "1.2", "2.0", 2, None])
@pytest.mark.parametrize(
    "command",
    [
        ("show", "plan.json"),
        ("apply", "plan.json"),
        ("apply", "plan.json", "--dry-run"),
        ("apply", "plan.json", "--format", "json"),
        ("apply", "--reviewed", "plan.json"),
        ("comment", "plan.json"),
    ],
)
def test_a_plan_of_another_format_is_to_be_planned_again(
    pair: Desk, version: object, command: tuple[str, ...]
) -> None:
    """Whoever reads it, with exit 4; nothing is sent."""
    aged(pair, version)
    assert pair.server is not None
    before = len(pair.server.requests)
    ran = pair.run_here(*command)
    assert ran.code == 4
    said = json.dumps(version) if version not in ("1.0", None) else str(version)
    assert ("states no format" if version is None else f"has format {said}") in ran.err
    assert "plan again" in ran.err
    assert len(pair.server.requests) == before


@pytest.mark.parametrize("path", ["-", "/dev/stdin"])
def test_a_plan_from_a_pipe_is_applied(pair: Desk, path: str) -> None:
    """`reconciler apply -`, as in `download | reconciler apply -`; an empty pipe is not a plan."""
    run = pair.run_here if path == "-" else pair.run  # the stream of a process has a file
    text = pair.run_here("plan", "--format", "json").out
    assert run("show", path, stdin=text).code == 0
    assert refused(run("apply", path, stdin=""), "is not a plan")
    assert run("apply", path, stdin=text).code == 0


def test_a_fifo_is_not_waited_for(pair: Desk) -> None:
    """Nobody may ever write to it."""
    os.mkfifo(pair.folder / "plan.json")
    for command in ("apply", "show"):
        ran = pair.run_here(command, "plan.json")
        assert ran.code == 64
        assert "not a regular file" in ran.err


def test_a_saved_plan_stands_alone(pair: Desk) -> None:
    """Neither beside another nor beside pair files."""
    pair.run_here("plan", "--out", "tfplan")
    for paths in (("tfplan", "configs"), ("configs", "tfplan"), ("tfplan", "tfplan"), ("-", "-")):
        ran = pair.run_here("apply", "--auto-approve", *paths)
        assert ran.code == 64
        assert "one saved plan at a time" in ran.err
    assert pair.writes() == []


# ---------------------------------------------------------------- bounds


def test_a_plan_for_an_unknown_api_version_is_refused(pair: Desk) -> None:
    """In words, and nothing is sent; `show` still renders it."""
    pair.run_here("plan", "--out", "plan.json")
    forge(pair, lambda plan: replace(plan, portal=replace(plan.portal, api_version="2031-03")))
    assert pair.server is not None
    before = len(pair.server.requests)
    ran = pair.run_here("apply", "plan.json")
    assert refused(ran, "the plan is for API version '2031-03', which this version")
    assert "internal error" not in ran.err
    assert pair.run_here("show", "plan.json").code == 0
    assert len(pair.server.requests) == before


def test_a_plan_that_was_written_can_be_read(pair: Desk) -> None:
    """A limit at the edge of what is read, the largest portal ID, and a file name in Latin-1."""
    assert pair.server is not None
    pair.write("reconciler.yaml", "version: 1\nportals: {p: {portal_id: 9007199254740991}}\n")
    configs = pair.folder / "configs"
    (configs / "contacts-companies.yaml").rename(configs / os.fsdecode(b"G\xe9rant.yaml"))
    with serve(example_portal(2**53 - 1)) as server:
        server.edit("contacts", "companies", 28, 50_000)
        pair.server = server
        assert pair.run_here("plan", "--out", "plan.json").code == 0
        shown = pair.run_here("show", "plan.json")
        assert shown.code == 0
        assert "portal 9007199254740991" in shown.out


@pytest.mark.parametrize("portal_id", ["9007199254740992", "9" * 4_000, "9" * 5_000, "-1"])
def test_a_portal_id_beyond_what_json_holds_is_invalid(offline: Desk, portal_id: str) -> None:
    """In the workspace file, before anything is asked."""
    offline.write("reconciler.yaml", f"version: 1\nportals: {{p: {{portal_id: {portal_id}}}}}\n")
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    ran = offline.run_here("validate")
    assert ran.code == 3
    assert "portal_id" in ran.err


# ---------------------------------------------------------------- from Python


def apply_plan(
    desk: Desk, plan: Plan, *, safety: Safety | None = None, force: bool = False
) -> None:
    """`reconciler.apply_plan` as a program would call it."""
    assert desk.server is not None
    clock = SystemClock(Stop())
    connection = Connection(
        base_url=parse_base_url(desk.server.url),
        token=Secret(DEFAULT_TOKEN),
    )
    version = ApiVersion("2026-03")
    with connect(connection, version=version, clock=clock) as portal:
        reconciler.apply_plan(plan, portal, clock=clock, safety=safety, force=force, settle=0)


def test_the_python_api_refuses_what_the_command_refuses(desk: Desk) -> None:
    """Protection, whatever is forced, before anything is sent."""
    desk.write("configs/a.yaml", LOWERED)
    desk.run_here("plan", "--out", "plan.json")
    plan = read_plan((desk.folder / "plan.json").read_bytes())
    assert desk.server is not None
    before = len(desk.server.requests)
    for force in (False, True):
        with pytest.raises(PlanRefused, match="not safe"):
            apply_plan(desk, plan, force=force)
    assert len(desk.server.requests) == before


def test_the_python_api_judges_thresholds(large: Desk) -> None:
    """The default ones where none are given, by what the portal has and not by the counts."""
    large.write("reconciler.yaml", "version: 1\nsafety: {max_delete_percent: 100}\n")
    large.write("configs/a.yaml", keeping(1))
    large.run_here("plan", "--out", "plan.json")
    plan = read_plan((large.folder / "plan.json").read_bytes())
    plan = replace(plan, summary=replace(plan.summary, unchanged=99_999))
    with pytest.raises(PlanRefused, match="not safe"):
        apply_plan(large, plan)
    with pytest.raises(PlanRefused, match="not safe"):
        apply_plan(large, plan, safety=Safety(max_deletes=10, max_delete_percent=100))
    assert large.writes() == []
    apply_plan(large, plan, safety=Safety(max_delete_percent=100))
    assert large.writes() == ["purge"]
