"""Readers and renderers against bytes that nobody vouches for, in the time a test has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, Target

each_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())


@each_target
def test_what_was_found_stays_found(target: Target) -> None:
    """Each input of the corpus, among them all that once broke something."""
    assert target.corpus
    for data in target.corpus:
        target.feed(data)


@each_target
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_nothing_is_an_internal_error(target: Target, data: st.DataObject) -> None:
    """Inputs made of the format's own words, inputs of the corpus with some bytes changed, and noise."""
    target.feed(data.draw(inputs(target)))


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Something like what the target reads, or not at all."""
    token = st.sampled_from(target.tokens)
    made = st.lists(token, max_size=30).map(b"".join)
    changed = st.builds(
        _changed,
        st.sampled_from(target.corpus),
        st.lists(
            st.tuples(st.floats(0, 1), st.integers(0, 12), token | st.binary(max_size=3)),
            max_size=5,
        ),
    )
    return st.one_of(changed, made, st.binary(max_size=60))


def _changed(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """The data with some bytes at some places replaced; an edit at 0.5 is in the middle."""
    for place, length, replacement in edits:
        start = int(place * len(data))
        data = data[:start] + replacement + data[start + length :]
    return data


def test_a_target_finds_what_is_wrong() -> None:
    """An exception that is not of the reader's family gets out, and so the test fails."""

    def broken(data: bytes) -> None:
        if b"{" in data:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _drive(broken)


def _drive(feed: Callable[[bytes], None]) -> None:
    target = Target("plan", feed, TARGETS["plan"].tokens)

    @settings(max_examples=50, database=None)
    @given(inputs(target))
    def run(data: bytes) -> None:
        target.feed(data)

    run()
