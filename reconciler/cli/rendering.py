"""Render a plan in the format asked for."""

from __future__ import annotations

from reconciler.cli import output
from reconciler.model import Plan
from reconciler.planning.document import plan_json

PLAN_FORMATS = ("text", "json")


def render_plan(plan: Plan, format_: str) -> str:
    """The plan as text or JSON."""
    if format_ == "json":
        return plan_json(plan)
    from reconciler.report.text import plan_text

    return plan_text(plan, style=output.style())
