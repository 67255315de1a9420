"""Every answer fits HubSpot's published OpenAPI documents, version by version.

The documents lie beside the repository and are not part of it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.routes import VERSIONS, Version
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Request, Response
from tests.sandbox.talking import (
    AUTHORIZED,
    batch_path,
    get,
    limits_path,
    one,
    options,
    send,
    write,
)

DOCUMENTS = Path(__file__).parents[3] / "shared" / "hubspot" / "openapi"

pytestmark = pytest.mark.skipif(
    not DOCUMENTS.is_dir(), reason="HubSpot's OpenAPI documents are not beside the repository"
)

each_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


def document(name: str) -> dict[str, Any]:
    """One OpenAPI document, with what is known to differ from the live answers put right."""
    loaded: dict[str, Any] = json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
    schemas = loaded["components"]["schemas"]
    for schema in schemas.values():
        properties = schema.get("properties", {})
        # Live answers have null in both where the documents forget to call them nullable.
        for nullable in ("label", "userEnforcedMaxToObjectIds"):
            if nullable in properties and "typeId" in properties:
                properties[nullable]["type"] = [properties[nullable]["type"], "null"]
    if "StandardError" in schemas:
        # In the batch answer that was observed, these were left out and this was a text.
        schemas["StandardError"]["required"] = ["status", "category", "message"]
        schemas["StandardError"]["properties"]["subCategory"] = {"type": "string"}
    return loaded


def check(name: str, method: str, path: str, response: Response) -> None:
    """Fail unless the document has this path, method and status, and the body fits its schema."""
    loaded = document(name)
    template = next(one for one in loaded["paths"] if matches(one, path))
    responses = loaded["paths"][template][method.lower()]["responses"]
    if response.status >= 400:
        error = loaded["components"]["responses"]["Error"]
        schema = error["content"]["*/*"]["schema"]
    else:
        assert str(response.status) in responses, (path, response.status)
        content = responses[str(response.status)].get("content")
        if not content:
            assert response.body == b""
            return
        schema = content["application/json"]["schema"]
    validator = Draft202012Validator(
        {**schema, "components": loaded["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    validator.validate(json.loads(response.body))


def matches(template: str, path: str) -> bool:
    """Whether a path is one of a template such as `/a/{b}`."""
    return re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path) is not None


@each_version
def test_reads_fit(version: Version) -> None:
    """Limits of a direction and of all, and labels."""
    sandbox, name = Sandbox(example_portal()), f"associations-schema.{version.name}"
    for path in (
        limits_path(version.name),
        limits_path(version.name, "deals", "tickets"),
        f"/crm/associations/{version.name}/definitions/configurations/all",
        f"/crm/associations/{version.name}/contacts/companies/labels",
    ):
        check(name, "GET", path, get(sandbox, path))


@each_version
@pytest.mark.parametrize("verb", ["update", "create", "purge"])
def test_batches_fit(version: Version, verb: str) -> None:
    """A success in the status that the version documents, and a refusal as an error."""
    sandbox, name = Sandbox(example_portal()), f"associations-schema.{version.name}"
    path = batch_path(verb, version.name)
    good = one(30) if verb == "purge" else one(30, 2)
    response = write(sandbox, verb, good, version=version.name)
    if (version.name, verb) == ("2026-09", "purge"):
        assert response.status == 204  # documented as 200, observed as 204
    else:
        check(name, "POST", path, response)
    check(name, "POST", path, write(sandbox, verb, {}, version=version.name))


@each_version
@pytest.mark.parametrize("verb", ["update", "create"])
def test_canceled_batches_fit(version: Version, verb: str) -> None:
    """An unknown type, in the body that was observed."""
    path = batch_path(verb, version.name)
    response = write(Sandbox(example_portal()), verb, one(999, 1), version=version.name)
    check(f"associations-schema.{version.name}", "POST", path, response)


@pytest.mark.parametrize("version", ["v4", "2026-03"])
@pytest.mark.parametrize("verb", ["update", "create"])
def test_partly_refused_batches_fit(version: str, verb: str) -> None:
    """207 where it is documented, with a schema of its own."""
    sandbox = Sandbox(example_portal(), options("write:part,types=31+30"))
    response = write(sandbox, verb, one(30, 2), one(931, 2, "HUBSPOT_DEFINED"), version=version)
    assert response.status == 207
    check(f"associations-schema.{version}", "POST", batch_path(verb, version), response)


@each_version
def test_label_changes_fit(version: Version) -> None:
    """Made, renamed and removed."""
    sandbox, name = Sandbox(example_portal()), f"associations-schema.{version.name}"
    path = f"/crm/associations/{version.name}/contacts/deals/labels"
    made = send(sandbox, "POST", path, {"name": "mentor", "label": "Mentor"})
    check(name, "POST", path, made)
    type_id = json.loads(made.body)["results"][0]["typeId"]
    body = {"associationTypeId": type_id, "label": "Guide"}
    check(name, "PUT", path, send(sandbox, "PUT", path, body))
    gone = f"{path}/{type_id}"
    check(name, "DELETE", gone, sandbox.handle(Request("DELETE", gone, AUTHORIZED)))


@each_version
def test_helpers_fit(version: Version) -> None:
    """Object schemas, account info and limits tracking."""
    sandbox = Sandbox(example_portal())
    schemas = f"/crm-object-schemas/{version.helper}/schemas"
    limits = "/crm/v3/limits" if version.helper == "v3" else f"/crm/limits/{version.helper}"
    for name, path in (
        ("object-schemas", schemas),
        ("object-schemas", f"{schemas}/2-4021"),
        ("account-info", f"/account-info/{version.helper}/details"),
        ("limits-tracking", f"{limits}/associations/records/0-1/0-2"),
        ("limits-tracking", f"{limits}/associations/records/from"),
    ):
        check(f"{name}.{version.helper}", "GET", path, get(sandbox, path))
    body = {"inputs": ["2-4021"]}
    path = f"{schemas}/batch/read"
    check(f"object-schemas.{version.helper}", "POST", path, send(sandbox, "POST", path, body))


@each_version
@pytest.mark.parametrize("code", [400, 401, 403, 404, 423, 429, 477])
def test_errors_fit(version: Version, code: int) -> None:
    """Message, correlation ID and category, each of the documented type."""
    path = limits_path(version.name)
    response = get(Sandbox(example_portal(), options(f"read:{code}")), path)
    check(f"associations-schema.{version.name}", "GET", path, response)
