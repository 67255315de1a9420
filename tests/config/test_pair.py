"""A pair's document → desired limits, each with its place."""

from __future__ import annotations

import pytest

from reconciler.config.loading import parse
from reconciler.config.sources import Source
from reconciler.model.limits import (
    ByTypeId,
    Category,
    CustomName,
    DesiredLimit,
    Label,
    ObjectType,
    Place,
    TypeKey,
    Unlabelled,
)
from tests.config.support import PATH, found, load_text, only_direction, source

CONTACTS = ObjectType("0-1", "contacts")
COMPANIES = ObjectType("0-2", "companies")

SAMPLE = """
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
        Billing contact: {max: 2, protect: true, reason: one invoice address and a stand-in}
"""


def at(line: int, column: int) -> Place:
    """A place in the file of the test."""
    return Place(PATH, line, column)


def test_the_sample_of_the_readme_says_what_it_says() -> None:
    """Both directions, every limit, every place."""
    forward, inverse = load_text(SAMPLE).desired.directions
    assert (forward.from_, forward.to, forward.place) == (CONTACTS, COMPANIES, at(2, 7))
    assert forward.limits == (
        DesiredLimit(Unlabelled(), 5, at(4, 6)),
        DesiredLimit(Label("Billing contact"), 1, at(6, 20)),
        DesiredLimit(Label("Decision maker"), None, at(7, 19)),
    )
    assert (inverse.from_, inverse.to, inverse.place) == (COMPANIES, CONTACTS, at(8, 1))
    reason = "one invoice address and a stand-in"
    assert inverse.limits == (
        DesiredLimit(Unlabelled(), 1000, at(9, 8)),
        DesiredLimit(Label("Billing contact"), 2, at(11, 28), protect=True, reason=reason),
    )


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        ("  one line  ", "one line"),
        (">\n    folded\n    to a line\n", "folded to a line"),
        ("|\n    first\n    second\n\n", "first\nsecond"),
        ('"  in quotes\\n"', "in quotes"),
        ('" "', None),
    ],
)
def test_a_reason_keeps_the_line_ends_inside(reason: str, read: str | None) -> None:
    """Outer white space goes."""
    text = f"from: contacts\nto: companies\nmax:\n  max: 5\n  reason: {reason}\n"
    (direction,) = load_text(text).desired.directions
    assert direction.limits[0].reason == read


def test_the_mapping_form_settles_the_category() -> None:
    """For the object limit and for labels."""
    direction = only_direction("""
        from: contacts
        to: deals
        max: {category: WORK, max: 7}
        labels:
          Owner:
            max: unlimited
            category: USER_DEFINED
    """)
    assert direction.limits == (
        DesiredLimit(Unlabelled(Category.WORK), 7, at(3, 28)),
        DesiredLimit(Label("Owner", Category.USER_DEFINED), None, at(6, 10)),
    )


def test_types_name_what_no_label_can() -> None:
    """By category and type ID."""
    direction = only_direction("""
        from: contacts
        to: deals
        types:
        - {category: HUBSPOT_DEFINED, type_id: 1, max: 1, protect: true, reason: why}
        - category: USER_DEFINED
          type_id: 1
          max: unlimited
    """)
    assert direction.limits == (
        DesiredLimit(
            ByTypeId(TypeKey(Category.HUBSPOT_DEFINED, 1)), 1, at(4, 48), protect=True, reason="why"
        ),
        DesiredLimit(ByTypeId(TypeKey(Category.USER_DEFINED, 1)), None, at(7, 8)),
    )


@pytest.mark.parametrize(
    "label", ["1", "yes", "null", "~", "1.5", "010", "é😀", " x ", "a: b", "#"]
)
def test_labels_are_taken_to_the_letter(label: str) -> None:
    """A label may be named like a number or a boolean; blanks inside quotes are kept."""
    key = label if label.strip() == label and label[0] != "#" and ": " not in label else ""
    for written in {f'"{label}"', f"'{label}'", key} - {""}:
        content = f"from: contacts\nto: deals\nlabels:\n  {written}: 5\n".encode()
        (direction,) = parse([Source(PATH, content)], prune=True).desired.directions
        assert [limit.selector for limit in direction.limits] == [Label(label)]


