"""What a plan is held against before the first write: the portal, the thresholds, the files.

A plan file may have passed through many hands. What it says of protection and of the portal is
judged again: by the thresholds of the workspace at hand, by the pair files at hand, by those of
the base where one is given, and by what the portal shows now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from reconciler.applying.reading import never
from reconciler.applying.staleness import Settling, check_portal, confirm_fresh
from reconciler.hubspot.portal import Portal
from reconciler.model.limits import (
    Desired,
    DesiredDirection,
    Direction,
    Observed,
    ObservedDirection,
    ResolvedDirection,
    Safety,
)
from reconciler.model.plan import Plan
from reconciler.planning.names import names_custom_objects, needs_labels, try_resolve
from reconciler.planning.safety import (
    check_safe,
    judge,
    named_limits,
    too_many_deletes_possible,
)


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What may be done, and what the configuration at hand protects.

    `files` and `base` None: not at hand. `force` overrides thresholds and nothing else.
    """

    safety: Safety = field(default_factory=Safety)
    force: bool = False
    files: Desired | None = None
    base: Desired | None = None


def check(plan: Plan, portal: Portal, safeguards: Safeguards, settling: Settling) -> None:
    """Read the portal and raise PlanRefused unless the plan fits it and is safe. Writes nothing.

    Raises PortalUnavailable where its reads do not agree on whether the plan is stale.
    """
    check_stated(plan, safeguards)
    account = portal.account()
    check_portal(plan, account)
    if not plan.changes:
        return
    declared = _Declared(portal, safeguards)
    changed = [changes[0].direction for changes in plan.by_direction.values()]
    read = partial(portal.read_all, needs_labels=declared.needs_labels)
    observed = confirm_fresh(plan, Observed(account, read(changed)), read, settling)
    head, base = declared.protecting
    check_safe(
        judge(
            plan,
            safeguards.safety,
            observed=_count(plan, observed, declared, safeguards.safety),
            named=named_limits(plan.changes, observed, head=head, base=base),
            force=safeguards.force,
        )
    )


def check_stated(plan: Plan, safeguards: Safeguards) -> None:
    """Raise PlanRefused for what the plan itself gives away, before anything is sent."""
    check_safe(judge(plan, safeguards.safety, observed=0, force=safeguards.force))


def _count(plan: Plan, observed: Observed, declared: _Declared, safety: Safety) -> int:
    """How many limits the portal has in the declared directions, read where it matters.

    Without files at hand those are the directions that the plan changes.
    """
    if not too_many_deletes_possible(plan.changes, observed.limits, safety):
        return observed.limits
    rest = declared.others(observed)
    return observed.limits + Observed(observed.account, rest).limits


_ByKey = dict[tuple[str, str], ResolvedDirection]


@dataclass(frozen=True)
class _Declared:
    """The directions that the files at hand and the base declare, once they are needed."""

    portal: Portal
    safeguards: Safeguards

    @property
    def protecting(self) -> tuple[_ByKey, _ByKey]:
        """Head and base; neither is resolved where no limit is protected."""
        directions = (*self._head, *self._base)
        if any(limit.protect for each in directions for limit in each.limits):
            return self._resolved
        return {}, {}

    def needs_labels(self, seen: ObservedDirection) -> bool:
        """Whether the labels are needed to know which types the protected limits mean."""
        sides = [side.get(seen.direction.key) for side in self.protecting]
        return any(each is not None and needs_labels(each, seen) for each in sides)

    def others(self, observed: Observed) -> tuple[ObservedDirection, ...]:
        """Read the declared directions that were not read yet."""
        head, base = self._resolved
        known: dict[tuple[str, str], Direction] = {
            key: each.direction for key, each in {**base, **head}.items()
        }
        rest = [each for key, each in known.items() if key not in observed.by_key]
        return self.portal.read_all(rest, needs_labels=never)

    @property
    def _head(self) -> Sequence[DesiredDirection]:
        return () if self.safeguards.files is None else self.safeguards.files.directions

    @property
    def _base(self) -> Sequence[DesiredDirection]:
        return () if self.safeguards.base is None else self.safeguards.base.directions

    @cached_property
    def _resolved(self) -> tuple[_ByKey, _ByKey]:
        named = names_custom_objects((*self._head, *self._base))
        custom = self.portal.custom_objects() if named else ()
        head, base = (try_resolve(each, custom).directions for each in (self._head, self._base))
        return {e.direction.key: e for e in head}, {e.direction.key: e for e in base}
