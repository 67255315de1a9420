"""Tell drift from intent: three values per limit say who moved it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model import Origin


@dataclass(frozen=True, slots=True)
class Declared:
    """What the configuration says of a limit; None: unlimited, or removed by not naming it."""

    max: int | None


def origin(base: Declared | None, head: Declared, observed: int | None) -> Origin:
    """Who moved a limit whose observed value differs from the head's.

    `base` None: the base says nothing of this limit, so this branch is the first to.
    """
    if base is None or base.max == observed:
        return Origin.CONFIG
    return Origin.DRIFT if base.max == head.max else Origin.CONFLICT
