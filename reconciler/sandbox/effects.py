"""What fault rules make of an answer: failures, false reports and unexpected shapes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from . import configurations, wire
from .endpoints import Setting, perform_batch
from .faults import actions
from .portal import Portal
from .routes import Call
from .rules import Batch, Create, Input, Update, Violation
from .state import Answer, Outcome, State
from .wire import (
    HTML,
    JSON,
    Detail,
    Dropped,
    Hanging,
    Header,
    Problem,
    Response,
    Short,
    Streamed,
    encoded,
    html_response,
)

_Object = Mapping[str, Any]

# These statuses have no body (RFC 9110), and one that is sent would be read as the next answer.
_BODILESS = frozenset({204, 205})

_FORCED = "Refused by a fault rule of the sandbox."

_MEGABYTE = 1_000_000

_PAGE = "<!doctype html><title>{code}</title><h1>{code}</h1><p>A fault rule of the sandbox says so."


def failure(action: actions.Failure, render: Callable[[Answer], Response]) -> Response:
    """What the client gets to see, whether or not its write took effect."""
    match action:
        case actions.Status():
            return with_body(render(_problem(action)), action.body)
        case actions.Drop():
            return Response(0, delivery=Dropped())
        case actions.Hang():
            return Response(0, delivery=Hanging(action.seconds))
        case actions.Redirect():
            return Response(action.code, headers=(("Location", action.to),))
        case actions.Huge():
            return _huge(action)
        case _:
            assert_never(action)


def with_body(response: Response, body: actions.Body) -> Response:
    """The response with its JSON body, or with another kind of body in place of it."""
    match body:
        case actions.Body.JSON:
            return response
        case actions.Body.HTML:
            page = html_response(response.status, _PAGE.format(code=response.status))
            return replace(response, body=page.body, headers=(HTML, *_untyped(response)))
        case actions.Body.EMPTY:
            return replace(response, body=b"", headers=_untyped(response))
        case actions.Body.CUT:
            return replace(response, body=response.body[: len(response.body) // 2])
        case actions.Body.SHORT:
            return replace(response, delivery=Short())
        case _:
            assert_never(body)


def _untyped(response: Response) -> tuple[Header, ...]:
    return tuple(header for header in response.headers if header not in (JSON, HTML))


def _problem(action: actions.Status) -> Problem:
    """The error that HubSpot reports with this status."""
    match action.code:
        case 400:
            problem = wire.invalid(_FORCED)
        case 401:
            problem = wire.unauthenticated()
        case 403:
            problem = wire.missing_scopes(action.scopes)
        case 404:
            problem = wire.not_found("Not found, as a fault rule of the sandbox says.")
        case 423:
            problem = wire.locked()
        case 429:
            problem = wire.rate_limited(action.policy)
        case 477:
            problem = wire.migrating()
        case code:
            problem = wire.failing(code)
    if action.retry_after is None:
        return problem
    return replace(problem, headers=(("Retry-After", action.retry_after),))


def _huge(action: actions.Huge) -> Response:
    row = {
        "category": "USER_DEFINED",
        "typeId": 1,
        "label": "x" * 1_000,
        "userEnforcedMaxToObjectIds": 1,
    }
    unit = json.dumps(row).encode() + b","
    count = action.megabytes * _MEGABYTE // len(unit)
    streamed = Streamed(b'{"results":[', unit, count, unit[:-1] + b"]}", chunked=action.chunked)
    return Response(200, headers=(JSON,), delivery=streamed)


def misreport(
    action: actions.Misreport, state: State, call: Call, batch: Batch, setting: Setting
) -> Answer:
    """Carry the batch out, or seem to, as the action says."""
    match action:
        case actions.Lose():
            return perform_batch(state.portal, call, batch, setting).answer
        case actions.Cancel():
            return configurations.canceled_response(state.portal, call, batch, setting.now)
        case actions.Pend():
            return _pend(action, state, call, batch, setting)
        case actions.Part():
            return _part(action, state, call, batch, setting)
        case actions.Refuse():
            return _refuse(action, batch)
        case actions.Alter():
            return _alter(action, state, call, batch, setting)
        case actions.Omit():
            answer = _carry_out(state, call, batch, setting)
            return answer if isinstance(answer, Problem) else _without_rows(answer, action.types)
        case _:
            assert_never(action)


def _carry_out(state: State, call: Call, batch: Batch, setting: Setting) -> Answer:
    return state.change(lambda portal: perform_batch(portal, call, batch, setting)).answer


def _pend(action: actions.Pend, state: State, call: Call, batch: Batch, setting: Setting) -> Answer:
    """What HubSpot would refuse is refused at once; the rest waits."""
    outcome = perform_batch(state.portal, call, batch, setting)
    if not outcome.steps:
        return outcome.answer
    if action.seconds is not None:
        state.change_later(
            action.seconds, lambda portal: perform_batch(portal, call, batch, setting)
        )
    return configurations.pending_response(call, setting.now)


def _part(action: actions.Part, state: State, call: Call, batch: Batch, setting: Setting) -> Answer:
    forced = {
        position: Violation(one.key, _FORCED)
        for position, one in enumerate(batch.inputs)
        if position + 1 in action.inputs or one.key.type_id in action.types
    }
    # 207 in every version: what a client must understand is not up to the documents.
    shown = replace(call, version=replace(call.version, multi_status=207))
    return state.change(lambda portal: perform_batch(portal, shown, batch, setting, forced)).answer


def _refuse(action: actions.Refuse, batch: Batch) -> Problem:
    details = (
        Detail(_FORCED, {"typeId": [str(one.key.type_id)]})
        for one in batch.inputs
        if one.key.type_id in action.types
    )
    return wire.invalid(_FORCED, *details)


def _alter(
    action: actions.Alter, state: State, call: Call, batch: Batch, setting: Setting
) -> Answer:
    altered = replace(batch, inputs=tuple(_altered(one, action) for one in batch.inputs))

    def change(portal: Portal) -> Outcome:
        asked = perform_batch(portal, call, batch, setting)
        stored = perform_batch(portal, call, altered, setting)
        return replace(stored, answer=asked.answer)

    return state.change(change).answer


def _altered(one: Input, action: actions.Alter) -> Input:
    if isinstance(one, Update | Create) and one.key.type_id == action.type_id:
        return replace(one, maximum=action.maximum)
    return one


def reshaped(action: actions.Reshape, response: Response) -> Response:
    """The answer as the action wants it. One that is not 2xx, or is empty, stays as it is."""
    if not 200 <= response.status <= 299:
        return response
    match action:
        case actions.OmitKeys(keys, types):
            return _with_rows(response, types, lambda row: _without(row, keys))
        case actions.Put(key, value, types):
            return _with_rows(response, types, lambda row: {**row, key: value})
        case actions.Row():
            return _with_document(response, lambda document: _with_row(document, action))
        case actions.Say(path, value):
            return _with_document(response, lambda document: _said(document, path, value))
        case actions.Success(code, body):
            kind = actions.Body.EMPTY if code in _BODILESS else body
            return with_body(replace(response, status=code), kind)
        case _:
            assert_never(action)


def _with_document(response: Response, change: Callable[[_Object], _Object]) -> Response:
    if not response.body:
        return response
    document = change(json.loads(response.body))
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return replace(response, body=encoded(text))


def _with_rows(
    response: Response, types: frozenset[int], change: Callable[[_Object], _Object]
) -> Response:
    """The answer with its rows changed; only those of these type IDs, unless there are none."""

    def changed(document: _Object) -> _Object:
        if "results" not in document:
            return document
        rows = [
            change(row) if not types or row.get("typeId") in types else row
            for row in document["results"]
        ]
        return {**document, "results": rows}

    return _with_document(response, changed)


def _without_rows(response: Response, types: frozenset[int]) -> Response:
    return _with_document(
        response,
        lambda document: {
            **document,
            "results": [row for row in document["results"] if row["typeId"] not in types],
        },
    )


def _without(row: _Object, keys: frozenset[str]) -> _Object:
    return {key: value for key, value in row.items() if key not in keys}


def _with_row(document: _Object, action: actions.Row) -> _Object:
    if "results" not in document:
        return document
    row = {"category": action.category, "typeId": action.type_id, "label": action.label}
    if action.maximum is not None:
        row["userEnforcedMaxToObjectIds"] = action.maximum
    return {**document, "results": [*document["results"], row]}


def _said(document: _Object, path: Sequence[str], value: object) -> _Object:
    key, *rest = path
    if not rest:
        return {**document, key: value}
    inner = document.get(key)
    return {**document, key: _said(inner if isinstance(inner, dict) else {}, rest, value)}
