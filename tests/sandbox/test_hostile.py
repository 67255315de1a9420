"""Absurd requests are answered with 4xx like others: no exception, and nothing changes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.page import page
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Request
from tests.sandbox.talking import (
    AUTHORIZED,
    VERSIONS,
    batch_path,
    decoded,
    everything,
    limits_path,
    send,
)

LABELS = "/crm/associations/2026-09/contacts/companies/labels"
OWN = {**AUTHORIZED, "host": "127.0.0.1:1", "origin": "http://127.0.0.1:1"}
HUGE = "9" * 5_000
BODIES = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"null",
    b"1",
    b'"\\ud800"',
    b"[" * 100_000,
    b'{"inputs":' + b"[" * 100_000,
    b'{"a":' * 100_000,
    f'{{"inputs":[{{"category":"USER_DEFINED","typeId":{HUGE},"maxToObjectIds":1}}]}}'.encode(),
    b'{"inputs":[{"category":"USER_DEFINED","typeId":28,"maxToObjectIds":Infinity}]}',
    b'{"inputs":[{"category":"USER_DEFINED","typeId":28,"maxToObjectIds":1e400}]}',
    b'{"inputs":[{"category":"\\ud800","typeId":28,"maxToObjectIds":1}]}',
    b'{"inputs":["\\ud800"]}',
    b'{"name":"\\ud800","label":"x"}',
    b'{"name":"a","label":"x","inverseLabel":"\\udfff"}',
    b'{"associationTypeId":28,"label":"\\ud800"}',
    b'{"faults":["\\ud800"]}',
    b'{"from":"\\ud800","to":"contacts","type_id":28,"max":1}',
    b'{"from":"contacts","to":"companies","type_id":28,"max":1,"category":"\\ud800"}',
]
TARGETS = [
    *(("POST", batch_path(verb, version)) for verb in ("update", "create") for version in VERSIONS),
    ("POST", LABELS),
    ("PUT", LABELS),
    ("POST", "/crm-object-schemas/v3/schemas/batch/read"),
    ("POST", "/_sandbox/limits"),
    ("POST", "/_sandbox/faults"),
    ("POST", "/"),
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_an_absurd_body_is_refused(body: bytes) -> None:
    """At every path that takes one: 400, in a body that can be read, and the portal stays."""
    sandbox = Sandbox(example_portal())
    before = everything(sandbox.portal)
    for method, path in TARGETS:
        response = sandbox.handle(Request(method, path, OWN, body))
        assert response.status == 400, (method, path)
        response.body.decode()
    assert everything(sandbox.portal) == before


@pytest.mark.parametrize(
    "name", ["%00", "%ff", "%ED%A0%80", "%0d%0aX: y", "..", "%2e%2e", "a" * 60_000, "%", "０-1"]
)
def test_an_absurd_name_is_refused(name: str) -> None:
    """As an object type that is unknown; nothing of it gets into a header."""
    sandbox = Sandbox(example_portal())
    for path in (limits_path("v4", name), limits_path("v4", "contacts", name)):
        response = sandbox.handle(Request("GET", path, AUTHORIZED))
        assert response.status == 400
        assert decoded(response)["message"].startswith("Unable to infer object type from: ")
    shown = sandbox.handle(Request("GET", f"/?from={name}&to={name}", OWN))
    assert shown.status == 400
    assert all("\n" not in value for _, value in shown.headers)


def test_a_label_that_can_be_shown_is_taken_as_it_is() -> None:
    """Any writing of the world, and markup, which the page escapes."""
    sandbox = Sandbox(example_portal())
    for label in ("Ça va", "顧客", "🤝", "<b>&amp;", "עם"):
        assert send(sandbox, "POST", LABELS, {"name": label, "label": label}).status == 200
    document = page(sandbox.portal)
    assert "顧客" in document
    assert "<b>" not in document


METHOD = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "é"])
PATH = st.one_of(
    st.sampled_from([path for _, path in TARGETS]),
    st.text(max_size=60).map(lambda text: f"/{text}"),
    st.text(max_size=60).map(lambda text: f"/crm/associations/v4/{text}/labels?{text}"),
    st.text(max_size=60).map(lambda text: f"/crm-object-schemas/v3/schemas?{text}"),
    st.text(max_size=60).map(lambda text: f"/?{text}"),
)
VALUE: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["inputs", "category", "typeId", "maxToObjectIds", "name", "label"])
            | st.sampled_from(["from", "to", "type_id", "max", "faults", "associationTypeId"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
BODY = st.binary(max_size=60) | VALUE.map(lambda value: json.dumps(value).encode())


@given(method=METHOD, target=PATH, body=BODY)
def test_any_request_is_answered(method: str, target: str, body: bytes) -> None:
    """Whatever comes, an answer goes out, and none is a 5xx."""
    response = Sandbox(example_portal()).handle(Request(method, target, OWN, body))
    assert 200 <= response.status < 500
    response.body.decode()
