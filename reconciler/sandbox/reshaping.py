"""2xx answers in a shape that no document promises: other keys, values, rows or status."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from .failing import with_body
from .faults.actions import Body, OmitKeys, Put, Reshape, Row, Say, Success
from .wire import Response, encoded

_Object = Mapping[str, Any]

# These statuses have no body (RFC 9110), and one that is sent would be read as the next answer.
_BODILESS = frozenset({204, 205})


def reshaped(action: Reshape, response: Response) -> Response:
    """The answer as the action wants it. One that is not 2xx, or is empty, stays as it is."""
    if not 200 <= response.status <= 299:
        return response
    match action:
        case OmitKeys(keys, types):
            return _with_rows(response, types, lambda row: _without(row, keys))
        case Put(key, value, types):
            return _with_rows(response, types, lambda row: {**row, key: value})
        case Row():
            return _with_document(response, lambda document: _with_row(document, action))
        case Say(path, value):
            return _with_document(response, lambda document: _said(document, path, value))
        case Success(code, body):
            kind = Body.EMPTY if code in _BODILESS else body
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


def _without(row: _Object, keys: frozenset[str]) -> _Object:
    return {key: value for key, value in row.items() if key not in keys}


def _with_row(document: _Object, action: Row) -> _Object:
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
