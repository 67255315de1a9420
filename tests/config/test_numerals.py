"""A number that was written otherwise is answered with how to write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.nodes import Scalar, Sequence
from reconciler.config.numerals import hint_for_limit, hint_for_number, is_whole
from tests.config.support import PATIENT

pytestmark = pytest.mark.usefixtures("parser")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("010", "write 10"),
        ("+5", "write 5"),
        ("1_000", "write 1000"),
        ("1,000", "write 1000"),
        ("1.000", "write 1000"),
        ("1'000", "write 1000"),
        ("1 000", "write 1000"),
        ("10_0", "write 100"),
        ("1e3", "write 1000"),
        ("5.0", "write 5"),
        ("0x10", "write 16"),
        ("0o17", "write 15"),
        ("0b11", "write 3"),
    ],
)
def test_the_number_meant_is_offered(text: str, meant: str) -> None:
    """The user can copy it."""
    assert hint_for_limit(Scalar(text, True, 1, 1)) == meant
    assert hint_for_number(Scalar(text, True, 1, 1)) == meant


def test_quotes_are_to_go() -> None:
    """A quoted number is a text."""
    assert hint_for_limit(Scalar("5", False, 1, 1)) == "write 5 without quotes"


@pytest.mark.parametrize("text", ["Unlimited", "none", "no", ".inf", "-1", "0", "infinity", "off"])
def test_words_for_no_limit_lead_to_unlimited(text: str) -> None:
    """There is one word for it."""
    assert "write unlimited" in hint_for_limit(Scalar(text, True, 1, 1))


@pytest.mark.parametrize("text", ["1.5", "60000", "many", "1e300", "9" * 5000, "1e-5", ""])
def test_without_a_guess_the_range_is_said(text: str) -> None:
    """No hint leads to another error."""
    assert "from 1 to 50000" in hint_for_limit(Scalar(text, True, 1, 1))


def test_a_list_has_a_hint_too() -> None:
    """The range."""
    assert "from 1 to 50000" in hint_for_limit(Sequence([], 1, 1))


@PATIENT
@given(st.text(max_size=30))
def test_no_text_raises(text: str) -> None:
    """Any text gets some hint."""
    assert hint_for_limit(Scalar(text, True, 1, 1))
    assert hint_for_number(Scalar(text, False, 1, 1))


@PATIENT
@given(st.integers())
def test_whole_numbers_of_any_size_are_recognised(number: int) -> None:
    """So that an endless one is out of range rather than no number."""
    assert is_whole(str(number))
