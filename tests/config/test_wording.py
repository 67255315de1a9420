"""Diagnostics quote a file on one line, bounded, and without tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.nodes import Mapping, Scalar, Sequence
from reconciler.config.wording import quoted, read_as, visible
from tests.config.support import PATIENT

pytestmark = pytest.mark.usefixtures("parser")


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
        (Scalar("", True, 1, 1), "nothing"),
        (Scalar("~", True, 1, 1), "~"),
        (Scalar("true", True, 1, 1), "the boolean true"),
        (Scalar("010", True, 1, 1), "the number 010"),
        (Scalar("no", True, 1, 1), 'the text "no"'),
        (Scalar("5", False, 1, 1), 'the text "5"'),
        (Mapping({}, 1, 1), "a mapping"),
        (Sequence([], 1, 1), "a list"),
    ],
)
def test_what_was_read_is_said(node: Scalar | Mapping | Sequence, words: str) -> None:
    """The user sees what YAML made of it."""
    assert read_as(node) == words
