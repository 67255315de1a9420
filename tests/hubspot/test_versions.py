"""The paths of each API version, checked against HubSpot's published documents."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.hubspot.versions import ApiVersion
from reconciler.model.plan import Operation
from tests.hubspot.support import CONTACTS_COMPANIES

OPENAPI = Path(__file__).resolve().parents[3] / "shared" / "hubspot" / "openapi"

pytestmark = pytest.mark.skipif(
    not OPENAPI.is_dir(), reason="HubSpot's published documents are not beside the repository"
)


def document(name: str) -> dict[str, Any]:
    """One of the published documents."""
    return dict(json.loads((OPENAPI / f"{name}.json").read_text("utf-8")))


def published(name: str, method: str) -> set[str]:
    """The paths of a document that have the method, parameters as `*`."""
    paths = document(name)["paths"]
    return {re.sub(r"\{[^}]+\}", "*", path) for path, item in paths.items() if method in item}


def anonymous(path: str) -> str:
    """A path of ours with its object type IDs as `*` and without its query."""
    return re.sub(r"0-[12](?=/|$)", "*", path.partition("?")[0])


def helper(version: ApiVersion) -> str:
    """The helper documents that go with v4 are v3."""
    return "v3" if version is ApiVersion.V4 else str(version)


@pytest.mark.parametrize("version", ApiVersion)
def test_every_path_is_published(version: ApiVersion) -> None:
    """Reads and writes of every version exist in that version's documents."""
    limits = published(f"associations-schema.{version}", "get")
    assert anonymous(version.all_limits_path) in limits
    assert anonymous(version.limits_path(CONTACTS_COMPANIES)) in limits
    assert anonymous(version.labels_path(CONTACTS_COMPANIES)) in limits
    writes = published(f"associations-schema.{version}", "post")
    for operation in Operation:
        assert anonymous(version.batch_path(operation, "0-1", "0-2")) in writes
    assert version.account_path in published(f"account-info.{helper(version)}", "get")
    schemas = published(f"object-schemas.{helper(version)}", "get")
    assert anonymous(version.custom_objects_path) in schemas
    usage = published(f"limits-tracking.{helper(version)}", "get")
    assert anonymous(version.usage_path(CONTACTS_COMPANIES)) in usage


@pytest.mark.parametrize("version", ApiVersion)
def test_the_query_of_custom_objects_is_published(version: ApiVersion) -> None:
    """What keeps the answer small is documented, and is of the right type."""
    path, _, query = version.custom_objects_path.partition("?")
    parameters = document(f"object-schemas.{helper(version)}")["paths"][path]["get"]["parameters"]
    known = {each["name"]: each["schema"]["type"] for each in parameters}
    for pair in query.split("&"):
        name, value = pair.split("=")
        assert known[name] == "boolean"
        assert value == "false"
