"""A plan as an HTML page, as far as it can be judged without a browser."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.limits import ConfigFile, Place
from reconciler.model.plan import GitState, Origin, Plan, Refusal, RefusalCode
from reconciler.report.html import plan_html
from tests.report.factory import (
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
    plan,
    small_changes,
)
from tests.report.page import Element, every, read

TAGS = {
    *("html", "head", "meta", "title", "link", "style", "script", "body", "header", "main"),
    *("footer", "section", "figure", "figcaption", "div", "p", "br", "h1", "h2", "h3", "ul", "li"),
    *("dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "b", "i", "s"),
    *("small", "span", "bdi", "code", "a", "fieldset", "legend", "label", "input", "select"),
    *("option", "button", "output", "details", "summary"),
    *("svg", "defs", "marker", "path", "rect", "circle", "text", "tspan"),
}
ATTRIBUTES = {
    *("class", "id", "href", "hidden", "tabindex", "role", "scope", "colspan", "lang", "charset"),
    *("name", "content", "http-equiv", "rel", "type", "value", "checked", "data-section"),
    *("aria-label", "aria-labelledby", "aria-hidden", "aria-live"),
    *("data-a", "data-d", "data-f", "data-t", "data-n"),
    *("viewbox", "width", "height", "x", "y", "rx", "cx", "cy", "r", "d", "transform"),
    *("marker-end", "refx", "refy", "markerwidth", "markerheight", "markerunits", "orient"),
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
    """Direction, action, limit, amounts, reason, and the line it comes from."""
    root = read(page(plan(*small_changes())))
    found = [
        (table.all("h3")[0].text, [row_texts(row) for row in table.all("tr")[1:]])
        for table in root.all("table")
    ]
    assert found == [
        (
            "contacts → companies",
            [
                ("~ update", "object limit", "5 → 3", f"{FILE}:4"),
                (
                    "+ create",
                    "“Billing contact”one invoice address and a stand-in",
                    "unlimited → 2",
                    f"{FILE}:6",
                ),
                ("~ update", "“Primary” HUBSPOT_DEFINED", "2 → 1", f"{FILE}:7"),
            ],
        ),
        (
            "companies → contacts",
            [("− delete", "“Former employer”", "10 → unlimited", f"{FILE}:9")],
        ),
    ]


def row_texts(row: Element) -> tuple[str, ...]:
    """The texts of a row's cells."""
    return tuple(cell.text for cell in row.children)


def test_lines_are_links() -> None:
    """Where the host is known; otherwise the place is text."""
    root = read(page(plan(*small_changes())))
    hrefs = [a.attributes["href"] for table in root.all("table") for a in table.all("a")]
    assert hrefs[0] == links(Place(FILE, 4, 9))
    without = read(plan_html(plan(*small_changes()), digest=DIGEST))
    assert not [a for table in without.all("table") for a in table.all("a")]


def test_header_and_footer() -> None:
    """Where it goes, and where it comes from."""
    git = GitState("a" * 40, dirty=True, base="b" * 40)
    root = read(page(plan(*small_changes(), unchanged=7, unmanaged=1, git=git)))
    (header,), (footer,) = root.all("header"), root.all("footer")
    assert header.all("h1")[0].text == "production"
    assert "Plan: 1 to create, 2 to update, 1 to delete." in header.text
    assert [each.text for each in header.all("li")] == [
        "1 to create",
        "2 to update",
        "1 to delete",
        "7 unchanged",
        "1 unmanaged, left alone",
    ]
    assert DIGEST in footer.text
    assert "a" * 40 in footer.text
    assert ", with uncommitted changes" in footer.text
    assert "b" * 40 in footer.text


def test_refusals_and_warnings_come_first() -> None:
    """Before the picture and the changes."""
    refusals = (
        Refusal(RefusalCode.MAX_DELETES, "25 limits would be deleted; max_deletes allows 20"),
        Refusal(RefusalCode.PROTECTED, "a limit is protected at 3", "id", Place(FILE, 6, 3)),
    )
    html = page(plan(*small_changes(), refusals=refusals, warnings=("look twice",)))
    refused, warned = read(html).all("section", "notice")
    assert [each.text for each in refused.all("li")] == [
        "25 limits would be deleted; max_deletes allows 20. --force overrides this threshold.",
        f"a limit is protected at 3 ({FILE}:6). {PROTECT}",
    ]
    assert [each.text for each in warned.all("li")] == ["look twice"]
    assert html.index("Apply will refuse") < html.index("look twice") < html.index("<figure")


