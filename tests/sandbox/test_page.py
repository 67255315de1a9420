"""The page for people, and its forms under HubSpot's rules."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from reconciler.sandbox.example import empty_portal, example_portal
from reconciler.sandbox.example import example_portal as example
from reconciler.sandbox.page import page
from reconciler.sandbox.portal import AssociationType, Category, ObjectType, Portal
from reconciler.sandbox.rules import Rules, Verdict
from reconciler.sandbox.stand_in import Options, Sandbox
from reconciler.sandbox.state import Origin
from reconciler.sandbox.wire import Request, Response
from tests.report.page import every, read
from tests.sandbox.pages import Send, alert, limit, press, row
from tests.sandbox.talking import everything


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


def texts_of(portal: Portal) -> Texts:
    """The page of a portal, parsed."""
    texts = Texts()
    texts.feed(page(portal))
    return texts


def test_a_table_shows_each_direction_that_has_limits() -> None:
    """With all its types, and `unlimited` where there is no limit."""
    texts = texts_of(example_portal())
    assert texts.tags.count("table") == 5
    rows = texts.shown
    assert ["Billing contact", "USER_DEFINED", "28", "1"] in rows
    assert ["no label: all associations", "HUBSPOT_DEFINED", "279", "5"] in rows
    assert ["Decision maker", "USER_DEFINED", "30", "unlimited"] in rows


def test_it_needs_nothing_from_elsewhere() -> None:
    """No script, image or link, and a policy that forbids them; dark where the reader likes it."""
    response = Sandbox(example_portal()).handle(Request("GET", "/", {"host": "localhost"}))
    document = response.body.decode()
    assert not set(texts_of(example_portal()).tags) & {"script", "img", "link", "iframe"}
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
    texts = texts_of(portal)
    assert "script" not in texts.tags
    assert [evil, "USER_DEFINED", "1", "3"] in texts.shown


HOST = {"host": "127.0.0.1:8111"}
OWN = {**HOST, "origin": "http://127.0.0.1:8111", "sec-fetch-site": "same-origin"}
HERE = "contacts → companies"
ALL = "no label: all associations"
FORM = {
    "from": "0-1",
    "to": "0-2",
    "category": "USER_DEFINED",
    "type_id": "28",
    "max": "3",
    "do": "set",
}


def browser(sandbox: Sandbox) -> Send:
    """A browser with the page open: its forms name their origin, and it follows redirects."""

    def send(method: str, target: str, body: str) -> str:
        response = sandbox.handle(Request(method, target, OWN, body.encode()))
        if response.status == 303:
            target = dict(response.headers)["Location"].partition("#")[0]
            response = sandbox.handle(Request("GET", target, OWN))
        return response.body.decode()

    return send


def post(sandbox: Sandbox, headers: dict[str, str] = OWN, **fields: str) -> Response:
    """Send the form for "Billing contact", with other fields as given."""
    return sandbox.handle(Request("POST", "/", headers, urlencode({**FORM, **fields}).encode()))


def billing(sandbox: Sandbox) -> int | None:
    """The limit of "Billing contact" on contacts → companies."""
    return sandbox.limits("contacts", "companies").get(("USER_DEFINED", 28))


def test_a_limit_can_be_set_raised_lowered_and_removed() -> None:
    """Each time the page shows what the portal has afterwards, and the history says who it was."""
    sandbox = Sandbox(example())
    send = browser(sandbox)
    for typed in ("4", "2"):
        after = press(send, HERE, "Billing contact", "Set", typed)
        assert (limit(after, HERE, "Billing contact"), alert(after)) == (typed, None)
    after = press(send, HERE, "Billing contact", "Remove")
    assert limit(after, HERE, "Billing contact") == "unlimited"
    press(send, HERE, "Decision maker", "Set", " 1 ")
    assert sandbox.limits("contacts", "companies") == {
        ("HUBSPOT_DEFINED", 279): 5,
        ("USER_DEFINED", 30): 1,
    }
    assert {step.origin for step in sandbox.history} == {Origin.EDIT}


@pytest.mark.parametrize(
    ("label", "typed", "message"),
    [
        (
            "Billing contact",
            "9",
            "The limit 9 of 'Billing contact' is too high: the object limit is 5.",
        ),
        (ALL, "0", "maxToObjectIds must be between 1 and 50000, but is 0."),
        (ALL, "9999999999", "maxToObjectIds must be between 1 and 50000, but is 9999999999."),
        (ALL, "99999999999", "A limit has at most 10 digits."),
        (ALL, "-1", "A limit is a whole number, not '-1'."),
        (ALL, "1.5", "A limit is a whole number, not '1.5'."),
        (ALL, "", "Type a whole number. To have no limit, press Remove."),
        (ALL, "<script>", "A limit is a whole number, not '<script>'."),
    ],
)
def test_what_hubspot_refuses_is_shown_and_not_done(label: str, typed: str, message: str) -> None:
    """With the words of the refusal, and with what was typed still in its field."""
    sandbox = Sandbox(example())
    after = press(browser(sandbox), HERE, label, "Set", typed)
    assert alert(after) == message
    field = row(after, HERE, label).all("input")[-1]
    assert field.attributes["value"] == typed
    assert field.attributes["aria-invalid"] == "true"
    assert sandbox.history == ()


def test_the_rules_in_force_are_those_of_the_portal() -> None:
    """The switches count, but settings have one field for a limit that is there or not."""
    rules = Rules(equality=Verdict.REFUSE, update_of_missing=Verdict.REFUSE)
    sandbox = Sandbox(example(), Options(rules=rules))
    assert alert(press(browser(sandbox), HERE, "Billing contact", "Set", "5")) is not None
    assert alert(press(browser(sandbox), HERE, "Decision maker", "Set", "4")) is None


def test_any_direction_can_be_shown() -> None:
    """Also one without a limit, under any name; an unknown name is said to be one."""
    sandbox = Sandbox(example())
    send = browser(sandbox)
    shown = read(send("GET", "/?from=companies&to=0-1", ""))
    assert shown.all("h2")[0].text == "companies → contacts"
    shown = read(send("GET", "/?from=0-3&to=0-5", ""))
    assert shown.all("h2")[0].text == "deals → tickets"
    assert limit(shown, "deals → tickets", ALL) == "unlimited"
    selected = [one.text for one in shown.all("option") if "selected" in one.attributes]
    assert selected == ["deals", "tickets"]
    assert alert(read(send("GET", "/?from=cats&to=0-5", ""))) == (
        "Unable to infer object type from: cats."
    )


def test_it_works_without_a_mouse_and_for_a_screen_reader() -> None:
    """Forms with native fields and buttons, each of which says what it is about."""
    document = read(browser(Sandbox(example()))("GET", "/", ""))
    for field in document.all("input"):
        assert field.attributes["type"] == "hidden" or field.attributes["aria-label"]
    names = [one.attributes["aria-label"] for one in document.all("button") if one.text != "Show"]
    assert len(names) == len({*names})
    assert "Set Billing contact, contacts → companies" in names
    assert not {"script", "a", "img", "iframe"} & {one.tag for one in every(document)}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        HOST,
        {**HOST, "origin": "null"},
        {**HOST, "origin": "http://127.0.0.1"},
        {**HOST, "origin": "http://127.0.0.1:3000"},
        {**HOST, "origin": "http://localhost:8111"},
        {**HOST, "origin": "https://127.0.0.1:8111"},
        {**HOST, "origin": "https://evil.example"},
        {**OWN, "sec-fetch-site": "cross-site"},
        {**OWN, "sec-fetch-site": "same-site"},
        {"host": "evil.example:8111", "origin": "http://evil.example:8111"},
    ],
)
def test_a_page_of_another_origin_cannot_send_the_form(headers: dict[str, str]) -> None:
    """Another site, another port, a name bent to this machine, and a browser that says nothing."""
    sandbox = Sandbox(example())
    assert post(sandbox, headers).status == 403
    assert billing(sandbox) == 1
    assert post(sandbox).status == 303
    assert billing(sandbox) == 3


def test_no_page_can_frame_this_one_and_it_leads_nowhere_else() -> None:
    """A click that is meant for the frame's owner would set a limit here."""
    sandbox = Sandbox(example())
    for response in (sandbox.handle(Request("GET", "/", OWN)), post(sandbox, max="9")):
        headers = dict(response.headers)
        for directive in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"):
            assert directive in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"  # no-referrer makes the origin null
        assert headers["Cache-Control"] == "no-store"
    done = dict(post(sandbox).headers)
    assert done["Location"] == "/?from=0-1&to=0-2#0-1-0-2-USER_DEFINED-28"


