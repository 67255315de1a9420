"""What the configuration said at a commit: limits where it can be read, words where it cannot."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.config.git import Base
from reconciler.config.loading import Configuration, File, parse
from reconciler.config.source import Source
from reconciler.errors import ConfigurationInvalid, Diagnostic, Severity
from reconciler.model.limits import ConfigFile, Desired, DesiredDirection, ObjectReference

Pair = tuple[ObjectReference, ObjectReference]

_MOST_PROBLEMS = 5
_CONSEQUENCE = (
    "what cannot be read at the base says nothing: a direction that only it may have declared is "
    "compared with the portal alone, and not removed"
)


@dataclass(frozen=True, slots=True)
class Past:
    """The limits desired at a commit; `problems` say what of it cannot be read."""

    desired: Desired
    problems: tuple[str, ...] = ()


def parse_base(base: Base, portal: str = "", known: dict[Source, File] | None = None) -> Past:
    """The limits that a commit declares for a portal, by the overlays that it has there.

    A file that is invalid there says nothing, and neither does a direction that two files
    declare: the change that repairs them must be possible. `desired.complete` is False then.
    Where an overlay is invalid, nothing is known of any direction. `known` keeps the files that
    were read, for another commit that has mostly the same.
    """
    overlays = base.overlays_of(portal)
    configuration = Configuration(
        (*base.sources, *base.others), dict(base.overlays), prune=base.prune, known=known
    )
    above = {source.path for source in configuration.overlay_sources(overlays)}
    read = list(configuration.declared(overlays))
    invalid: dict[str, Diagnostic] = {}
    for each in read:
        for problem in each.problems:
            if problem.severity is Severity.ERROR:
                invalid.setdefault(each.path or problem.place.path, problem)
                if problem.place.path in above:
                    invalid.setdefault(problem.place.path, problem)
    unknown = any(path in above for path in invalid)
    directions = [
        direction
        for each in read
        if each.path not in invalid and not unknown
        for direction in each.directions
    ]
    twice = {pair for pair, count in Counter(map(pair_of, directions)).items() if count > 1}
    problems = [
        *base.problems,
        *(f"{base.ref}:{each.place}: {each.message}" for each in dict.fromkeys(invalid.values())),
        *_declared_twice(base.ref, directions, twice),
    ]
    files = tuple(
        ConfigFile(source.path, hashlib.sha256(source.content).hexdigest())
        for source in configuration.sources
        if source.path not in invalid
    )
    kept = tuple(each for each in directions if pair_of(each) not in twice)
    return Past(Desired(kept, files, complete=not problems), tuple(problems))


def without_others(base: Base, past: Desired, head: Desired, elsewhere: set[Pair]) -> Desired:
    """What a past configuration says of the paths given.

    A direction counts that head declares, to be compared, or that a file at those paths declared,
    to be removed; not one that head declares `elsewhere`, in files that were not named.
    """
    paths = {source.path for source in base.sources}
    if not base.partial:
        paths |= {source.path for _, layer in base.overlays for source in layer}
    declared = {pair_of(each) for each in head.directions}
    kept = tuple(
        each
        for each in past.directions
        if (pair := pair_of(each)) in declared
        or (each.place.path in paths and pair not in elsewhere)
    )
    return replace(past, directions=kept)


def pair_of(direction: DesiredDirection) -> Pair:
    """The object types of a direction, as a file names them."""
    return (direction.from_, direction.to)


def directions_of(sources: Sequence[Source]) -> Iterator[DesiredDirection]:
    """The directions of those files that are valid by themselves."""
    for source in sources:
        try:
            yield from parse([source], prune=True).desired.directions
        except ConfigurationInvalid:
            continue


def in_words(problems: Sequence[str]) -> tuple[str, ...]:
    """The first few problems of a past configuration as warnings, and what follows from them."""
    if not problems:
        return ()
    rest = len(problems) - _MOST_PROBLEMS
    more = (f"{rest} more problems at the base",) if rest > 0 else ()
    return (
        *(f"not readable at the base: {problem}" for problem in problems[:_MOST_PROBLEMS]),
        *more,
        _CONSEQUENCE,
    )


def _declared_twice(
    ref: str, directions: Iterable[DesiredDirection], twice: set[Pair]
) -> Iterator[str]:
    for each in directions:
        if pair_of(each) in twice:
            yield f"{ref}:{each.place}: {each} is declared more than once"
