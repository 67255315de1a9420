"""Overlays: what is named is replaced at its own place, the rest stays, `null` removes."""

from __future__ import annotations

import pytest

from reconciler.config.loading import Configuration
from reconciler.config.sources import Loaded
from reconciler.errors import ConfigurationInvalid, Severity
from tests.config.support import source, where

BASE = """
    from: contacts
    to: companies
    max: 5
    labels:
      Billing contact: {max: 2, protect: true, reason: one and a backup}
      Decision maker: 3
    types:
    - {category: WORK, type_id: 7, max: 1}
    inverse:
      max: 1000
      labels: {Billing contact: 9}
"""


TYPE = "{category: WORK, type_id: 7, max: 2}"


def laid(*overlays: str, base: str = BASE, partial: bool = False, prune: bool = True) -> Loaded:
    """The base with overlays on it, each in a folder of its own."""
    layers = {f"over/{n}": [source(text, f"over/{n}/a.yaml")] for n, text in enumerate(overlays)}
    configuration = Configuration([source(base)], layers, prune=prune, partial=partial)
    return configuration.loaded(list(layers))


def limits(loaded: Loaded) -> dict[str, dict[str, tuple[int | None, str]]]:
    """Each limit and the file and line that it comes from, by direction and name."""
    return {
        str(direction): {
            getattr(each.selector, "text", None) or str(getattr(each.selector, "key", "max")): (
                each.max,
                f"{each.place.path.split('/')[1]}:{each.place.line}",
            )
            for each in direction.limits
        }
        for direction in loaded.desired.directions
    }


def problems(*overlays: str, base: str = BASE) -> list[tuple[str, str, int, int]]:
    """Code, file, line and column of what is wrong with the result."""
    try:
        found = laid(*overlays, base=base).warnings
    except ConfigurationInvalid as error:
        found = error.diagnostics
    return [
        (each.code, each.place.path, *at[1:]) for each, at in zip(found, where(found), strict=True)
    ]


def test_what_an_overlay_names_is_replaced_and_the_rest_is_kept() -> None:
    """Every value has the place of the file that it comes from."""
    found = limits(
        laid("from: contacts\nto: companies\nmax: 7\nlabels: {Decision maker: 4, New: 1}\n")
    )
    assert found == {
        "contacts → companies": {
            "max": (7, "0:3"),
            "Billing contact": (2, "pair.yaml:5"),
            "Decision maker": (4, "0:4"),
            "New": (1, "0:4"),
            "WORK/7": (1, "pair.yaml:8"),
        },
        "companies → contacts": {
            "max": (1000, "pair.yaml:10"),
            "Billing contact": (9, "pair.yaml:11"),
        },
    }


def test_a_limit_keeps_what_the_overlay_does_not_say_of_it() -> None:
    """`3` says only what `{max: 3}` does; protection and reason stay."""
    for written in ("3", "{max: 3}"):
        loaded = laid(f"from: contacts\nto: companies\nlabels: {{Billing contact: {written}}}\n")
        (limit,) = [
            each
            for each in loaded.desired.directions[0].limits
            if getattr(each.selector, "text", "") == "Billing contact"
        ]
        assert (limit.max, limit.protect, limit.reason) == (3, True, "one and a backup")
        assert limit.place.path == "over/0/a.yaml"
        assert limit.named_at.path == "configs/pair.yaml"


def test_an_overlay_may_protect_and_give_a_reason_alone() -> None:
    """The value stays where it is."""
    loaded = laid("from: contacts\nto: companies\nmax: {protect: true, reason: why}\n")
    limit = loaded.desired.directions[0].limits[0]
    assert (limit.max, limit.protect, limit.reason) == (5, True, "why")
    assert limit.place.path == "configs/pair.yaml"


@pytest.mark.parametrize(
    ("from_", "to"), [("companies", "contacts"), ("0-2", "0-1"), ("Company", "CONTACT")]
)
def test_directions_meet_whichever_is_named_first_and_however(from_: str, to: str) -> None:
    """The overlay's main direction is the base's inverse here."""
    found = limits(laid(f"from: {from_}\nto: {to}\nmax: 50\ninverse: {{max: 8}}\n"))
    assert found["companies → contacts"]["max"] == (50, "0:3")
    assert found["contacts → companies"]["max"] == (8, "0:4")
    assert found["companies → contacts"]["Billing contact"] == (9, "pair.yaml:11")


