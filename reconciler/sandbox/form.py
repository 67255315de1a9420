"""The forms of the page: a direction is shown, a limit set or removed under HubSpot's rules."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qs

from .page import Complaint, Place, page
from .portal import Category, Direction, Portal, TypeKey, UnknownObjectTypeError, only_key
from .wire import Request, Response, html_response

# No page may frame this one, since a click that is meant for the frame's owner would count here.
# The origin of a form is sent along only if its referrer is; `no-referrer` makes it null.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cache-Control", "no-store"),
)

_FIELDS = 10
_DIGITS = 10


class Settable(Protocol):
    """A portal whose limits a person can change."""

    @property
    def portal(self) -> Portal: ...

    def set_limit(self, direction: Direction, key: TypeKey, maximum: int | None) -> str | None:
        """Set a limit, or remove it; why it was refused, or None if it was not."""


class _Refused(Exception):
    def __init__(self, complaint: Complaint) -> None:
        super().__init__(complaint.message)
        self.complaint = complaint


def show(sandbox: Settable, request: Request) -> Response:
    """The page; `?from=…&to=…` shows that direction first."""
    try:
        fields = _fields(request.query)
        chosen = _direction(sandbox.portal, fields) if fields else None
    except _Refused as error:
        return _page(400, sandbox.portal, None, error.complaint)
    return _page(200, sandbox.portal, chosen)


def submit(sandbox: Settable, request: Request) -> Response:
    """Change a limit as a person would in HubSpot's settings, then lead back to the page.

    What HubSpot would refuse is shown on the page, and nothing changes.
    """
    try:
        fields = _fields(request.body.decode(errors="replace"))
        place = _place(sandbox.portal, fields)
    except _Refused as error:
        return _page(400, sandbox.portal, None, error.complaint)
    typed = fields.get("max", "").strip()
    try:
        maximum = None if fields.get("do") == "remove" else _maximum(typed)
        message = sandbox.set_limit(place.direction, place.key, maximum)
    except ValueError as error:
        message = str(error)
    if message is not None:
        complaint = Complaint(message, place, typed)
        return _page(400, sandbox.portal, place.direction, complaint)
    query = f"from={place.direction.from_id}&to={place.direction.to_id}"
    return Response(303, headers=(("Location", f"/?{query}#{place.anchor}"), *_HEADERS))


def _page(
    status: int, portal: Portal, chosen: Direction | None, complaint: Complaint | None = None
) -> Response:
    return html_response(status, page(portal, chosen, complaint), *_HEADERS)


def _fields(text: str) -> dict[str, str]:
    """Each field of a form; the last of several with one name. Raises _Refused."""
    try:
        parsed = parse_qs(text, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise _Refused(Complaint("This is not a form of this page.")) from error
    return {name: values[-1] for name, values in parsed.items()}


def _direction(portal: Portal, fields: dict[str, str]) -> Direction:
    try:
        return portal.direction(fields.get("from", ""), fields.get("to", ""))
    except UnknownObjectTypeError as error:
        raise _Refused(Complaint(f"{error}.")) from error


def _place(portal: Portal, fields: dict[str, str]) -> Place:
    direction = _direction(portal, fields)
    try:
        category = Category(fields.get("category", ""))
        type_id = _whole(fields.get("type_id", ""), "The type ID")
        key = only_key(portal.associations(direction), type_id, category)
    except (LookupError, ValueError) as error:
        raise _Refused(Complaint(str(error))) from error
    return Place(direction, key)


def _maximum(typed: str) -> int:
    if not typed:
        raise ValueError("Type a whole number. To have no limit, press Remove.")
    return _whole(typed, "A limit")


def _whole(text: str, what: str) -> int:
    """Raises ValueError with words for the page."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{what} is a whole number, not {text[:40]!r}.")
    if len(text) > _DIGITS:
        raise ValueError(f"{what} has at most {_DIGITS} digits.")
    return int(text)
