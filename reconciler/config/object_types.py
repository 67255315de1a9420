"""HubSpot's standard object types, and what an object type may be called in a file.

IDs and names as documented by HubSpot; standard names are taken in the singular or plural and in
any case (observed). Types whose ID HubSpot does not publish are named by their ID.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from reconciler.config.words import quoted
from reconciler.model.limits import CustomName, ObjectReference, ObjectType
from reconciler.spelling import difference, nearest, same_but_spelling, slip

STANDARD: tuple[tuple[str, str, str], ...] = (
    ("0-1", "contact", "contacts"),
    ("0-2", "company", "companies"),
    ("0-3", "deal", "deals"),
    ("0-5", "ticket", "tickets"),
    ("0-7", "product", "products"),
    ("0-8", "line_item", "line_items"),
    ("0-14", "quote", "quotes"),
    ("0-18", "communication", "communications"),
    ("0-19", "feedback_submission", "feedback_submissions"),
    ("0-27", "task", "tasks"),
    ("0-46", "note", "notes"),
    ("0-47", "meeting", "meetings"),
    ("0-48", "call", "calls"),
    ("0-49", "email", "emails"),
    ("0-53", "invoice", "invoices"),
    ("0-54", "marketing_event", "marketing_events"),
    ("0-69", "subscription", "subscriptions"),
    ("0-74", "goal_target", "goal_targets"),
    ("0-84", "discount", "discounts"),
    ("0-85", "fee", "fees"),
    ("0-86", "tax", "taxes"),
    ("0-101", "commerce_payment", "commerce_payments"),
    ("0-115", "user", "users"),
    ("0-116", "postal_mail", "postal_mail"),
    ("0-123", "order", "orders"),
    ("0-136", "lead", "leads"),
    ("0-142", "cart", "carts"),
    ("0-162", "service", "services"),
    ("0-410", "course", "courses"),
    ("0-420", "listing", "listings"),
    ("0-421", "appointment", "appointments"),
    ("0-970", "project", "projects"),
)
"""Object type ID, singular and plural name."""

OFTEN_CUSTOM = frozenset(
    {
        "appointments",
        "carts",
        "courses",
        "discounts",
        "fees",
        "invoices",
        "leads",
        "listings",
        "orders",
        "projects",
        "services",
        "subscriptions",
        "taxes",
        "users",
    }
)
"""Standard types that are newer than custom objects, by names that portals had given to theirs."""

_NAMES = {id_: plural for id_, _, plural in STANDARD}
_TYPES = {
    name: ObjectType(id_, plural, (singular, plural), plural in OFTEN_CUSTOM)
    for id_, singular, plural in STANDARD
    for name in (singular, plural)
}
ID_PATTERN = r"[02]-[1-9][0-9]{0,17}"
"""An object type ID: `0-` for HubSpot's own types, `2-` for custom objects (documented)."""
_ID = re.compile(ID_PATTERN)
_LIKE_AN_ID = re.compile(r"[0-9]+(?:-[0-9]*)?")
NAME_PATTERN = r"[A-Za-z][A-Za-z0-9_-]{0,254}"
"""A custom object's name: letters, digits and underscores, from a letter (documented)."""
_NAME = re.compile(NAME_PATTERN)


@dataclass(frozen=True, slots=True)
class InvalidName:
    """Why a text can name no object type, and what may be meant."""

    problem: str
    hint: str


def standard_name(object_type_id: str) -> str | None:
    """The plural name of a standard object type, such as `contacts` for `0-1`; None otherwise."""
    return _NAMES.get(object_type_id)


def standard_type(text: str) -> ObjectType | None:
    """The object type that HubSpot defines under an ID, or a name in lower case; None otherwise."""
    return _TYPES.get(_NAMES.get(text, text))


def canonical(text: str) -> ObjectReference | InvalidName:
    """The object type a text names: by standard name in any case, by ID, or a custom object's name.

    Whether a custom object of that name exists, only the portal knows.
    """
    if standard := _TYPES.get(text.lower()):
        return standard
    if _ID.fullmatch(text):
        return ObjectType(text, standard_name(text) or text)
    if _LIKE_AN_ID.fullmatch(text):
        return InvalidName("is not an object type ID", "write an ID as 0-1 or 2-123")
    if _NAME.fullmatch(text):
        return CustomName(text, near_standard(text))
    if not text.strip():
        return InvalidName("is empty", "write an object type such as contacts, 0-1 or 2-123")
    return _invalid(text)


@lru_cache(maxsize=4_096)
def near_standard(text: str) -> str | None:
    """The standard name that a text is one or two letters away from."""
    return slip(text, _TYPES)


def _invalid(text: str) -> InvalidName:
    if same := same_but_spelling(text, _TYPES):
        words = difference(text, same, where=("the file", "the name"))
        return InvalidName(f"is not {quoted(same)}: {words}", f"did you mean {same}?")
    if found := nearest("_".join(text.split()), _TYPES, cutoff=0.75):
        return InvalidName("cannot name an object type", f"did you mean {found[0]}?")
    hint = "a name has letters, digits and underscores: contacts, 0-1, 2-123, p123_car"
    return InvalidName("cannot name an object type", hint)
