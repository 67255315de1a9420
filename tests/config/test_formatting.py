"""The canonical form: how it looks, what it keeps, and what is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.formatting import canonical_text
from reconciler.config.loading import parse
from reconciler.config.sources import Source
from reconciler.errors import Diagnostic
from tests.config.support import PATH, PATIENT, problems, text
from tests.config.test_pair import SAMPLE
from tests.config.test_properties import damaged

pytestmark = pytest.mark.usefixtures("parser")

README_EXAMPLE = """\
    # configs/contacts-companies.yaml
    from: contacts
    to: companies
    max: 5                        # a contact has at most 5 companies
    labels:
      Billing contact: 1          # at most one of them as "Billing contact"
      Decision maker: unlimited   # no limit: removed if the portal has one
    inverse:                      # companies → contacts
      max: 1000
      labels:
        Billing contact: {max: 2, protect: true, reason: one invoice address and a backup}
    """


def formatted(document: str) -> str:
    """The canonical form of a document that has one."""
    result = canonical_text(Source(PATH, text(document).encode()))
    assert isinstance(result, str), result
    again = canonical_text(Source(PATH, result.encode()))
    assert again == result, "formatting is idempotent"
    return result


def refusals(document: str) -> list[tuple[str, int, int]]:
    """Code, line and column of why a document is left alone."""
    result = canonical_text(Source(PATH, text(document).encode()))
    assert isinstance(result, tuple)
    return [(each.code, each.place.line, each.place.column) for each in result]


def test_the_example_of_the_documentation_is_canonical() -> None:
    """What the README shows is what the command writes."""
    assert formatted(README_EXAMPLE) == text(README_EXAMPLE)


def test_keys_have_one_order() -> None:
    """From, to, max, labels, types, inverse, prune; in the other direction too."""
    document = """\
        prune: false
        inverse: {labels: {B: 1}, max: 2}
        types:
        - max: 1
          type_id: 9
          category: WORK
        labels: {A: {reason: because, max: 3}}
        max: 5
        to: companies
        from: contacts
        """
    assert formatted(document) == text(
        """\
        from: contacts
        to: companies
        max: 5
        labels:
          A: {max: 3, reason: because}
        types:
          - {category: WORK, type_id: 9, max: 1}
        inverse:
          max: 2
          labels:
            B: 1
        prune: false
        """
    )


def test_labels_are_sorted_within_groups() -> None:
    """A blank line starts a group; a comment above a label moves with it."""
    document = """\
        from: contacts
        to: companies
        labels:
          # the second
          Zeta: 1
          alpha: 2   # the first


          # Sales

          # their favourite
          Mid: 3
          Beta: 4
        """
    assert formatted(document) == text(
        """\
        from: contacts
        to: companies
        labels:
          alpha: 2   # the first
          # the second
          Zeta: 1

          # Sales

          Beta: 4
          # their favourite
          Mid: 3
        """
    )


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("'Billing contact': \"unlimited\"", "Billing contact: unlimited"),
        ("'a: b': 1", '"a: b": 1'),
        ("'# 1': 1", '"# 1": 1'),
        ("'1': 1", '"1": 1'),
        ("no: 1", "no: 1"),
        ('"tab\\there": 1', '"tab\\there": 1'),
        ('"no-break\\u00a0space": 1', '"no-break\\xa0space": 1'),
        ("Größe: 1", "Größe: 1"),
        ("A: {max: 5}", "A: 5"),
        ("A: {protect: TRUE, max: 5}", "A: {max: 5, protect: true}"),
        ('A: {max: 5, reason: "[x]"}', 'A:\n    max: 5\n    reason: "[x]"'),
        (
            'A: {max: 5, reason: "one\\ntwo"}',
            "A:\n    max: 5\n    reason: |-\n      one\n      two",
        ),
    ],
)
def test_quotes_and_braces(written: str, canonical: str) -> None:
    """Quotes only where a text needs them; braces where everything fits in plain."""
    result = formatted(f"from: a\nto: b\nlabels:\n  {written}\n")
    assert result == f"from: a\nto: b\nlabels:\n  {canonical}\n"


def test_a_limit_too_long_for_a_line_is_written_on_several() -> None:
    """At 100 columns."""
    reason = "x" * 88
    fits, long = "A" * 5, "A" * 6
    document = f"from: a\nto: b\nlabels:\n  {fits}: {{max: 10000, reason: {reason}}}\n"
    assert max(len(line) for line in formatted(document).splitlines()) == 100
    assert f"  {long}:\n    max: 10000\n" in formatted(document.replace(fits, long))


def test_comments_stay_with_what_they_are_about() -> None:
    """Beside a value, above an entry, below the last one, above and below a separator."""
    document = """\
        # head

        --- # of the document
        inverse:  # the other way
            types: # by ID
             # first
             - type_id: 5 # five
               category: WORK
               max: 3
             # a commented entry
             # - {type_id: 6}
            # the end of the inverse
        max:
            5 # five
        to: b
        from: a  # a
        # the end
        ---
        # the second
        from: {a: 1} # not read
        to: c
        """
    assert formatted(document) == text(
        """\
        # head

        # of the document
        from: a  # a
        to: b
        max: 5  # five
        inverse:  # the other way
          types:   # by ID
            # first
            - {category: WORK, type_id: 5, max: 3}  # five
            # a commented entry
            # - {type_id: 6}
          # the end of the inverse
        # the end
        ---
        # the second
        from:        # not read
          a: 1
        to: c
        """
    )


def test_what_is_not_valid_is_formatted_all_the_same() -> None:
    """Unknown keys last, lists where none belong: `validate` says what is wrong with them."""
    document = "unknown: [1, {x: y}] # u\nlabels: {A: [1]}\nto: b\nfrom: a\nmax: 0\n"
    assert formatted(document) == text(
        """\
        from: a
        to: b
        max: 0
        labels:
          A:
            - 1
        unknown:             # u
          - 1
          - x: y
        """
    )


def test_line_ends_and_a_byte_order_mark_are_made_one() -> None:
    """Whatever the editor wrote."""
    content = "\ufefffrom: a\r\nto: b\r\nmax: 5".encode()
    assert canonical_text(Source(PATH, content)) == "from: a\nto: b\nmax: 5\n"


@pytest.mark.parametrize("document", ["", "# nothing yet\n", "---\n# still nothing\n---\n"])
def test_a_file_without_a_document_is_left_as_it_is(document: str) -> None:
    """There is nothing to put in order."""
    assert formatted(document) == document or not document


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("from: a\nto: b\nmax: &x 5\n", [("yaml-anchor", 3, 6)]),
        ("from: a\nto: b\nto: c\n", [("key-duplicate", 3, 1)]),
        ("from: a\nmax: [5\n", [("yaml-syntax", 3, 1)]),
        ("# a workspace\nversion: 1\n", [("pair-incomplete", 2, 1)]),
        ("- from\n- to\n", [("pair-incomplete", 1, 1)]),
    ],
)
def test_what_cannot_be_formatted_is_refused(
    document: str, expected: list[tuple[str, int, int]]
) -> None:
    """With its place."""
    assert refusals(document) == expected


def test_a_comment_behind_a_text_with_a_hash_is_kept() -> None:
    """The hash in quotes starts no comment, and hides none that follows."""
    document = "from: a\nto: b\nlabels:\n  A: {reason: 'see #1', max: 1} # keep\n"
    result = canonical_text(Source(PATH, document.encode()))
    assert isinstance(result, str)
    assert "# keep" in result


def test_nothing_is_lost_where_a_comment_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is read again before it is believed."""
    monkeypatch.setattr(
        "reconciler.config.formatting.document_text", lambda _: "from: a\nto: b\nmax: 5\n"
    )
    assert refusals("from: a\nto: b\nmax:  5 # five\n") == [("format-unsafe", 1, 1)]
    assert refusals("from: a\nto: b\nmax:  6\n") == [("format-unsafe", 1, 1)]


