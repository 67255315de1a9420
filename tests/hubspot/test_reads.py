"""What reads bring: every shape HubSpot was seen to answer, and nothing that makes no sense."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.errors import AnswerNotSupported, PortalUnavailable
from reconciler.hubspot.portal import Portal
from reconciler.hubspot.portal import Portal as PortalClass
from reconciler.hubspot.versions import ApiVersion
from reconciler.hubspot.wire import NO_LIMIT
from reconciler.model.limits import (
    Account,
    AccountType,
    AssociationType,
    Category,
    CustomObject,
    ObservedDirection,
    ObservedLimit,
    TypeKey,
    UnknownRow,
)
from reconciler.model.plan import LimitUsage
from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import DEFAULT_TOKEN, Sandbox
from reconciler.sandbox.wire import Request
from tests.clock import VirtualClock
from tests.hubspot.support import (
    BILLING,
    CONTACTS_COMPANIES,
    OBJECT_LIMIT,
    always,
    answer,
    never,
    rows,
    sandboxed,
    scripted,
)
from tests.hubspot.test_versions import OPENAPI, document, helper


def test_rows_become_limits() -> None:
    """A missing or null maximum and 500000 mean no limit; a null label is the unlabelled type."""
    portal, transport = scripted(
        answer(
            200,
            {
                "results": [
                    {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None,
                     "userEnforcedMaxToObjectIds": 5, "fromObjectTypeId": None},
                    {"category": "USER_DEFINED", "typeId": 279, "label": "Other",
                     "userEnforcedMaxToObjectIds": None},
                    {"category": "USER_DEFINED", "typeId": 28, "label": "Billing contact"},
                    {"category": "WORK", "typeId": 9, "label": None,
                     "userEnforcedMaxToObjectIds": NO_LIMIT},
                ]
            },
        )
    )  # fmt: skip
    observed = portal.read(CONTACTS_COMPANIES, needs_labels=never)
    other = TypeKey(Category.USER_DEFINED, 279)
    work = TypeKey(Category.WORK, 9)
    assert observed == ObservedDirection(
        CONTACTS_COMPANIES,
        (
            ObservedLimit(AssociationType(OBJECT_LIMIT, None), 5),
            ObservedLimit(AssociationType(other, "Other"), None),
            ObservedLimit(AssociationType(BILLING, "Billing contact"), None),
            ObservedLimit(AssociationType(work, None), None),
        ),
    )
    assert len(transport.requests) == portal.requests == 1


def test_labels_are_read_only_where_they_are_needed() -> None:
    """The rows alone are judged first; then one more request."""
    labels = rows((OBJECT_LIMIT, None, None), (BILLING, "Billing contact", None))
    portal, transport = scripted(answer(200, rows((OBJECT_LIMIT, None, 5))), answer(200, labels))
    judged: list[ObservedDirection] = []

    def needed(observed: ObservedDirection) -> bool:
        judged.append(observed)
        return True

    observed = portal.read(CONTACTS_COMPANIES, needs_labels=needed)
    assert observed.labels == (
        AssociationType(OBJECT_LIMIT, None),
        AssociationType(BILLING, "Billing contact"),
    )
    assert [each.labels for each in judged] == [None]
    assert [request.url.rpartition("/")[2] for request in transport.requests] == ["0-2", "labels"]


def test_copies_of_a_row_are_one() -> None:
    """The same row twice says nothing else than once."""
    row = (OBJECT_LIMIT, None, 5)
    portal, _ = scripted(answer(200, rows(row, row)))
    assert len(portal.read(CONTACTS_COMPANIES, needs_labels=never).limits) == 1


GOOD: dict[str, Any] = {"category": "USER_DEFINED", "typeId": 28, "label": "A"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        "results",
        {"results": None},
        {"results": {}},
        {"results": [None]},
        {"results": [{**GOOD, "typeId": "28"}]},
        {"results": [{**GOOD, "typeId": 28.0}]},
        {"results": [{**GOOD, "typeId": True}]},
        {"results": [{**GOOD, "category": None}]},
        {"results": [{**GOOD, "label": 7}]},
        {"results": [GOOD, {**GOOD, "userEnforcedMaxToObjectIds": 5}]},
        {"results": [GOOD, {**GOOD, "label": "B"}]},
        {"results": [GOOD, {**GOOD, "userEnforcedMaxToObjectIds": 0}]},
        {"results": [{**GOOD, "typeId": 10**400}]},
        10**400,
    ],
)
def test_an_answer_that_makes_no_sense_is_never_taken_as_empty(document: object) -> None:
    """It is asked for three times, then the run fails and names the endpoint."""
    portal, transport = scripted(answer(200, document))
    with pytest.raises(PortalUnavailable, match=r"unusable answer to GET .*/0-1/0-2") as caught:
        portal.read(CONTACTS_COMPANIES, needs_labels=never)
    assert len(transport.requests) == 3
    assert not caught.value.may_have_been_written


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"<html>busy</html>", b'{"results": [', b"\xff\xfe", b"[" * 100_000],
)
def test_a_body_that_is_no_json_is_a_passing_fault(body: bytes) -> None:
    """It is asked for again as long as time allows; once it is sound, all is well."""
    sound = answer(200, rows((OBJECT_LIMIT, None, 5)))
    portal, _ = scripted(*[answer(200, body=body)] * 5, sound)
    assert portal.read(CONTACTS_COMPANIES, needs_labels=never).values() == {OBJECT_LIMIT: 5}
    clock = VirtualClock()
    portal, transport = scripted(answer(200, body=body), clock=clock)
    with pytest.raises(PortalUnavailable, match="unusable answer"):
        portal.read(CONTACTS_COMPANIES, needs_labels=never)
    assert len(transport.requests) > 5
    assert 50 < clock.now <= 60


ODD_LIMITS: dict[str, object] = {
    "0": 0,
    "-1": -1,
    "5.0": 5.0,
    "1000.0": 1e3,
    "5": "5",
    "true": True,
    "[]": [],
    '{"max": 5}': {"max": 5},
    "2147483648": 2**31,
    "Infinity": 10**400,
    "NaN": float("nan"),
    "x" * 60: "x" * 10_000,
}
ODD_ROWS: list[tuple[dict[str, object], str]] = [
    ({"category": "PARTNER_DEFINED"}, "the category of PARTNER_DEFINED/31"),
    ({"category": "user_defined"}, "the category of user_defined/31"),
    ({"category": ""}, "the category of /31"),
    ({"category": "A\x1b[2J\u202eB" * 99}, "the category of A [2J BA [2J B"),
    ({"typeId": 0}, "the type ID of USER_DEFINED/0"),
    ({"typeId": -3}, "the type ID of USER_DEFINED/-3"),
    ({"typeId": 2**31}, "the type ID of USER_DEFINED/2147483648"),
    ({"label": "\ud800"}, "the label of USER_DEFINED/31"),
]


ODD_ROWS += [
    ({"userEnforcedMaxToObjectIds": each}, f"the limit {shown} of USER_DEFINED/31")
    for shown, each in ODD_LIMITS.items()
]


@pytest.mark.parametrize(("odd", "words"), ODD_ROWS)
def test_a_row_that_this_version_does_not_know_stops_nothing_else(
    odd: dict[str, object], words: str
) -> None:
    """It is kept as unknown, in words of bounded length, and the answer is not asked for again."""
    row = {"category": "USER_DEFINED", "typeId": 31, "label": "Odd",
           "userEnforcedMaxToObjectIds": 5, **odd}  # fmt: skip
    known = rows((OBJECT_LIMIT, None, 5))["results"]
    assert isinstance(known, list)
    portal, transport = scripted(answer(200, {"results": [row, *known]}))
    observed = portal.read(CONTACTS_COMPANIES, needs_labels=never)
    assert observed.values() == {OBJECT_LIMIT: 5}
    assert [row.in_force for row in observed.unknown] == [True]
    said = str(observed.unknown[0])
    assert said.startswith(f"this version does not know {words}")
    assert len(said) < 250
    assert said.isprintable()
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    "odd", [{"category": "PARTNER_DEFINED"}, {"typeId": 0}, {"label": "\ud800"}]
)
def test_a_label_that_this_version_does_not_know_stops_nothing_else(
    odd: dict[str, object],
) -> None:
    """The other labels are known, and the row is reported."""
    entries = [{**GOOD, **odd}, {"category": "USER_DEFINED", "typeId": 30, "label": "B"}]
    portal, transport = scripted(answer(200, rows()), answer(200, {"results": entries}))
    observed = portal.read(CONTACTS_COMPANIES, needs_labels=always)
    assert [each.label for each in observed.labels or ()] == ["B"]
    assert [row.in_force for row in observed.unknown] == [False]
    assert len(transport.requests) == 2


CHAMPION = TypeKey(Category.USER_DEFINED, 31)
NAMELESS: dict[str, Any] = {
    "category": "USER_DEFINED", "typeId": 31, "userEnforcedMaxToObjectIds": 1
}  # fmt: skip


@pytest.mark.parametrize("row", [NAMELESS, {**NAMELESS, "label": ""}])
def test_a_row_without_its_label_is_resolved_by_the_labels(row: dict[str, Any]) -> None:
    """A key that is left out is not null: the row is not the unlabelled type."""
    labels = rows((OBJECT_LIMIT, None, None), (CHAMPION, "Champion", None))
    portal, _ = scripted(answer(200, {"results": [row]}), answer(200, labels))
    observed = portal.read(CONTACTS_COMPANIES, needs_labels=lambda seen: bool(seen.nameless))
    assert observed.limits == (ObservedLimit(AssociationType(CHAMPION, "Champion"), 1),)
    assert not observed.unknown


@pytest.mark.parametrize("entries", [[], [{"category": "USER_DEFINED", "typeId": 31}]])
def test_a_row_whose_label_nobody_states_is_unknown(entries: list[dict[str, object]]) -> None:
    """Neither the row nor the labels say it: the type is not touched."""
    portal, _ = scripted(answer(200, {"results": [NAMELESS]}), answer(200, {"results": entries}))
    observed = portal.read(CONTACTS_COMPANIES, needs_labels=always)
    assert [str(row) for row in observed.unknown] == [
        "this version does not know the label of USER_DEFINED/31"
    ]
    assert observed.untouchable == {CHAMPION}
    assert observed.values() == {}
    assert observed.unknown_limits == 1


def test_a_row_names_what_the_labels_leave_out() -> None:
    """A labels entry without a label takes nothing from a row that has it."""
    portal, _ = scripted(
        answer(200, rows((CHAMPION, "Champion", 1))),
        answer(200, {"results": [{"category": "USER_DEFINED", "typeId": 31}]}),
    )
    observed = portal.read(CONTACTS_COMPANIES, needs_labels=always)
    assert observed.types() == {CHAMPION: AssociationType(CHAMPION, "Champion")}
    assert not observed.unknown


PAGES: list[dict[str, Any]] = [
    {"next": {"after": "2"}},
    {"next": {"link": "?after=2"}, "prev": None},
]


@pytest.mark.parametrize("paging", PAGES)
@pytest.mark.parametrize("perform", ["limits", "labels", "all", "custom"])
def test_one_page_of_several_is_refused_at_once(paging: object, perform: str) -> None:
    """In words that fit, without a hint of proxies, and without asking again."""
    portal, transport = scripted(answer(200, {"results": [], "paging": paging}))
    performs: dict[str, Callable[[], object]] = {
        "limits": lambda: portal.read(CONTACTS_COMPANIES, needs_labels=never),
        "labels": lambda: portal.labels(CONTACTS_COMPANIES),
        "all": portal.all_limits,
        "custom": portal.custom_objects,
    }
    with pytest.raises(AnswerNotSupported, match="one page of several") as caught:
        performs[perform]()
    assert "does not read further pages" in caught.value.message
    assert "proxy" not in f"{caught.value.message} {caught.value.hint}"
    assert len(transport.requests) == 1


@pytest.mark.parametrize("paging", [None, {}, {"next": None}, {"prev": {"before": "1"}}])
def test_a_last_page_is_the_answer(paging: object) -> None:
    """Nothing comes after it."""
    portal, _ = scripted(answer(200, {**rows((OBJECT_LIMIT, None, 5)), "paging": paging}))
    assert portal.read(CONTACTS_COMPANIES, needs_labels=never).values() == {OBJECT_LIMIT: 5}


SOUND: dict[str, dict[str, Any]] = {
    "limits": {"results": []},
    "labels": {"results": []},
    "custom": {"results": []},
    "account": {"portalId": 7},
}
HOLLOW: list[tuple[int, dict[str, Any], str]] = [
    *((status, {}, "answered with 200") for status in (201, 202, 203, 204, 205, 206, 207, 226)),
    (200, {"errors": [{"message": "busy"}]}, "busy"),
    (200, {"errors": "busy"}, "busy"),
    (200, {"numErrors": 1}, "reports errors"),
    (200, {"numErrors": "1"}, "reports errors"),
    *(
        (200, {"status": each}, f"its status is {each}")
        for each in ("PENDING", "CANCELED", "error")
    ),
    (200, {"status": 200}, "its status is 200"),
    (200, {"status": False}, "its status is false"),
]


@pytest.mark.parametrize(("status", "extra", "words"), HOLLOW)
@pytest.mark.parametrize("what", list(SOUND))
def test_reads_take_200_alone_and_without_errors(
    what: str, status: int, extra: dict[str, Any], words: str
) -> None:
    """Anything else is asked for again while there is time, and never taken as empty."""
    hollow = answer(status, {**SOUND[what], **extra})

    def perform(portal: Portal) -> object:
        match what:
            case "limits":
                return portal.read(CONTACTS_COMPANIES, needs_labels=never)
            case "labels":
                return portal.labels(CONTACTS_COMPANIES)
            case "custom":
                return portal.custom_objects()
            case _:
                return portal.account()

    portal, transport = scripted(hollow, hollow, answer(200, SOUND[what]))
    perform(portal)
    assert len(transport.requests) == 3
    clock = VirtualClock()
    portal, _ = scripted(hollow, clock=clock)
    with pytest.raises(PortalUnavailable, match=words):
        perform(portal)
    assert 50 < clock.now <= 60


@pytest.mark.parametrize("extra", [{"errors": []}, {"numErrors": 0}, {"status": "COMPLETE"}])
def test_a_complete_answer_without_errors_is_taken(extra: dict[str, object]) -> None:
    """The envelope may be there."""
    portal, _ = scripted(answer(200, {**rows((OBJECT_LIMIT, None, 5)), **extra}))
    assert portal.read(CONTACTS_COMPANIES, needs_labels=never).values() == {OBJECT_LIMIT: 5}


@pytest.mark.parametrize("portal_id", [0, -1, 2**63, 10**4000, 7.0, None, "7", True])
def test_a_portal_id_that_none_can_have_is_refused(portal_id: object) -> None:
    """It would stand in plans, and is what keeps a plan from another portal."""
    body = json.dumps({"portalId": None}).replace(
        "null", "9" * 4001 if portal_id == 10**4000 else json.dumps(portal_id)
    )
    portal, transport = scripted(answer(200, body=body.encode()))
    with pytest.raises(PortalUnavailable, match="portalId is"):
        portal.account()
    assert len(transport.requests) == 3


def test_all_limits_may_name_a_type_twice() -> None:
    """Its rows carry no direction, so two directions may show the same type."""
    portal, _ = scripted(answer(200, rows((OBJECT_LIMIT, None, 5), (OBJECT_LIMIT, None, 7))))
    limits = [row.max for row in portal.all_limits() if not isinstance(row, UnknownRow)]
    assert limits == [5, 7]


def test_the_account() -> None:
    """A type of account that came later is unknown, not an error."""
    portal, _ = scripted(
        answer(200, {"portalId": 7, "accountType": "STANDARD", "uiDomain": "app.hubspot.com"}),
        answer(200, {"portalId": 7, "accountType": "GALACTIC"}),
        answer(200, {"portalId": 7}),
        answer(200, {"portalId": "7"}),
    )
    assert portal.account() == Account(7, AccountType.STANDARD)
    assert portal.account() == Account(7, AccountType.UNKNOWN)
    assert portal.account() == Account(7, AccountType.UNKNOWN)
    with pytest.raises(PortalUnavailable, match=r"portalId is not a whole number"):
        portal.account()


def test_custom_objects() -> None:
    """As the object schemas name them."""
    schema = {"objectTypeId": "2-9", "name": "car", "fullyQualifiedName": "p7_car", "labels": {}}
    bare = {"objectTypeId": "2-8", "name": "boat"}
    portal, _ = scripted(
        answer(200, {"results": [schema, bare]}),
        answer(200, {"results": [{"name": "car"}]}),
    )
    assert portal.custom_objects() == (
        CustomObject("2-9", "car", "p7_car"),
        CustomObject("2-8", "boat", "boat"),
    )
    with pytest.raises(PortalUnavailable, match="objectTypeId"):
        portal.custom_objects()


def test_usage_is_read_as_hubspot_states_it() -> None:
    """A limit that makes no sense is none; counts that make no sense are no answer."""
    told = {"limit": 5, "totalRecordsAtLimit": 1, "totalRecordsNearLimit": 2}
    portal, _ = scripted(
        answer(200, told),
        *(answer(200, told | {"limit": limit}) for limit in (500_000, 2**62, 0, -1, "5", None)),
        *(answer(200, told | {"totalRecordsAtLimit": count}) for count in (-1, None, "1")),
    )
    assert portal.usage(CONTACTS_COMPANIES) == LimitUsage("0-1", "0-2", 5, 1, 2)
    for _ in range(6):
        assert portal.usage(CONTACTS_COMPANIES) == LimitUsage("0-1", "0-2", None, 1, 2)
    with pytest.raises(PortalUnavailable, match="totalRecordsAtLimit"):
        portal.usage(CONTACTS_COMPANIES)


@pytest.mark.parametrize("version", ApiVersion)
def test_every_read_of_every_version_against_the_sandbox(version: ApiVersion) -> None:
    """The paths and shapes of all versions, over a real socket."""
    with sandboxed(version=version) as (portal, server):
        assert portal.account().account_type is AccountType.STANDARD
        observed = portal.read(CONTACTS_COMPANIES, needs_labels=always)
        labels = {each.label for each in observed.labels or ()}
        assert None in labels
        assert "Billing contact" in labels
        assert observed.values()
        assert portal.all_limits()
        assert portal.custom_objects()
        assert portal.usage(CONTACTS_COMPANIES) is not None
        assert portal.requests == len(server.requests) == 6


def read_limits(portal: Portal) -> object:
    """The limits of the one direction."""
    return portal.read(CONTACTS_COMPANIES, needs_labels=never)


def read_labels(portal: Portal) -> object:
    """The labels of the one direction."""
    return portal.labels(CONTACTS_COMPANIES)


def read_usage(portal: Portal) -> object:
    """The usage of the one direction."""
    return portal.usage(CONTACTS_COMPANIES)


READS: list[tuple[str, str, Callable[[Portal], object]]] = [
    ("associations-schema", r"/configurations/0-1/0-2$", read_limits),
    ("associations-schema", r"/labels$", read_labels),
    ("associations-schema", r"/all$", PortalClass.all_limits),
    ("account-info", r"/details$", PortalClass.account),
    ("object-schemas", r"/schemas$", PortalClass.custom_objects),
    ("limits-tracking", r"/associations/records/0-1/0-2$", read_usage),
]


@pytest.mark.skipif(not OPENAPI.is_dir(), reason="HubSpot's published documents are not here")
@pytest.mark.parametrize("version", ApiVersion)
@pytest.mark.parametrize(("family", "pattern", "perform"), READS)
def test_what_the_published_schemas_allow_is_understood(
    version: ApiVersion, family: str, pattern: str, perform: Callable[[Portal], object]
) -> None:
    """The least and the most that a schema asks for, made from HubSpot's own documents."""
    name = f"{family}.{version if family == 'associations-schema' else helper(version)}"
    published = document(name)
    path = next(
        path
        for path, item in published["paths"].items()
        if "get" in item and re.search(pattern, _named(path))
    )
    content = published["paths"][path]["get"]["responses"]["200"]["content"]
    schema = next(iter(content.values()))["schema"]
    for whole in (True, False):
        made = _example(schema, published, whole=whole)
        _check(made, schema, published)
        if family == "object-schemas" and not made["results"][0].get("objectTypeId"):
            continue
        portal, _ = scripted(answer(200, made), version=version)
        perform(portal)
        assert portal.requests == 1


