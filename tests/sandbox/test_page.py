"""The page that shows a person the limits."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from reconciler.sandbox.example import empty_portal, example_portal
from reconciler.sandbox.page import page
from reconciler.sandbox.portal import AssociationType, Category, ObjectType, Portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.wire import Request


class Texts(HTMLParser):
    """Collects the tags and the cells of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self.in_cell = False

    @property
    def shown(self) -> list[list[str]]:
        """The rows without what they offer to press."""
        return [row[:-1] for row in self.rows]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not [name for name, _ in attrs if name in ("src", "href", "onclick")]
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.in_cell = False


def read(portal: Portal) -> Texts:
    """The page of a portal, parsed."""
    texts = Texts()
    texts.feed(page(portal))
    return texts


def test_a_table_shows_each_direction_that_has_limits() -> None:
    """With all its types, and `unlimited` where there is no limit."""
    texts = read(example_portal())
    assert texts.tags.count("table") == 5
    rows = texts.shown
    assert ["Billing contact", "USER_DEFINED", "28", "1"] in rows
    assert ["no label: all associations", "HUBSPOT_DEFINED", "279", "5"] in rows
    assert ["Decision maker", "USER_DEFINED", "30", "unlimited"] in rows


def test_it_needs_nothing_from_elsewhere() -> None:
    """No script, image or link, and a policy that forbids them; dark where the reader likes it."""
    response = Sandbox(example_portal()).handle(Request("GET", "/", {"host": "localhost"}))
    document = response.body.decode()
    assert not set(read(example_portal()).tags) & {"script", "img", "link", "iframe"}
    assert not re.search(r"url\(|https?://|@import", document)
    assert "color-scheme: light dark" in document
    assert dict(response.headers)["Content-Security-Policy"].startswith("default-src 'none'")


def test_every_text_of_the_portal_is_escaped() -> None:
    """A label or an object type named like markup stays text."""
    evil = "<script>alert('x')</script>&\""
    portal = empty_portal()
    portal = Portal(
        1, portal.account_type, portal.object_types.extended([ObjectType("2-1", "e", "es", evil)])
    )
    label = AssociationType(Category.USER_DEFINED, 1, evil)
    portal = portal.with_type("2-1", "contacts", label).with_limit("2-1", "contacts", 1, 3)
    texts = read(portal)
    assert "script" not in texts.tags
    assert [evil, "USER_DEFINED", "1", "3"] in texts.shown
