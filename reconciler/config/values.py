"""Plain scalars typed by YAML 1.2's core schema, with whole numbers taken strictly.

`010`, `+5`, `0x10`, `1.5` and `1e3` are numbers, but none that a limit may be written as; `1_000`
and `no` are text.
"""

from __future__ import annotations

import re

from reconciler.config.nodes import Hole, Mapping, Node, Scalar, Sequence

Value = None | bool | int | float | str | dict[str, "Value"] | list["Value"]

NOT_WHOLE = float("nan")
"""Stands for every number that is not written as a plain whole number."""

_KEYWORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_LONGEST_WHOLE = 18
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


def resolve(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar; `NOT_WHOLE` for a number that is no plain whole number."""
    if text in _KEYWORDS:
        return _KEYWORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text) if len(text) <= _LONGEST_WHOLE else NOT_WHOLE
    return NOT_WHOLE if _NUMBER.fullmatch(text) else text


def scalar_value(node: Scalar) -> bool | int | float | str | None:
    """The value of a scalar: quoted and block scalars are text."""
    return resolve(node.text) if node.plain else node.text


def plain(node: Node) -> Value:
    """The tree as plain values, holes in mappings left out."""
    match node:
        case Scalar():
            return scalar_value(node)
        case Mapping(entries=entries):
            return {
                key: plain(entry.value)
                for key, entry in entries.items()
                if not isinstance(entry.value, Hole)
            }
        case Sequence(items=items):
            return [plain(item) for item in items]
        case Hole():
            return None


def is_empty(root: Node) -> bool:
    """Whether a document holds nothing, or was reported as a whole."""
    return isinstance(root, Hole) or (isinstance(root, Scalar) and scalar_value(root) is None)
