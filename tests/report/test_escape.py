"""Strangers' words are harmless and recognisable, whatever they are."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.report.escape import (
    file_uri,
    github_data,
    github_property,
    markdown_cell,
    markdown_code,
    markdown_link,
    markdown_prose,
    mermaid_text,
    one_way,
    prose_lines,
    short_paths,
    shortened,
    terminal,
    visible,
    web_link,
)
from tests.report.factory import HOSTILE, is_printable

ANY_TEXT = st.text(st.characters(), max_size=200) | st.sampled_from(sorted(HOSTILE.values()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Billing contact", "Billing contact"),
        ("Größe 請求先 👍🏽 ☎️", "Größe 請求先 👍🏽 ☎️"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[31mred\x9b", r"\x1b[31mred\x9b"),
        ("user\u202enimda", r"user\u202enimda"),
        ("ad\u200bmin\u00a0x", r"ad\u200bmin\xa0x"),
        ("a\u200db \u200d👩 👩\u200d", r"a\u200db \u200d👩 👩\u200d"),
        ("👩\u200d👧 ❤️\u200d🔥 👩🏽\u200d⚕️", "👩\u200d👧 ❤️\u200d🔥 👩🏽\u200d⚕️"),
        ("👩\u200d\u200d👧 1️\u200d5", r"👩\u200d\u200d👧 1\ufe0f\u200d5"),
        ("a\ud800b", r"a\ud800b"),
        ("x\U000e0041", r"x\U000e0041"),
        ("Billing\ufe0f", r"Billing\ufe0f"),
        ("##[error]x ##vso[task]", r"#\x23[error]x #\x23vso[task]"),
        ("## heading", "## heading"),
        ("Sales \\ Marketing", "Sales \\ Marketing"),
        ("a\\nb", r"a\\nb"),
        ("a\\\nb", r"a\\\nb"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    """What cannot be seen is shown as an escape; the rest, backslashes included, stays."""
    assert visible(text) == shown


def test_long_text_is_shortened_in_the_middle() -> None:
    """Both ends and the length remain."""
    text = "start" + "x" * 9_990 + "ender"
    assert shortened(text, 30) == "startxxxxxxxxxxxxxxx…[10,000 characters]…xxxxxender"


def test_marks_cannot_pile_up() -> None:
    """A letter keeps three combining marks; the others are spelled out."""
    assert visible("Z" + "\u0301" * 5) == "Z\u0301\u0301\u0301\\u0301\\u0301"


@settings(deadline=None)
@given(ANY_TEXT)
def test_visible_is_one_printable_line(text: str) -> None:
    """No control, format, private or surrogate character survives, and UTF-8 can hold it."""
    shown = visible(text)
    assert "\u200e" not in shown
    assert is_printable(shown)
    assert len(f"|{shown}|".splitlines()) == 1
    shown.encode()


@settings(deadline=None)
@given(st.text(st.sampled_from("ab\\ntxuU0\n\t\u202e#["), max_size=12))
def test_visible_is_unambiguous(text: str) -> None:
    """The text follows from what is shown: two labels never look alike for an escape."""
    shown = visible(text)
    restored = re.sub(
        r"\\(\\|n|r|t|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})",
        lambda match: (
            "\\" if match.group(1) == "\\" else match.group().encode().decode("unicode_escape")
        ),
        shown,
    )
    assert restored == text


@settings(deadline=None)
@given(ANY_TEXT)
def test_terminal_lines_never_start_a_workflow_command(text: str) -> None:
    """GitHub's runner trims spaces before it looks for `::`; words may be wrapped anywhere."""
    shown = terminal(text)
    assert not re.search(r"(?:\A|\s)::", shown)
    assert not re.search(r"##\w*\[", shown)
    assert "\x1b" not in shown


def test_right_to_left_text_is_fenced_in() -> None:
    """Numbers after a Hebrew label keep their order."""
    assert one_way("תווית") == "\u200eתווית\u200e"
    assert one_way("label") == "label"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://github.com/a/b/blob/c/x.yaml#L3", "https://github.com/a/b/blob/c/x.yaml#L3"),
        ("https://x/a b>(c)|`", "https://x/a%20b%3E%28c%29%7C%60"),
        ("https://x/\ud800", "https://x/%ED%A0%80"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//x/y", None),
        ("https://[", None),
        ("", None),
        (None, None),
    ],
)
def test_web_link(url: str | None, link: str | None) -> None:
    """Only web links pass, and only as ASCII."""
    assert web_link(url) == link


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Billing contact", "`Billing contact`"),
        ("@acme/team", "`@acme/team`"),
        ("a `b` c", "``a `b` c``"),
        ("`", "`` ` ``"),
        (" x", "`  x `"),
        ("", "`“”`"),
        ("  ", "`“  ”`"),
    ],
)
def test_markdown_code(text: str, code: str) -> None:
    """Backticks get a longer fence; nothing at all is still shown."""
    assert markdown_code(text) == code


