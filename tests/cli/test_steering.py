"""JSON on stdout, in plans and in the journal holds nothing that a terminal or a CI log obeys."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from reconciler.applying.journal import Journal
from reconciler.applying.result_file import result_json
from reconciler.http.events import WaitCause, Waiting
from reconciler.model.plan import Outcome, Result
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
