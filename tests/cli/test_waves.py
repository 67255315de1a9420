"""Waves: a few portals first, and the others only where these went well; taken up after any end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.applying.rollouts import RolloutJournal
from reconciler.cli.waves import Waves
from reconciler.errors import UsageProblem
from reconciler.http.clock import SystemClock
from tests.cli.fleet import PAIR, Fleet, fleet
from tests.cli.running import Ran
from tests.cli.test_progress import on_a_terminal_here

APPLY = ("apply", "--all-portals", "--auto-approve")


def rollout(many: Fleet, waves: str = "1,50%,rest", *more: str) -> Ran:
    """One run of the rollout that all tests are about."""
    return many.run_here(*APPLY, "--waves", waves, "--journal", "journal.jsonl", *more)


def sent(many: Fleet) -> dict[str, int]:
    """How many requests each portal was sent so far; those that no portal took are not counted."""
    return {
        name: sum(each.status != 401 for each in sandbox.requests)
        for name, sandbox in many.sandboxes.items()
    }


# ---------------------------------------------------------------- which portals


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0", "a wave of 0 has no portal"),
        ("1,0%,rest", "a wave of 0% has no portal"),
        ("60%,50%", "110% of the portals"),
        ("101%", "101% of the portals"),
        ("rest,1", "nothing follows `rest`"),
        ("rest,rest", "nothing follows `rest`"),
        ("", "is not a wave"),
        ("1,,rest", "is not a wave"),
        ("-1", "is not a wave"),
        ("1.5%", "is not a wave"),
        ("ten", "is not a wave"),
        ("1 %", "is not a wave"),
        ("1;rest", "is not a wave"),
        ("٣", "is not a wave"),
        ("9999999", "is not a wave"),
    ],
)
def test_what_is_no_list_of_waves_is_wrong_usage(tmp_path: Path, text: str, words: str) -> None:
    """Exit 64 before any portal is asked, with an example of what is right."""
    with fleet(tmp_path, 2) as many:
        ran = rollout(many, text)
        assert ran.code == 64
        assert words in ran.err
        assert "1,10%,rest" in ran.err
        assert not (tmp_path / "journal.jsonl").exists()
        assert sum(sent(many).values()) == 0


@pytest.mark.parametrize(
    ("text", "portals", "sizes", "left"),
    [
        ("1,10%,rest", 500, [1, 50, 449], 0),
        ("1,10%,rest", 5, [1, 1, 3], 0),
        ("1,10%,rest", 1, [1], 0),
        ("3, 100%", 5, [3, 2], 0),
        ("1,10%", 20, [1, 2], 17),
        ("rest", 3, [3], 0),
        ("10", 3, [3], 0),
        ("1,rest", 0, [], 0),
    ],
)
def test_the_sizes_of_waves(text: str, portals: int, sizes: list[int], left: int) -> None:
    """A percentage is of all portals, rounded up."""
    waves, rest = Waves.parse(text).of(range(portals))
    assert [len(each) for each in waves] == sizes
    assert len(rest) == left


@given(st.lists(st.sampled_from(["1", "2", "7", "1%", "10%", "33%"]), min_size=1, max_size=5),
       st.booleans(), st.integers(0, 200))  # fmt: skip
def test_every_portal_is_in_one_wave_or_in_none(
    sizes: list[str], ends_in_rest: bool, portals: int
) -> None:
    """In their order; with `rest` there is none left."""
    text = ",".join([*sizes, *(["rest"] if ends_in_rest else [])])
    try:
        waves, left = Waves.parse(text).of(range(portals))
    except UsageProblem:
        assert sizes.count("33%") >= 3
        return
    assert [each for wave in waves for each in wave] + left == list(range(portals))
    assert all(waves)
    assert not (ends_in_rest and left)


def test_waves_are_for_several_portals_and_their_files(tmp_path: Path) -> None:
    """Not for one portal, and not for a saved plan."""
    with fleet(tmp_path, 2) as many:
        one = ("apply", "--portal", "p001", "--auto-approve", "--waves", "1,rest")
        assert many.run_here(*one).code == 64
        many.run_here("plan", "--portal", "p001", "--out", "plan.json")
        ran = many.run_here("apply", "plan.json", "--waves", "1,rest")
        assert ran.code == 64
        assert "a saved plan is for one portal" in ran.err
        several = ("apply", "--portal", "p001", "--portal", "p002", "--auto-approve")
        assert many.run_here(*several, "--waves", "1,rest").code == 0


# ---------------------------------------------------------------- one after another


def test_a_wave_begins_when_the_one_before_is_done(tmp_path: Path) -> None:
    """And all portals are applied to in the end."""
    with fleet(tmp_path, 6, latency=0.05) as many:
        ran = rollout(many)
        assert ran.code == 0
        assert [many.limit_of(each) for each in many.names] == [8] * 6
        times = {name: [each.time for each in sandbox.requests if each.status != 401]
                 for name, sandbox in many.sandboxes.items()}  # fmt: skip
        waves = [many.names[:1], many.names[1:4], many.names[4:]]
        for earlier, later in pairwise(waves):
            assert max(max(times[each]) for each in earlier) < min(
                min(times[each]) for each in later
            )
        assert [each for each in ran.err.splitlines() if each.startswith("wave ")] == [
            "wave 1 of 3: 1 portal",
            "wave 2 of 3: 3 portals",
            "wave 3 of 3: 2 portals",
        ]


def test_the_last_line_counts_the_changes_of_all_portals(tmp_path: Path) -> None:
    """It is the one to grep, as it is for one portal."""
    with fleet(tmp_path, 3) as many:
        ran = rollout(many)
        assert ran.last_line == "Apply complete: 0 created, 6 updated, 0 deleted."
        assert ran.out.count("deleted.\n\np00") == 2, "what is of one portal is apart from the next"
        again = rollout(many)
        assert again.last_line == "No changes. The portal matches the configuration."
        assert again.out.count("No changes.") == 1, "each portal has its line in the table"


def test_a_portal_that_was_not_attempted_did_not_fail(tmp_path: Path) -> None:
    """The table and the line below it distinguish the two."""
    with fleet(tmp_path, 6) as many:
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        ran = rollout(many, "1,50%,rest")
        assert "6 portals: 3 done, 1 failed, 2 not attempted." in ran.out
        assert ran.last_line == (
            "Apply incomplete: 6 verified, 0 failed, 0 uncertain, 0 not attempted "
            "(p002, p005, p006)."
        )
        assert "p005    not attempted" in ran.out


def test_the_first_wave_that_does_not_go_well_is_the_last(tmp_path: Path) -> None:
    """Its other portals are done. The next run does what is left, and touches nothing twice."""
    with fleet(tmp_path, 6) as many:
        right = many.variables["HUBSPOT_P003"]
        many.variables["HUBSPOT_P003"] = "wrong-token-3"
        ran = rollout(many, "1,50%,rest", "--format", "json")
        assert ran.code == 5
        assert [each.get("outcome", "none") for each in ran.json] == [
            *("applied", "applied", "failed", "applied", "none", "none")
        ]
        assert "wave 2 ended with exit code 1: 2 portals not attempted: p005, p006" in ran.err
        assert [many.limit_of(each) for each in many.names] == [8, 8, 5, 8, 5, 5]
        before = sent(many)

        many.variables["HUBSPOT_P003"] = right
        ran = rollout(many)
        assert ran.code == 0
        assert "resuming the rollout that did not end: 3 portals done before" in ran.err
        assert ran.out.count("done before, by the journal") == 3
        assert [many.limit_of(each) for each in many.names] == [8] * 6
        after = sent(many)
        assert [name for name in many.names if after[name] == before[name]] == [
            "p001",
            "p002",
            "p004",
        ]


def test_a_refused_plan_stops_the_waves(tmp_path: Path) -> None:
    """Exit 4, and the other portals are not even asked."""
    with fleet(tmp_path, 3) as many:
        text = "version: 1\nsafety: {max_changes: 1}\n"
        file = tmp_path / "reconciler.yaml"
        file.write_text(file.read_text().replace("version: 1\n", text))
        ran = rollout(many, "1,rest")
        assert ran.code == 4
        assert sent(many)["p002"] == sent(many)["p003"] == 0


def test_portals_in_none_of_the_waves_are_left_alone_and_named(tmp_path: Path) -> None:
    """Without `rest`: what was asked for is done, exit 0."""
    with fleet(tmp_path, 5) as many:
        ran = rollout(many, "1,20%", "--format", "json")
        assert ran.code == 0
        assert len(ran.json) == 2
        assert "3 portals in none of the waves, and not applied to: p003, p004, p005" in ran.err
        assert [many.limit_of(each) for each in many.names] == [8, 8, 5, 5, 5]


def test_a_person_is_asked_before_each_wave(tmp_path: Path) -> None:
    """A no to the first one is a no to all."""
    with fleet(tmp_path, 3) as many:
        arguments = ("apply", "--all-portals", "--waves", "1,rest")
        code, shown = on_a_terminal_here(many, *arguments, typed="no\n")
        assert code == 4
        assert shown.count('Type "yes" to apply') == 1
        assert "Apply to portal p001" in shown
        assert not any(many.writes_to(each) for each in many.names)


# ---------------------------------------------------------------- taken up again


def test_a_rollout_that_ended_begins_anew(tmp_path: Path) -> None:
    """What somebody changed in HubSpot since is put back, in waves."""
    with fleet(tmp_path, 3) as many:
        assert rollout(many).code == 0
        many.sandboxes["p001"].edit("contacts", "companies", 279, 3)
        ran = rollout(many)
        assert ran.code == 0
        assert "resuming" not in ran.err
        assert many.limit_of("p001") == 8


@pytest.mark.parametrize("what", ["files", "waves", "portals"])
def test_another_rollout_begins_anew(tmp_path: Path, what: str) -> None:
    """With other files, other waves or other portals: the journal's is not the same one."""
    with fleet(tmp_path, 4) as many:
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        assert rollout(many, "1,rest").code == 5
        before = sent(many)["p001"]
        waves, more = "1,rest", ()
        match what:
            case "files":
                many.write("configs/contacts-companies.yaml", PAIR.replace("8", "9"))
            case "waves":
                waves = "2,rest"
            case _:
                text = (tmp_path / "reconciler.yaml").read_text()
                many.write("reconciler.yaml", text.replace("p004", "p005").replace("P004", "P004"))
                many.variables["HUBSPOT_P005"] = many.variables["HUBSPOT_P004"]
        ran = rollout(many, waves, *more)
        assert "resuming" not in ran.err
        assert sent(many)["p001"] > before


