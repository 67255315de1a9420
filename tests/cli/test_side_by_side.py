"""Several portals at once: none stops, delays or hides another, whatever happens to it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from itertools import chain
from pathlib import Path

import pytest

from reconciler.cli.files import file_stems
from reconciler.cli.workspace import shard_of
from reconciler.sandbox.example import PORTAL_ID
from tests.cli.fleet import Fleet, fleet, name, workspace
from tests.cli.running import Ran
from tests.cli.test_progress import on_a_terminal_here

HANGS = "any:hang,seconds=30"


def test_portals_are_worked_with_at_once_and_reported_in_order(tmp_path: Path) -> None:
    """The first one is the slowest, and is the first of the report all the same."""
    with fleet(tmp_path, 6, latency=0.1, faults={1: "read:delay,seconds=0.5"}) as many:
        ran = many.run_here("plan", "--all-portals", "--format", "json")
        assert ran.code == 0
        assert [each["portal"]["name"] for each in ran.json] == many.names
        assert many.server is not None
        assert many.server.peak >= 4
        assert ran.err.splitlines()[-1].startswith("[6/6] p001: ")


def test_no_more_portals_than_allowed_are_worked_with_at_a_time(tmp_path: Path) -> None:
    """--portals-at-once bounds threads and connections."""
    with fleet(tmp_path, 5, latency=0.05) as many:
        assert many.run_here("plan", "--all-portals", "--portals-at-once", "1",
                             "--concurrency", "1").code == 0  # fmt: skip
        assert many.server is not None
        assert many.server.peak == 1
        assert many.run_here("plan", "--all-portals", "--portals-at-once", "0").code == 64


@pytest.mark.parametrize("portals", [60, pytest.param(500, marks=pytest.mark.torture)])
def test_what_is_wrong_with_some_portals_costs_the_others_nothing(
    tmp_path: Path, portals: int
) -> None:
    """Three answer 401, two accept and never answer, one has no token: each by its name."""
    with fleet(tmp_path, portals, faults={5: HANGS, 41: HANGS}) as many:
        for each in (3, 30, 60):
            many.variables[f"HUBSPOT_P{each:03}"] = f"wrong-token-{each}"
        del many.variables["HUBSPOT_P007"]
        ran = many.run_here(
            *("plan", "--all-portals", "--format", "json", "--timeout", "2", "--out", "plans")
        )
        assert ran.code == 1
        bad = [name(each) for each in (3, 5, 7, 30, 41, 60)]
        found = {each["portal"]: each["error"]["message"] for each in ran.json if "error" in each}
        assert list(found) == bad
        assert all(f"error: portal {each}: " in ran.err for each in bad)
        assert "HUBSPOT_P003" in found["p003"]
        assert "HUBSPOT_P007 is not set" in found["p007"]
        assert len(ran.json) == portals
        saved = sorted(each.stem for each in (tmp_path / "plans").iterdir())
        assert saved == [each for each in many.names if each not in bad]


def test_a_portal_that_hangs_delays_no_other(tmp_path: Path) -> None:
    """The others end while it still has time left."""
    with fleet(tmp_path, 5, faults={1: HANGS}) as many:
        ran = many.run_here("plan", "--all-portals", "--timeout", "2")
        assert ran.code == 1
        lines = [each for each in ran.err.splitlines() if each.startswith("[")]
        assert [each.split()[0] for each in lines] == [f"[{at}/5]" for at in range(1, 6)]
        assert "p001: failed" in lines[-1]


def test_a_summary_ends_the_text(tmp_path: Path) -> None:
    """With every portal by its name, those included that have no plan."""
    with fleet(tmp_path, 3) as many:
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        ran = many.run_here("plan", "--all-portals")
        table = ran.out[ran.out.rindex("3 portals") :]
        assert [line.split()[0] for line in table.splitlines()[1:4]] == many.names
        assert "no plan: HubSpot does not accept the token" in table
        assert ran.last_line == "Plan: 0 to create, 4 to update, 0 to delete."


@pytest.mark.parametrize("format_", ["text", "json", "markdown", "html", "mermaid"])
def test_a_shard_without_portals_is_nothing_to_do(tmp_path: Path, format_: str) -> None:
    """In every format; exit 0."""
    with fleet(tmp_path, 1) as many:
        part = f"{3 - shard_of('p001', 2)}/2"
        ran = many.run_here("plan", "--all-portals", "--shard", part, "--format", format_)
        assert (ran.code, ran.err) == (0, "")
        if format_ == "json":
            assert ran.json == []
        if format_ == "text":
            assert ran.last_line.startswith("No changes.")
        formats = {"text", "json", "html"} & {format_}
        for each in formats:
            assert (
                many.run_here("status", "--all-portals", "--shard", part, "--format", each).code
                == 0
            )
        assert many.run_here("apply", "--all-portals", "--shard", part, "--auto-approve").code == 0


def test_an_error_that_many_portals_have_is_written_once(tmp_path: Path) -> None:
    """With the names of all of them; the answer in JSON has it for each."""
    with fleet(tmp_path, 12) as many:
        arguments = (
            "plan",
            "--all-portals",
            "--base-url",
            "http://127.0.0.1:9",
            "--timeout",
            "0.2",
        )
        ran = many.run_here(*arguments, "--format", "json")
        assert ran.code == 1
        assert len({each["error"]["message"] for each in ran.json}) == 1
        errors = [each for each in ran.err.splitlines() if each.startswith("error: ")]
        assert len(errors) == 1
        assert errors[0].startswith(f"error: portals {', '.join(many.names)}: ")


@pytest.mark.parametrize("format_", ["markdown", "html"])
def test_a_report_of_several_portals_is_one_document(tmp_path: Path, format_: str) -> None:
    """It names every portal, the one without a plan included."""
    with fleet(tmp_path, 3) as many:
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        ran = many.run_here("plan", "--all-portals", "--format", format_)
        assert all(each in ran.out for each in many.names)
        assert ran.out.lower().count("<!doctype") <= 1


def test_a_picture_has_a_frame_for_each_portal(tmp_path: Path) -> None:
    """One flowchart for all of them; that of a single portal has no frame."""
    with fleet(tmp_path, 2) as many:
        both = many.run_here("plan", "--all-portals", "--format", "mermaid")
        one = many.run_here("plan", "--portal", "p001", "--format", "mermaid")
    assert (both.code, both.out.count("flowchart LR"), both.out.count("subgraph")) == (0, 1, 2)
    assert (one.code, one.out.count("subgraph")) == (0, 0)


def test_a_status_and_a_doctor_of_several_portals(tmp_path: Path) -> None:
    """In the workspace's order; what is wrong with one portal is its own."""
    with fleet(tmp_path, 4) as many:
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        ran = many.run_here("status", "--all-portals", "--format", "json")
        assert ran.code == 1
        assert [
            each["portal"] if "error" in each else each["portal"]["name"] for each in ran.json
        ] == (many.names)
        page = many.run_here("status", "--all-portals", "--format", "html").out
        assert page.count("<!doctype html>") == 1
        assert "4 portals, 1 not read: limits in force" in page
        assert all(page.count(f"<bdi>{each}</bdi>") == 2 for each in ("p001", "p003", "p004"))
        assert page.count("<bdi>p002</bdi>") == 1
        ran = many.run_here("doctor", "--all-portals", "--format", "json")
        assert ran.code == 1
        checks = [each for each in ran.json["checks"] if each["portal"] is not None]
        assert list(dict.fromkeys(each["portal"] for each in checks)) == many.names
        failed = {each["portal"] for each in checks if each["state"] == "error"}
        assert failed == {"p002"}


