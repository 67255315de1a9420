"""Edits of a pair file in place: one value, one entry more, one entry less, nothing else touched.

Values are replaced at their line and column. Entries are added where `fmt` would put them, in the
layout of what is there: lines of their own, or between braces. Comments and layout stay.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ruamel.yaml import events

from reconciler.config.canonical import (
    PAIR_KEYS,
    Block,
    Entry,
    block_lines,
    braces_text,
    label_order,
)
from reconciler.config.nodes import Entry as NodeEntry
from reconciler.config.nodes import Mapping, Node, Scalar, child
from reconciler.config.nodes import Sequence as List
from reconciler.config.pair_text import PRUNE_NOTHING, Limit, direction_entries, label_entry
from reconciler.config.sources import Source
from reconciler.config.yaml import decode, read_documents, read_events
from reconciler.errors import Diagnostic
from reconciler.model.limits import ByTypeId, Label, Place


@dataclass(frozen=True, slots=True)
class SetValue:
    """A limit's new value (None: unlimited), at the place of its value."""

    place: Place
    max: int | None


@dataclass(frozen=True, slots=True)
class RemoveLimit:
    """A label, or an item of `types`, that goes; `place` is that of the label or the type ID."""

    place: Place


@dataclass(frozen=True, slots=True)
class AddLimits:
    """Limits that a direction is to name. `place`: that of the direction's declaration."""

    place: Place
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class AddInverse:
    """The other direction of the document declared at `place`; `prune` as of `DirectionText`."""

    place: Place
    limits: tuple[Limit, ...]
    prune: bool = True


Edit = SetValue | RemoveLimit | AddLimits | AddInverse


class EditImpossible(Exception):
    """The file is not laid out as its places say; its words say what is missing."""


def edited(source: Source, edits: Iterable[Edit]) -> bytes:
    """The file with the edits. Bytes outside of them are as they were, line ends included."""
    text = decode(source.path, source.content)
    if isinstance(text, Diagnostic):
        raise EditImpossible(text.message)
    roots = read_documents(source.path, text).roots
    page = _Page(text, roots)
    for edit in edits:
        page.take(edit)
    page.finish()
    return _with_line_ends(page.replacements, text, source.content)


@dataclass(frozen=True, slots=True)
class _Replacement:
    start: int
    end: int
    text: str

    @property
    def order(self) -> tuple[int, int, int]:
        """By place; of what is added at one place, the lines that are indented further first."""
        return (self.start, self.end, len(self.text.lstrip(" ")) - len(self.text))


def _with_line_ends(replacements: Sequence[_Replacement], text: str, content: bytes) -> bytes:
    """Carry the replacements out in the bytes, whose line ends and mark `decode` left out."""
    raw = content.decode("utf-8")
    newline = "\r\n" if "\r\n" in raw else "\r" if "\r" in raw and "\n" not in raw else "\n"
    is_open = not raw.endswith(("\n", "\r"))
    raw += newline if is_open else ""
    starts = [0]
    position = 1 if raw.startswith("\ufeff") else 0
    offsets = [position]
    for line in text.split("\n")[:-1]:
        starts.append(starts[-1] + len(line) + 1)
        position += len(line)
        position += 2 if raw.startswith("\r\n", position) else 1
        offsets.append(position)

    def real(offset: int) -> int:
        line = bisect_right(starts, offset) - 1
        return offsets[line] + offset - starts[line]

    pieces, done = [], 0
    for each in sorted(replacements, key=lambda each: each.order):
        start, end = real(each.start), real(each.end)
        if start < done:
            raise EditImpossible("two changes overlap")
        pieces += [raw[done:start], each.text.replace("\n", newline)]
        done = end
    rest = raw[done:]
    pieces.append(rest.removesuffix(newline) if is_open else rest)
    return "".join(pieces).encode()


@dataclass(slots=True)
class _Changed:
    """The labels or types of a direction, which of their entries go, and what is added."""

    there: NodeEntry
    cut: set[int] = field(default_factory=set)
    added: Block | None = None


