"""A request and a response as values, HubSpot's errors, and how a response is delivered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

JSON = ("Content-Type", "application/json;charset=utf-8")
HTML = ("Content-Type", "text/html;charset=utf-8")

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. Header names are in lower case; `target` is the path with its query."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Whole:
    """The response is sent as it is."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection is closed without a byte of response."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """No byte is sent for so many seconds, then the connection is closed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Trickled:
    """The body arrives in pieces, spread over so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Short:
    """The head announces the whole body, half of it is sent, then the connection is closed."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """`start`, `unit` so many times, `end`: made while it is sent, since it may not fit in memory.

    `chunked`, or with its length announced.
    """

    start: bytes
    unit: bytes
    count: int
    end: bytes
    chunked: bool

    @property
    def size(self) -> int:
        return len(self.start) + len(self.unit) * self.count + len(self.end)


Delivery = Whole | Dropped | Hanging | Trickled | Short | Streamed


@dataclass(frozen=True, slots=True)
class Response:
    """What the client is to receive. `delay` seconds pass before the first byte."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    delivery: Delivery = Whole()
    delay: float = 0.0

    def json(self) -> object:
        """The body as JSON. Raises ValueError for a body that is not."""
        return json.loads(self.body)


def json_response(status: int, document: object, *headers: Header) -> Response:
    """An answer whose body is this document."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(status, encoded(text), (JSON, *headers))


def html_response(status: int, page: str, *headers: Header) -> Response:
    """An answer whose body is this page."""
    return Response(status, encoded(page), (HTML, *headers))


def encoded(text: str) -> bytes:
    """The text as UTF-8. Half a character, as JSON's escapes can make one, becomes `?`."""
    return text.encode(errors="replace")


Context = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Detail:
    """One entry of an error's `errors`."""

    message: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error answer. HubSpot leaves out what is None or empty here, the category included."""

    status: int
    message: str
    category: str | None = None
    details: tuple[Detail, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[Header, ...] = ()


def problem_response(problem: Problem, correlation_id: str) -> Response:
    """The answer on the wire: status, message, correlation ID, category and details."""
    document: dict[str, object] = {
        "status": "error",
        "message": problem.message,
        "correlationId": correlation_id,
    }
    if problem.category is not None:
        document["category"] = problem.category
    if problem.details:
        document["errors"] = [_detail(detail) for detail in problem.details]
    return json_response(problem.status, {**document, **problem.extra}, *problem.headers)


def _detail(detail: Detail) -> dict[str, object]:
    if not detail.context:
        return {"message": detail.message}
    return {"message": detail.message, "context": detail.context}


def cannot_infer(message: str) -> Problem:
    """An object type HubSpot does not know: the one error without a category (observed)."""
    return Problem(400, message)


def invalid(message: str, *details: Detail) -> Problem:
    """A request that HubSpot can read and does not accept."""
    return Problem(400, message, "VALIDATION_ERROR", details)


def unauthenticated() -> Problem:
    """No token, or not this portal's."""
    return Problem(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and "
        "you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        "INVALID_AUTHENTICATION",
    )


def missing_scopes(scopes: Sequence[str]) -> Problem:
    """A token without the scopes; sometimes HubSpot names none of them (observed)."""
    message = "This app hasn't been granted all required scopes to make this call."
    details = (Detail("One or more of the following scopes are required.", _required(scopes)),)
    return Problem(403, message, "MISSING_SCOPES", details if scopes else ())


def _required(scopes: Sequence[str]) -> Context:
    return {"requiredGranularScopes": list(scopes)}


def not_found(message: str) -> Problem:
    """A thing that is not there; the live answer can also be empty or HTML (observed)."""
    return Problem(404, message, "OBJECT_NOT_FOUND")


def too_many_labels(maximum: int) -> Problem:
    """The 437 for one label more than a pair may have (observed; its body is unknown)."""
    return Problem(437, f"A pair of object types has at most {maximum} labels.")


def wrong_method() -> Problem:
    """A path that exists, but not with this method."""
    return Problem(405, "Method Not Allowed", "METHOD_NOT_ALLOWED")


def rate_limited(policy: str, *headers: Header) -> Problem:
    """A 429, its policy named as HubSpot documents; it promises no Retry-After."""
    extra = {"errorType": "RATE_LIMIT", "policyName": policy}
    message = f"You have reached your {policy.lower()} limit."
    return Problem(429, message, "RATE_LIMITS", extra=extra, headers=headers)


def locked() -> Problem:
    """A 423: wait at least two seconds (documented)."""
    message = "This resource is locked. Wait at least two seconds before the next request."
    return Problem(423, message, "LOCKED")


def migrating() -> Problem:
    """A 477: Retry-After gives the seconds, up to a day (documented)."""
    message = "A migration of this account between data centers is in progress."
    return Problem(477, message, "MIGRATION_IN_PROGRESS")


def failing(status: int) -> Problem:
    """Any other status, with nothing in it that a client could rely on."""
    return Problem(status, f"Answered {status} by a fault rule of the sandbox.")
