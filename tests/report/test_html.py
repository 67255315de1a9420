"""A plan as an HTML page, as far as it can be judged without a browser."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.limits import (
    Account,
    AccountType,
    ConfigFile,
    Direction,
    ObjectType,
    Place,
)
from reconciler.model.plan import (
    Change,
    GitState,
    Origin,
    Plan,
    PortalRef,
    Refusal,
    RefusalCode,
)
from reconciler.model.portals import LimitInForce, PortalStatus, Standing
from reconciler.report.html import plan_html, plans_html, status_html, statuses_html
from reconciler.report.matrix import MOST_CELLS
from reconciler.report.view import Unplanned
from tests.calls import calls
from tests.report.factory import (
    COMPANIES,
    CONTACTS,
    DEALS,
    FILE,
    HOSTILE,
    big_plan,
    change,
    hostile_plan,
    is_printable,
    label,
    object_limit,
    plan,
    reviewed_plan,
    small_changes,
)
from tests.report.page import Element, every, read

TAGS = {
    *("html", "head", "meta", "title", "link", "style", "body", "header", "main", "footer"),
    *(
        "section",
        "div",
        "p",
        "br",
        "wbr",
        "h1",
        "h2",
        "h3",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "thead",
    ),
    *("tbody", "tr", "th", "td", "b", "i", "small", "span", "bdi", "code", "a", "fieldset"),
    *("legend", "label", "input", "details", "summary", "select", "option", "button", "script"),
}
ATTRIBUTES = {
    *("class", "id", "href", "tabindex", "role", "scope", "lang", "charset", "name", "content"),
    *("http-equiv", "rel", "type", "checked", "hidden", "value", "placeholder", "autocomplete"),
    *("aria-label", "aria-labelledby", "colspan"),
}

PROTECT = "--force does not override this: take protect off in a change of its own."


def links(place: Place) -> str:
    """As a forge links a line at a commit."""
    return f"https://github.com/acme/limits/blob/{'c0ffee' * 6}c0de/{place.path}#L{place.line}"


def page(of: Plan) -> str:
    """The page with links."""
    return plan_html(of, links=links)


# ---------------------------------------------------------------- what it says


def test_every_change_has_a_row() -> None:
    """Effect, direction, limit, values with the reason below, and the line; what restricts first."""
    root = read(page(plan(*small_changes())))
    into, back = "contacts → companies", "companies → contacts"
    assert rows(root) == [
        ("↓ lowered", into, "object limit", "5 → 3", f"{FILE[8:]}:4"),
        ("↓ lowered", into, "“Primary” HUBSPOT_DEFINED", "2 → 1 (of 3)", f"{FILE[8:]}:7"),
        (
            "+ new limit",
            into,
            "“Billing contact”",
            "unlimited → 2 (of 3)one invoice address and a stand-in",
            f"{FILE[8:]}:6",
        ),
        ("− removed", back, "“Former employer”", "10 → unlimited", f"{FILE[8:]}:9"),
    ]


def rows(root: Element) -> list[tuple[str, ...]]:
    """The cells of every change, table after table."""
    return [
        tuple(cell.text.replace("\n", "") for cell in row.children)
        for table in root.all("table", "changes")
        for body in table.all("tbody")
        for row in body.all("tr")
    ]


def headings(root: Element) -> list[list[str]]:
    """The column headings of each table of changes."""
    return [
        [each.text for each in table.all("thead")[0].all("th")]
        for table in root.all("table", "changes")
    ]


def test_lines_are_links() -> None:
    """Short where the host is known; otherwise nothing is linked, and the path is complete."""
    root = read(page(plan(*small_changes())))
    (table,) = root.all("table", "changes")
    assert next((a.text, a.attributes["href"]) for a in table.all("a")) == (
        "contacts-companies.yaml:4",
        links(Place(FILE, 4, 9)),
    )
    without = read(plan_html(plan(*small_changes())))
    assert not without.all("table", "changes")[0].all("a")
    assert [each[-1] for each in rows(without)] == [f"{FILE}:{line}" for line in (4, 7, 6, 9)]


def test_who_is_affected() -> None:
    """In a column of its own, of the tables that have something in it; unknown is never 0."""
    root = read(page(reviewed_plan()))
    assert headings(root) == [
        ["Effect", "Direction", "Limit", "Change", "Who is affected", "Line"],
        ["Effect", "Direction", "Limit", "Change", "Line"],
        ["Effect", "Direction", "Limit", "Change", "Who is affected", "Line"],
    ]
    found = rows(root)
    assert [each[4] for each in found[:7]] == [
        "12 records at the present limit, 40 near it",
        *[""] * 6,
    ]
    assert found[10][4] == "usage unknown: needs a crm.objects.*.read scope"


def test_no_empty_column_is_printed() -> None:
    """Neither usage that nobody asked for nor lines of limits that no file names."""
    bare = read(page(plan(change(CONTACTS, COMPANIES, object_limit(), 5, None))))
    assert headings(bare) == [["Effect", "Direction", "Limit", "Change"]]
    assert rows(bare) == [
        ("− removed", "contacts → companies", "object limit", "5 → unlimited"),
    ]


def test_what_is_refused_is_marked() -> None:
    """Its row says so, and the reason above leads to it."""
    raised = change(CONTACTS, COMPANIES, object_limit(), 5, 6)
    refused = change(DEALS, CONTACTS, object_limit(), 5, 4)
    refusal = Refusal(RefusalCode.PROTECTED, "no", refused.id)
    root = read(page(plan(raised, refused, refusals=(refusal,))))
    (link,) = [a for a in root.all("a") if a.text == "Show the limit"]
    (row,) = [tr for tr in root.all("tr") if tr.attributes.get("id") == link.attributes["href"][1:]]
    assert row.attributes["class"] == "lowered refused"
    assert row.children[2].text == "object limit refused"


def test_a_protected_limit_is_marked() -> None:
    """Before anybody tries to lower it further."""
    (protected, *_) = small_changes()
    root = read(page(plan(replace(protected, protected=True))))
    assert rows(root)[0][2] == "object limit protected"


def test_header_and_footer() -> None:
    """Where it goes, what happens to how many limits, and where the plan comes from."""
    git = GitState("a" * 40, dirty=True, base="b" * 40)
    shown = plan(*small_changes(), unchanged=7, unmanaged=1, git=git)
    root = read(page(shown))
    (header,), (footer,) = root.all("header"), root.all("footer")
    assert header.all("h1")[0].text == "production"
    assert header.all("p", "facts")[0].text == "Portal 1234567, STANDARD, API 2026-03"
    verdict = "Apply will change 4 limits: 2 lowered, 1 new limit, 1 removed."
    assert header.all("p", "verdict")[0].text == verdict
    assert [each.text.strip() for each in header.all("label")] == [
        "↓ lowered 2",
        "+ new limit 1",
        "− removed 1",
    ]
    assert [each.text for each in header.all("li")] == [
        "7 unchanged",
        "1 unmanaged, left alone",
        "By object type",
    ]
    assert shown.digest in footer.text
    assert "a" * 40 in footer.text
    assert ", with uncommitted changes" in footer.text
    assert "b" * 40 in footer.text


def test_the_first_lines_answer_what_happens() -> None:
    """Verdict, counts by origin as filters, the refusal, then the first row, in this order."""
    html = page(reviewed_plan())
    (header,) = read(html).all("header")
    assert header.all("p", "verdict")[0].text == (
        "Apply will refuse this plan: 1 lowered, 1 removed, 5 raised · 3 drifted · 1 in conflict."
    )
    (origins, effects) = header.all("fieldset")
    assert [each.text.strip() for each in origins.all("label")] == [
        "This branch 7",
        "Drift 3",
        "Conflict 1",
    ]
    assert [each.text.strip() for each in effects.all("label")] == [
        "↓ lowered 4",
        "+ new limit 1",
        "− removed 1",
        "↑ raised 5",
    ]
    places = [html.index(each) for each in ("12 unchanged", "This branch", "is protected", "<td>")]
    assert places == sorted(places)


def test_refusals_come_before_the_changes_and_warnings_after() -> None:
    """A link at the top leads to the warnings, so that they take no room from the changes."""
    refusals = (
        Refusal(RefusalCode.MAX_DELETES, "25 limits would be deleted; max_deletes allows 20"),
        Refusal(RefusalCode.PROTECTED, "a limit is protected at 3", "id", Place(FILE, 6, 3)),
    )
    html = page(plan(*small_changes(), refusals=refusals, warnings=("look twice",)))
    root = read(html)
    refused, warned = root.all("section", "notice")
    assert [each.text for each in refused.all("li")] == [
        "25 limits would be deleted; max_deletes allows 20. --force overrides this threshold.",
        f"a limit is protected at 3 ({FILE[8:]}:6). {PROTECT}",
    ]
    assert [each.text for each in warned.all("li")] == ["look twice"]
    assert "1 warning" in [each.text for each in root.all("header")[0].all("a")]
    assert html.index("Why apply will refuse") < html.index("<table") < html.index("look twice")


def test_many_refusals_are_folded() -> None:
    """Two are shown, so that the first change is on the first screen; the others on demand."""
    changes = [change(CONTACTS, COMPANIES, label(f"L{n}", n), 5, 4, line=n) for n in range(1, 21)]
    refusals = tuple(
        Refusal(RefusalCode.PROTECTED, f"limit {n} is protected", each.id, each.source)
        for n, each in enumerate(changes, 1)
    )
    (notice,) = read(page(plan(*changes, refusals=refusals))).all("section", "notice")
    (folded,) = notice.all("details")
    assert folded.all("summary")[0].text == "18 more"
    assert (len(notice.all("li")), len(folded.all("li"))) == (20, 18)


def test_drift_and_conflicts_have_tables_of_their_own() -> None:
    """One table for each origin, in this order whatever the plan's, with what it means."""
    conflict = change(CONTACTS, DEALS, label("B", 2), 3, 4, line=4, origin=Origin.CONFLICT)
    drift = change(CONTACTS, DEALS, label("A", 1), 3, None, line=3, origin=Origin.DRIFT)
    root = read(page(plan(conflict, drift, *small_changes(Origin.CONFIG))))
    assert [
        (each.attributes["class"], each.all("h2")[0].text, len(each.all("table")))
        for each in root.all("section", "origin")
    ] == [
        ("origin config", "This branch (4)", 1),
        ("origin drift", "Drift (1): somebody changed these in HubSpot; apply puts them back", 1),
        ("origin conflict", "Conflict (1): changed here and in HubSpot; the file wins", 1),
    ]


