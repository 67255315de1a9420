"""Edits in place: what changes is what was asked for, and every other byte stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.config.edit import (
    AddInverse,
    AddLimits,
    Edit,
    EditImpossible,
    RemoveLimit,
    SetValue,
    edited,
)
from reconciler.config.loading import parse
from reconciler.config.sources import Source
from reconciler.errors import ConfigurationInvalid
from reconciler.model.limits import (
    ByTypeId,
    Category,
    Desired,
    DesiredDirection,
    DesiredLimit,
    Label,
    Place,
    Selector,
    TypeKey,
    Unlabelled,
)
from tests.config.support import PATH, PATIENT, text
from tests.config.test_formatting import pair_files

VALUE = re.compile(r"[\"']?unlimited[\"']?|[0-9]+")
ENDINGS = st.sampled_from(["\n", "\r\n", "\r"])
MARKS = st.sampled_from(["", "\ufeff"])
TYPE = ByTypeId(TypeKey(Category.WORK, 99))


def desired(content: bytes) -> Desired:
    """What a file says; an example that is not valid is not looked at."""
    try:
        return parse([Source(PATH, content)], prune=True).desired
    except ConfigurationInvalid:
        assume(False)
        raise


def limits(found: Desired) -> dict[tuple[str, object], int | None]:
    """Every limit by its direction and name."""
    return {(str(one), each.selector): each.max for one in found.directions for each in one.limits}


def apply(document: str, *edits: Edit) -> str:
    """A document with edits."""
    return edited(Source(PATH, text(document).encode()), edits).decode()


def direction(document: str, number: int = 0) -> DesiredDirection:
    """A direction that a document declares."""
    return parse([Source(PATH, text(document).encode())], prune=True).desired.directions[number]


def limit(document: str, name: object, number: int = 0) -> DesiredLimit:
    """A limit of that direction."""
    return next(each for each in direction(document, number).limits if each.selector == name)


@settings(PATIENT, max_examples=60)
@given(pair_files(), ENDINGS, MARKS, st.booleans(), st.data())
def test_bytes_outside_of_a_value_are_unchanged(
    document: str, ending: str, mark: str, ends: bool, data: st.DataObject
) -> None:
    """Whatever the layout, the line ends, a byte order mark, and a last line that has no end."""
    whole = document if ends else document.removesuffix("\n")
    content = (mark + whole.replace("\n", ending)).encode()
    before = desired(content)
    found = [each for one in before.directions for each in one.limits]
    chosen = data.draw(st.sampled_from(found))
    value = data.draw(st.one_of(st.none(), st.integers(1, 50_000)))
    after = edited(Source(PATH, content), [SetValue(chosen.place, value)]).decode()

    rows = whole.split("\n")
    at = sum(len(row) + len(ending) for row in rows[: chosen.place.line - 1]) + len(mark)
    at += chosen.place.column - 1
    there = VALUE.match(content.decode(), at)
    assert there is not None
    written = "unlimited" if value is None else str(value)
    assert after == content.decode()[:at] + written + content.decode()[there.end() :]


@settings(PATIENT, max_examples=60)
@given(pair_files(), st.text(st.sampled_from("abXZ:{,#'\" é"), min_size=1, max_size=5), st.data())
def test_an_added_limit_is_all_that_is_new(document: str, label: str, data: st.DataObject) -> None:
    """One insertion: what was there before and behind it is unchanged, and means the same."""
    content = document.encode()
    before = desired(content)
    chosen = data.draw(st.sampled_from(before.directions))
    names: list[Selector] = [Label(label), TYPE, Unlabelled()]
    name = data.draw(st.sampled_from(names))
    assume(name not in [each.selector for each in chosen.limits])
    after = edited(Source(PATH, content), [AddLimits(chosen.place, ((name, 1),))]).decode()

    expected = {**limits(before), (str(chosen), name): 1}
    if name != Unlabelled():  # which may be below a label limit
        assert limits(desired(after.encode())) == expected
    kept = _common(document, after) + _common(document[::-1], after[::-1])
    assert kept >= len(document)


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


@settings(PATIENT, max_examples=60)
@given(pair_files(), st.data())
def test_a_removed_label_takes_nothing_with_it(document: str, data: st.DataObject) -> None:
    """The other limits stay, and so do comments on lines of their own."""
    content = document.encode()
    before = desired(content)
    named = [
        (one, each)
        for one in before.directions
        for each in one.limits
        if not isinstance(each.selector, Unlabelled)
    ]
    assume(named)
    one, chosen = data.draw(st.sampled_from(named))
    after = edited(Source(PATH, content), [RemoveLimit(chosen.named_at)])
    expected = limits(before)
    del expected[str(one), chosen.selector]
    if any(key[0] == str(one) for key in expected):
        assert limits(desired(after)) == expected
    lines = [line for line in after.decode().split("\n") if line.lstrip().startswith("#")]
    value_lines = range(chosen.named_at.line, chosen.place.line + 9)
    for number, line in enumerate(document.split("\n"), start=1):
        if line.lstrip().startswith("#") and number not in value_lines:
            assert line in lines


BLOCK = """\
    from: contacts
    to: companies  # who

    labels:  # by name
      # first
      Beta: 1    # one
      Delta: {max: 2,
        reason: two}  # end of Delta
    # between
    types:
    - category: WORK
      type_id: 3
      max: 1
    inverse:
      labels: {A: 1}
    # the end
    """


def test_additions_where_a_reader_looks_for_them() -> None:
    """In the layout of what is there."""
    at, back = direction(BLOCK).place, direction(BLOCK, 1).place
    result = apply(
        BLOCK,
        AddLimits(
            at,
            (
                (Unlabelled(), 9),
                (Label("Alpha"), 1),
                (Label("Gamma"), 3),
                (Label("z: #"), 4),
                (TYPE, 5),
            ),
        ),
        AddLimits(back, ((Unlabelled(), 7), (Label("B, c"), 2), (TYPE, 6))),
    )
    assert result == text(
        """\
        from: contacts
        to: companies  # who
        max: 9

        labels:  # by name
          Alpha: 1
          # first
          Beta: 1    # one
          Delta: {max: 2,
            reason: two}  # end of Delta
          Gamma: 3
          "z: #": 4
        # between
        types:
        - category: WORK
          type_id: 3
          max: 1
        - {category: WORK, type_id: 99, max: 5}
        inverse:
          max: 7
          labels: {A: 1, "B, c": 2}
          types:
            - {category: WORK, type_id: 99, max: 6}
        # the end
        """
    )


def test_labels_that_are_not_sorted_get_a_new_one_at_the_end() -> None:
    """And groups made by blank lines in their last group."""
    document = "from: a\nto: b\nlabels:\n  Z: 1\n  B: 1\n"
    added = AddLimits(direction(document).place, ((Label("A"), 1),))
    assert apply(document, added) == f"{document}  A: 1\n"
    grouped = "from: a\nto: b\nlabels:\n  Z: 1\n\n  # second\n  B: 1\n  D: 1\n# end\n"
    added = AddLimits(direction(grouped).place, ((Label("C"), 1),))
    assert apply(grouped, added) == grouped.replace("  D", "  C: 1\n  D")


def test_a_label_and_a_key_behind_it_are_added_at_one_place() -> None:
    """The label first: it belongs to what is there."""
    document = (
        "from: a\nto: b\nlabels:\n  A:\n    max: 1\n    reason: |\n      x\n\n      y\n\n# end\n"
    )
    new = AddLimits(direction(document).place, ((Label("B"), 2), (TYPE, 3)))
    inverse = AddInverse(direction(document).place, ((Unlabelled(), 4),))
    assert apply(document, new, inverse) == document.replace(
        "      y\n",
        "      y\n  B: 2\ntypes:\n  - {category: WORK, type_id: 99, max: 3}\ninverse:\n  max: 4\n",
    )


def test_an_inverse_is_added_behind_what_is_declared() -> None:
    """As a block, or between the braces of a document that is written in them."""
    added = ((Unlabelled(), 5), (Label("A"), 1))
    block = "from: a\nto: b\nmax: 2  # two\nprune: false\n"
    assert apply(block, AddInverse(direction(block).place, added)) == (
        "from: a\nto: b\nmax: 2  # two\ninverse:\n  max: 5\n  labels:\n    A: 1\nprune: false\n"
    )
    flow = "{from: a, to: b, max: 2} # two\n"
    assert apply(flow, AddInverse(direction(flow).place, added)) == (
        "{from: a, to: b, max: 2, inverse: {max: 5, labels: {A: 1}}} # two\n"
    )


def test_the_second_of_two_documents() -> None:
    """Places of one do not mean the other."""
    document = "from: a\nto: b\nmax: 1\n---\nfrom: a\nto: c\nmax: 1\n"
    added = AddLimits(direction(document, 1).place, ((Label("A"), 1),))
    assert apply(document, added) == f"{document}labels:\n  A: 1\n"


def test_removals_from_blocks_and_braces() -> None:
    """First, last, several and all of them; what is empty is said to be empty."""
    document = "from: a\nto: b\nmax: 1\nlabels: {A: 1, B: 1, C: 1}\n"
    places = {name: limit(document, Label(name)).named_at for name in "ABC"}

    def without(names: str) -> str:
        return apply(document, *(RemoveLimit(places[name]) for name in names))

    assert without("A") == document.replace("A: 1, ", "")
    assert without("C") == document.replace(", C: 1", "")
    assert without("AB") == document.replace("A: 1, B: 1, ", "")
    assert without("AC") == document.replace("A: 1, B: 1, C: 1", "B: 1")
    assert without("ABC") == document.replace("A: 1, B: 1, C: 1", "")
    block = "from: a\nto: b\nmax: 1\nlabels: # all\n  # why\n  A:\n    max: 1\n    protect: true\n"
    gone = RemoveLimit(limit(block, Label("A")).named_at)
    assert apply(block, gone) == "from: a\nto: b\nmax: 1\nlabels: {} # all\n  # why\n"
    new = AddLimits(direction(block).place, ((Label("B"), 2),))
    assert apply(block, gone, new) == ("from: a\nto: b\nmax: 1\nlabels: # all\n  # why\n  B: 2\n")
    types = "from: a\nto: b\nmax: 1\ntypes:\n- {category: WORK, type_id: 99, max: 1} # x\n"
    assert apply(types, RemoveLimit(limit(types, TYPE).named_at)) == (
        "from: a\nto: b\nmax: 1\ntypes: []\n"
    )


@pytest.mark.parametrize(
    "edit",
    [
        RemoveLimit(Place(PATH, 1, 1)),
        AddLimits(Place(PATH, 9, 1), ((Unlabelled(), 1),)),
    ],
)
def test_a_place_that_is_not_there(edit: Edit) -> None:
    """Nothing is guessed."""
    with pytest.raises(EditImpossible):
        apply("from: a\nto: b\nmax: 1\n", edit)
