"""The HTML report in a real Chromium: what a reader sees, and what the page may not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.model.limits import ConfigFile, ObjectType, Place
from reconciler.model.plan import Origin, Plan, Refusal, RefusalCode
from reconciler.report.html import plan_html, plans_html, statuses_html
from reconciler.report.view import Unplanned
from tests.chromium import launched
from tests.report.factory import (
    COMPANIES,
    CONTACTS,
    DEALS,
    FILE,
    HOSTILE,
    big_plan,
    change,
    hostile_plan,
    label,
    object_limit,
    plan,
    reviewed_plan,
    small_changes,
)
from tests.report.test_html import status

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DRIFT = change(CONTACTS, DEALS, label("Decision maker", 3), 3, None, line=3, origin=Origin.DRIFT)
CHANGES = (*small_changes(Origin.CONFIG), DRIFT)
REFUSAL = Refusal(RefusalCode.PROTECTED, "a limit is protected", CHANGES[1].id, Place(FILE, 6, 3))
FULL = plan(*CHANGES, unchanged=7, warnings=("look twice",), refusals=(REFUSAL,))
REVIEWED = reviewed_plan()
STAGING = replace(FULL, portal=replace(FULL.portal, name="staging", portal_id=55))
SEVERAL = (REVIEWED, STAGING, Unplanned("legacy", "the token is not valid"))

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

    def __call__(self, of: str | Plan | Sequence[Plan | Unplanned], **options: Any) -> Page:
        """The report of a plan, or of several, or any page, as a page just opened."""
        page = self._pages.get(str(options)) or self._new(options)
        match of:
            case str():
                html = of
            case Plan():
                html = plan_html(of)
            case _:
                html = plans_html(of)
        self._file.write_text(html, encoding="utf-8")
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


# ---------------------------------------------------------------- the first screen


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
@pytest.mark.parametrize("scripts", [True, False], ids=["", "without scripts"])
def test_the_first_screen(open_page: Open, width: int, height: int, scripts: bool) -> None:
    """Verdict, counts by origin, refusal and the complete first row of eleven changes."""
    page = open_page(
        REVIEWED,
        viewport={"width": width, "height": height},
        is_mobile=width == 390,
        java_script_enabled=scripts,
    )
    for selector in ("h1", ".verdict", "#filters", ".notice.bad", ".changes tbody tr"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] < height, selector
    assert page.locator(".changes tbody tr").first.inner_text().startswith("↓ lowered")


def test_refusals_leave_room_for_the_first_row(open_page: Open) -> None:
    """However many there are: two are shown, the others are folded."""
    changes = [change(CONTACTS, DEALS, label(f"L{n}", n), 5, 4, line=n) for n in range(1, 41)]
    refusals = tuple(
        Refusal(
            RefusalCode.PROTECTED,
            f'"Billing contact number {n}" of contacts → deals is protected at 5, and the '
            "configuration lowers it to 4",
            each.id,
            each.source,
        )
        for n, each in enumerate(changes, 1)
    )
    of = plan(*changes, unchanged=9, refusals=refusals, warnings=("look twice",) * 9)
    html = plan_html(of, since="Since push 3: 1 limit more is lowered. " * 20)
    page = open_page(html, viewport={"width": 390, "height": 844}, is_mobile=True)
    box = page.locator(".changes tbody tr").first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844
    page.get_by_text("38 more").click()
    assert page.get_by_text("Billing contact number 40").is_visible()


# ---------------------------------------------------------------- filters


def test_filters_by_mouse(open_page: Open) -> None:
    """By origin, effect, object type and text, which add up; what is shown is announced."""
    page = open_page(REVIEWED)
    announced = page.get_by_role("status")
    assert (shown_rows(page), announced.inner_text()) == (11, "")
    page.get_by_role("checkbox", name="This branch 7").uncheck()
    assert (shown_rows(page), announced.inner_text()) == (4, "4 of 11 changes shown")
    assert not page.get_by_role("heading", name="This branch").is_visible()
    page.get_by_role("checkbox", name="lowered 4").uncheck()
    assert shown_rows(page) == 1
    page.get_by_role("button", name="Show all").click()
    assert (shown_rows(page), announced.inner_text()) == (11, "")
    assert page.get_by_role("checkbox", name="This branch 7").is_checked()
    page.get_by_role("combobox").select_option(label="deals")
    assert shown_rows(page) == 3
    page.get_by_role("combobox").select_option(label="deals → contacts")
    assert shown_rows(page) == 2
    page.get_by_role("searchbox").fill("JUNE deputies")
    assert page.locator(".changes tbody tr:visible").inner_text().endswith("yaml:6")
    page.get_by_role("searchbox").fill("no such thing")
    assert (shown_rows(page), announced.inner_text()) == (0, "0 of 11 changes shown")
    assert not page.locator("section.origin:visible").count()


def test_filters_by_keyboard(open_page: Open) -> None:
    """Space on a count, letters in the list, text in the field, Enter on the button."""
    page = open_page(REVIEWED)
    press(page, "Tab", 2)  # the skip link, the first link of the header
    press(page, "Tab")
    page.keyboard.press("Space")
    assert shown_rows(page) == 4
    press(page, "Tab", 7)
    page.keyboard.type("car")
    assert page.get_by_role("combobox").evaluate("(list) => list.selectedOptions[0].text") == "car"
    assert shown_rows(page) == 0
    page.keyboard.press("Home")
    press(page, "Tab")
    page.keyboard.type("deputy")
    assert shown_rows(page) == 1
    press(page, "Tab")
    page.keyboard.press("Enter")
    assert shown_rows(page) == 11
    assert page.evaluate("document.activeElement.id") == "find-text"


def press(page: Page, key: str, times: int = 1) -> None:
    """A key, several times."""
    for _ in range(times):
        page.keyboard.press(key)


def test_filters_without_scripts(open_page: Open) -> None:
    """Origins and effects can be hidden all the same; what needs a script is not offered."""
    page = open_page(REVIEWED, java_script_enabled=False)
    assert shown_rows(page) == 11
    assert not page.locator("#find").is_visible()
    assert not page.get_by_role("button", name="Show all").is_visible()
    page.get_by_role("checkbox", name="lowered 4").uncheck()
    assert shown_rows(page) == 7
    page.get_by_role("checkbox", name="This branch 7").uncheck()
    assert shown_rows(page) == 1


def test_names_that_look_like_something_else(open_page: Open) -> None:
    """Object types are offered as they are called, also where one is called like a direction."""
    odd = ObjectType("2-7", "contacts → deals")
    page = open_page(
        plan(
            change(CONTACTS, DEALS, object_limit(), 5, 4),
            change(odd, odd, object_limit(), 5, 4),
            change(ObjectType("2-8", " a  b "), DEALS, object_limit(), 5, 4),
        )
    )
    for name, count in (("2-7", 0), ("contacts → deals", 2), ("contacts", 1)):
        page.get_by_role("searchbox").fill(name if count != 1 else "")
        if count == 1:
            page.get_by_role("combobox").select_option(label=name)
        assert shown_rows(page) == count
    page.get_by_role("link", name="contacts → deals → contacts → deals: 1 lowered").click()
    assert shown_rows(page) == 1


# ---------------------------------------------------------------- the matrix


def test_a_cell_shows_its_rows(open_page: Open) -> None:
    """Those of its direction and no others, of every origin, in sight and marked."""
    page = open_page(REVIEWED, reduced_motion="reduce", viewport={"width": 800, "height": 300})
    page.get_by_role("checkbox", name="This branch 7").uncheck()
    page.get_by_role("link", name="deals → contacts: 1 raised; drift: 1 lowered").click()
    visible = page.locator(".changes tbody tr:visible")
    assert [row.split("\n")[1] for row in visible.all_inner_texts()] == ["deals → contacts"] * 2
    assert page.get_by_role("status").inner_text() == "2 of 11 changes shown"
    chosen = "(list) => list.selectedOptions[0].text"
    assert page.get_by_role("combobox").evaluate(chosen) == "deals → contacts"
    target = page.locator("tr:target")
    assert target.inner_text().startswith("↑ raised")
    assert 0 <= target.evaluate("(row) => row.getBoundingClientRect().y") < 300
    page.locator(".matrix a").nth(2).focus()
    page.keyboard.press("Enter")
    assert shown_rows(page) == 1


def test_a_cell_leads_to_its_first_row_without_scripts(open_page: Open) -> None:
    """As any link within a page does."""
    page = open_page(
        REVIEWED,
        viewport={"width": 800, "height": 300},
        reduced_motion="reduce",
        java_script_enabled=False,
    )
    page.get_by_role("link", name="deals → contacts: 1 raised").click()
    assert page.locator("tr:target").inner_text().startswith("↑ raised\ndeals → contacts")
    assert shown_rows(page) == 11


def test_a_hidden_row_is_shown_when_something_leads_to_it(open_page: Open) -> None:
    """The refusal's link ends the filters that hide the row."""
    page = open_page(REVIEWED)
    page.get_by_role("checkbox", name="Conflict 1").uncheck()
    page.get_by_role("link", name="Show the limit").click()
    assert page.locator("tr:target").is_visible()
    assert page.get_by_role("checkbox", name="Conflict 1").is_checked()


