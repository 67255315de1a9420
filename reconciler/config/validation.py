"""Nodes → pydantic models; an error's `loc` leads back to the node, and so to its place.

A broken part is cut out and the rest validated again, so that rules over the whole document can
still be checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from reconciler.config.nodes import (
    Hole,
    Mapping,
    Node,
    Scalar,
    Step,
    child,
    compacted,
    place,
    with_holes,
)
from reconciler.config.numerals import LIMIT_WORDS, hint_for_limit, hint_for_number, is_whole
from reconciler.config.values import plain, scalar_value
from reconciler.config.wording import quoted, read_as, visible
from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.spelling import HINTS, difference, nearest, same_but_spelling

Model = TypeVar("Model", bound=BaseModel)

MOST_MISTAKES = 10_000
"""How many mistakes of one document, and of one run, are looked at; more are not read."""

_ATTEMPTS = 3
_SAID_OF_NULL_TOO = frozenset({DiagnosticCode.LABEL_EMPTY, DiagnosticCode.OVERLAYS_UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class Subject:
    """What stands at a location: words for it, the keys it may have, and whether it is secret."""

    words: str
    keys: tuple[str, ...] = ()
    secret: bool = False


Describe = Callable[[tuple[Step, ...]], Subject]


@dataclass(frozen=True, slots=True)
class Checked(Generic[Model]):
    """The model of what is valid, the tree it came from, and what is wrong with the rest.

    `whole` tells that nothing was cut out.
    """

    model: Model | None
    node: Node
    diagnostics: tuple[Diagnostic, ...]
    whole: bool


def problem(code: str, **context: str) -> PydanticCustomError:
    """An error of a validator of ours; `code` becomes the diagnostic's."""
    return PydanticCustomError(code, "{code}", {"code": code, **context})


def check(model: type[Model], node: Node, path: str, describe: Describe) -> Checked[Model]:
    """Validate a tree. What only shows after a cut is a consequence of it and not reported."""
    found: tuple[Diagnostic, ...] | None = None
    rest = node
    for _ in range(_ATTEMPTS):
        try:
            valid = model.model_validate(plain(rest))
        except ValidationError as error:
            failures = error.errors(include_url=False, include_input=False)
            findings = [
                _Finding(path, rest, failure, describe, number)
                for number, failure in enumerate(failures[:MOST_MISTAKES])
            ]
            if len(failures) > MOST_MISTAKES:
                return Checked(None, rest, found or _diagnostics(findings), whole=False)
            found = _diagnostics(findings) if found is None else found
            rest = compacted(with_holes(rest, [finding.cut for finding in findings]))
        else:
            return Checked(valid, rest, found or (), whole=found is None)
    return Checked(None, rest, found or (), whole=False)


class _Finding:
    """One of pydantic's errors beside the node it is about, counted from 0."""

    def __init__(
        self, path: str, root: Node, failure: Any, describe: Describe, number: int
    ) -> None:
        self.path = path
        self.number = number
        self.kind: str = failure["type"]
        self.context: dict[str, Any] = failure.get("ctx", {})
        self.steps: tuple[Step, ...] = failure["loc"]
        self.node: Node = root
        self.key: Scalar | None = None
        self._walk()
        self.subject = describe(self.steps)
        self.container = describe(self.steps[:-1])

    def _walk(self) -> None:
        """Go as far as the steps lead; a limit written as a number has no `max` to step into."""
        for step in self.steps:
            found = child(self.node, step)
            if found is None:
                break
            self.key = None
            if isinstance(self.node, Mapping):
                self.key = self.node.entries[str(step)].key
            self.node = found

    @property
    def name(self) -> str:
        return str(self.steps[-1]) if self.steps else ""

    @property
    def cut(self) -> tuple[Step, ...]:
        """What cannot stay: where a key is missing, all that should hold it."""
        return self.steps[:-1] if self.kind == "missing" else self.steps

    @property
    def is_null(self) -> bool:
        return isinstance(self.node, Scalar) and scalar_value(self.node) is None

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

    def diagnostic(self, code: DiagnosticCode, message: str, hint: str | None = None) -> Diagnostic:
        return Diagnostic(code, message, place(self.path, self.node), hint=hint)


def _diagnostics(findings: list[_Finding]) -> tuple[Diagnostic, ...]:
    """A key that is missing because it was misspelt, or was reported before, is not missing."""
    misspelt = {
        (finding.steps[:-1], finding.suggestion)
        for finding in findings
        if finding.kind == "extra_forbidden"
    }
    return tuple(
        _translate(finding)
        for finding in findings
        if finding.kind != "missing"
        or ((finding.steps[:-1], finding.name) not in misspelt and not _was_reported(finding))
    )


def _was_reported(missing: _Finding) -> bool:
    return isinstance(missing.node, Hole)


def _translate(finding: _Finding) -> Diagnostic:
    if finding.kind == "missing":
        return _missing(finding)
    if finding.kind == "extra_forbidden":
        return _unknown_key(finding)
    if finding.is_null and finding.kind not in _SAID_OF_NULL_TOO:
        return finding.diagnostic(
            DiagnosticCode.VALUE_NULL,
            f"{finding.subject.words} has no value",
            "write a value, or remove the key",
        )
    translate = _TRANSLATIONS.get(finding.kind, _other)
    return translate(finding)


def _missing(finding: _Finding) -> Diagnostic:
    return finding.diagnostic(
        DiagnosticCode.KEY_MISSING,
        f"{finding.container.words} has no `{finding.name}`",
        f"add `{finding.name}: …`",
    )


