"""Bytes → text → trees of nodes, from the YAML parser's events, without failing on any of it.

Text is strict UTF-8 without the characters that YAML forbids or parsers disagree on.

The C parser, where it is installed, may only say yes: what it refuses, and every text with something
that it reads otherwise than YAML 1.2 says, is read by ruamel's own parser, whose word counts. What
that one misreads, too, `yaml_faults` refuses. The result is the same with and without the C part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.parser import Parser

from reconciler.config.nodes import Entry, Hole, Mapping, Node, Scalar, Sequence
from reconciler.config.sources import MAXIMUM_BYTES, too_large
from reconciler.config.words import quoted
from reconciler.config.yaml_faults import (
    MOST_PROBLEMS,
    NOT_AT_THE_END,
    Structure,
    syntax_error,
)
from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import Place
from reconciler.spelling import code_escape

_SURROGATE = re.compile("[\ud800-\udfff]")
_BYTE_ORDER_MARK = "\ufeff"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

# What YAML 1.2 does not count as printable, and the line breaks of YAML 1.1 (U+0085, U+2028,
# U+2029): libyaml ends a line there and counts on, ruamel's own parser does not.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_CONFLICT_MARKS = ("<<<<<<< ", ">>>>>>> ")
_COMMENT = re.compile(r"(?:^| )#")

MAXIMUM_DEPTH = 32
"""How deep mappings and lists may nest."""


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character; CR LF, CR and LF end a line."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def decode(path: str, content: bytes) -> str | Diagnostic:
    """The file's text, or what is wrong with its first bad character.

    Without a byte order mark, and with every line ended by LF: neither changes a line or column.
    """
    if len(content) > MAXIMUM_BYTES:
        return too_large(path)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf_8(path, content, error.start)
    text = text.removeprefix(_BYTE_ORDER_MARK)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _first_problem(path, text) or (text if text.endswith("\n") else f"{text}\n")


def _not_utf_8(path: str, content: bytes, offset: int) -> Diagnostic:
    line, column = position(content[:offset].decode("utf-8").removeprefix(_BYTE_ORDER_MARK), offset)
    encoding = "looks like UTF-16" if content.startswith(_UTF_16_MARKS) else "is not UTF-8"
    return Diagnostic(
        DiagnosticCode.FILE_NOT_UTF_8,
        f"the file {encoding}: byte 0x{content[offset]:02x} at offset {offset}",
        Place(path, line, column),
        hint="save the file as UTF-8",
    )


def _first_problem(path: str, text: str) -> Diagnostic | None:
    if found := _FORBIDDEN.search(text):
        code, message, hint = _forbidden_character(found[0])
    elif any(mark in text for mark in _CONFLICT_MARKS) and (found := _CONFLICT.search(text)):
        code = DiagnosticCode.MERGE_CONFLICT
        message = "the file holds the marks of an unresolved merge conflict"
        hint = "resolve the conflict and remove the lines <<<<<<<, ======= and >>>>>>>"
    elif "%" in text and (found := _DIRECTIVE.search(text)):
        code = DiagnosticCode.YAML_DIRECTIVE
        message = "a YAML directive (%) is not accepted"
        hint = "remove the line: files are YAML 1.2 without directives"
    else:
        return _first_tab(path, text) if "\t" in text else None
    line, column = position(text, found.start())
    return Diagnostic(code, message, Place(path, line, column), hint=hint)


def _first_tab(path: str, text: str) -> Diagnostic | None:
    for number, line in enumerate(text.split("\n"), 1):
        before, tab, _ = line.partition("\t")
        if tab and not _COMMENT.search(before):
            return Diagnostic(
                DiagnosticCode.YAML_TAB,
                "there is a tab outside a comment",
                Place(path, number, len(before) + 1, len(before) + 2),
                hint='indent and separate with spaces; inside a text, write "\\t" in double quotes',
            )
    return None


def _forbidden_character(char: str) -> tuple[DiagnosticCode, str, str]:
    name = f"U+{ord(char):04X}"
    return (
        DiagnosticCode.CHARACTER_FORBIDDEN,
        f"the character {name} is not accepted in a file",
        f'remove it; if a label needs it, write "{code_escape(ord(char))}" in double quotes',
    )


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one file as far as it could be read, and what is wrong with it as YAML."""

    roots: tuple[Node, ...]
    diagnostics: tuple[Diagnostic, ...]


_PARSER: Any = YAML(typ="safe").Parser

HAS_COMPILED_PARSER = _PARSER is not Parser
"""Whether files are read by the C parser, which is some ten times as fast."""

