"""Plain scalars have YAML 1.2's values, and whole numbers are taken strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.nodes import NOT_WHOLE, resolve
from tests.config.support import PATIENT


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_null(text: str) -> None:
    """The core schema's words for null."""
    assert resolve(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False)],
)
def test_booleans_are_true_and_false_only(text: str, value: bool) -> None:
    """YAML 1.1's other words for them are gone."""
    assert resolve(text) is value


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes",
        "on",
        "off",
        "y",
        "n",
        "tRue",
        "nUll",
        "unlimited",
        "1_000",
        "1,000",
        "-",
        "0-1",
        "2-123",
        "2026-03",
        "1:30",
        "0b11",
        "0X10",
        "_1",
        "1 0",
        "٣",
        "１",
    ],
)
def test_the_rest_is_text(text: str) -> None:
    """`no` is a text in YAML 1.2, and so are dates, IDs and digits of other scripts."""
    assert resolve(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "010",
        "+5",
        "-01",
        "00",
        "1.5",
        "1.",
        ".5",
        "1e3",
        "1E+3",
        "0x10",
        "0o17",
        ".inf",
        "-.Inf",
        ".nan",
        "9" * 5000,
    ],
)
def test_numbers_written_otherwise_are_not_whole(text: str) -> None:
    """A limit has one way to be written; nothing is converted silently, however long."""
    assert resolve(text) is NOT_WHOLE


@PATIENT
@given(st.integers(-(10**16), 10**17))
def test_whole_numbers_are_themselves(number: int) -> None:
    """Decimal digits without a leading zero."""
    assert resolve(str(number)) == number
