"""Answers outside 2xx: which error, in which words, and how long they are waited out."""

from __future__ import annotations

import re
import traceback

import pytest

from reconciler.errors import (
    AnswerNotUnderstood,
    AuthenticationFailed,
    DailyLimitReached,
    EndpointMissing,
    Interrupted,
    PermissionMissing,
    PortalError,
    PortalUnavailable,
    ReconcilerError,
    Redirected,
    RequestRefused,
)
from reconciler.http.messages import Chance, NotSent, Response, UnusableAnswer, WaitCause, Waiting
from reconciler.hubspot.portal import Portal
from reconciler.model.limits import ObservedDirection
from tests.clock import VirtualClock
from tests.hubspot.support import (
    CONTACTS_COMPANIES,
    OBJECT_LIMIT,
    TOKEN,
    Recorder,
    answer,
    never,
    rows,
    sandboxed,
    scripted,
)

SOUND = answer(200, rows((OBJECT_LIMIT, None, 5)))
ENDPOINT = "GET /crm/associations/2026-03/definitions/configurations/0-1/0-2"


def read(portal: Portal) -> ObservedDirection:
    """Read the one direction of these tests."""
    return portal.read(CONTACTS_COMPANIES, needs_labels=never)


def refused(response: Response) -> PortalError:
    """The error that an answer to a read ends in, which must not be asked for twice."""
    portal, transport = scripted(response)
    with pytest.raises(PortalError) as caught:
        read(portal)
    assert len(transport.requests) == 1
    return caught.value


def test_a_token_that_is_not_accepted() -> None:
    """401: the words say what to do, the correlation ID is shown."""
    error = refused(
        answer(401, {"category": "INVALID_AUTHENTICATION", "message": "expired", "correlationId": "c"})
    )  # fmt: skip
    assert isinstance(error, AuthenticationFailed)
    assert "INVALID_AUTHENTICATION, expired [correlation ID c]" in error.message
    assert (error.category, error.correlation_id) == ("INVALID_AUTHENTICATION", "c")
    assert "revoked" in (error.hint or "")


@pytest.mark.parametrize("name", ["requiredGranularScopes", "requiredScopes"])
def test_a_missing_scope_is_named(name: str) -> None:
    """403: with the place in HubSpot where it is granted."""
    context = {name: ["crm.schemas.contacts.read", "crm.schemas.contacts.write"]}
    error = refused(
        answer(
            403, {"category": "MISSING_SCOPES", "errors": [{"message": "x", "context": context}]}
        )
    )
    assert isinstance(error, PermissionMissing)
    assert "crm.schemas.contacts.read, crm.schemas.contacts.write" in error.message
    assert "grant crm.schemas.contacts.read" in (error.hint or "")
    assert "Development → Keys → Service keys" in (error.hint or "")
    assert "an existing private app" in (error.hint or "")


@pytest.mark.parametrize("body", [b"", b"<html>Forbidden</html>", b"{}", b'{"errors": null}'])
def test_a_403_that_names_no_scope(body: bytes) -> None:
    """It is still a missing permission, never an empty portal."""
    error = refused(answer(403, body=body))
    assert isinstance(error, PermissionMissing)
    assert "HTTP 403, no message" in error.message


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 413, 422])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"message": "no"}', b"[]", b"null"])
def test_other_refusals(status: int, body: bytes) -> None:
    """404, 405 and 410 concern the address, every other the inputs, whatever the body."""
    error = refused(answer(status, body=body, headers={"x-hubspot-correlation-id": "h-1"}))
    assert isinstance(error, EndpointMissing if status in {404, 405, 410} else RequestRefused)
    assert f"HTTP {status}" in error.message
    assert ENDPOINT in error.message
    assert "[correlation ID h-1]" in error.message


def test_server_words_are_made_harmless() -> None:
    """Control characters cannot reach a terminal, and a novel is cut."""
    error = refused(answer(400, {"message": "\x1b[31mred\x07\nline\u202e " + "x" * 5000}))
    assert "[31mred line" in error.message
    assert "\x1b" not in error.message
    assert "\u202e" not in error.message
    assert len(error.message) < 900


