"""`reconciler show`: render a saved plan."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.files import read_plan_file
from reconciler.cli.from_top import plan_from_here
from reconciler.cli.options import complete_plans, given_options


@click.command("show")
@click.argument(
    "plan_file",
    metavar="PLAN.json",
    shell_complete=complete_plans,
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
)
@click.option(
    "--format", "format_", type=click.Choice(output.PLAN_FORMATS), default="text", show_default=True
)
def command(plan_file: Path, format_: str) -> None:
    """Render a saved plan, `-` for one on standard input. Nothing is read from a portal."""
    plan = read_plan_file(plan_file)
    shown = plan_from_here(plan) if format_ == "text" else plan
    output.result(output.render_plan(shown, format_, given_options()))