# ---------------------------------------------------------------- which portal is whose


def test_portals_with_one_token_are_reported_and_left_alone(tmp_path: Path) -> None:
    """Nothing is sent for them, and the rest is done."""
    with fleet(tmp_path, 3) as many:
        many.variables["HUBSPOT_P003"] = many.variables["HUBSPOT_P001"]
        ran = many.run_here("apply", "--all-portals", "--auto-approve")
        assert ran.code == 5
        assert "portal p001: p001 and p003 have the same token" in ran.err
        assert "portal p003: p003 and p001 have the same token" in ran.err
        assert many.sandboxes["p001"].requests == ()
        assert many.limit_of("p002") == 8


def test_a_portal_id_says_whose_a_shared_token_is(tmp_path: Path) -> None:
    """That portal is worked with, and the other one is refused by its name."""
    with fleet(tmp_path, 2) as many:
        many.variables["HUBSPOT_P002"] = many.variables["HUBSPOT_P001"]
        many.write("reconciler.yaml", workspace(many.names, {"p001": "portal_id: 1234567"}))
        ran = many.run_here("plan", "--all-portals", "--format", "json")
        assert ran.code == 1
        assert ran.json[0]["portal"]["portal_id"] == 1234567
        assert "same token" in ran.json[1]["error"]["message"]


