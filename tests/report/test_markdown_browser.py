"""The comment in a real Chromium, with the measures of GitHub's style sheet (observed)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from reconciler.model.limits import Place
from reconciler.model.plan import Plan, Refusal, RefusalCode
from reconciler.report.markdown import plan_markdown
from tests.chromium import launched
from tests.report.factory import FILE, eleven

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTH = 840
"""Of a comment on a pull request, its padding included, in a window of 1,280 pixels (inferred)."""

STYLE = """
*{box-sizing:border-box} body{margin:0;padding:16px;font:14px/1.5 "Noto Sans",Helvetica,Arial,sans-serif}
h2{margin:0 0 16px;padding-bottom:.3em;font-size:1.5em;line-height:1.25;border-bottom:1px solid}
p,table,blockquote,ul,details{margin:0 0 16px} ul{padding-left:2em}
blockquote{padding:8px 16px;border-left:.25em solid}
blockquote :last-child{margin-bottom:0} blockquote p:first-line{line-height:28px}
table{border-collapse:collapse;display:block;width:max-content;max-width:100%;overflow:auto}
th,td{padding:6px 13px;border:1px solid;line-height:1.5} tr{border-top:1px solid}
code{padding:.2em .4em;font:85% monospace;white-space:break-spaces}
"""
WARNING = (
    "7 limits set or lowered (contacts → car object limit: 10 → 8, companies → contacts "
    '"Decision maker": 5 → 3, contacts → companies "Billing contact": 4 → 2, contacts → tickets '
    'object limit: unlimited → 50, deals → contacts "Deputy": 4 → 3, and 2 more): records already '
    "above keep their associations, new ones are refused, and HubSpot refuses to merge records that "
    "together are above"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed when the module's tests are done."""
    with launched() as chromium:
        yield chromium


def links(place: Place) -> str:
    """As a forge would link a file's line."""
    return f"https://github.com/acme/limits/blob/{'a' * 40}/{place.path}#L{place.line}"


def loaded() -> Plan:
    """Eleven changes, who is affected by them, a warning and a refusal."""
    of = eleven()
    refused = next(each for each in of.changes if each.before == 4)
    message = (
        '"Billing contact" of contacts → companies is protected at 4; this plan would lower it'
    )
    refusal = Refusal(RefusalCode.PROTECTED, message, refused.id, Place(FILE, 7, 3))
    return replace(of, warnings=(WARNING,), refusals=(refusal,))


def test_eleven_changes_are_seen_at_a_glance(browser: Browser) -> None:
    """All of the comment is less than 1,300 pixels high, and no table is cut at its side."""
    text = plan_markdown(loaded(), links=links)
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    page.set_content(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{body}")
    assert page.locator("tbody tr").count() == 11
    assert page.evaluate("document.documentElement.scrollHeight") < 1_300
    cut = "[...document.querySelectorAll('table')].filter(t => t.scrollWidth > t.clientWidth + 1)"
    assert page.evaluate(f"{cut}.length") == 0
    first = page.locator("tbody tr").first
    assert first.inner_text().split()[1:3] == ["↓", "lowered"]
    assert (first.bounding_box() or {"y": 900})["y"] < 350
    page.close()