def test_no_changes() -> None:
    """No table, no filters, no script, one sentence; also where such a plan is refused."""
    html = page(plan(unchanged=3))
    root = read(html)
    assert not root.all("table")
    assert not root.all("input")
    assert "<script" not in html
    verdict = "No changes. The portal matches the configuration."
    assert root.all("p", "verdict")[0].text == verdict
    gone = Refusal(RefusalCode.VANISHED, "a label is gone")
    assert "Apply will refuse this plan." in page(plan(refusals=(gone,)))


def test_many_files_are_folded() -> None:
    """The list is there, and does not push the rest away."""
    files = tuple(ConfigFile(f"configs/{index}.yaml", "ab" * 32) for index in range(300))
    many = replace(plan(*small_changes()), files=files)
    (details,) = read(page(many)).all("details")
    assert details.all("summary")[0].text == "300 files"
    assert details.all("li")[-1].text == "and 100 more"


# ---------------------------------------------------------------- the matrix of object types


def test_the_matrix_says_how_limits_change() -> None:
    """From the row's object type to the column's; drift and conflicts on lines of their own."""
    root = read(page(reviewed_plan()))
    (matrix,) = root.all("table", "matrix")
    assert [[cell.text for cell in row.children] for row in matrix.all("tr")] == [
        ["from \\ to", "car", "companies", "contacts", "deals", "tickets"],
        ["car", "", "", "↑2", "", ""],
        ["companies", "", "", "↑1⚠↓1", "", ""],
        ["contacts", "↓1", "↑1↯↓1", "", "−1", "⚠+1"],
        ["deals", "", "", "↑1⚠↓1", "", ""],
        ["tickets", "", "", "", "", ""],
    ]
    kinds = [each.attributes["class"] for each in matrix.all("td") if each.children]
    assert kinds == [
        "relaxes",
        "restricts",
        "restricts",
        "refused",
        "relaxes",
        "restricts",
        "restricts",
    ]
    assert [a.attributes["aria-label"] for a in matrix.all("a")] == [
        "car → contacts: 2 raised",
        "companies → contacts: 1 raised; drift: 1 lowered",
        "contacts → car: 1 lowered",
        "contacts → companies: 1 raised; conflict: 1 lowered; apply will refuse it",
        "contacts → deals: 1 removed",
        "contacts → tickets: drift: 1 new limit",
        "deals → contacts: 1 raised; drift: 1 lowered",
    ]


