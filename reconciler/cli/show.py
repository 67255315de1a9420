"""`reconciler show`: render a saved plan."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.options import complete_plans
from reconciler.cli.plan_files import read_plan_file
from reconciler.cli.rendering import PLAN_FORMATS, render_plan


@click.command("show")
@click.argument(
    "plan_file",
    metavar="PLAN.json",
    shell_complete=complete_plans,
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
)
@click.option(
    "--format", "format_", type=click.Choice(PLAN_FORMATS), default="text", show_default=True
)
def command(plan_file: Path, format_: str) -> None:
    """Render a saved plan, `-` for one on standard input. Nothing is read from a portal."""
    output.result(render_plan(read_plan_file(plan_file), format_))
