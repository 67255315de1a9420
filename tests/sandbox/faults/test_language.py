"""The rule language: what it accepts, what it says about the rest, and when a rule applies."""

from __future__ import annotations

import re

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.faults import language
from reconciler.sandbox.faults.actions import (
    Action,
    Alter,
    Body,
    Cancel,
    Delay,
    Drop,
    Edit,
    First,
    Flap,
    Hang,
    Huge,
    Lag,
    Lose,
    Nulls,
    Omit,
    OmitKeys,
    Part,
    Pend,
    Put,
    Rate,
    Redirect,
    Refuse,
    Row,
    Say,
    Status,
    Success,
    Trickle,
)
from reconciler.sandbox.faults.language import FaultError, parse_fault
from reconciler.sandbox.faults.vocabulary import Arguments, read_action
from reconciler.sandbox.portal import Category
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Request
from tests.sandbox.talking import (
    AUTHORIZED,
    batch_path,
    get,
    limits_path,
    object_limit,
    one,
    options,
    send,
    write,
)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("503", Status(503)),
        ("502,body=html,wrote=yes", Status(502, Body.HTML, 0.0)),
        ("477,retry-after=60", Status(477, retry_after="60")),
        ("429,policy=DAILY", Status(429, policy="DAILY")),
        ("403,scopes=a.read+b.read", Status(403, scopes=("a.read", "b.read"))),
        ("400,wrote=2.5", Status(400, wrote=2.5)),
        ("400,wrote=no", Status(400)),
        ("202", Success(202)),
        ("207,body=cut", Success(207, Body.CUT)),
        ("drop", Drop()),
        ("drop,wrote=yes", Drop(0.0)),
        ("hang,seconds=1.5", Hang(1.5)),
        ("delay,seconds=2", Delay(2.0)),
        ("trickle,seconds=2", Trickle(2.0)),
        ("lose", Lose()),
        ("cancel", Cancel()),
        ("pend", Pend()),
        ("pend,seconds=3", Pend(3.0)),
        ("part,inputs=1+3", Part(inputs=frozenset({1, 3}))),
        ("part,types=28", Part(types=frozenset({28}))),
        ("refuse,types=28+29", Refuse(frozenset({28, 29}))),
        ("alter,type=28,as=7", Alter(28, 7)),
        ("omit,types=28", Omit(frozenset({28}))),
        ("omit,keys=label+category", OmitKeys(frozenset({"label", "category"}))),
        ("omit,keys=label,types=28+29", OmitKeys(frozenset({"label"}), frozenset({28, 29}))),
        ("put,key=category,value=MYSTERY", Put("category", "MYSTERY")),
        ("put,key=typeId,value=-1,types=28", Put("typeId", -1, frozenset({28}))),
        ("row,type=99", Row(99)),
        ("row,type=99,category=X,label=Ça va,max=5", Row(99, "X", "Ça va", 5)),
        ("say,key=status,value=PENDING", Say(("status",), "PENDING")),
        ("say,key=paging.next.after,value=2", Say(("paging", "next", "after"), 2)),
        ('say,key=errors,value=[{"message":"no"}]', Say(("errors",), [{"message": "no"}])),
        ("redirect,to=https://example.com:8443/x?a=b", Redirect("https://example.com:8443/x?a=b")),
        ("redirect,to=/x,code=301", Redirect("/x", 301)),
        ("huge,mb=5", Huge(5)),
        ("huge,mb=5,framing=length", Huge(5, chunked=False)),
        ("lag,seconds=2", Lag(2.0)),
        ("flap", Flap()),
        ("flap,seconds=2", Flap(2.0)),
        ("flap,reads=3,first=new", Flap(reads=3, first=First.NEW)),
        ("nulls", Nulls()),
        ("rate,max=100,remaining=0", Rate(100, 0)),
        ("rate,max=100,remaining=0,interval=1000", Rate(100, 0, 1000)),
        ("edit,from=deals,to=0-1,type=32,max=7", Edit("deals", "0-1", 32, 7)),
        (
            "edit,from=deals,to=0-1,type=32,max=none,category=USER_DEFINED",
            Edit("deals", "0-1", 32, None, Category.USER_DEFINED),
        ),
    ],
)
def test_every_action_can_be_written(text: str, action: Action) -> None:
    """Each action with each of its arguments."""
    assert parse_fault(f"any:{text}").action == action


@pytest.mark.parametrize(
    ("text", "kind"),
    [("5", int), ("5.0", float), ("0", int), ("null", type(None)), ('"5"', str), ("five", str)],
)
def test_a_value_is_json_where_it_reads_as_json(text: str, kind: type) -> None:
    """5, 5.0 and null are distinguished from the texts that look like them."""
    action = parse_fault(f"read:put,key=userEnforcedMaxToObjectIds,value={text}").action
    assert isinstance(action, Put)
    assert type(action.value) is kind


