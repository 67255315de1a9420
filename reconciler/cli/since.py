"""What changed since an earlier plan: found for the plans of a command, and in words for a comment."""

from __future__ import annotations

from reconciler.planning.pushes import Pushes
from reconciler.planning.since import since
from reconciler.report.since import since_markdown


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
