"""The global options, which are accepted before the command and behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import click
from click.core import ParameterSource


@dataclass(frozen=True, slots=True)
class Given:
    """The global options: workspace file, how often `-v`, whether `-q`, and `--color`.

    A command reads them once and passes them on: click knows them only in its own thread.
    """

    workspace: str | None = None
    verbose: int = 0
    quiet: bool = False
    color: str = "auto"

    @property
    def verbosity(self) -> int:
        """From -1 (only results and errors) upwards."""
        return -1 if self.quiet else self.verbose


@dataclass(slots=True)
class Invocation:
    """Keeps the global options while click reads them, and for the errors after the command."""

    given: Given = Given()


def given_options() -> Given:
    """The global options of the running command; raises RuntimeError in any other thread."""
    return click.get_current_context().ensure_object(Invocation).given


def global_options() -> list[click.Parameter]:
    """The options for a command or for the group; what is given behind the command counts more."""
    return [
        click.Option(
            ["--workspace"],
            metavar="FILE",
            help="Workspace file; without it reconciler.yaml here or above, in the repository.",
            expose_value=False,
            callback=_changing(lambda given, value: replace(given, workspace=value)),
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            help="Show more, on stderr.",
            expose_value=False,
            callback=_changing(lambda given, value: replace(given, verbose=given.verbose + value)),
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            help="Show only results and errors.",
            expose_value=False,
            callback=_changing(lambda given, value: replace(given, quiet=value)),
        ),
        click.Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            help="Colour; NO_COLOR and FORCE_COLOR are honoured.  [default: auto]",
            expose_value=False,
            callback=_changing(lambda given, value: replace(given, color=value)),
        ),
    ]


Callback = Callable[[click.Context, click.Parameter, Any], None]


def _changing(change: Callable[[Given, Any], Given]) -> Callback:
    """Take an option from the command line into the invocation."""

    def callback(ctx: click.Context, option: click.Parameter, value: Any) -> None:
        invocation = ctx.ensure_object(Invocation)
        if ctx.get_parameter_source(option.name or "") is not ParameterSource.COMMANDLINE:
            return
        invocation.given = change(invocation.given, value)
        if invocation.given.verbose and invocation.given.quiet:
            raise click.UsageError("-v and -q contradict each other.", ctx)

    return callback
