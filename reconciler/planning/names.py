"""What the names in the files mean in a portal: object types get their IDs, limits their types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.errors import ConfigurationInvalid, Diagnostic, DiagnosticCode
from reconciler.model.limits import (
    AssociationType,
    ByTypeId,
    CustomName,
    CustomObject,
    DesiredDirection,
    DesiredLimit,
    Direction,
    Label,
    ObjectReference,
    ObjectType,
    ObservedDirection,
    Place,
    ResolvedDirection,
    Selector,
    TypeKey,
    Unlabelled,
)
from reconciler.spelling import HINTS, difference, escaped, nearest, same_but_spelling

# ---------------------------------------------------------------- object types and their IDs


def names_custom_objects(directions: Iterable[DesiredDirection]) -> bool:
    """Whether the portal's object schemas are needed to know what these directions mean.

    They are for a custom object's name, and for a standard name that custom objects often have.
    """
    return any(
        isinstance(side, CustomName) or side.often_custom
        for each in directions
        for side in (each.from_, each.to)
    )


def shared_names(directions: Iterable[DesiredDirection]) -> str:
    """The IDs to write for the standard names that custom objects often have, in words.

    Empty where a custom object is named too: no ID in the files can replace reading the schemas.
    """
    sides = {side for each in directions for side in (each.from_, each.to)}
    shared = [side for side in sides if isinstance(side, ObjectType) and side.often_custom]
    if any(isinstance(side, CustomName) for side in sides):
        return ""
    return ", ".join(f"{each.id} for {each}" for each in sorted(shared))


@dataclass(frozen=True, slots=True)
class Resolution:
    """Directions with their IDs, and why the others have none."""

    directions: tuple[ResolvedDirection, ...]
    diagnostics: tuple[Diagnostic, ...]


def resolve_directions(
    directions: Sequence[DesiredDirection], custom_objects: Sequence[CustomObject] = ()
) -> tuple[ResolvedDirection, ...]:
    """Give every object type its ID; raise ConfigurationInvalid where that cannot be done."""
    resolution = try_resolve(directions, custom_objects)
    if resolution.diagnostics:
        raise ConfigurationInvalid(resolution.diagnostics)
    return resolution.directions


def try_resolve(
    directions: Sequence[DesiredDirection], custom_objects: Sequence[CustomObject] = ()
) -> Resolution:
    """Resolve what can be resolved, and say why the rest cannot."""
    catalogue = _Catalogue(custom_objects, directions)
    resolved: dict[tuple[str, str], ResolvedDirection] = {}
    diagnostics: list[Diagnostic] = []
    unknown: dict[tuple[ObjectReference, Place], None] = {}
    for declared in directions:
        from_, to = catalogue.find(declared.from_), catalogue.find(declared.to)
        if from_ is None or to is None:
            known = (from_, to)
            unknown |= {
                side: None for side, id_ in zip(declared.sides, known, strict=True) if not id_
            }
            continue
        direction = Direction(from_, to)
        new = ResolvedDirection(direction, declared.limits, declared.prune, declared.place)
        first = resolved.setdefault(direction.key, new)
        if first is not new:
            diagnostics.append(_declared_twice(first, new))
    diagnostics += [
        catalogue.unresolved(reference, at, search=number < HINTS)
        for number, (reference, at) in enumerate(unknown)
    ]
    return Resolution(tuple(resolved.values()), tuple(diagnostics))


def _declared_twice(first: ResolvedDirection, second: ResolvedDirection) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.DIRECTION_DUPLICATE,
        f"{second.direction} is declared twice: here and at {first.place}",
        second.place,
        hint="keep one of the two: a direction is declared once",
        related=first.place,
    )


class _Catalogue:
    """The custom objects of a portal by name and ID, beside the standard types of the files."""

    def __init__(
        self, custom_objects: Sequence[CustomObject], directions: Sequence[DesiredDirection]
    ) -> None:
        self._by_id = {each.id: each for each in custom_objects}
        self._by_name: dict[str, tuple[CustomObject, ...]] = {}
        for each in custom_objects:
            for name in {each.name.casefold(), each.fully_qualified_name.casefold()}:
                self._by_name[name] = (*self._by_name.get(name, ()), each)
        sides = [side for each in directions for side in (each.from_, each.to)]
        standard = {side.name for side in sides if isinstance(side, ObjectType)}
        self._standard_names = standard - self._by_id.keys()

    def find(self, reference: ObjectReference) -> ObjectType | None:
        """The one type that is meant; None where there is none, or several."""
        if isinstance(reference, CustomName):
            found = self._by_name.get(reference.name.casefold(), ())
            return self._shown(found[0]) if len(found) == 1 else None
        if any(name in self._by_name for name in reference.names):
            return None
        custom = self._by_id.get(reference.id)
        return self._shown(custom) if custom else ObjectType(reference.id, reference.name)

    def _shown(self, custom: CustomObject) -> ObjectType:
        """By its name, unless a standard type of these files is shown by the same one."""
        same = custom.name in self._standard_names
        return ObjectType(custom.id, custom.fully_qualified_name if same else custom.name)

    def unresolved(self, reference: ObjectReference, at: Place, *, search: bool) -> Diagnostic:
        """Why a reference has no ID; `search`: whether the nearest names are looked for."""
        if isinstance(reference, ObjectType):
            return self._shared(reference, at)
        found = self._by_name.get(reference.name.casefold(), ())
        if found:
            ids = ", ".join(sorted(each.id for each in found))
            return Diagnostic(
                DiagnosticCode.OBJECT_TYPE_AMBIGUOUS,
                f'"{reference}" names several custom objects of this portal',
                at,
                hint=f"write the object type ID, one of {ids}",
            )
        return Diagnostic(
            DiagnosticCode.OBJECT_TYPE_UNKNOWN,
            f'unknown object type "{reference}": it is not a standard name, and this portal has no '
            "custom object of that name",
            at,
            hint=self._hint(reference) if search else None,
        )

    def _shared(self, standard: ObjectType, at: Place) -> Diagnostic:
        """A standard name that custom objects of the portal have too."""
        found = {each.id: each for name in standard.names for each in self._by_name.get(name, ())}
        customs = " or ".join(f"{found[id_].name} ({id_})" for id_ in sorted(found))
        return Diagnostic(
            DiagnosticCode.OBJECT_TYPE_AMBIGUOUS,
            f'"{standard}" could mean HubSpot\'s {standard} ({standard.id}) or the custom '
            f"object {customs} of this portal",
            at,
            hint=f"write the object type ID: {' or '.join([standard.id, *sorted(found)])}",
        )

    def _hint(self, name: CustomName) -> str:
        """The standard names and custom objects that may be meant, or all there are."""
        names = {each: found[0].name for each, found in self._by_name.items()}
        if name.near is not None:
            names[name.near] = name.near
        near = nearest(name.name, names, most=3)
        if meant := dict.fromkeys(names[each] for each in (*near, *filter(None, [name.near]))):
            return f"did you mean {' or '.join(meant)}?"
        every = ", ".join(sorted(each.name for each in self._by_id.values())[:10])
        return (
            f"the portal's custom objects are {every}"
            if every
            else ("this portal has no custom objects")
        )


# ---------------------------------------------------------------- limits and their types


def needs_labels(declared: ResolvedDirection, observed: ObservedDirection) -> bool:
    """Whether the rows of a direction's configurations leave open what the file means.

    A row that leaves its label out needs the labels: it is not the unlabelled type. So does a
    number for a type that no row names. `unlimited` for such a type asks for what is already so,
    unless a limit is in force that the file does not name: then the file may have misspelt just
    that one.
    """
    if observed.nameless:
        return True
    types = Types(observed)
    meant = [(limit, types.meant_by(limit.selector)) for limit in declared.limits]
    if any(limit.max is not None and not found for limit, found in meant):
        return True
    named = {type_.key for _, found in meant for type_ in found}
    open_names = [
        limit for limit, found in meant if not found and not isinstance(limit.selector, Unlabelled)
    ]
    return bool(open_names) and not observed.values().keys() <= named


class Types:
    """The association types that a direction's answers name, to be found by label or by key."""

    def __init__(self, observed: ObservedDirection) -> None:
        self.by_key = observed.types()
        self.by_label: dict[str | None, list[AssociationType]] = {}
        for type_ in self.by_key.values():
            self.by_label.setdefault(type_.label, []).append(type_)

    def meant_by(self, selector: Selector) -> list[AssociationType]:
        """The types that a selector names: one, unless it is unknown or ambiguous."""
        match selector:
            case Label(label, category):
                found = self.by_label.get(label, [])
            case Unlabelled(category):
                found = self.by_label.get(None, [])
            case ByTypeId(key):
                return [self.by_key[key]] if key in self.by_key else []
            case _:
                assert_never(selector)
        return [each for each in found if each.key.category is category] if category else found