def test_object_types_without_changes_are_spare() -> None:
    """Nothing leads from companies and deals, nothing to contacts: a switch shows them."""
    changes = [change(CONTACTS, to, object_limit(), 5, 6) for to in (COMPANIES, DEALS)]
    root = read(page(plan(*changes)))
    (matrix,) = root.all("table", "matrix")
    assert [[cell.text for cell in row.children] for row in matrix.all("tr")] == [
        ["from \\ to", "companies", "contacts", "deals"],
        ["companies", "", "", ""],
        ["contacts", "↑1", "", "↑1"],
        ["deals", "", "", ""],
    ]
    spare = [row.attributes.get("class") == "spare" for row in matrix.all("tr")]
    assert spare == [False, True, False, True]
    cells = matrix.all("tr")[2].children
    assert [cell.attributes.get("class") for cell in cells] == [
        None,
        "relaxes",
        "spare",
        "relaxes",
    ]
    assert len(root.all("input", "every")) == 1


def test_headings_are_sorted_as_people_sort_them() -> None:
    """Case does not count, and 9 is before 10, however many digits there are."""
    names = ["unit 10", "Unit 9", "unit 2", "alpha", f"unit {'9' * 5_000}", "unit 007", "٣"]
    types = [ObjectType(f"2-{n}", name) for n, name in enumerate(names)]
    root = read(page(plan(*(change(each, each, object_limit(), 5, 6) for each in types))))
    (matrix,) = root.all("table", "matrix")
    found = [cell.text[:8].strip() for cell in matrix.all("tr")[0].children[1:]]
    assert found == ["alpha", "unit 2", "unit 007", "Unit 9", "unit 10", "unit 999", "٣"]