def test_two_tokens_of_one_account_are_no_two_portals(tmp_path: Path) -> None:
    """A second key of the same account; the workspace says which portal the account is."""
    with fleet(tmp_path, 2) as many:
        many.write("reconciler.yaml", workspace(many.names, {"p001": "portal_id: 1234568"}))
        ran = many.run_here("plan", "--portal", "p002")
        assert ran.code == 4
        assert "portal 1234568, which is p001 in this workspace" in ran.err


def test_processes_find_two_tokens_of_one_account(tmp_path: Path) -> None:
    """Which portals share a process says nothing: one of the two has a plan, the other an error."""
    token = "second-token-of-the-first"
    with fleet(tmp_path, 65, second_token=token) as many:
        many.variables["HUBSPOT_P066"] = token
        many.write("reconciler.yaml", workspace([*many.names, "p066"]))
        ran = many.run("plan", "--all-portals", "--format", "json", "--out", "plans")
        assert ran.code == 4
        assert [each["portal"] for each in ran.json if "error" in each] == ["p066"]
        assert "which is p001 in this workspace" in ran.json[-1]["error"]["message"]
        assert len(list((tmp_path / "plans").iterdir())) == 65


# ---------------------------------------------------------------- files


def test_the_plans_of_several_portals_go_into_a_folder(tmp_path: Path) -> None:
    """Which is made. An older plan of a portal that cannot be planned is not left there."""
    with fleet(tmp_path, 2) as many:
        assert many.run_here("plan", "--all-portals", "--out", "out/plans").code == 0
        saved = {
            each.name: json.loads(each.read_text()) for each in (tmp_path / "out/plans").iterdir()
        }
        assert {each: plan["portal"]["name"] for each, plan in saved.items()} == {
            "p001.json": "p001",
            "p002.json": "p002",
        }
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        assert many.run_here("plan", "--all-portals", "--out", "out/plans").code == 1
        assert [each.name for each in (tmp_path / "out/plans").iterdir()] == ["p001.json"]
        assert many.run_here("apply", "out/plans/p001.json").code == 0


def test_a_name_with_the_portal_in_it_keeps_no_older_plan_either(tmp_path: Path) -> None:
    """What is there after the command was planned by it."""
    with fleet(tmp_path, 2) as many:
        arguments = ("plan", "--all-portals", "--out", "plan-{portal}.json")
        assert many.run_here(*arguments).code == 0
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        ran = many.run_here(*arguments)
        assert ran.code == 1
        assert "Saved 1 plan to plan-{portal}.json." in ran.err
        assert [each.name for each in tmp_path.glob("plan-*")] == ["plan-p001.json"]


@pytest.mark.parametrize("out", ["plan.json", "file", ""])
def test_one_file_is_not_enough_for_several_plans(tmp_path: Path, out: str) -> None:
    """Exit 64 before any portal is asked."""
    with fleet(tmp_path, 2) as many:
        many.write("file", "")
        ran = many.run_here("plan", "--all-portals", "--out", out)
        assert ran.code == 64
        assert many.sandboxes["p001"].requests == ()


def test_one_portal_is_saved_in_a_file_as_ever(tmp_path: Path) -> None:
    """Even by --all-portals, where a file is named; a shard of one portal has a folder."""
    with fleet(tmp_path, 1) as many:
        assert many.run_here("plan", "--all-portals", "--out", "plan.json").code == 0
        assert (tmp_path / "plan.json").is_file()
        assert many.run_here("plan", "--all-portals", "--out", "plans").code == 0
        assert (tmp_path / "plans/p001.json").is_file()


def test_every_portal_has_a_file_of_its_own_on_every_file_system() -> None:
    """Names that differ in case, Windows' devices, and names that no folder takes."""
    names = ["eu", "EU", "us", "nul", "Con.x", "a" * 300, "a" * 299, "dot."]
    stems = file_stems(names)
    assert stems["us"] == "us"
    assert len({each.casefold() for each in stems.values()}) == len(names)
    assert all(len(each) < 200 for each in stems.values())
    assert all("~" in stems[each] for each in names if each != "us")
    assert stems == file_stems(names)


