"""A pair file → its canonical form, comments kept; refused where anything would get lost.

The parser gives values with their places and no comments. Those are found in the lines beside and
between the values, and belong to the entry that they are beside of or above of. What was written
is read again: the same values and the same comments, or the file stays as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ruamel.yaml.events import ScalarEvent

from reconciler.config.canonical import (
    LIMIT_KEYS,
    PAIR_KEYS,
    TYPE_KEYS,
    Beside,
    Block,
    Document,
    Entry,
    Literal,
    document_text,
    prose,
    scalar_text,
    sorted_entries,
    sorted_labels,
)
from reconciler.config.nodes import Mapping, Node, Scalar, Sequence, is_empty, plain, resolve
from reconciler.config.sources import Source
from reconciler.config.yaml import decode, read_documents, read_events
from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import Place

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#")
_MARKER = re.compile(r"(?:---|\.\.\.)(?=\s|$)")


def canonical_text(source: Source) -> str | tuple[Diagnostic, ...]:
    """The file in canonical form, or why it is left alone.

    A file that is not valid YAML, or whose documents are not pairs of object types, is refused,
    and so is one whose comments or values would not all be in the result. A file without any
    document is canonical as it is.
    """
    text = decode(source.path, source.content)
    if isinstance(text, Diagnostic):
        return (text,)
    read = read_documents(source.path, text)
    roots = [root for root in read.roots if not is_empty(root)]
    problems = read.diagnostics or tuple(_not_pairs(roots))
    if problems:
        return problems
    if not roots:
        return text
    comments = _Comments(text, roots)
    written = document_text(comments.documents())
    if written == text or _is_same(source.path, text, written, comments.texts):
        return written
    return (_unsafe(source.path),)


def _not_pairs(roots: Iterable[Node]) -> Iterator[Diagnostic]:
    for root in roots:
        if not isinstance(root, Mapping) or not {"from", "to"} <= root.entries.keys():
            yield Diagnostic(
                DiagnosticCode.PAIR_INCOMPLETE,
                "only pair files are formatted, and this document has no `from` and `to`",
                root.place,
                hint="name both object types, or leave the file out",
            )


def _is_same(path: str, before: str, after: str, comments: list[str]) -> bool:
    """Whether another text has the same values, whatever their order, and the same comments."""
    one, other = read_documents(path, before), read_documents(path, after)
    if other.diagnostics:
        return False
    roots = [root for root in other.roots if not is_empty(root)]
    meant = [_meaning(plain(root)) for root in one.roots if not is_empty(root)]
    return meant == [_meaning(plain(root)) for root in roots] and sorted(comments) == sorted(
        _Comments(after, roots).texts
    )


def _meaning(value: Any) -> Any:
    """A value without what the canonical form is free to change."""
    match value:
        case dict() if value.keys() == {"max"} and not isinstance(value["max"], dict):
            return _meaning(value["max"])
        case dict():
            return {
                key: each.strip() if key == "reason" and isinstance(each, str) else _meaning(each)
                for key, each in value.items()
            }
        case list():
            return sorted((_meaning(each) for each in value), key=repr)
        case float():
            return "not a whole number"
        case _:
            return value


def _unsafe(path: str) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.FORMAT_UNSAFE,
        "the file cannot be formatted without losing a comment or changing a value",
        Place(path, 1, 1),
        hint="move comments to lines of their own and write each key on its own line",
    )


class _Comment(NamedTuple):
    line: int
    column: int
    text: str
    is_beside: bool


@dataclass(slots=True)
class _Anchor:
    """Where an entry starts, and the blocks that it is in, the innermost last."""

    line: int
    column: int
    entry: Entry
    around: tuple[tuple[int, Block], ...]


@dataclass(slots=True)
class _Comments:
    """The comments of one file, and the trees of its documents with these in place."""

    text: str
    roots: list[Node]
    lines: list[str] = field(init=False)
    found: list[_Comment] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.text.split("\n")
        scalars = [each for root in self.roots for each in _scalars(root)]
        self.found = list(self._find(self._inside(scalars)))

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.found if each.text]

    def _inside(self, scalars: list[Scalar]) -> dict[int, list[tuple[int, int]]]:
        """The columns of each line, counted from 0, that belong to a scalar."""
        inside: dict[int, list[tuple[int, int]]] = {}
        if any(each.place.end is None for each in scalars):
            spans = _spans(self.text, self.lines)
        else:
            places = (each.place for each in scalars)
            spans = ((at.line, at.column - 1, at.line, at.end or 0) for at in places)
        for first, start, last, end in spans:
            for line in range(first, last + 1):
                columns = (start if line == first else 0, end - 1 if line == last else 1 << 20)
                inside.setdefault(line, []).append(columns)
        return inside

    def _find(self, inside: dict[int, list[tuple[int, int]]]) -> Iterator[_Comment]:
        """Every comment, and every blank line outside of values as one without text."""
        for number, line in enumerate(self.lines[:-1], start=1):
            if not line.strip():
                if number not in inside:
                    yield _Comment(number, 1 << 20, "", is_beside=False)
            elif "#" in line:
                within = inside.get(number, ())
                for comment in _COMMENT.finditer(line):
                    at = comment.start()
                    if not any(start <= at < end for start, end in within):
                        before = line[:at].strip()
                        marker = before in ("---", "...")
                        text = line[at:].rstrip()
                        yield _Comment(number, at + 1, text, bool(before) and not marker)
                        break

    def documents(self) -> list[Document]:
        """The trees, each with the comments from its separator to the next one."""
        starts = [self._start(root) for root in self.roots]
        starts[0] = 0
        documents = []
        for root, first, end in zip(
            self.roots, starts, [*starts[1:], len(self.lines) + 1], strict=True
        ):
            anchors: list[_Anchor] = []
            block = _block(root, "pair", (), anchors)
            document = Document(block)
            mine = [each for each in self.found if first <= each.line < end]
            _attach(document, anchors, mine)
            _order(document.root, "pair")
            documents.append(document)
        return documents

    def _start(self, root: Node) -> int:
        """The line of the separator above a document."""
        for number in range(root.place.line, 0, -1):
            if _MARKER.match(self.lines[number - 1]):
                return number
        return 0


def _scalars(node: Node) -> Iterator[Scalar]:
    match node:
        case Scalar():
            yield node
        case Mapping(entries=entries):
            for key, value in entries.values():
                yield key
                yield from _scalars(value)
        case Sequence(items=items):
            for item in items:
                yield from _scalars(item)


def _spans(text: str, lines: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """First line and column, last line and column behind the end of every scalar of a file.

    A text of several lines ends with its last line that is not blank.
    """
    for event in read_events(text):
        if isinstance(event, ScalarEvent):
            start, end = event.start_mark, event.end_mark
            last, width = end.line, end.column + 1
            while (
                last > start.line
                and not lines[last][: end.column if last == end.line else None].strip()
            ):
                last, width = last - 1, 1 << 20
            yield start.line + 1, start.column, last + 1, width


def _block(
    node: Node, role: str, around: tuple[tuple[int, Block], ...], anchors: list[_Anchor]
) -> Block:
    """The tree of a mapping or list, its entries in the order of the file."""
    block = Block(compact=role in ("limit", "type"), is_list=isinstance(node, Sequence))
    around = (*around, (node.place.column, block))
    match node:
        case Mapping(entries=entries):
            for key, value in entries.values():
                entry = Entry(key.text, "")
                anchors.append(_Anchor(key.place.line, key.place.column, entry, around))
                entry.value = _value(value, _role(role, key.text), around, anchors)
                block.entries.append(entry)
        case Sequence(items=items):
            for item in items:
                entry = Entry("", "")
                anchors.append(_Anchor(item.place.line, item.place.column, entry, around))
                entry.value = _value(item, "type" if role == "types" else "", around, anchors)
                block.entries.append(entry)
        case _:
            raise TypeError(node)
    return block


def _role(parent: str, key: str) -> str:
    """What is below a key: a limit, labels, types, another direction, or something else."""
    match parent, key:
        case "pair" | "direction", "max":
            return "limit"
        case "pair" | "direction", "labels" | "types":
            return key
        case "pair", "inverse":
            return "direction"
        case "labels", _:
            return "limit"
        case "limit" | "type", "reason":
            return "reason"
        case _:
            return ""


def _value(
    node: Node, role: str, around: tuple[tuple[int, Block], ...], anchors: list[_Anchor]
) -> str | Literal | Block:
    if not isinstance(node, Scalar):
        return _block(node, role, around, anchors)
    if not node.plain:
        return prose(node.text.strip() if role == "reason" else node.text)
    match resolve(node.text):
        case None:
            return "null" if node.text else ""
        case bool(value):
            return str(value).lower()
        case str(text):
            return scalar_text(text)
        case _:
            return node.text


def _attach(document: Document, anchors: list[_Anchor], comments: Iterable[_Comment]) -> None:
    """Give every comment to the entry that it is beside of or above of, or to the end of a block."""
    lines = [each.line for each in anchors]
    above: dict[int, list[_Comment]] = {}
    for comment in comments:
        following = bisect_right(lines, comment.line)
        if comment.is_beside and following:
            first = lines.index(lines[following - 1])
            anchor = anchors[first if lines[first] == comment.line else following - 1]
            if anchor.entry.beside is None:
                anchor.entry.beside = Beside(comment.text, comment.column)
                continue
        above.setdefault(following, []).append(comment)
    for following, run in above.items():
        if following == 0:
            texts = [each.text for each in run]
            first = next((at for at, text in enumerate(texts) if text), len(texts))
            document.head = texts[first:]
        else:
            _attach_run(anchors, following, run)


def _attach_run(anchors: list[_Anchor], following: int, run: list[_Comment]) -> None:
    """Comments between two entries: to the end of blocks they are indented as, then to the next."""
    after = anchors[following] if following < len(anchors) else None
    least = 0 if after is None else after.column
    around = anchors[following - 1].around
    waiting: list[str] = []
    for number, comment in enumerate(run):
        if not comment.text:
            waiting.append("")
            continue
        fits = [block for column, block in around if least < column <= comment.column]
        if not fits and after is not None:
            waiting += [each.text for each in run[number:]]
            break
        (fits[-1] if fits else around[0][1]).tail += [*waiting, comment.text]
        waiting = []
    if after is not None:
        split = max((at for at, text in enumerate(waiting) if not text), default=-1) + 1
        after.entry.lead, after.entry.above = waiting[:split], waiting[split:]


def _order(block: Block, role: str) -> None:
    """Put entries into their order, and take limits without more to say out of their braces."""
    for entry in block.entries:
        below = "type" if role == "types" else _role(role, entry.key)
        if isinstance(entry.value, Block):
            _order(entry.value, below)
            entry.value = _shortened(entry.value) if below == "limit" else entry.value
    match role:
        case "pair" | "direction":
            block.entries = sorted_entries(block.entries, PAIR_KEYS)
        case "limit":
            block.entries = sorted_entries(block.entries, LIMIT_KEYS)
        case "type":
            block.entries = sorted_entries(block.entries, TYPE_KEYS)
        case "labels":
            block.entries = sorted_labels(block.entries)
        case _:
            pass


def _shortened(limit: Block) -> str | Literal | Block:
    """`{max: 5}` is written 5."""
    if len(limit.entries) != 1 or limit.tail:
        return limit
    (only,) = limit.entries
    return only.value if only.key == "max" and only.is_bare else limit
