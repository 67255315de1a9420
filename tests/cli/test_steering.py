"""JSON on stdout, in plans and in the journal holds nothing that a terminal or a CI log obeys."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.applying.journal import Journal
from reconciler.applying.result_file import result_json
from reconciler.http.messages import WaitCause, Waiting
from reconciler.model.plan import Outcome, Result
from reconciler.sandbox.example import bare_portal
from reconciler.sandbox.seed import portal_from
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import Options, Sandbox
from tests.cli.running import Desk

HOSTILE = "##[error]fake ::error::fake ##vso[task.complete] \x9b31m \u202egnp.exe \u200b \U000e0041"
STEERING = ("##", "::error", "\x9b", "\u202e", "\u200b", "\U000e0041")


def is_harmless(text: str) -> bool:
    """Whether none of it is there as it is."""
    return not any(each in text for each in STEERING)


def test_plans_are_harmless_and_mean_the_same(desk: Desk) -> None:
    """Printed, saved and shown; the digest of the review is not touched."""
    reason = '"' + HOSTILE.encode("unicode_escape").decode() + '"'
    desk.write(
        "configs/a.yaml", f"from: contacts\nto: companies\nmax: {{max: 7, reason: {reason}}}\n"
    )
    printed = desk.run_here("plan", "--format", "json", "--out", "plan.json")
    saved = (desk.folder / "plan.json").read_text("utf-8")
    shown = desk.run_here("show", "plan.json", "--format", "json")
    assert printed.out == shown.out == saved
    assert is_harmless(saved)
    assert HOSTILE in [each["reason"] for each in printed.json["changes"]]


def test_results_and_journals_are_harmless(desk: Desk) -> None:
    """What a portal says goes into both."""
    result = Result(Outcome.FAILED, (), 0, "now", "now", HOSTILE)
    assert is_harmless(result_json(result))
    assert json.loads(result_json(result))["message"] == HOSTILE
    with Journal(desk.folder / "journal", lambda: datetime.now(UTC)) as journal:
        journal(Waiting(1.0, WaitCause.FAULT, HOSTILE))
    line = (desk.folder / "journal").read_text("utf-8")
    assert is_harmless(line)
    assert json.loads(line)["reason"] == HOSTILE


def test_errors_in_json_and_usage_errors_are_harmless(desk: Desk) -> None:
    """The arguments of a command may be a stranger's, too."""
    for arguments in (["validate", HOSTILE, "--format", "json"], ["show", HOSTILE], [HOSTILE]):
        ran = desk.run_here(*arguments)
        assert ran.code == 64
        assert is_harmless(ran.out + ran.err)


LABELS = [("Above", 28, 70_000), ("Below", 38, 2)]
SEED = {
    "extends": "hubspot",
    "types": [
        {
            "from": "contacts",
            "to": "companies",
            "type_id": id_,
            "label": f"{name}\n::x::{HOSTILE}",
            "inverse": id_ + 1,
            "name": name,
            "max": limit,
        }
        for name, id_, limit in LABELS
    ],
}


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "--format", "json"],
        ["compare", "production", "other"],
        ["compare", "production", "other", "--format", "json"],
        ["compare", "production", "other", "--write", "out", "--format", "json"],
        ["import", "--portal", "production"],
        ["import", "--portal", "production", "--format", "json"],
        ["schema", "pair", "--portal", "production"],
        ["init", "repository", "--import"],
    ],
    ids=" ".join,
)
def test_labels_of_a_portal_are_harmless_in_every_command(
    tmp_path: Path, arguments: list[str]
) -> None:
    """In its results, warnings and files: whoever may make a label steers no log and no editor."""
    other = Sandbox(bare_portal(7), Options("pat-eu1-of-the-other"))
    with serve(portal_from(SEED), others=[other]) as server:
        desk = Desk(tmp_path, server, {"HUBSPOT_OTHER_TOKEN": "pat-eu1-of-the-other"})
        desk.write(
            "reconciler.yaml",
            "version: 1\nportals:\n  production: {token: {env: HUBSPOT_ACCESS_TOKEN}}\n"
            "  other: {token: {env: HUBSPOT_OTHER_TOKEN}}\n",
        )
        if arguments[0] == "status":
            arguments = [*arguments, "--portal", "production"]
        ran = desk.run_here(*arguments)
    assert ran.code == 0, ran.err
    assert is_harmless(ran.out + ran.err)
    assert not any(line.startswith("::") for line in (ran.out + ran.err).splitlines())
    for file in tmp_path.rglob("*.json"):
        assert is_harmless(file.read_text("utf-8"))
