"""The HTML report in a real Chromium: what a reader sees, and what the page may not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.model.limits import Place
from reconciler.model.plan import Origin, Plan, Refusal, RefusalCode
from reconciler.report.html import plan_html
from tests.chromium import launched
from tests.report.factory import (
    CONTACTS,
    DEALS,
    DIGEST,
    FILE,
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
CHANGES = (*small_changes(Origin.CONFIG), DRIFT)
REFUSAL = Refusal(RefusalCode.PROTECTED, "a limit is protected", CHANGES[1].id, Place(FILE, 6, 3))
FULL = plan(*CHANGES, unchanged=7, warnings=("look twice",), refusals=(REFUSAL,))

Open = Callable[..., "Page"]


class Pages:
    """Pages of one browser, one for each set of options, used by test after test."""

    def __init__(self, browser: Browser, file: Path) -> None:
        self._browser = browser
        self._file = file
        self._pages: dict[str, Page] = {}
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.opened = 0

    def __call__(self, of: Plan, **options: Any) -> Page:
        """The report of a plan, as a page just opened."""
        page = self._pages.get(str(options)) or self._new(options)
        self._file.write_text(plan_html(of, digest=DIGEST), encoding="utf-8")
        self.opened += 1
        page.emulate_media(media="screen")
        page.goto("about:blank")  # the same file again would only be scrolled
        page.goto(self._file.as_uri())
        return page

    def _new(self, options: dict[str, Any]) -> Page:
        page = self._browser.new_context(**options).new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.requests.append(request.url))
        self._pages[str(options)] = page
        return page


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """One browser for all tests of this module."""
    with launched() as chromium:
        yield Pages(chromium, tmp_path_factory.mktemp("page") / "plan.html")


@pytest.fixture
def open_page(pages: Pages) -> Iterator[Open]:
    """Opens the report of a plan; at the end, nothing may have been complained of or loaded."""
    pages.complaints.clear()
    pages.requests.clear()
    pages.opened = 0
    yield pages
    assert pages.complaints == []
    assert {url.split(":")[0] for url in pages.requests} <= {"file", "data", "about"}
    assert sum(url.startswith("file:") for url in pages.requests) == pages.opened


def shown_rows(page: Page) -> int:
    """Rows of changes a reader can see."""
    return page.locator(".changes tbody tr:visible").count()


# ---------------------------------------------------------------- what is seen and reached


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_first_screen(open_page: Open, width: int, height: int) -> None:
    """Verdict, counts, refusals and the first change, with everything that a plan may have."""
    page = open_page(FULL, viewport={"width": width, "height": height}, is_mobile=width == 390)
    for selector in (".verdict", ".counts", "fieldset", ".notice.bad", ".changes tbody tr"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < height, selector


def test_a_cell_leads_to_its_rows(open_page: Open) -> None:
    """A direction's rows are marked and in sight, those of drift apart from the branch's."""
    page = open_page(FULL, reduced_motion="reduce", viewport={"width": 800, "height": 300})
    marked = "[...document.querySelectorAll('tbody:target tr')].map((row) => row.innerText)"
    page.get_by_role("link", name="contacts → deals. Drift: 1 removed").click()
    (row,) = page.evaluate(marked)
    assert "Decision maker" in row
    assert page.locator("tbody:target").evaluate("(body) => body.getBoundingClientRect().y") < 300
    page.get_by_role("link", name="contacts → companies").click()
    assert len(page.evaluate(marked)) == 3


def test_filters(open_page: Open) -> None:
    """Effects can be hidden, without a script; on paper every change is there."""
    page = open_page(FULL, java_script_enabled=False)
    assert shown_rows(page) == 5
    page.get_by_role("checkbox", name="lowered").uncheck()
    assert shown_rows(page) == 3
    page.get_by_role("checkbox", name="removed").uncheck()
    assert shown_rows(page) == 1
    page.emulate_media(media="print")
    assert shown_rows(page) == 5
    assert not page.get_by_role("checkbox", name="lowered").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


# ---------------------------------------------------------------- access


def test_keyboard(open_page: Open) -> None:
    """Skip link, filters, counts, refusal, then the matrix with its cells, all with an outline."""
    page = open_page(FULL)
    visited = []
    for _ in range(12):
        page.keyboard.press("Tab")
        visited.append(
            page.evaluate(
                """() => document.activeElement.id || document.activeElement.className
                    || document.activeElement.innerText"""
            )
        )
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert visited == [
        "skip", "show-lowered", "show-set", "show-removed",
        "4 This branch", "1 Drift", "By object type",
        "Show the limit", "scroll", "−1", "↓2 +1", "⚠−1",
    ]  # fmt: skip


def test_semantics(open_page: Open) -> None:
    """Landmarks, headings in order, and tables whose cells keep their roles on a phone."""
    for width in (1200, 390):
        page = open_page(FULL, viewport={"width": width, "height": 800})
        for landmark in ("banner", "main", "contentinfo"):
            assert page.locator(f"role={landmark}").count() == 1
        levels = page.evaluate(
            "() => [...document.querySelectorAll('h1, h2, h3')].map((each) => +each.tagName[1])"
        )
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        table = page.get_by_role("region", name="Drift").get_by_role("table")
        assert table.get_by_role("rowheader").inner_text() == "“Decision maker”"
        assert table.get_by_role("columnheader").all_inner_texts() == [
            "Direction",
            "Change",
            "Before → after",
            "Limit",
            "Line",
        ]
        assert table.get_by_role("cell").count() == 4


# ---------------------------------------------------------------- looks


@pytest.mark.parametrize(
    ("scheme", "ground"), [("light", "rgb(244, 245, 247)"), ("dark", "rgb(14, 17, 22)")]
)
def test_text_can_be_read(open_page: Open, scheme: str, ground: str) -> None:
    """Contrast of at least 4.5 to 1 for every text on its ground, in both schemes."""
    page = open_page(FULL, color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 60
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
    if (!own || !element.checkVisibility() || element.closest('title, .vh')) continue;
    const style = getComputedStyle(element);
    const ink = light(parse(style.color));
    const paper = light(ground(element));
    const ratio = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
    found.push([element.outerHTML.slice(0, 90), ratio]);
  }
  return found;
}"""