def test_the_token_is_not_on_the_page() -> None:
    """Whoever sees the page cannot use it to talk to the endpoints."""
    sandbox = Sandbox(example(), Options(token="a-secret"))
    seen = sandbox.handle(Request("GET", "/", OWN)), post(sandbox), post(sandbox, max="9")
    for response in seen:
        assert b"a-secret" not in response.body
        assert "a-secret" not in str(response.headers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"max=3",
        b"from=0-1&to=0-2&category=MINE&type_id=28&max=3",
        b"from=0-1&to=0-2&category=USER_DEFINED&type_id=x&max=3",
        b"from=0-1&to=0-2&category=USER_DEFINED&type_id=" + b"9" * 5_000,
        b"from=0-1&to=0-2&category=USER_DEFINED&type_id=99&max=3",
        b"from=2-1&to=0-2&category=USER_DEFINED&type_id=28&max=3",
        b"&".join(b"a%d=1" % number for number in range(1_000)),
        b'{"max": 3}',
    ],
)
def test_a_form_that_is_none_is_refused(body: bytes) -> None:
    """On the page, with a message, and nothing changes."""
    sandbox = Sandbox(example())
    before = everything(sandbox.portal)
    response = sandbox.handle(Request("POST", "/", OWN, body))
    assert response.status == 400
    assert alert(read(response.body.decode()))
    assert everything(sandbox.portal) == before