@pytest.mark.parametrize("scripts", [True, False], ids=["", "without scripts"])
def test_object_types_without_changes(open_page: Open, scripts: bool) -> None:
    """Rows and columns in which nothing changes are left out, and a switch shows them."""
    changes = [change(CONTACTS, to, object_limit(), 5, 6) for to in (COMPANIES, DEALS)]
    page = open_page(plan(*changes), java_script_enabled=scripts)
    cells = page.locator(".matrix :is(td, th):visible")
    assert cells.all_inner_texts() == ["from \\ to", "companies", "deals", "contacts", "↑1", "↑1"]
    page.get_by_role("checkbox", name="object types without changes").focus()
    page.keyboard.press("Space")
    assert cells.count() == 16


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


# ---------------------------------------------------------------- paper, several portals


def test_paper_shows_everything(open_page: Open) -> None:
    """Every row whatever the filters, and what was folded; no filters and no switch."""
    many = replace(REVIEWED, files=tuple(ConfigFile(f"{n}.yaml", "ab" * 32) for n in range(9)))
    page = open_page(many, java_script_enabled=False)
    page.get_by_role("checkbox", name="This branch 7").uncheck()
    page.get_by_role("checkbox", name="new limit 1").uncheck()
    assert shown_rows(page) == 3
    page.emulate_media(media="print")
    assert shown_rows(page) == 11
    assert not page.locator("#filters").is_visible()
    page = open_page(many)
    page.get_by_role("searchbox").fill("no such thing")
    page.emulate_media(media="print")
    assert shown_rows(page) == 11
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.get_by_text("8.yaml").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_several_portals(open_page: Open) -> None:
    """The table leads to each of them, and the filters are about all of them."""
    page = open_page(SEVERAL, reduced_motion="reduce", viewport={"width": 1280, "height": 900})
    box = page.locator(".plans tbody tr").last.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900
    assert shown_rows(page) == 16
    page.get_by_role("searchbox").fill("Former employer")
    assert shown_rows(page) == 1
    assert not page.get_by_role("heading", name="production").is_visible()
    page.get_by_role("link", name="production").click()
    assert page.get_by_role("heading", name="production").is_visible()
    assert shown_rows(page) == 16
    staging = page.get_by_role("region", name="staging", exact=True)
    staging.get_by_role("link", name="contacts → companies: 2 lowered, 1 new limit").click()
    assert staging.locator("tr:target").is_visible()
    assert staging.locator(".changes tbody tr:visible").count() == 3


