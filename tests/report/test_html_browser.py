"""The HTML report in a real Chromium: what a reader sees, and what the page may not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.model.plan import Origin, Plan
from reconciler.report.html import plan_html
from tests.chromium import launched
from tests.report.factory import (
    CONTACTS,
    DEALS,
    DIGEST,
    HOSTILE,
    big_plan,
    change,
    hostile_plan,
    label,
    plan,
    small_changes,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DRIFT = change(CONTACTS, DEALS, label("Decision maker", 3), 3, None, line=3, origin=Origin.DRIFT)
FULL = plan(*small_changes(Origin.CONFIG), DRIFT, unchanged=7, warnings=("look twice",))

Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of this module."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the report of a plan; at the end, nothing may have been complained of or loaded."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts = []

    def opened(of: Plan, **options: Any) -> Page:
        file = tmp_path / "plan.html"
        file.write_text(plan_html(of, digest=DIGEST), encoding="utf-8")
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url.split(":")[0] for url in requests} <= {"file", "data"}
    assert sum(url.startswith("file:") for url in requests) == len(contexts)


def shown_rows(page: Page) -> int:
    """Rows of changes a reader can see."""
    return page.locator("tbody tr:visible").count()


# ---------------------------------------------------------------- picture and table


@pytest.mark.parametrize("of", [FULL, big_plan(300, 30, 3)], ids=["boxes", "ring"])
def test_picture_and_table_agree(open_page: Open, of: Plan) -> None:
    """Every direction is an arrow on screen, and tells as many changes as its table has rows."""
    page = open_page(of)
    told = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.e')]
            .filter((arrow) => arrow.querySelector('title') && arrow.getBBox().width > 0)
            .map((arrow) => [arrow.dataset.d,
                arrow.querySelector('title').textContent.split('\\n').length - 1]))"""
    )
    rows = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('table')]
            .map((table) => [table.dataset.d, table.querySelectorAll('tbody tr').length]))"""
    )
    assert told == rows
    assert sum(rows.values()) == len(of.changes)


def test_hover_highlights_and_tells(open_page: Open) -> None:
    """The neighbours of an object type stand out, the others fade, the words say how many."""
    page = open_page(FULL)
    page.locator(".n", has_text="deals").hover()
    assert page.locator(".e.on .line").count() == 1
    assert page.locator(".n.on").count() == 2
    assert page.locator("#peek").inner_text() == "deals 1 to delete"
    page.mouse.move(1, 1)
    assert page.locator(".on").count() == 0
    assert page.locator("#peek").inner_text().startswith("Point at")


def test_an_arrow_leads_to_its_row_or_table(open_page: Open) -> None:
    """To the only row, or to the table of several."""
    page = open_page(FULL)
    page.locator("svg .e text", has_text="Former employer").click()
    assert page.url.endswith("#c3")
    assert page.locator("#c3").inner_text().startswith("− delete")
    page.locator("svg .e text", has_text="Billing contact").click()
    assert page.url.endswith("#d0")
    assert page.locator("#d0").is_visible()


def test_a_node_filters(open_page: Open) -> None:
    """Only the changes of that object type remain, in tables and picture."""
    page = open_page(FULL)
    page.locator(".n", has_text="deals").click()
    assert page.locator("#object").evaluate("(box) => box.selectedOptions[0].text") == "deals"
    assert shown_rows(page) == 1
    assert page.locator(".e:visible .line").count() == 1
    assert page.locator("h2:visible", has_text="Changes of the configuration").count() == 0


# ---------------------------------------------------------------- filters


def test_filters(open_page: Open) -> None:
    """By action and by object type, both at once, told to a screen reader, and undone."""
    page = open_page(FULL)
    told = page.locator("#shown")
    assert told.inner_text() == "Showing 5 of 5 changes"
    page.get_by_label("update").uncheck()
    assert (shown_rows(page), told.inner_text()) == (3, "Showing 3 of 5 changes")
    page.locator("#object").select_option(label="companies")
    assert (shown_rows(page), told.inner_text()) == (2, "Showing 2 of 5 changes")
    page.get_by_label("create").uncheck()
    page.get_by_label("− delete").uncheck()
    assert shown_rows(page) == 0
    assert page.get_by_text("No change fits the filters.").is_visible()
    page.get_by_role("button", name="Show all").click()
    assert (shown_rows(page), told.inner_text()) == (5, "Showing 5 of 5 changes")


def test_without_scripts_everything_is_visible(open_page: Open) -> None:
    """No filters, no hint, all rows, a picture."""
    page = open_page(FULL, java_script_enabled=False)
    assert shown_rows(page) == 5
    assert not page.locator("#filters").is_visible()
    assert page.locator("svg .line:visible").count() >= 3


# ---------------------------------------------------------------- access


def test_keyboard(open_page: Open) -> None:
    """Skip link, scrollable picture, arrows and nodes, filters: in this order, and visible."""
    page = open_page(FULL)
    visited = []
    for _ in range(13):
        page.keyboard.press("Tab")
        visited.append(
            page.evaluate(
                """() => document.activeElement.id || document.activeElement.value
                    || (document.activeElement.getAttribute('class') || '').split(' ')[0]"""
            )
        )
    assert visited == [
        "skip", "scroll", "e", "e", "e", "n", "n", "n", "c", "u", "d", "object", "reset",
    ]  # fmt: skip
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_keyboard_on_the_picture(open_page: Open) -> None:
    """Focus tells what hover tells, and Enter does what a click does."""
    page = open_page(FULL)
    page.locator(".n", has_text="deals").focus()
    assert page.locator("#peek").inner_text() == "deals 1 to delete"
    page.keyboard.press("Enter")
    assert shown_rows(page) == 1


def test_semantics(open_page: Open) -> None:
    """Landmarks, headings in order, and tables whose cells keep their roles on a phone."""
    for width in (1200, 375):
        page = open_page(FULL, viewport={"width": width, "height": 800})
        for landmark in ("banner", "main", "contentinfo", "search"):
            assert page.locator(f"role={landmark}").count() == 1
        levels = page.evaluate(
            "() => [...document.querySelectorAll('h1, h2, h3')].map((each) => +each.tagName[1])"
        )
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        table = page.get_by_role("table", name="companies → contacts")
        assert table.get_by_role("rowheader").inner_text() == "“Former employer”"
        assert table.get_by_role("columnheader").all_inner_texts() == [
            "Change",
            "Limit",
            "Before → after",
            "File",
        ]
        assert table.get_by_role("cell").count() == 3


# ---------------------------------------------------------------- looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(open_page: Open, scheme: str) -> None:
    """Contrast of at least 4.5 to 1 for every text on its ground, in both schemes."""
    page = open_page(FULL, color_scheme=scheme)
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 40
    assert [each for each in ratios if each[1] < 4.5] == []


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((each) => each / 255)
      .map((each) => each <= .03928 ? each / 12.92 : ((each + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    if (!own || !element.checkVisibility() || element.closest('title, thead, .vh')) continue;
    const style = getComputedStyle(element);
    const ink = light(parse(element.closest('svg') ? style.fill : style.color));
    const paper = light(ground(element));
    const ratio = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
    found.push([element.outerHTML.slice(0, 90), ratio]);
  }
  return found;
}"""