COMMENT = st.text(st.sampled_from("abc #:{}'\"-"), max_size=8).map(lambda each: f"# !{each}!")
LABEL = st.text(st.sampled_from("abcXYZ 1#:,{}'\"-é\u00a0\U0001f600?"), min_size=1, max_size=6)
MAXIMUM = st.one_of(st.integers(1, 100).map(str), st.sampled_from(["unlimited", '"unlimited"']))


def as_key(label: str) -> str:
    """A label in single quotes, which take everything that a label here may have."""
    return "'" + label.replace("'", "''") + "'"


@st.composite
def limits(draw: st.DrawFn, indent: str) -> str:
    """The value of a limit in one of the ways that it may be written, ended by a line end."""
    beside = draw(st.one_of(st.just(""), COMMENT.map(lambda each: f"   {each}")))
    value = draw(MAXIMUM)
    reason = as_key(draw(LABEL))
    return draw(
        st.sampled_from(
            [
                f" {value}{beside}\n",
                f"{beside}\n{indent} {value}\n",
                f" {{reason: {reason}, max: {value}}}{beside}\n",
                f" {{max: {value},{beside}\n{indent}   protect: false}}\n",
                f"{beside}\n{indent}  protect: FALSE{beside}\n{indent}  max: {value}\n",
                (
                    f"\n{indent}  reason: |\n{indent}    one # two\n\n{indent}    three\n"
                    f"{indent}  max: {value}{beside}\n"
                ),
                (
                    f"\n{indent}  reason: 'one # two\n\n{indent}    three'{beside}\n"
                    f"{indent}  max: {value}\n"
                ),
            ]
        )
    )


