"""Diagnostics quote a file on one line, without tokens, and say how a number is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.nodes import Mapping, Scalar, Sequence, is_whole
from reconciler.config.words import hint_for_limit, hint_for_number, quoted, read_as, visible
from reconciler.model.limits import Place
from tests.config.support import PATIENT

AT = Place("a.yaml", 1, 1)


@PATIENT
@given(st.text(max_size=200))
def test_quotes_print_on_one_line(text: str) -> None:
    """Line breaks, escapes and direction marks of a hostile label come out escaped."""
    shown = visible(text)
    assert shown.isprintable()
    assert len(shown) <= 81 * 10


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Billing contact", "Billing contact"),
        ("é 😀", "é 😀"),
        ("a\nb", "a\\nb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eevil", "\\u202eevil"),
        ("x" * 100, "x" * 80 + "…"),
    ],
)
def test_what_does_not_print_is_escaped(text: str, shown: str) -> None:
    """Everything else stays as it is."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    "token",
    [
        "pat-na1-0a1b2c3d-4e5f-6789-abcd-ef0123456789",
        "PAT-EU1-0A1B2C3D-4E5F-6789-ABCD-EF0123456789",
        "0a1b2c3d-4e5f-6789-abcd-ef0123456789",
    ],
)
def test_what_looks_like_a_token_is_masked(token: str) -> None:
    """A token that got into a pair file is not repeated in a CI log."""
    assert "ef0123456789" not in quoted(f"x {token} y").lower()


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (Scalar("", True, AT), "nothing"),
        (Scalar("~", True, AT), "~"),
        (Scalar("true", True, AT), "the boolean true"),
        (Scalar("010", True, AT), "the number 010"),
        (Scalar("no", True, AT), 'the text "no"'),
        (Scalar("5", False, AT), 'the text "5"'),
        (Mapping({}, AT), "a mapping"),
        (Sequence([], AT), "a list"),
    ],
)
def test_what_was_read_is_said(node: Scalar | Mapping | Sequence, words: str) -> None:
    """The user sees what YAML made of it."""
    assert read_as(node) == words


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
    assert hint_for_limit(Scalar(text, True, AT)) == meant
    assert hint_for_number(Scalar(text, True, AT)) == meant


def test_quotes_are_to_go() -> None:
    """A quoted number is a text."""
    assert hint_for_limit(Scalar("5", False, AT)) == "write 5 without quotes"


@pytest.mark.parametrize("text", ["Unlimited", "none", "no", ".inf", "-1", "0", "infinity", "off"])
def test_words_for_no_limit_lead_to_unlimited(text: str) -> None:
    """There is one word for it."""
    assert "write unlimited" in hint_for_limit(Scalar(text, True, AT))


@pytest.mark.parametrize("text", ["1.5", "60000", "many", "1e300", "9" * 5000, "1e-5", ""])
def test_without_a_guess_the_range_is_said(text: str) -> None:
    """No hint leads to another error."""
    assert "from 1 to 50000" in hint_for_limit(Scalar(text, True, AT))


def test_a_list_has_a_hint_too() -> None:
    """The range."""
    assert "from 1 to 50000" in hint_for_limit(Sequence([], AT))


@PATIENT
@given(st.text(max_size=30))
def test_no_text_raises(text: str) -> None:
    """Any text gets some hint."""
    assert hint_for_limit(Scalar(text, True, AT))
    assert hint_for_number(Scalar(text, False, AT))


@PATIENT
@given(st.integers())
def test_whole_numbers_of_any_size_are_recognised(number: int) -> None:
    """So that an endless one is out of range rather than no number."""
    assert is_whole(str(number))
