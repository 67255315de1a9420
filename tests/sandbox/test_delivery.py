"""How a response reaches the client, in the server's own time: no test waits."""

from __future__ import annotations

import socket

import pytest

from reconciler.sandbox.delivery import deliver
from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Options, Sandbox
from reconciler.sandbox.wire import Response
from tests.sandbox.talking import get, limits_path, options

PATH = limits_path("2026-03")
USUAL = get(Sandbox(example_portal()), PATH)


def delivered(response: Response) -> tuple[list[tuple[bytes, float]], bytes, bool]:
    """What had arrived before each pause, and its seconds; what came last; what deliver says."""
    ours, theirs = socket.socketpair()
    pauses: list[tuple[bytes, float]] = []

    def arrived() -> bytes:
        try:
            return theirs.recv(1_000_000, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""

    with ours, theirs:
        keeps = deliver(response, ours, lambda seconds: pauses.append((arrived(), seconds)))
        return pauses, arrived(), keeps


def head_and_body(received: bytes) -> tuple[bytes, bytes]:
    """A response as it is on the wire, in its two parts."""
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def test_a_usual_answer_goes_out_at_once() -> None:
    """Head and body together, and the connection is kept."""
    pauses, received, keeps = delivered(USUAL)
    head, body = head_and_body(received)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")
    assert (pauses, body, keeps) == ([], USUAL.body, True)


def test_latency_and_delay_add_up() -> None:
    """Both pass before the first byte."""
    setup = Options(latency=0.5, faults=options("read#1:delay,seconds=2").faults)
    pauses, received, keeps = delivered(get(Sandbox(example_portal(), setup), PATH))
    assert pauses == [(b"", 2.5)]
    assert head_and_body(received)[1] == USUAL.body
    assert keeps


def test_a_hang_ends_in_a_closed_connection() -> None:
    """After its time, without a byte."""
    response = get(Sandbox(example_portal(), options("read:hang,seconds=60")), PATH)
    assert delivered(response) == ([(b"", 60.0)], b"", False)


def test_a_drop_sends_nothing() -> None:
    """And waits for nothing."""
    response = get(Sandbox(example_portal(), options("read:drop")), PATH)
    assert delivered(response) == ([], b"", False)


def test_a_trickling_answer_arrives_complete_in_the_end() -> None:
    """In ten pieces over its time, each of which resets a read timeout, so only a total one ends it."""
    response = get(Sandbox(example_portal(), options("read:trickle,seconds=8")), PATH)
    pauses, last, keeps = delivered(response)
    assert sum(seconds for _, seconds in pauses) == pytest.approx(8)
    assert len(pauses) == 10
    head, body = head_and_body(b"".join([*(before for before, _ in pauses), last]))
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert all(before for before, _ in pauses)
    assert (body, keeps) == (USUAL.body, True)


def test_a_short_answer_breaks_off() -> None:
    """The head promises more than comes."""
    response = get(Sandbox(example_portal(), options("read:500,body=short")), PATH)
    pauses, received, keeps = delivered(response)
    head, body = head_and_body(received)
    assert f"Content-Length: {len(response.body)}".encode() in head
    assert response.body.startswith(body)
    assert (pauses, len(body), keeps) == ([], len(response.body) // 2, False)


def test_an_answer_without_a_body_has_no_length() -> None:
    """204 and 304; an unknown status has a reason all the same."""
    for status in (204, 304):
        head, body = head_and_body(delivered(Response(status))[1])
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert (b"Content-Length" in head, body) == (False, b"")
    unknown = get(Sandbox(example_portal(), options("read:477")), PATH)
    assert delivered(unknown)[1].startswith(b"HTTP/1.1 477 Unknown\r\n")


def test_a_header_that_is_not_latin_stays_a_header() -> None:
    """What the wire cannot carry becomes a question mark."""
    assert b"Location: /?\r\n" in delivered(Response(307, headers=(("Location", "/顧"),)))[1]
