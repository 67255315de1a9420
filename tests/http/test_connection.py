"""Where a portal is: base URLs that are safe for a token, and tokens that fit a header."""

from __future__ import annotations

import copy
import pickle
import re
from datetime import date
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.errors import UsageProblem
from reconciler.http.connection import Connection, environment_proxy, parse_base_url
from reconciler.hubspot.portal import connect
from reconciler.hubspot.versions import ApiVersion
from reconciler.outgoing import Secret
from tests.hubspot.support import TOKEN, ScriptedTransport


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://api.hubapi.com", "https://api.hubapi.com"),
        ("https://api.hubapi.com/", "https://api.hubapi.com"),
        ("HTTPS://API.HubApi.com:8443/", "https://api.hubapi.com:8443"),
        ("https://proxy.example/hubspot/eu/", "https://proxy.example/hubspot/eu"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://api.hubapi.com.", "https://api.hubapi.com."),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://my_proxy", "https://my_proxy"),
    ],
)
def test_usable_base_urls(text: str, expected: str) -> None:
    """A host anywhere by https, http to this machine; a trailing slash makes no difference."""
    assert parse_base_url(text) == expected
    assert Connection(Secret(TOKEN), base_url=text).base_url == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.hubapi.com",
        "http://api.hubapi.com",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "ftp://api.hubapi.com",
        "https://",
        "https:///path",
        "https://user:hunter2secret@api.hubapi.com",
        "https://hunter2secret@api.hubapi.com",
        "https://api.hubapi.com?key=hunter2secret",
        "https://api.hubapi.com/#hunter2secret",
        "https://api.hubapi.com/?",
        "https://api.hubapi.com:port",
        "https://api.hubapi.com:99999",
        "https://api.hub\napi.com",
        "https://api.hubapi.com/a b",
        "https://api.hubapi.com/../x",
        "https://api.hubapi.com\\@evil.example",
        "https://[::1",
        "https://bücher.example",
        "https://a..b",
        "https://.example",
        "https://xn--",
        "https://xn--\xff",
        "https://xn--a.example",
        "https://-a.example",
        "https://a-.example",
        f"https://{'a' * 64}.example",
        f"https://{'a.' * 127}example",
        "https://[::1]x",
        "https://x[::1]",
        "https://[::1]:",
        "https://[1.2]",
        "https://[::1%25lo]",
        "https://api.hubapi.com:",
        "https://api.hubapi.com:٨٠",
        "https://.",
    ],
)
def test_base_urls_that_are_not_safe_for_a_token(text: str) -> None:
    """Refused as wrong usage, and a secret inside is not repeated."""
    with pytest.raises(UsageProblem) as caught:
        parse_base_url(text)
    assert "hunter2secret" not in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.exit_code == 64


@given(
    st.lists(
        st.sampled_from(
            ["https://", "http://", "//", "/", ":", "::", "@", "[", "]", "[::1]", "[::]", ".", "..",
             "xn--", "xn--a", "xn--bcher-kva", "api", "hubapi.com", "127.0.0.1", "0x7f.1", "localhost",
             "-", "_", "%", "%2e", "%zz", "?", "#", " ", "\\", "\n", "\0", "é", "\u200b", "\ud800", ":0",
             ":65535", ":65536", ":+1", ":\u0661", "a" * 63, "a" * 64, "1" * 20, "fe80::1%eth0"]
        )
        | st.text(max_size=4),
        max_size=8,
    ).map("".join)
)  # fmt: skip
@example("https://a..b")
@example("https://xn--")
@example("https://xn--bcher-kvaxn--bcher-kva")
@example("https://[::1]x")
@example("https://[::1]:x")
@example("https://host:99999999999999999999999")
@example("https://u:p@host")
@example("https://" + "a." * 200)
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_usable_base_url_or_wrong_usage(text: str) -> None:
    """Nothing of a usable one is lost, and both httpx and the name service can take it."""
    try:
        url = parse_base_url(text)
    except UsageProblem:
        return
    assert parse_base_url(url) == url
    without_zeros = re.compile(":0+(?=[0-9])")
    given_url, used = (without_zeros.sub(":", each.lower()) for each in (text.rstrip("/"), url))
    assert used == given_url
    parsed = httpx.URL(f"{url}/x")
    assert parsed.host
    (urlsplit(url).hostname or "").encode("idna")
    httpx.Request("GET", parsed)


