"""A server that sends the token back, in every part of an answer: it is printed and saved nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import Options
from tests.cli.running import Desk
from tests.hubspot.raw_server import raw_server, saying

TOKEN = "pat-na1-0badcafe-dead-beef-0123-456789abcdef"
ESCAPED = TOKEN.replace("-", r"\u002d")


def answer(status: str, body: str = "{}", headers: str = "") -> bytes:
    """An answer as bytes on the wire."""
    content = body.encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n".encode() + content
    )


def answers() -> Iterator[tuple[str, bytes]]:
    """The token in a status line, a header, a header's name, an error and an account."""
    yield "status line", f"HTTP/1.1 {TOKEN}\r\n\r\n".encode()
    yield "version", f"{TOKEN} 200 OK\r\n\r\n".encode()
    yield "reason", answer(f"400 {TOKEN}")
    yield "header", b"HTTP/1.1 200 OK\r\n" + f"{TOKEN}\r\n\r\n".encode()
    yield "header name", answer("400 Bad", headers=f"bad name {TOKEN}: x\r\n")
    yield "header value", answer("400 Bad", headers=f"X-HubSpot-Correlation-Id: {TOKEN}\r\n")
    yield "length", f"HTTP/1.1 200 OK\r\nContent-Length: {TOKEN}\r\n\r\n".encode()
    yield "encoding", answer("200 OK", headers=f"Content-Encoding: {TOKEN}\r\n")
    yield "redirect", answer("307 Moved", headers=f"Location: https://{TOKEN}.example/\r\n")
    for name, spelled in (("plain", TOKEN), ("escaped", ESCAPED), ("split", r"\n".join(TOKEN))):
        yield (
            f"message, {name}",
            answer("400 Bad", f'{{"message": "{spelled}", "category": "{spelled}"}}'),
        )
        yield (
            f"scope, {name}",
            answer("403 No", f'{{"errors": [{{"context": {{"requiredScopes": ["{spelled}"]}}}}]}}'),
        )
        yield f"account, {name}", answer("200 OK", f'{{"portalId": 1, "accountType": "{spelled}"}}')
    yield "long message", answer("400 Bad", json.dumps({"message": "x" * 580 + TOKEN}))


@pytest.mark.parametrize(("place", "content"), list(answers()), ids=[name for name, _ in answers()])
def test_an_echoed_token_is_shown_nowhere(offline: Desk, place: str, content: bytes) -> None:
    """Neither in words nor in part, on any stream, and the command ends in an error."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    with raw_server(saying(content)) as server:
        offline.variables |= {"HUBSPOT_BASE_URL": server.url, "HUBSPOT_ACCESS_TOKEN": TOKEN}
        ran = offline.run_here("plan", "--timeout", "0.5", "--format", "json", "--out", "plan.json")
    shown = ran.out + ran.err
    assert ran.code == 1, place
    for part in (TOKEN, ESCAPED, TOKEN[:20], TOKEN[-12:], "".join(TOKEN.split("-"))):
        assert part not in shown.replace("\\n", "")
    assert "bytearray" not in shown
    assert "internal error" not in shown
    assert not (offline.folder / "plan.json").exists()


@pytest.mark.parametrize("label", [TOKEN, "\u200b".join(TOKEN), f"owner {TOKEN.upper()}"])
def test_a_label_that_holds_the_token_is_refused(pair: Desk, label: str) -> None:
    """It would get into plans, comments and the digest of a review."""
    fault = parse_fault(f"read:row,type=77,label={label},max=3")
    with serve(example_portal(), Options(token=TOKEN, faults=(fault,))) as server:
        pair.variables |= {"HUBSPOT_BASE_URL": server.url, "HUBSPOT_ACCESS_TOKEN": TOKEN}
        ran = pair.run_here("plan", "--out", "plan.json")
    assert ran.code == 1
    assert "holds the token of this run" in ran.err
    assert TOKEN not in ran.out + ran.err
