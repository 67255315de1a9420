"""How diagnostics quote what a file says, and how a number should have been written.

A quote is one line, bounded, and never a token.
"""

from __future__ import annotations

import re

from reconciler.config.nodes import Hole, Mapping, Node, Scalar, Sequence, resolve
from reconciler.model.limits import MAXIMUM_LIMIT, MINIMUM_LIMIT
from reconciler.outgoing import mask_alike

LIMIT_WORDS = f"a whole number from {MINIMUM_LIMIT} to {MAXIMUM_LIMIT}, or unlimited"

_GROUPED = re.compile(r"[0-9]{1,3}(?:[_,. '][0-9]{3})+|[0-9]+(?:_[0-9]+)+")
_DECIMAL = re.compile(r"\+?[0-9]{1,20}(?:\.[0-9]{0,20})?(?:[eE][-+]?[0-9]{1,3})?")
_BASED = re.compile(r"0x[0-9a-fA-F]{1,8}|0o[0-7]{1,8}|0b[01]{1,32}")
_NO_LIMIT = frozenset(
    {"unlimited", "infinite", "infinity", "inf", ".inf", "none", "no", "off", "never", "any"}
    | {"false", "-1", "0", "*", "no limit", "unbounded"}
)

_LONGEST_QUOTE = 80


def visible(text: str) -> str:
    """The text on one line: what does not print is escaped, what looks like a token is masked."""
    masked = mask_alike(text)
    if len(masked) > _LONGEST_QUOTE:
        masked = masked[:_LONGEST_QUOTE] + "…"
    if masked.isprintable():
        return masked
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in masked
    )


def quoted(text: str) -> str:
    """The text between double quotes."""
    return f'"{visible(text)}"'


def read_as(node: Node) -> str:
    """What a node was read as, to end a sentence with: `not …`."""
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Hole():
            return "nothing"
        case Scalar(text=text, plain=False):
            return f"the text {quoted(text)}"
        case Scalar(text=text):
            return _plain_as(text)


def _plain_as(text: str) -> str:
    match resolve(text):
        case None:
            return "nothing" if text == "" else visible(text)
        case bool():
            return f"the boolean {text}"
        case int() | float():
            return f"the number {visible(text)}"
        case str():
            return f"the text {quoted(text)}"


def hint_for_limit(node: Node) -> str:
    """How to write the limit that was probably meant."""
    if isinstance(node, Scalar):
        if node.text.strip().lower() in _NO_LIMIT:
            return "for no limit, write unlimited; the smallest limit is 1"
        meant = _meant(node.text)
        if meant is not None and MINIMUM_LIMIT <= meant <= MAXIMUM_LIMIT:
            return f"write {meant}" if node.plain else f"write {meant} without quotes"
    return f"write {LIMIT_WORDS}"


def hint_for_number(node: Node) -> str:
    """How to write the whole number that was probably meant."""
    if isinstance(node, Scalar):
        meant = _meant(node.text)
        if meant is not None and (str(meant) != node.text or not node.plain):
            return f"write {meant}" if node.plain else f"write {meant} without quotes"
    return "write digits only, without a leading zero"


def _meant(text: str) -> int | None:
    """The whole number a text stands for in one of the usual notations; None if there is none."""
    text = text.strip()
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _GROUPED.fullmatch(text):
        return int(re.sub(r"[^0-9]", "", text))
    if _DECIMAL.fullmatch(text):
        value = float(text)
        return int(value) if value.is_integer() else None
    return None
