"""Rules over a document, and over all documents together."""

from __future__ import annotations

import pytest

from reconciler.config.sources import Source
from reconciler.errors import Severity
from reconciler.model.limits import Place
from tests.config.support import PATH, load_text, problems, source, the_problem, where


def test_a_label_limit_above_the_object_limit_names_both() -> None:
    """HubSpot would refuse it (documented); equal is left to the portal (unknown)."""
    problem = the_problem("""
        from: contacts
        to: companies
        max: 5
        labels: {Billing contact: 8, Other: 5, More: unlimited}
    """)
    assert problem.message == (
        'label limit 8 of "Billing contact" is above the object limit 5 of contacts → companies'
    )
    assert problem.place == Place(PATH, 4, 27)
    assert problem.related == Place(PATH, 3, 6)


@pytest.mark.parametrize("maximum", ["unlimited", "8", "9"])
def test_label_limits_up_to_the_object_limit_are_fine(maximum: str) -> None:
    """Without an object limit there is nothing to exceed."""
    assert load_text(f"from: a\nto: b\nmax: {maximum}\nlabels: {{A: 8}}\n").warnings == ()


def test_the_inverse_has_an_object_limit_of_its_own() -> None:
    """A label limit is compared within its direction only."""
    problem = the_problem("""
        from: contacts
        to: companies
        max: 5
        inverse:
          max: 100
          labels: {A: 50, B: 101}
    """)
    assert "of companies → contacts" in problem.message
    assert problem.place == Place(PATH, 6, 22)


@pytest.mark.parametrize(
    ("from_", "to"), [("contact", "companies"), ("0-1", "0-2"), ("CONTACTS", "Company")]
)
def test_a_direction_is_declared_once_whatever_it_is_called(from_: str, to: str) -> None:
    """Across files; both places are named."""
    first = source("from: contacts\nto: companies\nmax: 1\n", "a.yaml")
    second = source(f"from: {from_}\nto: {to}\nmax: 1\n", "b.yaml")
    (problem,) = problems(first, second)
    assert problem.code == "direction-duplicate"
    assert problem.message == "contacts → companies is already declared at a.yaml:1:7"
    assert problem.place == Place("b.yaml", 1, 7)
    assert problem.related == Place("a.yaml", 1, 7)


def test_an_inverse_counts_as_a_declaration() -> None:
    """The other direction's own document contradicts it."""
    first = source("from: contacts\nto: companies\nmax: 1\ninverse: {max: 2}\n", "a.yaml")
    second = source("from: companies\nto: contacts\nmax: 1\n", "b.yaml")
    (problem,) = problems(first, second)
    assert (problem.place, problem.related) == (Place("b.yaml", 1, 7), Place("a.yaml", 4, 1))


def test_custom_names_are_compared_to_the_letter() -> None:
    """Only the portal can tell whether two names are one object."""
    assert (
        problems(source("from: car\nto: deals\nmax: 1\n---\nfrom: p_car\nto: deals\nmax: 1\n"))
        == ()
    )
    assert problems(source("from: car\nto: deals\nmax: 1\n---\nfrom: car\nto: deal\nmax: 1\n"))


@pytest.mark.parametrize("name", ["contact", "0-1", "Contacts"])
def test_a_pair_of_one_type_has_no_inverse(name: str) -> None:
    """HubSpot lists both types of an asymmetric label under the one pair (documented)."""
    problem = the_problem(f"from: contacts\nto: {name}\nmax: 3\ninverse: {{max: 3}}\n")
    assert problem.code == "inverse-of-itself"
    assert problem.place == Place(PATH, 4, 1)


def test_a_direction_that_declares_nothing_is_refused() -> None:
    """Taken at its word it would delete every limit of the direction."""
    problem = the_problem("from: contacts\nto: companies\nlabels: {}\n")
    assert problem.code == "direction-declares-nothing"
    assert "max: unlimited" in str(problem.hint)


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("max: 10001", 6),
        ("labels: {A: 10001}", 13),
        ("types: [{category: WORK, type_id: 1, max: 10001}]", 43),
    ],
)
def test_what_the_settings_page_would_not_take_is_a_warning(written: str, column: int) -> None:
    """Above 10,000 HubSpot takes it on some pairs only (documented)."""
    loaded = load_text(f"from: contacts\nto: companies\n{written}\n")
    (warning,) = loaded.warnings
    assert (warning.code, warning.severity) == ("limit-above-ui-maximum", Severity.WARNING)
    assert warning.place == Place(PATH, 3, column)
    assert load_text(f"from: a\nto: b\n{written.replace('10001', '10000')}\n").warnings == ()


def test_warnings_are_told_beside_errors() -> None:
    """One go for everything."""
    diagnostics = problems(source("from: a\nto: b\nmax: 20000\nlabels: {A: 30000}\n"))
    assert where(diagnostics) == [
        ("limit-above-ui-maximum", 3, 6),
        ("label-above-object-limit", 4, 13),
        ("limit-above-ui-maximum", 4, 13),
    ]