@dataclass(frozen=True, slots=True)
class NamedTypes:
    """The types that a direction's limits mean, and what is wrong with the others.

    `astray`: limits whose type the portal does not have. That is a mistake in the file, or the
    type was renamed or deleted in HubSpot.
    """

    limits: dict[TypeKey, DesiredLimit]
    diagnostics: tuple[Diagnostic, ...] = ()
    astray: tuple[tuple[DesiredLimit, Diagnostic], ...] = ()


def name_types(
    declared: ResolvedDirection, observed: ObservedDirection, *, hints: int = HINTS
) -> NamedTypes:
    """Find the one type that each limit of the direction means.

    A limit whose type the portal does not have is a diagnostic when the labels were read. When
    they were not needed, such a limit is `unlimited` and there is nothing to remove. A limit of a
    type whose row is not known is left out: nobody can say from what it would be changed. The
    nearest label is looked for in the first `hints` diagnostics.
    """
    types, untouchable = Types(observed), observed.untouchable
    limits: dict[TypeKey, DesiredLimit] = {}
    diagnostics: list[Diagnostic] = []
    astray: list[tuple[DesiredLimit, Diagnostic]] = []
    for limit in declared.limits:
        match types.meant_by(limit.selector):
            case [type_] if type_.key in untouchable:
                continue
            case [type_] if type_.key in limits:
                first = limits[type_.key]
                diagnostics.append(_named_twice(declared.direction, type_, first, limit))
            case [type_]:
                limits[type_.key] = limit
            case []:
                if observed.labels is not None and _must_exist(limit, untouchable):
                    search = len(diagnostics) + len(astray) < hints
                    found = _unknown(declared.direction, limit, types, search=search)
                    astray.append((limit, _with_unknown_rows(found, observed)))
            case candidates:
                diagnostics.append(_ambiguous(declared.direction, limit, candidates))
    return NamedTypes(limits, tuple(diagnostics), tuple(astray))


