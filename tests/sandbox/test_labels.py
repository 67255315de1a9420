"""Labels can be listed, made, renamed and removed, single and paired."""

from __future__ import annotations

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.seed import portal_from
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Request
from tests.sandbox.talking import AUTHORIZED, VERSIONS, decoded, get, one, send, write

TWO_CUSTOM = {
    "object_types": [
        {"id": "2-1", "singular": "car", "plural": "cars", "fully_qualified_name": "p1_car"},
        {
            "id": "2-2",
            "singular": "garage",
            "plural": "garages",
            "fully_qualified_name": "p1_garage",
        },
    ]
}


def labels_path(version: str, start: str, end: str) -> str:
    """The path of a direction's labels."""
    return f"/crm/associations/{version}/{start}/{end}/labels"


def labels(sandbox: Sandbox, start: str, end: str) -> dict[int, str | None]:
    """The user's types of a direction: label by type ID."""
    rows = decoded(get(sandbox, labels_path("2026-03", start, end)))["results"]
    return {row["typeId"]: row["label"] for row in rows if row["category"] == "USER_DEFINED"}


@pytest.mark.parametrize("version", VERSIONS)
def test_labels_list_every_type_of_the_direction(version: str) -> None:
    """With and without label or limit; two versions also name the object types."""
    rows = decoded(get(Sandbox(example_portal()), labels_path(version, "contacts", "companies")))
    keys = [(row["category"], row["typeId"], row["label"]) for row in rows["results"]]
    assert keys == [
        ("HUBSPOT_DEFINED", 1, "Primary"),
        ("HUBSPOT_DEFINED", 279, None),
        ("HUBSPOT_DEFINED", 931, "Billing contact to company"),
        ("USER_DEFINED", 28, "Billing contact"),
        ("USER_DEFINED", 30, "Decision maker"),
    ]
    names_types = version in ("v4", "2026-03")
    assert all(("fromObjectTypeId" in row) is names_types for row in rows["results"])


def test_a_label_between_two_object_types_is_a_type_each_way() -> None:
    """Made once, it has its own type ID in each direction."""
    sandbox = Sandbox(example_portal())
    body = {"name": "mentor", "label": "Mentor"}
    made = decoded(send(sandbox, "POST", labels_path("v4", "contacts", "deals"), body))["results"]
    there, back = (row["typeId"] for row in made)
    assert labels(sandbox, "contacts", "deals")[there] == "Mentor"
    assert labels(sandbox, "deals", "contacts")[back] == "Mentor"
    assert there != back


def test_a_paired_label_reads_differently_each_way() -> None:
    """`inverseLabel` names the way back."""
    sandbox = Sandbox(example_portal())
    body = {"name": "mentor", "label": "Mentor", "inverseLabel": "Mentee"}
    send(sandbox, "POST", labels_path("v4", "contacts", "deals"), body)
    assert "Mentor" in labels(sandbox, "contacts", "deals").values()
    assert "Mentee" in labels(sandbox, "deals", "contacts").values()


def test_within_one_object_type_a_pair_is_two_types_and_a_single_is_one() -> None:
    """Contacts → contacts lists both labels of a pair."""
    sandbox = Sandbox(example_portal())
    path = labels_path("v4", "contacts", "contacts")
    pair = {"name": "mentor", "label": "Mentor", "inverseLabel": "Mentee"}
    assert len(decoded(send(sandbox, "POST", path, pair))["results"]) == 2
    single = {"name": "friend", "label": "Friend"}
    assert len(decoded(send(sandbox, "POST", path, single))["results"]) == 1
    assert list(labels(sandbox, "contacts", "contacts").values())[-3:] == [
        "Mentor",
        "Mentee",
        "Friend",
    ]


def test_a_new_label_takes_a_limit_at_once() -> None:
    """A label made a moment ago can be limited like any other."""
    sandbox = Sandbox(example_portal())
    body = {"name": "mentor", "label": "Mentor"}
    path = labels_path("2026-03", "contacts", "companies")
    type_id = decoded(send(sandbox, "POST", path, body))["results"][0]["typeId"]
    assert write(sandbox, "update", one(type_id, 3)).status == 200


def test_a_name_can_be_used_once() -> None:
    """Names are unique within the portal."""
    sandbox = Sandbox(example_portal())
    path = labels_path("v4", "contacts", "deals")
    assert send(sandbox, "POST", path, {"name": "mentor", "label": "Mentor"}).status == 200
    assert send(sandbox, "POST", path, {"name": "mentor", "label": "Other"}).status == 400


def test_a_label_can_be_renamed_with_its_inverse() -> None:
    """The type IDs and the limits stay."""
    sandbox = Sandbox(example_portal())
    body = {"associationTypeId": 43, "label": "Partner", "inverseLabel": "Partner deal"}
    assert send(sandbox, "PUT", labels_path("v4", "deals", "companies"), body).status == 204
    assert labels(sandbox, "deals", "companies") == {43: "Partner"}
    assert labels(sandbox, "companies", "deals") == {44: "Partner deal"}


def test_a_removed_label_takes_its_inverse_and_their_limits_along() -> None:
    """Afterwards nothing of it is left in either direction, and the history shows why."""
    sandbox = Sandbox(example_portal())
    path = f"{labels_path('v4', 'contacts', 'companies')}/28"
    assert sandbox.handle(Request("DELETE", path, AUTHORIZED)).status == 204
    assert 28 not in labels(sandbox, "contacts", "companies")
    assert 29 not in labels(sandbox, "companies", "contacts")
    assert sandbox.limits("companies", "contacts") == {}
    assert [(step.before, step.after) for step in sandbox.history] == [(1, None), (2, None)]


