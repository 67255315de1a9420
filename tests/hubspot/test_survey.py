"""Every limit of a portal is placed in its direction, or listed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from reconciler.config.object_types import standard_type
from reconciler.hubspot.survey import Survey, defined_types, survey
from reconciler.model.limits import ObservedLimit
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
