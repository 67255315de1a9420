"""What the models cannot say: rules over a document, and over all documents together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.config.nodes import Mapping, Node, Sequence, child
from reconciler.config.object_types import InvalidName, canonical
from reconciler.config.pair import DirectionForm, LimitForm, PairForm, TypeForm
from reconciler.config.words import quoted, visible
from reconciler.errors import Diagnostic, DiagnosticCode, Severity
from reconciler.model.limits import (
    UI_MAXIMUM_LIMIT,
    ByTypeId,
    CustomName,
    DesiredDirection,
    DesiredLimit,
    Label,
    ObjectReference,
    Place,
    Selector,
    TypeKey,
    Unlabelled,
)


def declare(
    pair: PairForm, node: Mapping, *, prune: bool
) -> tuple[list[DesiredDirection], list[Diagnostic]]:
    """The one or two directions that a document declares, and what the rules say of them.

    `prune` holds where the document says nothing of it.
    """
    from_, to = _reference(pair.from_), _reference(pair.to)
    at, at_to = node.entries["from"].value.place, node.entries["to"].value.place
    prune = prune if pair.prune is None else pair.prune
    limits = tuple(_limits(pair, node))
    directions = [DesiredDirection(from_, to, limits, prune, at, at, at_to)]
    problems = [*_problems(pair, node, directions[0])]
    if pair.inverse is not None:
        key, inverse = node.entries["inverse"]
        if from_ == to:
            return directions, [*problems, _inverse_of_itself(from_, key.place)]
        prune = prune if pair.inverse.prune is None else pair.inverse.prune
        limits = tuple(_limits(pair.inverse, inverse))
        directions.append(DesiredDirection(to, from_, limits, prune, key.place, at_to, at))
        problems += _problems(pair.inverse, inverse, directions[1])
    if isinstance(from_, CustomName) or isinstance(to, CustomName):
        problems += _near_standard(directions[0])
    return directions, problems


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


def _problems(form: DirectionForm, node: Node, direction: DesiredDirection) -> Iterator[Diagnostic]:
    """What the rules over one direction say."""
    if not direction.limits:
        yield _nothing_declared(direction)
    if form.max is not None and form.labels:
        yield from _labels_above_object_limit(direction)
    if form.types:
        yield from _repeated_types(visible(str(direction)), form, node)
    for limit in direction.limits:
        if limit.max is not None and limit.max > UI_MAXIMUM_LIMIT:
            yield Diagnostic(
                DiagnosticCode.LIMIT_ABOVE_UI_MAXIMUM,
                f"{_subject(limit)} of {visible(str(direction))} is {limit.max}, above {UI_MAXIMUM_LIMIT}, "
                "the most that HubSpot's settings page takes",
                limit.place,
                hint="a portal's own maximum may be lower: its refusal names the range it accepts",
                severity=Severity.WARNING,
            )


def _nothing_declared(direction: DesiredDirection) -> Diagnostic:
    consequence = "would remove all that the portal has"
    hint = "write `max: unlimited` if that is meant; remove the direction to leave it alone"
    if not direction.prune:
        consequence = "has no effect with `prune: false`"
        hint = "name a limit, or remove the direction"
    words = f"{visible(str(direction))} declares no limit, which {consequence}"
    return Diagnostic(DiagnosticCode.DIRECTION_DECLARES_NOTHING, words, direction.place, hint=hint)


def _labels_above_object_limit(direction: DesiredDirection) -> Iterator[Diagnostic]:
    object_limit, *others = direction.limits
    highest = object_limit.max
    if highest is None:
        return
    for limit in others:
        if limit.max is None or limit.max <= highest or not isinstance(limit.selector, Label):
            continue
        place, related = limit.place, object_limit.place
        if (
            place.path == direction.place.path != related.path
        ):  # an overlay lowered the object limit
            place, related = related, place
        yield Diagnostic(
            DiagnosticCode.LABEL_ABOVE_OBJECT_LIMIT,
            f"label limit {limit.max} of {quoted(limit.selector.text)} is above "
            f"the object limit {highest} of {visible(str(direction))}",
            place,
            hint=f"lower it to {highest} or less, or raise `max`",
            related=related,
        )


def _repeated_types(name: str, form: DirectionForm, node: Node) -> Iterator[Diagnostic]:
    first: dict[TypeKey, Place] = {}
    for entry, item in _types(form, node):
        key = TypeKey(entry.category, entry.type_id)
        earlier = first.setdefault(key, item.place)
        if earlier is not item.place:
            yield Diagnostic(
                DiagnosticCode.TYPE_DUPLICATE,
                f"{key} is already listed in `types` of {name} at line {earlier.line}",
                item.place,
                hint="keep one of the two",
                related=earlier,
            )


def _limits(form: DirectionForm, node: Node) -> Iterator[DesiredLimit]:
    """The limits of a direction, the object limit first."""
    if not isinstance(node, Mapping):
        return
    if form.max is not None:
        category = form.max.category if isinstance(form.max, LimitForm) else None
        yield _limit(Unlabelled(category), form.max, *node.entries["max"])
    labels = child(node, "labels") if form.labels else None
    if isinstance(labels, Mapping):
        for text, limit in form.labels.items():
            category = limit.category if isinstance(limit, LimitForm) else None
            yield _limit(Label(text, category), limit, *labels.entries[text])
    for entry, item in _types(form, node) if form.types else ():
        named = child(item, "type_id") or item
        yield _limit(ByTypeId(TypeKey(entry.category, entry.type_id)), entry, named, item)


def _limit(
    selector: Selector, form: LimitForm | TypeForm | int | str, name: Node, value: Node
) -> DesiredLimit:
    """Its place is that of the number: in the mapping form, behind its `max`."""
    if isinstance(form, (int, str)):
        maximum = None if isinstance(form, str) else form
        return DesiredLimit(selector, maximum, value.place, name_place=name.place)
    maximum = form.max if isinstance(form.max, int) else None
    at = (child(value, "max") or value).place
    return DesiredLimit(selector, maximum, at, form.protect, form.reason or None, name.place)


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


def _reference(text: str) -> ObjectReference:
    named = canonical(text)
    if not isinstance(named, InvalidName):
        return named
    raise ValueError(f"not validated: {text}")


def _near_standard(direction: DesiredDirection) -> Iterator[Diagnostic]:
    """Names that may be misspelt: without a portal nobody knows its custom objects."""
    for reference, at in direction.sides:
        if isinstance(reference, CustomName) and reference.near is not None:
            yield Diagnostic(
                DiagnosticCode.OBJECT_TYPE_NEAR_STANDARD,
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
