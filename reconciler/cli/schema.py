"""`reconciler schema`: print the JSON Schema of a format."""

from __future__ import annotations

import json
from typing import Any

import click

from reconciler.cli import output


@click.command("schema")
@click.argument(
    "format_", metavar="FORMAT", type=click.Choice(["pair", "workspace", "plan", "result"])
)
def command(format_: str) -> None:
    """Print the JSON Schema of FORMAT: pair, workspace, plan or result."""
    output.result(json.dumps(_schema(format_), indent=2, ensure_ascii=False))


def _schema(format_: str) -> dict[str, Any]:
    match format_:
        case "pair":
            from reconciler.config.schema import pair_schema

            return pair_schema()
        case "workspace":
            from reconciler.config.schema import workspace_schema

            return workspace_schema()
        case "plan":
            from reconciler.planning.saved import plan_schema

            return plan_schema()
        case _:
            from reconciler.applying.result_file import result_schema

            return result_schema()
