"""Nodes → pydantic models; an error's `loc` leads back to the node, and so to its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.config.nodes import (
    Hole,
    Mapping,
    Node,
    Scalar,
    Sequence,
    Step,
    child,
    is_whole,
    plain,
)
from reconciler.config.words import (
    LIMIT_WORDS,
    hint_for_limit,
    hint_for_number,
    quoted,
    read_as,
    visible,
)
from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import Place
from reconciler.spelling import HINTS, difference, nearest, same_but_spelling

Model = TypeVar("Model", bound=BaseModel)
Steps = tuple[Step, ...]

MOST_MISTAKES = 10_000
"""How many mistakes of one document, and of one run, are looked at; more are not read."""

TAG = "\0"
"""What the names of a union's members start with in a `loc`; they lead to no node."""

_KEY = "[key]"


class Subject(NamedTuple):
    """What is at a location, in words, and what it may be.

    `keys`: of a mapping. `wanted`: of a number. `explain` says, for a text that does not fit, how
    the sentence that begins with `words` goes on, and what to do; `code` is the diagnostic's then.
    `secret`: what is there may be a token.
    """

    words: str
    keys: tuple[str, ...] = ()
    wanted: str = ""
    code: DiagnosticCode = DiagnosticCode.VALUE_INVALID
    explain: Callable[[str], tuple[str, str]] | None = None
    secret: bool = False


Describe = Callable[[Steps], Subject]


def check(
    model: type[Model], node: Node, describe: Describe
) -> tuple[Model | None, list[Diagnostic]]:
    """The model of a valid tree, or everything that is wrong with it. No key takes null."""
    valid, failures = None, []
    try:
        valid = model.model_validate(plain(node))
    except ValidationError as error:
        failures = error.errors(include_url=False, include_input=False)[:MOST_MISTAKES]
    findings = [_Finding(node, each, describe, n) for n, each in enumerate(failures)]
    reported = {finding.steps for finding in findings}
    findings += [
        _Finding(node, {"type": "null", "loc": steps}, describe, HINTS)
        for steps in _nulls(node, ())
        if steps not in reported
    ]
    return (None, _diagnostics(findings)) if findings else (valid, [])


def _nulls(node: Node, steps: Steps) -> Iterator[Steps]:
    """Where a tree has a null."""
    if isinstance(node, Scalar) and node.is_null:
        yield steps
    elif isinstance(node, Mapping):
        for key, entry in node.entries.items():
            if not isinstance(entry.value, Scalar) or entry.value.is_null:
                yield from _nulls(entry.value, (*steps, key))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _nulls(item, (*steps, index))


class _Finding:
    """One of pydantic's errors beside the node it is about, counted from 0."""

    def __init__(self, root: Node, failure: Any, describe: Describe, number: int) -> None:
        self.number = number
        self.kind: str = failure["type"]
        self.context: dict[str, Any] = failure.get("ctx", {})
        self.steps: Steps = tuple(step for step in failure["loc"] if not str(step).startswith(TAG))
        self.node: Node = root
        self.key: Scalar | None = None
        for step in self.steps:
            found = child(self.node, step)
            if found is None:
                break
            self.key = None
            if isinstance(self.node, Mapping):
                self.key = self.node.entries[str(step)].key
            self.node = found
        self.subject = describe(self.steps)
        self.container = describe(self.steps[:-1])

    @property
    def name(self) -> str:
        return str(self.steps[-1]) if self.steps else ""

    @property
    def text(self) -> str:
        return self.node.text if isinstance(self.node, Scalar) else ""

    @property
    def place(self) -> Place:
        """Of the value; of the key where that is wrong."""
        return (self.key if self.key and self.name == _KEY else self.node).place

    @property
    def is_null(self) -> bool:
        return isinstance(self.node, Scalar) and self.node.is_null and self.name != _KEY

    @property
    def read(self) -> str:
        return "something else" if self.subject.secret else read_as(self.node)

    @cached_property
    def suggestion(self) -> str | None:
        """The known key that was meant; looked for in the first few findings of a document."""
        if self.number >= HINTS:
            return None
        if same := same_but_spelling(self.name, self.container.keys):
            return same
        return next(iter(nearest(self.name, self.container.keys, cutoff=0.5)), None)

    def diagnostic(self, code: DiagnosticCode, words: str, hint: str) -> Diagnostic:
        """`words` go on where those of the subject end."""
        return Diagnostic(code, f"{self.subject.words} {words}", self.place, hint=hint)