# These and the patterns above cost a tenth of reading a large configuration, so that each is tried
# only on a text that has what it needs.
_TIGHT_COMMENT = re.compile(r"""[,:\[\]{}"']#""")
"""May be a comment without a space."""
_TIGHT_QUESTION = re.compile(r"""(?:^|[\s\[\]{},:"'])\?[^\s]""", re.MULTILINE)
"""May be a `?` that is part of a text."""
_BLOCK_TEXT = re.compile(r"(?:^ *|[:?-] +)[|>](?![-+]?\n +[^ \n#])", re.MULTILINE)
"""The head of a block text, unless the text starts on the very next line."""
_ADJACENT_VALUE = re.compile(r"""["'\]}]:[^\s]""")
"""In brackets a value may follow a quoted key without a space."""
_DOCUMENT_END = re.compile(r"^\.\.\.", re.MULTILINE)


def read_documents(path: str, text: str, *, pure: bool = False) -> Documents:
    """Read all documents of a file; `pure` keeps to ruamel's own parser."""
    suspicious = _is_suspicious(text)
    events = None if pure or suspicious else _compiled_events(text)
    if events is not None:
        documents = _build(path, text, events, suspicious=False)
        if not documents.diagnostics:
            return documents
    return _build(path, text, _pure_events(text), suspicious=suspicious)


def read_events(text: str) -> Iterable[Any]:
    """The parser's events of a text that `read_documents` finds nothing wrong with."""
    events = None if _is_suspicious(text) else _compiled_events(text)
    return events or _pure_events(text)


def _compiled_events(text: str) -> Iterator[Any] | None:
    """Those of the C parser, for a text that is not suspicious.

    None where that parser is not installed, or may read the text differently.
    """
    if not HAS_COMPILED_PARSER:
        return None
    if ("|" in text or ">" in text) and _BLOCK_TEXT.search(text):
        return None
    if _ADJACENT_VALUE.search(text) or ("..." in text and _DOCUMENT_END.search(text)):
        return None
    return iter(_PARSER(text).get_event, None)


def _is_suspicious(text: str) -> bool:
    return ("#" in text and _TIGHT_COMMENT.search(text) is not None) or (
        "?" in text and _TIGHT_QUESTION.search(text) is not None
    )


def _pure_events(text: str) -> Iterator[Any]:
    events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
    return events


def _build(path: str, text: str, events: Iterable[Any], *, suspicious: bool) -> Documents:
    builder = _Builder(path, Structure(path, text, suspicious))
    found, diagnostics = builder.structure.found, builder.diagnostics
    try:
        for event in events:
            if isinstance(event, ScalarEvent):
                builder.scalar(event)
            elif isinstance(event, CollectionStartEvent):
                builder.open(event)
            elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
                builder.close(event)
            elif isinstance(event, AliasEvent):
                builder.alias(event)
            if len(diagnostics) >= MOST_PROBLEMS or len(found) >= MOST_PROBLEMS:
                words = (
                    f"there are {MOST_PROBLEMS:,} mistakes; nothing from this place on was checked"
                )
                builder.diagnostics += builder.structure.found
                builder.report(
                    DiagnosticCode.MISTAKES_TOO_MANY, words, event.start_mark, "correct these first"
                )
                break
        else:
            builder.diagnostics += builder.structure.found
            if builder.structure.suspicious:
                builder.diagnostics += islice(builder.structure.indicators(), MOST_PROBLEMS)
    except _TooDeep as error:
        builder.report(DiagnosticCode.YAML_DEPTH, str(error), error.mark, "flatten the document")
    except (YAMLError, ValueError, OverflowError) as error:
        builder.diagnostics.append(syntax_error(path, error))
    return Documents(tuple(builder.roots), tuple(builder.diagnostics))