@pytest.mark.parametrize(
    "of",
    [FULL, big_plan(300, 30, 3), *map(hostile_plan, (HOSTILE["long"], HOSTILE["long hostile"]))],
    ids=["full", "ring", "long", "long hostile"],
)
def test_phone(open_page: Open, of: Plan) -> None:
    """The page does not scroll sideways; only the picture does, within its frame."""
    page = open_page(of, viewport={"width": 375, "height": 800}, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.locator("tbody tr").first.evaluate("(row) => row.offsetWidth") <= 375


def test_print(open_page: Open) -> None:
    """Filters and hints stay off the paper, the changes do not."""
    page = open_page(FULL)
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert not page.locator("#peek").is_visible()
    assert shown_rows(page) == 5
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots_differ_by_scheme(open_page: Open, scheme: str) -> None:
    """A light page is light and a dark one is dark."""
    page = open_page(FULL, color_scheme=scheme)
    assert len(page.screenshot(full_page=True)) > 20_000
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(244, 245, 247)") is (scheme == "light")


# ---------------------------------------------------------------- hostile text and size


@pytest.mark.parametrize("kind", ["html", "closing tags", "mermaid", "bidi", "surrogate"])
def test_hostile_text_does_nothing(open_page: Open, kind: str) -> None:
    """No dialog, no request, no complaint; the words are there to read."""
    page = open_page(hostile_plan(HOSTILE[kind]))
    assert page.locator("h1").count() == 1
    assert page.locator("img, iframe, object, script[src]").count() == 0
    if kind == "html":
        assert page.locator("h1").inner_text().startswith("<script>alert(1)</script>")


def test_a_big_page_paints(open_page: Open) -> None:
    """2,000 changes and sixty object types."""
    assert open_page(big_plan()).evaluate(FIRST_PAINT) > 0


FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
