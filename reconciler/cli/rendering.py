"""Render a plan in the format asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import output
from reconciler.model.plan import Plan
from reconciler.planning.document import digest, plan_json

if TYPE_CHECKING:
    from reconciler.forges.links import Links

PLAN_FORMATS = ("text", "markdown", "json", "html", "mermaid")


def render_plan(plan: Plan, format_: str) -> str:
    """The plan in one of the formats; files are linked where their host is known."""
    match format_:
        case "json":
            return plan_json(plan)
        case "markdown":
            from reconciler.report.markdown import plan_markdown

            return plan_markdown(plan, digest=digest(plan), links=_links(plan))
        case "html":
            from reconciler.report.html import plan_html

            return plan_html(plan, digest=digest(plan), links=_links(plan))
        case "mermaid":
            from reconciler.report.mermaid import plan_mermaid

            return plan_mermaid(plan)
        case _:
            from reconciler.report.text import plan_text

            return plan_text(plan, style=output.style())


def _links(plan: Plan) -> Links:
    from reconciler.forges.links import links_for

    return links_for(plan, os.environ, Path.cwd())
