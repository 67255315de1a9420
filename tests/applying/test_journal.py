"""The journal: on disk before the next request goes out, and enough to know what was written."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.applying.events import CreateTried, Finished, Learned, Settled, Started
from reconciler.applying.journal import Journal
from reconciler.applying.knowledge import Accepted, Doubtful, Refused, Shown, Untried
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.http.messages import (
    Answered,
    Exchange,
    Response,
    Sending,
    Unanswered,
    WaitCause,
    Waiting,
)
from reconciler.hubspot.portal import CallName
from reconciler.model.plan import ChangeError, ChangeResult, Operation, Outcome, Result, Status
from reconciler.planning.plan_file import plan_json
from tests.applying import scenario, truth
from tests.applying.factory import CONTACTS_COMPANIES, batch, change, portal, wanted
from tests.applying.faults import Phase
from tests.applying.scenario import USUAL, phases, plan, world
from tests.applying.traffic import Trouble
from tests.applying.world import TOKEN, World
from tests.clock import VirtualClock

WRITE = Exchange(
    7,
    2,
    CallName.UPDATE,
    "POST",
    "/crm/associations/2026-03/definitions/configurations/0-1/0-2/batch/update",
    writes=True,
    subject=batch(Operation.UPDATE, _1=5),
)
READ = Exchange(8, 1, CallName.LIMITS, "GET", "/crm/associations/2026-03/…/0-1/0-2")
RUN = "00112233aabbccdd"
HALF_LINE = '{"at": "2026-11-21T09:16:40.000+00:00", "run_id": "0011", "event": "requ'
LABEL_1 = "contacts>companies/USER_DEFINED/101"


class Disk:
    """Saves until it is full; counts."""

    def __init__(self, room: int = 1_000) -> None:
        self.saved = 0
        self._room = room

    def __call__(self, _: int) -> None:
        if self.saved == self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.saved += 1


def lines(path: Path) -> list[dict[str, Any]]:
    """The journal as it is on disk now."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def opened(folder: Path, disk: Disk | None = None) -> Journal:
    """A journal in this folder."""
    return Journal(folder / "journal.jsonl", VirtualClock().wall, disk or Disk(), RUN)


def test_a_request_is_saved_before_it_leaves(tmp_path: Path) -> None:
    """When the journal returns, the line is on the disk, with all that reconstructs the write."""
    disk = Disk()
    with opened(tmp_path, disk) as journal:
        journal(Sending(WRITE))
        (line,) = lines(tmp_path / "journal.jsonl")
    assert disk.saved == 1
    assert line == {
        "at": "2026-11-21T09:00:00.000+00:00",
        "run_id": RUN,
        "event": "request",
        "request": 7,
        "attempt": 2,
        "operation": "update",
        "method": "POST",
        "path": WRITE.path,
        "inputs": [{"category": "USER_DEFINED", "type_id": 101, "max": 5}],
    }


def test_what_comes_of_a_request_is_written_down(tmp_path: Path) -> None:
    """Answer, silence and waits."""
    with opened(tmp_path) as journal:
        journal(Answered(WRITE, 207, 0.25, "the-id"))
        journal(Unanswered(WRITE, "the connection broke"))
        journal(Waiting(2.0, WaitCause.LOCKED, "locked", 423))
    answer, silence, wait = lines(tmp_path / "journal.jsonl")
    assert (answer["event"], answer["request"], answer["status"]) == ("answer", 7, 207)
    assert (answer["correlation_id"], answer["seconds"]) == ("the-id", 0.25)
    assert (silence["event"], silence["request"]) == ("no_answer", 7)
    assert silence["error"] == "the connection broke"
    assert (wait["event"], wait["seconds"], wait["reason"]) == ("wait", 2.0, "locked")


