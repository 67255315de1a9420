"""What differs between two states of limits, found by key and explained by DeepDiff."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Difference(Generic[Key]):
    """One key whose values differ; None: it has no value on that side."""

    key: Key
    before: int | None
    after: int | None


def differences(before: Mapping[Key, int], after: Mapping[Key, int]) -> tuple[Difference[Key], ...]:
    """The keys whose values differ, in the order of `before`, then of `after`.

    Equal entries never reach DeepDiff: over 10,000 of them it takes more than a second, the
    set difference five milliseconds.
    """
    differing = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    if not differing:
        return ()
    found = {each.key: each for each in _explained(differing, before, after)}
    return tuple(found[key] for key in differing)


def _explained(
    differing: list[Key], before: Mapping[Key, int], after: Mapping[Key, int]
) -> Iterator[Difference[Key]]:
    from deepdiff import DeepDiff  # 0.3 s to import, and most plans differ in nothing

    names = {str(index): key for index, key in enumerate(differing)}
    tree = DeepDiff(
        {name: before[key] for name, key in names.items() if key in before},
        {name: after[key] for name, key in names.items() if key in after},
        view="tree",
        threshold_to_diff_deeper=0,
    )
    for level in (found for kind in tree.values() for found in kind):
        key = names[level.path(output_format="list")[-1]]
        yield Difference(
            key,
            level.t1 if key in before else None,
            level.t2 if key in after else None,
        )
