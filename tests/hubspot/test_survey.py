"""Every limit of a portal is placed in its direction, or listed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from reconciler.config.object_types import standard_type
from reconciler.http.connection import Connection
from reconciler.hubspot.portal import Portal, connect
from reconciler.hubspot.survey import Survey, defined_types, survey
from reconciler.model.limits import ObservedLimit
from reconciler.outgoing import Secret
from reconciler.sandbox.seed import portal_from
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.hubspot.support import sandboxed
from tests.project.command import ROOT

EXAMPLE = {
    "contacts → companies": {"HUBSPOT_DEFINED/279": 5, "USER_DEFINED/28": 1},
    "companies → contacts": {"USER_DEFINED/29": 2},
    "deals → contacts": {"USER_DEFINED/32": 1},
    "contacts → contacts": {"USER_DEFINED/34": 1},
    "car → contacts": {"USER_DEFINED/40": 4},
}


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a table of HubSpot's."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def placed(found: Survey) -> dict[str, dict[str, int]]:
    """The limits by direction and type."""
    return {
        str(each.direction): {str(key): value for key, value in each.values().items()}
        for each in found.observed.directions
    }


def test_every_limit_of_the_example_portal_is_placed() -> None:
    """Object limits by HubSpot's table, custom objects by their schemas, labels by the pairs."""
    with sandboxed() as (portal, _):
        found = survey(portal, standard_type)
    assert placed(found) == EXAMPLE
    assert (found.unplaced, found.notes) == ((), ())


def test_without_the_scope_for_schemas_custom_objects_are_listed() -> None:
    """A limit whose direction cannot be found is listed with its category and ID."""
    with sandboxed("schemas:403") as (portal, _):
        found = survey(portal, standard_type)
    assert placed(found) == {name: EXAMPLE[name] for name in EXAMPLE if name != "car → contacts"}
    assert [
        (str(row.type.key), row.max) for row in found.unplaced if isinstance(row, ObservedLimit)
    ] == [("USER_DEFINED/40", 4)]
    assert "crm.schemas.custom.read" in found.notes[0]


def test_a_row_of_an_unknown_category_is_listed_without_a_search() -> None:
    """No label of any direction could name it, so none is read for it."""
    with sandboxed() as (portal, server):
        survey(portal, standard_type)
        usual = len(server.requests)
    with sandboxed("all:row,type=77,category=NEW,max=3") as (portal, server):
        found = survey(portal, standard_type)
        assert len(server.requests) == usual
    assert placed(found) == EXAMPLE
    assert "NEW/77" in found.unplaced_in_words[0]


def test_custom_objects_are_found_without_their_schemas_associations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Schemas may leave them out (optional in the documents): the labels of their pairs say it."""
    monkeypatch.setattr(Portal, "custom_associations", Portal.custom_objects)
    own = [
        {
            "id": f"2-{number}",
            "singular": name,
            "plural": name,
            "fully_qualified_name": f"p1_{name}",
        }
        for number, name in ((10, "car"), (11, "garage"))
    ]
    pairs = [("2-10", "2-11", 90), ("2-11", "2-11", 92), ("quotes", "2-10", 94)]
    types = [
        each
        for from_, to, type_id in pairs
        for each in (
            {"from": from_, "to": to, "type_id": type_id, "inverse": type_id + 1, "max": 3},
            {"from": to, "to": from_, "type_id": type_id + 1, "inverse": type_id},
        )
    ]
    types[3] = {**types[3], "label": "Branch"}
    portal = portal_from({"object_types": own, "types": types})
    with serve(portal) as server:
        connection = Connection(Secret(DEFAULT_TOKEN), base_url=server.url)
        with connect(connection) as connected:
            found = survey(connected, standard_type)
    assert found.unplaced == ()
    assert placed(found) == {
        "car → garage": {"USER_DEFINED/90": 3},
        "garage → garage": {"USER_DEFINED/92": 3},
        "quotes → car": {"USER_DEFINED/94": 3},
    }


def test_the_table_is_that_of_the_documents() -> None:
    """Type ID, from and to of every type whose object types have an ID."""
    folder = ROOT.parent / "shared" / "hubspot"
    if not folder.is_dir():
        pytest.skip("HubSpot's tables are not beside this checkout")
    ids = {
        row["name_singular"]: row["object_type_id"]
        for row in table(folder / "object_types.csv")
        if row["object_type_id"].startswith("0-")
    }
    documented = {
        (int(row["type_id"]), ids[row["from_object"]], ids[row["to_object"]])
        for row in table(folder / "hubspot_defined_types.csv")
        if {row["from_object"], row["to_object"]} <= ids.keys()
    }
    assert documented == {
        (key.type_id, *pair) for key, pairs in defined_types().items() for pair in pairs
    }