@pytest.mark.parametrize(
    "of",
    [plan(*small_changes()), reviewed_plan(), big_plan(60, 8, 2), big_plan(400, 30, 2)],
    ids=["small", "three origins", "eight types", "thirty types"],
)
def test_matrix_and_tables_agree(of: Plan) -> None:
    """Each cell counts the rows of its direction, and leads to the first of them."""
    root = read(page(of))
    lines = [row for table in root.all("table", "changes") for row in table.all("tr")[1:]]
    found: dict[str, list[Element]] = {}
    for each in lines:
        found.setdefault(each.children[1].text, []).append(each)
    (matrix,) = root.all("table", "matrix")
    names = [each.text for each in matrix.all("tr")[0].children[1:]]
    seen = set()
    for row in matrix.all("tr")[1:]:
        for name, cell in zip(names, row.children[1:], strict=True):
            if not cell.children:
                continue
            direction = f"{row.children[0].text} → {name}"
            seen.add(direction)
            (link,) = cell.all("a")
            assert found[direction][0].attributes["id"] == link.attributes["href"][1:]
            counts = re.findall(r"([↓+−↑])(\d+)", cell.text)
            effects = Counter(each.children[0].text[0] for each in found[direction])
            assert effects == sum((Counter({e: int(n)}) for e, n in counts), Counter())
    assert seen == found.keys()


def test_every_link_within_the_page_leads_somewhere() -> None:
    """And no anchor is used twice."""
    root = read(page(big_plan(300, 20, 3)))
    ids = [each.attributes["id"] for each in every(root) if "id" in each.attributes]
    inner = [
        each.attributes["href"][1:]
        for each in every(root)
        if each.attributes.get("href", "").startswith("#")
    ]
    assert len(inner) > 90
    assert set(inner) <= set(ids)
    assert len(ids) == len(set(ids))


def test_too_many_object_types_have_no_matrix() -> None:
    """It would be neither readable nor small: 2,000 directions between 4,000 object types."""
    html = page(plan(*far_apart(2_000)))
    assert "#matrix" not in html
    assert len(html.encode()) < 1 << 20