def test_drift_and_conflicts_have_sections_of_their_own() -> None:
    """In this order, whatever the plan's."""
    conflict = change(CONTACTS, DEALS, label("B", 2), 3, 4, line=4, origin=Origin.CONFLICT)
    drift = change(CONTACTS, DEALS, label("A", 1), 3, None, line=3, origin=Origin.DRIFT)
    root = read(page(plan(conflict, drift, *small_changes(Origin.CONFIG))))
    sections = [each for each in root.all("section") if "data-section" in each.attributes]
    assert [each.all("h2")[0].text for each in sections] == [
        "Changes of the configuration (4)",
        "Drift (1)",
        "Conflicts (1)",
    ]
    ids = [each.attributes["id"] for each in every(root) if "id" in each.attributes]
    assert len(ids) == len(set(ids))


def test_no_changes() -> None:
    """No picture, no filters, one sentence."""
    root = read(page(plan(unchanged=3)))
    assert not root.all("figure")
    assert not root.all("table")
    assert "No changes. The portal matches the configuration." in root.all("main")[0].text


def test_many_files_are_folded() -> None:
    """The list is there, and does not push the rest away."""
    files = tuple(ConfigFile(f"configs/{index}.yaml", "ab" * 32) for index in range(300))
    many = replace(plan(*small_changes()), files=files)
    (details,) = read(page(many)).all("details")
    assert details.all("summary")[0].text == "300 files"
    assert details.all("li")[-1].text == "and 100 more"


# ---------------------------------------------------------------- picture and tables


@pytest.mark.parametrize(
    "of",
    [plan(*small_changes()), big_plan(60, 8, 2), big_plan(400, 30, 2)],
    ids=["small", "boxes", "ring"],
)
def test_picture_and_tables_agree(of: Plan) -> None:
    """Each direction with a table has an arrow, and the arrow names the changes of the table."""
    root = read(page(of))
    arrows = {
        arrow.attributes["data-d"]: arrow for arrow in root.all("a", "e") if arrow.all("title")
    }
    tables = {table.attributes["data-d"]: table for table in root.all("table")}
    assert arrows.keys() == tables.keys()
    for number, table in tables.items():
        told = arrows[number].all("title")[0].text.split("\n")
        assert told[0] == table.all("h3")[0].text
        assert told[1:] == [
            f"{action[0]} {name.split('agreed')[0].split('one invoice')[0].split(' HUB')[0]} {amounts}"
            for action, name, amounts, _ in map(row_texts, table.all("tr")[1:])
        ]
        ends = (arrows[number].attributes["data-f"], arrows[number].attributes["data-t"])
        assert ends == (table.attributes["data-f"], table.attributes["data-t"])


def test_every_link_within_the_page_leads_somewhere() -> None:
    """Arrows lead to tables or rows, nodes to a table that names them."""
    root = read(page(big_plan(300, 20, 3)))
    ids = {each.attributes.get("id") for each in every(root)}
    inner = [
        each.attributes["href"][1:]
        for each in every(root)
        if each.attributes.get("href", "").startswith("#")
    ]
    assert len(inner) > 100
    assert set(inner) <= ids


def test_small_pictures_write_the_limits_on_the_arrows() -> None:
    """Up to three; more are counted."""
    changes = [change(CONTACTS, DEALS, label(f"Label {n}", n), None, n) for n in range(1, 6)]
    (svg,) = [each for each in read(page(plan(*changes))).all("svg") if each.all("title")]
    assert [each.text for each in svg.all("tspan")] == [
        "+ “Label 1” unlimited → 1",
        "+ “Label 2” unlimited → 2",
        "and 3 more",
    ]


# ---------------------------------------------------------------- nothing from outside


def test_nothing_is_loaded_and_no_foreign_script_runs() -> None:
    """The policy allows the page's own style and script by their hashes, and nothing else."""
    html = page(plan(*small_changes()))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    style, script = (
        re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL) for tag in ("style", "script")
    )
    assert policy.group(1).split("; ") == [
        "default-src 'none'",
        f"style-src '{sha256(style[0])}'",
        f"script-src '{sha256(script[0])}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert (len(style), len(script)) == (1, 1)
    assert not re.search(r"url\((?!#)|@import|src=|https?://", style[0] + script[0])


def sha256(text: str) -> str:
    """The source expression of a policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


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
        if element.tag not in {"style", "script"}:
            assert all(map(is_printable, element.text.split("\n")))


# ---------------------------------------------------------------- size and time


def test_two_thousand_changes() -> None:
    """Under half a second of processor time and under 1 MiB, every one of them in a row."""
    big = big_plan()
    start = time.process_time()
    html = page(big)
    assert time.process_time() - start < 0.5
    assert len(html.encode()) < 1 << 20
    assert html.count("<tr id=") == 2_000


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
    assert html.count("<tr id=") == 2_000
    assert "characters]…" in html
