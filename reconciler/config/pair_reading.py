"""A document of a pair file → its model, with words and places for what is wrong with it."""

from __future__ import annotations

from reconciler.config.nodes import Entry, Mapping, Node, Scalar, Step, child
from reconciler.config.object_types import InvalidName, canonical
from reconciler.config.pair import DirectionForm, LimitForm, PairForm, TypeForm
from reconciler.config.validation import Checked, Subject, check
from reconciler.config.values import scalar_value
from reconciler.config.wording import quoted
from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import Place

_PLAN_KEYS = {"batches", "format_version"}
"""Keys that every saved plan has, and no pair file."""

_LIMIT_KEYS = tuple(LimitForm.model_fields)
_TYPE_KEYS = tuple(TypeForm.model_fields)
_DIRECTION_KEYS = tuple(DirectionForm.model_fields)
_PAIR_KEYS = ("from", "to", *_DIRECTION_KEYS, "inverse")


def describe(steps: tuple[Step, ...]) -> Subject:
    """Words for what stands at a location of a pair file's document."""
    match steps:
        case ():
            return Subject("the document", _PAIR_KEYS)
        case ("inverse",):
            return Subject("`inverse`", _DIRECTION_KEYS)
        case ("inverse", *rest):
            subject = _describe_part(tuple(rest))
            return Subject(f"{subject.words} of `inverse`", subject.keys)
        case _:
            return _describe_part(steps)


def _describe_part(steps: tuple[Step, ...]) -> Subject:
    match steps:
        case ("max",) | ("max", "max"):
            return Subject("the object limit", _LIMIT_KEYS)
        case ("labels", label) | ("labels", label, "max"):
            return Subject(f"the label limit of {quoted(str(label))}", _LIMIT_KEYS)
        case ("labels", label, key):
            return Subject(f"`{key}` of the label {quoted(str(label))}")
        case ("types", int(index)):
            return Subject(f"entry {index + 1} of `types`", _TYPE_KEYS)
        case ("types", int(index), key):
            return Subject(f"`{key}` of entry {index + 1} of `types`")
        case (*_, key):
            return Subject(f"`{key}`")
        case _:
            return Subject("the document")


def read_pair(node: Node, path: str) -> Checked[PairForm]:
    """Validate a document; what is wrong with its object types is reported and stood in for."""
    if isinstance(node, Mapping) and node.entries.keys() >= _PLAN_KEYS:
        return Checked(None, node, (_saved_plan(node, path),), whole=False)
    checked = check(PairForm, node, path, describe)
    if checked.model is not None or not isinstance(node, Mapping):
        return checked
    again = check(PairForm, _with_stand_ins(node), path, describe)
    return Checked(again.model, again.node, checked.diagnostics, whole=False)


def _saved_plan(node: Node, path: str) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.SAVED_PLAN,
        "this is a saved plan, not a pair file",
        Place(path, node.line, node.column),
        hint="move it out of the folder of pair files; `reconciler show` renders it",
    )


def names_object_types(document: Node) -> bool:
    """Whether a document says which direction it is about."""
    return all(_names_object_type(child(document, key)) for key in ("from", "to"))


def _with_stand_ins(document: Mapping) -> Mapping:
    entries = dict(document.entries)
    for key in ("from", "to"):
        if not _names_object_type(child(document, key)):
            stand_in = Scalar("unknown", True, document.line, document.column)  # noqa: FBT003
            entries[key] = Entry(stand_in, stand_in)
    return Mapping(entries, document.line, document.column)


def _names_object_type(node: Node | None) -> bool:
    return (
        isinstance(node, Scalar)
        and isinstance(scalar_value(node), str)
        and not isinstance(canonical(node.text), InvalidName)
    )