def test_the_token_is_in_no_error() -> None:
    """Even when the server sends it back in its message, its headers or its location."""
    for status in (400, 401, 403, 302, 429):
        portal, _ = scripted(
            answer(
                status,
                {"message": f"bad {TOKEN}", "policyName": "DAILY", "correlationId": TOKEN},
                headers={
                    "location": f"https://{TOKEN}.evil.example/{TOKEN}",
                    "x-hubspot-correlation-id": TOKEN,
                },
            )
        )
        with pytest.raises(PortalError) as caught:
            read(portal)
        error = caught.value
        shown = "".join(traceback.format_exception(error))
        fields = (error.hint, error.category, error.correlation_id, error.args)
        assert TOKEN not in f"{shown} {fields} {portal!r}"


@pytest.mark.parametrize(
    "response",
    [
        answer(429, {"policyName": "DAILY", "category": "RATE_LIMITS", "correlationId": "c"}),
        answer(429, body=b"<html>", headers={"x-hubspot-ratelimit-daily-remaining": "0"}),
        answer(429, {"policyName": "DAILY"}, headers={"retry-after": "1"}),
    ],
)
def test_the_daily_limit_ends_the_run_at_once(response: Response) -> None:
    """Waiting will not help today, whatever Retry-After says."""
    assert isinstance(refused(response), DailyLimitReached)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_redirects_are_errors_that_name_the_host(status: int) -> None:
    """The token does not follow them."""
    error = refused(answer(status, headers={"location": "https://user:x@evil.example:8443/path?q"}))
    assert isinstance(error, Redirected)
    assert "redirected to evil.example:8443;" in error.message
    assert not error.may_have_been_written
    assert "was redirected;" in refused(answer(status, headers={"location": "/login"})).message


@pytest.mark.parametrize("status", [408, 423, 429, 477, 500, 502, 503, 504, 521, 523, 524, 599])
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"message": "busy", "correlationId": "c"}'])
def test_what_may_pass_is_waited_out(status: int, body: bytes) -> None:
    """Three times, then the read succeeds as if nothing had been."""
    clock = VirtualClock()
    fault = answer(status, body=body)
    portal, transport = scripted(fault, fault, fault, SOUND, clock=clock)
    assert read(portal).values() == {OBJECT_LIMIT: 5}
    assert portal.requests == len(transport.requests) == 4
    assert 3 < clock.now < 20


def test_a_lock_is_given_two_seconds_at_least() -> None:
    """423, as documented, even where Retry-After says less."""
    for headers in ({}, {"retry-after": "0"}):
        clock = VirtualClock()
        portal, _ = scripted(answer(423, headers=headers), SOUND, clock=clock)
        read(portal)
        assert clock.now == 2


@pytest.mark.parametrize("status", [423, 429, 477, 502, 503])
def test_retry_after_is_honoured(status: int) -> None:
    """As seconds and as a date."""
    for text in ("7", "Sat, 21 Nov 2026 09:00:07 GMT"):
        clock = VirtualClock()
        portal, _ = scripted(answer(status, headers={"retry-after": text}), SOUND, clock=clock)
        read(portal)
        assert 7 <= clock.now < 9


def test_retry_after_of_nothing_is_no_licence_to_hammer() -> None:
    """A portal that says 0 for ever is asked tens of times in a minute, not thousands."""
    portal, transport = scripted(answer(503, headers={"retry-after": "0"}), clock=VirtualClock())
    with pytest.raises(PortalUnavailable):
        read(portal)
    assert 10 < len(transport.requests) < 40


@pytest.mark.parametrize("status", [423, 429, 477, 503])
def test_a_wait_longer_than_the_time_allowed_fails_at_once(status: int) -> None:
    """A migration of 24 hours is told, not slept through."""
    clock = VirtualClock()
    portal, transport = scripted(answer(status, headers={"retry-after": "86400"}), clock=clock)
    with pytest.raises(PortalUnavailable, match=r"asks to wait 8640\d s.*60 s allowed") as caught:
        read(portal)
    assert (clock.now, len(transport.requests)) == (0, 1)
    assert f"HTTP {status}" in caught.value.message
    assert "--timeout" in (caught.value.hint or "")


