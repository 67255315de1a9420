"""Events become trees with exact places, whichever of ruamel's parsers made them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.parser import Parser

from reconciler.config.nodes import Hole, Mapping, Node, Scalar, Sequence, child
from reconciler.config.yaml import MAXIMUM_DEPTH, Documents, decode, read_documents
from reconciler.errors import Diagnostic
from tests.config.support import PATIENT
from tests.config.test_malformed import MALFORMED, Malformed

CORPUS = [
    "from: contacts\nto: companies\nmax: 5\nlabels:\n  Billing contact: 1\n",
    "a: {b: 1, c: [2, 3], d: {}}\ne: []\n",
    "é😀: {max: 2}\n😀: 'ä'\n",
    "a:\r\n  b: 1\r\n  c: 'x'\r\n",
    "a:\n- b: 1\n  c: 2\n-\n  - d\n  - e\n",
    "'it''s': \"q\\\"\\n\\u263a\\x41\"\n",
    "a: |\n  one\n   two\n\n  three\nb: >-\n  folded\n  text\n",
    'a: plain over\n  two lines\nb: "double over\n  two lines"\n',
    "# comment\na: 1 # comment\n\n# comment\nb: 2\n",
    "---\na: 1\n---\nb: 2\n---\n# nothing\n---\nc:\n",
    "a:\nb:\n  c:\nd: ~\n",
    "? a\n: 1\n? b\n",
    "{a: 1, b, 'c': 2, \"d\":3}\n",
    "a: 1\n...\n---\nb: 2\n",
    "--- {a: 1}\n--- # x\nb: 2\n",
    "a: http://example.com/x#y\nb: a:b\nc: -1\n",
    "1: a\nyes: b\nnull: c\n~: d\n1.5: e\n",
    'a: "\\U0001F600"\nb: 1\n',
    "long: " + "x" * 3000 + "\nnext: 1\n",
    "a: 1",
]


def both(content: str) -> tuple[Documents, Documents]:
    """What the C parser and the pure one make of a file."""
    text = decode("a.yaml", content.encode())
    assert isinstance(text, str)
    return read_documents("a.yaml", text), read_documents("a.yaml", text, pure=True)


def test_the_c_parser_is_installed() -> None:
    """Otherwise the tests would compare the pure parser with itself."""
    if sys.version_info >= (3, 15):
        pytest.skip("no wheel of the C part")
    assert YAML(typ="safe").Parser is not Parser


def test_without_the_c_library_the_pure_parser_takes_over() -> None:
    """It is compiled for common platforms only; results are the same."""
    program = (
        "import sys\n"
        "sys.modules['_ruamel_yaml'] = sys.modules['_ruamel_yaml_clibz'] = None\n"
        "from reconciler.config.yaml import read_documents\n"
        "from ruamel.yaml import YAML\n"
        "assert YAML(typ='safe').Parser.__module__ == 'ruamel.yaml.parser'\n"
        "print(read_documents('a.yaml', sys.stdin.read()))\n"
    )
    content = "é: {max: 2}\nb: [*x]\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=content.encode(),
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.decode().strip() == str(both(content)[0])


def spans(node: Node) -> list[tuple[str, int, int, int | None]]:
    """What a tree holds, in the order of the file, with line, column and end of each node."""
    at = node.place
    assert at.path == "a.yaml"
    match node:
        case Scalar(text=text):
            return [(text, at.line, at.column, at.end)]
        case Hole():
            return [("hole", at.line, at.column, at.end)]
        case Sequence(items=items):
            return [
                ("list", at.line, at.column, at.end),
                *(each for item in items for each in spans(item)),
            ]
        case Mapping(entries=entries):
            return [
                ("mapping", at.line, at.column, at.end),
                *(each for entry in entries.values() for node in entry for each in spans(node)),
            ]


def test_places_count_characters_from_one() -> None:
    """Columns are characters, not bytes: é and 😀 are one each."""
    (root,) = both("é😀: {max: 2}\n")[0].roots
    assert spans(root) == [
        ("mapping", 1, 1, None),
        ("é😀", 1, 1, 3),
        ("mapping", 1, 5, 13),
        ("max", 1, 6, 9),
        ("2", 1, 11, 12),
    ]


def test_a_missing_value_stands_where_its_key_does() -> None:
    """There is nothing else to point at."""
    (root,) = both("max:\nprune: true\n")[0].roots
    assert isinstance(root, Mapping)
    assert spans(root.entries["max"].value) == [("", 1, 1, 4)]


def test_what_was_reported_leaves_a_hole() -> None:
    """So that nobody complains about the value a second time."""
    documents = both("a: *a\nb: &b 1\nc: [!c 2, 3]\n")[0]
    (root,) = documents.roots
    assert isinstance(root, Mapping)
    assert [spans(entry.value) for entry in root.entries.values()] == [
        [("hole", 1, 4, 6)],
        [("hole", 2, 4, 8)],
        [("list", 3, 4, 13), ("3", 3, 11, 12)],
    ]
    assert [each.code for each in documents.diagnostics] == [
        "yaml-alias",
        "yaml-anchor",
        "yaml-tag",
    ]


def test_documents_before_a_syntax_error_are_kept() -> None:
    """Their errors are reported in the same go."""
    documents = both("a: 1\n---\nb: [\n")[0]
    assert len(documents.roots) == 1
    assert [each.code for each in documents.diagnostics] == ["yaml-syntax"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
@pytest.mark.parametrize("pure", [False, True])
def test_deep_nesting_ends_in_a_diagnostic(opening: str, pure: bool) -> None:
    """A hundred thousand levels neither crash nor take long."""
    documents = read_documents("a.yaml", opening * 100_000 + "\n", pure=pure)
    assert documents.roots == ()
    assert [each.code for each in documents.diagnostics] == ["yaml-depth"]


@pytest.mark.parametrize("pure", [False, True])
def test_the_deepest_accepted_nesting(pure: bool) -> None:
    """32 levels are fine."""
    text = "[" * MAXIMUM_DEPTH + "]" * MAXIMUM_DEPTH + "\n"
    assert read_documents("a.yaml", text, pure=pure).diagnostics == ()


@pytest.mark.parametrize("content", CORPUS)
def test_both_parsers_agree_on_valid_files(content: str) -> None:
    """Values and places are the same to the column."""
    fast, pure = both(content)
    assert fast == pure
    assert fast.diagnostics == ()


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.name)
def test_both_parsers_agree_on_malformed_files(case: Malformed) -> None:
    """Codes and places of the diagnostics are the same, too."""
    text = decode("a.yaml", case.encoded)
    if isinstance(text, Diagnostic):
        return
    fast, pure = read_documents("a.yaml", text), read_documents("a.yaml", text, pure=True)
    assert [(each.code, each.place) for each in fast.diagnostics] == [
        (each.code, each.place) for each in pure.diagnostics
    ]
    if not fast.diagnostics:
        assert fast.roots == pure.roots


SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12).map(
        lambda text: json.dumps(text, ensure_ascii=True)
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12).map(
        lambda text: "'" + text.replace("'", "''") + "'"
    ),
    st.from_regex(r"[A-Za-z][A-Za-z0-9 äé😀_/-]{0,9}[a-z]", fullmatch=True),
    st.integers(-100, 100_000).map(str),
    st.sampled_from(["~", "null", "true", "no", "010", "1_000", "1.5", "unlimited", "2-7"]),
)
KEYS = st.from_regex(r"[A-Za-zäé😀][A-Za-z0-9 äé_-]{0,6}[a-z]", fullmatch=True)


def block(value: object, indent: int) -> str:
    """A value in block style."""
    match value:
        case dict() if value:
            pad = " " * indent
            return "".join(
                f"\n{pad}{key}: {block(each, indent + 2)}" for key, each in value.items()
            )
        case list() if value:
            pad = " " * indent
            return "".join(f"\n{pad}- {flow(each)}" for each in value)
        case _:
            return flow(value)


def flow(value: object) -> str:
    """A value in flow style."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {flow(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(flow(each) for each in value) + "]"
        case _:
            return str(value)


TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@PATIENT
@given(st.dictionaries(KEYS, TREES, min_size=1, max_size=4), st.sampled_from([block, None]))
def test_both_parsers_agree_on_generated_files(
    tree: dict[str, object], style: Callable[[object, int], str] | None
) -> None:
    """Whatever mappings, lists and scalars are written, in block or in flow style."""
    content = (flow(tree) if style is None else style(tree, 0).removeprefix("\n")) + "\n"
    text = decode("a.yaml", content.encode())
    if isinstance(text, str):
        fast, pure = read_documents("a.yaml", text), read_documents("a.yaml", text, pure=True)
        assert fast == pure


PIECES = st.sampled_from(
    [
        "from",
        "max",
        ": ",
        ":",
        "\n",
        "\n  ",
        "- ",
        "? ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "5",
        "é",
        '"',
        "'",
        '"x"',
        "# c\n",
        " #c\n",
        "&a ",
        "*a ",
        "!t ",
        "---\n",
        "\n---\n",
        "<<",
        "~",
        " ",
        "@",
        "'it''s'",
        '"\\ud800"',
        '"\\q"',
        "a: b",
        "[a, b]: c",
        "? a\n: b\n",
        "a:b",
        "\r\n",
        "=",
        "-1",
        "|",
        ">-",
        "|+\n",
        "?x",
        ":x",
        "b:",
        "#",
        '"a\n b"',
        "http://x.y/#z",
        "...\n",
    ]
)
MISREAD = [
    "?",
    "?who: 1",
    "x?",
    ":",
    "::x",
    '"":x',
    "-",
    ",#c",
    '"x"#c',
    "\n",
    "|\n \n  x",
    ">#c\n",
]
"""What the C parser, or both, read otherwise than YAML 1.2 says."""