# ---------------------------------------------------------------- access


def test_keyboard(open_page: Open) -> None:
    """Skip link, counts, filters, refusal, then the matrix with its cells, all with an outline."""
    page = open_page(FULL)
    visited = []
    for _ in range(15):
        page.keyboard.press("Tab")
        visited.append(
            page.evaluate(
                """() => document.activeElement.id || document.activeElement.className
                    || document.activeElement.innerText"""
            )
        )
        outlined = """() => [document.activeElement, document.activeElement.parentElement]
            .some((each) => getComputedStyle(each).outlineStyle !== 'none')"""
        assert page.evaluate(outlined)
    assert visited == [
        "skip", "1 warning", "By object type", "show-config", "show-drift",
        "show-lowered", "show-set", "show-removed", "find-type", "find-text",
        "Show the limit", "every", "scroll", "−1", "↓2 +1",
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
            "Effect",
            "Direction",
            "Limit",
            "Change",
            "Line",
        ]
        assert table.get_by_role("cell").count() == 4


# ---------------------------------------------------------------- looks


@pytest.mark.parametrize(
    ("scheme", "ground"), [("light", "rgb(244, 245, 247)"), ("dark", "rgb(14, 17, 22)")]
)
def test_text_can_be_read(open_page: Open, scheme: str, ground: str) -> None:
    """Contrast of at least 4.5 to 1 for every text on its ground, in both schemes."""
    page = open_page(SEVERAL, color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 180
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
    [
        FULL,
        REVIEWED,
        SEVERAL,
        big_plan(300, 40, 3),
        *map(hostile_plan, (HOSTILE["long"], HOSTILE["long hostile"])),
        (hostile_plan("x" * 200), Unplanned("y" * 200, "z" * 2_000)),
    ],
    ids=["full", "reviewed", "several", "forty types", "long", "long hostile", "several long"],
)
def test_phone(open_page: Open, of: Plan | Sequence[Plan | Unplanned]) -> None:
    """The page does not scroll sideways; only the matrix does, within its frame."""
    page = open_page(of, viewport={"width": 390, "height": 844}, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".changes tbody tr").first.evaluate("(row) => row.offsetWidth") <= 390


