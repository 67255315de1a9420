"""What changed since an earlier plan: found for the plans of a command, and in words for a comment."""

from __future__ import annotations

from reconciler.model.plan import Plan
from reconciler.model.since import Outline
from reconciler.planning.pushes import Pushes
from reconciler.planning.since import since
from reconciler.report.since import since_markdown, since_words

_NAMED = 10
"""Limits of a kind that are named where a plan is refused: nobody sees the plan that was reviewed."""


def differing(reviewed: Plan, now: Plan) -> list[str]:
    """What differs between the plan that was reviewed and the one made now, not yet escaped."""
    return list(since_words(since(Outline.of(reviewed), Outline.of(now)), str, named=_NAMED))


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
