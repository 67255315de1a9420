"""The plans of earlier pushes, kept in the first line of a comment that anybody may edit."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.plan import Change, Origin, Plan, Refusal, RefusalCode
from reconciler.model.since import Outline
from reconciler.planning.pushes import (
    LARGEST,
    Planned,
    Pushes,
    read_planned,
    read_pushes,
    write_planned,
)
from tests.report.factory import HOSTILE, big_plan, hostile_plan, plan, small_changes

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


def planned(push: int, made: Plan) -> Planned:
    """The plan of a push."""
    return Planned(push, made.digest, Outline.of(made))


def bare(change: Change) -> Change:
    """A change as it is kept: without its line and its reason."""
    return replace(change, source=None, reason=None)


def encoded(content: bytes) -> str:
    """A text as it would be written by hand."""
    return base64.b64encode(zlib.compress(content), b"_.").decode().rstrip("=")


def decoded(text: str) -> bytes:
    """What is in a text."""
    return zlib.decompress(base64.b64decode(text + "=" * (-len(text) % 4), b"_."))


# ---------------------------------------------------------------- counting


def test_pushes_count_up_and_the_last_plan_is_compared() -> None:
    """A push is a commit that was planned, or could not be."""
    first = Pushes().now_at(ONE, "a").with_plan("a", Outline.of(plan()))
    assert (first.push, first.earlier) == (1, None)
    second = first.now_at(TWO, "b").with_plan("b", Outline.of(plan()))
    assert second.push == 2
    assert second.earlier == first.planned[0]
    third = second.now_at(THREE, "c").with_plan("c", Outline.of(plan()))
    assert [each.push for each in third.planned] == [3, 2]


def test_a_commit_planned_again_is_not_another_push() -> None:
    """It is compared with what the first attempt was compared with."""
    first = Pushes().now_at(ONE, "a").with_plan("a", Outline.of(plan()))
    second = first.now_at(TWO, "b").with_plan("b", Outline.of(plan()))
    again = second.now_at(TWO, "b").with_plan("b", Outline.of(plan()))
    assert again == second


def test_another_plan_of_a_commit_is_another_push() -> None:
    """Reviewers have seen the plan before, and somebody changed something in HubSpot."""
    first = Pushes().now_at(ONE, "a").with_plan("a", Outline.of(plan()))
    again = first.now_at(ONE, "b").with_plan("b", Outline.of(plan()))
    assert (again.push, again.earlier) == (2, first.planned[0])


def test_a_push_whose_planning_failed_counts_and_keeps_the_last_plan() -> None:
    """Also where the same commit is planned after the failure."""
    first = Pushes().now_at(ONE, "a").with_plan("a", Outline.of(plan()))
    failed = first.now_at(TWO, None)
    assert (failed.push, failed.planned) == (2, first.planned)
    for commit, push in ((THREE, 3), (TWO, 2)):
        after = failed.now_at(commit, "b").with_plan("b", Outline.of(plan()))
        assert (after.push, after.earlier) == (push, first.planned[0])


def test_a_failure_after_a_plan_of_the_same_commit_keeps_that_plan() -> None:
    """The next push is compared with the plan that reviewers last saw."""
    first = Pushes().now_at(ONE, "a").with_plan("a", Outline.of(plan()))
    later = first.now_at(ONE, None).now_at(TWO, "b").with_plan("b", Outline.of(plan()))
    assert (later.push, later.earlier) == (2, first.planned[0])


def test_without_a_commit_the_same_digest_is_the_same_push() -> None:
    """A plan that was made outside git, twice."""
    first = Pushes().now_at(None, "a").with_plan("a", Outline.of(plan()))
    assert first.now_at(None, "a").push == 1
    assert first.now_at(None, "b").push == 2
    assert first.now_at(ONE, "a").push == 2
    failed = first.now_at(None, None)
    assert (failed.push, failed.now_at(None, "a").push, failed.now_at(None, "b").push) == (1, 1, 2)
    assert Pushes().now_at(None, None).now_at(None, None).push == 1


# ---------------------------------------------------------------- as a text


def test_a_text_gives_back_what_was_written() -> None:
    """Values, names, protection, origin and refusals; not the lines and reasons of the files."""
    changes = (*small_changes(Origin.DRIFT), replace(big_plan(1).changes[0], protected=True))
    refusals = (Refusal(RefusalCode.PROTECTED, "is", changes[0].id),)
    both = (planned(4, plan(*changes, refusals=refusals)), planned(2, plan()))
    text = write_planned(both)
    assert re.fullmatch(r"[A-Za-z0-9_.]+", text)
    first, second = read_planned(text)
    assert first.outline is not None
    assert first.outline.changes == tuple(map(bare, changes))
    assert first.outline.refusals == refusals
    assert (first.push, first.digest, second) == (4, both[0].digest, both[1])


def test_no_plan_is_no_text() -> None:
    """A first push whose planning failed."""
    assert write_planned(()) == ""
    assert read_planned("") == ()


@pytest.mark.parametrize("changes", [300, 700, 2_000])
def test_what_does_not_fit_is_left_out(changes: int) -> None:
    """The earlier plan first, then this one; that a plan changed can be said by its digest."""
    made = big_plan(changes)
    text = write_planned([planned(2, made), planned(1, made)])
    assert len(text) <= LARGEST
    now, earlier = read_planned(text)
    assert (now.digest, earlier.digest) == (made.digest, made.digest)
    assert (now.outline is None) is (changes == 2_000)
    assert (earlier.outline is None) is (changes > 300)


@pytest.mark.parametrize("kind", sorted(HOSTILE.keys() - {"surrogate"}))
def test_hostile_names_are_kept(kind: str) -> None:
    """The text is plain letters, and gives them back. A plan with half a character has no digest."""
    made = hostile_plan(HOSTILE[kind])
    text = write_planned([planned(1, made)])
    assert re.fullmatch(r"[A-Za-z0-9_.]+", text)
    (found,) = read_planned(text)
    assert found.outline is not None
    assert [each.id for each in found.outline.changes] == [each.id for each in made.changes]


# ---------------------------------------------------------------- edited by somebody

GOOD = json.loads(decoded(write_planned([planned(2, plan(*small_changes())), planned(1, plan())])))


def edited(**parts: object) -> str:
    """A text whose first plan was changed by hand."""
    return encoded(json.dumps([GOOD[0] | {"plan": GOOD[0]["plan"] | parts}, GOOD[1]]).encode())


CHANGE = GOOD[0]["plan"]["changes"][0]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "<script>",
        "é",
        "A" * (LARGEST + 1),
        encoded(b"")[:-3],
        encoded(b"nonsense"),
        encoded(b"[" * 100_000),
        encoded(b"9" * 100_000),
        encoded(b" " * 5_000_000 + b"[]"),
        encoded(b"{}"),
        encoded(b"[1]"),
        encoded(json.dumps([*GOOD, GOOD[1]]).encode()),
        encoded(json.dumps([GOOD[0] | {"push": 0}]).encode()),
        encoded(json.dumps([GOOD[0] | {"push": "2"}]).encode()),
        encoded(json.dumps([GOOD[0] | {"digest": "sha256:x"}]).encode()),
        encoded(json.dumps([GOOD[0] | {"more": 1}]).encode()),
        edited(portal=0),
        edited(changes=[CHANGE, CHANGE]),
        edited(changes=[CHANGE | {"a": CHANGE["b"]}]),
        edited(changes=[CHANGE | {"a": 50_001}]),
        edited(changes=[CHANGE | {"b": 10**30}]),
        edited(changes=[CHANGE | {"b": True}]),
        edited(changes=[CHANGE | {"c": "NONE"}]),
        edited(changes=[CHANGE | {"f": ["contacts", "contacts"]}]),
        edited(changes=[CHANGE | {"o": "nobody"}]),
        edited(refusals=[["none", None, "x"]]),
    ],
)
def test_what_nobody_wrote_is_as_if_it_were_not_there(text: str) -> None:
    """Bombs, other types, values out of range, other versions."""
    assert read_planned(text) == ()


def test_the_unedited_text_of_these_tests_reads() -> None:
    """So that they fail for the edit and for nothing else."""
    assert [each.push for each in read_planned(encoded(json.dumps(GOOD).encode()))] == [2, 1]
    assert len(read_planned(edited())) == 2


@pytest.mark.parametrize("push", ["", "-1", "1.5", "٣", "0x2", "9" * 7, "1", "0"])
def test_a_count_that_cannot_be_counts_from_the_start(push: str) -> None:
    """And a plan of a later push than the comment's is not from this comment."""
    text = encoded(json.dumps(GOOD).encode())
    found = read_pushes(push, ONE, text)
    assert found.planned == ()
    assert found.push == (1 if push == "1" else 0)
    assert len(read_pushes("2", ONE, text).planned) == 2


@given(st.text(max_size=60) | st.text("ABCabc012_.", max_size=60), st.binary(max_size=80))
def test_any_text_is_read(text: str, content: bytes) -> None:
    """Never an error."""
    assert isinstance(read_pushes(text, None, text), Pushes)
    assert isinstance(read_planned(encoded(content)), tuple)
