"""A YAML document as a tree whose every node knows its line and columns, counted from 1.

`end` is the column behind a node's last character; None where it ends on another line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from reconciler.model.limits import Place


class Scalar(NamedTuple):
    """A single value as text; only a plain one (unquoted) can be anything but text."""

    text: str
    plain: bool
    line: int
    column: int
    end: int | None = None


class Entry(NamedTuple):
    """A key of a mapping and its value."""

    key: Scalar
    value: Node


class Mapping(NamedTuple):
    """Keys are always text, exactly as written: `1`, `yes` and `null` are names of labels."""

    entries: dict[str, Entry]
    line: int
    column: int
    end: int | None = None


class Sequence(NamedTuple):
    """A list."""

    items: list[Node]
    line: int
    column: int
    end: int | None = None


class Hole(NamedTuple):
    """A value that a diagnostic already stands for, so that it is reported only once."""

    line: int
    column: int
    end: int | None = None


Node = Scalar | Mapping | Sequence | Hole

Step = str | int
"""A key of a mapping or an index of a list."""


def place(path: str, node: Node) -> Place:
    """Where the node stands in the file."""
    return Place(path, node.line, node.column, node.end)


def child(node: Node, step: Step) -> Node | None:
    """The value at one key or index; None where there is none."""
    match node:
        case Mapping(entries=entries) if isinstance(step, str):
            entry = entries.get(step)
            return None if entry is None else entry.value
        case Sequence(items=items) if isinstance(step, int) and 0 <= step < len(items):
            return items[step]
        case _:
            return None


def with_holes(node: Node, cuts: Iterable[tuple[Step, ...]]) -> Node:
    """The tree with a hole wherever `cuts` lead; as far as they lead, if they lead nowhere."""
    inner: dict[Step, list[tuple[Step, ...]]] = {}
    for steps in cuts:
        if not steps or child(node, steps[0]) is None:
            return Hole(node.line, node.column, node.end)
        inner.setdefault(steps[0], []).append(steps[1:])
    match node:
        case Mapping(entries=entries):
            changed = {
                str(key): Entry(entries[str(key)].key, with_holes(entries[str(key)].value, rest))
                for key, rest in inner.items()
            }
            return node._replace(entries=entries | changed)
        case Sequence(items=items):
            left = [with_holes(item, inner.get(index, ())) for index, item in enumerate(items)]
            return node._replace(items=left)
        case _:
            return node


def compacted(node: Node) -> Node:
    """The tree without the holes in its lists, so that indexes count what is left."""
    match node:
        case Mapping(entries=entries):
            kept = {key: Entry(each.key, compacted(each.value)) for key, each in entries.items()}
            return node._replace(entries=kept)
        case Sequence(items=items):
            left = [compacted(item) for item in items if not isinstance(item, Hole)]
            return node._replace(items=left)
        case _:
            return node