def _diagnostics(findings: list[_Finding]) -> list[Diagnostic]:
    """A key that is missing because it was misspelt, or was reported before, is not missing."""
    misspelt = {
        (finding.steps[:-1], finding.suggestion)
        for finding in findings
        if finding.kind == "extra_forbidden"
    }
    return [
        _translate(finding)
        for finding in findings
        if finding.kind != "missing"
        or not ((finding.steps[:-1], finding.name) in misspelt or isinstance(finding.node, Hole))
    ]


def _translate(finding: _Finding) -> Diagnostic:
    match finding.kind:
        case "missing":
            words = f"{finding.container.words} has no `{finding.name}`"
            hint = f"add `{finding.name}: …`"
            return Diagnostic(DiagnosticCode.KEY_MISSING, words, finding.place, hint=hint)
        case "extra_forbidden":
            return _unknown_key(finding)
        case _ if finding.is_null:
            hint = "write a value, or remove the key"
            return finding.diagnostic(DiagnosticCode.VALUE_NULL, "has no value", hint)
        case "int_type" | "greater_than_equal" | "less_than_equal" | "literal_error" if (
            finding.subject.wanted
        ):
            return _number(finding)
        case "literal_error" | "enum":
            return _unknown_word(finding)
        case kind if finding.subject.explain and kind in _EXPLAINED:
            rest, hint = finding.subject.explain(finding.text)
            words = f"{finding.subject.words}{rest}"
            return Diagnostic(finding.subject.code, words, finding.place, hint=hint)
        case kind:
            return _shape(finding, kind)


_EXPLAINED = frozenset(
    {
        "string_pattern_mismatch",
        "string_too_short",
        "too_short",
        "model_type",
        "int_type",
        "greater_than_equal",
        "less_than_equal",
    }
)


def _unknown_key(finding: _Finding) -> Diagnostic:
    secret = finding.container.secret
    name = "a key" if secret else quoted(finding.name)
    hint = f"known keys: {', '.join(finding.container.keys)}"
    message = f"{name} is not known in {finding.container.words}"
    if finding.suggestion and not secret:
        hint = f"did you mean `{finding.suggestion}`?"
        if same_but_spelling(finding.name, [finding.suggestion]):
            where = ("the file", "the key")
            message += f": {difference(finding.name, finding.suggestion, where=where)}"
    at = (finding.key or finding.node).place
    return Diagnostic(DiagnosticCode.KEY_UNKNOWN, message, at, hint=hint)


def _number(finding: _Finding) -> Diagnostic:
    node, text, wanted = finding.node, finding.text, finding.subject.wanted
    must = f"must be {wanted}; it is {finding.read}"
    if wanted != LIMIT_WORDS:
        return finding.diagnostic(DiagnosticCode.VALUE_NOT_A_NUMBER, must, hint_for_number(node))
    if isinstance(node, Scalar) and node.plain and is_whole(text):
        bound = "below 1" if text.startswith("-") or text == "0" else "above 50000"
        words = f"is {visible(text)}, {bound}"
        return finding.diagnostic(DiagnosticCode.LIMIT_OUT_OF_RANGE, words, hint_for_limit(node))
    return finding.diagnostic(DiagnosticCode.LIMIT_NOT_A_NUMBER, must, hint_for_limit(node))


def _unknown_word(finding: _Finding) -> Diagnostic:
    """A value outside a fixed set of words."""
    known = re.findall("'([^']*)'", finding.context["expected"])
    meant = nearest(finding.text, known)
    hint = f"did you mean {meant[0]}?" if meant else f"one of {', '.join(known)}"
    return finding.diagnostic(finding.subject.code, f"cannot be {finding.read}", hint)


_SHAPES = {
    "list_type": (DiagnosticCode.VALUE_NOT_A_LIST, "a list", "start each entry with a dash"),
    "string_type": (DiagnosticCode.VALUE_NOT_TEXT, "a text", "put it between quotes"),
    "bool_type": (
        DiagnosticCode.VALUE_NOT_A_BOOLEAN,
        "true or false",
        "write true or false without quotes",
    ),
}
_MAPPING = (DiagnosticCode.VALUE_NOT_A_MAPPING, "a mapping", "write keys with values below it")
_OTHER = (DiagnosticCode.VALUE_INVALID, "written otherwise", "see `reconciler schema`")


def _shape(finding: _Finding, kind: str) -> Diagnostic:
    is_mapping = kind in {"model_type", "dict_type"}
    code, wanted, hint = _MAPPING if is_mapping else _SHAPES.get(kind, _OTHER)
    if is_mapping and ":" in finding.text:
        hint = "a key ends in a colon and a space"
    return finding.diagnostic(code, f"must be {wanted}; it is {finding.read}", hint)