class _Page:
    """One file's text and tree, and the replacements collected for it."""

    def __init__(self, text: str, roots: Sequence[Node]) -> None:
        self._text = text
        self._roots = [root for root in roots if isinstance(root, Mapping)]
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines[:-1]:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._ends = dict(self._read_ends())
        self._lists: dict[tuple[int, int], _Changed] = {}
        self.replacements: list[_Replacement] = []

    def _read_ends(self) -> Iterable[tuple[tuple[int, int], int]]:
        """Where each value that has an end of its own ends, by line and column of its start."""
        opened = []
        for event in read_events(self._text):
            match event:
                case events.ScalarEvent():
                    yield self._span(event.start_mark, event.end_mark)
                case events.MappingStartEvent() | events.SequenceStartEvent():
                    opened.append(event)
                case events.MappingEndEvent() | events.SequenceEndEvent():
                    start = opened.pop()
                    if start.flow_style:
                        yield self._span(start.start_mark, event.end_mark)

    def _span(self, start: object, end: object) -> tuple[tuple[int, int], int]:
        """A text of several lines ends with the last one that is not blank."""
        first = self._starts[start.line] + start.column  # type: ignore[attr-defined] # ruamel has no types
        last = self._starts[end.line] + end.column  # type: ignore[attr-defined] # as above
        kept = len(self._text[first:last].rstrip())
        return (start.line + 1, start.column + 1), first + kept  # type: ignore[attr-defined] # as above

    # ------------------------------------------------------------ edits

    def take(self, edit: Edit) -> None:
        """Collect what an edit replaces."""
        match edit:
            case SetValue(place, maximum):
                at = self._offset(place.line, place.column)
                text = "unlimited" if maximum is None else str(maximum)
                self._replace(at, self._ends[place.line, place.column], text)
            case RemoveLimit(place):
                self._remove(place)
            case AddLimits(place, limits):
                mapping = self._declared_at(place)
                labels = [each for each in limits if isinstance(each[0], Label)]
                types = [each for each in limits if isinstance(each[0], ByTypeId)]
                rest = [each for each in limits if each not in labels and each not in types]
                self._add_to(mapping, "", rest)
                self._add_to(mapping, "labels", labels)
                self._add_to(mapping, "types", types)
            case AddInverse(place, limits, prune):
                entries = [*direction_entries(limits), *(() if prune else (PRUNE_NOTHING,))]
                root = next(each for each in self._roots if self._is_at(each, place))
                self._add_key(root, Entry("inverse", Block(entries)))

    def _declared_at(self, place: Place) -> Mapping:
        for root in self._roots:
            if self._is_at(root, place):
                return root
            inverse = root.entries.get("inverse")
            here = inverse is not None and _at(inverse.key, place)
            if inverse is not None and here and isinstance(inverse.value, Mapping):
                return inverse.value
        raise EditImpossible(f"no direction is declared at {place}")

    def _is_at(self, root: Mapping, place: Place) -> bool:
        from_ = child(root, "from")
        return from_ is not None and _at(from_, place)

    def _add_to(self, direction: Mapping, key: str, limits: Sequence[Limit]) -> None:
        """Add limits to the labels or types of a direction, or the object limit to itself."""
        if not limits:
            return
        if not key:
            for each in limits:
                self._add_key(direction, label_entry(*each))
            return
        (entry,) = direction_entries(limits)
        there = child(direction, key)
        if there is None:
            self._add_key(direction, entry)
        elif isinstance(entry.value, Block):
            self._changed(direction.entries[key]).added = entry.value

    def _changed(self, there: NodeEntry) -> _Changed:
        return self._lists.setdefault(
            (there.key.place.line, there.key.place.column), _Changed(there)
        )

    def finish(self) -> None:
        """Add what labels and types get, and cut out what goes."""
        for each in self._lists.values():
            spans = self._spans(each.there.value)
            empties = len(each.cut) == len(spans)
            if not spans or (empties and self._is_flow(each.there.value)):
                self._fill(each, spans)
                continue
            for at in sorted(each.cut):
                self._cut(each, spans, at)
            if each.added is not None:
                self._add_entries(each.there, each.added)
            elif empties:
                colon = self._text.index(":", self._end(each.there.key)) + 1
                self._insert(colon, " []" if isinstance(each.there.value, List) else " {}")

    def _add_entries(self, there: NodeEntry, block: Block) -> None:
        node = there.value
        nodes = _children(node)
        if self._is_flow(node):
            joined = "".join(f", {braces_text(each, block)}" for each in block.entries)
            self._insert(self._end(nodes[-1]), joined)
        elif isinstance(node, List):
            lines = block_lines(block, " " * (node.place.column - 1))
            self._insert(self._line_end(self._end(nodes[-1])), _as_lines(lines))
        elif isinstance(node, Mapping):
            for entry in block.entries:
                lines = block_lines(Block([entry]), " " * (node.place.column - 1))
                before = self._before(node, entry.key)
                at = self._end(there.key if before is None else before.value)
                self._insert(self._line_end(at), _as_lines(lines))

    def _before(self, labels: Mapping, label: str) -> NodeEntry | None:
        """The entry that a new label follows: in order where the last group is, else the last."""
        entries = list(labels.entries.values())
        first = 0
        for number, (one, other) in enumerate(pairwise(entries), start=1):
            end = self._line(self._end(one.value))
            if any(not line.strip() for line in self._lines[end : other.key.place.line - 1]):
                first = number
        group = entries[first:]
        keys = [label_order(each.key.text) for each in group]
        if keys != sorted(keys):
            return entries[-1]
        place = first + bisect_right(keys, label_order(label))
        return entries[place - 1] if place else None

    def _fill(self, changed: _Changed, spans: Sequence[tuple[int, int]]) -> None:
        """Put entries into brackets in the place of all that were in them."""
        node = changed.there.value
        if isinstance(node, Scalar):
            raise EditImpossible(f"`{changed.there.key.text}` has no value")
        block = changed.added or Block()
        inner = ", ".join(braces_text(each, block) for each in block.entries)
        start = self._offset(node.place.line, node.place.column) + 1
        self._replace(*((spans[0][0], spans[-1][1]) if spans else (start, start)), inner)

    def _add_key(self, mapping: Mapping, entry: Entry) -> None:
        """Add a key behind the last of those that `fmt` puts before it."""
        if self._is_flow(mapping):
            last = list(mapping.entries.values())[-1]
            self._insert(self._end(last.value), f", {braces_text(entry, Block())}")
            return
        rank = PAIR_KEYS.index(entry.key)
        before = [each for each in mapping.entries.values() if _rank(each.key.text) < rank]
        lines = block_lines(Block([entry]), " " * (mapping.place.column - 1))
        if before:
            last = max(before, key=lambda each: _rank(each.key.text))
            self._insert(self._line_end(self._end(last.value)), _as_lines(lines))
        else:
            self._insert(self._starts[mapping.place.line - 1], _as_lines(lines))

    def _remove(self, place: Place) -> None:
        for root in self._roots:
            inverse = child(root, "inverse")
            for direction in (root, inverse):
                for key in ("labels", "types"):
                    there = direction.entries.get(key) if isinstance(direction, Mapping) else None
                    if there is not None and self._remove_from(there, place):
                        return
        raise EditImpossible(f"no limit is named at {place}")

    def _remove_from(self, there: NodeEntry, place: Place) -> bool:
        """Note that the entry of that place goes from labels or types; whether it is there."""
        match there.value:
            case Mapping(entries=entries):
                names: list[Node | None] = [key for key, _ in entries.values()]
            case List(items=items):
                names = [child(item, "type_id") for item in items]
            case _:
                names = []
        for at, name in enumerate(names):
            if name is not None and _at(name, place):
                self._changed(there).cut.add(at)
                return True
        return False

    def _spans(self, node: Node) -> list[tuple[int, int]]:
        """Where the entries of a mapping or list start and end."""
        if isinstance(node, Mapping):
            starts: list[Node] = [key for key, _ in node.entries.values()]
        else:
            starts = _children(node)
        return [
            (self._offset(first.place.line, first.place.column), self._end(value))
            for first, value in zip(starts, _children(node), strict=True)
        ]

    def _cut(self, changed: _Changed, spans: Sequence[tuple[int, int]], at: int) -> None:
        """Cut an entry out: its lines, or its part of what is between brackets."""
        start, end = spans[at]
        if not self._is_flow(changed.there.value):
            self._replace(self._starts[self._line(start) - 1], self._line_end(end), "")
        elif changed.cut.issuperset(range(at)):
            self._replace(start, spans[at + 1][0], "")
        else:
            self._replace(spans[at - 1][1], end, "")

    # ------------------------------------------------------------ places

    def _replace(self, start: int, end: int, text: str) -> None:
        self.replacements.append(_Replacement(start, end, text))

    def _insert(self, at: int, text: str) -> None:
        self._replace(at, at, text)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column - 1

    def _line(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return bisect_right(self._starts, offset)

    def _line_end(self, offset: int) -> int:
        """The start of the line behind that of an offset."""
        return self._text.index("\n", offset) + 1

    def _is_flow(self, node: Node) -> bool:
        return (node.place.line, node.place.column) in self._ends and self._text[
            self._offset(node.place.line, node.place.column)
        ] in "{["

    def _end(self, node: Node) -> int:
        """The offset behind a value's last character."""
        if isinstance(node, Scalar) or self._is_flow(node):
            return self._ends[node.place.line, node.place.column]
        return max(self._end(each) for each in _children(node))


def _children(node: Node) -> list[Node]:
    match node:
        case Mapping(entries=entries):
            return [each.value for each in entries.values()]
        case List(items=items):
            return list(items)
        case _:
            return []


def _at(node: Node, place: Place) -> bool:
    return (node.place.line, node.place.column) == (place.line, place.column)


def _rank(key: str) -> int:
    return PAIR_KEYS.index(key) if key in PAIR_KEYS else len(PAIR_KEYS)


def _as_lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