def test_a_portal_that_had_nothing_to_do_is_not_asked_again(tmp_path: Path) -> None:
    """It is done as well."""
    with fleet(tmp_path, 3) as many:
        assert many.run_here("apply", "--portal", "p001", "--auto-approve").code == 0
        many.variables["HUBSPOT_P002"] = "wrong-token-2"
        assert rollout(many, "1,rest").code == 5
        before = sent(many)["p001"]
        assert rollout(many, "1,rest").code == 1
        assert sent(many)["p001"] == before


def test_two_rollouts_do_not_share_a_journal(tmp_path: Path) -> None:
    """The second one ends before anything is sent."""
    with fleet(tmp_path, 2) as many:
        clock = SystemClock()
        first = RolloutJournal(tmp_path / "journal.jsonl", "key", clock.wall, lambda: "a" * 16)
        ran = rollout(many)
        assert ran.code == 1
        assert "another apply in waves is using journal.jsonl" in ran.err
        assert sum(sent(many).values()) == 0
        first.close()
        assert rollout(many).code == 0


def killed(many: Fleet, when: Callable[[], bool]) -> None:
    """Start the rollout in a process of its own, and kill it as soon as something is so."""
    arguments = [*APPLY, "--settle", "0.1", "--waves", "1,50%,rest", "--journal", "journal.jsonl"]
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=many.folder,
        env=many.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    give_up = time.monotonic() + 30
    while process.poll() is None and not when() and time.monotonic() < give_up:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait(30)