def test_a_token_is_never_shown() -> None:
    """Neither by itself, nor in the connection, nor by copying it somewhere."""
    secret = Secret(TOKEN)
    connection = Connection(secret)
    shown = f"{secret} {secret!r} {connection} {connection!r}"
    assert TOKEN not in shown
    assert "***" in shown
    assert secret.reveal() == TOKEN
    for take in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            take(secret)


def test_bounds_of_a_connection() -> None:
    """Concurrency is capped at 16; nonsense is wrong usage."""
    assert Connection(Secret(TOKEN), concurrency=99).concurrency == 16
    assert Connection(Secret(TOKEN)).timeout == 60.0
    for wrong in ({"concurrency": 0}, {"timeout": 0}, {"timeout": float("nan")}):
        with pytest.raises(UsageProblem):
            Connection(Secret(TOKEN), **wrong)


def test_loopback_is_known() -> None:
    """No proxy is asked for this machine."""
    assert Connection(Secret(TOKEN), base_url="http://[::1]:1").is_loopback
    assert not Connection(Secret(TOKEN)).is_loopback


@pytest.mark.parametrize(
    ("version", "today", "words"),
    [
        (ApiVersion.V4, date(2026, 9, 30), None),
        (ApiVersion.V4, date(2026, 10, 1), "version v4 ends on 30 March 2027; use 2026-09"),
        (ApiVersion.V4, date(2027, 3, 31), "version v4 ended on 30 March 2027; use 2026-09"),
        (ApiVersion.V2025_09, date(2026, 11, 25), "ends in March 2027, which is inferred"),
        (ApiVersion.V2026_03, date(2026, 11, 25), None),
        (ApiVersion.V2026_03, date(2027, 4, 3), "version 2026-03 ends in September 2027;"),
        (ApiVersion.V2026_09, date(2027, 9, 1), None),
    ],
)
def test_the_end_of_a_versions_support_is_announced_half_a_year_before(
    version: ApiVersion, today: date, words: str | None
) -> None:
    """What is inferred is called so."""
    warning = version.warning(today)
    assert warning is None if words is None else words in str(warning)


def test_the_latest_version_is_the_default() -> None:
    """HubSpot advises it for every new integration (documented)."""
    portal = connect(Connection(Secret(TOKEN)), transport=ScriptedTransport())
    assert portal.version is max(ApiVersion, key=lambda each: each.end_of_support)


def test_the_end_of_support_is_known_for_every_version() -> None:
    """As documented, the oldest ends first."""
    ends = [version.end_of_support for version in ApiVersion]
    assert ends == sorted(ends)
    assert str(ApiVersion.V4.end_of_support) == "2027-03-30"


PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, ("https", PROXY)),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, ("https", PROXY)),
        ({"ALL_PROXY": PROXY}, ("all", PROXY)),
        ({"ALL_PROXY": "http://other", "HTTPS_PROXY": PROXY}, ("https", PROXY)),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "a.example, api.hubapi.com"}, None),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "hubapi.com"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": ".hubapi.com"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "notapi.hubapi.com"}, ("https", PROXY)),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, ("https", PROXY)),
    ],
)
def test_the_proxy_is_the_one_of_the_environment(
    variables: dict[str, str], found: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/network.md has it; this machine itself is never asked through one."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy("https://api.hubapi.com") == found
    assert environment_proxy("http://127.0.0.1:8111") is None
