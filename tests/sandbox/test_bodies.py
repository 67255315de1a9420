"""Bodies that HubSpot could not read are refused whole, with the place."""

from __future__ import annotations

import json

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Request
from tests.sandbox.talking import AUTHORIZED, batch_path, decoded, one, write


def post(body: bytes, verb: str = "update") -> tuple[int, dict[str, object]]:
    """Status and body of the answer to these bytes."""
    request = Request("POST", batch_path(verb), AUTHORIZED, body)
    response = Sandbox(example_portal()).handle(request)
    return response.status, decoded(response)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"inputs": []}',
        b'{"inputs": {}}',
        b'{"inputs": [1]}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_batch_is_refused(body: bytes) -> None:
    """Not JSON, not an object, no inputs or none in it."""
    status, document = post(body)
    assert (status, document["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("missing", ["category", "typeId", "maxToObjectIds"])
def test_every_field_of_an_input_is_required(missing: str) -> None:
    """The error names the field and the position of the input."""
    bad = {key: value for key, value in one(28, 2).items() if key != missing}
    status, document = post(json.dumps({"inputs": [one(30, 1), bad]}).encode())
    assert status == 400
    assert f"inputs[1]: {missing}" in str(document["message"])


@pytest.mark.parametrize("value", [True, 1.5, "2", None, 2**31, [1]])
def test_a_limit_is_a_whole_number_of_32_bits(value: object) -> None:
    """JSON true is not 1, and 1.5 is not rounded."""
    body = json.dumps({"inputs": [one(28) | {"maxToObjectIds": value}]})
    assert post(body.encode())[0] == 400


def test_a_purge_needs_no_limit() -> None:
    """Category and type ID are enough."""
    assert post(json.dumps({"inputs": [one(28)]}).encode(), "purge")[0] == 200


def test_an_unknown_category_is_refused() -> None:
    """The four documented categories and no other."""
    response = write(Sandbox(example_portal()), "update", one(28, 1, "CUSTOM"))
    assert response.status == 400
    assert "HUBSPOT_DEFINED" in decoded(response)["message"]