def finished(many: Fleet) -> list[str]:
    """The portals that the journal has as applied."""
    path = many.folder / "journal.jsonl"
    names, found = {}, []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry["event"] == "start":
            names[entry["run_id"]] = entry["portal"]
        elif entry["event"] == "finish" and entry["outcome"] == "applied":
            found.append(names[entry["run_id"]])
    return found


@pytest.mark.parametrize(
    "moment", ["first write", "second wave", "one of the second is done", "last"]
)
def test_a_rollout_that_was_killed_is_taken_up(tmp_path: Path, moment: str) -> None:
    """SIGKILL at any moment: what the journal has as done is not asked again, the rest is done."""
    with fleet(tmp_path, 7, latency=0.03) as many:
        second, last = many.names[1:5], many.names[5:]
        moments: dict[str, Callable[[], bool]] = {
            "first write": lambda: bool(many.writes_to("p001")),
            "second wave": lambda: any(many.writes_to(each) for each in second),
            "one of the second is done": lambda: len(finished(many)) >= 2,
            "last": lambda: any(many.writes_to(each) for each in last),
        }
        killed(many, moments[moment])
        done, before = finished(many), sent(many)
        assert len(done) < 7
        ran = rollout(many)
        assert ran.code == 0
        after = sent(many)
        assert all(after[each] == before[each] for each in done)
        assert [many.limit_of(each) for each in many.names] == [8] * 7
        # Two writes make a portal right, and a portal that was cut off is written to again at most.
        assert all(len(many.writes_to(each)) <= 2 + (each not in done) * 2 for each in many.names)
        assert rollout(many).code == 0
        assert "rollout_end" in (tmp_path / "journal.jsonl").read_text()
