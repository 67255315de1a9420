"""Paths of every version and shape lead to their operation."""

from __future__ import annotations

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.routes import (
    V4,
    VERSIONS,
    Call,
    NoRoute,
    Operation,
    Version,
    WrongMethod,
    route,
)
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Request
from tests.sandbox.talking import AUTHORIZED, get


def call(method: str, path: str) -> Call:
    """The call of a path that has one."""
    found = route(method, path)
    assert isinstance(found, Call)
    return found


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_every_version_has_every_association_path(version: Version) -> None:
    """The eight paths of the association documents, with what they name."""
    base = f"/crm/associations/{version.name}"
    pair = f"{base}/definitions/configurations/contacts/companies"
    expected = {
        ("GET", f"{base}/definitions/configurations/all"): Operation.READ_ALL,
        ("GET", pair): Operation.READ,
        ("POST", f"{pair}/batch/update"): Operation.UPDATE,
        ("POST", f"{pair}/batch/create"): Operation.CREATE,
        ("POST", f"{pair}/batch/purge"): Operation.PURGE,
        ("GET", f"{base}/contacts/companies/labels"): Operation.LABELS,
        ("POST", f"{base}/contacts/companies/labels"): Operation.LABEL_CREATE,
        ("PUT", f"{base}/contacts/companies/labels"): Operation.LABEL_UPDATE,
        ("DELETE", f"{base}/contacts/companies/labels/28"): Operation.LABEL_DELETE,
    }
    found = {key: call(*key) for key in expected}
    assert {key: one.operation for key, one in found.items()} == expected
    assert {one.version for one in found.values()} == {version}
    named = [one for one in found.values() if one.operation is not Operation.READ_ALL]
    assert {(one.from_name, one.to_name) for one in named} == {("contacts", "companies")}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_every_version_has_its_helpers(version: Version) -> None:
    """Object schemas, account info and limits tracking."""
    limits = "/crm/v3/limits" if version is V4 else f"/crm/limits/{version.name}"
    schemas = f"/crm-object-schemas/{version.helper}/schemas"
    expected = {
        ("GET", schemas): Operation.SCHEMAS,
        ("GET", f"{schemas}/2-4021"): Operation.SCHEMA,
        ("POST", f"{schemas}/batch/read"): Operation.SCHEMAS_BATCH,
        ("GET", f"/account-info/{version.helper}/details"): Operation.ACCOUNT,
        ("GET", f"{limits}/associations/records/0-1/0-2"): Operation.USAGE,
    }
    assert {key: call(*key).operation for key in expected} == expected


def test_the_older_sdk_shape_is_v4() -> None:
    """`/crm/v4/associations/…` is the same as `/crm/associations/v4/…`."""
    older = call("GET", "/crm/v4/associations/definitions/configurations/0-1/0-2")
    newer = call("GET", "/crm/associations/v4/definitions/configurations/0-1/0-2")
    assert older == newer


def test_names_are_percent_decoded() -> None:
    """A name may come encoded, as clients that play safe send it."""
    assert call("GET", "/crm/associations/v4/p1234567%5Fcar/0-1/labels").from_name == "p1234567_car"


def test_paths_that_hubspot_does_not_have_lead_nowhere() -> None:
    """An unknown version, a helper under the wrong prefix, and plain nonsense."""
    for path in (
        "/crm/associations/2024-01/definitions/configurations/all",
        "/crm/limits/v3/associations/records/0-1/0-2",
        "/crm/v3/schemas",
        "/nonsense",
    ):
        assert route("GET", path) == NoRoute()


def test_a_known_path_with_another_method_says_so() -> None:
    """GET of a batch path is 405 and not 404."""
    path = "/crm/associations/v4/definitions/configurations/0-1/0-2/batch/update"
    assert route("GET", path) == WrongMethod()
    sandbox = Sandbox(example_portal())
    assert sandbox.handle(Request("GET", path, AUTHORIZED)).status == 405


def test_an_unknown_path_is_an_html_404() -> None:
    """As observed, a 404 need not be JSON."""
    response = get(Sandbox(example_portal()), "/nonsense")
    assert response.status == 404
    assert dict(response.headers)["Content-Type"].startswith("text/html")
