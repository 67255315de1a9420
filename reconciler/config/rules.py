"""What the models cannot say: rules over a document, and over all documents together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.config.nodes import Mapping, Node, Sequence, child, place
from reconciler.config.object_types import InvalidName, canonical
from reconciler.config.pair import DirectionForm, LimitForm, PairForm, TypeForm
from reconciler.config.source import NEAR_STANDARD
from reconciler.config.wording import quoted, visible
from reconciler.errors import Diagnostic, DiagnosticCode, Severity
from reconciler.model.limits import (
    UI_MAXIMUM_LIMIT,
    ByTypeId,
    CustomName,
    DesiredDirection,
    DesiredLimit,
    Label,
    ObjectReference,
    ObjectType,
    Place,
    TypeKey,
    Unlabelled,
)


@dataclass(frozen=True, slots=True)
class Declared:
    """The directions of a document, and what the rules say of them."""

    directions: tuple[DesiredDirection, ...]
    diagnostics: tuple[Diagnostic, ...]


def declare(pair: PairForm, node: Node, path: str, *, prune: bool, whole: bool) -> Declared:
    """The one or two directions that a document declares.

    `prune` holds where the document says nothing of it. `whole` False: part of the document was
    cut out as invalid, so what is missing proves nothing.
    """
    from_, to = _reference(pair.from_), _reference(pair.to)
    prune = prune if pair.prune is None else pair.prune
    at = place(path, child(node, "from") or node)
    at_to = place(path, child(node, "to") or node)
    parts = [_part(pair, node, path, DesiredDirection(from_, to, (), prune, at, at, at_to))]
    if pair.inverse is not None and isinstance(node, Mapping):
        key, inverse = node.entries["inverse"]
        prune = prune if pair.inverse.prune is None else pair.inverse.prune
        declared = DesiredDirection(to, from_, (), prune, place(path, key), at_to, at)
        parts.append(_part(pair.inverse, inverse, path, declared))
    of_itself = len(parts) > 1 and from_ == to
    known = whole and not of_itself
    diagnostics = [found for part in parts for found in part.problems(whole=known)]
    if of_itself:
        diagnostics.append(_inverse_of_itself(from_, parts.pop().direction.place))
    diagnostics += _near_standard(parts[0].direction)
    return Declared(tuple(part.direction for part in parts), tuple(diagnostics))


def _part(form: DirectionForm, node: Node, path: str, direction: DesiredDirection) -> _Part:
    limits = tuple(_limits(form, node, path))
    return _Part(form, node, path, replace(direction, limits=limits))


def repeated(directions: Iterable[DesiredDirection]) -> Iterator[Diagnostic]:
    """Every direction is declared once."""
    first: dict[tuple[ObjectReference, ObjectReference], DesiredDirection] = {}
    for direction in directions:
        earlier = first.setdefault((direction.from_, direction.to), direction)
        if earlier is not direction:
            yield Diagnostic(
                DiagnosticCode.DIRECTION_DUPLICATE,
                f"{direction} is already declared at {earlier.place}",
                direction.place,
                hint="keep all limits of a direction in one place",
                related=earlier.place,
            )


@dataclass(frozen=True, slots=True)
class _Part:
    """One direction of a document: what it declares, and its nodes for what places it."""

    form: DirectionForm
    node: Node
    path: str
    direction: DesiredDirection

    @property
    def name(self) -> str:
        return visible(str(self.direction))

    def problems(self, *, whole: bool) -> Iterator[Diagnostic]:
        if whole and self.form.empty:
            yield self._nothing_declared()
        yield from self._labels_above_object_limit()
        yield from self._repeated_types()
        yield from self._above_ui_maximum()

    def _nothing_declared(self) -> Diagnostic:
        consequence = "would remove all that the portal has"
        hint = "write `max: unlimited` if that is meant; remove the direction to leave it alone"
        if not self.direction.prune:
            consequence = "has no effect with `prune: false`"
            hint = "name a limit, or remove the direction"
        words = f"{self.name} declares no limit, which {consequence}"
        return Diagnostic(
            DiagnosticCode.DIRECTION_DECLARES_NOTHING, words, self.direction.place, hint=hint
        )

    def _labels_above_object_limit(self) -> Iterator[Diagnostic]:
        if self.form.max is None or self.form.max.max is None:
            return
        highest = self.form.max.max
        for limit in self.direction.limits:
            if limit.max is not None and limit.max > highest and isinstance(limit.selector, Label):
                yield Diagnostic(
                    DiagnosticCode.LABEL_ABOVE_OBJECT_LIMIT,
                    f"label limit {limit.max} of {quoted(limit.selector.text)} is above "
                    f"the object limit {highest} of {self.name}",
                    limit.place,
                    hint=f"lower it to {highest} or less, or raise `max`",
                    related=self.direction.limits[0].place,
                )

    def _repeated_types(self) -> Iterator[Diagnostic]:
        first: dict[TypeKey, Place] = {}
        for entry, node in _types(self.form, self.node):
            key = TypeKey(entry.category, entry.type_id)
            at = place(self.path, node)
            earlier = first.setdefault(key, at)
            if earlier is not at:
                yield Diagnostic(
                    DiagnosticCode.TYPE_DUPLICATE,
                    f"{key} is already listed in `types` of {self.name} at line {earlier.line}",
                    at,
                    hint="keep one of the two",
                    related=earlier,
                )

    def _above_ui_maximum(self) -> Iterator[Diagnostic]:
        for limit in self.direction.limits:
            if limit.max is not None and limit.max > UI_MAXIMUM_LIMIT:
                yield Diagnostic(
                    DiagnosticCode.LIMIT_ABOVE_UI_MAXIMUM,
                    f"{_subject(limit)} of {self.name} is {limit.max}, above {UI_MAXIMUM_LIMIT}, "
                    "the most that HubSpot's settings page takes",
                    limit.place,
                    hint="a portal's own maximum may be lower: its refusal names the range it accepts",
                    severity=Severity.WARNING,
                )


def _limits(form: DirectionForm, node: Node, path: str) -> Iterator[DesiredLimit]:
    """The limits of a direction, the object limit first."""
    if form.max is not None:
        at = _value_place(child(node, "max") or node, path)
        name = _key_place(node, "max", path)
        yield _limit(Unlabelled(form.max.category), form.max, at, name)
    labels = child(node, "labels")
    if isinstance(labels, Mapping):
        for text, limit in form.labels.items():
            key, value = labels.entries[text]
            at = _value_place(value, path)
            yield _limit(Label(text, limit.category), limit, at, place(path, key))
    for entry, item in _types(form, node):
        name = place(path, child(item, "type_id") or item)
        selector = ByTypeId(TypeKey(entry.category, entry.type_id))
        yield _limit(selector, entry, _value_place(item, path), name)


def _types(form: DirectionForm, node: Node) -> Iterator[tuple[TypeForm, Node]]:
    types = child(node, "types")
    if isinstance(types, Sequence):
        yield from zip(form.types, types.items, strict=True)


def _subject(limit: DesiredLimit) -> str:
    match limit.selector:
        case Unlabelled():
            return "the object limit"
        case Label(text=text):
            return f"the label limit of {quoted(text)}"
        case ByTypeId(key=key):
            return f"the limit of {key}"


def _limit(
    selector: Unlabelled | Label | ByTypeId, form: LimitForm | TypeForm, at: Place, name: Place
) -> DesiredLimit:
    return DesiredLimit(selector, form.max, at, form.protect, form.reason, name)


def _key_place(node: Node, key: str, path: str) -> Place:
    return place(path, node.entries[key].key if isinstance(node, Mapping) else node)


def _value_place(node: Node, path: str) -> Place:
    """Where the number is: in the mapping form, behind its `max`."""
    if isinstance(node, Mapping):
        node = child(node, "max") or node
    return place(path, node)


def _reference(text: str) -> ObjectReference:
    named = canonical(text)
    match named:
        case ObjectType() | CustomName():
            return named
        case InvalidName():
            raise ValueError(f"not validated: {text}")


def _near_standard(direction: DesiredDirection) -> Iterator[Diagnostic]:
    """Names that may be misspelt: without a portal nobody knows its custom objects."""
    for reference, at in direction.sides:
        if isinstance(reference, CustomName) and reference.near is not None:
            yield Diagnostic(
                NEAR_STANDARD,
                f"{quoted(reference.name)} is not a standard object type; a custom object of that "
                "name is looked for in the portal",
                at,
                hint=f"did you mean {reference.near}? If not, write the custom object's fully "
                "qualified name or its object type ID",
                severity=Severity.WARNING,
            )


def _inverse_of_itself(from_: ObjectReference, at: Place) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.INVERSE_OF_ITSELF,
        f"`inverse` of {from_} → {from_}: a pair of one object type has one direction",
        at,
        hint="move the limits of `inverse` up, beside `max` and `labels`",
    )
