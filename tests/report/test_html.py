"""A plan as an HTML page, as far as it can be judged without a browser."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.limits import ConfigFile, ObjectType, Place
from reconciler.model.plan import GitState, Origin, Plan, Refusal, RefusalCode
from reconciler.report.html import plan_html
from tests.report.factory import (
    COMPANIES,
    CONTACTS,
    DEALS,
    DIGEST,
    FILE,
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
from tests.report.page import Element, every, read

TAGS = {
    *("html", "head", "meta", "title", "link", "style", "body", "header", "main", "footer"),
    *("section", "div", "p", "br", "h1", "h2", "ul", "li", "dl", "dt", "dd", "table", "thead"),
    *("tbody", "tr", "th", "td", "b", "i", "small", "span", "bdi", "code", "a", "fieldset"),
    *("legend", "label", "input", "details", "summary"),
}
ATTRIBUTES = {
    *("class", "id", "href", "tabindex", "role", "scope", "lang", "charset", "name", "content"),
    *("http-equiv", "rel", "type", "checked", "aria-label", "aria-labelledby"),
}

PROTECT = "--force does not override this: take protect off in a change of its own."


def links(place: Place) -> str:
    """As a forge links a line at a commit."""
    return f"https://github.com/acme/limits/blob/{'c0ffee' * 6}c0de/{place.path}#L{place.line}"


def page(of: Plan) -> str:
    """The page with links."""
    return plan_html(of, digest=DIGEST, links=links)


# ---------------------------------------------------------------- what it says


def test_every_change_has_a_row() -> None:
    """Direction, effect, values, limit with its reason, and the line, by direction."""
    root = read(page(plan(*small_changes())))
    assert rows(root) == [
        ("contacts → companies", "↓ lowered", "5 → 3", "object limit", f"{FILE}:4"),
        (
            "contacts → companies",
            "+ set",
            "unlimited → 2",
            "“Billing contact”one invoice address and a stand-in",
            f"{FILE}:6",
        ),
        ("contacts → companies", "↓ lowered", "2 → 1", "“Primary” HUBSPOT_DEFINED", f"{FILE}:7"),
        (
            "companies → contacts",
            "− removed",
            "10 → unlimited",
            "“Former employer”",
            f"{FILE}:9",
        ),
    ]


def rows(root: Element) -> list[tuple[str, ...]]:
    """The cells of every change, table after table."""
    return [
        tuple(cell.text.replace("\n", "") for cell in row.children)
        for table in root.all("table", "changes")
        for body in table.all("tbody")
        for row in body.all("tr")
    ]


def test_values_link_to_their_lines() -> None:
    """Where the host is known; otherwise nothing is linked, and the line is still named."""
    root = read(page(plan(*small_changes())))
    (table,) = root.all("table", "changes")
    assert next((a.text, a.attributes["href"]) for a in table.all("a")) == (
        "5 → 3",
        links(Place(FILE, 4, 9)),
    )
    without = read(plan_html(plan(*small_changes()), digest=DIGEST))
    assert not without.all("table", "changes")[0].all("a")
    assert rows(without) == rows(root)


def test_directions_that_restrict_come_first() -> None:
    """What is refused, what is lowered or set, what is removed, what is raised."""
    raised = change(CONTACTS, COMPANIES, object_limit(), 5, 6)
    removed = change(CONTACTS, DEALS, object_limit(), 5, None)
    lowered = change(COMPANIES, CONTACTS, object_limit(), 5, 4)
    refused = change(DEALS, CONTACTS, object_limit(), 5, 6)
    refusal = Refusal(RefusalCode.PROTECTED, "no", refused.id)
    root = read(page(plan(raised, removed, lowered, refused, refusals=(refusal,))))
    assert [row[1] for row in rows(root)] == ["↑ raised", "↓ lowered", "− removed", "↑ raised"]
    assert rows(root)[0][0] == "deals → contacts"
    (link,) = [a for a in root.all("a") if a.text == "Show the limit"]
    (row,) = [tr for tr in root.all("tr") if tr.attributes.get("id") == link.attributes["href"][1:]]
    assert row.text.endswith("refused\n")


def test_a_protected_limit_is_marked() -> None:
    """Before anybody tries to lower it further."""
    (protected, *_) = small_changes()
    root = read(page(plan(replace(protected, protected=True))))
    assert rows(root)[0][3] == "object limit protected"


def test_header_and_footer() -> None:
    """Where it goes, how many limits change and how, and where the plan comes from."""
    git = GitState("a" * 40, dirty=True, base="b" * 40)
    root = read(page(plan(*small_changes(), unchanged=7, unmanaged=1, git=git)))
    (header,), (footer,) = root.all("header"), root.all("footer")
    assert header.all("h1")[0].text == "production"
    assert "portal 1234567, STANDARD, API 2026-03" in header.text
    assert header.all("p", "verdict")[0].text == "Apply will change 4 limits."
    assert [each.text.strip() for each in header.all("label")] == [
        "↓ 2 lowered",
        "+ 1 set",
        "− 1 removed",
    ]
    assert [each.text for each in header.all("li")] == [
        "4 Changes",
        "7 unchanged",
        "1 unmanaged, left alone",
        "By object type",
    ]
    assert DIGEST in footer.text
    assert "a" * 40 in footer.text
    assert ", with uncommitted changes" in footer.text
    assert "b" * 40 in footer.text


def test_refusals_and_warnings_come_first() -> None:
    """Before the changes, and the verdict says so."""
    refusals = (
        Refusal(RefusalCode.MAX_DELETES, "25 limits would be deleted; max_deletes allows 20"),
        Refusal(RefusalCode.PROTECTED, "a limit is protected at 3", "id", Place(FILE, 6, 3)),
    )
    html = page(plan(*small_changes(), refusals=refusals, warnings=("look twice",)))
    root = read(html)
    refused, warned = root.all("section", "notice")
    assert [each.text for each in refused.all("li")] == [
        "25 limits would be deleted; max_deletes allows 20. --force overrides this threshold.",
        f"a limit is protected at 3 ({FILE}:6). {PROTECT}",
    ]
    assert [each.text for each in warned.all("li")] == ["look twice"]
    assert root.all("p", "verdict")[0].text == "Apply will refuse this plan."
    assert html.index("Why apply will refuse") < html.index("look twice") < html.index("<table")


def test_drift_and_conflicts_have_tables_of_their_own() -> None:
    """One table for each origin, in this order whatever the plan's, counted at the top."""
    conflict = change(CONTACTS, DEALS, label("B", 2), 3, 4, line=4, origin=Origin.CONFLICT)
    drift = change(CONTACTS, DEALS, label("A", 1), 3, None, line=3, origin=Origin.DRIFT)
    root = read(page(plan(conflict, drift, *small_changes(Origin.CONFIG))))
    (changes,) = [each for each in root.all("div") if each.attributes.get("id") == "changes"]
    assert [
        (each.attributes["id"], each.all("h2")[0].text, len(each.all("table")))
        for each in changes.all("section")
    ] == [
        ("config", "This branch (4)", 1),
        ("drift", "Drift (1)", 1),
        ("conflict", "Conflict (1)", 1),
    ]
    assert [a.text for a in root.all("header")[0].all("a")] == [
        "4 This branch",
        "1 Drift",
        "1 Conflict",
        "By object type",
    ]


