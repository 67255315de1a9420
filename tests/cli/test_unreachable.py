"""A portal that is not reachable: said at once where nothing has answered, with the address."""

from __future__ import annotations

import socket
import time

import pytest

from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.cli.conftest import PAIR
from tests.cli.running import Desk, Ran


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def plan_at(desk: Desk, url: str, *options: str) -> Ran:
    """Plan against that address, which the environment names; it must not take the 60 s allowed."""
    desk.write("configs/contacts-companies.yaml", PAIR)
    desk.variables = {"HUBSPOT_ACCESS_TOKEN": DEFAULT_TOKEN, "HUBSPOT_BASE_URL": url}
    begun = time.monotonic()
    ran = desk.run_here("plan", *options)
    assert time.monotonic() - begun < 30
    assert ran.code == 1
    assert "Errno" not in ran.err
    assert "waiting" not in ran.err
    return ran


def test_a_refused_connection_on_this_machine_is_reported_at_once(
    offline: Desk, closed_port: int
) -> None:
    """With the address and the variable that names it."""
    ran = plan_at(offline, f"http://127.0.0.1:{closed_port}")
    assert f"nothing listens at http://127.0.0.1:{closed_port} (from HUBSPOT_BASE_URL)" in ran.err
    assert "connection was refused" in ran.err


def test_the_option_is_named_where_it_gave_the_address(offline: Desk, closed_port: int) -> None:
    """It outranks the variable."""
    url = f"http://localhost:{closed_port}"
    ran = plan_at(offline, "https://reconciler.invalid", "--base-url", url)
    assert f"nothing listens at {url} (from --base-url)" in ran.err


def test_an_unknown_host_is_reported_at_once(offline: Desk) -> None:
    """`.invalid` exists nowhere (RFC 2606)."""
    ran = plan_at(offline, "https://reconciler.invalid")
    assert "host of https://reconciler.invalid (from HUBSPOT_BASE_URL) is unknown" in ran.err


def test_https_against_http_is_reported_at_once(pair: Desk) -> None:
    """The sandbox speaks http."""
    assert pair.server is not None
    url = pair.server.url.replace("http:", "https:")
    ran = plan_at(pair, url)
    assert f"{url} (from HUBSPOT_BASE_URL) does not answer as https" in ran.err
    assert pair.server.requests == ()


def test_a_connection_lost_in_the_middle_is_waited_for(pair: Desk) -> None:
    """What answered once may answer again."""
    assert pair.server is not None
    pair.server.set_faults([parse_fault("read#1-3:drop")])
    ran = pair.run_here("plan")
    assert ran.code == 0, ran.err