@pytest.mark.parametrize("policy", ["TEN_SECONDLY_ROLLING", "SECONDLY", None])
def test_a_short_time_is_kept_to_and_told(policy: str | None) -> None:
    """With five seconds and a 429 that stays, the last one is told before they are over."""
    clock = VirtualClock()
    portal, transport = scripted(
        answer(429, {"policyName": policy, "correlationId": "c-7"}), clock=clock, timeout=5
    )
    with pytest.raises(PortalUnavailable) as caught:
        read(portal)
    assert clock.now <= 5
    assert len(transport.requests) >= 2
    assert re.search("limits the rate|HTTP 429", caught.value.message)


def test_one_refusal_of_the_rate_passes_within_a_short_time() -> None:
    """A single 429 without Retry-After does not cost a run of five seconds its life."""
    clock = VirtualClock()
    portal, _ = scripted(answer(429, body=b""), SOUND, clock=clock, timeout=5)
    read(portal)
    assert clock.now <= 2


def test_giving_up_tells_the_last_answer() -> None:
    """Status, words and correlation ID of the last attempt, and how many there were."""
    portal, transport = scripted(answer(503, {"message": "maintenance", "correlationId": "c-3"}))
    with pytest.raises(PortalUnavailable) as caught:
        read(portal)
    error = caught.value
    assert f"given up after {len(transport.requests)} attempts" in error.message
    assert "HTTP 503, maintenance [correlation ID c-3]" in error.message
    assert error.correlation_id == "c-3"


def test_attempts_share_the_time_allowed() -> None:
    """None may take more than half of it, and the last no more than what is left."""
    clock = VirtualClock()

    def slow(_: object, seconds: float) -> Response:
        clock.now += seconds
        return answer(503)

    portal, transport = scripted(slow, clock=clock, timeout=20)
    with pytest.raises(PortalUnavailable):
        read(portal)
    assert max(transport.seconds) == 10
    assert clock.now <= 20.5


def test_a_lasting_fault_is_not_tried_again() -> None:
    """An unknown host stays unknown for the next minute."""
    portal, transport = scripted(NotSent("the host is unknown", hint="check", chance=Chance.NONE))
    with pytest.raises(PortalUnavailable, match="could not be sent: the host is unknown"):
        read(portal)
    assert len(transport.requests) == 1


def test_what_was_reached_once_is_waited_for() -> None:
    """Before the first answer a refused connection on this machine is final, after it it is not."""
    refused = NotSent("nothing listens", chance=Chance.ONCE_REACHED)
    portal, transport = scripted(refused)
    with pytest.raises(PortalUnavailable, match="nothing listens"):
        read(portal)
    assert len(transport.requests) == 1
    portal, transport = scripted(answer(503), refused, refused, SOUND)
    read(portal)
    assert len(transport.requests) == 4


def test_the_wait_of_a_rate_header_is_an_error_beyond_the_time_allowed() -> None:
    """One request a minute, says a header: nobody waits for that without being asked to."""
    headers = {
        "x-hubspot-ratelimit-max": "1",
        "x-hubspot-ratelimit-remaining": "0",
        "x-hubspot-ratelimit-interval-milliseconds": "999999999999",
    }
    clock = VirtualClock()
    stopping = answer(200, {"results": []}, headers=headers)
    portal, transport = scripted(stopping, clock=clock, timeout=30)
    read(portal)
    with pytest.raises(PortalUnavailable, match="limits the rate"):
        read(portal)
    assert len(transport.requests) == 1
    assert clock.now <= 30
    portal, _ = scripted(stopping, clock=VirtualClock(), timeout=90)
    read(portal)
    read(portal)


