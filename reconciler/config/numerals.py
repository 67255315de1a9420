"""How a number that was written otherwise should have been written."""

from __future__ import annotations

import re

from reconciler.config.nodes import Node, Scalar
from reconciler.model.limits import MAXIMUM_LIMIT, MINIMUM_LIMIT

LIMIT_WORDS = f"a whole number from {MINIMUM_LIMIT} to {MAXIMUM_LIMIT}, or unlimited"

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[_,. '][0-9]{3})+|[0-9]+(?:_[0-9]+)+")
_DECIMAL = re.compile(r"\+?[0-9]{1,20}(?:\.[0-9]{0,20})?(?:[eE][-+]?[0-9]{1,3})?")
_BASED = re.compile(r"0x[0-9a-fA-F]{1,8}|0o[0-7]{1,8}|0b[01]{1,32}")
_NO_LIMIT = frozenset(
    {"unlimited", "infinite", "infinity", "inf", ".inf", "none", "no", "off", "never", "any"}
    | {"false", "-1", "0", "*", "no limit", "unbounded"}
)


def is_whole(text: str) -> bool:
    """Whether a plain scalar is written as a whole number, of any size."""
    return _WHOLE.fullmatch(text) is not None


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
        from decimal import Decimal  # only for numbers that are wrong

        value = Decimal(text)
        return int(value) if value == value.to_integral_value() else None
    return None