def test_what_is_learnt_is_written_down(tmp_path: Path) -> None:
    """A 2xx can mean anything: the journal says what was made of it."""
    inputs = batch(Operation.UPDATE, _1=5).inputs
    why = ChangeError("so it is")
    with opened(tmp_path) as journal:
        for known in (Accepted(), Shown(), Doubtful(why), Refused(why), Untried(why)):
            journal(Learned(CONTACTS_COMPANIES, inputs, known))
        journal(CreateTried(CONTACTS_COMPANIES, inputs[0], why))
    *learned, instead = lines(tmp_path / "journal.jsonl")
    assert {tuple(line["changes"]) for line in learned} == {(LABEL_1,)}
    assert [line["what"] for line in learned] == [
        "accepted",
        "shown",
        "doubtful",
        "refused",
        "not attempted",
    ]
    assert [line.get("why") for line in learned] == [None, None, *["so it is"] * 3]
    assert (instead["event"], instead["change"]) == ("create_instead", LABEL_1)


def test_it_begins_with_the_plan_and_ends_with_the_result(tmp_path: Path) -> None:
    """Which plan, for which portal; what became of each change."""
    made = World.in_process(tmp_path, portal(1, {1: 1}))
    planned = made.plan(wanted({1: 2}))
    results = (ChangeResult(change(), Status.VERIFIED),)
    with opened(tmp_path) as journal:
        journal(Started(planned))
        journal(Settled(CONTACTS_COMPANIES, results))
        journal(Finished(Result(Outcome.APPLIED, results, 4, "then", "now")))
    start, settled, finish = lines(tmp_path / "journal.jsonl")
    assert (start["digest"], start["portal_id"]) == (planned.digest, 1234567)
    assert start["changes"] == [{"id": LABEL_1, "before": 1, "after": 2}]
    assert settled["direction"] == "contacts → companies"
    assert settled["changes"] == finish["changes"] == [{"id": LABEL_1, "status": "verified"}]
    assert (finish["event"], finish["outcome"]) == ("finish", "applied")


# ---------------------------------------------------------------- what can go wrong with a file


def test_a_second_apply_appends(tmp_path: Path) -> None:
    """Nothing of the first is lost."""
    for _ in range(2):
        with opened(tmp_path) as journal:
            journal(Sending(READ))
    assert len(lines(tmp_path / "journal.jsonl")) == 2


def test_half_a_line_of_a_killed_process_is_closed(tmp_path: Path) -> None:
    """What follows is not glued to it."""
    path = tmp_path / "journal.jsonl"
    path.write_text(HALF_LINE, "utf-8")
    with opened(tmp_path) as journal:
        journal(Sending(READ))
    half, whole = path.read_text("utf-8").splitlines()
    assert half == HALF_LINE
    assert json.loads(whole)["event"] == "request"


BEGINNINGS = ("", '{"at', HALF_LINE, HALF_LINE.replace('"run_id": "0011", ', ""))


@pytest.mark.parametrize("text", BEGINNINGS)
def test_an_empty_file_or_a_journal_is_appended_to(tmp_path: Path, text: str) -> None:
    """And one whose first line a killed process left half done."""
    path = tmp_path / "journal.jsonl"
    path.write_text(text, "utf-8")
    with opened(tmp_path) as journal:
        journal(Sending(READ))
    assert path.read_text("utf-8").startswith(text)
    assert json.loads(path.read_text("utf-8").splitlines()[-1])["run_id"] == RUN


