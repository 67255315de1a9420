"""The portal's limits as a page for people, with forms to set, change and remove them.

Self-contained, without a script; every text of the portal is escaped. HubSpot's rules apply.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Protocol
from urllib.parse import parse_qs

from .portal import (
    Associations,
    AssociationType,
    Category,
    Direction,
    ObjectType,
    Portal,
    TypeKey,
    UnknownObjectTypeError,
    only_key,
)
from .wire import Request, Response, html_response

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d9dee5, #3a414b);
  --soft: light-dark(#5b6673, #9aa5b1); --head: light-dark(#f4f6f8, #20252b);
  --mark: light-dark(#fff6d6, #3b3420); --bad: light-dark(#b3261e, #ff8a80); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: light-dark(#1c232b, #e6e9ed); background: light-dark(#fff, #15191e); }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { color: var(--soft); margin-top: .25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem; border-bottom: 1px solid var(--line); }
th { background: var(--head); font-weight: 600; }
tr:target { background: var(--mark); }
input, select, button { font: inherit; }
input { width: 6rem; text-align: right; }
[role=alert] { color: var(--bad); border-left: .25rem solid; padding-left: .75rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.none { color: var(--soft); }
"""


@dataclass(frozen=True, slots=True)
class Place:
    """One association type of one direction: what a form on the page is about."""

    direction: Direction
    key: TypeKey

    @property
    def anchor(self) -> str:
        """Where on the page it is."""
        return "-".join((*self.direction, self.key.category.value, str(self.key.type_id)))


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a form was refused. `typed`, what was asked for, stays in the field of its `place`."""

    message: str
    place: Place | None = None
    typed: str = ""


def page(
    portal: Portal, chosen: Direction | None = None, complaint: Complaint | None = None
) -> str:
    """A table for the chosen direction, and one for each that has a limit, with all their types."""
    return "".join(_parts(portal, chosen, complaint))


def _parts(portal: Portal, chosen: Direction | None, complaint: Complaint | None) -> Iterator[str]:
    limited = [direction for direction, one in portal.directions.items() if one.limits]
    count = sum(len(portal.associations(direction).limits) for direction in limited)
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Portal {portal.portal_id}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Portal {portal.portal_id}</h1>"
        f"<p>{escape(portal.account_type.value)}, a local stand-in for HubSpot. "
        f"{count} limit{'s' * (count != 1)} in {len(limited)} direction"
        f"{'s' * (len(limited) != 1)}. Reload to see changes.</p>"
    )
    if complaint is not None:
        yield f'<p role="alert">{escape(complaint.message)}</p>'
    yield from _chooser(portal, chosen)
    shown = limited if chosen is None else [chosen, *(one for one in limited if one != chosen)]
    for direction in shown:
        yield from _table(portal, direction, complaint)
    yield "</body></html>"


def _chooser(portal: Portal, chosen: Direction | None) -> Iterator[str]:
    """A form that shows any direction, also one without a limit."""
    ends = chosen or Direction("", "")
    yield '<form method="get" action="/"><p>Show '
    for name, words, selected in (("from", "From", ends.from_id), ("to", "To", ends.to_id)):
        yield f'<select name="{name}" aria-label="{words}">'
        for one in portal.object_types:
            mark = " selected" if one.id == selected else ""
            yield f'<option value="{escape(one.id)}"{mark}>{_name(one)}</option>'
        yield "</select>" + (" → " if name == "from" else " ")
    yield "<button>Show</button></p></form>"


def _table(portal: Portal, direction: Direction, complaint: Complaint | None) -> Iterator[str]:
    associations = portal.associations(direction)
    start, end = (_name(portal.object_types.with_id(id_)) for id_ in direction)
    title = f"{start} → {end}"
    yield f"<h2>{title}</h2>"
    if not associations.types:
        yield "<p>No association types.</p>"
        return
    yield (
        "<table><thead><tr><th>Label</th><th>Category</th>"
        '<th class="number">Type ID</th><th class="number">Limit</th><th>Change</th></tr></thead>'
        "<tbody>"
    )
    for one in associations.types.values():
        place = Place(direction, one.key)
        typed = complaint.typed if complaint is not None and complaint.place == place else None
        yield _row(one, place, title, associations, typed)
    yield "</tbody></table>"


def _row(
    one: AssociationType, place: Place, title: str, associations: Associations, typed: str | None
) -> str:
    maximum = associations.limits.get(one.key)
    label = '<span class="none">no label: all associations</span>'
    if one.label is not None:
        label = escape(one.label)
    limit = '<span class="none">unlimited</span>' if maximum is None else f"{maximum:,}"
    return (
        f'<tr id="{escape(place.anchor)}"><td>{label}</td><td>{one.category.value}</td>'
        f'<td class="number">{one.type_id}</td><td class="number">{limit}</td>'
        f"<td>{_form(one, place, title, maximum, typed)}</td></tr>"
    )


def _form(
    one: AssociationType, place: Place, title: str, maximum: int | None, typed: str | None
) -> str:
    """A field and two buttons. Enter in the field presses the first one."""
    about = {
        "from": place.direction.from_id,
        "to": place.direction.to_id,
        "category": place.key.category.value,
        "type_id": str(place.key.type_id),
    }
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in about.items()
    )
    subject = f"{'all associations' if one.label is None else escape(one.label)}, {title}"
    value = maximum if typed is None else typed
    shown = "" if value is None else escape(str(value))
    refused = "" if typed is None else ' aria-invalid="true" autofocus'
    remove = ""
    if maximum is not None:
        remove = (
            f' <button name="do" value="remove" formnovalidate aria-label="Remove {subject}">'
            "Remove</button>"
        )
    return (
        f'<form method="post" action="/">{hidden}'
        '<input type="number" name="max" min="1" step="1" required'
        f' value="{shown}" aria-label="Limit of {subject}"{refused}> '
        f'<button name="do" value="set" aria-label="Set {subject}">Set</button>{remove}</form>'
    )


def _name(object_type: ObjectType) -> str:
    return escape(object_type.fully_qualified_name or object_type.plural)


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
