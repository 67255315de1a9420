"""A plan, a result or diagnostics as text, markdown, HTML, mermaid, annotations and SARIF.

Every function is pure and returns a string without a line end at its end. What is imported from
here is loaded when it is first asked for, so that text does not pay for HTML.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.report.diagnostics import diagnostics_github as diagnostics_github
    from reconciler.report.diagnostics import diagnostics_json as diagnostics_json
    from reconciler.report.diagnostics import diagnostics_sarif as diagnostics_sarif
    from reconciler.report.diagnostics import diagnostics_text as diagnostics_text
    from reconciler.report.html import plan_html as plan_html
    from reconciler.report.markdown import plan_markdown as plan_markdown
    from reconciler.report.mermaid import plan_mermaid as plan_mermaid
    from reconciler.report.result import result_text as result_text
    from reconciler.report.style import Style as Style
    from reconciler.report.text import plan_text as plan_text

_MODULES = {
    "Style": "style",
    "diagnostics_github": "diagnostics",
    "diagnostics_json": "diagnostics",
    "diagnostics_sarif": "diagnostics",
    "diagnostics_text": "diagnostics",
    "plan_html": "html",
    "plan_markdown": "markdown",
    "plan_mermaid": "mermaid",
    "plan_text": "text",
    "result_text": "result",
}


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
