"""The sandbox's page as a person uses it: rows found by their words, forms filled and sent."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from urllib.parse import urlencode

from tests.report.page import Element, every, read

Send = Callable[[str, str, str], str]
"""Sends method, target and body of a form, and gives back the page that the browser shows then."""


def row(document: Element, direction: str, label: str) -> Element:
    """The row of a label in the table below the heading of its direction."""
    body = document.all("body")[0].children
    for heading, table in pairwise(body):
        if heading.tag == "h2" and heading.text == direction:
            for one in table.all("tr"):
                if one.children[0].text == label:
                    return one
    raise AssertionError(f"no row {label} below {direction}")


def limit(document: Element, direction: str, label: str) -> str:
    """What the page shows as the limit of a label."""
    return row(document, direction, label).children[3].text


def alert(document: Element) -> str | None:
    """The message that is to be noticed."""
    found = [one.text for one in every(document) if one.attributes.get("role") == "alert"]
    return found[0] if found else None


def press(send: Send, direction: str, label: str, button: str, typed: str | None = None) -> Element:
    """Open the page, fill the field of a row and press a button of it; the page afterwards."""
    (form,) = row(read(send("GET", "/", "")), direction, label).all("form")
    fields = {one.attributes["name"]: one.attributes.get("value", "") for one in form.all("input")}
    (pressed,) = (one for one in form.all("button") if one.text == button)
    fields[pressed.attributes["name"]] = pressed.attributes["value"]
    if typed is not None:
        fields["max"] = typed
    attributes = form.attributes
    return read(send(attributes["method"].upper(), attributes["action"], urlencode(fields)))
