"""What differs between two plans of one portal, as values: the earlier one and the one made now."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.plan import Change, Plan, Refusal


@dataclass(frozen=True, slots=True)
class Outline:
    """What of a plan is compared with another one: destination, changes and refusals.

    Times, paths, commits and wording are left out, as they are under no digest.
    """

    portal_id: int
    api_version: str
    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]

    @classmethod
    def of(cls, plan: Plan) -> Outline:
        """The outline of a complete plan."""
        return cls(plan.portal.portal_id, plan.portal.api_version, plan.changes, plan.refusals)


@dataclass(frozen=True, slots=True)
class Revision:
    """A limit that both plans change, and not in the same way."""

    was: Change
    now: Change


@dataclass(frozen=True, slots=True)
class Since:
    """What differs from an earlier plan. `portal_id`, `api_version`: then and now, None: equal.

    `revised` have another value or protection, `moved` only another origin.
    """

    portal_id: tuple[int, int] | None = None
    api_version: tuple[str, str] | None = None
    added: tuple[Change, ...] = ()
    gone: tuple[Change, ...] = ()
    revised: tuple[Revision, ...] = ()
    moved: tuple[Revision, ...] = ()
    refused: tuple[Refusal, ...] = ()
    no_longer_refused: tuple[Refusal, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs that a reviewer has to know."""
        return self == Since()
