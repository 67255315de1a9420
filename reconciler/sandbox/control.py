"""What is not HubSpot's: a page for people at `/`, and `/_sandbox/…` for tests and demos.

    GET  /                    the limits as a page; `?from=…&to=…` shows that direction first
    POST /                    a form of that page: from, to, category, type_id, max, do=set|remove
    GET  /_sandbox/requests   {"requests": [{number, method, path, operation, body, status, time}]}
    GET  /_sandbox/history    {"steps": [{from_id, to_id, category, type_id, before, after,
                              breaks_rule, origin}]}
    GET  /_sandbox/limits     {"limits": [{from, to, from_id, to_id, category, type_id, label, max}]}
    POST /_sandbox/limits     {"from", "to", "type_id", "max", "category"?}, or a list of them: limits
                              changed behind the tool's back; max null removes one
    POST /_sandbox/faults     {"faults": ["read#1:503"]}: these rules in place of all others
    POST /_sandbox/reset      back to the start

No token is needed, so only requests that name a loopback host are answered, and none that a page
of another origin sends, be it another port of this machine: otherwise any web page that a
developer opens could reach in. A form must say that it comes from the page itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Protocol
from urllib.parse import urlsplit

from .bodies import BadBody, read_json, text, whole
from .faults.language import Fault, FaultError, parse_fault
from .page import Settable, show, submit
from .portal import Category, Direction, Portal
from .state import Entry, Step
from .wire import Request, Response, json_response

PREFIX = "/_sandbox/"

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Controlled(Settable, Protocol):
    """What can be seen and changed here."""

    @property
    def requests(self) -> tuple[Entry, ...]: ...

    @property
    def history(self) -> tuple[Step, ...]: ...

    def edit(
        self,
        from_name: str,
        to_name: str,
        type_id: int,
        maximum: int | None,
        category: Category | None = None,
    ) -> None: ...

    def set_faults(self, faults: Iterable[Fault]) -> None: ...

    def reset(self) -> None: ...


def is_control(path: str) -> bool:
    """Whether a path belongs to the stand-in itself and not to HubSpot."""
    return path == "/" or path.startswith(PREFIX)


def answer(sandbox: Controlled, request: Request) -> Response:
    """The answer to a request that is not meant for HubSpot."""
    if not names_loopback(request) or not _is_of_this_origin(request):
        return _refusal(403, "Only requests from this machine to a loopback address are answered.")
    try:
        return _answer(sandbox, request)
    except BadBody as error:
        return _refusal(400, error.problem.message)
    except (LookupError, FaultError) as error:
        return _refusal(400, str(error))


def _answer(sandbox: Controlled, request: Request) -> Response:
    match request.method, request.path:
        case "GET", "/":
            return show(sandbox, request)
        case "POST", "/":
            if request.headers.get("origin") is None:
                return _refusal(403, "A form must come from the page itself: no Origin was sent.")
            return submit(sandbox, request)
        case "GET", "/_sandbox/requests":
            return json_response(200, {"requests": [asdict(one) for one in sandbox.requests]})
        case "GET", "/_sandbox/history":
            return json_response(200, {"steps": [_step(one) for one in sandbox.history]})
        case "GET", "/_sandbox/limits":
            return json_response(200, {"limits": limit_rows(sandbox.portal)})
        case "POST", "/_sandbox/limits":
            return _edit(sandbox, request)
        case "POST", "/_sandbox/faults":
            sandbox.set_faults(_faults(request))
            return Response(204)
        case "POST", "/_sandbox/reset":
            sandbox.reset()
            return Response(204)
        case _:
            return _refusal(404, "The sandbox has nothing here for this method.")


def limit_rows(portal: Portal) -> list[dict[str, object]]:
    """Every limit of the portal, under the names that people use."""
    return [
        {
            **_names(portal, direction),
            "category": key.category.value,
            "type_id": key.type_id,
            "label": associations.types[key].label,
            "max": maximum,
        }
        for direction, associations in portal.directions.items()
        for key, maximum in associations.limits.items()
    ]


def _names(portal: Portal, direction: Direction) -> dict[str, object]:
    start, end = (portal.object_types.with_id(id_) for id_ in direction)
    return {
        "from": start.fully_qualified_name or start.plural,
        "to": end.fully_qualified_name or end.plural,
        "from_id": direction.from_id,
        "to_id": direction.to_id,
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "from_id": step.direction.from_id,
        "to_id": step.direction.to_id,
        "category": step.key.category.value,
        "type_id": step.key.type_id,
        "before": step.before,
        "after": step.after,
        "breaks_rule": step.breaks_rule,
        "origin": step.origin.value,
    }


def _edit(sandbox: Controlled, request: Request) -> Response:
    document = read_json(request.body)
    edits = document if isinstance(document, list) else [document]
    for one in edits:
        if not isinstance(one, dict) or "max" not in one:
            return _refusal(400, "An edit is an object with from, to, type_id and max.")
        maximum = None if one["max"] is None else whole(one, "max", "edit")
        category = text(one, "category") if "category" in one else None
        if category is not None and category not in frozenset(Category):
            return _refusal(400, f"category is one of {', '.join(Category)}.")
        sandbox.edit(
            text(one, "from"),
            text(one, "to"),
            whole(one, "type_id", "edit"),
            maximum,
            None if category is None else Category(category),
        )
    return json_response(200, {"limits": limit_rows(sandbox.portal)})


def _faults(request: Request) -> list[Fault]:
    """Raises BadBody or FaultError."""
    document = read_json(request.body)
    rules = document.get("faults") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
        raise FaultError('The body is {"faults": [RULE, …]}.')
    return [parse_fault(rule) for rule in rules]


def names_loopback(request: Request) -> bool:
    """Whether the client called a loopback address, and no name that was bent to lead to one."""
    return _hostname(f"//{request.headers.get('host', '')}") in _LOOPBACK


def _is_of_this_origin(request: Request) -> bool:
    """Whether no page of another origin made the browser send this.

    A browser names the origin with every POST, and says `null` rather than leave it out. A program
    of this machine names none. A link from elsewhere may show the page.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() != f"http://{request.headers.get('host', '')}".lower():
        return False
    site = request.headers.get("sec-fetch-site", "none")
    return request.method == "GET" or site in ("none", "same-origin")


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        # Brackets that do not match, for one: nothing that a client of this machine sends.
        return None


def _refusal(status: int, message: str) -> Response:
    return json_response(status, {"status": "error", "message": message})
