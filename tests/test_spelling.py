"""Names that were meant, and how two spellings of one name differ."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.spelling import difference, escaped, nearest, same_but_spelling, skeleton, slip

STANDARD = ("contact", "contacts", "companies", "deals", "cart", "carts", "tax", "tickets", "tasks")
WHERE = ("the file", "HubSpot")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("contcts", "contacts"),
        ("contatcs", "contacts"),
        ("CONTCTS", "contacts"),
        ("cntcts", "contacts"),
        ("compnies", "companies"),
        ("tikets", "tickets"),
        ("taks", "tasks"),
        ("dels", "deals"),
        ("contract", "contact"),
        ("car", None),
        ("van", None),
        ("vehicle", None),
        ("p123_contact", None),
    ],
)
def test_a_slip_is_one_or_two_letters(word: str, meant: str | None) -> None:
    """Missing, added, wrong or swapped; words of three letters are all alike."""
    assert slip(word, STANDARD) == meant


@pytest.mark.parametrize(
    ("file", "portal", "words"),
    [
        ("billing contact", "Billing contact", "upper and lower case: the file has U+0062 (b)"),
        (
            "Ge\u0301rant",
            "G\xe9rant",
            (
                "Unicode form: the file has U+0065 (e) U+0301 (combining acute accent), "
                "HubSpot has U+00E9 (latin small letter e with acute)"
            ),
        ),
        (
            "G\xe9rant",
            "Ge\u0301rant",
            (
                "Unicode form: the file has U+00E9 (latin small letter e with acute), "
                "HubSpot has U+0065 (e) U+0301 (combining acute accent)"
            ),
        ),
        (
            "Owner's",
            "Owner\u2019s",
            "apostrophe: the file has U+0027 ('), HubSpot has U+2019 (right single quotation mark)",
        ),
        (
            "Owner",
            "Owner ",
            "white space: the file has nothing, HubSpot has U+0020 (space) at the end",
        ),
        (" Owner", "Owner", "white space: the file has U+0020 (space) at the start"),
        ("Head  office", "Head office", "white space: the file has U+0020 (space)"),
        (
            "Head office",
            "Head\xa0office",
            "white space: the file has U+0020 (space), HubSpot has U+00A0 (no-break space)",
        ),
        ("Own\u200ber", "Owner", "invisible character: the file has U+200B (zero width space)"),
        ("A\u2013B", "A-B", "dash: the file has U+2013 (en dash), HubSpot has U+002D (-)"),
        ("\u201cA\u201d", '"A"', "quote: the file has U+201C (left double quotation mark)"),
    ],
)
def test_spellings_of_one_name_are_told_apart(file: str, portal: str, words: str) -> None:
    """What differs is said in words and code points, never "did you mean the same?"."""
    assert same_but_spelling(file, ["Other", portal]) == portal
    found = difference(file, portal, where=WHERE)
    assert words in found
    assert found.isprintable()


def test_another_name_is_not_a_spelling() -> None:
    """Another word, or the very same."""
    assert same_but_spelling("Owner", ["Owners", "Own", "Owner"]) is None


@pytest.mark.parametrize(
    "text", ["G\xe9rant", "it's \u2019", 'a "b" \\ c', "\U0001f600", "\x07\t", ""]
)
def test_an_escaped_text_is_read_back_by_yaml(text: str) -> None:
    """What a hint says to write is the label."""
    written = escaped(text)
    assert written.isascii()
    assert written.isprintable()
    assert YAML(typ="safe", pure=True).load(written) == text


def test_long_names_and_many_names_cost_little() -> None:
    """Both may come from strangers."""
    known = [f"{'a' * 5_000}{number}" for number in range(5_000)]
    started = time.process_time()
    nearest("a" * 100_000, known)
    slip("a" * 5_000, known)
    assert "differ after" in difference("a" * 100_000 + "b", "a" * 100_000 + "B", where=WHERE)
    difference("ab" * 100_000, "ba" * 100_000, where=WHERE)
    assert time.process_time() - started < 3


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_two_texts_are_compared(one: str, other: str) -> None:
    """One printable line, and the same skeleton for the same text."""
    if one != other:
        assert difference(one, other, where=WHERE).isprintable()
    assert skeleton(one) == skeleton(one)
    assert same_but_spelling(one, [one]) is None
