"""A plan as a mermaid flowchart.

The syntax was tried with mermaid 10.9 and 11.17 in Chromium, hostile texts included.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.plan import Origin, Plan, Refusal, RefusalCode
from reconciler.report.mermaid import plan_mermaid, plans_mermaid
from reconciler.report.view import Unplanned
from tests.report.factory import (
    COMPANIES,
    CONTACTS,
    DEALS,
    HOSTILE,
    big_plan,
    change,
    hostile_plan,
    is_printable,
    label,
    object_limit,
    plan,
    small_changes,
)

LINE = re.compile(
    r"flowchart LR"
    r"|    accTitle: Association limits that change"
    r'|    (?:p\d+)?(?:t\d+|none|refused|rest|same)\["[^"\[\]|`<>{}()\\]+"\]'
    r'|    (?:p\d+)?d\d+\("[^"|`\[\]{}()\\]+"\)'
    r"|    (p\d+|)t\d+ (-->|==>|-\.->) \1d\d+ \2 \1t\d+"
    r'|    subgraph p\d+\["[^"\[\]|`<>{}()\\]+"\]|    end'
    r"|    linkStyle [\d,]+ stroke:#[0-9a-f]{6},stroke-width:\dpx"
)
"""Every line that may occur; the only tag in a label is our own line break."""


def test_flowchart() -> None:
    """Object types and what changes between them as nodes; the strongest effect decides the arrow."""
    assert (
        plan_mermaid(plan(*small_changes()))
        == """\
flowchart LR
    accTitle: Association limits that change
    t0["contacts"]
    t1["companies"]
    d0("↓ object limit 5 → 3<br/>#43; “Billing contact” unlimited → 2 #40;of 3#41;<br/>↓ “Primary” #40;HUBSPOT#95;DEFINED#41; 2 → 1 #40;of 3#41;")
    t0 ==> d0 ==> t1
    d1("− “Former employer” 10 → unlimited")
    t1 -.-> d1 -.-> t0
    linkStyle 0,1 stroke:#bf8700,stroke-width:3px
    linkStyle 2,3 stroke:#0969da,stroke-width:2px"""
    )


def test_no_changes() -> None:
    """A picture that says so is still a picture."""
    assert plan_mermaid(plan()).endswith('\n    none["No changes"]')


def test_a_plan_that_will_be_refused_says_so_first() -> None:
    """Why, by code; also where nothing changes."""
    refusals = (Refusal(RefusalCode.PROTECTED, "m", "id"), Refusal(RefusalCode.MAX_DELETES, "m"))
    for text in (
        plan_mermaid(plan(*small_changes(), refusals=refusals)),
        plan_mermaid(plan(refusals=refusals)),
    ):
        assert text.splitlines()[2] == (
            '    refused["apply will refuse this plan#58; max#95;deletes#44; protected"]'
        )
        assert_well_formed(text)


def test_crowded_edges_are_cut() -> None:
    """Four limits are named, the others counted; drift is named on its line."""
    changes = [
        change(CONTACTS, CONTACTS, label(f"Label {index}", index), None, 1, origin=Origin.DRIFT)
        for index in range(1, 8)
    ]
    (node,) = re.findall(r"d0\(.*", plan_mermaid(plan(*changes)))
    assert node.count("<br/>") == 4
    assert "“Label 4” unlimited → 1 #40;drift#41;<br/>and 3 more" in node


def test_what_will_be_refused_is_red() -> None:
    """And nothing else is."""
    lowered = change(CONTACTS, COMPANIES, object_limit(), 2, 1)
    raised = change(COMPANIES, DEALS, object_limit(), 1, 2)
    refusal = Refusal(RefusalCode.PROTECTED, "m", lowered.id)
    styles = re.findall(r"linkStyle.*", plan_mermaid(plan(lowered, raised, refusals=(refusal,))))
    assert styles == [
        "linkStyle 2,3 stroke:#0969da,stroke-width:2px",
        "linkStyle 0,1 stroke:#cf222e,stroke-width:3px",
    ]


