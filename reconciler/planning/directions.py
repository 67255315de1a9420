"""Give the object types of declared directions their IDs, and find what is declared twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import ConfigurationInvalid, Diagnostic, DiagnosticCode
from reconciler.model.limits import (
    CustomName,
    CustomObject,
    Desired,
    DesiredDirection,
    Direction,
    ObjectReference,
    ObjectType,
    Past,
    Place,
    ResolvedDirection,
    Vanished,
)
from reconciler.spelling import HINTS, nearest


def names_custom_objects(directions: Iterable[DesiredDirection]) -> bool:
    """Whether the portal's object schemas are needed to know what these directions mean.

    They are for a custom object's name, and for a standard name that custom objects often have.
    """
    return any(_may_be_custom(side) for each in directions for side in (each.from_, each.to))


def _may_be_custom(side: ObjectReference) -> bool:
    return isinstance(side, CustomName) or side.often_custom


def shared_names(directions: Iterable[DesiredDirection]) -> tuple[ObjectType, ...]:
    """The standard types that directions name, where custom objects often have that name.

    None where a custom object is named too, which no ID in the file can make superfluous.
    """
    sides = [side for each in directions for side in (each.from_, each.to)]
    if any(isinstance(side, CustomName) for side in sides):
        return ()
    return tuple(
        sorted({side for side in sides if isinstance(side, ObjectType) and side.often_custom})
    )


@dataclass(frozen=True, slots=True)
class Resolution:
    """Directions with their IDs, and what stands in the way of the others."""

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
    """Resolve what can be resolved and say what cannot."""
    catalogue = _Catalogue.of(custom_objects, directions)
    resolved: dict[tuple[str, str], ResolvedDirection] = {}
    diagnostics: list[Diagnostic] = []
    unknown: dict[tuple[ObjectReference, Place], None] = {}
    for declared in directions:
        found = [catalogue.find(reference) for reference, _ in declared.sides]
        from_, to = found
        if from_ is None or to is None:
            unknown |= {
                (side, at): None
                for (side, at), known in zip(declared.sides, found, strict=True)
                if known is None
            }
            continue
        direction = Direction(from_, to)
        first = resolved.get(direction.key)
        if first is not None:
            diagnostics.append(_twice(direction, first, declared))
            continue
        resolved[direction.key] = ResolvedDirection(
            direction, declared.limits, declared.prune, declared.place
        )
    diagnostics += [
        catalogue.unresolved(reference, at, search=number < HINTS)
        for number, (reference, at) in enumerate(unknown)
    ]
    return Resolution(tuple(resolved.values()), tuple(diagnostics))


def resolve_past(past: Desired, head: Desired, custom_objects: Sequence[CustomObject]) -> Past:
    """A past configuration with its IDs.

    What has no ID in this portal any more says nothing, and makes it incomplete, unless the head
    names it, too: then it is known which direction is meant.
    """
    resolution = try_resolve(past.directions, custom_objects)
    named_now = {(each.from_, each.to) for each in head.directions}
    unknown = any(
        (each.from_, each.to) not in named_now and try_resolve([each], custom_objects).diagnostics
        for each in (past.directions if resolution.diagnostics else ())
    )
    twice = any(each.code == DiagnosticCode.DIRECTION_DUPLICATE for each in resolution.diagnostics)
    return Past(resolution.directions, past.complete and not unknown and not twice)


def find_vanished(
    head: Desired, base: Desired, custom_objects: Sequence[CustomObject]
) -> tuple[tuple[DesiredDirection, Vanished], ...]:
    """The directions between object types that base and head name and the portal does not have.

    They were renamed or deleted in HubSpot: that is no mistake in the file.
    """
    if not try_resolve(head.directions, custom_objects).diagnostics:
        return ()
    named_before = {(each.from_, each.to) for each in base.directions}
    found = []
    for each in head.directions:
        problems = try_resolve([each], custom_objects).diagnostics
        unknown = problems and all(
            one.code == DiagnosticCode.OBJECT_TYPE_UNKNOWN for one in problems
        )
        if unknown and (each.from_, each.to) in named_before:
            found.append((each, vanished(each, problems[0], each.place)))
    return tuple(found)


def vanished(what: object, problem: Diagnostic, place: Place) -> Vanished:
    """In words: what is gone, that HubSpot is where it went, and what there is instead."""
    hint = f" ({problem.hint})" if problem.hint else ""
    return Vanished(
        f"drift: {problem.message}; the files have named it since the base, so it was renamed or "
        f"deleted in HubSpot{hint}. {what} is not compared",
        place,
    )


@dataclass(frozen=True, slots=True)
class _Catalogue:
    by_name: Mapping[str, tuple[CustomObject, ...]]
    by_id: Mapping[str, CustomObject]
    standard: frozenset[str] = frozenset()
    """Names of standard types that the files mean by ID or by name."""

    @classmethod
    def of(
        cls, custom_objects: Sequence[CustomObject], directions: Sequence[DesiredDirection]
    ) -> _Catalogue:
        by_name: dict[str, tuple[CustomObject, ...]] = {}
        for each in custom_objects:
            for name in {each.name.casefold(), each.fully_qualified_name.casefold()}:
                by_name[name] = (*by_name.get(name, ()), each)
        by_id = {each.id: each for each in custom_objects}
        sides = [side for each in directions for side in (each.from_, each.to)]
        standard = {side.name for side in sides if isinstance(side, ObjectType)}
        return cls(by_name, by_id, frozenset(standard - by_id.keys()))

    def find(self, reference: ObjectReference) -> ObjectType | None:
        match reference:
            case ObjectType():
                if self._namesakes(reference):
                    return None
                known = self.by_id.get(reference.id)
                plain = ObjectType(reference.id, reference.name)
                return plain if known is None else self._shown(known)
            case CustomName(name):
                found = self.by_name.get(name.casefold(), ())
                return self._shown(found[0]) if len(found) == 1 else None

    def _namesakes(self, standard: ObjectType) -> list[CustomObject]:
        """The custom objects that a standard name could mean as well."""
        found = {each.id: each for name in standard.names for each in self.by_name.get(name, ())}
        return [found[id_] for id_ in sorted(found)]

    def _shown(self, custom: CustomObject) -> ObjectType:
        """By its name, unless a standard type of these files is shown by the same one."""
        same = custom.name in self.standard
        return ObjectType(custom.id, custom.fully_qualified_name if same else custom.name)

    def unresolved(self, reference: ObjectReference, at: Place, *, search: bool) -> Diagnostic:
        """Why a reference has no ID; `search`: whether the nearest names are looked for."""
        if isinstance(reference, ObjectType):
            return self._shared(reference, at)
        return self._unknown(reference, at, self._hint(reference) if search else None)

    def _shared(self, reference: ObjectType, at: Place) -> Diagnostic:
        namesakes = self._namesakes(reference)
        customs = " or ".join(f"{each.name} ({each.id})" for each in namesakes)
        ids = " or ".join([reference.id, *(each.id for each in namesakes)])
        return Diagnostic(
            DiagnosticCode.OBJECT_TYPE_AMBIGUOUS,
            f'"{reference}" could mean HubSpot\'s {reference} ({reference.id}) or the custom '
            f"object {customs} of this portal",
            at,
            hint=f"write the object type ID: {ids}",
        )

    def _unknown(self, name: CustomName, at: Place, hint: str | None) -> Diagnostic:
        found = self.by_name.get(name.name.casefold(), ())
        if len(found) > 1:
            ids = ", ".join(sorted(each.id for each in found))
            return Diagnostic(
                DiagnosticCode.OBJECT_TYPE_AMBIGUOUS,
                f'"{name}" names several custom objects of this portal',
                at,
                hint=f"write the object type ID, one of {ids}",
            )
        return Diagnostic(
            DiagnosticCode.OBJECT_TYPE_UNKNOWN,
            f'unknown object type "{name}": it is not a standard name, and this portal has no '
            "custom object of that name",
            at,
            hint=hint,
        )

    def _hint(self, name: CustomName) -> str:
        """The standard names and custom objects that may be meant, or all there are."""
        names = {each: found[0].name for each, found in self.by_name.items()}
        if name.near is not None:
            names[name.near] = name.near
        near = nearest(name.name, names, most=3)
        meant = dict.fromkeys(names[each] for each in (*near, *filter(None, [name.near])))
        return f"did you mean {' or '.join(meant)}?" if meant else self._all_names()

    def _all_names(self) -> str:
        names = sorted(each.name for each in self.by_id.values())
        if not names:
            return "this portal has no custom objects"
        return f"the portal's custom objects are {', '.join(names[:10])}"


def _twice(direction: Direction, first: ResolvedDirection, second: DesiredDirection) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.DIRECTION_DUPLICATE,
        f"{direction} is declared twice: here and at {first.place}",
        second.place,
        hint="keep one of the two: a declared direction is the whole truth of that direction",
        related=first.place,
    )
