"""Object schemas, account info and limits tracking."""

from __future__ import annotations

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.routes import VERSIONS, Version
from reconciler.sandbox.stand_in import Sandbox
from tests.sandbox.talking import decoded, get, object_limit, options, send, write

each_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


@each_version
def test_account_info_tells_the_portal(version: Version) -> None:
    """Portal ID and account type, on the path of each version."""
    document = decoded(get(Sandbox(example_portal()), f"/account-info/{version.helper}/details"))
    assert (document["portalId"], document["accountType"]) == (1234567, "STANDARD")


@each_version
def test_schemas_list_custom_object_types_only(version: Version) -> None:
    """One schema, with the names that paths take and the associations with their limits."""
    sandbox = Sandbox(example_portal())
    rows = decoded(get(sandbox, f"/crm-object-schemas/{version.helper}/schemas"))["results"]
    assert [(row["objectTypeId"], row["fullyQualifiedName"], row["name"]) for row in rows] == [
        ("2-4021", "p1234567_car", "car")
    ]
    limits = {one["id"]: one["maxToObjectIds"] for one in rows[0]["associations"]}
    assert limits["40"] == 4
    assert limits["41"] == 500_000


@each_version
def test_schemas_can_be_read_by_name(version: Version) -> None:
    """One by its path, several by a batch."""
    sandbox = Sandbox(example_portal())
    base = f"/crm-object-schemas/{version.helper}/schemas"
    assert decoded(get(sandbox, f"{base}/p1234567_car"))["objectTypeId"] == "2-4021"
    body = {
        "inputs": ["2-4021", "contacts"],
        "includeAssociationDefinitions": False,
        "includeAuditMetadata": False,
        "includePropertyDefinitions": False,
    }
    rows = decoded(send(sandbox, "POST", f"{base}/batch/read", body))["results"]
    assert [(row["objectTypeId"], row["associations"]) for row in rows] == [
        ("2-4021", []),
        ("0-1", []),
    ]


def test_associations_of_schemas_can_be_left_out() -> None:
    """`includeAssociationDefinitions=false` makes the answer small."""
    path = "/crm-object-schemas/v3/schemas?includeAssociationDefinitions=false"
    assert decoded(get(Sandbox(example_portal()), path))["results"][0]["associations"] == []


def test_unknown_schemas_are_refused() -> None:
    """By path and in a batch, and a batch that is not a list."""
    sandbox = Sandbox(example_portal())
    base = "/crm-object-schemas/v3/schemas"
    assert get(sandbox, f"{base}/car").status == 400
    assert send(sandbox, "POST", f"{base}/batch/read", {"inputs": ["car"]}).status == 400
    assert send(sandbox, "POST", f"{base}/batch/read", {"inputs": "car"}).status == 400


@pytest.mark.parametrize("base", ["/crm/v3/limits", "/crm/limits/2025-09", "/crm/limits/2026-09"])
def test_usage_tells_records_at_and_near_the_object_limit(base: str) -> None:
    """The limit is the object limit, the samples are a few of the records."""
    sandbox = Sandbox(example_portal())
    document = decoded(get(sandbox, f"{base}/associations/records/0-1/0-2"))
    assert (document["limit"], document["totalRecordsAtLimit"]) == (5, 12)
    assert document["totalRecordsNearLimit"] == 40
    assert len(document["atLimitFromRecordSamples"]) == 3
    write(sandbox, "purge", object_limit())
    assert decoded(get(sandbox, f"{base}/associations/records/0-1/0-2"))["limit"] == 500_000


def test_usage_can_be_forbidden() -> None:
    """A token without scopes for records gets 403, with the scopes named or not."""
    path = "/crm/limits/2026-03/associations/records/0-1/0-2"
    scope = "crm.objects.contacts.read"
    response = get(Sandbox(example_portal(), options(f"usage:403,scopes={scope}")), path)
    document = decoded(response)
    assert (response.status, document["category"]) == (403, "MISSING_SCOPES")
    assert document["errors"][0]["context"] == {"requiredGranularScopes": [scope]}
    without = Sandbox(example_portal(), options("usage:403"))
    assert "errors" not in decoded(get(without, path))
    assert get(without, "/crm/limits/2026-03/associations/records/from").status == 403
