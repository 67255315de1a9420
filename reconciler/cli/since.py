"""What changed since earlier plans: found for the plans of a command, in words for each format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from reconciler.errors import UsageProblem
from reconciler.model.plan import Plan
from reconciler.model.since import Outline, Since
from reconciler.planning.pushes import Pushes
from reconciler.planning.since import since, since_json
from reconciler.report.escape import terminal
from reconciler.report.since import since_markdown, since_sentence, since_words

_NAMED = 10
"""Limits of a kind that are named where a plan is refused: nobody sees the plan that was reviewed."""

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Earlier:
    """The earlier plans of a command's plans, by the place of the later one among them."""

    plans: Sequence[Plan]
    earlier: Mapping[int, Plan]
    _found: dict[int, Since] = field(default_factory=dict)

    @classmethod
    def of(cls, plans: Sequence[Plan], given: Mapping[Path, Sequence[Plan]]) -> Earlier:
        """Find the plan of the same portal for each of those given, which are from these files.

        A file of many plans may have more portals, and that of a shard without portals has none.
        Raises UsageProblem where a file has only other portals' plans, or two of one portal.
        """
        found: dict[int, Plan] = {}
        for path, olds in given.items():
            places = [(place, old) for old in olds if (place := _place(plans, old)) is not None]
            if olds and not places:
                raise UsageProblem(
                    f"{path} is for {_named(olds)}, and what is shown is not: there is nothing to "
                    "compare",
                    hint="--since takes an earlier plan of the same portal",
                )
            for place, old in places:
                if place in found:
                    raise UsageProblem(f"two earlier plans are for {_named([old])}: {path}")
                found[place] = old
        return cls(plans, found)

    def plain(self, plan: Plan) -> str:
        """What differs, not yet escaped; empty where no earlier plan was given."""
        found = self._since(plan)
        return "" if found is None else since_sentence(found, str)

    def markdown(self, plan: Plan) -> str:
        """The same in markdown."""
        found = self._since(plan)
        return "" if found is None else since_markdown(found)

    def text(self, plan: Plan) -> str:
        """The same for a terminal."""
        found = self._since(plan)
        return "" if found is None else since_sentence(found, partial(terminal, limit=_SHOWN))

    def json(self, plan: Plan) -> dict[str, object] | None:
        """The same as a document; None where no earlier plan was given."""
        found, old = self._since(plan), self.earlier.get(self._at(plan))
        return None if found is None or old is None else since_json(found, old, plan)

    def _at(self, plan: Plan) -> int:
        return next(at for at, each in enumerate(self.plans) if each is plan)

    def _since(self, plan: Plan) -> Since | None:
        """What differs, compared once: a page is rendered again where it would be too large."""
        at = self._at(plan)
        if (old := self.earlier.get(at)) is None:
            return None
        if at not in self._found:
            self._found[at] = since(Outline.of(old), Outline.of(plan))
        return self._found[at]


def _place(plans: Sequence[Plan], old: Plan) -> int | None:
    """The plan of the same portal; of several, the one of the same workspace and name."""
    same = [at for at, each in enumerate(plans) if each.portal.portal_id == old.portal.portal_id]
    same.sort(key=lambda at: key_of(plans[at]) != key_of(old))
    return same[0] if same else None


def key_of(plan: Plan) -> tuple[str | None, str]:
    """What a plan is for: the workspace file and the portal's name in it."""
    return (plan.workspace, plan.portal.name)


def _named(plans: Sequence[Plan]) -> str:
    return "portal " + ", ".join(f"{p.name} ({p.portal_id})" for p in (e.portal for e in plans[:3]))


# ---------------------------------------------------------------- a plan that was reviewed


def differing(reviewed: Plan, now: Plan) -> list[str]:
    """What differs between the plan that was reviewed and the one made now, not yet escaped."""
    return list(since_words(since(Outline.of(reviewed), Outline.of(now)), str, named=_NAMED))


# ---------------------------------------------------------------- pushes


def since_push(pushes: Pushes) -> str:
    """What changed since the last push that has a plan, in markdown; empty where there is none."""
    earlier, now = pushes.earlier, pushes.planned[0]
    if earlier is None:
        return ""
    name = f"push {earlier.push}"
    if earlier.outline is not None and now.outline is not None:
        return since_markdown(since(earlier.outline, now.outline), earlier=name)
    if earlier.digest == now.digest:
        return f"Nothing changed since {name}."
    return f"The plan changed since {name}."
