"""The canonical form of a pair file: a tree of entries with their comments, and how it is written.

Keys in the order of the README's example, two spaces a level, labels sorted within the groups that
blank lines make, quotes only where a text needs them. A limit with more than its value is written
in braces on one line where that fits, has no comment inside and needs no quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.config.nodes import resolve
from reconciler.spelling import code_escape

WIDTH = 100
"""Columns up to which a limit is written in braces on one line."""

PAIR_KEYS = ("from", "to", "max", "labels", "types", "inverse", "prune")
LIMIT_KEYS = ("max", "category", "protect", "reason")
TYPE_KEYS = ("category", "type_id", "max", "protect", "reason")

_NOT_FIRST = frozenset("-?:,[]{}#&*!|>'\"%@` =<~")
_NEEDS_QUOTES = re.compile(r": |:$|#|^(?:---|\.\.\.)| $")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_IN_BRACKETS = re.compile(r"""[,\[\]{}?:'"]""")


@dataclass(frozen=True, slots=True)
class Beside:
    """A comment behind a value, and the column that it is kept in where there is room."""

    text: str
    column: int = 0


@dataclass(slots=True)
class Entry:
    """A key with its value, or an item of a list, whose key is empty.

    `lead`: comments and blank lines above that make a new group and stay on top of it when entries
    are sorted; it is empty or ends in a blank line. `above`: the comments directly above.
    """

    key: str
    value: str | Literal | Block
    lead: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    beside: Beside | None = None

    @property
    def is_bare(self) -> bool:
        return not (self.lead or self.above or self.beside)


@dataclass(frozen=True, slots=True)
class Literal:
    """A text of several lines."""

    lines: tuple[str, ...]


@dataclass(slots=True)
class Block:
    """A mapping or list; `tail`: comments below its last entry. `compact`: braces if they fit."""

    entries: list[Entry] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    compact: bool = False
    is_list: bool = False


@dataclass(slots=True)
class Document:
    """A document with the comments above its first key."""

    root: Block
    head: list[str] = field(default_factory=list)


def sorted_entries(entries: Iterable[Entry], keys: tuple[str, ...]) -> list[Entry]:
    """Entries in the order of `keys`; those of other keys behind them, as they were."""
    rank = {key: number for number, key in enumerate(keys)}
    return sorted(entries, key=lambda each: rank.get(each.key, len(keys)))


def sorted_labels(entries: list[Entry]) -> list[Entry]:
    """Labels in alphabetical order within each group."""
    groups: list[list[Entry]] = []
    for entry in entries:
        if entry.lead or not groups:
            groups.append([])
        groups[-1].append(entry)
    for group in groups:
        lead, group[0].lead = group[0].lead, []
        group.sort(key=lambda each: label_order(each.key))
        group[0].lead = lead
    return [entry for group in groups for entry in group]


def label_order(label: str) -> tuple[str, str]:
    """What labels are sorted by: the text whatever its case, then the text."""
    return (label.casefold(), label)


def document_text(documents: Iterable[Document]) -> str:
    """The documents of one file in canonical form."""
    out: list[str] = []
    for number, document in enumerate(documents):
        if number:
            out.append("---")
        _write_comments(document.head, "", out, opens=True)
        _write_block(document.root, "", out, opens=not document.head)
        _write_comments(document.root.tail, "", out, opens=False)
    return "\n".join(out) + "\n"


def block_lines(block: Block, indent: str) -> list[str]:
    """The lines of a mapping or list that is part of a document."""
    out: list[str] = []
    _write_block(block, indent, out, opens=True)
    return out


def braces_text(entry: Entry, parent: Block) -> str:
    """An entry as it is written between braces or brackets."""
    match entry.value:
        case str(value):
            value = quoted_in_brackets(value)
        case Literal(lines):
            value = quoted("\n".join(lines))
        case Block() as block:
            inner = ", ".join(braces_text(each, block) for each in block.entries)
            value = f"[{inner}]" if block.is_list else f"{{{inner}}}"
    return value if parent.is_list else f"{quoted_in_brackets(key_text(entry.key))}: {value}"


def quoted_in_brackets(written: str) -> str:
    """A written text as it is between brackets, where more characters need quotes."""
    bare = not written.startswith('"') and _IN_BRACKETS.search(written)
    return quoted(written) if bare else written


def _write_block(block: Block, indent: str, out: list[str], *, opens: bool) -> None:
    for entry in block.entries:
        _write_comments([*entry.lead, *entry.above], indent, out, opens=opens)
        opens = False
        if block.is_list:
            _write_item(entry, indent, out)
        else:
            _write_entry(entry, indent, out)


def _write_comments(lines: list[str], indent: str, out: list[str], *, opens: bool) -> None:
    """Comments and single blank lines; none of these where a block opens."""
    for line in lines:
        if line:
            out.append(indent + line)
        elif not opens and out[-1]:
            out.append("")
        opens = opens and not line


def _write_entry(entry: Entry, indent: str, out: list[str]) -> None:
    start = f"{indent}{key_text(entry.key)}:"
    match entry.value:
        case str(value):
            out.append(_with_comment(f"{start} {value}".rstrip(), entry.beside))
        case Literal(lines):
            if entry.beside is not None:
                out.append(indent + entry.beside.text)
            out.append(f"{start} |-")
            out += [f"{indent}  {line}" if line else "" for line in lines]
        case Block() as block:
            on_one_line = _braces(block, len(start) + 1)
            if on_one_line is not None:
                out.append(_with_comment(f"{start} {on_one_line}", entry.beside))
                return
            out.append(_with_comment(start, entry.beside))
            _write_block(block, f"{indent}  ", out, opens=True)
            _write_comments(block.tail, f"{indent}  ", out, opens=not block.entries)


def _write_item(entry: Entry, indent: str, out: list[str]) -> None:
    start = f"{indent}- "
    if not isinstance(entry.value, Block):
        value = (
            entry.value if isinstance(entry.value, str) else quoted("\n".join(entry.value.lines))
        )
        out.append(_with_comment((start + value).rstrip(), entry.beside))
        return
    on_one_line = _braces(entry.value, len(start))
    if on_one_line is not None:
        out.append(_with_comment(start + on_one_line, entry.beside))
        return
    first, inner = entry.value.entries[0], list[str]()
    _write_comments([*first.lead, *first.above], indent, out, opens=True)
    first.lead, first.above = [], []
    if first.beside is None:
        first.beside = entry.beside
    elif entry.beside is not None:
        out.append(indent + entry.beside.text)
    _write_block(entry.value, f"{indent}  ", inner, opens=True)
    out += [start + inner[0].removeprefix(f"{indent}  "), *inner[1:]]
    _write_comments(entry.value.tail, f"{indent}  ", out, opens=False)


def _with_comment(line: str, beside: Beside | None) -> str:
    """The line with its comment, in the column it had, or two spaces behind the value."""
    if beside is None:
        return line
    spaces = beside.column - 1 - len(line)
    return f"{line}{' ' * (spaces if spaces > 0 else 2)}{beside.text}"


def _braces(block: Block, before: int) -> str | None:
    """A limit on one line; None where it is to be written on several."""
    if not block.entries and not block.tail:
        return "[]" if block.is_list else "{}"
    if not block.compact or block.is_list or block.tail:
        return None
    parts = []
    for entry in block.entries:
        value = entry.value
        if not isinstance(value, str) or not value or not entry.is_bare:
            return None
        if _IN_BRACKETS.search(value + entry.key):
            return None
        parts.append(f"{key_text(entry.key)}: {value}")
    text = f"{{{', '.join(parts)}}}"
    return text if before + len(text) <= WIDTH else None


def key_text(text: str) -> str:
    """A key as it is written."""
    return text if _is_plain(text) else quoted(text)


def scalar_text(text: str) -> str:
    """A text on one line as it is written: in double quotes only where it needs them."""
    return text if _is_plain(text) else quoted(text)


def prose(text: str) -> str | Literal:
    """A text that may have several lines, which are then written as such if nothing is lost."""
    if "\n" not in text:
        return scalar_text(text)
    lines = tuple(text.split("\n"))
    readable = all(line.isprintable() and line == line.strip() for line in lines)
    return Literal(lines) if readable and lines[0] and lines[-1] else quoted(text)


def _is_plain(text: str) -> bool:
    return (
        text.isprintable()
        and text[:1] not in _NOT_FIRST
        and _NEEDS_QUOTES.search(text) is None
        and isinstance(resolve(text), str)
    )


def quoted(text: str) -> str:
    """A text in double quotes, with what does not print as escapes."""
    return f'"{"".join(_escaped(character) for character in text)}"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else code_escape(ord(character))
