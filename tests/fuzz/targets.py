"""What is fed with bytes that nobody vouches for: the readers of YAML, plans and answers, the renderers.

A target reads the bytes and checks what must hold whatever they are. Errors of the reader's own
family are what it is meant to say; any other exception is a bug, which the command line would
report as "internal error".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from reconciler.config.loading import parse
from reconciler.config.sources import Source
from reconciler.config.workspace_file import parse_workspace
from reconciler.config.yaml import decode, read_documents
from reconciler.errors import ConfigurationInvalid, Diagnostic, PlanRefused, ReconcilerError
from reconciler.forges import api as forge
from reconciler.forges.api import ForgeError
from reconciler.http.messages import Response, read_rate, read_retry_after
from reconciler.hubspot.batches import read_batch
from reconciler.hubspot.failures import judge
from reconciler.hubspot.wire import (
    BeyondThisVersion,
    Nonsense,
    read_account,
    read_all_limits,
    read_custom_objects,
    read_labels,
    read_limits,
    read_usage,
)
from reconciler.model.limits import Direction, ObjectType
from reconciler.model.plan import Operation, Plan, Result
from reconciler.outgoing import Secret
from reconciler.planning.plan_file import plan_json
from reconciler.planning.saved import read_plan
from reconciler.report.applied import result_text
from reconciler.report.diagnostics import (
    diagnostics_github,
    diagnostics_json,
    diagnostics_sarif,
    diagnostics_text,
)
from reconciler.report.html import plan_html
from reconciler.report.markdown import LIMIT, plan_markdown
from reconciler.report.mermaid import plan_mermaid
from reconciler.report.terminal import Style
from reconciler.report.text import plan_text
from tests.clock import VirtualClock
from tests.fuzz.plans import plan_from, result_from
from tests.hubspot.support import always, batch, scripted
from tests.report.factory import is_printable, small_changes
from tests.report.factory import plan as made_plan
from tests.report.page import every, read

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """`feed` raises for a bug and nothing else. `tokens` are what its inputs are made of."""

    name: str
    feed: Callable[[bytes], None]
    tokens: tuple[bytes, ...] = field(repr=False)

    @property
    def corpus(self) -> tuple[bytes, ...]:
        """Inputs to start from, among them those that once broke something."""
        return tuple(path.read_bytes() for path in sorted((CORPUS / self.name).iterdir()))


# ---------------------------------------------------------------- YAML


def feed_pair_file(data: bytes) -> None:
    """Every mistake is a diagnostic with a place in the file, in every format."""
    _same_with_and_without_c(data)
    try:
        loaded = parse([Source("configs/pair.yaml", data)], prune=True)
    except ConfigurationInvalid as error:
        _check_diagnostics(error.diagnostics, data)
    else:
        _check_diagnostics(loaded.warnings, data)


def feed_workspace_file(data: bytes) -> None:
    """The same for `reconciler.yaml`."""
    try:
        parse_workspace(Source("reconciler.yaml", data))
    except ConfigurationInvalid as error:
        _check_diagnostics(error.diagnostics, data)


def _same_with_and_without_c(data: bytes) -> None:
    text = decode("configs/pair.yaml", data)
    if not isinstance(text, Diagnostic):
        pure = read_documents("configs/pair.yaml", text, pure=True)
        assert read_documents("configs/pair.yaml", text) == pure


def _check_diagnostics(diagnostics: tuple[Diagnostic, ...] | list[Diagnostic], data: bytes) -> None:
    lines = data.decode(errors="replace").splitlines()
    for each in diagnostics:
        assert 1 <= each.place.line <= max(len(lines), 1) + 1
        assert each.place.column >= 1

    def source(place: object) -> str | None:
        number = getattr(place, "line", 0)
        return lines[number - 1] if 1 <= number <= len(lines) else None

    shown = diagnostics_text(diagnostics, style=Style(ansi_codes=False), lines=source, width=80)
    _check_printable(shown)
    diagnostics_text(diagnostics, style=Style(ansi_codes=True), lines=source).encode()
    json.loads(diagnostics_json(diagnostics).encode())
    json.loads(diagnostics_sarif(diagnostics).encode())
    github = diagnostics_github(diagnostics)
    assert all(line.startswith("::") for line in github.splitlines())
    _check_printable(github)


# ---------------------------------------------------------------- plans


_SIGNED = re.compile(r"its content is (sha256:[0-9a-f]{64})")
_DIGEST = re.compile(rb'"digest":"sha256:[0-9a-f]{64}"')


def feed_plan(data: bytes) -> None:
    """A plan is refused or can be rendered and written again, with the same meaning.

    An altered plan is signed again, so that what lies behind the digest is fed as well.
    """
    for _ in range(2):
        try:
            plan = read_plan(data)
        except PlanRefused as error:
            str(error).encode()
            signed = _SIGNED.search(str(error))
            if signed is None:
                return
            data = _DIGEST.sub(f'"digest":"{signed[1]}"'.encode(), data)
        else:
            assert read_plan(plan_json(plan).encode()) == plan
            _render(plan)
            return


# ---------------------------------------------------------------- answers


_HERE = Direction(ObjectType("0-1", "contacts"), ObjectType("0-2", "companies"))
_READERS: Mapping[bytes, Callable[[Response], object]] = {
    b"limits": lambda response: read_limits(response, _HERE),
    b"all": read_all_limits,
    b"labels": read_labels,
    b"schemas": read_custom_objects,
    b"account": read_account,
    b"usage": lambda response: read_usage(response, _HERE),
    b"batch": read_batch,
}
_NOW = datetime(2026, 11, 25, tzinfo=UTC)
_TOKEN = Secret("pat-eu1-00000000-0000-4000-8000-000000000000")


def feed_answer(data: bytes) -> None:
    """`KIND STATUS`, headers, an empty line, a body: read, or refused in words for one line.

    Each kind of reader is fed with what comes for any of them, in the order of the kind.
    """
    kind, response = _answer(data)
    retry_after = read_retry_after(response.headers, _NOW)
    assert retry_after is None or retry_after >= 0
    read_rate(response.headers)
    if not 200 <= response.status < 300:
        failure = judge(response, _NOW, endpoint="GET /limits", token=_TOKEN)
        _check_printable(failure.message)
        assert failure.wait >= 0
    understand = _READERS.get(kind, read_batch)
    try:
        read_answer = understand(response)
    except (Nonsense, BeyondThisVersion) as error:
        _check_printable(error.description)
    else:
        assert understand(response) == read_answer, "the same answer was read in two ways"
        repr(read_answer).encode()


def feed_portal(data: bytes) -> None:
    """Answers one after another, each ended by `====`: a request ends well, or in words for a user.

    Waits pass in no time, and a wait that would be longer than the time allowed is not waited.
    """
    answers = [_answer(each)[1] for each in data.split(b"\n====\n")]
    clock = VirtualClock()
    portal, _ = scripted(*answers, clock=clock)
    for ask in (
        portal.account,
        portal.custom_objects,
        lambda: portal.read_all([_HERE], needs_labels=always),
        portal.all_limits,
        lambda: portal.usage(_HERE),
        lambda: portal.write(batch()),
        lambda: portal.write(batch(Operation.PURGE)),
    ):
        begin = clock.now
        try:
            ask()
        except ReconcilerError as error:
            _check_printable(str(error))
            _check_printable(error.hint or "")
        assert clock.now - begin <= _LONGEST_WAIT
    portal.close()


def feed_forge(data: bytes) -> None:
    """What GitHub and GitLab answer is read in the same way, a list or an object."""
    _, response = _answer(data)
    for adapter in _FORGE_READERS:
        try:
            forge.read(adapter, response, "GET /comments")
        except ForgeError as error:
            str(error).encode()
    wait = forge.asked_wait(response, _NOW)
    assert wait is None or wait >= 0
    assert len(forge.message(response)) <= 300
    assert forge.has_next_page(response, 100, 100) in (True, False)


_FORGE_READERS: tuple[TypeAdapter[Any], ...] = (
    TypeAdapter(list[dict[str, Any]]),
    TypeAdapter(dict[str, Any]),
)

_LONGEST_WAIT = 122.0
"""Seconds: the time allowed for a request and a last look at the clock, for limits and labels."""


def _answer(data: bytes) -> tuple[bytes, Response]:
    head, _, body = data.partition(b"\n\n")
    first, *rest = head.split(b"\n")
    kind, _, status = first.partition(b" ")
    headers = dict(_header(line) for line in rest)
    code = int(status) if status.isdigit() and len(status) <= 3 else 200
    return kind, Response(code, headers, body)


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    return name.strip().lower(), value.strip()


# ---------------------------------------------------------------- renderers


def feed_renderers(data: bytes) -> None:
    """A plan and a result whose every text and number come from a stranger."""
    plan = plan_from(data)
    _render(plan)
    _render_result(result_from(plan, data))


def _render(plan: Plan) -> None:
    for width in (None, 20):
        _check_printable(plan_text(plan, style=Style(ansi_codes=False), width=width))
    plan_text(plan, style=Style(ansi_codes=True)).encode()
    markdown = plan_markdown(plan)
    assert len(markdown) <= LIMIT
    markdown.encode()
    mermaid = plan_mermaid(plan)
    _check_printable(mermaid)
    document = read(plan_html(plan))
    assert {each.tag for each in every(document)} <= _tags()
    json.loads(plan_json(plan).encode(errors="surrogatepass"))


def _render_result(result: Result) -> None:
    for width in (None, 80):
        _check_printable(result_text(result, style=Style(ansi_codes=False), width=width))


@cache
def _tags() -> frozenset[str]:
    """The elements of a page about harmless changes, and those that only some plans need."""
    harmless = read(plan_html(made_plan(*small_changes())))
    return frozenset(each.tag for each in every(harmless)) | _SOMETIMES


_SOMETIMES = frozenset({"br", "ul", "a", "details", "summary", "wbr"})


def _check_printable(text: str) -> None:
    assert [line for line in text.split("\n") if not is_printable(line)] == []


def _tokens(text: str) -> tuple[bytes, ...]:
    """Tokens between spaces; `␠` is a space, `↵` a line's end."""
    return tuple(
        token.replace("␠", " ").replace("↵", "\n").encode() for token in text.split(" ") if token
    )