def test_paths_are_as_short_as_they_can_be_told_apart() -> None:
    """By their last parts; a path of absurdly many costs no time."""
    assert short_paths({"a/b.yaml", "x/a/b.yaml", "y/c.yaml"}) == {
        "a/b.yaml": "a/b.yaml",
        "x/a/b.yaml": "x/a/b.yaml",
        "y/c.yaml": "c.yaml",
    }
    deep = [f"{first}/{'folder/' * 5_000}b.yaml" for first in "xy"]
    began = time.process_time()
    assert short_paths(deep) == {path: path for path in deep}
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "one invoice address and a stand-in",
        'a "quoted" word; and (brackets), even Größe.',
        "25 limits would be deleted; max_deletes allows 20",
        '"Billing contact" of contacts → companies is protected at 3; this plan would delete it',
        "2 limits set or lowered: records already above keep their associations",
        "10 of 12 observed limits would be deleted; max_delete_percent allows 30 %",
    ],
)
def test_ordinary_prose_stays_prose(text: str) -> None:
    """What an honest author writes is not dressed as code."""
    assert markdown_prose(text) == text


@pytest.mark.parametrize("text", sorted(set(HOSTILE.values()) - {"A long label " * 800}))
def test_anything_else_is_code(text: str) -> None:
    """Whatever a forge might turn into a link, a mention or markup becomes a code span."""
    plain = {HOSTILE["japanese"], HOSTILE["right to left"], HOSTILE["object limit"]}
    assert text in plain or markdown_prose(text).startswith("`")


@pytest.mark.parametrize(
    ("inline", "cell"),
    [("a|b", r"a\|b"), (r"a\|b", r"a\\\|b"), (r"\\|", r"\\\\\|"), ("a", "a")],
)
def test_markdown_cell(inline: str, cell: str) -> None:
    """An odd number of backslashes is before every pipe, so that no parser splits there."""
    assert markdown_cell(inline) == cell


def test_markdown_link() -> None:
    """A link needs a web URL."""
    assert markdown_link("`a`", "https://x/a b") == "[`a`](<https://x/a%20b>)"
    assert markdown_link("`a`", "javascript:x") == "`a`"
    assert markdown_link("`a`", None) == "`a`"


@settings(deadline=None)
@given(ANY_TEXT)
def test_mermaid_text_has_no_syntax(text: str) -> None:
    """ASCII punctuation is written as entity codes, which give back what is visible."""
    shown = mermaid_text(text)
    rest = re.sub(r"#\d+;", "", shown)
    assert not re.search(r"[!-/:-@\[-`{-~°¶\ufb02]", rest)
    restored = re.sub(r"#(\d+);", lambda match: chr(int(match.group(1))), shown)
    assert restored == one_way(visible(text, 60))


def test_github_escapes() -> None:
    """As GitHub documents for the two parts of a workflow command."""
    assert github_data("100%: a,b\nc") == r"100%25: a,b\nc"
    assert github_property("100%: a,b") == "100%25%3A a%2Cb"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("configs/a b.yaml", "configs/a%20b.yaml"),
        ("a:b#c?d%.yaml", "a%3Ab%23c%3Fd%25.yaml"),
        ("größe.yaml", "gr%C3%B6%C3%9Fe.yaml"),
        ("\udcff.yaml", "%FF.yaml"),
        ("\ud800.yaml", "%ED%A0%80.yaml"),
        ("/repo/a.yaml", "file:///repo/a.yaml"),
    ],
)
def test_file_uri(path: str, uri: str) -> None:
    """Percent-encoded, undecodable file names included."""
    assert file_uri(path) == uri


def test_prose_keeps_its_lines() -> None:
    """Blank ones go, and more than a few are counted; the text is shortened as a whole."""
    assert prose_lines("one\n\n  two  \nthree") == ["one", "two", "three"]
    assert prose_lines("") == []
    many = prose_lines("\n".join(str(number) for number in range(100)))
    assert (len(many), many[-1]) == (13, "…[88 more lines]")
    assert sum(map(len, prose_lines("x" * 5_000 + "\ny"))) < 1_100