def test_no_changes() -> None:
    """No table, no filters, one sentence; also where a plan without changes is refused."""
    root = read(page(plan(unchanged=3)))
    assert not root.all("table")
    assert not root.all("input")
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
    conflict = change(CONTACTS, DEALS, label("B", 2), 3, 4, origin=Origin.CONFLICT)
    drift = change(CONTACTS, DEALS, label("A", 1), 3, None, origin=Origin.DRIFT)
    root = read(page(plan(conflict, drift, *small_changes(Origin.CONFIG))))
    (matrix,) = root.all("table", "matrix")
    assert [[cell.text for cell in row.children] for row in matrix.all("tr")] == [
        ["from \\ to", "companies", "contacts", "deals"],
        ["companies", "", "−1", ""],
        ["contacts", "↓2 +1", "", "⚠−1↯↑1"],
    ]
    kinds = [cell.attributes.get("class") for cell in matrix.all("td")]
    assert kinds == [None, "relaxes", None, "restricts", None, "relaxes"]
    assert [a.attributes["aria-label"] for a in matrix.all("a")] == [
        "companies → contacts. This branch: 1 removed",
        "contacts → companies. This branch: 2 lowered, 1 set",
        "contacts → deals. Drift: 1 removed",
        "contacts → deals. Conflict: 1 raised",
    ]


@pytest.mark.parametrize(
    "of",
    [plan(*small_changes()), big_plan(60, 8, 2), big_plan(400, 30, 2)],
    ids=["small", "eight types", "thirty types"],
)
def test_matrix_and_tables_agree(of: Plan) -> None:
    """Each cell leads to the rows it counts, and every row is counted."""
    root = read(page(of))
    bodies = {each.attributes.get("id"): each for each in root.all("tbody")}
    (matrix,) = root.all("table", "matrix")
    found = matrix.all("a")
    for link in found:
        body = bodies[link.attributes["href"][1:]]
        effects = Counter(row.children[1].text for row in body.all("tr"))
        assert sorted(link.text.split()) == sorted(
            f"{effect[0]}{count}" for effect, count in effects.items()
        )
        direction = link.attributes["aria-label"].split(". ")[0]
        assert {row.children[0].text for row in body.all("tr")} == {direction}
    assert len(found) == len(of.by_direction)


def test_every_link_within_the_page_leads_somewhere() -> None:
    """And no anchor is used twice."""
    root = read(page(big_plan(300, 20, 3)))
    ids = [each.attributes["id"] for each in every(root) if "id" in each.attributes]
    inner = [
        each.attributes["href"][1:]
        for each in every(root)
        if each.attributes.get("href", "").startswith("#")
    ]
    assert len(inner) > 100
    assert set(inner) <= set(ids)
    assert len(ids) == len(set(ids))


def test_too_many_object_types_have_no_matrix() -> None:
    """It would be neither readable nor small: 2,000 directions between 4,000 object types."""
    changes = [
        change(ObjectType(f"2-{n}", f"a{n}"), ObjectType(f"3-{n}", f"b{n}"), object_limit(), 1, 2)
        for n in range(2_000)
    ]
    html = page(plan(*changes))
    assert "#matrix" not in html
    assert len(html.encode()) < 1 << 20


# ---------------------------------------------------------------- nothing from outside


def test_nothing_is_loaded_and_no_script_runs() -> None:
    """The policy allows the page's own style by its hash, and nothing else."""
    html = page(plan(*small_changes()))
    (policy,) = [
        each.attributes["content"]
        for each in read(html).all("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{hashed}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "<script" not in html
    assert not re.search(r"url\(|@import|src=|https?://", style)


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
    assert rows(root)[0][3] == f"“{shown}” INTEGRATOR_DEFINED{shown}"


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
            assert element.tag == "style" or all(map(is_printable, text.split("\n")))


# ---------------------------------------------------------------- size and time


def test_two_thousand_changes() -> None:
    """Under half a second of processor time and under 1 MiB, every one of them in a row."""
    big = big_plan()
    start = time.process_time()
    html = page(big)
    assert time.process_time() - start < 0.5
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