@pytest.mark.parametrize(
    ("when", "covered"),
    [
        ("read", [1, 2, 3, 4, 5]),
        ("read*", [1, 2, 3, 4, 5]),
        ("read#2", [2]),
        ("read#2-3", [2, 3]),
        ("read#4-", [4, 5]),
    ],
)
def test_requests_are_chosen_by_number(when: str, covered: list[int]) -> None:
    """All, one, a range, or all from one on; counted from 1."""
    fault = parse_fault(f"{when}:503")
    assert [number for number in range(1, 6) if fault.covers(number)] == covered


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not a fault rule"),
        ("read", "is not a fault rule"),
        ("read:", "is not a fault rule"),
        ("read#x:503", "is not a fault rule"),
        ("read@contacts:503", "is not a fault rule"),
        ("reed:503", "reed is not an operation"),
        ("read:explode", "explode is not an action"),
        ("read:302", "302 is not a status from 200 to 299 or 400 to 599"),
        ("read:202,wrote=yes", "wrote means nothing here"),
        ("update:400,wrote=soon", "wrote takes seconds, not soon"),
        ("read:flap,seconds=1,reads=2", "seconds and reads cannot both be given"),
        ("read:flap,first=both", "first is one of old, new"),
        ("read:put,key=label", "value=… is missing"),
        ("read:row,label=A", "type=… is missing"),
        ("read:say,value=1", "key=… is missing"),
        ("read:503,body=xml", "body is one of json, html, empty, cut, short, not xml"),
        ("read:503,color=red", "color means nothing here"),
        ("read:hang", "seconds=… is missing"),
        ("read:hang,seconds=long", "takes seconds"),
        ("read:hang,seconds=-1", "0 to 86400"),
        ("read:hang,seconds=nan", "0 to 86400"),
        ("write:part", "inputs=… or types=… is missing"),
        ("write:refuse", "types=… is missing"),
        ("write:refuse,types=a", "whole numbers"),
        ("write:alter,type=1", "as=… is missing"),
        ("write:drop,wrote", "should be key=value"),
        ("write:drop,wrote=", "should be key=value"),
        ("write:drop,wrote=no,wrote=yes", "given twice"),
        ("any:redirect,to=/x,code=200", "200 is not a redirect"),
        ("any:edit,from=a,to=b,type=1,max=many", "max takes a whole number or none"),
        ("any:edit,from=a,to=b,type=1,max=1,category=MINE", "category is one of"),
        ("any:429,policy=HOURLY", "policy is one of"),
        ("any:huge,mb=1,framing=none", "framing is one of"),
        (f"any:edit,from=a,to=b,type=1,max={'9' * 5_000}", "max takes a whole number or none"),
        (f"any:row,type={'9' * 5_000}", "type takes whole numbers"),
        (f"any#{'9' * 5_000}:503", "is not a fault rule"),
        (f"any:{'5' * 5_000}", "is not an action"),
    ],
)
def test_a_bad_rule_is_refused_with_a_reason(text: str, complaint: str) -> None:
    """The message names the rule and the mistake."""
    with pytest.raises(FaultError, match=re.escape(complaint)):
        parse_fault(text)


def test_the_documentation_names_every_action() -> None:
    """What `--fault help` prints lacks no action of the vocabulary."""
    complaint = ""
    try:
        read_action("unknown", Arguments({}))
    except ValueError as error:
        complaint = str(error)
    known = re.findall(r"[a-z]+", complaint.partition("Known are ")[2].partition(", or a")[0])
    documented = re.findall(r"^    ([a-z]+)", language.__doc__ or "", re.MULTILINE)
    assert set(known) == set(documented)
    assert len(known) == 21