@st.composite
def directions(draw: st.DrawFn, indent: str) -> list[str]:
    """The keys of a direction in any order, with what may be above each of them."""
    parts = []
    if draw(st.booleans()):
        parts.append(f"{indent}max:{draw(limits(indent))}")
    labels = draw(st.lists(LABEL, max_size=4, unique=True))
    if labels or not parts:
        entries = "".join(
            draw(between(f"{indent}  ")) + f"{indent}  {as_key(each)}:{draw(limits(f'{indent}  '))}"
            for each in labels or ["only"]
        )
        parts.append(f"{indent}labels:\n{entries}{draw(between(f'{indent}  '))}")
    if draw(st.booleans()):
        beside = draw(COMMENT)
        parts.append(
            f"{indent}types: {beside}\n{draw(between(indent))}"
            f"{indent}- type_id: 7 {beside}\n{indent}  max: 3\n{indent}  category: WORK\n"
            f"{draw(between(indent))}"
            f"{indent}- {{category: WORK, max: 1, type_id: 3}} {beside}\n"
        )
    return parts


@st.composite
def between(draw: st.DrawFn, indent: str) -> str:
    """Comments and blank lines between two entries."""
    lines = draw(st.lists(st.one_of(st.just(""), COMMENT), max_size=3))
    shift = draw(st.sampled_from(["", "", "  "]))
    return "".join(f"{indent}{shift}{line}\n" if line else "\n" for line in lines)


@st.composite
def pair_files(draw: st.DrawFn) -> str:
    """A valid pair file in some layout."""
    parts = ["from: contacts\n", "to: companies\n", *draw(directions(""))]
    if draw(st.booleans()):
        parts.append(f"inverse:\n{''.join(draw(directions('    ')))}")
    parts = draw(st.permutations(parts))
    return "".join(draw(between("")) + part for part in parts) + draw(between(""))


def meaning(document: str) -> object:
    """What a file says, without places and in one order; None where it is not valid."""
    loaded = parse([Source(PATH, document.encode())], prune=True)
    return sorted(
        (
            str(each),
            each.prune,
            sorted(
                (repr(limit.selector), limit.max or 0, limit.protect, limit.reason or "")
                for limit in each.limits
            ),
        )
        for each in loaded.desired.directions
    )


def comments(document: str) -> list[str]:
    """The comments that the generated files have: they alone are between exclamation marks."""
    return sorted(
        found.strip() for found in re.findall(r"(?:^|(?<=\s))# ![^!\n]*!", document, re.MULTILINE)
    )


@settings(PATIENT, max_examples=60)
@given(pair_files())
def test_formatting_never_changes_what_a_file_means(document: str) -> None:
    """Nor a comment, and what was formatted once stays as it is."""
    result = canonical_text(Source(PATH, document.encode()))
    assert isinstance(result, str), (document, result)
    assert canonical_text(Source(PATH, result.encode())) == result
    assert comments(result) == comments(document)
    assert _problems(result) == _problems(document)
    if not _problems(document):
        assert meaning(result) == meaning(document)


@PATIENT
@given(damaged(SAMPLE))
def test_a_damaged_file_is_formatted_or_refused(document: str) -> None:
    """It means what it meant and has its comments, or stays as it is with a diagnostic."""
    result = canonical_text(Source(PATH, document.encode()))
    if isinstance(result, str):
        assert canonical_text(Source(PATH, result.encode())) == result
        assert _problems(result) == _problems(document)
        if not _problems(document):
            assert meaning(result) == meaning(document)
    else:
        assert result


def _problems(document: str) -> list[str]:
    """The codes of what is wrong with a file: labels above the object limit, for example."""
    found: tuple[Diagnostic, ...] = problems(Source(PATH, document.encode()))
    return sorted(each.code for each in found)
