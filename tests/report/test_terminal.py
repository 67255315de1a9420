"""Widths in terminal cells, and source lines with carets below."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.limits import Place
from reconciler.report.terminal import Mark, Style, cells, excerpt, padded, widest, wrapped
from tests.report.factory import FILE, is_printable

PLAIN = Style(ansi_codes=False)


def test_marks_are_added_where_they_are_shown() -> None:
    """By their ANSI sequence, and never around nothing."""
    assert Style(ansi_codes=True).mark(Mark.BAD, "no") == "\x1b[1;31mno\x1b[0m"
    assert Style(ansi_codes=True).mark(Mark.BAD, "") == ""
    assert PLAIN.mark(Mark.BAD, "no") == "no"


@pytest.mark.parametrize(
    ("text", "width"),
    [("Billing", 7), ("請求先", 6), ("Ge\u0301rant", 6), ("☎\ufe0f", 1), ("\u200eתווית\u200e", 5)],
)
def test_cells(text: str, width: int) -> None:
    """Wide characters take two, marks and joined signs none."""
    assert cells(text) == width
    assert padded(text, 9) == text + " " * (9 - width)


def test_one_wide_text_does_not_widen_a_column() -> None:
    """What is wider than a column may be is left out of its width."""
    assert widest(["a", "bcd", "x" * 50], at_most=44) == 3
    assert widest(["x" * 50], at_most=44) == 0


def test_prose_is_wrapped_to_the_terminal() -> None:
    """Every line indented, words kept; not at all where no width is known."""
    assert wrapped("one two three four five", "  ", 5) == ["  one two three four", "  five"]
    assert wrapped("one two", "  ", None) == ["  one two"]


# ---------------------------------------------------------------- source lines


@pytest.mark.parametrize(
    ("source", "columns", "shown"),
    [
        ("max: 5\r\n", (6, 7), ["    7 | max: 5", "      |      ^"]),
        ("max: 500", (6, 9), ["    7 | max: 500", "      |      ^^^"]),
        ("\tmax: 5", (2, 5), [r"    7 | \tmax: 5", "      |   ^^^"]),
        ("\tmax: 5", (1, 2), [r"    7 | \tmax: 5", "      | ^^"]),
        ("請求先: 5", (1, 4), ["    7 | 請求先: 5", "      | ^^^^^^"]),
        ("請求先: 5", (6, 7), ["    7 | 請求先: 5", "      |         ^"]),
        ("Ge\u0301rant: 5", (1, 8), ["    7 | Ge\u0301rant: 5", "      | ^^^^^^"]),
        ("a\u202eb: 5", (1, 4), [r"    7 | a\u202eb: 5", "      | ^^^^^^^^"]),
        ("Owner: 1", (1, None), ["    7 | Owner: 1", "      | ^^^^^"]),
        ("{max: 1}", (1, None), ["    7 | {max: 1}", "      | ^"]),
        ("a: 'x y'", (4, 9), ["    7 | a: 'x y'", "      |    ^^^^^"]),
        ("a: 'x: y' # z", (4, None), ["    7 | a: 'x: y' # z", "      |    ^^^^^^"]),
        (
            '"Billing, \\" x": 1',
            (1, None),
            ['    7 | "Billing, \\" x": 1', "      | ^^^^^^^^^^^^^^^"],
        ),
        (
            "Billing contact: 1",
            (1, None),
            ["    7 | Billing contact: 1", "      | ^^^^^^^^^^^^^^^"],
        ),
        ("請求先 甲: 5", (1, None), ["    7 | 請求先 甲: 5", "      | ^^^^^^^^^"]),
        ("a: x:y z # no", (4, None), ["    7 | a: x:y z # no", "      |    ^^^^^"]),
        ("[a b, c]", (2, None), ["    7 | [a b, c]", "      |  ^^^"]),
        ("max:", (99, None), ["    7 | max:", "      |     ^"]),
        ("max:", (3, 99), ["    7 | max:", "      |   ^^"]),
        ("", (1, None), ["    7 | ", "      | ^"]),
        ("max", (0, None), ["    7 | max", "      | ^^^"]),
    ],
)
def test_carets(source: str, columns: tuple[int, int | None], shown: list[str]) -> None:
    """They underline what is wrong from end to end, whatever the characters look like."""
    assert excerpt(source, Place(FILE, 7, *columns), PLAIN) == shown


def test_long_lines_are_windowed() -> None:
    """A line of 10,000 characters is cut around the column."""
    source, caret = excerpt("x" * 5_000 + "HERE" + "y" * 5_000, Place(FILE, 7, 5_001, 5_005), PLAIN)
    assert source == "    7 | …" + "x" * 60 + "HERE" + "y" * 36 + "…"
    assert source[caret.index("^") :].startswith("HERE")
    assert caret.endswith(" ^^^^")


@pytest.mark.parametrize("wide", ["x", "請"])
def test_a_line_fits_a_narrow_terminal(wide: str) -> None:
    """A source line that wrapped would have its carets under something else."""
    source = wide * 30 + "HERE" + wide * 30
    line, caret = excerpt(source, Place(FILE, 7, 31, 35), PLAIN, 40)
    assert cells(line) <= 40
    assert cells(line[: line.index("HERE")]) == caret.index("^")
    assert caret.endswith(" ^^^^")


@settings(deadline=None)
@given(
    st.text(st.characters(), max_size=300),
    st.integers(0, 400),
    st.none() | st.integers(0, 500),
    st.none() | st.integers(0, 120),
)
def test_carets_for_any_line(source: str, column: int, end: int | None, width: int | None) -> None:
    """Two short lines of printable text, the carets within or right behind the source."""
    line, caret = excerpt(source, Place(FILE, 1, column, end), PLAIN, width)
    assert is_printable(line)
    assert caret.endswith("^")
    assert cells(caret) <= cells(line) + 1
