"""Seeds: what they can say, what they refuse, and that a portal survives the way there and back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reconciler.sandbox.example import bare_portal, example_portal
from reconciler.sandbox.portal import (
    AccountType,
    AssociationType,
    Category,
    Direction,
    TypeKey,
    Usage,
)
from reconciler.sandbox.seed import (
    SeedError,
    direction_document,
    load_seed,
    portal_document,
    portal_from,
)
from tests.sandbox.talking import everything

FULL = {
    "extends": "nothing",
    "portal": {"id": 77, "account_type": "SANDBOX"},
    "object_types": [
        {"id": "2-5", "singular": "van", "plural": "vans", "fully_qualified_name": "p77_van"}
    ],
    "types": [
        {"from": "contacts", "to": "p77_van", "type_id": 8},
        {
            "from": "contacts",
            "to": "2-5",
            "category": "WORK",
            "type_id": 9,
            "label": "Driver",
            "inverse": 10,
            "name": "driver",
            "max": 3,
        },
    ],
    "limits": [{"from": "0-1", "to": "2-5", "type_id": 8, "max": 6}],
    "usage": [{"from": "contacts", "to": "p77_van", "at_limit": 2, "near_limit": 1}],
}


def test_a_seed_can_say_everything(tmp_path: Path) -> None:
    """Portal, custom object types, types with and without label, limits and usage."""
    path = tmp_path / "seed.json"
    path.write_text(json.dumps(FULL), encoding="utf-8")
    portal = load_seed(path)
    assert (portal.portal_id, portal.account_type) == (77, AccountType.SANDBOX)
    associations = portal.associations(Direction("0-1", "2-5"))
    assert list(associations.types.values()) == [
        AssociationType(Category.USER_DEFINED, 8),
        AssociationType(Category.WORK, 9, "Driver", 10, "driver"),
    ]
    assert associations.limits == {
        TypeKey(Category.WORK, 9): 3,
        TypeKey(Category.USER_DEFINED, 8): 6,
    }
    assert associations.usage == Usage(2, 1)
    assert list(portal.directions) == [Direction("0-1", "2-5")]


@pytest.mark.parametrize(
    ("extends", "directions", "limits"),
    [
        ("nothing", 0, 0),
        ("hubspot", len(bare_portal().directions), 0),
        ("example", len(example_portal().directions), 6),
        ({"directions": 12, "labels": 3, "limit": 2}, 12, 48),
        ({"directions": 12, "labels": 3}, 12, 0),
    ],
)
def test_a_seed_extends_a_portal(extends: object, directions: int, limits: int) -> None:
    """A named one, or one of a chosen size."""
    portal = portal_from({"extends": extends})
    assert len(portal.directions) == directions
    assert sum(len(one.limits) for one in portal.directions.values()) == limits


def test_an_empty_seed_has_hubspots_types() -> None:
    """HubSpot's own types are the default."""
    assert everything(portal_from({})) == everything(portal_from({"extends": "hubspot"}))


def test_a_seed_replaces_what_it_names() -> None:
    """A type given again loses its limit unless one is given; a limit of null is none."""
    here = {"from": "contacts", "to": "companies"}
    document = {
        "extends": "example",
        "types": [{**here, "type_id": 28, "label": "Payer"}],
        "limits": [{**here, "type_id": 279, "max": None}],
    }
    assert portal_from(document).limits("contacts", "companies") == {}


def test_a_portal_survives_the_way_through_documents() -> None:
    """What a state file holds makes the same portal again."""
    portal = example_portal()
    document = portal_document(portal) | {"types": [], "usage": []}
    for direction, associations in portal.directions.items():
        part = direction_document(direction, associations)
        document |= {key: [*document[key], *part[key]] for key in part}  # type: ignore[misc]
    again = portal_from(json.loads(json.dumps(document)))
    assert everything(again) == everything(portal)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "seed must be an object"),
        ({"extends": "all"}, "seed.extends is one of hubspot, example, nothing, not all"),
        ({"extends": {"directions": 3}}, "seed.extends.labels is missing"),
        ({"portals": {}}, "seed has unknown keys: portals"),
        ({"portal": {"id": "1"}}, "seed.portal.id must be a whole number"),
        ({"portal": {"id": True}}, "seed.portal.id must be a whole number"),
        ({"portal": {"account_type": "BIG"}}, "seed.portal.account_type is one of STANDARD"),
        ({"portal": {"name": "x"}}, "seed.portal has unknown keys: name"),
        ({"types": {}}, "seed.types must be a list"),
        ({"types": [1]}, "seed.types[0] must be an object"),
        ({"types": [{"from": "contacts"}]}, "seed.types[0].to is missing"),
        ({"types": [{"from": "x", "to": "deals"}]}, "seed.types[0]: Unable to infer"),
        ({"object_types": [{"id": 1}]}, "seed.object_types[0].id must be a text"),
        (
            {"limits": [{"from": "0-1", "to": "0-2", "type_id": 99, "max": 1}]},
            "seed.limits[0]: This direction has no association type 99",
        ),
    ],
)
def test_a_bad_seed_is_refused_with_its_place(document: object, complaint: str) -> None:
    """The message names the place in the document."""
    with pytest.raises(SeedError, match=re.escape(complaint)):
        portal_from(document)


def test_a_seed_that_is_not_json_is_refused(tmp_path: Path) -> None:
    """With the file's name."""
    path = tmp_path / "seed.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(SeedError, match=re.escape(str(path))):
        load_seed(path)


def test_a_seed_without_end_is_refused() -> None:
    """A device gives bytes for ever; what is read of it is bounded."""
    with pytest.raises(SeedError, match="is larger than 64 MiB"):
        load_seed(Path("/dev/zero"))


@pytest.mark.parametrize("content", [b"\xff", b"[" * 100_000, b"{", b"[]", b'{"types": [{}]}'])
def test_a_seed_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    """With words, whatever the file holds."""
    file = tmp_path / "seed.json"
    file.write_bytes(content)
    with pytest.raises(SeedError):
        load_seed(file)
