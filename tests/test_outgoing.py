"""Tokens are masked however they are spelled, and JSON steers neither terminals nor CI logs."""

from __future__ import annotations

import html
import json
import timeit
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler import outgoing
from reconciler.errors import CredentialError
from reconciler.outgoing import MASK, Secret, harmless_json, mask

TOKEN = "pat-eu1-0badcafe-dead-beef-0123-456789abcdef"


@pytest.fixture(autouse=True)
def _no_other_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "_known", ())


def spellings() -> Iterator[str]:
    """What servers, terminals, URLs, pages and diagrams make of a token."""
    yield from (TOKEN, TOKEN.upper())
    for dash in (
        r"\u002d", r"\u002D", r"\\u002d", r"\x2d", r"\U0000002d", r"\u{2d}", r"\-",
        "%2d", "%2D", "%252d", "&#45;", "&#x2d;", "&amp;#45;", "#45;",
    ):  # fmt: skip
        yield TOKEN.replace("-", dash)
    yield "".join(f"\\u{ord(each):04x}" for each in TOKEN)
    for between in (
        "\n",
        "\r\n    ",
        " ",
        "\t",
        "\0",
        "\x1b",
        "\x7f",
        "\x9b",
        "\u200b",
        "\u202e",
        "é",
    ):
        yield between.join(TOKEN)
        yield json.dumps(between.join(TOKEN))[1:-1]
        yield TOKEN[:20] + between + TOKEN[20:]
    yield html.escape("\u200b".join(TOKEN))


@pytest.mark.parametrize("spelling", list(spellings()))
def test_every_spelling_is_masked(spelling: str) -> None:
    """In a text, beside others, and in a JSON document, which stays one."""
    outgoing.know(TOKEN)
    assert mask(f"before {spelling} after {spelling}") == f"before {MASK} after {MASK}"
    assert Secret(TOKEN).is_in(spelling)
    document = json.dumps({"message": f"\\ {spelling}", "other": [1, "two"]})
    masked = json.loads(mask(document))
    assert masked["other"] == [1, "two"]
    assert not Secret(TOKEN).is_in(masked["message"])


def test_what_is_no_token_is_left_alone() -> None:
    """A part of one, another one, a word as short as a token never is."""
    outgoing.know(TOKEN)
    outgoing.know("word")
    for text in (TOKEN[:-1], TOKEN.replace("0badcafe", "0badcaff"), "a word", "", r"\u0070at", "%"):
        assert mask(text) == text
    assert not Secret("word").is_in("a word")


@pytest.mark.parametrize("value", ["", "pat secret", "pat-secret\n", "pat\r\nsecret", "pat-sécret"])
def test_a_token_that_fits_no_header(value: str) -> None:
    """Refused without being repeated."""
    with pytest.raises(CredentialError) as caught:
        Secret(value)
    assert "secret" not in f"{caught.value.message}".replace("the token", "")


def test_one_of_many_tokens_is_masked() -> None:
    """However many begin like it, or with nothing of it."""
    tokens = [f"pat-eu1-{number:08x}-dead-beef" for number in range(300)]
    tokens += [f"{number:08x}-token" for number in range(300)]
    for each in tokens:
        outgoing.know(each)
    for each in (tokens[0], tokens[299], tokens[300], tokens[-1]):
        assert mask(f"a {each.upper()} b {each[:8]}") == f"a {MASK} b {each[:8]}"
    assert mask("pat-eu1-00000001-dead-bee") == "pat-eu1-00000001-dead-bee"


def test_many_tokens_cost_little_more_than_one() -> None:
    """Hundreds of portals: each answer is looked through for the tokens of all of them."""
    text = "x-hubspot-correlation-id: 6e3fb1a0-1111-2222-3333-444455556666 " * 40

    def seconds() -> float:
        return min(timeit.repeat(lambda: mask(text), number=20, repeat=5))

    outgoing.know(TOKEN)
    one = seconds()
    for number in range(2_000):
        outgoing.know(f"pat-eu1-{number:08x}-dead-beef")
    assert seconds() < 5 * one, "each was looked for by itself"


def test_all_tokens_of_the_process_are_masked() -> None:
    """Also where they overlap or follow each other."""
    outgoing.know("abcdefgh-1")
    outgoing.know("efgh-12345")
    assert mask("x abcdefgh-12345 y abcdefgh-1efgh-12345") == f"x {MASK} y {MASK}{MASK}"


@given(st.lists(st.sampled_from(["nat-dead-beef", "\\", "u002d", "n", '"', "##", "é", "\n", "x"])))
@example(["\n", "nat-dead-beef"])
@example(["u002d", "nat-dead-beef"])
def test_masked_json_is_json_without_the_token(parts: list[str]) -> None:
    """Whatever stands around the token, half an escape is never left."""
    outgoing.know("nat-dead-beef")
    text = "".join(parts)
    for ascii_only in (True, False):
        masked = mask(json.dumps([text, "kept"], ensure_ascii=ascii_only))
        found = json.loads(masked)
        assert found[1] == "kept"
        assert "nat-dead-beef" not in found[0]


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
@example(
    ["##[error]", "::error::x", "a##vso[task]", "\x9b31m", "\u202e", "\U000e0041", "http://[::1]"]
)
def test_harmless_json_means_the_same(document: object) -> None:
    """And holds nothing that is obeyed or cannot be seen, bar letters of all languages."""
    text = harmless_json(json.dumps(document, ensure_ascii=False))
    assert json.loads(text) == document
    assert "##" not in text
    for steering in (
        "::error",
        "::add-mask",
        "::set-output",
        "\x7f",
        "\x9b",
        "\u202e",
        "\u200b",
        "\U000e0041",
    ):
        assert steering not in text
    text.encode()
