"""The plan document: canonical, digested, and refused unless whole."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from reconciler.errors import PlanRefused
from reconciler.model import ConfigFile, GitState, Plan
from reconciler.planning.document import digest, plan_json
from reconciler.planning.saved import plan_schema, read_plan
from tests.planning.factory import BILLING, DECISION, OBJECT, declared, limit, plan


@pytest.fixture
def made() -> Plan:
    """A plan that raises the object limit, creates one label limit and deletes another."""
    return plan(
        declared(limit(OBJECT, 5, line=3), limit(BILLING, 2, line=6, reason="é → 日本")),
        {OBJECT: 3, DECISION: 2},
        base=[declared(limit(OBJECT, 3))],
    )


def test_a_plan_survives_its_file(made: Plan) -> None:
    """Written and read again it is the same value."""
    whole = replace(
        made,
        files=(ConfigFile("configs/a.yaml", "0" * 64),),
        git=GitState("abc", dirty=True, base="def"),
    )
    assert read_plan(plan_json(whole).encode()) == whole


def test_the_document_is_canonical_json(made: Plan) -> None:
    """Sorted keys, no spaces, UTF-8, one line."""
    text = plan_json(made)
    assert (
        text
        == json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        + "\n"
    )
    assert "é → 日本" in text


def test_the_document_is_what_its_schema_says(made: Plan) -> None:
    """And has the keys of the contract."""
    document = json.loads(plan_json(made))
    jsonschema.validate(document, plan_schema())
    assert {
        "format_version", "tool", "created_at", "portal", "config", "summary", "changes",
        "batches", "warnings", "digest",
    } <= document.keys()  # fmt: skip
    assert document["changes"][0]["from"] == "contacts"
    assert document["batches"][0]["inputs"] == [
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "maxToObjectIds": 5}
    ]


def test_the_digest_covers_what_is_written_and_where(made: Plan) -> None:
    """Not times, wording, commits, files, base URL or portal name."""
    same = replace(
        made,
        created_at="2030-01-01T00:00:00Z",
        tool_version="9",
        portal=replace(made.portal, name="other", base_url="http://127.0.0.1:1"),
        git=GitState("abc", dirty=True),
        warnings=("w",),
        changes=tuple(replace(each, source=None, reason="r", origin=None) for each in made.changes),
    )
    assert digest(same) == digest(made)
    assert digest(replace(made, portal=replace(made.portal, portal_id=1))) != digest(made)
    assert digest(replace(made, portal=replace(made.portal, api_version="v4"))) != digest(made)
    first, *rest = made.changes
    assert digest(replace(made, changes=(replace(first, after=6), *rest))) != digest(made)
    assert digest(replace(made, batches=made.batches[1:])) != digest(made)


def edit(made: Plan, path: tuple[str | int, ...], value: object) -> bytes:
    """The document after a hand has set one value in it."""
    document = json.loads(plan_json(made))
    target = document
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("changes", 0, "after"), 50, "altered"),
        (("portal", "portal_id"), 7, "altered"),
        (("batches",), [], "altered"),
        (("changes", 0, "id"), "deals>companies/USER_DEFINED/28", "altered"),
        (("summary", "delete"), 0, "altered"),
        (("batches", 0, "from_id"), "0-1/../../x", "no whole plan"),
        (("more",), 1, "no whole plan"),
        (("changes", 0, "after"), 0, "no whole plan"),
        (("format_version",), "2.0", "format '2.0'"),
    ],
)
def test_an_altered_plan_is_refused(
    made: Plan, path: tuple[str | int, ...], value: object, words: str
) -> None:
    """With the reason, and exit code 4."""
    with pytest.raises(PlanRefused, match=words) as caught:
        read_plan(edit(made, path, value))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format_version": "1.0"}'],
)
def test_what_is_no_plan_is_refused(content: bytes) -> None:
    """Never with a traceback."""
    with pytest.raises(PlanRefused):
        read_plan(content)


def test_a_cut_plan_is_refused(made: Plan) -> None:
    """At every length short of the whole."""
    content = plan_json(made).encode()
    for length in range(0, len(content) - 2, 97):
        with pytest.raises(PlanRefused):
            read_plan(content[:length])


def test_a_plan_whose_digest_was_mended_must_still_agree_with_itself(made: Plan) -> None:
    """Batches follow from changes, so no batch can name what no change names."""
    smuggled = replace(made, batches=made.batches[:1])
    with pytest.raises(PlanRefused, match="batches"):
        read_plan(plan_json(smuggled).encode())
