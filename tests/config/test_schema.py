"""The JSON Schemas accept what the parser accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from reconciler.config.loading import parse
from reconciler.config.schema import pair_schema, workspace_schema
from reconciler.config.sources import Source
from reconciler.config.workspace_file import parse_workspace
from reconciler.errors import ConfigurationInvalid
from tests.config.support import PATIENT

PAIR = Draft7Validator(pair_schema())
WORKSPACE = Draft7Validator(workspace_schema())

# What the schema cannot say, because it concerns several values.
RULES = {"label-above-object-limit", "inverse-of-itself", "type-duplicate", "portal-duplicate"}


def written(document: object) -> bytes:
    """The document as JSON, which is YAML."""
    return json.dumps(document).encode()


def parser_takes_pair(document: object) -> bool:
    """What the parser says, rules over several values left aside."""
    try:
        parse([Source("a.yaml", written(document))], prune=True)
    except ConfigurationInvalid as error:
        return {each.code for each in error.diagnostics if each.severity == "error"} <= RULES
    return True


def parser_takes_workspace(document: object) -> bool:
    """What the parser says, rules over several values left aside."""
    try:
        parse_workspace(Source("reconciler.yaml", written(document)))
    except ConfigurationInvalid as error:
        return {each.code for each in error.diagnostics} <= RULES
    return True


def test_the_schemas_are_schemas() -> None:
    """Of draft 2020-12, with words for editors."""
    for schema in (pair_schema(), workspace_schema()):
        Draft7Validator.check_schema(schema)
        assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
        assert schema["title"]
        assert schema["description"]
        for shape in (schema, *schema["definitions"].values()):
            for name, part in shape.get("properties", {}).items():
                assert part.get("description"), name


def test_object_types_are_offered_for_completion() -> None:
    """Editors list the standard names; any other name is accepted."""
    names = pair_schema()["properties"]["from"]["anyOf"][0]["enum"]
    assert "contacts" in names
    assert "companies" in names


@pytest.mark.parametrize(
    "limit",
    [
        1,
        5,
        50000,
        "unlimited",
        {"max": 5},
        {"max": "unlimited", "protect": True},
        {"max": 1, "category": "WORK", "reason": "x"},
        0,
        -1,
        50001,
        "5",
        "no",
        "Unlimited",
        1.5,
        True,
        None,
        [],
        {},
        {"max": None},
        {"max": {"max": 5}},
        {"max": 5, "x": 1},
        {"max": 5, "protect": "yes"},
        {"max": 5, "reason": None},
        {"max": 5, "reason": 5},
        {"max": 5, "category": "x"},
        {"max": 5, "category": None},
        {"protect": True},
    ],
)
@pytest.mark.parametrize("place", ["max", "label", "inverse"])
def test_a_limit_is_judged_alike(limit: object, place: str) -> None:
    """As the object limit, of a label, and in the inverse."""
    head: dict[str, Any] = {"from": "contacts", "to": "companies"}
    document = {
        "max": head | {"max": limit},
        "label": head | {"labels": {"A": limit}},
        "inverse": head | {"max": 1, "inverse": {"max": limit}},
    }[place]
    assert PAIR.is_valid(document) == parser_takes_pair(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "x",
        {"from": "contacts", "to": "companies"},
        {"from": "contacts", "to": "companies", "labels": {}},
        {"from": "contacts", "to": "companies", "labels": {}, "types": []},
        {"from": "contacts", "to": "companies", "labels": {}, "max": 5},
        {"from": "contacts", "to": "companies", "labels": {"": 5}},
        {"from": "contacts", "to": "companies", "labels": None, "max": 5},
        {"from": "contacts", "to": "companies", "max": 5, "inverse": {}},
        {"from": "contacts", "to": "companies", "max": 5, "inverse": None},
        {"from": "contacts", "to": "companies", "max": 5, "inverse": {"max": 5, "inverse": {}}},
        {"from": "contacts", "to": "companies", "max": 5, "prune": False},
        {"from": "contacts", "to": "companies", "max": 5, "prune": None},
        {"from": "contacts", "to": "companies", "max": 5, "prune": 1},
        {"from": "contacts", "max": 5},
        {"from": "contacts", "to": "companies", "max": 5, "version": 1},
        {"from": "contacts", "to": "companies", "types": [{"category": "WORK", "type_id": 1}]},
        {
            "from": "contacts",
            "to": "companies",
            "types": [{"category": "WORK", "type_id": 1, "max": 1, "protect": True}],
        },
        {
            "from": "contacts",
            "to": "companies",
            "types": [{"category": "WORK", "type_id": 0, "max": 1}],
        },
        {
            "from": "contacts",
            "to": "companies",
            "types": [{"category": "WORK", "type_id": 1, "max": {"max": 1}}],
        },
    ],
)
def test_a_document_is_judged_alike(document: object) -> None:
    """Its shape and what must be there."""
    assert PAIR.is_valid(document) == parser_takes_pair(document)


@pytest.mark.parametrize(
    "name",
    [
        "contacts",
        "CONTACT",
        "0-1",
        "2-7",
        "p_car",
        "Car-2",
        "",
        " ",
        "1-1",
        "2-0",
        "a b",
        "a/b",
        "5",
        "_x",
        "é",
        5,
        None,
        True,
        ["contacts"],
    ],
)
def test_an_object_type_is_judged_alike(name: object) -> None:
    """By its form; whether a custom object exists, only the portal knows."""
    document = {"from": name, "to": "deals", "max": 5}
    assert PAIR.is_valid(document) == parser_takes_pair(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"version": 1},
        {"version": 2},
        {"version": "1"},
        {"version": True},
        {"version": None},
        {"version": 1, "configs": "x"},
        {"version": 1, "configs": ""},
        {"version": 1, "configs": 5},
        {"version": 1, "configs": None},
        {"version": 1, "api_version": "v4"},
        {"version": 1, "api_version": "v3"},
        {"version": 1, "prune": False},
        {"version": 1, "prune": "no"},
        {"version": 1, "safety": {}},
        {"version": 1, "safety": None},
        {"version": 1, "safety": {"max_deletes": 0, "max_delete_percent": 100, "max_changes": 1}},
        {"version": 1, "safety": {"max_deletes": -1}},
        {"version": 1, "safety": {"max_delete_percent": 101}},
        {"version": 1, "safety": {"max_changes": "1"}},
        {"version": 1, "safety": {"x": 1}},
        {"version": 1, "portals": {}},
        {"version": 1, "portals": None},
        {"version": 1, "portals": {"a": {}}},
        {"version": 1, "portals": {"a": None}},
        {"version": 1, "portals": {"-a": {}}},
        {"version": 1, "portals": {"a b": {}}},
        {"version": 1, "portals": {"a": {"portal_id": 1}}},
        {"version": 1, "portals": {"a": {"portal_id": 0}}},
        {"version": 1, "portals": {"a": {"portal_id": None}}},
        {"version": 1, "portals": {"a": {"overlays": ["x"]}}},
        {"version": 1, "portals": {"a": {"token": "x"}}},
        {"version": 1, "portals": {"a": {"token": {}}}},
        {"version": 1, "portals": {"a": {"token": {"env": "A"}}}},
        {"version": 1, "portals": {"a": {"token": {"env": "a b"}}}},
        {"version": 1, "portals": {"a": {"token": {"env": None}}}},
        {"version": 1, "portals": {"a": {"token": {"file": "x"}}}},
        {"version": 1, "portals": {"a": {"token": {"file": " "}}}},
        {"version": 1, "portals": {"a": {"token": {"env": "A", "file": "x"}}}},
        {"version": 1, "portals": {"a": {"token": {"env": "A"}}, "b": {}}},
        {"version": 1, "portals": {"a": {"token": {"env": "A"}}, "b": {"token": {"env": "B"}}}},
    ],
)
def test_a_workspace_is_judged_alike(document: object) -> None:
    """Every key, right and wrong."""
    assert WORKSPACE.is_valid(document) == parser_takes_workspace(document)


LIMITS = st.one_of(
    st.integers(-1, 50_002),
    st.sampled_from(["unlimited", "5", "no", None, True, 1.5]),
    st.fixed_dictionaries(
        {},
        optional={
            "max": st.sampled_from([1, 0, "unlimited", "x", None]),
            "protect": st.sampled_from([True, None, 1]),
            "category": st.sampled_from(["WORK", "USER_DEFINED", "work"]),
            "reason": st.sampled_from(["x", 5, None]),
            "other": st.just(1),
        },
    ),
)
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "max": LIMITS,
    "labels": st.dictionaries(st.sampled_from(["A", "1", "null", "", "é"]), LIMITS, max_size=2),
    "types": st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "category": st.sampled_from(["WORK", "x"]),
                "type_id": st.integers(0, 3),
                "max": st.sampled_from([1, "unlimited", {}]),
            },
        ),
        max_size=1,
    ),
    "prune": st.sampled_from([True, False, None, "no"]),
}
PAIRS = st.fixed_dictionaries(
    {"from": st.sampled_from(["contacts", "2-7", "p_car", ""]), "to": st.just("deals")},
    optional=PARTS | {"inverse": st.fixed_dictionaries({}, optional=PARTS), "x": st.just(1)},
)


@PATIENT
@given(PAIRS)
def test_generated_documents_are_judged_alike(document: dict[str, Any]) -> None:
    """Any combination of right and wrong parts."""
    assert PAIR.is_valid(document) == parser_takes_pair(document)