def test_a_direction_of_a_document_of_its_own_is_met_there() -> None:
    """The base may declare both directions in two documents."""
    base = "from: contacts\nto: deals\nmax: 5\n---\nfrom: deals\nto: contacts\nmax: 6\n"
    found = limits(laid("from: contacts\nto: deals\nmax: 7\ninverse: {max: 8}\n", base=base))
    assert found == {
        "contacts → deals": {"max": (7, "0:3")},
        "deals → contacts": {"max": (8, "0:4")},
    }


def test_types_meet_by_category_and_type_id() -> None:
    """Another category or ID is another type; `max: null` removes one."""
    found = limits(
        laid(
            "from: contacts\nto: companies\ntypes:\n- {category: WORK, type_id: 7, max: 2}\n"
            "- {category: WORK, type_id: 8, max: 3}\n",
            "from: contacts\nto: companies\ntypes:\n- {category: WORK, type_id: 8, max: null}\n",
        )
    )["contacts → companies"]
    assert found["WORK/7"] == (2, "0:4")
    assert "WORK/8" not in found


def test_overlays_lie_over_each_other_in_order() -> None:
    """The last one that names a value decides."""
    head = "from: contacts\nto: companies\n"
    found = limits(laid(f"{head}max: 6\nlabels: {{A: 1}}\n", f"{head}max: 7\n"))
    assert found["contacts → companies"]["max"] == (7, "1:3")
    assert found["contacts → companies"]["A"] == (1, "0:4")


@pytest.mark.parametrize(
    ("written", "gone"),
    [
        ("max: null", "max"),
        ("max: {max: ~}", "max"),
        ("labels: {Decision maker: null}", "Decision maker"),
        ("labels: {Decision maker: {max: null}}", "Decision maker"),
        ("types: [{category: WORK, type_id: 7, max: null}]", "WORK/7"),
        ("types: null", "WORK/7"),
    ],
)
def test_null_removes(written: str, gone: str) -> None:
    """The limit is no longer declared; nothing else changes."""
    before, after = limits(laid()), limits(laid(f"from: contacts\nto: companies\n{written}\n"))
    del before["contacts → companies"][gone]
    assert after == before


def test_null_removes_all_labels_and_a_direction() -> None:
    """Of either way to name the pair."""
    assert set(
        limits(laid("from: contacts\nto: companies\nlabels: null\n"))["contacts → companies"]
    ) == {
        "max",
        "WORK/7",
    }
    assert set(limits(laid("from: contacts\nto: companies\ninverse: null\n"))) == {
        "contacts → companies"
    }
    turned = laid("from: companies\nto: contacts\ninverse: null\n")
    assert limits(turned) == {
        "companies → contacts": {
            "max": (1000, "pair.yaml:10"),
            "Billing contact": (9, "pair.yaml:11"),
        }
    }


def test_null_takes_a_property_off() -> None:
    """As editing the file would: protection is gone, and safety holds it against the base."""
    loaded = laid("from: contacts\nto: companies\nlabels: {Billing contact: {protect: null}}\n")
    assert not any(each.protect for each in loaded.desired.directions[0].limits)


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("labels: {Nobody: null}", 3, 10),
        ("prune: null", 3, 1),
        ("types: [{category: WORK, type_id: 9, max: null}]", 3, 9),
        ("max: {reason: null}", 3, 7),
    ],
)
def test_null_for_what_is_not_there_is_a_warning(written: str, line: int, column: int) -> None:
    """At the place of the overlay: probably it is misspelt."""
    loaded = laid(f"from: contacts\nto: companies\n{written}\n")
    (warning,) = loaded.warnings
    assert warning.severity is Severity.WARNING
    assert where(loaded.warnings) == [("overlay-removes-nothing", line, column)]


