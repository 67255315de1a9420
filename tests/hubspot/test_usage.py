"""Usage is a hint: whatever the portal does, it is asked for in bounded time and fails nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence

import pytest

from reconciler.errors import Interrupted
from reconciler.http.messages import Request, Response, TransportFault, UnusableAnswer
from reconciler.hubspot.usage import AT_ONCE, SECONDS, UsageInquiry
from reconciler.model.limits import (
    AssociationType,
    Category,
    Direction,
    ObjectType,
    ObservedDirection,
    ObservedLimit,
    TypeKey,
)
from reconciler.model.plan import LimitUsage, UsageGap
from tests.clock import VirtualClock
from tests.hubspot.support import TOKEN, answer, scripted

COUNTS = {"limit": 5, "totalRecordsAtLimit": 12, "totalRecordsNearLimit": 40}
OBJECT_LIMIT = AssociationType(TypeKey(Category.HUBSPOT_DEFINED, 279), None)


def seen(number: int, limit: int | None = None) -> ObservedDirection:
    """A direction from one custom object type to another, each of its own number."""
    ends = (ObjectType(f"2-{number}", f"a{number}"), ObjectType(f"2-{number + 1000}", f"b{number}"))
    return ObservedDirection(Direction(*ends), (ObservedLimit(OBJECT_LIMIT, limit),))


def asked(
    *steps: Response | Exception | Callable[[Request, float], Response],
    directions: Sequence[ObservedDirection] = (seen(1),),
    clock: VirtualClock | None = None,
    timeout: float = 60.0,
) -> tuple[UsageInquiry, tuple[LimitUsage, ...], list[str]]:
    """The inquiry over a script, what it found, and the paths that were asked for."""
    clock = clock or VirtualClock()
    portal, transport = scripted(*steps, clock=clock, timeout=timeout)
    inquiry = UsageInquiry(portal, directions, clock)
    with portal:
        portal.in_parallel(inquiry.first)
        found = inquiry.complete()
    return inquiry, found, [each.url.partition("/records/")[2] for each in transport.requests]


def test_each_direction_is_asked_about_once() -> None:
    """In the order of the plan, whichever is answered first."""
    directions = [seen(number) for number in range(1, AT_ONCE + 1)]
    inquiry, found, paths = asked(answer(200, COUNTS), directions=directions)
    assert [each.key for each in found] == [each.direction.key for each in directions]
    assert {(each.limit, each.at_limit, each.near_limit) for each in found} == {(5, 12, 40)}
    assert sorted(paths) == sorted("/".join(each.direction.key) for each in directions)
    assert inquiry.problem is None
    assert not inquiry.lacks_scope


def test_of_many_directions_their_object_types_are_asked_about_first() -> None:
    """HubSpot lists those with records at or near a limit; of the others nobody is affected."""
    directions = [seen(number, number) for number in range(1, AT_ONCE + 2)]
    types = {"results": [{"objectTypeId": "2-3"}, {"objectTypeId": "2-4"}]}

    def respond(request: Request, _: float) -> Response:
        return answer(200, types if request.url.endswith("/from") else COUNTS)

    _, found, paths = asked(respond, directions=directions)
    assert paths[0] == "from"
    assert sorted(paths[1:]) == ["2-3/2-1003", "2-4/2-1004"]
    assert [each.at_limit for each in found] == [0, 0, 12, 12, *[0] * (AT_ONCE - 3)]
    assert [each.limit for each in found[:4]] == [1, 2, 5, 5]


def test_where_object_types_cannot_be_listed_each_direction_is_asked_about() -> None:
    """The list is only a short cut."""
    directions = [seen(number) for number in range(AT_ONCE + 1)]

    def respond(request: Request, _: float) -> Response:
        return answer(404) if request.url.endswith("/from") else answer(200, COUNTS)

    _, found, _ = asked(respond, directions=directions)
    assert {each.at_limit for each in found} == {12}


@pytest.mark.parametrize("count", [3, AT_ONCE + 1])
def test_a_token_without_the_scope_is_asked_for_no_more(count: int) -> None:
    """Unknown is not 0, and what is refused once is refused again."""
    directions = [seen(number) for number in range(count)]
    refused = answer(403, {"category": "MISSING_SCOPES"})
    inquiry, found, paths = asked(refused, directions=directions)
    assert inquiry.lacks_scope
    assert inquiry.problem is None
    assert {each.at_limit for each in found} == {each.near_limit for each in found} == {None}
    assert {each.unknown_because for each in found} == {None}
    assert len(paths) <= min(count, AT_ONCE)


@pytest.mark.parametrize("status", [400, 404, 405, 410])
def test_a_direction_that_hubspot_does_not_offer_says_nothing_of_the_others(status: int) -> None:
    """It is asked once, and each for itself."""

    def respond(request: Request, _: float) -> Response:
        return answer(status, {}) if request.url.endswith("2-1/2-1001") else answer(200, COUNTS)

    inquiry, found, paths = asked(respond, directions=[seen(1), seen(2)])
    assert [each.unknown_because for each in found] == [UsageGap.NOT_OFFERED, None]
    assert [each.at_limit for each in found] == [None, 12]
    assert inquiry.problem is None
    assert len(paths) == 2


FAILURES: list[tuple[str, Response | Exception, str]] = [
    ("401", answer(401, {}), "does not accept the token"),
    ("500", answer(500, {}), "HTTP 500"),
    ("503", answer(503, {}), "HTTP 503"),
    ("redirect", answer(307, headers={"location": "https://elsewhere.example"}), "redirected"),
    ("429", answer(429, {"category": "RATE_LIMITS"}), "429|limits the rate"),
    ("wait", answer(429, {}, headers={"retry-after": "3600"}), "HTTP 429"),
    ("daily", answer(429, {"policyName": "DAILY"}), "used up"),
    ("locked", answer(423, {}), "HTTP 423"),
    ("migrating", answer(477, {}, headers={"retry-after": "86400"}), "HTTP 477"),
    ("html", answer(200, body=b"<html>"), "HTML"),
    ("empty", answer(200, body=b""), "empty"),
    ("rows", answer(200, {"results": []}), "totalRecordsAtLimit is missing"),
    ("negative", answer(200, COUNTS | {"totalRecordsAtLimit": -1}), "too small"),
    ("text", answer(200, COUNTS | {"totalRecordsNearLimit": "4"}), "not a whole number"),
    ("207", answer(207, COUNTS), "200"),
    ("token", answer(200, COUNTS | {"limit": TOKEN}), "holds the token"),
    ("network", TransportFault("the connection was closed"), "closed"),
    ("large", UnusableAnswer("it is too large", 200), "too large"),
]


@pytest.mark.parametrize(
    ("step", "words"), [each[1:] for each in FAILURES], ids=[each[0] for each in FAILURES]
)
@pytest.mark.parametrize("count", [1, 3])
def test_no_answer_is_unknown_in_bounded_time(
    step: Response | Exception, words: str, count: int
) -> None:
    """With the reason; the directions that have not begun are not asked about."""
    clock = VirtualClock()
    directions = [seen(number) for number in range(count)]
    inquiry, found, _ = asked(step, directions=directions, clock=clock)
    assert {each.at_limit for each in found} == {each.near_limit for each in found} == {None}
    assert {each.unknown_because for each in found} == {UsageGap.NO_ANSWER}
    assert re.search(words, str(inquiry.problem))
    assert TOKEN not in str(inquiry.problem)
    assert clock.monotonic() <= SECONDS + 1


def test_silence_takes_no_longer_than_the_time_for_a_hint() -> None:
    """Twelve seconds, or what `--timeout` allows if that is less; all directions together."""
    for timeout, longest in ((60.0, SECONDS), (2.0, 2.0)):
        clock = VirtualClock()

        def be_silent(_: Request, seconds: float, clock: VirtualClock = clock) -> Response:
            clock.pass_time(clock.monotonic(), seconds)
            raise TransportFault("no answer came in time")

        directions = [seen(number) for number in range(AT_ONCE)]
        inquiry, found, _ = asked(be_silent, directions=directions, clock=clock, timeout=timeout)
        assert {each.unknown_because for each in found} == {UsageGap.NO_ANSWER}
        assert "no answer came in time" in str(inquiry.problem)
        assert clock.monotonic() <= longest + 1


def test_the_time_for_all_of_them_ends() -> None:
    """Answers that each come in time, but slowly."""
    clock = VirtualClock()
    one_at_a_time = threading.Lock()

    def be_slow(request: Request, _: float) -> Response:
        with one_at_a_time:
            clock.pass_time(clock.monotonic(), 2.0)
        return answer(404) if request.url.endswith("/from") else answer(200, COUNTS)

    directions = [seen(number) for number in range(40)]
    inquiry, found, _ = asked(be_slow, directions=directions, clock=clock)
    assert 0 < sum(each.at_limit is None for each in found) < 40
    assert inquiry.problem == "HubSpot was asked for 12 s, and that was not enough"
    assert clock.monotonic() <= SECONDS + 2.0 * AT_ONCE + 1


def test_a_signal_ends_it() -> None:
    """It is no answer of the portal."""
    clock = VirtualClock()
    clock.stop.request()
    with pytest.raises(Interrupted):
        asked(answer(200, COUNTS), clock=clock)


def test_it_keeps_to_the_pace_of_the_portal() -> None:
    """The endpoint is not exempt from the ten-second policy (documented): 100 requests in 10 s."""
    clock = VirtualClock()
    moments: list[float] = []

    def respond(request: Request, _: float) -> Response:
        moments.append(clock.monotonic())
        everybody = {"results": [{"objectTypeId": f"2-{number}"} for number in range(120)]}
        return answer(200, everybody if request.url.endswith("/from") else COUNTS)

    directions = [seen(number) for number in range(120)]
    _, found, _ = asked(respond, directions=directions, clock=clock)
    assert {each.at_limit for each in found} == {12}
    assert len(moments) == 121
    assert sum(moment < 10 for moment in moments) <= 100