# ---------------------------------------------------------------- shards


def test_a_shard_is_the_same_on_every_machine_and_in_every_version() -> None:
    """Literal values: another hash would move portals between the jobs of a running pipeline."""
    names = ("production", "sandbox", "staging", "eu", "portal-001", "portal-500")
    assert [shard_of(each, 2) for each in names] == [2, 1, 1, 2, 2, 1]
    assert [shard_of(each, 8) for each in names] == [6, 7, 5, 2, 4, 7]
    assert [shard_of(each, 256) for each in names] == [222, 87, 69, 106, 236, 183]


def test_every_portal_is_in_one_shard_and_a_new_one_moves_none(tmp_path: Path) -> None:
    """Whatever its place in the workspace."""
    with fleet(tmp_path, 9) as many:
        before = [shard(many, f"{at}/3") for at in (1, 2, 3)]
        assert sorted(chain(*before)) == many.names
        many.write("reconciler.yaml", workspace(["new", *many.names]))
        many.variables["HUBSPOT_NEW"] = "wrong-token"
        after = [[each for each in shard(many, f"{at}/3") if each != "new"] for at in (1, 2, 3)]
        assert after == before


def shard(many: Fleet, part: str) -> list[str]:
    """The portals of one shard, in the workspace's order."""
    ran = many.run_here("plan", "--all-portals", "--shard", part, "--format", "json")
    return [each["portal"] if "error" in each else each["portal"]["name"] for each in ran.json]


@pytest.mark.parametrize(
    "part", ["0/2", "3/2", "1/0", "1", "a/b", "-1/2", "1/2/3", "9" * 5000 + "/1"]
)
def test_a_shard_out_of_range_is_wrong_usage(tmp_path: Path, part: str) -> None:
    """Exit 64."""
    with fleet(tmp_path, 1) as many:
        assert many.run_here("plan", "--all-portals", "--shard", part).code == 64


# ---------------------------------------------------------------- the question, and signals


def test_a_person_is_asked_once_about_all_portals(tmp_path: Path) -> None:
    """After all of them are shown; the portals that cannot be planned are not asked about."""
    with fleet(tmp_path, 4) as many:
        many.variables["HUBSPOT_P003"] = "wrong-token-3"
        code, shown = on_a_terminal_here(many, "apply", "--all-portals", typed="yes\n")
        assert code == 5
        assert shown.count('Type "yes" to apply') == 1
        asked = shown[shown.index("Apply to 3 portals?") : shown.index('Type "yes"')]
        assert "p001 (1234567, STANDARD): 2 raised" in asked
        assert "p003" not in asked
        assert [many.limit_of(each) for each in many.names] == [8, 8, 5, 8]


def test_a_no_holds_for_all_portals(tmp_path: Path) -> None:
    """Exit 4, and nothing is written anywhere."""
    with fleet(tmp_path, 3) as many:
        code, shown = on_a_terminal_here(many, "apply", "--all-portals", typed="no\n")
        assert code == 4
        assert "not approved: nothing was written" in shown
        assert not any(many.writes_to(each) for each in many.names)
        ran = many.run_here("apply", "--all-portals", "--format", "json")
        assert ran.code == 4
        assert [each["outcome"] for each in ran.json] == ["refused"] * 3
        assert "stdin is not a terminal" in ran.json[0]["message"]


def test_a_signal_at_the_question_is_a_no(tmp_path: Path) -> None:
    """As it is for one portal: exit 4, and nothing is written."""
    master, slave = pty.openpty()
    with fleet(tmp_path, 3) as many, os.fdopen(slave) as terminal:
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "apply", "--all-portals"],
            cwd=many.folder,
            env=many.env,
            stdin=terminal,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        shown = ""
        while "to apply: " not in shown and (read := process.stderr.read(1)):
            shown += read
        process.send_signal(signal.SIGINT)
        shown += process.communicate(timeout=30)[1]
        assert process.returncode == 4
        assert "not approved: nothing was written" in shown
        assert not any(many.writes_to(each) for each in many.names)
    os.close(master)