_ODD = (b"\xff", b"\xed\xa0\x80", b"\0", b"\x1b[2J", b"\xe2\x80\xae", b"\xc2\x85", b"\xe2\x80\xa8")

_YAML = _tokens(
    """from:␠contacts to:␠companies max:␠ labels: inverse: types: prune:␠false ↵ ↵␠␠ ↵␠␠␠␠ ↵--- ↵...
    ↵-␠ -␠ :␠ : ,␠ { } [ ] "Billing␠contact" 'it''s' Owner?: ?␠ ? |↵ >-↵ # ␠# & * ! !!str %YAML␠1.2
    @ ` unlimited null ~ yes no 010 1_000 1.5 0x1F .inf -1 50000 99999999999 category:␠ USER_DEFINED
    protect:␠true reason:␠ https://x.example/a:b type_id:␠ 2-123 p1_car contcts Gérant "\\ud800"
    "\\x00" "\\N" <<: *a &a \\ \\" ' " \t 日本 ﻿"""
)
_WORKSPACE = _tokens(
    """version:␠1 version:␠2 configs:␠ api_version:␠ 2026-09 v4 prune:␠true safety:␠ {max_deletes:␠
    max_delete_percent:␠ max_changes:␠ } portals:↵ ␠␠production:↵ ␠␠␠␠portal_id:␠ 1234567
    ␠␠␠␠token:␠ {env:␠ {file:␠ HUBSPOT_TOKEN pat-eu1-0 /etc/passwd overlays:␠[a] .. / ~ null "" [ ]
    ↵ ↵--- ↵␠␠ 99999999999 - -1"""
)
_JSON = _tokens(
    """{ } [ ] , : null true false 0 -1 1 5 5.0 1e400 NaN 2147483648 99999999999999999999 "" "a"
    "\\ud800" "\\u0000" "category": "USER_DEFINED" "MYSTERY" "typeId": "label": "results": "status":
    "PENDING" "errors": "numErrors": "paging": {"next":{"after":"2"}} "userEnforcedMaxToObjectIds":
    "before": "after": "digest": "changes": "refusals": "protected": ↵ <html>"""
)
_ANSWER = (
    *_tokens(
        """limits␠ all␠ labels␠ schemas␠ account␠ usage␠ batch␠ 200 202 207 204 400 401 403 404 423 429
        477 503 999 ↵ ↵↵ Retry-After:␠ X-HubSpot-RateLimit-Max:␠ X-HubSpot-Correlation-Id:␠
        Location:␠//a@b/ 1e99 inf nan -1 Wed,␠21␠Oct␠9999␠07:28:00␠GMT "context":{"type":["0-5"]}
        "subCategory": "message": "policyName":"DAILY" "requiredGranularScopes":"""
    ),
    *_JSON,
)
_TEXT = _tokens(
    """↵ contacts companies ` `` ``` | || \\ \\| < > & " ' <script> </td> </style> <!-- --> @team #1
    [a](https://x) ![a](b) https://evil.example ]; --> click subgraph end %%{init:{}}%% # *** __ ~~
    ::error:: ##[error] ##vso[ \x1b[31m \x9b2J ￾ 𐀀 Z̀́ 日本 ‎ ‮ ​ ​- [␠] 1.␠ $x$ {{ }} {% %}"""
)

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target("pair", feed_pair_file, (*_YAML, *_ODD)),
        Target("workspace", feed_workspace_file, (*_WORKSPACE, *_YAML, *_ODD)),
        Target("plan", feed_plan, (*_JSON, *_ODD)),
        Target("answer", feed_answer, (*_ANSWER, *_ODD)),
        Target("portal", feed_portal, (b"\n====\n", *_ANSWER, *_ODD)),
        Target("forge", feed_forge, (*_ANSWER, *_ODD, b"x-ratelimit-reset: ", b"Link: ")),
        Target("render", feed_renderers, (*_TEXT, *_ODD)),
    )
}