OTHERS = {
    "plan": plan_json(plan(USUAL)),
    "result": '{"changes":[],"format_version":"1.0"}\n',
    "pair file": "from: contacts\nto: companies\nmax: 5\n",
    "log of lines": '{"at": "yesterday", "event": "request"}\n',
    "JSON": '{"at": 1}\n',
    "one character": "x",
    "nothing but a line end": "\n",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_any_other_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    """Before anything is sent: a journal is appended to, and only to a journal."""
    path = tmp_path / "journal.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(ReconcilerError, match="is not a journal"):
        opened(tmp_path)
    assert path.read_text("utf-8") == text


def make_fifo(path: Path) -> None:
    """A pipe that nobody reads: opening it to write would wait for ever."""
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    """A socket in the file system."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


ODD: tuple[tuple[Callable[[Path], object], str], ...] = (
    (Path.mkdir, "is a directory"),
    (make_fifo, "is a FIFO"),
    (make_socket, "is a socket"),
    (lambda path: path.symlink_to("/dev/null"), "is a device"),
    (lambda path: path.symlink_to("missing/journal.jsonl"), "there is no folder"),
    (lambda path: path.symlink_to(path), "cannot be used as a journal"),
)


@pytest.mark.parametrize(("make", "why"), ODD, ids=[why for _, why in ODD])
def test_a_journal_is_a_regular_file(
    tmp_path: Path, make: Callable[[Path], object], why: str
) -> None:
    """A link stands for what it leads to."""
    make(tmp_path / "journal.jsonl")
    with pytest.raises(ReconcilerError, match=why):
        opened(tmp_path)


def test_a_link_to_a_journal_is_followed(tmp_path: Path) -> None:
    """And to a file that does not exist yet."""
    (tmp_path / "journal.jsonl").symlink_to("elsewhere.jsonl")
    with opened(tmp_path) as journal:
        journal(Sending(READ))
        assert journal.problem is None
    assert [line["run_id"] for line in lines(tmp_path / "elsewhere.jsonl")] == [RUN]


def test_a_path_without_a_folder_is_an_error(tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(ReconcilerError, match="there is no folder"):
        Journal(tmp_path / "missing" / "journal.jsonl", VirtualClock().wall)


def test_a_new_journal_is_its_owners_alone(tmp_path: Path) -> None:
    """Mode 0600."""
    with opened(tmp_path):
        mode = (tmp_path / "journal.jsonl").stat().st_mode
    assert mode & 0o777 == 0o600


def test_every_line_says_which_run_it_belongs_to(tmp_path: Path) -> None:
    """Two applies into one journal are told apart."""
    made = world(tmp_path, USUAL)
    first = made.apply(plan(USUAL))
    second = made.apply(plan(USUAL))
    runs = [{event["run_id"] for event in ran.events} for ran in (first, second)]
    assert [len(each) for each in runs] == [1, 1]
    assert runs[0] != runs[1]


def test_others_may_append_meanwhile(tmp_path: Path) -> None:
    """Another apply into the same journal is no damage."""
    with opened(tmp_path) as journal, opened(tmp_path) as other:
        for each in (journal, other, journal):
            each(Sending(WRITE))
        assert (journal.problem, other.problem) == (None, None)


def replace_file(path: Path) -> None:
    """By an empty one."""
    path.rename(path.with_name("old"))
    path.touch()


DAMAGE: tuple[tuple[Callable[[Path], object], str], ...] = (
    (Path.unlink, "it was deleted during the apply"),
    (lambda path: path.rename(path.with_name("old")), "it was deleted during the apply"),
    (replace_file, "replaced by another file"),
    (lambda path: os.truncate(path, 10), "it was shortened during the apply"),
)


@pytest.mark.parametrize(("damage", "why"), DAMAGE, ids=["deleted", "moved", "replaced", "cut"])
def test_a_damaged_journal_keeps_a_write_from_being_sent(
    tmp_path: Path, damage: Callable[[Path], object], why: str
) -> None:
    """As a full disk does: the lines before are what a recovery needs."""
    with opened(tmp_path) as journal:
        journal(Sending(WRITE))
        damage(tmp_path / "journal.jsonl")
        with pytest.raises(ReconcilerError, match=why):
            journal(Sending(WRITE))
        journal(Sending(READ))


def test_a_journal_deleted_after_its_last_line_is_reported(tmp_path: Path) -> None:
    """Nothing was left to be stopped."""
    with opened(tmp_path) as journal:
        journal(Sending(WRITE))
        (tmp_path / "journal.jsonl").unlink()
    assert journal.problem is not None


class Deleting(Trouble):
    """Somebody deletes the journal while a request is under way."""

    def __init__(self, path: Path, number: int) -> None:
        self._path = path
        self._number = number

    def before(self, number: int) -> None:
        if number == self._number:
            self._path.rename(self._path.with_name("moved.jsonl"))
            self._path.touch()


def test_an_apply_stops_when_its_journal_is_replaced(tmp_path: Path) -> None:
    """No further write leaves; what was sent is read back, and the report is true."""
    number = phases(USUAL).index(Phase.WRITING) + 2
    made = world(tmp_path, USUAL)
    ran = made.apply(plan(USUAL), trouble=Deleting(tmp_path / "journal.jsonl", number))
    assert ran.code is ExitCode.INCOMPLETE
    assert ran.result.message is not None
    assert "it was replaced by another file during the apply" in ran.result.message
    assert len([entry for entry in ran.requests if entry.method == "POST"]) == 2
    assert {"verified", "not_attempted"} == set(ran.statuses.values())


def test_a_full_disk_keeps_a_write_from_being_sent(tmp_path: Path) -> None:
    """Nothing is written to the portal without its line."""
    with (
        opened(tmp_path, Disk(0)) as journal,
        pytest.raises(ReconcilerError, match="No space left"),
    ):
        journal(Sending(WRITE))


def test_a_full_disk_costs_no_reading(tmp_path: Path) -> None:
    """What was written before can still be verified; the problem is there to be told."""
    with opened(tmp_path, Disk(0)) as journal:
        journal(Sending(READ))
        journal(Answered(READ, 200, 0.1))
        assert journal.problem is not None
        assert "No space left on device" in journal.problem.message


def test_after_a_failure_nothing_more_is_written(tmp_path: Path) -> None:
    """A journal that ends early says so; one with a gap would lie."""
    with opened(tmp_path, Disk(1)) as journal:
        journal(Sending(READ))
        journal(Sending(READ))
        journal(Answered(READ, 200, 0.1))
    assert [line["event"] for line in lines(tmp_path / "journal.jsonl")] == ["request"] * 2


def test_an_apply_begins_only_with_its_plan_in_the_journal(tmp_path: Path) -> None:
    """Exit 1, and no request at all."""
    ran = world(tmp_path, USUAL).apply(plan(USUAL), save=Disk(0))
    assert (ran.code, ran.requests) == (ExitCode.ERROR, ())
    assert ran.result.outcome is Outcome.FAILED


# ---------------------------------------------------------------- whole applies


class Reading(Trouble):
    """Looks at the journal whenever a request arrives at the portal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.last: list[dict[str, Any]] = []

    def before(self, number: int) -> None:
        """The line of this very request is there."""
        (*_, line) = lines(self._path)
        assert (line["event"], line["request"]) == ("request", number)
        self.last.append(line)


def test_every_line_is_there_when_its_request_arrives(tmp_path: Path) -> None:
    """And the answers to all requests before it."""
    trouble = Reading(tmp_path / "journal.jsonl")
    ran = world(tmp_path, USUAL).apply(plan(USUAL), trouble=trouble)
    truth.check(ran)
    assert len(trouble.last) == len(ran.requests)
    answered = [event["request"] for event in ran.events if event["event"] == "answer"]
    assert answered == [line["request"] for line in trouble.last]


class Killed(BaseException):
    """The process ends here, without another line of its code."""


class Killing(Trouble):
    """SIGKILL, before this request reaches the portal or after it took effect."""

    def __init__(self, number: int, *, after: bool) -> None:
        self._number = number
        self._after = after

    def before(self, number: int) -> None:
        if number == self._number and not self._after:
            raise Killed

    def after(self, number: int, response: Response) -> Response:
        if number == self._number:
            raise Killed
        return response


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 24))
def test_a_killed_apply_is_reconstructed_from_its_journal(
    tmp_path: Path, number: int, *, after: bool
) -> None:
    """Every write that took effect has its line; one more apply puts everything right."""
    made = world(tmp_path, USUAL)
    with pytest.raises(Killed):
        made.apply(plan(USUAL), trouble=Killing(number, after=after))
    left = lines(tmp_path / "journal.jsonl")
    assert left[-1]["event"] == "request", "it was under way"
    assert TOKEN not in (tmp_path / "journal.jsonl").read_text("utf-8")
    announced = {
        (each["category"], each["type_id"], each["max"])
        for line in left
        for each in line.get("inputs", ())
    }
    for step in truth.effective(made.sandbox.history):
        assert (step.key.category.value, step.key.type_id, step.after) in announced
    made.recover()
    again = made.apply(made.plan(scenario.configuration()))
    truth.check(again)
    assert again.code is ExitCode.DONE
    assert made.plan(scenario.configuration()).changes == ()