def test_an_apply_of_several_portals_ends_in_the_line_to_grep(tmp_path: Path) -> None:
    """As that of one portal does, with the counts of all of them."""
    with fleet(tmp_path, 3) as many:
        arguments = ("apply", "--all-portals", "--auto-approve", "--settle", "0")
        ran = many.run_here(*arguments)
        assert ran.last_line == "Apply complete: 0 created, 6 updated, 0 deleted."
        assert "\n3 portals: 3 done.\n" in ran.out
        ran = many.run_here(*arguments)
        assert ran.last_line == "No changes. The portal matches the configuration."


def test_an_apply_of_several_portals_answers_with_a_result_for_each(tmp_path: Path) -> None:
    """In order; an error before the plan is a result, too, as of one portal."""
    with fleet(tmp_path, 3) as many:
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        ran = many.run_here("apply", "--all-portals", "--auto-approve", "--format", "json")
        assert ran.code == 5
        found = [(each["portal"]["name"], each["outcome"]) for each in ran.json]
        assert found == [("p001", "applied"), ("p002", "failed"), ("p003", "applied")]


def test_an_apply_of_several_portals_ends_in_a_line_to_grep(tmp_path: Path) -> None:
    """Over all portals, and as that of one portal begins."""
    with fleet(tmp_path, 3) as many:
        apply = ("apply", "--all-portals", "--auto-approve")
        token = many.variables.pop("HUBSPOT_P002")
        assert many.run_here(*apply).last_line.startswith("Apply incomplete: 4 verified, ")
        many.variables["HUBSPOT_P002"] = token
        assert many.run_here(*apply).last_line == "Apply complete: 0 created, 2 updated, 0 deleted."
        assert many.run_here(*apply).last_line.startswith("No changes.")