class _TooDeep(Exception):
    def __init__(self, mark: Any) -> None:
        super().__init__(f"mappings and lists nest deeper than {MAXIMUM_DEPTH} levels")
        self.mark = mark


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open. `key` is the key that waits for its value.

    `indent`: the column of the innermost block mapping or list.
    """

    node: Mapping | Sequence
    indent: int
    flow: bool
    key: Scalar | Hole | None = None


_TOP = _Frame(Sequence([], Place("", 1, 1)), indent=-1, flow=False)


@dataclass(slots=True)
class _Builder:
    path: str
    structure: Structure
    roots: list[Node] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)

    def report(
        self, code: DiagnosticCode, message: str, mark: Any, hint: str | None = None
    ) -> None:
        place = Place(self.path, mark.line + 1, mark.column + 1)
        self.diagnostics.append(Diagnostic(code, message, place, hint=hint))

    def scalar(self, event: Any) -> None:
        start, end, text = event.start_mark, event.end_mark, event.value
        if not text.isascii() and _SURROGATE.search(text):
            raise MarkedYAMLError(problem="found invalid Unicode character", problem_mark=start)
        sound, style = True, event.style
        if style or self.structure.suspicious or text.endswith(NOT_AT_THE_END):
            frame = self.stack[-1] if self.stack else _TOP
            sound = self.structure.scalar(event, frame.indent, flow=frame.flow)
        line = start.line + 1
        last = end.column + 1 if end.line + 1 == line else None
        place = Place(self.path, line, start.column + 1, last)
        if sound and event.anchor is None and event.tag is None:
            self._add(Scalar(text, not style, place))
        else:
            self._properties(event)
            self._add(Hole(place))

    def alias(self, event: Any) -> None:
        self.report(
            DiagnosticCode.YAML_ALIAS,
            "an alias (*) is not accepted",
            event.start_mark,
            "write the value out; quote it if it is a text that starts with *",
        )
        start, end = event.start_mark, event.end_mark
        last = end.column + 1 if start.line == end.line else None
        self._add(Hole(Place(self.path, start.line + 1, start.column + 1, last)))

    def _properties(self, event: Any) -> None:
        if event.anchor is not None:
            self.report(
                DiagnosticCode.YAML_ANCHOR,
                "an anchor (&) is not accepted",
                event.start_mark,
                "remove it and write the value out where it is needed",
            )
        if event.tag is not None:
            self.report(
                DiagnosticCode.YAML_TAG,
                "a tag (!) is not accepted",
                event.start_mark,
                "remove it; quote the value if it is a text",
            )

    def open(self, event: Any) -> None:
        mark = event.start_mark
        if len(self.stack) >= MAXIMUM_DEPTH:
            raise _TooDeep(mark)
        if event.anchor is not None or event.tag is not None:
            self._properties(event)
        flow = bool(event.flow_style)
        place = Place(self.path, mark.line + 1, mark.column + 1)
        is_mapping = isinstance(event, MappingStartEvent)
        node = Mapping({}, place) if is_mapping else Sequence([], place)
        around = self.stack[-1] if self.stack else _TOP
        self.stack.append(_Frame(node, around.indent if flow else mark.column, flow))

    def close(self, event: Any) -> None:
        frame = self.stack.pop()
        node = frame.node
        last = event.end_mark.line + 1
        at = node.place
        if frame.flow and last == at.line:
            node = node._replace(place=replace(at, end=event.end_mark.column + 1))
        elif frame.flow:
            self.structure.indentation(at.line - 1, last - 1, frame.indent, brackets=True)
        self._add(node)

    def _add(self, node: Node) -> None:
        if not self.stack:
            self.roots.append(node)
            return
        frame = self.stack[-1]
        if isinstance(frame.node, Sequence):
            if not isinstance(node, Hole):
                frame.node.items.append(node)
        elif frame.key is None:
            frame.key = self._key(frame.node, node)
        else:
            if isinstance(frame.key, Scalar):
                if isinstance(node, Scalar) and node.plain and node.text == "":
                    node = node._replace(place=frame.key.place)  # the parsers place it differently
                frame.node.entries[frame.key.text] = Entry(frame.key, node)
            frame.key = None

    def _key(self, mapping: Mapping, node: Node) -> Scalar | Hole:
        """The key itself, or a hole where the entry must be left out."""
        if isinstance(node, Hole):
            return node
        is_text = isinstance(node, Scalar) and not (node.plain and node.text in ("", "<<"))
        if isinstance(node, Scalar) and is_text and node.text not in mapping.entries:
            return node
        self.diagnostics.append(_key_problem(mapping, node))
        return Hole(node.place)


def _key_problem(mapping: Mapping, key: Node) -> Diagnostic:
    if not isinstance(key, Scalar):
        words = "a key is a mapping or a list"
        return _wrong_key(key, DiagnosticCode.KEY_NOT_TEXT, words, "a text")
    if key.text in mapping.entries:
        earlier = mapping.entries[key.text].key.place
        return Diagnostic(
            DiagnosticCode.KEY_DUPLICATE,
            f"the key {quoted(key.text)} is already given at line {earlier.line}",
            key.place,
            hint="keep one of the two",
            related=earlier,
        )
    if key.text == "":
        words, instead = "a key is empty", "a key before the colon"
        return _wrong_key(key, DiagnosticCode.KEY_EMPTY, words, instead)
    words, instead = "a merge key (<<) is not accepted", 'the values out, or "<<" as a label'
    return _wrong_key(key, DiagnosticCode.YAML_MERGE_KEY, words, instead)


def _wrong_key(key: Node, code: DiagnosticCode, message: str, instead: str) -> Diagnostic:
    return Diagnostic(code, message, key.place, hint=f"write {instead}")
