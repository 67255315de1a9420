"""Malformed pair files: the code, line and column of every diagnostic."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from reconciler.config.sources import Source
from tests.config.support import PATH, found, problems

pytestmark = pytest.mark.usefixtures("parser")

HEAD = "from: contacts\nto: companies\n"


@dataclass(frozen=True)
class Malformed:
    """A file and what must be said of it."""

    name: str
    content: str | bytes
    expected: tuple[tuple[str, int, int], ...]

    @property
    def encoded(self) -> bytes:
        return self.content.encode() if isinstance(self.content, str) else self.content


def case(name: str, content: str | bytes, *expected: tuple[str, int, int]) -> Malformed:
    """A row of the table."""
    return Malformed(name, content, expected)


def limit(name: str, written: str, code: str = "limit-not-a-number") -> Malformed:
    """A label's limit written wrongly: `  Any: …` on the fourth line."""
    return case(name, f"{HEAD}labels:\n  Any: {written}\n", (code, 4, 8))


MALFORMED = [
    # -------- not UTF-8, or with characters that no file has
    case("invalid byte", b"from: contacts\nto: \xff\n", ("file-not-utf-8", 2, 5)),
    case("UTF-16", "from: contacts\n".encode("utf-16"), ("file-not-utf-8", 1, 1)),
    case("NUL", "from: \x00\n", ("character-forbidden", 1, 7)),
    case("escape", f"{HEAD}labels:\n  \x1b[1m: 5\n", ("character-forbidden", 4, 3)),
    case("line separator", f"{HEAD}labels:\n  a\u2028b: 5\n", ("character-forbidden", 4, 4)),
    case("tab indentation", f"{HEAD}labels:\n\tA: 1\n", ("yaml-tab", 4, 1)),
    case("tab separation", f"{HEAD}max:\t5\n", ("yaml-tab", 3, 5)),
    case("too large", "#" * (1 << 20) + "\n", ("file-too-large", 1, 1)),
    # -------- not YAML
    case("merge conflict", f"{HEAD}<<<<<<< HEAD\nmax: 5\n", ("merge-conflict", 3, 1)),
    case("directive", "%YAML 1.1\n---\nfrom: contacts\n", ("yaml-directive", 1, 1)),
    case("no colon", "from: contacts\nto companies\nmax: 5\n", ("yaml-syntax", 2, 1)),
    case("indented key", "from: contacts\n to: companies\n", ("yaml-syntax", 2, 4)),
    case("key too far right", f"{HEAD}labels:\n  A: 1\n   B: 2\n", ("yaml-syntax", 5, 5)),
    case("key too far left", f"{HEAD}labels:\n  A: 1\n B: 2\n", ("yaml-syntax", 5, 2)),
    case("two colons", f"{HEAD}max: 5: 6\n", ("yaml-syntax", 3, 7)),
    case("open brace", f"{HEAD}labels: {{A: 5\n", ("yaml-syntax", 4, 1)),
    case("wrong bracket", f"{HEAD}max: {{max: 5]\n", ("yaml-syntax", 3, 13)),
    case("open single quote", f"{HEAD}labels:\n  'A: 1\n", ("yaml-syntax", 4, 3)),
    case("open double quote", f'{HEAD}labels:\n  "A: 1\n', ("yaml-syntax", 4, 3)),
    case("at sign", f"{HEAD}labels:\n  A: @x\n", ("yaml-syntax", 4, 6)),
    case("backtick", f"{HEAD}labels:\n  `A`: 1\n", ("yaml-syntax", 4, 3)),
    case("unknown escape", f'{HEAD}labels: {{"A\\q": 5}}\n', ("yaml-syntax", 3, 10)),
    case("list in a mapping", f"{HEAD}- max: 5\n", ("yaml-syntax", 3, 1)),
    case("text after the end", f"{HEAD}max: 5\n... from: a\n", ("yaml-syntax", 4, 5)),
    case("dash alone", f"{HEAD}labels: {{A: -}}\n", ("yaml-indicator", 3, 13)),
    case("question mark", f"{HEAD}labels: {{?who: 2}}\n", ("yaml-indicator", 3, 10)),
    case("colon at the end", f"{HEAD}labels: {{A:}}\n", ("yaml-indicator", 3, 10)),
    case("comment without space", f"{HEAD}max: {{max: 5}}#x\n", ("yaml-comment", 3, 14)),
    case("brackets too far left", f"{HEAD}labels: {{\nA: 1}}\n", ("yaml-indentation", 4, 1)),
    case(
        "quote too far left",
        f"{HEAD}labels:\n  A: {{max: 1, reason: 'a\n b'}}\n",
        ("yaml-indentation", 5, 2),
    ),
    case("block text too far left", f"{HEAD}max:\n|\n 5\n", ("yaml-indentation", 4, 1)),
    case("deep", "[" * 40, ("yaml-depth", 1, 33)),
    # -------- YAML that is not accepted
    case("anchor", f"{HEAD}max: &a 5\n", ("yaml-anchor", 3, 6)),
    case("alias", f"{HEAD}max: *a\n", ("yaml-alias", 3, 6)),
    case("tag", f"{HEAD}max: !!int 5\n", ("yaml-tag", 3, 6)),
    case("tagged mapping", f"{HEAD}max: 1\nlabels: !x\n  A: 1\n", ("yaml-tag", 4, 9)),
    case("merge key", f"{HEAD}max: 5\nlabels:\n  <<: {{A: 1}}\n", ("yaml-merge-key", 5, 3)),
    case("list as a key", f"{HEAD}max: 5\n? [a]\n: 1\n", ("key-not-text", 4, 3)),
    case("mapping as a key", f"{HEAD}max: 5\n{{a: 1}}: 1\n", ("key-not-text", 4, 1)),
    case("empty key", f"{HEAD}max: 5\n? \n: 1\n", ("key-empty", 4, 2)),
    case("duplicate key", f"{HEAD}max: 5\nmax: 6\n", ("key-duplicate", 4, 1)),
    case("duplicate label", f'{HEAD}labels:\n  A: 1\n  "A": 2\n', ("key-duplicate", 5, 3)),
    # -------- another shape than a pair's
    case("a text", "hello\n", ("value-not-a-mapping", 1, 1)),
    case("a list", "- from: contacts\n", ("value-not-a-mapping", 1, 1)),
    case("a number", "---\n5\n", ("value-not-a-mapping", 2, 1)),
    case("nothing but a brace", "{}\n", ("key-missing", 1, 1), ("key-missing", 1, 1)),
    case("no from", "to: companies\nmax: 5\n", ("key-missing", 1, 1)),
    case("from misspelt", "form: contacts\nto: companies\nmax: 5\n", ("key-unknown", 1, 1)),
    case("unknown key", f"{HEAD}max: 5\nlables: {{A: 1}}\n", ("key-unknown", 4, 1)),
    case("key in capitals", f"{HEAD}Max: 5\n", ("key-unknown", 3, 1)),
    case("inverse unknown", f"{HEAD}max: 5\ninverse:\n  maxx: 5\n", ("key-unknown", 5, 3)),
    case("inverse of", f"{HEAD}max: 5\ninverse: {{max: 1, from: x}}\n", ("key-unknown", 4, 19)),
    case("from a number", "from: 1\nto: companies\nmax: 5\n", ("value-not-text", 1, 7)),
    case("from a list", "from: [a]\nto: companies\nmax: 5\n", ("value-not-text", 1, 7)),
    case("from null", "from: null\nto: companies\nmax: 5\n", ("value-null", 1, 7)),
    case("from nothing", "from:\nto: companies\nmax: 5\n", ("value-null", 1, 1)),
    case("empty name", "from: ''\nto: companies\nmax: 5\n", ("object-type-invalid", 1, 7)),
    case("slash", "from: a/b\nto: companies\nmax: 5\n", ("object-type-invalid", 1, 7)),
    case("wrong ID", "from: 1-7\nto: companies\nmax: 5\n", ("object-type-invalid", 1, 7)),
    case("zero ID", "from: 2-007\nto: companies\nmax: 5\n", ("object-type-invalid", 1, 7)),
    case("control name", 'from: "a\\x07"\nto: deals\nmax: 5\n', ("object-type-invalid", 1, 7)),
    case("labels a list", f"{HEAD}labels:\n  - A: 5\n", ("value-not-a-mapping", 4, 3)),
    case("labels no space", f"{HEAD}labels:\n  A:5\n", ("value-not-a-mapping", 4, 3)),
    case("labels null", f"{HEAD}max: 5\nlabels:\n", ("value-null", 4, 1)),
    case("empty label", f'{HEAD}labels:\n  "": 5\n', ("label-empty", 4, 3)),
    case("types a mapping", f"{HEAD}types: {{a: 1}}\n", ("value-not-a-list", 3, 8)),
    case("type a number", f"{HEAD}types: [5]\n", ("value-not-a-mapping", 3, 9)),
    case(
        "type without keys",
        f"{HEAD}types:\n- type_id: 5\n",
        ("key-missing", 4, 3),
        ("key-missing", 4, 3),
    ),
    case(
        "type ID zero",
        f"{HEAD}types:\n- {{category: WORK, type_id: 0, max: 1}}\n",
        ("value-not-a-number", 4, 29),
    ),
    case("prune a word", f"{HEAD}max: 5\nprune: no\n", ("value-not-a-boolean", 4, 8)),
    case("prune null", f"{HEAD}max: 5\nprune: ~\n", ("value-null", 4, 8)),
    case("inverse null", f"{HEAD}max: 5\ninverse:\n", ("value-null", 4, 1)),
    case("inverse a number", f"{HEAD}max: 5\ninverse: 5\n", ("value-not-a-mapping", 4, 10)),
    case(
        "protect a word", f"{HEAD}max: {{max: 5, protect: yes}}\n", ("value-not-a-boolean", 3, 24)
    ),
    case("reason a number", f"{HEAD}max: {{max: 5, reason: 7}}\n", ("value-not-text", 3, 23)),
    case("category", f"{HEAD}max: {{max: 5, category: X}}\n", ("category-unknown", 3, 25)),
    case("no max", f"{HEAD}labels:\n  A: {{protect: true}}\n", ("key-missing", 4, 6)),
    case("max in max", f"{HEAD}max: {{max: {{max: 5}}}}\n", ("limit-not-a-number", 3, 12)),
    # -------- limits
    limit("null limit", "null", "value-null"),
    limit("quoted", '"5"'),
    limit("leading zero", "010"),
    limit("underscore", "1_000"),
    limit("comma", "1,000"),
    limit("fraction", "1.5"),
    limit("exponent", "1e3"),
    limit("hexadecimal", "0x10"),
    limit("octal", "0o17"),
    limit("plus", "+5"),
    limit("infinity", ".inf"),
    limit("boolean", "true"),
    limit("no", "no"),
    limit("Unlimited", "Unlimited"),
    limit("block text", "|\n    5"),
    limit("list", "[5]"),
    limit("zero", "0", "limit-out-of-range"),
    limit("minus one", "-1", "limit-out-of-range"),
    limit("too high", "50001", "limit-out-of-range"),
    limit("endless", "9" * 5000, "limit-out-of-range"),
    # -------- rules
    case("nothing declared", HEAD, ("direction-declares-nothing", 1, 7)),
    case("no labels", f"{HEAD}labels: {{}}\n", ("direction-declares-nothing", 1, 7)),
    case("empty inverse", f"{HEAD}max: 1\ninverse: {{}}\n", ("direction-declares-nothing", 4, 1)),
    case(
        "label above object limit",
        f"{HEAD}max: 5\nlabels:\n  A: {{reason: x, max: 8}}\n",
        ("label-above-object-limit", 5, 23),
    ),
    case(
        "inverse of itself",
        "from: contacts\nto: contact\nmax: 5\ninverse: {max: 5}\n",
        ("inverse-of-itself", 4, 1),
    ),
    case(
        "direction twice",
        f"{HEAD}max: 1\n---\nfrom: 0-1\nto: Company\nmax: 2\n",
        ("direction-duplicate", 5, 7),
    ),
    case(
        "type twice",
        f"{HEAD}types:\n" + "- {category: WORK, type_id: 1, max: 1}\n" * 2,
        ("type-duplicate", 5, 3),
    ),
]


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.name)
def test_a_malformed_file_is_diagnosed_at_its_place(case: Malformed) -> None:
    """Each mistake has its code and the place to mend it at, and nothing else is said."""
    assert found(case.encoded) == list(case.expected)


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.name)
def test_words_are_ours_and_on_one_line(case: Malformed) -> None:
    """No pydantic text, no URL, no line break; and every error says how to mend it."""
    for problem in problems(Source(PATH, case.encoded)):
        assert "\n" not in problem.message
        assert "pydantic" not in problem.message.lower()
        assert "http" not in problem.message
        assert "Input should" not in problem.message
        assert problem.hint
        assert len(problem.message) < 300


def test_there_are_enough_cases() -> None:
    """The table is the specification of what is refused."""
    assert len(MALFORMED) >= 60


@pytest.mark.parametrize(
    "content",
    [
        "a: {" + "a:," * 100_000 + "}\n",
        "a: {" + "?a," * 100_000 + "}\n",
        "a: [" + "&a b," * 100_000 + "]\n",
        "a: 1\n" * 100_000,
    ],
    ids=["colons", "question marks", "anchors", "duplicate keys"],
)
def test_reading_stops_at_a_thousand_mistakes_of_yaml(content: str) -> None:
    """A megabyte of them is neither listed nor looked at to the end."""
    started = time.process_time()
    diagnostics = problems(Source(PATH, content.encode()))
    assert time.process_time() - started < 15
    assert 1_000 <= len(diagnostics) <= 1_010
    assert "mistakes-too-many" in {each.code for each in diagnostics}


def test_thousands_of_misspelt_names_take_no_time() -> None:
    """Each distinct name is compared with the standard ones."""
    content = "".join(
        f"---\nfrom: contcts{number}\nto: compnies{number}\nmax: 1\n" for number in range(2_000)
    )
    started = time.process_time()
    problems(Source(PATH, content.encode()))
    assert time.process_time() - started < 15