def test_a_matrix_that_is_too_large_leaves_out_what_is_spare() -> None:
    """Sixty object types to sixty others: all of them by all of them would be 14,400 cells."""
    root = read(page(plan(*far_apart(60))))
    (matrix,) = root.all("table", "matrix")
    assert len(matrix.all("td")) == 3_600 < MOST_CELLS
    assert not root.all("input", "every")


def far_apart(count: int) -> list[Change]:
    """As many directions, which share no object type."""
    return [
        change(ObjectType(f"2-{n}", f"a{n}"), ObjectType(f"3-{n}", f"b{n}"), object_limit(), 1, 2)
        for n in range(count)
    ]


# ---------------------------------------------------------------- several portals


def elsewhere(of: Plan, name: str, portal_id: int) -> Plan:
    """The same plan for another portal."""
    return replace(of, portal=replace(of.portal, name=name, portal_id=portal_id))


SEVERAL = (
    reviewed_plan(),
    elsewhere(plan(*small_changes(), warnings=("look twice",)), "staging", 55),
    elsewhere(plan(unchanged=4), "training", 56),
    Unplanned("legacy", "the token is not valid <b>"),
)


def test_several_portals_are_one_document() -> None:
    """A table of all of them, also of the one that has no plan, in their order."""
    html = plans_html(SEVERAL, links=lambda _plan: links)
    assert (html.count("<!doctype"), html.count("<html"), html.count("<style")) == (1, 1, 1)
    root = read(html)
    total = "4 portals: 1 will be refused, 1 without a plan, 1 with changes, 1 without changes."
    assert [each.text for each in root.all("h1")] == [total]
    (table,) = root.all("table", "plans")
    assert [[cell.text for cell in row.children] for row in table.all("tr")[1:]] == [
        [
            "production 1234567",
            "will be refused",
            "1 lowered, 1 removed, 5 raised · 3 drifted · 1 in conflict",
            reviewed_plan().digest,
        ],
        [
            "staging 55",
            "4 changes",
            "2 lowered, 1 new limit, 1 removed",
            elsewhere(plan(*small_changes()), "staging", 55).digest,
        ],
        ["training 56", "no changes", "", elsewhere(plan(), "training", 56).digest],
        ["legacy", "no plan", "the token is not valid <b>"],
    ]
    assert [each.text for each in root.all("h2")] == ["production", "staging"]
    assert len(rows(root)) == 15
    assert len(root.all("table", "matrix")) == 2