def interrupted(many: Fleet, *arguments: str) -> Ran:
    """Run the command with one portal at a time, and SIGINT while the second is worked with."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments, "--portals-at-once", "1"],
        cwd=many.folder,
        env=many.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    give_up = time.monotonic() + 30
    while not many.sandboxes["p002"].requests and time.monotonic() < give_up:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    return Ran(process.returncode, out, err)


def test_after_a_signal_no_further_portal_begins(tmp_path: Path) -> None:
    """What is done is reported, and the rest is reported as not attempted."""
    with fleet(tmp_path, 5, latency=0.3) as many:
        ran = interrupted(many, "plan", "--all-portals", "--format", "json")
        assert ran.code == 1
        assert ran.json[0]["portal"]["name"] == "p001"
        left = ran.json[2:]  # the second one may have had all its requests in flight
        assert [each["portal"] for each in left] == many.names[2:]
        assert all("not attempted" in each["error"]["message"] for each in left)
        assert "interrupted: 3 portals not attempted: p003, p004, p005" in ran.err
        assert not any(many.sandboxes[each].requests for each in many.names[2:])


def test_a_signal_after_a_write_is_incomplete(tmp_path: Path) -> None:
    """The first portal was applied: exit 5."""
    with fleet(tmp_path, 4, latency=0.2) as many:
        ran = interrupted(many, *("apply", "--all-portals", "--auto-approve", "--settle", "0"))
        assert ran.code == 5
        assert many.limit_of("p001") == 8
        assert [many.limit_of(each) for each in many.names[2:]] == [5, 5]


def test_threads_of_portals_end_with_the_command(tmp_path: Path) -> None:
    """None is left behind, nor is a file descriptor of a connection."""
    with fleet(tmp_path, 20) as many:
        before = threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names
        assert many.run_here("plan", "--all-portals").code == 0
        give_up = time.monotonic() + 5
        while time.monotonic() < give_up:
            found = threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names
            if found <= before:
                break
            time.sleep(0.05)
        assert found <= before


# ---------------------------------------------------------------- import and compare


def test_several_portals_are_imported_into_a_folder_each(tmp_path: Path) -> None:
    """One that fails writes nothing and stops no other; importing twice changes nothing."""
    with fleet(tmp_path, 3) as many:
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        ran = many.run_here("import", "--all-portals", "--out", "imported")
        assert ran.code == 1
        assert sorted(each.name for each in (tmp_path / "imported").iterdir()) == ["p001", "p003"]
        assert (tmp_path / "imported/p003/contacts-companies.yaml").is_file()
        assert "p001    Imported: " in ran.out
        assert "error: portal p002: " in ran.err
        again = many.run_here("import", "--all-portals", "--out", "imported", "--format", "json")
        assert [each["files"] for each in again.json if "error" not in each] == [[], []]
        assert again.json[1]["portal"] == "p002"


def test_several_portals_do_not_share_a_folder_of_pair_files(tmp_path: Path) -> None:
    """Exit 64 without --out; one portal that --all-portals means goes where it always went."""
    with fleet(tmp_path, 2) as many:
        assert many.run_here("import", "--all-portals").code == 64
        many.write("reconciler.yaml", workspace(["p001"]))
        assert many.run_here("import", "--all-portals", "--update").code == 0


def test_a_portal_is_compared_with_several(tmp_path: Path) -> None:
    """It is read once; each of the others has its own comparison, or its own error."""
    with fleet(tmp_path, 4) as many:
        many.sandboxes["p003"].edit("contacts", "companies", 279, 9)
        many.variables["HUBSPOT_P004"] = "wrong-token-4"
        arguments = ("compare", "p001", "--all-portals")
        ran = many.run_here(*arguments, "--detailed-exitcode", "--format", "json")
        assert ran.code == 1
        assert [len(each.get("differences", "error")) for each in ran.json] == [0, 1, 5]
        assert ran.json[2]["portal"] == "p004"
        assert "error: portal p004: HubSpot does not accept the token" in ran.err
        accounts = [
            each
            for each in many.sandboxes["p001"].requests
            if (each.operation, each.status) == ("account", 200)
        ]
        assert len(accounts) == 1
        ran = many.run_here("compare", "p001", "--portal", "p002", "--portal", "p003")
        assert ran.code == 0
        assert ran.last_line == "2 portals: 2 done."
        assert "p003    1 limit differs: 1 with another value." in ran.out
        assert ran.out.count("No differences.") == 1, "an equal portal has its line in the table"
        ran = many.run_here(*arguments, "--format", "markdown")
        assert ran.out.startswith("| portal | result |")
        assert ran.out.count("\n\n- p001 (") == 2, "what follows a table or a paragraph is apart"


@pytest.mark.parametrize("command", ["doctor --all-portals", "compare p001 p002"])
def test_a_command_has_one_display(tmp_path: Path, command: str) -> None:
    """Two bars of their own would write over each other in one line."""
    with fleet(tmp_path, 3, latency=0.1) as many:
        code, shown = on_a_terminal_here(many, *command.split())
    assert code == 0
    assert shown.count("\x1b[?25l") == 1  # which hides the cursor, once for each display


def test_a_portal_that_is_compared_with_itself_is_no_silent_match(tmp_path: Path) -> None:
    """Two tokens of one account have no differences, which says nothing of the portal that is meant."""
    with fleet(tmp_path, 3, second_token="another-key-of-the-first") as many:
        many.variables["HUBSPOT_P002"] = "another-key-of-the-first"
        words = f"warning: the tokens of p001 and p002 both belong to portal {PORTAL_ID}\n"
        for arguments in (["p002"], ["--all-portals"]):
            ran = many.run_here("compare", "p001", *arguments)
            assert ran.code == 0
            assert ran.err.count(words) == 1
            assert ran.err.count("both belong") == 1


def test_what_cannot_be_read_of_a_compared_portal_is_said_once(tmp_path: Path) -> None:
    """Of the one that is compared with all, and of each of the others, in their order."""
    with fleet(tmp_path, 4, faults={1: "schemas:403", 4: "schemas:403"}) as many:
        ran = many.run_here("compare", "p001", "--all-portals")
        warned = re.findall("^warning: (p...): the token may not", ran.err, re.MULTILINE)
        assert (ran.code, warned) == (0, ["p001", "p004"])


@pytest.mark.parametrize(
    "arguments", [["p001"], ["p001", "p002", "--portal", "p003"],
                  ["p001", "--all-portals", "--write", "out"], ["nobody", "--all-portals"]],
)  # fmt: skip
def test_a_comparison_with_several_that_makes_no_sense(
    tmp_path: Path, arguments: list[str]
) -> None:
    """Exit 64 before anything is sent."""
    with fleet(tmp_path, 3) as many:
        assert many.run_here("compare", *arguments).code == 64
        assert many.sandboxes["p001"].requests == ()
