"""The result document and its schema."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from pydantic import ValidationError

from reconciler.applying.result_file import ResultDocument, result_json, result_schema
from reconciler.model.limits import AccountType
from reconciler.model.plan import ChangeError, ChangeResult, Destination, Outcome, Result, Status
from tests.applying.factory import change

REFUSED = ChangeError("HubSpot refused it", "VALIDATION_ERROR", "the-id")
RESULT = Result(
    Outcome.INCOMPLETE,
    (
        ChangeResult(change(1), Status.VERIFIED),
        ChangeResult(change(2, before=None), Status.FAILED, REFUSED),
        ChangeResult(change(3, after=None), Status.NOT_ATTEMPTED, ChangeError("it waited")),
    ),
    7,
    "2026-11-21T09:00:00Z",
    "2026-11-21T09:00:05Z",
    "the portal stopped answering",
    Destination("production", "https://api.hubapi.com", "2026-09", 1234567, AccountType.STANDARD),
)


def test_a_result_is_one_line_of_canonical_json() -> None:
    """Sorted keys, nothing left out."""
    text = result_json(RESULT)
    document = json.loads(text)
    assert text.count("\n") == 1
    assert text == json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n"
    assert (document["outcome"], document["requests"]) == ("incomplete", 7)
    assert document["message"] == "the portal stopped answering"


def test_a_verified_change_has_no_error() -> None:
    """The limit by its names, both values and the line that asks for it are all there is to say."""
    assert json.loads(result_json(RESULT))["changes"][0] == {
        "id": "contacts>companies/USER_DEFINED/101",
        "from": "contacts",
        "to": "companies",
        "label": "Label 1",
        "action": "update",
        "before": 1,
        "after": 2,
        "source": {"path": "configs/contacts-companies.yaml", "line": 1, "column": 3},
        "status": "verified",
    }


def test_a_result_names_its_portal_where_it_is_known() -> None:
    """As the plan does: several portals are a line each. Null before any portal is chosen."""
    assert json.loads(result_json(RESULT))["portal"] == {
        "name": "production",
        "portal_id": 1234567,
        "account_type": "STANDARD",
        "base_url": "https://api.hubapi.com",
        "api_version": "2026-09",
    }
    early = json.loads(result_json(replace(RESULT, portal=None)))
    assert early["portal"] is None
    jsonschema.validate(early, result_schema())


def test_a_failure_has_what_finds_its_cause() -> None:
    """Message, category, correlation ID; the change has the line of the file."""
    found = json.loads(result_json(RESULT))["changes"][1]
    assert (found["action"], found["before"], found["status"]) == ("create", None, "failed")
    assert found["error"] == {
        "message": "HubSpot refused it",
        "category": "VALIDATION_ERROR",
        "correlation_id": "the-id",
    }
    assert found["source"] == {"path": "configs/contacts-companies.yaml", "line": 2, "column": 3}


def test_the_schema_accepts_every_result() -> None:
    """And is a valid schema itself."""
    schema = result_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(result_json(RESULT)), schema)
    ResultDocument.model_validate_json(result_json(RESULT))


@pytest.mark.parametrize(
    ("key", "value"),
    [("outcome", "perhaps"), ("requests", -1), ("format_version", "2.0"), ("more", 1)],
)
def test_the_schema_refuses_what_no_result_says(key: str, value: object) -> None:
    """By schema and by model alike."""
    document = {**json.loads(result_json(RESULT)), key: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, result_schema())
    with pytest.raises(ValidationError):
        ResultDocument.model_validate(document)
