"""The life of a call, whoever makes it: attempts, waits, deadline and doubt, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from reconciler.http.client import Call, CallFailed, Client, Repeat, Setback
from reconciler.http.connection import Connection
from reconciler.http.messages import Answered, NoAnswer, NotSent, Response, Sending, Waiting
from reconciler.outgoing import Secret
from tests.clock import START, VirtualClock
from tests.hubspot.support import TOKEN, Recorder, ScriptedTransport, Step, answer

SOUND = answer(200, {"fine": True})
BUSY = answer(503)


def says(**fields: object) -> Callable[[Response, datetime], int | Setback]:
    """Takes 2xx for what was asked for, and makes a setback of these fields out of the rest."""

    def understand(response: Response, now: datetime) -> int | Setback:
        assert now >= START
        if response.status < 300:
            return response.status
        return Setback(message="busy", status=response.status, **fields)  # type: ignore[arg-type]  # of any type, each test its own

    return understand


def client_of(
    *steps: Step, timeout: float = 60.0
) -> tuple[Client, ScriptedTransport, VirtualClock, Recorder]:
    """A client over a script, without jitter."""
    transport, clock, events = ScriptedTransport(*steps), VirtualClock(), Recorder()
    client = Client(
        Connection(Secret(TOKEN), "https://api.example", timeout=timeout),
        transport,
        clock=clock,
        report=events,
        headers={"authorization": f"Bearer {TOKEN}"},
        jitter=lambda: 0.0,
    )
    return client, transport, clock, events


def test_what_passes_is_tried_again_and_the_waits_double() -> None:
    """Every attempt and every wait is reported."""
    client, transport, clock, events = client_of(BUSY, BUSY, BUSY, SOUND)
    assert client.call(Call("x", "GET", "/x", says(passes=True))) == 200
    assert [each for each in clock.waits if each] == [1, 2, 4]
    assert len(transport.requests) == client.sent == len(events.of(Sending)) == 4
    assert [(each.seconds, each.status) for each in events.of(Waiting)] == [
        (1, 503),
        (2, 503),
        (4, 503),
    ]
    assert [each.status for each in events.of(Answered)] == [503, 503, 503, 200]


def test_what_does_not_pass_ends_the_call() -> None:
    """One attempt, and the caller's own words and hint."""
    client, transport, _, _ = client_of(BUSY)
    with pytest.raises(CallFailed) as caught:
        client.call(Call("x", "GET", "/x", says(hint="wait for spring")))
    assert (caught.value.setback.message, caught.value.hint) == ("busy", "wait for spring")
    assert (caught.value.ending, caught.value.in_doubt) == ("", False)
    assert len(transport.requests) == 1


def test_a_wait_that_the_service_names_is_kept_to_or_refused() -> None:
    """Never less, and not at all where it is longer than the time allowed."""
    client, _, clock, _ = client_of(BUSY, SOUND)
    client.call(Call("x", "GET", "/x", says(passes=True, wait=7.0, retry_after=7.0)))
    assert clock.now == 7
    client, transport, clock, _ = client_of(BUSY)
    with pytest.raises(CallFailed, match=r"asks to wait 61 s, longer than .* the 60 s allowed"):
        client.call(Call("x", "GET", "/x", says(passes=True, wait=61.0, retry_after=61.0)))
    assert (clock.now, len(transport.requests)) == (0, 1)


def test_a_call_may_have_less_time_than_the_connection() -> None:
    """It is given up within its own."""
    client, _, clock, _ = client_of(BUSY)
    with pytest.raises(CallFailed, match=r"given up after .* the time allowed is 5 s"):
        client.call(Call("x", "GET", "/x", says(passes=True), seconds=5))
    assert clock.now <= 5


@pytest.mark.parametrize(
    ("repeat", "attempts", "doubt"),
    [
        (Repeat.READ, 2, False),
        (Repeat.IDEMPOTENT_WRITE, 2, True),
        (Repeat.SINGLE_WRITE, 1, True),
    ],
)
@pytest.mark.parametrize("fault", [NoAnswer("gone"), BUSY])
def test_doubt_is_of_writes_and_outlives_later_attempts(
    fault: Step, repeat: Repeat, attempts: int, *, doubt: bool
) -> None:
    """What can be sent once only is not sent again in doubt."""
    client, transport, _, _ = client_of(fault, answer(400))

    def understand(response: Response, _: datetime) -> Setback:
        busy = response.status == 503
        return Setback(message="no", passes=busy, leaves_doubt=busy)

    with pytest.raises(CallFailed) as caught:
        client.call(Call("x", "POST", "/x", understand, repeat))
    assert caught.value.in_doubt is doubt
    assert ("earlier attempt" in caught.value.ending) is (doubt and attempts == 2)
    assert len(transport.requests) == attempts


def test_what_never_left_leaves_no_doubt_and_is_sent_again() -> None:
    """Even where it can be sent once only."""
    client, transport, _, _ = client_of(NotSent("refused"), SOUND)
    call = Call("x", "POST", "/x", says(), Repeat.SINGLE_WRITE, body=b"{}")
    assert client.call(call) == 200
    assert len(transport.requests) == 2
    assert transport.requests[0].headers["content-type"] == "application/json"


def test_an_answer_of_the_wrong_shape_is_asked_for_three_times() -> None:
    """Not for as long as time allows."""
    client, transport, _, _ = client_of(BUSY)
    with pytest.raises(CallFailed):
        client.call(Call("x", "GET", "/x", says(passes=True, lasting=True)))
    assert len(transport.requests) == 3


def test_the_token_is_masked_except_in_the_data_that_was_asked_for() -> None:
    """What to do with it there, who asked decides."""
    seen: list[Response] = []

    def understand(response: Response, _: datetime) -> int:
        seen.append(response)
        return response.status

    echo = {"message": TOKEN}
    for status, repeat, masked in (
        (200, Repeat.READ, False),
        (400, Repeat.READ, True),
        (200, Repeat.IDEMPOTENT_WRITE, True),
    ):
        client, _, _, _ = client_of(answer(status, echo, headers={"x-request-id": TOKEN}))
        client.call(Call("x", "GET", "/x", understand, repeat))
        assert (TOKEN.encode() not in seen[-1].body) is masked
        assert TOKEN not in seen[-1].headers["x-request-id"]


def test_a_url_stands_in_for_a_path_below_the_base_url() -> None:
    """GitHub's GraphQL is beside its REST API."""
    client, transport, _, events = client_of(SOUND)
    client.call(Call("x", "POST", "/graphql", says(), url="https://api.example/graphql"))
    client.call(Call("x", "GET", "/x?page=2", says()))
    assert [each.url for each in transport.requests] == [
        "https://api.example/graphql",
        "https://api.example/x?page=2",
    ]
    assert [str(each.exchange) for each in events.of(Sending)] == ["POST /graphql", "GET /x?page=2"]