def test_one_read_may_be_given_less_time() -> None:
    """Reading back ends with the time that was allowed for it, whatever the portal asks for."""
    clock = VirtualClock()
    portal, _ = scripted(answer(503), clock=clock)
    with pytest.raises(PortalUnavailable, match="the time allowed is 3 s"):
        portal.read(CONTACTS_COMPANIES, needs_labels=never, seconds=3)
    assert clock.now <= 3


@pytest.mark.parametrize(
    "body",
    [
        {"message": "x" * 100_000, "category": "y" * 100_000, "correlationId": "z" * 100_000},
        {"message": {"a": ["b"] * 10_000}, "category": 7, "correlationId": [], "policyName": {}},
        {"message": None, "context": [], "errors": {"a": 1}, "subCategory": [1, 2]},
        {"errors": [{"context": {"requiredScopes": ["scope" * 1000] * 30}}] * 10},
        {"message": "\x1b[2J\ud800\u202e", "context": {"type": [10**3000]}},
        "just text",
        [],
        None,
    ],
)
@pytest.mark.parametrize("status", [400, 403, 404, 418])
def test_an_error_body_of_any_shape_makes_a_bounded_message(body: object, status: int) -> None:
    """Every field may be missing or of another kind; what is shown is one line, and not long."""
    portal, _ = scripted(answer(status, body))
    with pytest.raises(PortalError) as caught:
        read(portal)
    shown = f"{caught.value.message}{caught.value.hint or ''}{caught.value.category or ''}"
    assert len(shown) < 8_000
    assert shown.isprintable()


def test_waits_are_told_with_their_cause() -> None:
    """So that a terminal can say why nothing moves."""
    events = Recorder()
    portal, _ = scripted(
        answer(423), answer(503), NotSent("refused"), answer(429), SOUND, events=events
    )
    read(portal)
    causes = [each.cause for each in events.of(Waiting)]
    assert causes == [WaitCause.LOCKED, WaitCause.FAULT, WaitCause.FAULT, WaitCause.RATE_LIMIT]


def test_what_cannot_be_decoded_is_asked_for_again_but_not_often() -> None:
    """Too large, say: three times, whatever the time allowed."""
    portal, transport = scripted(UnusableAnswer("it is larger than 10 MiB", 200))
    with pytest.raises(AnswerNotUnderstood, match=r"larger than 10 MiB \(HTTP 200\)"):
        read(portal)
    assert len(transport.requests) == 3


def test_a_stop_ends_a_wait() -> None:
    """A lock of minutes does not keep an apply from stopping."""
    clock = VirtualClock(stop_at=10)
    portal, transport = scripted(answer(477, headers={"retry-after": "50"}), clock=clock)
    with pytest.raises(Interrupted):
        read(portal)
    assert len(transport.requests) == 1


def test_after_a_stop_nothing_is_sent() -> None:
    """Not even a first attempt."""
    portal, transport = scripted(SOUND, clock=VirtualClock(stop_at=0))
    with pytest.raises(Interrupted):
        read(portal)
    assert transport.requests == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("read:401", AuthenticationFailed),
        ("read:403,scopes=crm.a+crm.b", PermissionMissing),
        ("read:404,body=html", EndpointMissing),
        ("read:404,body=empty", EndpointMissing),
        ("read:429,policy=DAILY", DailyLimitReached),
        ("read:477,retry-after=86400", PortalUnavailable),
        ("read:503,body=cut", PortalUnavailable),
        ("read:redirect,to=https://evil.example/", Redirected),
        ("read:drop", PortalUnavailable),
    ],
)
def test_faults_over_a_real_socket(fault: str, kind: type[ReconcilerError]) -> None:
    """What the sandbox does wrong ends in the right error."""
    with sandboxed(fault, timeout=1.0) as (portal, _):
        with pytest.raises(kind) as caught:
            read(portal)
        assert type(caught.value) is kind


@pytest.mark.parametrize("fault", ["read#1:503,body=short", "read#1:drop"])
def test_passing_faults_over_a_real_socket(fault: str) -> None:
    """The read succeeds in the end."""
    with sandboxed(fault) as (portal, _):
        assert read(portal).values()