def test_anchors_of_several_portals_are_apart() -> None:
    """Every link within the page leads to its own portal, and no anchor is used twice."""
    same = [elsewhere(reviewed_plan(), f"p{n}", n) for n in range(1, 4)]
    root = read(plans_html(same))
    ids = [each.attributes["id"] for each in every(root) if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    portals = root.all("section", "portal")
    assert len(portals) == 3
    for portal in portals:
        inside = {each.attributes.get("id") for each in every(portal)}
        inner = [a.attributes["href"] for a in portal.all("a")]
        assert len(inner) > 6
        assert {each[1:] for each in inner} <= inside
    first = root.all("table", "plans")[0].all("a")
    assert [a.attributes["href"] for a in first] == ["#p1-plan", "#p2-plan", "#p3-plan"]


def test_filters_count_all_portals() -> None:
    """One set of filters, whatever the number of portals."""
    root = read(plans_html(SEVERAL))
    assert [" ".join(each.text.split()) for each in root.all("label", "chip")] == [
        "This branch 7",
        "Drift 3",
        "Conflict 1",
        "↓ lowered 6",
        "+ new limit 2",
        "− removed 2",
        "↑ raised 5",
    ]


def test_one_plan_among_several_arguments_is_the_page_of_it() -> None:
    """As `show` renders it; a single portal without a plan still has a page."""
    one = reviewed_plan()
    assert plans_html([one], links=lambda _plan: links) == plan_html(one, links=links)
    root = read(plans_html([Unplanned("legacy", "no token")]))
    assert root.all("h1")[0].text == "1 portal: 1 without a plan."
    assert "no token" in root.all("table", "plans")[0].text
    assert not root.all("script")


def test_hostile_text_in_several_portals() -> None:
    """Names and errors of portals are a stranger's text, too.

    No plan document holds half a character: it is refused when it is read.
    """
    for text in (each for kind, each in HOSTILE.items() if kind != "surrogate"):
        several: list[Plan | Unplanned] = [
            hostile_plan(text),
            Unplanned(text, text),
            plan(portal=hostile_portal(text)),
        ]
        assert_harmless(read(plans_html(several, links=lambda _plan: links)))


def hostile_portal(text: str) -> PortalRef:
    """A portal whose name is a stranger's text."""
    return replace(plan().portal, name=text)


def test_five_hundred_portals() -> None:
    """Of which most have no changes, in one page of less than 1 MiB."""
    some = [elsewhere(reviewed_plan(), f"portal-{n}", n) for n in range(1, 51)]
    quiet = [elsewhere(plan(unchanged=40), f"portal-{n}", n) for n in range(51, 501)]
    html = plans_html([*some, *quiet], links=lambda _plan: links)
    assert len(html.encode()) < 1 << 20
    assert rows(read(plans_html(some * 2, links=lambda _plan: links))) == rows(read(html)) * 2
    root = read(html)
    assert len(root.all("table", "plans")[0].all("tr")) == 501
    assert len(rows(root)) == 550


# ---------------------------------------------------------------- the status


def status(text: str) -> PortalStatus:
    """A portal with a limit, whose every text is `text`."""
    there = Direction(ObjectType("2-1", text), CONTACTS)
    return PortalStatus(
        text,
        Account(1, AccountType.STANDARD),
        (LimitInForce(there, label(text), 5, Standing.MANAGED, 6, Place(text, 3, 1)),),
        (),
        (text,),
        (text,),
    )


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_status_is_harmless(kind: str) -> None:
    """Of one portal and of several; it has no script at all."""
    text = HOSTILE[kind]
    one, many = status_html(status(text)), statuses_html([status(text), Unplanned(text, text)])
    for html in (one, many, statuses_html([status("friend"), status(text)])):
        assert "<script" not in html
        assert_harmless(read(html))
        ids = [each.attributes["id"] for each in every(read(html)) if "id" in each.attributes]
        assert len(ids) == len(set(ids))


def test_the_status_of_several_portals_is_one_document() -> None:
    """A table of all of them leads to each; one that was not read says why."""
    root = read(statuses_html([status("production"), Unplanned("legacy", "no token")]))
    assert root.all("h1")[0].text == "2 portals, 1 not read: limits in force"
    (table,) = root.all("table", "plans")
    assert [[cell.text for cell in row.children] for row in table.all("tr")[1:]] == [
        ["production 1", "1 limit: 1 managed. 1 limit not as the files want."],
        ["legacy", "not read: no token"],
    ]
    (link,) = table.all("a")
    assert link.attributes["href"] == f"#{root.all('h2')[0].attributes['id']}"
    (limits,) = root.all("table", "limits")
    assert [each.text for each in limits.all("thead")[0].all("th")] == [
        "To",
        "Limit",
        "Value",
        "In the files",
    ]


# ---------------------------------------------------------------- nothing from outside


def test_nothing_is_loaded_and_only_the_own_script_runs() -> None:
    """The policy allows the page's own style and script by their hashes, and nothing else."""
    html = page(plan(*small_changes()))
    (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    (script,) = re.findall("<script>(.*?)</script>", html, re.DOTALL)
    assert policy(html) == [
        "default-src 'none'",
        f"style-src '{hashed(style)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        f"script-src '{hashed(script)}'",
    ]
    assert len(re.findall("<script", html)) == 1
    assert not re.search(r"url\(|@import|src=|https?://", style)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|eval|Function\(|fetch|://", script)
    assert not re.search(r"""\son\w+=|\sstyle=|javascript:""", html.replace(script, ""))


def policy(html: str) -> list[str]:
    """The content security policy of a page."""
    (found,) = [
        each.attributes["content"]
        for each in read(html).all("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    return found.split("; ")


def hashed(text: str) -> str:
    """What a policy calls the content of an element."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def test_a_page_without_changes_allows_no_script() -> None:
    """There is nothing to filter."""
    assert not any(each.startswith("script-src") for each in policy(page(plan(unchanged=3))))


def test_only_the_page_needs_jinja() -> None:
    """Nobody who reads a plan as text waits for the import."""
    code = (
        "import sys, reconciler.cli.plan, reconciler.cli.comment, reconciler.report.text, "
        "reconciler.report.markdown, reconciler.report.mermaid; print('jinja2' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"


# ---------------------------------------------------------------- strangers' words


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text(kind: str) -> None:
    """The same elements as for a friendly name, and none of its text is lost."""
    root = read(page(hostile_plan(HOSTILE[kind])))
    assert_harmless(root)
    friendly = read(page(hostile_plan("friend")))
    empty = not HOSTILE[kind].strip()
    assert len(root.all("tr")) == len(friendly.all("tr"))
    assert empty or len(root.all("div", "why")) == len(friendly.all("div", "why"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("user\u202enimda", r"user\u202enimda"),
        ("ad\u200bmin\x1b[31m", r"ad\u200bmin\x1b[31m"),
        ("a\\nb", r"a\\nb"),
        ("<b>&amp;\"'", "<b>&amp;\"'"),
        ("##[error]", r"#\x23[error]"),
    ],
)
def test_hidden_characters_are_spelt_out_once(text: str, shown: str) -> None:
    """In the heading, a warning, a label and a reason alike."""
    root = read(page(hostile_plan(text)))
    assert root.all("h1")[0].text == shown
    assert root.all("section", "notice")[0].all("li")[0].text == shown
    assert rows(root)[0][2:4] == (f"“{shown}” INTEGRATOR_DEFINED", f"1 → 2{shown}")


def test_a_joined_emoji_stays_whole() -> None:
    """A family is one picture of several, joined by U+200D; alone, the joiner is shown."""
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    root = read(page(hostile_plan(f"{family} a\u200db")))
    assert root.all("h1")[0].text == f"{family} a\\u200db"


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_any_text(text: str) -> None:
    """Whatever the name."""
    assert_harmless(read(page(hostile_plan(text))))


def assert_harmless(root: Element) -> None:
    """Only our elements, attributes and links, and only printable text."""
    for element in every(root):
        assert element.tag in TAGS
        assert element.attributes.keys() <= ATTRIBUTES
        href = element.attributes.get("href", "#")
        assert href.startswith(("#", "https://github.com/acme/limits/blob/", "data:,"))
        for text in (element.text, *element.attributes.values()):
            assert element.tag in {"style", "script"} or all(map(is_printable, text.split("\n")))


# ---------------------------------------------------------------- size and time


def test_two_thousand_changes() -> None:
    """Under 1 MiB, every one of them in a row, at so many calls for each."""
    big = big_plan()
    html = page(big)
    assert calls(lambda: page(big)) < 2_000 * 600
    assert len(html.encode()) < 1 << 20
    assert len(rows(read(html))) == 2_000


def test_long_texts_are_shown_shorter_when_there_are_many() -> None:
    """2,000 changes whose every text is hostile and long still make a page of 1 MiB."""
    text = HOSTILE["html"] * 20
    changes = [
        change(
            each.direction.from_,
            each.direction.to,
            label(f"{text}{index}", index),
            1,
            2,
            line=index,
            path=f"configs/{'deep/' * 20}{index}.yaml",
            reason=text,
        )
        for index, each in enumerate(big_plan().changes)
    ]
    html = page(plan(*changes))
    assert len(html.encode()) < 1 << 20
    assert html.count('<th scope="row">“') == 2_000
    assert "characters]…" in html


def test_the_long_name_of_a_custom_object_may_break_behind_its_underscores() -> None:
    """And what hides in it is shown, and escaped, as in any other text."""
    named = replace(CONTACTS, name="sub_agreement<b>\u202e_x")
    page = plan_html(plan(change(named, COMPANIES, object_limit(), 10, 8)))
    assert "<bdi>sub_<wbr>agreement&lt;b&gt;\\u202e_<wbr>x</bdi>" in page


def test_a_workspace_that_is_not_the_usual_one_is_named() -> None:
    """Two workspaces of a repository may call their portals alike."""
    found = plan(change(CONTACTS, COMPANIES, object_limit(), 10, 8))
    assert "<bdi>eu/reconciler.yaml</bdi>" in plan_html(
        replace(found, workspace="eu/reconciler.yaml")
    )
    assert "reconciler.yaml" not in plan_html(replace(found, workspace="reconciler.yaml"))
