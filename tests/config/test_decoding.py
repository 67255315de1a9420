"""Bytes become text, or a diagnostic at the first bad character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.sources import MAXIMUM_BYTES
from reconciler.config.yaml import decode, position
from reconciler.errors import Diagnostic
from tests.config.support import PATIENT


def test_a_byte_order_mark_at_the_start_is_tolerated() -> None:
    """Windows editors write one; it is no part of the first key."""
    assert decode("a.yaml", b"\xef\xbb\xbfmax: 5\n") == "max: 5\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_counts_as_one(ending: str) -> None:
    """CR LF and CR end a line like LF does, so that places agree with any editor."""
    assert decode("a.yaml", f"a: 1{ending}b: 2{ending}".encode()) == "a: 1\nb: 2\n"


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        (b"a: 1\nb: \xff\n", "file-not-utf-8", 2, 4),
        ("é: ".encode() + b"\xff", "file-not-utf-8", 1, 4),
        (b"a: \xed\xa0\x80\n", "file-not-utf-8", 1, 4),
        (b"a: \xc0\xaf\n", "file-not-utf-8", 1, 4),
        (b"\xef\xbb\xbfa: \xff\n", "file-not-utf-8", 1, 4),
        ("a: 1\n".encode("utf-16"), "file-not-utf-8", 1, 1),
        ("a: 1\n".encode("utf-16-le"), "character-forbidden", 1, 2),
        (b"a: 1\r\nb: \x00\r\n", "character-forbidden", 2, 4),
        (b"a: \x1b[31m\n", "character-forbidden", 1, 4),
        (b"a: \x7f\n", "character-forbidden", 1, 4),
        ("a: \u0085\n".encode(), "character-forbidden", 1, 4),
        ("a: x\u2028b: 1\n".encode(), "character-forbidden", 1, 5),
        ("a: \ufeff1\n".encode(), "character-forbidden", 1, 4),
        ("a: \uffff\n".encode(), "character-forbidden", 1, 4),
        (b"a: 1\n\tb: 2\n", "yaml-tab", 2, 1),
        (b"a:\t1\n", "yaml-tab", 1, 3),
        (b"a: x#y\tz\n", "yaml-tab", 1, 7),
        (b"%YAML 1.1\n---\na: 1\n", "yaml-directive", 1, 1),
        (b"---\na: 1\n...\n%TAG ! x\n---\n", "yaml-directive", 4, 1),
        (b"a: 1\n<<<<<<< HEAD\nb: 1\n", "merge-conflict", 2, 1),
        (b"a: 1\n>>>>>>> main\n", "merge-conflict", 2, 1),
    ],
)
def test_the_first_bad_character_is_named(
    content: bytes, code: str, line: int, column: int
) -> None:
    """The place is that of the character in an editor, whatever came before it."""
    problem = decode("a.yaml", content)
    assert isinstance(problem, Diagnostic)
    assert (problem.code, problem.place.line, problem.place.column) == (code, line, column)
    assert problem.hint


def test_tabs_in_comments_are_fine() -> None:
    """A comment is nobody's business."""
    assert decode("a.yaml", b"a: 1 #\tx\n#\ty\n") == "a: 1 #\tx\n#\ty\n"


def test_a_file_over_one_mebibyte_is_not_decoded() -> None:
    """The bound holds before any parsing."""
    assert isinstance(decode("a.yaml", b"#" * MAXIMUM_BYTES), str)
    problem = decode("a.yaml", b"#" * (MAXIMUM_BYTES + 1))
    assert isinstance(problem, Diagnostic)
    assert problem.code == "file-too-large"


@PATIENT
@given(st.binary(max_size=60))
def test_no_bytes_raise(content: bytes) -> None:
    """Any file is text or a diagnostic."""
    assert isinstance(decode("a.yaml", content), (str, Diagnostic))


@PATIENT
@given(st.text(alphabet="ab\n\ré", max_size=40))
def test_positions_count_lines_like_an_editor(content: str) -> None:
    """The line is one more than the line ends before; the column restarts after each."""
    offset = len(content)
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert position(content, offset) == (len(lines), len(lines[-1]) + 1)
