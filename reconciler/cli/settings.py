"""The global options: they may stand before the command or behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import click
from click.core import ParameterSource


class Globals(NamedTuple):
    """Workspace file, how often `-v`, whether `-q`, and colour (`auto`, `always`, `never`)."""

    workspace: str | None = None
    verbose: int = 0
    quiet: bool = False
    color: str = "auto"

    @property
    def verbosity(self) -> int:
        """From -1 (only results and errors) upwards."""
        return -1 if self.quiet else self.verbose


def settings() -> Globals:
    """The global options of the running command."""
    context = click.get_current_context(silent=True)
    found = context.find_object(Globals) if context is not None else None
    return found or Globals()


def global_options() -> list[click.Parameter]:
    """The options for a command or for the group; what is given behind the command counts more."""
    return [
        click.Option(
            ["--workspace"],
            metavar="FILE",
            help="Workspace file; without it reconciler.yaml here or above, in the repository.",
            expose_value=False,
            callback=_changing(lambda found, value: found._replace(workspace=value)),
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            help="Say more, on stderr.",
            expose_value=False,
            callback=_changing(lambda found, value: found._replace(verbose=found.verbose + value)),
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            help="Say only results and errors.",
            expose_value=False,
            callback=_changing(lambda found, value: found._replace(quiet=value)),
        ),
        click.Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            help="Colour; NO_COLOR and FORCE_COLOR are honoured.  [default: auto]",
            expose_value=False,
            callback=_changing(lambda found, value: found._replace(color=value)),
        ),
    ]


Callback = Callable[[click.Context, click.Parameter, Any], None]


def _changing(change: Callable[[Globals, Any], Globals]) -> Callback:
    """Take an option that was given into the context's globals."""

    def callback(ctx: click.Context, option: click.Parameter, value: Any) -> None:
        source = ctx.get_parameter_source(option.name or "")
        if source is not ParameterSource.COMMANDLINE:
            return
        found = change(ctx.find_object(Globals) or Globals(), value)
        if found.verbose and found.quiet:
            raise click.UsageError("-v and -q contradict each other.", ctx)
        ctx.obj = found

    return callback
