"""The rolling window of ten seconds, its headers and its 429."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.state import RollingWindow
from reconciler.sandbox.wire import Response
from tests.sandbox.talking import Clock, decoded, get, limits_path, options

ACCOUNT = "/account-info/2026-03/details"


def remaining(response: Response) -> str | None:
    """What the rate header says is left."""
    return dict(response.headers).get("X-HubSpot-RateLimit-Remaining")


@given(
    maximum=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=120),
)
def test_no_ten_seconds_ever_see_more_than_the_maximum(maximum: int, gaps: list[float]) -> None:
    """Whatever the spacing of requests, every window that ends at one of them keeps the limit."""
    window, now, admitted = RollingWindow(maximum), 0.0, []
    for gap in gaps:
        now += gap
        if window.admit(now).is_admitted:
            admitted.append(now)
        assert sum(1 for moment in admitted if moment > now - 10) <= maximum


def test_limit_endpoints_are_exempt_and_carry_no_rate_headers() -> None:
    """As documented, only the helpers count against the ten-second policy."""
    sandbox = Sandbox(example_portal())
    responses = [get(sandbox, limits_path("2026-03")) for _ in range(300)]
    assert {response.status for response in responses} == {200}
    assert remaining(responses[-1]) is None


def test_the_other_endpoints_are_held_to_190() -> None:
    """The 191st within ten seconds is a 429 that names its policy."""
    clock = Clock()
    sandbox = Sandbox(example_portal(), clock=clock)
    responses = [get(sandbox, ACCOUNT) for _ in range(191)]
    assert [response.status for response in responses[:190]] == [200] * 190
    assert dict(responses[0].headers) | {"Content-Type": ""} == {
        "Content-Type": "",
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": "189",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Daily": "650000",
        "X-HubSpot-RateLimit-Daily-Remaining": "649999",
    }
    refused = responses[190]
    document = decoded(refused)
    assert (refused.status, remaining(refused)) == (429, "0")
    assert (document["category"], document["policyName"]) == (
        "RATE_LIMITS",
        "TEN_SECONDLY_ROLLING",
    )
    assert "Retry-After" not in dict(refused.headers)


def test_the_window_rolls() -> None:
    """Room comes back ten seconds after each admitted request, not at a fixed tick."""
    clock = Clock()
    sandbox = Sandbox(example_portal(), options(rate=2), clock=clock)
    assert get(sandbox, ACCOUNT).status == 200
    clock.time += 6
    assert get(sandbox, ACCOUNT).status == 200
    clock.time += 3.9
    assert get(sandbox, ACCOUNT).status == 429
    clock.time += 0.1
    assert get(sandbox, ACCOUNT).status == 200
    assert get(sandbox, ACCOUNT).status == 429


def test_a_rate_governs_all_endpoints_together() -> None:
    """With a rate the limit endpoints count too, and say so in their headers."""
    sandbox = Sandbox(example_portal(), options(rate=3), clock=Clock())
    assert [remaining(get(sandbox, limits_path("v4"))) for _ in range(2)] == ["2", "1"]
    assert remaining(get(sandbox, ACCOUNT)) == "0"
    assert get(sandbox, limits_path("v4")).status == 429
