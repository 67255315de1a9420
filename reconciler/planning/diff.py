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
    on_both_sides = [key for key in differing if key in before and key in after]
    changed = {each.key: each for each in _explained(on_both_sides, before, after)}
    return tuple(
        changed.get(key) or Difference(key, before.get(key), after.get(key)) for key in differing
    )


def _explained(
    keys: list[Key], before: Mapping[Key, int], after: Mapping[Key, int]
) -> Iterator[Difference[Key]]:
    """What DeepDiff makes of values that differ; a key on one side only explains itself."""
    if not keys:
        return
    from deepdiff import DeepDiff  # 0.3 s to import, and most plans change no value

    names = {str(index): key for index, key in enumerate(keys)}
    tree = DeepDiff(
        {name: before[key] for name, key in names.items()},
        {name: after[key] for name, key in names.items()},
        view="tree",
        threshold_to_diff_deeper=0,
    )
    for level in (found for kind in tree.values() for found in kind):
        yield Difference(names[level.path(output_format="list")[-1]], level.t1, level.t2)
