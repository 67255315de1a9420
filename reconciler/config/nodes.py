"""A YAML document as a tree whose every node knows its file, line and columns.

Plain scalars have the values of YAML 1.2's core schema, with whole numbers taken strictly: `010`,
`+5`, `0x10`, `1.5` and `1e3` are numbers, but none that a limit may be written as; `1_000` and `no`
are text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from reconciler.model.limits import Place


class Scalar(NamedTuple):
    """A single value as text; only a plain one (unquoted) can be anything but text."""

    text: str
    plain: bool
    place: Place

    @property
    def value(self) -> bool | int | float | str | None:
        """What the scalar means: quoted and block scalars are text."""
        return resolve(self.text) if self.plain else self.text

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in _NULLS


class Entry(NamedTuple):
    """A key of a mapping and its value."""

    key: Scalar
    value: Node


class Mapping(NamedTuple):
    """Keys are always text, exactly as written: `1`, `yes` and `null` are names of labels."""

    entries: dict[str, Entry]
    place: Place


class Sequence(NamedTuple):
    """A list."""

    items: list[Node]
    place: Place


class Hole(NamedTuple):
    """A value that a diagnostic already stands for, so that it is reported only once."""

    place: Place


Node = Scalar | Mapping | Sequence | Hole

Step = str | int
"""A key of a mapping or an index of a list."""

Value = None | bool | int | float | str | dict[str, "Value"] | list["Value"]

NOT_WHOLE = float("nan")
"""Stands for every number that is not written as a plain whole number."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_KEYWORDS: dict[str, bool | None] = {
    **dict.fromkeys(_NULLS),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_WHOLE = 18
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


def is_whole(text: str) -> bool:
    """Whether a plain scalar is written as a whole number, of any size."""
    return _WHOLE.fullmatch(text) is not None


@lru_cache(maxsize=1024)  # most limits of a configuration are a few numbers
def resolve(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar; `NOT_WHOLE` for a number that is not a plain whole number."""
    if text in _KEYWORDS:
        return _KEYWORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text) if len(text) <= _LONGEST_WHOLE else NOT_WHOLE
    return NOT_WHOLE if _NUMBER.fullmatch(text) else text


def child(node: Node | None, step: Step) -> Node | None:
    """The value at one key or index; None where there is none."""
    if isinstance(node, Mapping) and step in node.entries:
        return node.entries[str(step)].value
    if isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def plain(node: Node) -> Value:
    """The tree as plain values, holes in mappings left out."""
    match node:
        case Scalar():
            return resolve(node.text) if node.plain else node.text
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
    return isinstance(root, Hole) or (isinstance(root, Scalar) and root.is_null)
