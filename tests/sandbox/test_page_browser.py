"""The sandbox's page in a real Chromium: used by keyboard, and closed to pages of other origins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.server import Server, serve
from tests.chromium import launched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FIELD = "Limit of Billing contact, contacts → companies"
ATTACK = """<!doctype html><iframe src="{url}/" name="inside"></iframe>
<form method="post" action="{url}/"><input name="from" value="0-1"><input name="to" value="0-2">
<input name="category" value="USER_DEFINED"><input name="type_id" value="28">
<input name="max" value="3"><input name="do" value="set"><button>Win a prize</button></form>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of this module."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def server() -> Iterator[Server]:
    """The example portal."""
    with serve() as running:
        yield running


def billing(server: Server) -> int | None:
    """The limit of "Billing contact" on contacts → companies."""
    return server.limits("contacts", "companies").get(("USER_DEFINED", 28))


def test_a_limit_is_changed_with_the_keyboard_alone(browser: Browser, server: Server) -> None:
    """Typed and sent by Enter, refused with a message, removed by Tab, Tab, Enter."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.url)
    field = page.get_by_label(FIELD)
    field.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    page.wait_for_url("**#0-1-0-2-USER_DEFINED-28")
    assert billing(server) == 4

    field.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert "too high: the object limit is 5" in page.get_by_role("alert").inner_text()
    assert field.input_value() == "9"
    assert field.evaluate("field => field === document.activeElement")
    assert billing(server) == 4

    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for(state="detached")
    assert billing(server) is None
    assert complaints == []
    page.close()


def test_a_page_of_another_port_can_neither_send_the_form_nor_frame_it(
    browser: Browser, server: Server
) -> None:
    """What a developer has open beside the sandbox cannot reach in."""
    with serving(ATTACK.format(url=server.url)) as url:
        page = browser.new_page()
        page.goto(url)
        frame = page.frame("inside")
        assert frame is not None
        assert "Billing" not in frame.content()
        with page.expect_response(f"{server.url}/") as answered:
            page.get_by_text("Win a prize").click()
        assert answered.value.status == 403
        page.close()
    assert billing(server) == 1


@contextmanager
def serving(page: str) -> Iterator[str]:
    """Serve one page at another port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html;charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{other.server_address[1]}/"
        other.shutdown()
        thread.join()
