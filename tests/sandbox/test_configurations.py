"""The limit endpoints answer as HubSpot documents them, version by version."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.rules import LabelKey, Mixed, Rules, UnknownPurge
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Response
from tests.sandbox.talking import (
    VERSIONS,
    decoded,
    get,
    limits_path,
    object_limit,
    one,
    options,
    send,
    write,
)


@pytest.fixture
def sandbox() -> Sandbox:
    """The example portal behind the default rules."""
    return Sandbox(example_portal())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_read_shows_only_types_with_a_limit(sandbox: Sandbox, version: str) -> None:
    """Contacts → companies has five types and two limits; two rows come, one without a label."""
    response = get(sandbox, limits_path(version))
    assert response.status == 200
    assert decoded(response) == {
        "results": [
            {
                "category": "HUBSPOT_DEFINED",
                "typeId": 279,
                "label": None,
                "userEnforcedMaxToObjectIds": 5,
            },
            {
                "category": "USER_DEFINED",
                "typeId": 28,
                "label": "Billing contact",
                "userEnforcedMaxToObjectIds": 1,
            },
        ]
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_direction_without_limits_is_an_empty_list(sandbox: Sandbox, version: str) -> None:
    """No limits is 200 with no rows, and neither 204 nor 404."""
    response = get(sandbox, limits_path(version, "deals", "tickets"))
    assert (response.status, decoded(response)) == (200, {"results": []})


@pytest.mark.parametrize("version", VERSIONS)
def test_reading_all_brings_inverse_types_without_a_limit(sandbox: Sandbox, version: str) -> None:
    """The inverse 280 of 279 has no limit and comes with a null, as was observed."""
    rows = decoded(get(sandbox, f"/crm/associations/{version}/definitions/configurations/all"))
    limits = {
        (row["category"], row["typeId"]): row["userEnforcedMaxToObjectIds"]
        for row in rows["results"]
    }
    assert limits["HUBSPOT_DEFINED", 279] == 5
    assert limits["HUBSPOT_DEFINED", 280] is None
    assert ("USER_DEFINED", 30) not in limits


@pytest.mark.parametrize(
    ("version", "verb", "status"),
    [
        ("v4", "update", 200),
        ("v4", "create", 201),
        ("v4", "purge", 204),
        ("2025-09", "update", 200),
        ("2025-09", "create", 200),
        ("2025-09", "purge", 200),
        ("2026-03", "update", 200),
        ("2026-03", "create", 201),
        ("2026-03", "purge", 200),
        ("2026-09", "update", 200),
        ("2026-09", "create", 200),
        ("2026-09", "purge", 204),
    ],
)
def test_success_has_the_status_of_the_version(
    sandbox: Sandbox, version: str, verb: str, status: int
) -> None:
    """Each version and operation answers with its own status, 204 without a body."""
    one_input = one(30) if verb == "purge" else one(30, 2)
    response = write(sandbox, verb, one_input, version=version)
    assert response.status == status
    assert bool(response.body) == (status != 204)


def test_update_rows_have_no_label_and_create_rows_have_one(sandbox: Sandbox) -> None:
    """The one difference between the rows of the two operations."""
    updated = decoded(write(sandbox, "update", one(28, 2)))["results"]
    created = decoded(write(sandbox, "create", one(30, 3)))["results"]
    assert updated == [{"category": "USER_DEFINED", "typeId": 28, "userEnforcedMaxToObjectIds": 2}]
    assert created == [
        {
            "category": "USER_DEFINED",
            "typeId": 30,
            "userEnforcedMaxToObjectIds": 3,
            "label": "Decision maker",
        }
    ]


def test_update_also_creates(sandbox: Sandbox) -> None:
    """`batch/update` sets a limit that did not exist, as was observed."""
    write(sandbox, "update", one(30, 4))
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 30] == 4


def test_purge_succeeds_without_a_limit(sandbox: Sandbox) -> None:
    """`batch/purge` is idempotent, as was observed."""
    for _ in range(2):
        assert write(sandbox, "purge", one(28)).status == 200
    assert ("USER_DEFINED", 28) not in sandbox.limits("contacts", "companies")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("verb", ["update", "create", "purge"])
def test_an_unknown_type_is_a_success_that_wrote_nothing(
    sandbox: Sandbox, version: str, verb: str
) -> None:
    """A 2xx with CANCELED and the observed error, in every version and operation."""
    unknown = one(5, None if verb == "purge" else 1, "HUBSPOT_DEFINED")
    path = f"{limits_path(version, 'contacts', 'deals')}/batch/{verb}"
    response = send(sandbox, "POST", path, {"inputs": [unknown]})
    document = decoded(response)
    assert response.status == (207 if verb == "purge" else 201 if made(version, verb) else 200)
    assert (document["status"], document["results"], document["numErrors"]) == ("CANCELED", [], 1)
    assert document["errors"] == [
        {
            "status": "error",
            "category": "VALIDATION_ERROR",
            "subCategory": "crm.associations.INVALID_ASSOCIATION_TYPE",
            "message": "0-5 is not a valid association type between CONTACT and DEAL",
            "context": {"type": ["0-5"], "fromObjectType": ["CONTACT"], "toObjectType": ["DEAL"]},
        }
    ]


def made(version: str, verb: str) -> bool:
    """Whether the version documents 201 for the verb."""
    return verb == "create" and version in ("v4", "2026-03")


def test_the_prefix_of_an_unknown_type_is_not_its_category(sandbox: Sandbox) -> None:
    """A user's type and HubSpot's are both called 0-931, as was observed."""
    both = (one(931, 1), one(932, 1, "HUBSPOT_DEFINED"), one(931, 1, "WORK"))
    errors = decoded(write(sandbox, "update", *both))["errors"]
    assert [error["context"]["type"] for error in errors] == [["0-931"], ["0-932"], ["0-931"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_purge_of_an_unknown_type_is_refused_as_chosen(version: str) -> None:
    """207 and 400 were both observed; the same body as for an update can be chosen, too."""

    def purge(rules: Rules, *inputs: dict[str, Any]) -> Response:
        sandbox = Sandbox(example_portal(), options(rules=rules))
        response = write(sandbox, "purge", *inputs, version=version)
        assert rules.mixed is Mixed.PARTIAL or sandbox.history == ()
        return response

    refused = purge(Rules(unknown_purge=UnknownPurge.REFUSED), one(28), one(999))
    assert (refused.status, decoded(refused)["category"]) == (400, "VALIDATION_ERROR")
    assert "0-999 is not a valid association type" in decoded(refused)["message"]
    canceled = purge(Rules(unknown_purge=UnknownPurge.CANCELED), one(999))
    assert (canceled.status, decoded(canceled)["status"]) == (200, "CANCELED")
    many = purge(Rules(), one(999), one(998))
    assert (many.status, decoded(many)["numErrors"]) == (207, 2)
    partial = Rules(mixed=Mixed.PARTIAL, unknown_purge=UnknownPurge.REFUSED)
    assert decoded(purge(partial, one(28), one(999)))["numErrors"] == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_have_the_key_label_as_chosen(version: str) -> None:
    """Always, for labelled types only, or never: it is documented as optional."""

    def labels(key: LabelKey, path: str) -> list[object]:
        sandbox = Sandbox(example_portal(), options(rules=Rules(label_key=key)))
        return [row.get("label", "absent") for row in decoded(get(sandbox, path))["results"]]

    path = limits_path(version)
    assert labels(LabelKey.ALWAYS, path) == [None, "Billing contact"]
    assert labels(LabelKey.LABELLED, path) == ["absent", "Billing contact"]
    assert labels(LabelKey.NEVER, path) == ["absent", "absent"]
    everywhere = f"/crm/associations/{version}/definitions/configurations/all"
    assert set(labels(LabelKey.NEVER, everywhere)) == {"absent"}
    assert {None, "absent"} & {*labels(LabelKey.LABELLED, everywhere)} == {"absent"}


def test_a_broken_rule_refuses_the_batch(sandbox: Sandbox) -> None:
    """A violation is 400 VALIDATION_ERROR, and the good input is not written either."""
    before = sandbox.limits("contacts", "companies")
    response = write(sandbox, "update", one(30, 2), one(28, 6))
    document = decoded(response)
    assert response.status == 400
    assert document["category"] == "VALIDATION_ERROR"
    assert document["errors"][0]["context"] == {"category": ["USER_DEFINED"], "typeId": ["28"]}
    assert sandbox.limits("contacts", "companies") == before


def test_two_categories_may_share_a_type_id() -> None:
    """A user-defined 279 is another type than HubSpot's 279, and has its own limit."""
    sandbox = Sandbox(example_portal())
    path = f"{limits_path('2026-03', 'companies', '2-4021')}/batch/update"
    send(sandbox, "POST", path, {"inputs": [one(279, 8)]})
    assert sandbox.limits("companies", "2-4021") == {("USER_DEFINED", 279): 8}
    assert sandbox.limits("contacts", "companies")["HUBSPOT_DEFINED", 279] == 5


def test_rows_keep_object_and_label_limits_apart(sandbox: Sandbox) -> None:
    """Removing the object limit leaves the label limits in force."""
    write(sandbox, "purge", object_limit())
    assert sandbox.limits("contacts", "companies") == {("USER_DEFINED", 28): 1}
