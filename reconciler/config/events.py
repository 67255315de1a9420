"""Text → trees of nodes, from the YAML parser's events, without ever failing on what is in them.

The C parser is used where it is installed, ruamel's own otherwise; both must give the same trees
and the same places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.parser import Parser

from reconciler.config.nodes import Entry, Hole, Mapping, Node, Scalar, Sequence, place
from reconciler.config.syntax import document_without_start, syntax_error, unplaced
from reconciler.config.wording import quoted
from reconciler.errors import Diagnostic
from reconciler.model import Place

_SURROGATE = re.compile("[\ud800-\udfff]")

MAXIMUM_DEPTH = 32
"""How deep mappings and lists may nest."""


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one file as far as it could be read, and what is wrong with it as YAML."""

    roots: tuple[Node, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_documents(path: str, text: str, *, pure: bool = False) -> Documents:
    """Read all documents of a file; `pure` keeps to ruamel's own parser."""
    builder = _Builder(path)
    try:
        for event in _events(text, pure=pure):
            builder.take(event)
    except _TooDeep as error:
        builder.report("yaml-depth", str(error), error.mark, "flatten the document")
    except MarkedYAMLError as error:
        builder.diagnostics.append(syntax_error(path, error))
    except (YAMLError, ValueError, OverflowError) as error:
        builder.diagnostics.append(unplaced(path, error))
    return Documents(tuple(builder.roots), tuple(builder.diagnostics))


def _events(text: str, *, pure: bool) -> Iterator[Any]:
    """The parser's events; asking the C parser itself takes half the time of `YAML().parse()`."""
    parser = YAML(typ="safe", pure=pure).Parser
    if parser is Parser:
        events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
        return events
    return iter(parser(text).get_event, None)


class _TooDeep(Exception):
    def __init__(self, mark: Any) -> None:
        super().__init__(f"mappings and lists nest deeper than {MAXIMUM_DEPTH} levels")
        self.mark = mark


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open. `key` is the key that waits for its value."""

    node: Mapping | Sequence
    key: Scalar | Hole | None = None


@dataclass(slots=True)
class _Builder:
    path: str
    roots: list[Node] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)

    def take(self, event: Any) -> None:
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, CollectionStartEvent):
            self._open(event)
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self._place(self.stack.pop().node)
        elif isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, DocumentStartEvent):
            self._start_document(event)

    def report(self, code: str, message: str, mark: Any, hint: str | None = None) -> None:
        place = Place(self.path, mark.line + 1, mark.column + 1)
        self.diagnostics.append(Diagnostic(code, message, place, hint=hint))

    def _start_document(self, event: Any) -> None:
        if self.roots and not event.explicit:
            self.diagnostics.append(document_without_start(self.path, event.start_mark))

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        text = event.value
        if not text.isascii() and _SURROGATE.search(text):
            raise MarkedYAMLError(problem="found invalid Unicode character", problem_mark=mark)
        scalar = Scalar(text, not event.style, mark.line + 1, mark.column + 1)
        if event.anchor is None and event.tag is None:
            self._place(scalar)
        else:
            self._properties(event)
            self._place(Hole(scalar.line, scalar.column))

    def _alias(self, event: Any) -> None:
        self.report(
            "yaml-alias",
            "an alias (*) is not accepted",
            event.start_mark,
            "write the value out; quote it if it is a text that starts with *",
        )
        self._place(Hole(event.start_mark.line + 1, event.start_mark.column + 1))

    def _properties(self, event: Any) -> None:
        if event.anchor is not None:
            self.report(
                "yaml-anchor",
                "an anchor (&) is not accepted",
                event.start_mark,
                "remove it and write the value out where it is needed",
            )
        if event.tag is not None:
            self.report(
                "yaml-tag",
                "a tag (!) is not accepted",
                event.start_mark,
                "remove it; quote the value if it is a text",
            )

    def _open(self, event: Any) -> None:
        mark = event.start_mark
        if len(self.stack) >= MAXIMUM_DEPTH:
            raise _TooDeep(mark)
        if event.anchor is not None or event.tag is not None:
            self._properties(event)
        if isinstance(event, MappingStartEvent):
            self.stack.append(_Frame(Mapping({}, mark.line + 1, mark.column + 1)))
        else:
            self.stack.append(_Frame(Sequence([], mark.line + 1, mark.column + 1)))

    def _place(self, node: Node) -> None:
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
                frame.node.entries[frame.key.text] = Entry(frame.key, _placed(node, frame.key))
            frame.key = None

    def _key(self, mapping: Mapping, node: Node) -> Scalar | Hole:
        """The key itself, or a hole where the entry must be left out."""
        if isinstance(node, Hole):
            return node
        problem = _key_problem(self.path, mapping, node)
        if problem is None and isinstance(node, Scalar):
            return node
        if problem is not None:
            self.diagnostics.append(problem)
        return Hole(node.line, node.column)


def _placed(value: Node, key: Scalar) -> Node:
    """A value that is not there stands where its key does: the parsers place it differently."""
    if isinstance(value, Scalar) and value.text == "" and value.plain:
        return Scalar("", True, key.line, key.column)  # noqa: FBT003 - a tuple's field
    return value


def _key_problem(path: str, mapping: Mapping, key: Node) -> Diagnostic | None:
    if not isinstance(key, Scalar):
        return _wrong_key(path, key, "key-not-text", "a key is a mapping or a list", "a text")
    if key.text in mapping.entries:
        return _duplicate_key(path, mapping.entries[key.text].key, key)
    if key.plain and key.text == "":
        return _wrong_key(path, key, "empty-key", "a key is empty", "a key before the colon")
    if key.plain and key.text == "<<":
        words = "a merge key (<<) is not accepted"
        return _wrong_key(path, key, "yaml-merge-key", words, 'the values out, or "<<" as a label')
    return None


def _wrong_key(path: str, key: Node, code: str, message: str, instead: str) -> Diagnostic:
    return Diagnostic(code, message, place(path, key), hint=f"write {instead}")


def _duplicate_key(path: str, earlier: Scalar, key: Scalar) -> Diagnostic:
    return Diagnostic(
        "duplicate-key",
        f"the key {quoted(key.text)} is already given at line {earlier.line}",
        place(path, key),
        hint="keep one of the two",
        related=place(path, earlier),
    )
