"""How long a forge is waited for: with a clock that runs as fast as the test likes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.forges.api import Api, ForgeError, PerhapsCreated
from reconciler.forges.github import HINTS
from reconciler.http.connection import Connection
from reconciler.http.messages import Chance, NoAnswer, NotSent, Request, Response, UnusableAnswer
from reconciler.outgoing import Secret
from tests.clock import START, VirtualClock

RESET = str(int(START.timestamp()) + 90)
ScriptEntry = Response | Exception


class Script:
    """A transport that answers from a list, and then always the last of it."""

    def __init__(self, *entries: ScriptEntry) -> None:
        self.entries = list(entries)
        self.sent: list[Request] = []

    def send(self, request: Request, seconds: float) -> Response:
        assert seconds > 0
        self.sent.append(request)
        entry = self.entries.pop(0) if len(self.entries) > 1 else self.entries[0]
        if isinstance(entry, Exception):
            raise entry
        return entry

    def close(self) -> None:
        """Nothing is open."""


OK = Response(200, {}, b"[]")


def answer(status: int, headers: Mapping[str, str] | None = None, words: str = "") -> Response:
    """An error of GitHub's."""
    return Response(status, headers or {}, f'{{"message": "{words}"}}'.encode())


def calling(*entries: ScriptEntry, timeout: float = 300) -> tuple[Api, VirtualClock, Script]:
    """An API that answers from a script."""
    clock, script = VirtualClock(), Script(*entries)
    connection = Connection(Secret("ghs_0123456789"), "https://api.github.com", timeout=timeout)
    api = Api(
        "GitHub",
        connection,
        script,
        headers={"authorization": "Bearer ghs_0123456789"},
        hints=HINTS,
        clock=clock,
        notify=lambda _: None,
        jitter=lambda: 0.0,
    )
    return api, clock, script


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [
        (answer(429, {"retry-after": "17"}), 17),
        (answer(403, {"retry-after": "17"}), 17),
        (answer(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}), 90),
        (answer(429, {"ratelimit-remaining": "0", "ratelimit-reset": RESET}), 90),
        (answer(403, {}, "You have exceeded a secondary rate limit."), 60),
        (answer(429), 60),
        (answer(429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}), 60),
        (answer(429, {"retry-after": "0"}), 1),
    ],
    ids=["429", "403", "reset", "gitlab", "words", "bare", "no number", "zero"],
)
def test_a_rate_limit_is_waited_for_as_long_as_asked(refusal: Response, seconds: float) -> None:
    """And never in a loop without a pause."""
    api, clock, _ = calling(refusal, OK)
    api.call("GET", "/x")
    assert clock.waits == [seconds]


def test_a_403_without_a_limit_is_a_refusal() -> None:
    """Requests that remain say that it is about permission."""
    api, clock, script = calling(answer(403, {"x-ratelimit-remaining": "4999"}, "no"))
    with pytest.raises(ForgeError, match=r"was refused \(HTTP 403\): no"):
        api.call("GET", "/x")
    assert (clock.waits, len(script.sent)) == ([], 1)


def test_a_limit_longer_than_the_time_allowed_is_not_waited_for() -> None:
    """It ends at once, and says how long it would have taken."""
    api, clock, _ = calling(answer(429, {"retry-after": "301"}))
    with pytest.raises(ForgeError, match=r"asks to wait 301 s, longer than .* the 300 s allowed"):
        api.call("GET", "/x")
    assert clock.waits == []


def test_waits_grow_and_fit_the_time_allowed() -> None:
    """Twice as long each time, up to 10 seconds, and never past the end."""
    api, clock, _ = calling(answer(500), timeout=60)
    with pytest.raises(ForgeError, match="given up"):
        api.call("GET", "/x")
    assert clock.waits[:5] == [1, 2, 4, 8, 10]
    assert 55 < sum(clock.waits) < 60


@pytest.mark.parametrize("fault", [NoAnswer("silence"), answer(502), answer(408)])
def test_only_a_post_is_not_repeated_once_in_doubt(fault: ScriptEntry) -> None:
    """It may have created something; an edit may be made twice."""
    api, clock, _ = calling(fault, OK)
    with pytest.raises(PerhapsCreated):
        api.call("POST", "/x", {})
    assert clock.waits == []
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        api, clock, _ = calling(fault, OK)
        api.call(method, "/x", {})
        assert clock.waits in ([0.25], [1])


def test_a_post_that_never_left_is_sent_again() -> None:
    """A refused connection created nothing."""
    api, _, script = calling(NotSent("connection refused"), OK)
    api.call("POST", "/x", {})
    assert len(script.sent) == 2


def test_what_will_not_pass_is_not_repeated() -> None:
    """One attempt, one error."""
    api, clock, script = calling(NotSent("the host is unknown", chance=Chance.NONE))
    with pytest.raises(ForgeError):
        api.call("GET", "/x")
    assert (clock.waits, len(script.sent)) == ([], 1)


def test_an_answer_that_nobody_can_read_is_asked_for_again_but_not_often() -> None:
    """Unless it is the answer to a POST, which may have created something."""
    api, _, script = calling(UnusableAnswer("too large", 200))
    with pytest.raises(ForgeError):
        api.call("GET", "/x")
    assert len(script.sent) == 3
    api, _, script = calling(UnusableAnswer("too large", 200))
    with pytest.raises(PerhapsCreated):
        api.call("POST", "/x", {})
    assert len(script.sent) == 1


def test_a_listing_without_end_is_given_up() -> None:
    """A hundred pages of a hundred."""
    from pydantic import TypeAdapter

    full = Response(200, {"link": '<https://x>; rel="next"'}, b"[1]")
    api, _, script = calling(full)
    with pytest.raises(ForgeError, match="more than 100 pages"):
        list(api.pages("/x", TypeAdapter(list[int])))
    assert len(script.sent) == 100


def test_the_token_shows_in_no_representation() -> None:
    """Neither the API's nor the request's."""
    api, _, script = calling(OK)
    api.call("GET", "/x")
    assert script.sent[0].headers["authorization"] == "Bearer ghs_0123456789"
    assert "ghs_" not in repr(api) + repr(script.sent)
