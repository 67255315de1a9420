"""Give the object types of declared directions their IDs, and find what is declared twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.errors import ConfigurationInvalid, Diagnostic
from reconciler.model import (
    CustomName,
    CustomObject,
    DesiredDirection,
    Direction,
    ObjectReference,
    ObjectType,
    ResolvedDirection,
)


def names_custom_objects(directions: Iterable[DesiredDirection]) -> bool:
    """Whether the portal's object schemas are needed to know what these directions mean."""
    return any(
        isinstance(side, CustomName) for each in directions for side in (each.from_, each.to)
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
    catalogue = _Catalogue.of(custom_objects)
    resolved: dict[tuple[str, str], ResolvedDirection] = {}
    diagnostics: list[Diagnostic] = []
    for declared in directions:
        sides = [catalogue.find(side) for side in (declared.from_, declared.to)]
        from_, to = sides
        if from_ is None or to is None:
            diagnostics += [
                catalogue.unknown(reference, declared)
                for reference, found in zip((declared.from_, declared.to), sides, strict=True)
                if found is None
            ]
            continue
        direction = Direction(from_, to)
        first = resolved.get(direction.key)
        if first is not None:
            diagnostics.append(_twice(direction, first, declared))
            continue
        resolved[direction.key] = ResolvedDirection(
            direction, declared.limits, declared.prune, declared.place
        )
    return Resolution(tuple(resolved.values()), tuple(diagnostics))


@dataclass(frozen=True, slots=True)
class _Catalogue:
    by_name: Mapping[str, tuple[CustomObject, ...]]
    by_id: Mapping[str, CustomObject]

    @classmethod
    def of(cls, custom_objects: Sequence[CustomObject]) -> _Catalogue:
        by_name: dict[str, tuple[CustomObject, ...]] = {}
        for each in custom_objects:
            for name in {each.name.casefold(), each.fully_qualified_name.casefold()}:
                by_name[name] = (*by_name.get(name, ()), each)
        return cls(by_name, {each.id: each for each in custom_objects})

    def find(self, reference: ObjectReference) -> ObjectType | None:
        match reference:
            case ObjectType():
                known = self.by_id.get(reference.id)
                return reference if known is None else ObjectType(known.id, known.name)
            case CustomName(name):
                found = self.by_name.get(name.casefold(), ())
                return ObjectType(found[0].id, found[0].name) if len(found) == 1 else None

    def unknown(self, reference: ObjectReference, declared: DesiredDirection) -> Diagnostic:
        found = self.by_name.get(str(reference).casefold(), ())
        if len(found) > 1:
            ids = ", ".join(sorted(each.id for each in found))
            return Diagnostic(
                "object-type-ambiguous",
                f'"{reference}" names several custom objects of this portal',
                declared.place,
                hint=f"write the object type ID, one of {ids}",
            )
        near = get_close_matches(str(reference).casefold(), self.by_name, n=3, cutoff=0.6)
        names = sorted({each.name for name in near for each in self.by_name[name]})
        return Diagnostic(
            "object-type-unknown",
            f'"{reference}" is no standard object type, and this portal has no custom object '
            "of that name",
            declared.place,
            hint=f"did you mean {' or '.join(names)}?" if names else self._all_names(),
        )

    def _all_names(self) -> str:
        names = sorted(each.name for each in self.by_id.values())
        if not names:
            return "this portal has no custom objects"
        return f"the portal's custom objects are {', '.join(names[:10])}"


def _twice(direction: Direction, first: ResolvedDirection, second: DesiredDirection) -> Diagnostic:
    return Diagnostic(
        "direction-duplicate",
        f"{direction} is declared twice: here and at {first.place}",
        second.place,
        hint="keep one of the two: a declared direction is the whole truth of that direction",
        related=first.place,
    )