def test_all_errors_of_all_files_come_in_one_go_and_in_order() -> None:
    """A syntax error in one file hides nothing in another."""
    diagnostics = problems(
        source("from: a\nto: b\nmax: 0\n---\nmax: [\n", "b.yaml"),
        source("from: a\nto: b\n---\nfrom: a\nto: b\nmax: 1\n", "c.yaml"),
        Source("a.yaml", b"\tx\n"),
    )
    assert [(each.place.path, each.code) for each in diagnostics] == [
        ("a.yaml", "yaml-tab"),
        ("b.yaml", "limit-out-of-range"),
        ("b.yaml", "yaml-syntax"),
        ("c.yaml", "direction-declares-nothing"),
        ("c.yaml", "direction-duplicate"),
    ]


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ("form: a\nto: b\nmax: 1\n", "did you mean `from`?"),
        ("from: a\nto: b\nmaximum: 1\n", "did you mean `max`?"),
        ("from: a\nto: b\nmax: 1\nlabel: {}\n", "did you mean `labels`?"),
        ("from: a\nto: b\nmax: {max: 1, protected: true}\n", "did you mean `protect`?"),
        ("from: a\nto: b\nmax: 1\nINVERSE: {}\n", "did you mean `inverse`?"),
        (
            "from: a\nto: b\nmax: 1\nzzz: {}\n",
            "known keys: from, to, max, labels, types, prune, inverse",
        ),
        ("from: a\nto: b\nmax: {max: 1, category: X}\n", "one of HUBSPOT_DEFINED, "),
        ("from: a\nto: b\nmax: {max: 1, category: USER_DEFINE}\n", "did you mean USER_DEFINED?"),
        ("from: a\nto: b\nmax: {max: 1, category: user_defined}\n", "did you mean USER_DEFINED?"),
    ],
)
def test_the_nearest_known_word_is_offered(document: str, hint: str) -> None:
    """For keys and for categories."""
    assert any(hint in str(each.hint) for each in problems(source(document)))


@pytest.mark.parametrize(
    ("document", "line", "column", "meant"),
    [
        ("from: contacts\nto: contcts\nmax: 5\ninverse: {max: 1}\n", 2, 5, "contacts"),
        ("from: compnies\nto: contacts\nmax: 5\n", 1, 7, "companies"),
        ("from: contacts\nto: 'taks'\nmax: 5\n", 2, 5, "task"),
    ],
)
def test_a_name_near_a_standard_one_is_a_warning(
    document: str, line: int, column: int, meant: str
) -> None:
    """Once, at the word; only a portal knows whether there is a custom object of that name."""
    (problem,) = problems(source(document))
    assert problem.severity is Severity.WARNING
    assert problem.place == Place(PATH, line, column)
    assert problem.hint is not None
    assert f"did you mean {meant}?" in problem.hint


@pytest.mark.parametrize("name", ["car", "vehicle", "p123_contact", "2-123", "Contacts", "0-1"])
def test_other_names_get_no_warning(name: str) -> None:
    """Custom objects are called all sorts of things."""
    assert problems(source(f"from: companies\nto: {name}\nmax: 5\n")) == ()


def test_a_direction_without_limits_that_prunes_nothing_has_no_effect() -> None:
    """It would not remove anything, and the message does not say so."""
    problem = the_problem("from: contacts\nto: companies\nprune: false\n")
    assert problem.code == "direction-declares-nothing"
    assert problem.message == (
        "contacts → companies declares no limit, which has no effect with `prune: false`"
    )


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("Max", "upper and lower case: the file has U+004D (M), the key has U+006D (m)"),
        ('"max "', "white space: the file has U+0020 (space) at the end"),
        ("max\u00a0", "white space: the file has U+00A0 (no-break space) at the end"),
        ("\uff4dax", "characters: the file has U+FF4D (fullwidth latin small letter m)"),
    ],
)
def test_a_key_written_differently_says_how(key: str, words: str) -> None:
    """Not only "did you mean `max`?" beside what looks the same."""
    (problem,) = problems(source(f"from: a\nto: b\nlabels: {{A: 1}}\n{key}: 5\n"))
    assert (problem.code, problem.hint) == ("key-unknown", "did you mean `max`?")
    assert words in problem.message


def test_an_object_type_written_differently_says_how() -> None:
    """Invisible characters and spaces are named."""
    for written, words in (
        ('"contacts "', "U+0020 (space) at the end"),
        ("con\u200btacts", "U+200B (zero width space)"),
    ):
        (problem,) = problems(source(f"from: {written}\nto: deals\nmax: 5\n"))
        assert problem.code == "object-type-invalid"
        assert words in problem.message
        assert problem.hint == "did you mean contacts?"