@pytest.mark.skipif(not OPENAPI.is_dir(), reason="HubSpot's published documents are not here")
@pytest.mark.parametrize("version", ApiVersion)
def test_the_sandbox_answers_what_the_documents_say(version: ApiVersion) -> None:
    """The rows that the tests here are made of fit the published schema, labels of null apart."""
    sandbox = Sandbox(example_portal())
    path = f"/crm/associations/{version}/definitions/configurations/0-1/0-2"
    made = sandbox.handle(Request("GET", path, {"authorization": f"Bearer {DEFAULT_TOKEN}"}))
    results = json.loads(made.body)["results"]
    published = document(f"associations-schema.{version}")
    schema = published["components"]["schemas"]["PublicAssociationDefinitionUserConfiguration"]
    for row in results:
        _check({key: each for key, each in row.items() if each is not None}, schema, published)


def _named(path: str) -> str:
    filled = path.replace("{fromObjectType}", "0-1").replace("{toObjectType}", "0-2")
    return filled.replace("{fromObjectTypeId}", "0-1").replace("{toObjectTypeId}", "0-2")


def _check(made: object, schema: dict[str, Any], published: dict[str, Any]) -> None:
    Draft202012Validator({**schema, "components": published["components"]}).validate(made)


def _example(schema: dict[str, Any], published: dict[str, Any], *, whole: bool) -> Any:
    """An instance of a schema, with all its properties or the required ones only."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _example(published["components"]["schemas"][name], published, whole=whole)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            wanted = schema.get("properties", {})
            names = wanted if whole else schema.get("required", [])
            return {name: _example(wanted[name], published, whole=whole) for name in names}
        case "array":
            return [_example(schema["items"], published, whole=whole)]
        case "integer" | "number":
            return 3
        case "boolean":
            return True
        case _:
            return "2-123"
