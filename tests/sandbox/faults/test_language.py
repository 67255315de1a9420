"""The rule language: what it takes, and what it says about the rest."""

from __future__ import annotations

import re

import pytest

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
def test_every_action_can_be_told(text: str, action: Action) -> None:
    """Each action with each of its arguments."""
    assert parse_fault(f"any:{text}").action == action


@pytest.mark.parametrize(
    ("text", "kind"),
    [("5", int), ("5.0", float), ("0", int), ("null", type(None)), ('"5"', str), ("five", str)],
)
def test_a_value_is_json_where_it_reads_as_json(text: str, kind: type) -> None:
    """5, 5.0 and null are told apart from the texts that look like them."""
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
def test_a_bad_rule_is_told_what_is_wrong(text: str, complaint: str) -> None:
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