@PATIENT
@given(st.lists(PIECES, max_size=14).map("".join))
def test_both_parsers_agree_on_what_is_a_file(content: str) -> None:
    """The same trees, places and diagnostics, whatever is in the file."""
    text = decode("a.yaml", f"k: v\n{content}".encode())
    if isinstance(text, str):
        fast, pure = read_documents("a.yaml", text), read_documents("a.yaml", text, pure=True)
        assert fast == pure


@PATIENT
@given(
    st.sampled_from(["{", "[", "", "\n  ", "\n- "]),
    st.lists(st.one_of(PIECES, st.sampled_from(MISREAD)), max_size=8).map("".join),
    st.sampled_from(["}", "]", ""]),
)
def test_both_parsers_agree_on_values(opening: str, content: str, closing: str) -> None:
    """The same with what old parsers misread, in brackets and outside."""
    text = decode("a.yaml", f"k: {opening}{content}{closing}\nz: 1\n".encode())
    if isinstance(text, str):
        fast, pure = read_documents("a.yaml", text), read_documents("a.yaml", text, pure=True)
        assert fast == pure


def pair(documents: Documents) -> dict[str, str]:
    """The texts of one flat mapping in brackets, below the key `a`."""
    assert documents.diagnostics == ()
    (root,) = documents.roots
    inner = child(root, "a")
    assert isinstance(inner, Mapping)
    return {
        key: entry.value.text
        for key, entry in inner.entries.items()
        if isinstance(entry.value, Scalar)
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "a: {max: 2, reason: https://wiki.example.com/limits}\n",
            {"max": "2", "reason": "https://wiki.example.com/limits"},
        ),
        ("a: {Owner?: 1}\n", {"Owner?": "1"}),
        ("a: {max: 2, reason: who?}\n", {"max": "2", "reason": "who?"}),
        ("a: {reason: why? because, max: 2}\n", {"reason": "why? because", "max": "2"}),
        ("a: {time: 10:30, b: x:y}\n", {"time": "10:30", "b": "x:y"}),
        ('a: {"x":1, y: 2}\n', {"x": "1", "y": "2"}),
        ("a: {url: http://x.y/#z, b: c#d}\n", {"url": "http://x.y/#z", "b": "c#d"}),
        ("a: {?who: 2}\n", None),
        ("a: {\n  ?who: 2}\n", None),
        ('a: {b: "[?x]", c: "{?y}"}\n', {"b": "[?x]", "c": "{?y}"}),
        ('a: {b: "x,#y", c: 1} # {?z}\n', {"b": "x,#y", "c": "1"}),
        ("a: {b: 1,#c\n  d: 2}\n", None),
        ("a: {b:, c: 1}\n", None),
        ("a: {b: -, c: 1}\n", None),
        ("a: {\n  b: 1,\n}\n", {"b": "1"}),
        ("a: {\n# comment\n  b: 1 }\n", {"b": "1"}),
        ("a: {\nb: 1 }\n", None),
        ("x:\n- 1\na: {b: 'c\n\n  d'}\n", {"b": "c\nd"}),
        ("a: {b: 'c\nd'}\n", None),
    ],
)
def test_what_old_parsers_misread_is_read_right_or_refused(
    content: str, expected: dict[str, str] | None
) -> None:
    """URLs, question marks and colons in brackets; with and without the C parser."""
    for documents in both(content):
        if expected is None:
            assert {each.code for each in documents.diagnostics} <= {
                *("yaml-indicator", "yaml-comment", "yaml-indentation")
            }
            assert documents.diagnostics
        else:
            assert pair(documents) == expected


@pytest.mark.parametrize(
    ("content", "column"), [("{?who: 2}", 5), ("[a, ?b]", 8), ("{b: ?x, c: 1}", 8), ("{b: :x}", 8)]
)
def test_an_indicator_at_the_start_of_a_text_asks_for_quotes(content: str, column: int) -> None:
    """It is not dropped: `?who` is not `who`."""
    for documents in both(f"a: {content}\n"):
        (problem,) = documents.diagnostics
        assert (problem.place.line, problem.place.column) == (1, column)
        assert problem.hint
        assert "in quotes" in problem.hint