def _must_exist(limit: DesiredLimit, untouchable: frozenset[TypeKey]) -> bool:
    """Whether something is wrong if the portal does not have the type of a limit."""
    match limit.selector:
        case Unlabelled():
            return limit.max is not None
        case ByTypeId(key):
            return key not in untouchable
        case _:
            return True


def _named_twice(
    direction: Direction, type_: AssociationType, first: DesiredLimit, second: DesiredLimit
) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.LIMIT_DUPLICATE,
        f'the limit of "{type_}" ({type_.key}) of {direction} is declared twice: '
        f"here and at {first.named_at}",
        second.named_at,
        hint="keep one of the two",
        related=first.named_at,
    )


def _ambiguous(
    direction: Direction, limit: DesiredLimit, candidates: Sequence[AssociationType]
) -> Diagnostic:
    keys = sorted(each.key for each in candidates)
    categories = sorted({each.category for each in keys})
    return Diagnostic(
        DiagnosticCode.LABEL_AMBIGUOUS,
        f"{_described(limit.selector)} of {direction} could mean {' and '.join(map(str, keys))}",
        limit.named_at,
        hint=f"distinguish them by `category`, one of {', '.join(categories)}"
        if len(categories) == len(keys)
        else "name it under `types` by category and type ID",
    )