ACCOUNT = "/account-info/2026-03/details"
ALL = "/crm/associations/2026-03/definitions/configurations/all"
LABELS = "/crm/associations/2026-03/contacts/companies/labels"
SCHEMAS = "/crm-object-schemas/2026-03/schemas"
USAGE = "/crm/limits/2026-03/associations/records/0-1/0-2"


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ("read", {"read"}),
        ("all", {"all"}),
        ("labels", {"labels"}),
        ("update", {"update"}),
        ("create", {"create"}),
        ("purge", {"purge"}),
        ("write", {"update", "create", "purge"}),
        ("limits", {"read", "all", "update", "create", "purge"}),
        ("account", {"account"}),
        ("schemas", {"schemas"}),
        ("usage", {"usage"}),
        ("POST", {"update", "create", "purge"}),
        ("GET", {"read", "all", "labels", "account", "schemas", "usage"}),
        (
            "any",
            {
                "read",
                "all",
                "labels",
                "update",
                "create",
                "purge",
                "account",
                "schemas",
                "usage",
            },
        ),
    ],
)
def test_a_rule_strikes_its_operations_only(when: str, struck: set[str]) -> None:
    """Operations, groups and methods select what their names say."""
    sandbox = Sandbox(example_portal(), options(f"{when}:503"))
    responses = {
        "read": get(sandbox, limits_path("2026-03")),
        "all": get(sandbox, ALL),
        "labels": get(sandbox, LABELS),
        "update": write(sandbox, "update", one(28, 2)),
        "create": write(sandbox, "create", one(30, 2)),
        "purge": write(sandbox, "purge", one(28)),
        "account": get(sandbox, ACCOUNT),
        "schemas": get(sandbox, SCHEMAS),
        "usage": get(sandbox, USAGE),
    }
    assert {name for name, response in responses.items() if response.status == 503} == struck


def test_a_rule_counts_the_requests_it_selects() -> None:
    """`#2-3` are the second and third read, whatever else happens in between."""
    sandbox = Sandbox(example_portal(), options("read#2-3:503"))
    statuses = []
    for _ in range(4):
        get(sandbox, ACCOUNT)
        statuses.append(get(sandbox, limits_path("v4")).status)
    assert statuses == [200, 503, 503, 200]


def test_a_rule_ends_after_so_many_uses() -> None:
    """`times=2` strikes twice and then no more."""
    sandbox = Sandbox(example_portal(), options("read:503,times=2"))
    assert [get(sandbox, limits_path("v4")).status for _ in range(4)] == [503, 503, 200, 200]


def test_a_rule_can_be_about_one_direction() -> None:
    """Compared as object types, so that IDs and names are the same; others are not counted."""
    sandbox = Sandbox(example_portal(), options("read@contacts/companies#2:503"))
    paths = [("0-1", "0-2"), ("companies", "contacts"), ("Contact", "company"), ("0-1", "0-2")]
    statuses = [get(sandbox, limits_path("v4", *path)).status for path in paths]
    assert statuses == [200, 200, 503, 200]


def test_the_first_rule_that_decides_an_answer_wins() -> None:
    """Later ones are counted all the same."""
    sandbox = Sandbox(example_portal(), options("read#1:503", "any#1-2:404"))
    assert [get(sandbox, limits_path("v4")).status for _ in range(3)] == [503, 404, 200]


def test_edits_headers_and_delays_go_along_with_other_rules() -> None:
    """An edit, rate headers, a delay and a status strike one request together."""
    sandbox = Sandbox(
        example_portal(),
        options(
            "any:503,times=1",
            "any#1:edit,from=contacts,to=companies,type=28,max=4",
            "any#1:rate,max=100,remaining=1",
            "any#1:delay,seconds=2",
            "any#1:delay,seconds=1",
        ),
    )
    response = get(sandbox, limits_path("v4"))
    assert (response.status, response.delay) == (503, 3.0)
    assert dict(response.headers)["X-HubSpot-RateLimit-Remaining"] == "1"
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 4


def test_a_refusal_by_type_counts_only_batches_with_the_type() -> None:
    """`#2` of a rule about type 28 is the second batch that has it."""
    sandbox = Sandbox(example_portal(), options("write#2:refuse,types=28"))
    statuses = [
        write(sandbox, "update", *inputs).status
        for inputs in ([one(28, 2)], [one(30, 2)], [one(30, 2), one(28, 2)], [one(28, 2)])
    ]
    assert statuses == [200, 200, 400, 200]


def test_requests_without_the_token_are_not_counted() -> None:
    """Numbers in a rule are about requests that get as far as HubSpot's endpoints."""
    sandbox = Sandbox(example_portal(), options("read#1:503"))
    assert sandbox.handle(Request("GET", limits_path("v4"))).status == 401
    assert sandbox.handle(Request("GET", limits_path("v4"), AUTHORIZED)).status == 503


def test_a_malformed_batch_is_counted_and_answered_as_usual() -> None:
    """A rule that misreports batches has nothing to say about a body that is none."""
    sandbox = Sandbox(example_portal(), options("write:lose", "write@car/0-1:503"))
    assert send(sandbox, "POST", batch_path("update"), {}).status == 400
    assert send(sandbox, "POST", batch_path("update", start="car"), {}).status == 400
    assert write(sandbox, "update", object_limit(9)).status == 200
    assert sandbox.limits("contacts", "companies")["HUBSPOT_DEFINED", 279] == 5
