"""What the configuration said at a commit: limits where it can be read, words where it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.config.git import Base
from reconciler.config.loading import parse
from reconciler.config.source import Source
from reconciler.errors import ConfigurationInvalid
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


Parsed = dict[tuple[Source, bool], "Desired | str"]
"""What files say, or what is wrong with them, by the file and what it prunes by default."""


def parse_base(base: Base, parsed: Parsed | None = None) -> Past:
    """The limits desired at a commit.

    A file that is invalid there says nothing, and neither does a direction that two files
    declare: the change that repairs them must be possible. `desired.complete` is False then.
    `parsed` keeps what was parsed, for another commit that has mostly the same files.
    """
    parsed = {} if parsed is None else parsed
    sources = (*base.sources, *base.others)
    problems = [f"{problem}" for problem in base.problems]
    directions: list[DesiredDirection] = []
    files: list[ConfigFile] = []
    for source in sources:
        key = (source, base.prune)
        if key not in parsed:
            parsed[key] = _parse(source, prune=base.prune)
        match parsed[key]:
            case str(words):
                problems.append(f"{base.ref}:{words}")
            case Desired() as read:
                directions += read.directions
                files += read.files
    twice = {pair for pair, count in Counter(map(pair_of, directions)).items() if count > 1}
    problems += _declared_twice(base.ref, directions, twice)
    kept = tuple(each for each in directions if pair_of(each) not in twice)
    desired = Desired(kept, tuple(files), complete=not problems)
    return Past(desired, tuple(problems))


def without_others(base: Base, past: Desired, head: Desired, elsewhere: set[Pair]) -> Desired:
    """What a past configuration says of the paths given.

    A direction counts that head declares, to be compared, or that a file at those paths declared,
    to be removed; not one that head declares `elsewhere`, in files that were not named.
    """
    paths = {source.path for source in base.sources}
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


def _parse(source: Source, *, prune: bool) -> Desired | str:
    """What a file says, or the first thing that is wrong with it."""
    try:
        return parse([source], prune=prune).desired
    except ConfigurationInvalid as error:
        first = error.diagnostics[0]
        return f"{first.place}: {first.message}"


def _declared_twice(
    ref: str, directions: Iterable[DesiredDirection], twice: set[Pair]
) -> Iterator[str]:
    for each in directions:
        if pair_of(each) in twice:
            yield f"{ref}:{each.place}: {each} is declared more than once"