def test_hostile_labels_are_labels() -> None:
    """Escapes in double quotes reach the label; whoever shows it escapes them again."""
    direction = only_direction(r"""
        from: contacts
        to: deals
        labels: {"\e[31m\u202e\n": 5}
    """)
    assert direction.limits[0].selector == Label("\x1b[31m\u202e\n")


@pytest.mark.parametrize("line", ["max: 5", "max: unlimited", "max: 1", "max: 50000"])
def test_the_whole_range_is_accepted(line: str) -> None:
    """From 1 to 50,000, and no limit at all."""
    direction = only_direction(f"from: p_car\nto: 2-7\n{line}\n")
    assert (direction.from_, direction.to) == (CustomName("p_car"), ObjectType("2-7", "2-7"))


@pytest.mark.parametrize(
    ("document", "inverse", "expected"),
    [
        ("", "", (True, True)),
        ("prune: false", "", (False, False)),
        ("prune: false", "prune: true", (False, True)),
        ("", "prune: false", (True, False)),
    ],
)
def test_prune_is_inherited_inwards(
    document: str, inverse: str, expected: tuple[bool, bool]
) -> None:
    """Workspace, then document, then `inverse`: the innermost word holds."""
    content = f"from: a\nto: b\nmax: 1\n{document}\ninverse:\n  max: 1\n  {inverse}\n"
    loaded = parse([Source(PATH, content.encode())], prune=True)
    assert tuple(each.prune for each in loaded.desired.directions) == expected


def test_the_workspace_decides_about_pruning_where_nobody_else_does() -> None:
    """A document that says nothing of it takes what it is given."""
    assert not only_direction("from: a\nto: b\nmax: 1\n", prune=False).prune
    assert only_direction("from: a\nto: b\nmax: 1\nprune: true\n", prune=False).prune


def test_empty_documents_are_skipped() -> None:
    """A file may start with --- or hold nothing but comments."""
    loaded = load_text("---\n---\nfrom: a\nto: b\nmax: 1\n---\n# nothing\n---\n")
    assert len(loaded.desired.directions) == 1
    assert load_text("# nothing\n").desired.directions == ()


def test_several_documents_in_one_file() -> None:
    """In the order of the file."""
    loaded = load_text("from: a\nto: b\nmax: 1\n---\nfrom: b\nto: a\nmax: 2\n")
    assert [str(each) for each in loaded.desired.directions] == ["a → b", "b → a"]


def test_a_broken_part_hides_no_other() -> None:
    """Every part is read in the same go."""
    assert found(
        "from: contacts\nto: companies/\nmax: 5\nlabels:\n  A: 010\n  B: 8\n"
        "types:\n- 5\n- {category: WORK, type_id: 1, max: 60000}\n"
    ) == [
        ("object-type-invalid", 2, 5),
        ("limit-not-a-number", 5, 6),
        ("value-not-a-mapping", 8, 3),
        ("limit-out-of-range", 9, 37),
    ]


def test_rules_over_a_document_wait_until_it_is_valid() -> None:
    """What its parts are together shows when each is known; other documents do not wait."""
    broken = "from: contacts\nto: companies\nmax: 5\nlabels: {A: 010, B: 8}\n"
    rules = "---\nfrom: contacts\nto: deals\nmax: 5\nlabels: {B: 8}\n"
    assert found(broken + rules) == [
        ("limit-not-a-number", 4, 13),
        ("label-above-object-limit", 9, 13),
    ]
    assert found(broken.replace("010", "1")) == [("label-above-object-limit", 4, 19)]


def test_a_broken_part_is_not_blamed_twice() -> None:
    """Nothing is said to be missing that was only unreadable."""
    assert found("from: contacts\nto: deals\nmax: *x\n") == [("yaml-alias", 3, 6)]
    assert found("from: *x\nto: deals\nmax: 5\n") == [("yaml-alias", 1, 7)]
    assert found("from: contacts\nto: deals\nlabels: {A: 1_0}\n") == [("limit-not-a-number", 3, 13)]
    assert found("from: a\nto: b\ninverse: {max: no}\n") == [("limit-not-a-number", 3, 16)]


def test_files_are_named_with_their_digest() -> None:
    """The plan says which bytes it was made from."""
    (file,) = parse([source("", "a.yaml")], prune=True).desired.files
    assert file.path == "a.yaml"
    assert file.sha256.startswith("e3b0c44298fc")