def test_directions_that_restrict_stay() -> None:
    """Where not all can be drawn, those that restrict are, and the rest is counted."""
    text = plan_mermaid(
        plan(
            change(CONTACTS, COMPANIES, object_limit(), 1, 2),
            change(COMPANIES, DEALS, object_limit(), 1, 2),
            change(DEALS, CONTACTS, object_limit(), 2, 1),
        ),
        directions=1,
    )
    assert '    d0("↓ object limit 2 → 1")\n    t0 ==> d0 ==> t1\n' in text
    assert '    rest["2 directions more#44; not drawn"]' in text
    assert "companies" not in text


def test_mermaid_takes_a_big_plan() -> None:
    """Below mermaid's limits of 500 edges and 50,000 characters, in under half a second."""
    big = big_plan()
    start = time.process_time()
    text = plan_mermaid(big)
    assert time.process_time() - start < 0.5
    assert len(text) <= 48_000
    assert 100 < len(re.findall(r"t\d+ (?:-->|==>|-\.->)", text)) <= 240


# ---------------------------------------------------------------- several portals


def named(name: str, of: Plan) -> Plan:
    """A plan for a portal of this name."""
    return replace(of, portal=replace(of.portal, name=name))


def test_several_portals_are_one_flowchart() -> None:
    """A frame each, their nodes and edges apart; those without changes are counted."""
    lowered = change(CONTACTS, COMPANIES, object_limit(), 2, 1)
    raised = change(DEALS, CONTACTS, label("VIP"), 1, 2)
    refusal = Refusal(RefusalCode.MAX_CHANGES, "too many")
    shown: list[Plan | Unplanned] = [
        named("one", plan(lowered)),
        named("same", plan()),
        named("two", plan(raised, refusals=(refusal,))),
        Unplanned("three", "no token"),
    ]
    assert (
        plans_mermaid(shown)
        == """\
flowchart LR
    accTitle: Association limits that change
    subgraph p0["one"]
    p0t0["contacts"]
    p0t1["companies"]
    p0d0("↓ object limit 2 → 1")
    p0t0 ==> p0d0 ==> p0t1
    end
    subgraph p1["two"]
    p1refused["apply will refuse this plan#58; max#95;changes"]
    p1t0["deals"]
    p1t1["contacts"]
    p1d0("↑ “VIP” 1 → 2")
    p1t0 --> p1d0 --> p1t1
    end
    subgraph p2["three"]
    p2none["no plan#58; no token"]
    end
    linkStyle 0,1 stroke:#bf8700,stroke-width:3px
    linkStyle 2,3 stroke:#0969da,stroke-width:2px
    same["1 portal without changes"]"""
    )


def test_one_portal_has_no_frame() -> None:
    """As `plan_mermaid` draws it."""
    of = plan(*small_changes())
    assert plans_mermaid([of]) == plan_mermaid(of)


@pytest.mark.parametrize("portals", [7, 600])
def test_mermaid_takes_many_portals(portals: int) -> None:
    """Below its limits, in seconds; what is not drawn is counted."""
    big = big_plan(300)
    many = [named(f"portal {number}", big) for number in range(portals)]
    start = time.process_time()
    text = plans_mermaid(many)
    assert time.process_time() - start < 5
    assert len(text) <= 48_000
    assert len(re.findall(r"t\d+ (?:-->|==>|-\.->)", text)) <= 240
    assert_well_formed(text)
    left_out = portals - text.count("subgraph")
    assert (f'rest["{left_out} portals more#44; not drawn"]' in text) is (portals == 600)
    assert (left_out == 0) is (portals == 7)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_of_portals_are_no_syntax(kind: str) -> None:
    """Of those with and without a plan."""
    text = HOSTILE[kind]
    assert_well_formed(plans_mermaid([hostile_plan(text), Unplanned(text, text)]))


# ---------------------------------------------------------------- hostile texts


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_no_syntax(kind: str) -> None:
    """Only lines of the known shapes."""
    assert_well_formed(plan_mermaid(hostile_plan(HOSTILE[kind])))


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_any_text_is_no_syntax(text: str) -> None:
    """Whatever the name."""
    assert_well_formed(plan_mermaid(hostile_plan(text)))


def assert_well_formed(text: str) -> None:
    """Every line has one of the shapes, and no tag but our own."""
    lines = text.split("\n")
    assert all(LINE.fullmatch(line) for line in lines), text
    assert all(map(is_printable, lines))
    assert set(
        re.findall(r"<[^>]*>", text.replace("-->", "").replace("==>", "").replace("-.->", ""))
    ) <= {"<br/>"}