@pytest.mark.parametrize(
    "of",
    [FULL, big_plan(300, 40, 3), *map(hostile_plan, (HOSTILE["long"], HOSTILE["long hostile"]))],
    ids=["full", "forty types", "long", "long hostile"],
)
def test_phone(open_page: Open, of: Plan) -> None:
    """The page does not scroll sideways; only the matrix does, within its frame."""
    page = open_page(of, viewport={"width": 390, "height": 844}, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".changes tbody tr").first.evaluate("(row) => row.offsetWidth") <= 390


def test_a_matrix_of_forty_object_types(open_page: Open) -> None:
    """Columns are narrow, and rows and columns keep their headings in sight when scrolled."""
    page = open_page(big_plan(300, 40, 3), viewport={"width": 1280, "height": 500})
    frame = page.locator(".scroll")
    assert page.locator(".matrix").evaluate("(table) => table.offsetWidth") < 1240
    page.set_viewport_size({"width": 900, "height": 500})
    frame.evaluate("(frame) => frame.scrollTo(200, 600)")
    head, row = page.locator(".matrix thead th").nth(20), page.locator(".matrix tbody th").nth(20)
    box, top, left = frame.bounding_box(), head.bounding_box(), row.bounding_box()
    assert box is not None
    assert top is not None
    assert left is not None
    assert top["y"] == pytest.approx(box["y"], abs=2)
    assert left["x"] == pytest.approx(box["x"], abs=2)


# ---------------------------------------------------------------- hostile text and size


def test_hostile_text_does_nothing(open_page: Open) -> None:
    """No dialog, no request, no complaint; the words are there to read."""
    for kind in ("closing tags", "bidi", "surrogate", "html"):
        page = open_page(hostile_plan(HOSTILE[kind]))
        assert page.locator("h1").count() == 1
        assert page.locator("img, iframe, object, script").count() == 0
    assert page.locator("h1").inner_text().startswith("<script>alert(1)</script>")


def test_a_big_page_paints(open_page: Open) -> None:
    """2,000 changes and sixty object types."""
    assert open_page(big_plan()).evaluate(FIRST_PAINT) > 0


FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
