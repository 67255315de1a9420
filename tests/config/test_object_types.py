"""What an object type may be called, and what it is then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.object_types import (
    ID_PATTERN,
    NAME_PATTERN,
    OFTEN_CUSTOM,
    STANDARD,
    InvalidName,
    canonical,
    standard_name,
)
from reconciler.model.limits import CustomName, ObjectType
from tests.config.support import PATIENT


@pytest.mark.parametrize("text", ["contact", "contacts", "Contacts", "CONTACT", "0-1"])
def test_every_name_of_a_standard_type_is_that_type(text: str) -> None:
    """HubSpot takes singular, plural and ID, whatever the case; all are shown by one name."""
    named = canonical(text)
    assert named == ObjectType("0-1", "contacts")
    assert str(named) == "contacts"


@pytest.mark.parametrize(("id_", "singular", "plural"), STANDARD)
def test_the_table_is_consistent(id_: str, singular: str, plural: str) -> None:
    """No name stands for two types, and every ID leads back to its name."""
    assert canonical(singular) == canonical(plural) == canonical(id_)
    assert standard_name(id_) == plural


@pytest.mark.parametrize("text", ["2-123", "2-1", "0-999"])
def test_an_id_without_a_known_name_is_shown_as_itself(text: str) -> None:
    """Types that came after this version can be named by ID."""
    named = canonical(text)
    assert named == ObjectType(text, text)
    assert str(named) == text
    assert standard_name(text) is None


@pytest.mark.parametrize("text", ["car", "p_car", "p123_car", "Car-2", "contact_s", "x"])
def test_other_names_are_left_to_the_portal(text: str) -> None:
    """Only the portal knows its custom objects; names keep their case."""
    assert canonical(text) == CustomName(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "write an object type"),
        ("  ", "write an object type"),
        ("1-1", "0-1 or 2-123"),
        ("2-0", "0-1 or 2-123"),
        ("0-01", "0-1 or 2-123"),
        ("5", "0-1 or 2-123"),
        ("2-", "0-1 or 2-123"),
        ("line items", "did you mean line_items?"),
        ("contacts/", "did you mean contacts?"),
        (" contacts", "did you mean contacts?"),
        ("contacts\n", "did you mean contacts?"),
        ("../secrets", "letters, digits and underscores"),
        ("a?b", "letters, digits and underscores"),
        ("vehi\u202ecle", "letters, digits and underscores"),
        ("x" * 300, "letters, digits and underscores"),
        ("_vehicle", "letters, digits and underscores"),
    ],
)
def test_what_can_name_nothing_is_refused_with_a_hint(text: str, hint: str) -> None:
    """Names end up in the path of a request: only harmless characters get there."""
    named = canonical(text)
    assert isinstance(named, InvalidName)
    assert hint in named.hint


@PATIENT
@given(st.text(max_size=20) | st.from_regex(rf"(?:{NAME_PATTERN}|{ID_PATTERN}).?", fullmatch=True))
def test_a_name_never_leaves_its_path_segment(text: str) -> None:
    """Whatever is accepted is made of letters, digits, dashes and underscores."""
    named = canonical(text)
    if not isinstance(named, InvalidName):
        part = named.name if isinstance(named, CustomName) else named.id
        assert part.replace("-", "").replace("_", "").isalnum()
        assert part.isascii()


@pytest.mark.parametrize(
    "text", ["project", "Services", "order", "course", "LISTING", "cart", "lead", "appointments"]
)
def test_a_name_that_portals_had_given_to_their_own_objects_is_marked(text: str) -> None:
    """Only the portal knows which is meant; an ID says it."""
    named = canonical(text)
    assert isinstance(named, ObjectType)
    assert named.often_custom
    assert text.lower() in named.names
    by_id = canonical(named.id)
    assert isinstance(by_id, ObjectType)
    assert (by_id.names, by_id.often_custom) == ((), False)


@pytest.mark.parametrize("text", ["contact", "companies", "deals", "tickets"])
def test_the_oldest_names_cost_no_request(text: str) -> None:
    """They were HubSpot's before there were custom objects."""
    named = canonical(text)
    assert isinstance(named, ObjectType)
    assert not named.often_custom


def test_the_marked_names_are_standard_ones() -> None:
    """The table names plurals that exist."""
    assert {plural for _, _, plural in STANDARD} >= OFTEN_CUSTOM
