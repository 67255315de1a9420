"""`reconciler show`: render a saved plan."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.rendering import PLAN_FORMATS, render_plan
from reconciler.errors import ReconcilerError
from reconciler.model import Plan


@click.command("show")
@click.argument(
    "plan_file", metavar="PLAN.json", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--format", "format_", type=click.Choice(PLAN_FORMATS), default="text", show_default=True
)
def command(plan_file: Path, format_: str) -> None:
    """Render a saved plan. Nothing is read from a portal."""
    output.result(render_plan(read_plan_file(plan_file), format_))


def read_plan_file(path: Path) -> Plan:
    """The plan a file holds; raises PlanRefused where it is altered, cut or of another format."""
    from reconciler.planning.saved import MAXIMUM_BYTES, read_plan

    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise ReconcilerError(f"cannot read {path}: {error.strerror}") from error
    return read_plan(content)