def test_a_label_renamed_without_its_inverse_reads_the_same_both_ways() -> None:
    """HubSpot gives both sides the text, whatever the inverse was called before."""
    sandbox = Sandbox(example_portal())
    body = {"associationTypeId": 43, "label": "Partner"}
    assert send(sandbox, "PUT", labels_path("v4", "deals", "companies"), body).status == 204
    assert labels(sandbox, "deals", "companies") == {43: "Partner"}
    assert labels(sandbox, "companies", "deals") == {44: "Partner"}
    body = {"associationTypeId": 34, "label": "Boss"}
    send(sandbox, "PUT", labels_path("v4", "contacts", "contacts"), body)
    assert labels(sandbox, "contacts", "contacts") == {34: "Boss", 35: "Boss", 36: "Sibling"}


@pytest.mark.parametrize("type_id", [28, 29])
@pytest.mark.parametrize("ends", [("contacts", "companies"), ("companies", "contacts")])
def test_either_type_id_removes_both_ways(type_id: int, ends: tuple[str, str]) -> None:
    """A label has two type IDs, and any of them on any of the two paths removes it."""
    sandbox = Sandbox(example_portal())
    path = f"{labels_path('v4', *ends)}/{type_id}"
    assert sandbox.handle(Request("DELETE", path, AUTHORIZED)).status == 204
    assert 28 not in labels(sandbox, "contacts", "companies")
    assert 29 not in labels(sandbox, "companies", "contacts")
    assert sandbox.limits("companies", "contacts") == {}


@pytest.mark.parametrize("end", ["companies", "contacts"])
def test_the_fifty_first_label_of_a_pair_is_refused(end: str) -> None:
    """437 counts the user's labels of the pair, once for both ways, and none of HubSpot's."""
    sandbox = Sandbox(example_portal())
    path = labels_path("2026-09", "contacts", end)
    there = 2  # labels that the example has on either pair
    statuses = []
    for number in range(there, 51):
        body = {"name": f"n{number}", "label": f"L{number}", "inverseLabel": f"I{number}"}
        statuses.append(send(sandbox, "POST", path, body).status)
    assert statuses == [200] * (50 - there) + [437]
    assert "L49" in labels(sandbox, "contacts", end).values()
    assert "L50" not in labels(sandbox, "contacts", end).values()


def test_the_first_label_of_a_pair_makes_its_plain_type_as_well() -> None:
    """Two custom object types have no association until somebody makes one."""
    sandbox = Sandbox(portal_from(TWO_CUSTOM))
    path = labels_path("v4", "2-1", "2-2")
    assert decoded(get(sandbox, path))["results"] == []
    made = send(sandbox, "POST", path, {"name": "driver", "label": "Driver"})
    assert [row["label"] for row in decoded(made)["results"]] == ["Driver", "Driver"]
    assert sorted(labels(sandbox, "2-1", "2-2").values(), key=str) == ["Driver", None]
    assert sorted(labels(sandbox, "2-2", "2-1").values(), key=str) == ["Driver", None]
    send(sandbox, "POST", path, {"name": "owner", "label": "Owner"})
    assert len(labels(sandbox, "2-1", "2-2")) == 3


def test_an_empty_label_makes_the_plain_type_alone() -> None:
    """Once, and only where a custom object is an end; standard ones have HubSpot's."""
    sandbox = Sandbox(portal_from(TWO_CUSTOM))
    path = labels_path("v4", "2-1", "2-2")
    assert send(sandbox, "POST", path, {"name": "plain", "label": ""}).status == 200
    assert list(labels(sandbox, "2-1", "2-2").values()) == [None]
    assert send(sandbox, "POST", path, {"name": "again", "label": ""}).status == 400
    standard = labels_path("v4", "contacts", "companies")
    assert send(sandbox, "POST", standard, {"name": "third", "label": ""}).status == 400
    within = labels_path("v4", "2-1", "2-1")
    assert (
        len(decoded(send(sandbox, "POST", within, {"name": "self", "label": ""}))["results"]) == 1
    )


def test_the_plain_type_stays_as_long_as_there_are_labels() -> None:
    """400 with labels; without them it goes, both ways, with its limit."""
    sandbox = Sandbox(example_portal())
    path = labels_path("v4", "2-4021", "contacts")

    def delete(type_id: int) -> int:
        return sandbox.handle(Request("DELETE", f"{path}/{type_id}", AUTHORIZED)).status

    assert delete(40) == 400
    assert sandbox.limits("2-4021", "contacts") == {("USER_DEFINED", 40): 4}
    assert [delete(45), delete(40)] == [204, 204]
    assert labels(sandbox, "2-4021", "contacts") == labels(sandbox, "contacts", "2-4021") == {}
    assert sandbox.limits("2-4021", "contacts") == {}


@pytest.mark.parametrize("type_id", ["9999", "279", "x", "²", "9" * 5_000])
def test_only_a_label_of_the_user_can_be_removed(type_id: str) -> None:
    """Unknown, HubSpot-defined and nonsensical type IDs are 404."""
    path = f"{labels_path('v4', 'contacts', 'companies')}/{type_id}"
    response = Sandbox(example_portal()).handle(Request("DELETE", path, AUTHORIZED))
    assert (response.status, decoded(response)["category"]) == (404, "OBJECT_NOT_FOUND")


def test_the_example_has_a_label_that_two_categories_share() -> None:
    """`Quote to billing contact` is HubSpot's 1226 and the user's 37."""
    rows = decoded(get(Sandbox(example_portal()), labels_path("v4", "quotes", "contacts")))[
        "results"
    ]
    same = [row["typeId"] for row in rows if row["label"] == "Quote to billing contact"]
    assert same == [1226, 37]