def test_a_pair_that_no_file_declares_is_added() -> None:
    """With the overlay's places; the other direction of a known pair goes beside it."""
    found = laid(
        "from: deals\nto: contacts\nmax: 4\n",
        base="from: contacts\nto: deals\nmax: 5\nprune: false\n",
    )
    assert limits(found) == {
        "contacts → deals": {"max": (5, "pair.yaml:3")},
        "deals → contacts": {"max": (4, "0:3")},
    }
    assert [each.prune for each in found.desired.directions] == [False, False]
    assert found.desired.directions[1].place.path == "over/0/a.yaml"
    new = limits(laid("from: tickets\nto: contacts\nmax: 4\n"))
    assert new["tickets → contacts"] == {"max": (4, "0:3")}


def test_prune_is_replaced_too() -> None:
    """By document, as in the file itself."""
    loaded = laid("from: contacts\nto: companies\nprune: false\n")
    assert [each.prune for each in loaded.desired.directions] == [False, False]


def test_rules_hold_for_the_result_at_the_line_that_breaks_them() -> None:
    """A label limit of the overlay above the object limit of the base, and the other way round."""
    assert problems("from: contacts\nto: companies\nlabels: {A: 6}\n") == [
        ("label-above-object-limit", "over/0/a.yaml", 3, 13)
    ]
    assert problems("from: contacts\nto: companies\nmax: 2\n") == [
        ("label-above-object-limit", "over/0/a.yaml", 3, 6)
    ]
    assert problems("from: contacts\nto: companies\nmax: 2\nlabels: {Decision maker: 2}\n") == []


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ("from: contacts\nto: companies\nmaxx: 6\n", ("key-unknown", 3, 1)),
        ("from: contacts\nto: companies\nmax: 0\n", ("limit-out-of-range", 3, 6)),
        ("from: contacts\nto: companies\nlabels: {New: {protect: true}}\n", ("key-missing", 3, 15)),
        ("from: contacts\nto: companies\nlabels: 5\n", ("value-not-a-mapping", 3, 9)),
        ("from: contacts\nto: companies\ninverse: 5\n", ("value-not-a-mapping", 3, 10)),
        ("from: contacts/\nto: companies\nmax: 6\n", ("object-type-invalid", 1, 7)),
        ("to: companies\nmax: 6\n", ("key-missing", 1, 1)),
        ("from: [\n", ("yaml-syntax", 2, 1)),
        ("from: deals\nto: tickets\n", ("direction-declares-nothing", 1, 7)),
        (
            "from: a\nto: b\nmax: 1\n---\nfrom: b\nto: a\ninverse: {max: 2}\nmax: 2\n",
            ("direction-duplicate", 7, 1),
        ),
        (
            f"from: contacts\nto: companies\ntypes: [{TYPE}, {TYPE}]\n",
            ("type-duplicate", 3, 47),
        ),
    ],
)
def test_a_mistake_in_an_overlay_is_diagnosed_at_its_place(
    overlay: str, expected: tuple[str, int, int]
) -> None:
    """Once, in the overlay's file."""
    code, line, column = expected
    assert problems(overlay) == [(code, "over/0/a.yaml", line, column)]


def test_what_a_portal_does_not_lay_over_is_as_it_was() -> None:
    """The same files serve every portal."""
    layers = {"over": [source("from: contacts\nto: companies\nmax: 9\n", "over/a.yaml")]}
    configuration = Configuration([source(BASE)], layers, known={})
    with_it, without = configuration.loaded(["over"]), configuration.loaded([])
    assert with_it.desired.directions[0].limits[0].max == 9
    assert without.desired.directions[0].limits[0].max == 5
    assert [each.path for each in with_it.desired.files] == ["configs/pair.yaml", "over/a.yaml"]
    assert [each.path for each in without.desired.files] == ["configs/pair.yaml"]


def test_beside_some_of_the_files_an_overlay_adds_nothing() -> None:
    """`plan configs/a.yaml`: what an overlay lays over other files must not stand alone."""
    overlay = "from: tickets\nto: contacts\nmax: 4\n---\nfrom: contacts\nto: companies\nmax: 6\n"
    found = limits(laid(overlay, partial=True))
    assert set(found) == {"contacts → companies", "companies → contacts"}
    assert found["contacts → companies"]["max"] == (6, "0:7")
