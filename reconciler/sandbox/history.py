"""Every single change of a limit, so that a test can see whether HubSpot's rule ever broke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .portal import Associations, Direction, TypeKey


class Origin(StrEnum):
    """Where a change came from."""

    REQUEST = "request"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class Step:
    """One limit changed, and the state of its direction right after.

    `breaks_rule`: a label limit stands above the object limit. Equality does not count, since
    HubSpot's changelog contradicts itself on it. `limits` is what the direction had afterwards.
    """

    direction: Direction
    key: TypeKey
    before: int | None
    after: int | None
    limits: Mapping[TypeKey, int]
    breaks_rule: bool
    origin: Origin

    @classmethod
    def between(
        cls,
        direction: Direction,
        key: TypeKey,
        before: Associations,
        after: Associations,
        origin: Origin,
    ) -> Step:
        return cls(
            direction=direction,
            key=key,
            before=before.limits.get(key),
            after=after.limits.get(key),
            limits=after.limits,
            breaks_rule=after.breaks_rule,
            origin=origin,
        )
