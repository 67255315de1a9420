"""The plan document: canonical, digested, and refused unless whole."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import jsonschema
import pytest

from reconciler.errors import PlanRefused
from reconciler.model.limits import (
    LARGEST_NUMBER,
    MAXIMUM_LIMIT,
    MINIMUM_LIMIT,
    AssociationType,
    ConfigFile,
    DesiredLimit,
    ObjectType,
    Place,
)
from reconciler.model.plan import (
    Action,
    GitState,
    LimitUsage,
    ObjectLimit,
    Plan,
    Refusal,
    RefusalCode,
    Summary,
    UsageGap,
    count_actions,
)
from reconciler.planning.order import order
from reconciler.planning.plan_file import MAXIMUM_BYTES, is_plan, plan_json
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
        workspace="reconciler.yaml",
        usage=(LimitUsage("0-1", "0-2", 5, 3, 1),),
        object_limits=(ObjectLimit("0-1", "0-2", 25),),
    )
    assert read_plan(plan_json(whole).encode()) == whole


@pytest.mark.parametrize("why", [None, *UsageGap])
def test_unknown_usage_survives_a_file(made: Plan, why: UsageGap | None) -> None:
    """As null and never as 0; a reason is there only where it is not the usual one."""
    unknown = replace(made, usage=(LimitUsage("0-1", "0-2", None, None, None, why),))
    content = plan_json(unknown)
    assert read_plan(content.encode()) == unknown
    expected = {
        "from_id": "0-1",
        "to_id": "0-2",
        "limit": None,
        "at_limit": None,
        "near_limit": None,
    }
    assert json.loads(content)["usage"] == [expected | ({"unknown_because": why} if why else {})]


def test_the_object_limit_above_a_label_limit_is_for_readers_only() -> None:
    """It is in the document where it stays while a label limit changes, and not in the digest."""
    made = plan(declared(limit(OBJECT, 25), limit(BILLING, 2)), {OBJECT: 25, BILLING: 1})
    assert made.object_limits == (ObjectLimit("0-1", "0-2", 25),)
    document = json.loads(plan_json(made))
    assert document["config"]["object_limits"] == [{"from_id": "0-1", "to_id": "0-2", "limit": 25}]
    jsonschema.validate(document, plan_schema())
    assert replace(made, object_limits=()).digest == made.digest
    del document["config"]["object_limits"]
    assert read_plan(json.dumps(document).encode()) == replace(made, object_limits=())


@pytest.mark.parametrize(
    ("wanted", "observed"),
    [
        ((limit(OBJECT, 5), limit(BILLING, 2)), {OBJECT: 3, BILLING: 1}),  # it changes itself
        ((limit(OBJECT, 5), limit(BILLING, 2)), {OBJECT: 3, BILLING: 2}),  # no label changes
        ((limit(BILLING, 2),), {BILLING: 1}),  # there is none
    ],
)
def test_an_object_limit_that_no_reader_needs_is_not_in_the_plan(
    wanted: tuple[DesiredLimit, ...], observed: dict[AssociationType, int]
) -> None:
    """The document then has the keys it always had."""
    made = plan(declared(*wanted), observed)
    assert made.object_limits == ()
    assert json.loads(plan_json(made))["config"].keys() == {"workspace", "files", "git"}


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
        "batches", "usage", "warnings", "refusals", "digest",
    } == document.keys()  # fmt: skip
    assert document["format_version"] == "1.1"
    assert document["usage"] == []
    assert document["config"]["workspace"] is None
    assert {each["protected"] for each in document["changes"]} == {False}
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
        workspace="elsewhere/reconciler.yaml",
        usage=(LimitUsage("0-1", "0-2", 3, 12, 40),),
        summary=replace(made.summary, unchanged=99_999, unmanaged=7),
        changes=tuple(replace(each, source=None, reason="r", origin=None) for each in made.changes),
    )
    assert same.digest == made.digest
    assert replace(made, portal=replace(made.portal, portal_id=1)).digest != made.digest
    assert replace(made, portal=replace(made.portal, api_version="v4")).digest != made.digest
    first, *rest = made.changes
    assert replace(made, changes=(replace(first, after=6), *rest)).digest != made.digest
    assert replace(made, changes=(replace(first, protected=True), *rest)).digest != made.digest
    assert replace(made, batches=made.batches[1:]).digest != made.digest


def test_the_digest_covers_the_refusals_and_not_their_words(made: Plan) -> None:
    """Code, and the change they are about."""
    one = Refusal(RefusalCode.PROTECTED, "words", "contacts>companies/USER_DEFINED/30")
    digests = {
        replace(made, refusals=refusals).digest
        for refusals in ((), (one,), (replace(one, change=None),), (one, one))
    }
    assert len(digests) == 4
    other = replace(one, message="other words", source=Place("configs/a.yaml", 1, 1))
    assert replace(made, refusals=(other,)).digest == replace(made, refusals=(one,)).digest


REFUSAL = {"code": "max_changes", "message": "m", "change": None, "source": None}


def edited(made: Plan, path: tuple[str | int, ...], value: object) -> bytes:
    """The document after a hand has set one value in it."""
    return edit(plan_json(made).encode(), path, value)


def edit(content: bytes, path: tuple[str | int, ...], value: object) -> bytes:
    """The same, of a document that a hand has set a value in before."""
    document = json.loads(content)
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
        (("batches", 0, "from_id"), "0-1/../../x", "not a complete plan"),
        (("more",), 1, "not a complete plan"),
        (("changes", 0, "after"), 0, "not a complete plan"),
        (("format_version",), "2.0", 'has format "2.0"; this version of reconciler reads "1.1"'),
        (("format_version",), "1.2", 'has format "1.2"'),
        (("format_version",), "1.10", 'has format "1.10"'),
        (("format_version",), "x" * 999, 'has format "x{20}";'),
        (("format_version",), 1.1, "has format 1.1;"),
        (("format_version",), True, "has format true;"),
        (("format_version",), ["1.1"], "states no format"),
        (("format_version",), None, "states no format"),
        (("format_version",), "1.0", "format 1.0: its digest does not cover"),
        (("changes", 0, "protected"), True, "altered"),
        (("changes", 0, "from_id"), "0-3", "altered"),
        (("changes", 0, "to"), "deals", "altered"),
        (("changes", 0, "after"), 3, "altered"),
        (("refusals",), [REFUSAL], "altered"),
        (("batches", 0, "inputs"), [], "altered"),
        (("portal", "portal_id"), 10**20, "not a complete plan"),
        (("portal", "portal_id"), -1, "not a complete plan"),
        (("portal", "portal_id"), True, "not a complete plan"),
        (("changes", 0, "before"), 2**53, "not a complete plan"),
        (("changes", 0, "before"), 3.0, "not a complete plan"),
        (("changes", 0, "after"), 50_001, "not a complete plan"),
        (("summary", "unchanged"), -1, "not a complete plan"),
        (("summary", "unchanged"), 10**400, "not a complete plan"),
        (("usage",), None, "not a complete plan"),
        (("config",), {"files": [], "git": None}, "not a complete plan"),
    ],
)
def test_an_altered_plan_is_refused(
    made: Plan, path: tuple[str | int, ...], value: object, words: str
) -> None:
    """With the reason, and exit code 4."""
    with pytest.raises(PlanRefused, match=words) as caught:
        read_plan(edited(made, path, value))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format_version": "1.0"}'],
)
def test_what_is_no_plan_is_refused(content: bytes) -> None:
    """Never with a traceback."""
    with pytest.raises(PlanRefused):
        read_plan(content)


def test_a_plan_is_recognised_however_it_is_laid_out(made: Plan) -> None:
    """Cut after its first key, spread over lines, with its keys in any order; a pair file is not."""
    text = plan_json(made)
    document = json.loads(text)
    for content in (
        text[:12],
        "\ufeff" + text,
        json.dumps(document, indent=2),
        json.dumps(dict(reversed(document.items()))),
    ):
        assert is_plan(content.encode())
    for content in (
        '{"from": "contacts", "to": "companies", "labels": {"batches": 1}}',
        "from: contacts\n",
        '{"format_version": "1.0", "outcome": "applied"}',
        "",
    ):
        assert not is_plan(content.encode())


def test_a_cut_plan_is_refused(made: Plan) -> None:
    """At every length short of the whole."""
    content = plan_json(made).encode()
    for length in range(0, len(content) - 2, 97):
        with pytest.raises(PlanRefused):
            read_plan(content[:length])


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b'"dirty":false', b'"dirty":false,"dirty":false', "the key 'dirty' is there twice"),
        (b'"refusals":[]', b'"refusals":[],"refusals":[]', "the key 'refusals' is there twice"),
        (b'"unchanged":0', b'"unchanged":NaN', "NaN is not a number"),
        (b'"unchanged":0', b'"unchanged":-Infinity', "-Infinity is not a number"),
        (b'"unchanged":0', b'"unchanged":1e999', "not a complete plan"),
        (b'"unchanged":0', b'"unchanged":' + b"9" * 5000, "not valid JSON"),
        ('"é → 日本"'.encode(), b'"\\ud800"', "not a complete plan"),
        (b'"warnings":[', b'"warnings":["\xff",', "not UTF-8"),
        (b'"warnings":[', b'"warnings":["\x00",', "not valid JSON"),
    ],
)
def test_json_that_two_readers_take_differently_is_refused(
    made: Plan, before: bytes, after: bytes, words: str
) -> None:
    """Keys that are there twice, numbers that are none, half characters."""
    content = plan_json(replace(made, git=GitState("abc", dirty=False))).encode()
    assert before in content
    with pytest.raises(PlanRefused, match=words) as caught:
        read_plan(content.replace(before, after, 1))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"null", "it is not a JSON object"),
        (b'{"outcome": "applied"}', "it is the result of an apply"),
        (b'{"portals": {}}', "it reads like configuration"),
        (b'{"from": "contacts"}', "it reads like configuration"),
        (b'{"more": 1}', "it has no batches"),
        (b'{"batches": []}', "states no format"),
        (
            b'{"batches": [], "format_version": "99999999999999999999999"}',
            '"99999999999999999999";',
        ),
        (b" " * (MAXIMUM_BYTES + 1), "larger than 64 MiB"),
        (b'{"batches": [', "the plan file is not complete"),
        (b'{"more": [', "the file is not a plan"),
    ],
    ids=range(10),
)
def test_a_refused_file_says_what_it_is(content: bytes, words: str) -> None:
    """A result, configuration, another format, too large, or cut."""
    with pytest.raises(PlanRefused, match=re.escape(words)):
        read_plan(content)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("changes", 0, "before"), -1),
        (("changes", 0, "type_id"), -1),
        (("changes", 0, "from_id"), "0-"),
        (("changes", 0, "origin"), "somebody"),
        (("changes", 0, "source", "line"), 0),
        (("changes", 0, "source", "column"), 0),
        (("changes", 0, "protected"), 1),
        (("portal", "portal_id"), 0),
        (("portal", "account_type"), "OTHER"),
        (("batches", 0, "step"), 0),
        (("batches", 0, "operation"), "create"),
        (("batches", 0, "inputs", 0, "maxToObjectIds"), 50_001),
        (("batches", 0, "inputs", 0, "maxToObjectIds"), 0),
        (("digest",), "sha256:" + "0" * 63),
        (("summary", "create"), 2**53),
        (("tool", "name"), "other"),
    ],
)
def test_a_value_outside_the_format_is_refused(
    made: Plan, path: tuple[str | int, ...], value: object
) -> None:
    """With its place in the document."""
    with pytest.raises(PlanRefused, match="not a complete plan") as caught:
        read_plan(edited(made, path, value))
    assert f": {'.'.join(map(str, path))}" in caught.value.message


def test_the_ends_of_the_ranges_are_within_the_format() -> None:
    """The lowest and the highest values that HubSpot and JSON readers take."""
    for before, after in ((0, MINIMUM_LIMIT), (LARGEST_NUMBER, MAXIMUM_LIMIT)):
        lowest = replace(plan(declared(limit(OBJECT, after)), {OBJECT: before}), warnings=())
        whole = replace(
            lowest,
            portal=replace(lowest.portal, portal_id=1 if before == 0 else LARGEST_NUMBER),
            summary=replace(lowest.summary, unchanged=before, unmanaged=before),
        )
        assert read_plan(plan_json(whole).encode()) == whole


# ---------------------------------------------------------------- a digest made to fit again


@pytest.fixture
def lowering() -> Plan:
    """A plan that lowers a protected limit and refuses itself."""
    made = plan(
        declared(limit(BILLING, 2)),
        {BILLING: 5},
        base=[declared(limit(BILLING, 5, protect=True))],
    )
    assert [each.code for each in made.refusals] == [RefusalCode.PROTECTED]
    assert read_plan(plan_json(made).encode()) == made
    return made


def test_a_plan_that_lowers_a_protected_limit_must_refuse_itself(lowering: Plan) -> None:
    """Cutting the refusal out is seen, whatever the digest says."""
    with pytest.raises(PlanRefused, match="digest"):
        read_plan(edited(lowering, ("refusals",), []))
    with pytest.raises(PlanRefused, match="does not refuse to lower the protected limit"):
        read_plan(plan_json(replace(lowering, refusals=())).encode())


def test_a_refusal_is_about_a_change(lowering: Plan) -> None:
    """Moved to another limit, or to one that is not protected, it refuses nothing."""
    (refusal,) = lowering.refusals
    moved = replace(refusal, change="contacts>companies/USER_DEFINED/99")
    for refusals in ((moved,), (moved, refusal)):
        with pytest.raises(PlanRefused, match="altered"):
            read_plan(plan_json(replace(lowering, refusals=refusals)).encode())


def test_drift_that_was_edited_in_is_seen(lowering: Plan) -> None:
    """The origin is not under the digest, and the refusal that goes with it is."""
    with pytest.raises(PlanRefused, match="digest"):
        read_plan(edit(edited(lowering, ("changes", 0, "origin"), "drift"), ("refusals",), []))


def test_one_limit_is_changed_once(made: Plan) -> None:
    """Not a second time by another name of its object type."""
    first = made.changes[0]
    alias = replace(first, direction=replace(first.direction, to=ObjectType("0-2", "firms")))
    for changes in ((*made.changes, first), (*made.changes, alias)):
        counts = count_actions(changes)
        twice = replace(
            made,
            changes=changes,
            batches=order(changes),
            summary=Summary(*(counts[action] for action in Action)),
        )
        with pytest.raises(PlanRefused, match="two changes are of the same limit"):
            read_plan(plan_json(twice).encode())


def test_an_object_type_has_one_name(made: Plan) -> None:
    """A reviewer reads names, HubSpot gets IDs."""
    first, *rest = made.changes
    alias = replace(first, direction=replace(first.direction, to=ObjectType("0-2", "firms")))
    with pytest.raises(PlanRefused, match="one object type has two names"):
        read_plan(plan_json(replace(made, changes=(alias, *rest))).encode())


def test_a_plan_whose_digest_was_made_to_fit_must_still_agree_with_itself(made: Plan) -> None:
    """Batches follow from changes, so no batch can name what no change names."""
    smuggled = replace(made, batches=made.batches[:1])
    with pytest.raises(PlanRefused, match="batches"):
        read_plan(plan_json(smuggled).encode())


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("changes", 0, "id"), "deals>companies/USER_DEFINED/28", "ID or action does not fit"),
        (("changes", 0, "action"), "create", "ID or action does not fit"),
        (("digest",), "sha256:" + "0" * 64, "its digest says sha256:0000"),
        (("summary", "create"), 0, "its summary does not count its changes"),
        (("summary", "update"), 2, "its summary does not count its changes"),
        (("summary", "delete"), 3, "its summary does not count its changes"),
    ],
)
def test_what_follows_from_the_changes_is_derived_again(
    made: Plan, path: tuple[str | int, ...], value: object, words: str
) -> None:
    """What the digest does not cover, and the digest itself."""
    with pytest.raises(PlanRefused, match=words):
        read_plan(edited(made, path, value))


def test_a_change_that_changes_nothing_is_refused(made: Plan) -> None:
    """Whatever its digest says."""
    first, *rest = made.changes
    same = replace(made, changes=(replace(first, before=first.after), *rest))
    with pytest.raises(PlanRefused, match="a change changes nothing"):
        read_plan(plan_json(same).encode())


USAGE = LimitUsage("0-1", "0-2", 3, 12, 40)


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ((replace(USAGE, to_id="0-3"),), "its usage is not of the directions"),
        ((USAGE, replace(USAGE, from_id="0-2", to_id="0-1")), "its usage is not of the directions"),
        ((USAGE, USAGE), "its usage is not of the directions"),
        ((replace(USAGE, near_limit=None),), "known and unknown at once"),
        ((replace(USAGE, at_limit=None),), "known and unknown at once"),
        ((replace(USAGE, unknown_because=UsageGap.NO_ANSWER),), "known and unknown at once"),
        ((replace(USAGE, at_limit=-1),), "usage.0.at_limit"),
        ((replace(USAGE, near_limit=2**53),), "usage.0.near_limit"),
        ((replace(USAGE, limit=-5),), "usage.0.limit"),
    ],
)
def test_usage_must_agree_with_the_plan(
    made: Plan, usage: tuple[LimitUsage, ...], words: str
) -> None:
    """It is of the directions in which a limit is set or lowered, once each, known or not."""
    assert read_plan(plan_json(replace(made, usage=(USAGE,))).encode()).usage == (USAGE,)
    with pytest.raises(PlanRefused, match=words):
        read_plan(plan_json(replace(made, usage=usage)).encode())


def test_a_plan_that_restricts_nothing_has_no_usage() -> None:
    """What is only raised or removed refuses nobody anything."""
    relaxing = plan(declared(limit(OBJECT, 5)), {OBJECT: 3, DECISION: 2})
    assert len(relaxing.changes) == 2
    with pytest.raises(PlanRefused, match="its usage is not of the directions"):
        read_plan(plan_json(replace(relaxing, usage=(USAGE,))).encode())


def test_two_changes_may_not_share_an_id(made: Plan) -> None:
    """Names may collide where IDs do not: a result could not say which one it means."""
    first, *rest = made.changes
    twin = replace(first, direction=replace(first.direction, to=ObjectType("2-9", "companies")))
    with pytest.raises(PlanRefused, match="two changes are of the same limit"):
        read_plan(plan_json(replace(made, changes=(first, twin, *rest))).encode())


def test_a_refusal_for_a_limit_that_is_not_protected_is_refused(made: Plan) -> None:
    """It would say of a change what its `protected` denies."""
    refusal = Refusal(RefusalCode.PROTECTED, "m", made.changes[0].id)
    with pytest.raises(PlanRefused, match="about a protected limit that it does not change"):
        read_plan(plan_json(replace(made, refusals=(refusal,))).encode())
