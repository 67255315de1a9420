"""The real command: as a process that can be watched and sent signals, or in this process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.applying.result_file import ResultDocument
from reconciler.errors import ExitCode
from reconciler.model.plan import Outcome, Plan, Status
from reconciler.planning.plan_file import plan_json
from reconciler.sandbox.server import Server
from tests.applying.traffic import written
from tests.applying.truth import effective, is_about, rule_broken
from tests.applying.world import TOKEN
from tests.cli.running import Desk, environment

PATIENCE = 60.0
"""Seconds after which a test gives up; a busy machine is slow."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How an apply ended, and what it left behind."""

    code: int
    out: str
    err: str
    journal: list[dict[str, Any]]
    seconds: float

    @property
    def document(self) -> ResultDocument:
        return ResultDocument.model_validate_json(self.out)

    def with_status(self, status: Status) -> list[str]:
        """The IDs of the changes with this status."""
        return [each.id for each in self.document.changes if each.status is status]

    @property
    def journaled(self) -> set[tuple[str, str, int, int | None]]:
        """Every input that was about to leave."""
        return {
            (line["operation"], one["category"], one["type_id"], one["max"])
            for line in self.journal
            if line["event"] == "request"
            for one in line["inputs"]
        }


ARGUMENTS = (
    *("apply", "plan.json", "--force", "--format", "json"),
    *("--journal", "journal.jsonl", "--settle", "0"),
)
"""The plan deletes more than a third of its limits, hence `--force`. One read will do: time is real
here, and settling is tested in virtual time."""


def apply_here(folder: Path, plan: Plan, address: str, *options: str) -> Finished:
    """The command in this process, from its arguments to its exit code and streams."""
    (folder / "plan.json").write_text(plan_json(plan), "utf-8")
    variables = {"HUBSPOT_ACCESS_TOKEN": TOKEN, "HUBSPOT_BASE_URL": address}
    begun = time.monotonic()
    ran = Desk(folder, variables=variables).run_here(*ARGUMENTS, *options)
    return finished(folder, ran.code, ran.out, ran.err, time.monotonic() - begun)


def finished(folder: Path, code: int, out: str, err: str, seconds: float) -> Finished:
    """What an apply left behind; the token must be nowhere."""
    path = folder / "journal.jsonl"
    journal = path.read_text("utf-8") if path.exists() else ""
    assert TOKEN not in out + err + journal, "the token was shown"
    assert "Traceback" not in err, err
    lines = [json.loads(line) for line in journal.splitlines()]
    return Finished(code, out, err, lines, seconds)


class Apply:
    """The command as a process of its own, under way."""

    def __init__(self, folder: Path, plan: Plan, address: str, *options: str) -> None:
        self._folder = folder
        (folder / "plan.json").write_text(plan_json(plan), "utf-8")
        self._begun = time.monotonic()
        self._process = subprocess.Popen(
            (sys.executable, "-m", "reconciler", *ARGUMENTS, *options),
            cwd=folder,
            env=environment({"HUBSPOT_ACCESS_TOKEN": TOKEN, "HUBSPOT_BASE_URL": address}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Look again and again while it runs."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self._process.poll() is None, f"it ended too early: {self.finish().err}"
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.005)

    def finish(self) -> Finished:
        """Wait for its end."""
        out, err = self._process.communicate(timeout=PATIENCE)
        seconds = time.monotonic() - self._begun
        return finished(self._folder, self._process.returncode, out, err, seconds)


def writes(server: Server) -> int:
    """How many writes have reached the portal."""
    return sum(entry.method == "POST" for entry in server.requests)


def check(finished: Finished, plan: Plan, server: Server) -> None:
    """Demand that the report is true, as far as the portal's side can tell."""
    document, steps = finished.document, effective(server.history)
    assert list(rule_broken(server.history)) == []
    assert finished.code == _CODES[document.outcome]
    assert [each.id for each in document.changes] == [each.id for each in plan.changes]
    announced = {(category, type_id) for _, category, type_id, _ in finished.journaled}
    limits = {
        (direction.from_id, direction.to_id, key.category.value, key.type_id): value
        for direction, associations in server.portal.directions.items()
        for key, value in associations.limits.items()
    }
    for each, change in zip(document.changes, plan.changes, strict=True):
        wrote = any(is_about(step, change) for step in steps)
        key = change.type.key
        match each.status:
            case Status.VERIFIED:
                found = limits.get((*change.direction.key, key.category.value, key.type_id))
                assert found == change.after, f"{each.id} is not as it says"
            case Status.FAILED:
                assert not wrote, f"{each.id} failed, but it was written"
            case Status.UNCERTAIN:
                assert (key.category.value, key.type_id) in announced, f"{each.id} was never sent"
            case Status.NOT_ATTEMPTED:
                assert not wrote, f"{each.id} was written"
    if document.outcome in (Outcome.FAILED, Outcome.REFUSED):
        assert steps == [], "it says that nothing was written"
    check_journal(finished, server)


def check_journal(finished: Finished, server: Server) -> None:
    """Every write that reached the portal is in the journal."""
    arrived = {
        (one.operation, one.key.category.value, one.key.type_id, one.max)
        for one in written(server.requests)
    }
    assert arrived <= finished.journaled


_CODES = {
    Outcome.NOTHING: ExitCode.DONE,
    Outcome.APPLIED: ExitCode.DONE,
    Outcome.INCOMPLETE: ExitCode.INCOMPLETE,
    Outcome.FAILED: ExitCode.ERROR,
    Outcome.REFUSED: ExitCode.REFUSED,
}
