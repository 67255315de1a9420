"""Failures: an answer of their own, or none, in place of the usual one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from . import problems
from .faults.actions import Body, Drop, Failure, Hang, Huge, Redirect, Status
from .outcome import Answer
from .problems import Problem
from .wire import HTML, JSON, Dropped, Hanging, Header, Response, Short, Streamed, html_response

_MEGABYTE = 1_000_000

_PAGE = "<!doctype html><title>{code}</title><h1>{code}</h1><p>A fault rule of the sandbox says so."


def failure(action: Failure, render: Callable[[Answer], Response]) -> Response:
    """What the client gets to see, whether or not its write took effect."""
    match action:
        case Status():
            return _status(action, render)
        case Drop():
            return Response(0, delivery=Dropped())
        case Hang():
            return Response(0, delivery=Hanging(action.seconds))
        case Redirect():
            return Response(action.code, headers=(("Location", action.to),))
        case Huge():
            return _huge(action)
        case _:
            assert_never(action)


def _status(action: Status, render: Callable[[Answer], Response]) -> Response:
    return with_body(render(_problem(action)), action.body)


def with_body(response: Response, body: Body) -> Response:
    """The response with its JSON body, or with another kind of body in place of it."""
    match body:
        case Body.JSON:
            return response
        case Body.HTML:
            page = html_response(response.status, _PAGE.format(code=response.status))
            return replace(response, body=page.body, headers=(HTML, *_untyped(response)))
        case Body.EMPTY:
            return replace(response, body=b"", headers=_untyped(response))
        case Body.CUT:
            return replace(response, body=response.body[: len(response.body) // 2])
        case Body.SHORT:
            return replace(response, delivery=Short())
        case _:
            assert_never(body)


def _untyped(response: Response) -> tuple[Header, ...]:
    return tuple(header for header in response.headers if header not in (JSON, HTML))


def _problem(action: Status) -> Problem:
    """The error that HubSpot reports with this status."""
    headers = _retry_after(action)
    match action.code:
        case 400:
            problem = problems.invalid("Refused by a fault rule of the sandbox.")
        case 401:
            problem = problems.unauthenticated()
        case 403:
            problem = problems.missing_scopes(action.scopes)
        case 404:
            problem = problems.not_found("Not found, as a fault rule of the sandbox says.")
        case 423:
            problem = problems.locked()
        case 429:
            problem = problems.rate_limited(action.policy)
        case 477:
            problem = problems.migrating()
        case code:
            problem = problems.failing(code)
    return replace(problem, headers=headers)


def _retry_after(action: Status) -> tuple[Header, ...]:
    return () if action.retry_after is None else (("Retry-After", action.retry_after),)


def _huge(action: Huge) -> Response:
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