@pytest.mark.parametrize("text", ["production", "x" * 200], ids=["", "long"])
def test_a_status_on_a_phone(open_page: Open, text: str) -> None:
    """Limits become cards, and the page does not scroll sideways."""
    html = statuses_html([status(text), Unplanned(text, "y" * 300)])
    page = open_page(html, viewport={"width": 390, "height": 844}, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.get_by_text("the files want 6").is_visible()


# ---------------------------------------------------------------- hostile text and size


def test_hostile_text_does_nothing(open_page: Open) -> None:
    """No dialog, no request, no complaint; the words are there to read."""
    for kind in ("closing tags", "bidi", "surrogate", "html"):
        page = open_page(hostile_plan(HOSTILE[kind]))
        assert page.locator("h1").count() == 1
        assert page.locator("img, iframe, object").count() == 0
        assert page.locator("script").count() == 1
    assert page.locator("h1").inner_text().startswith("<script>alert(1)</script>")


def test_no_other_script_runs(pages: Pages) -> None:
    """Neither one that gets into the page nor a handler in an attribute: the policy refuses both."""
    page = pages(REVIEWED)
    page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.broken = 1';
          document.body.append(script);
          document.body.insertAdjacentHTML('beforeend', '<b onclick="window.broken = 1">x</b>');
          document.body.lastElementChild.click();
        }"""
    )
    assert page.evaluate("window.broken") is None
    assert any("Content Security Policy" in each for each in pages.complaints)


def test_a_big_page_is_filtered_in_one_pass(open_page: Open) -> None:
    """2,000 changes and sixty object types: each row is touched once at most, and few elements."""
    page = open_page(big_plan())
    assert page.locator("*").count() < 2_000 * 20
    touched = page.evaluate(
        """() => {
          const text = document.getElementById('find-text'), seen = new MutationObserver(() => {});
          seen.observe(document.body, {attributes: true, childList: true, subtree: true});
          text.value = 'custom object 3';
          text.dispatchEvent(new Event('input', {bubbles: true}));
          return seen.takeRecords().length;
        }"""
    )
    shown = shown_rows(page)
    assert 0 < shown < 2_000
    assert 2_000 - shown <= touched < 2_100


def test_many_portals_are_laid_out_as_they_are_reached(open_page: Open) -> None:
    """What is not in sight is laid out later: forty portals, and the last one is reached."""
    many = [replace(REVIEWED, portal=replace(FULL.portal, name=f"p{n}")) for n in range(40)]
    page = open_page(many, viewport={"width": 1280, "height": 900})
    assert 0 < page.evaluate(LAID_OUT) < 10
    page.get_by_role("link", name="p39").click()
    last = page.get_by_role("heading", name="p39")
    assert 0 <= last.evaluate("(each) => each.getBoundingClientRect().y") < 900
    page.emulate_media(media="print")
    visibility = "(each) => getComputedStyle(each.closest('.portal')).contentVisibility"
    assert last.evaluate(visibility) == "visible"


LAID_OUT = """() => [...document.querySelectorAll('.portal')].filter((each) =>
  each.firstElementChild.checkVisibility({contentVisibilityAuto: true})).length"""
"""Portals whose content the browser has laid out."""