def _unknown_key(finding: _Finding) -> Diagnostic:
    key = finding.key or finding.node
    name = "a key" if finding.container.secret else quoted(finding.name)
    known = ", ".join(finding.container.keys)
    hint = f"known keys: {known}"
    message = f"{name} is not known in {finding.container.words}"
    if finding.suggestion and not finding.container.secret:
        hint = f"did you mean `{finding.suggestion}`?"
        if same_but_spelling(finding.name, [finding.suggestion]):
            where = ("the file", "the key")
            message += f": {difference(finding.name, finding.suggestion, where=where)}"
    return Diagnostic(DiagnosticCode.KEY_UNKNOWN, message, place(finding.path, key), hint=hint)


def _limit_not_a_number(finding: _Finding) -> Diagnostic:
    if isinstance(finding.node, Scalar) and finding.node.plain and is_whole(finding.node.text):
        return _limit_out_of_range(finding)
    return finding.diagnostic(
        DiagnosticCode.LIMIT_NOT_A_NUMBER,
        f"{finding.subject.words} must be {LIMIT_WORDS}; it is {finding.read}",
        hint_for_limit(finding.node),
    )


def _limit_out_of_range(finding: _Finding) -> Diagnostic:
    text = finding.node.text if isinstance(finding.node, Scalar) else ""
    bound = "below 1" if text.startswith("-") or text == "0" else "above 50000"
    return finding.diagnostic(
        DiagnosticCode.LIMIT_OUT_OF_RANGE,
        f"{finding.subject.words} is {visible(text)}, {bound}",
        hint_for_limit(finding.node),
    )


def _not_a_number(finding: _Finding) -> Diagnostic:
    return finding.diagnostic(
        DiagnosticCode.VALUE_NOT_A_NUMBER,
        f"{finding.subject.words} must be {finding.context['wanted']}; it is {finding.read}",
        hint_for_number(finding.node),
    )


def _unknown_word(finding: _Finding) -> Diagnostic:
    """A value outside a fixed set of words; the code is the validator's own."""
    words = str(finding.context["words"]).split()
    meant = nearest(finding.node.text, words) if isinstance(finding.node, Scalar) else []
    hint = f"did you mean {meant[0]}?" if meant else f"one of {', '.join(words)}"
    return finding.diagnostic(
        DiagnosticCode(finding.kind), f"{finding.subject.words} cannot be {finding.read}", hint
    )


def _object_type(finding: _Finding) -> Diagnostic:
    text = finding.node.text if isinstance(finding.node, Scalar) else ""
    return finding.diagnostic(
        DiagnosticCode.OBJECT_TYPE_INVALID,
        f"{finding.subject.words}: {quoted(text)} {finding.context['problem']}",
        str(finding.context["hint"]),
    )


def _empty_label(finding: _Finding) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.LABEL_EMPTY,
        "a label is empty",
        place(finding.path, finding.key or finding.node),
        hint="write the label as HubSpot shows it; the object limit is `max`",
    )


def _stated(finding: _Finding) -> Diagnostic:
    """A validator that knows all the words itself."""
    stands = finding.key if finding.name == "[key]" and finding.key else finding.node
    return Diagnostic(
        DiagnosticCode(finding.kind),
        f"{finding.subject.words} {finding.context['words']}",
        place(finding.path, stands),
        hint=str(finding.context["hint"]),
    )


def _shape(code: DiagnosticCode, wanted: str, hint: str) -> Callable[[_Finding], Diagnostic]:
    def translate(finding: _Finding) -> Diagnostic:
        message = f"{finding.subject.words} must be {wanted}; it is {finding.read}"
        return finding.diagnostic(code, message, hint)

    return translate


def _not_a_mapping(finding: _Finding) -> Diagnostic:
    hint = "write keys with values below it"
    if isinstance(finding.node, Scalar) and ":" in finding.node.text:
        hint = "a key ends in a colon and a space"
    return _shape(DiagnosticCode.VALUE_NOT_A_MAPPING, "a mapping", hint)(finding)


_not_a_list = _shape(DiagnosticCode.VALUE_NOT_A_LIST, "a list", "start each entry with a dash")
_not_text = _shape(DiagnosticCode.VALUE_NOT_TEXT, "a text", "put it between quotes")
_not_boolean = _shape(
    DiagnosticCode.VALUE_NOT_A_BOOLEAN, "true or false", "write true or false without quotes"
)
_other = _shape(DiagnosticCode.VALUE_INVALID, "written otherwise", "see `reconciler schema`")

_TRANSLATIONS: dict[str, Callable[[_Finding], Diagnostic]] = {
    "model_type": _not_a_mapping,
    "dict_type": _not_a_mapping,
    "model_attributes_type": _not_a_mapping,
    "list_type": _not_a_list,
    "string_type": _not_text,
    "bool_type": _not_boolean,
    DiagnosticCode.LIMIT_NOT_A_NUMBER: _limit_not_a_number,
    DiagnosticCode.LIMIT_OUT_OF_RANGE: _limit_out_of_range,
    DiagnosticCode.VALUE_NOT_A_NUMBER: _not_a_number,
    DiagnosticCode.CATEGORY_UNKNOWN: _unknown_word,
    DiagnosticCode.API_VERSION_UNKNOWN: _unknown_word,
    DiagnosticCode.OBJECT_TYPE_INVALID: _object_type,
    DiagnosticCode.LABEL_EMPTY: _empty_label,
    DiagnosticCode.OVERLAYS_UNAVAILABLE: _stated,
    DiagnosticCode.TOKEN_IN_FILE: _stated,
    DiagnosticCode.TOKEN_INVALID: _stated,
    DiagnosticCode.PORTAL_NAME_INVALID: _stated,
    DiagnosticCode.PORTALS_MISSING: _stated,
    DiagnosticCode.PATH_INVALID: _stated,
    DiagnosticCode.VERSION_UNKNOWN: _stated,
}