def _unknown(
    direction: Direction, limit: DesiredLimit, types: Types, *, search: bool
) -> Diagnostic:
    """`search`: whether the nearest labels are looked for, which takes a while."""
    selector = limit.selector
    match selector:
        case Label():
            return _unknown_label(direction, limit, selector, types, search=search)
        case Unlabelled():
            code = DiagnosticCode.OBJECT_LIMIT_UNAVAILABLE
            hint = "HubSpot lists no unlabelled type here"
        case ByTypeId():
            code = DiagnosticCode.TYPE_UNKNOWN
            known = ", ".join(f"{key} ({types.by_key[key]})" for key in sorted(types.by_key)[:8])
            hint = f"it has {known}" if known else "it has none"
        case _:
            assert_never(selector)
    message = f"{direction} has no {_described(selector)} in this portal"
    return Diagnostic(code, message, limit.named_at, hint=hint)


_WHERE = ("the file", "HubSpot")


def _unknown_label(
    direction: Direction, limit: DesiredLimit, label: Label, types: Types, *, search: bool
) -> Diagnostic:
    text, labels = label.text, sorted(each for each in types.by_label if each is not None)
    code = DiagnosticCode.LABEL_UNKNOWN
    message = f'{direction} has no label "{text}" in this portal'
    hint = None
    if others := types.by_label.get(text):
        code = DiagnosticCode.LABEL_CATEGORY_UNKNOWN
        message = f'label "{text}" of {direction} is not {label.category} in this portal'
        hint = f"its category is {' or '.join(sorted({each.key.category for each in others}))}"
    elif search and (same := same_but_spelling(text, labels)):
        code = DiagnosticCode.LABEL_SPELLING
        words = difference(text, same, where=_WHERE)
        message = f'label "{text}" of {direction} is written differently in HubSpot: {words}'
        written = f'"{same}"' if same.isascii() else f"{escaped(same)} in double quotes"
        hint = f"write {written}: labels match exactly as HubSpot shows them"
    elif search:
        hint = _nearest_labels(text, labels)
    return Diagnostic(code, message, limit.named_at, hint=hint)


def _nearest_labels(text: str, labels: Sequence[str]) -> str:
    near = nearest(text, labels, most=3, cutoff=0.5)
    shown = " or ".join(f'"{label}"' for label in near or labels[:5])
    if not near:
        return f"it has {shown}" if shown else "it has none"
    hint = f"did you mean {shown}?"
    alike = len(text) == len(near[0]) and text.isascii() != near[0].isascii()
    return f"{hint} {difference(text, near[0], where=_WHERE)}" if alike else hint


def _with_unknown_rows(diagnostic: Diagnostic, observed: ObservedDirection) -> Diagnostic:
    """A row that is not understood may be what the file means."""
    if not observed.unknown:
        return diagnostic
    first, *more = observed.unknown
    shown = f"{first}, and {len(more)} more" if more else str(first)
    return replace(diagnostic, hint=f"{diagnostic.hint}; {shown}" if diagnostic.hint else shown)


def _described(selector: Selector) -> str:
    match selector:
        case Unlabelled(category):
            name = "object limit (unlabelled type)"
        case Label(text, category):
            name = f'label "{text}"'
        case ByTypeId(key):
            return f"type {key}"
        case _:
            assert_never(selector)
    return f"{name} of category {category}" if category else name
