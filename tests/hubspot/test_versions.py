"""The paths of each API version, checked against HubSpot's published documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reconciler.defaults import BASE_URL
from reconciler.errors import PortalError
from reconciler.hubspot.portal import Portal
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.plan import Batch, Operation
from tests.hubspot.support import CONTACTS_COMPANIES, answer, never, scripted

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


def asked(version: ApiVersion, ask: Callable[[Portal], object]) -> str:
    """The path of the request that a method of the portal sends."""
    portal, transport = scripted(answer(404), version=version)
    with suppress(PortalError):
        ask(portal)
    (sent,) = transport.requests
    return sent.url.removeprefix(BASE_URL)


@pytest.mark.parametrize("version", ApiVersion)
def test_every_path_is_published(version: ApiVersion) -> None:
    """Reads and writes of every version exist in that version's documents."""
    direction = CONTACTS_COMPANIES
    limits = published(f"associations-schema.{version}", "get")
    assert anonymous(asked(version, Portal.all_limits)) in limits
    assert (
        anonymous(asked(version, partial(Portal.read, direction=direction, needs_labels=never)))
        in limits
    )
    assert anonymous(asked(version, partial(Portal.labels, direction=direction))) in limits
    writes = published(f"associations-schema.{version}", "post")
    for operation in Operation:
        batch = Batch(1, operation, "0-1", "0-2", ())
        assert anonymous(asked(version, partial(Portal.write, batch=batch))) in writes
    account = published(f"account-info.{helper(version)}", "get")
    assert asked(version, Portal.account) in account
    assert asked(version, Portal.probe) in account
    schemas = published(f"object-schemas.{helper(version)}", "get")
    assert anonymous(asked(version, Portal.custom_objects)) in schemas
    assert anonymous(asked(version, Portal.custom_associations)) in schemas
    usage = published(f"limits-tracking.{helper(version)}", "get")
    assert anonymous(asked(version, partial(Portal.usage, direction=direction))) in usage
    assert asked(version, Portal.types_at_limits) in usage


@pytest.mark.parametrize("version", ApiVersion)
def test_the_query_of_custom_objects_is_published(version: ApiVersion) -> None:
    """What keeps the answer small is documented, and is of the right type."""
    path, _, query = asked(version, Portal.custom_objects).partition("?")
    parameters = document(f"object-schemas.{helper(version)}")["paths"][path]["get"]["parameters"]
    known = {each["name"]: each["schema"]["type"] for each in parameters}
    for pair in query.split("&"):
        name, value = pair.split("=")
        assert known[name] == "boolean"
        assert value == "false"
