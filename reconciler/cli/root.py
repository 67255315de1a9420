"""The `reconciler` command: global options, and commands imported only when they run."""

from __future__ import annotations

import importlib
import sys
from copy import copy
from keyword import iskeyword
from typing import TYPE_CHECKING, NoReturn

import click

from reconciler import __version__
from reconciler.cli.given import global_options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "init": "Start a repository: workspace file, pair files, CI recipe, editor settings.",
    "import": "Write pair files from what a portal has.",
    "validate": "Check the files offline.",
    "fmt": "Write pair files in one canonical form, comments kept.",
    "plan": "Show what would change in the portal.",
    "show": "Render a saved plan.",
    "apply": "Make the portal what the plan says, and verify it.",
    "comment": "Put the plan on the pull or merge request.",
    "status": "Show the limits in force, and what no file manages.",
    "compare": "Show how the limits of two portals differ.",
    "doctor": "Check token, scopes, portal, API version and this machine.",
    "schema": "Print the JSON Schema of a format.",
    "completion": "Print the shell's completion script.",
    "sandbox": "Run a local stand-in for HubSpot, for demos and tests.",
}


class LazyGroup(click.Group):
    """Knows its commands by name and help line; imports one when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        module = importlib.import_module(f"reconciler.cli.{name}")
        command = copy(module.command)
        command.params = [*command.params, *global_options()]
        return command if isinstance(command, click.Command) else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands by name and help line, of which none is imported, or click's own options."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        from click.shell_completion import CompletionItem  # only where a shell asks

        return [
            CompletionItem(name, help=text)
            for name, text in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}.{_nearest(args[0])}")
        return super().resolve_command(ctx, args)


def _nearest(name: str) -> str:
    from reconciler.spelling import nearest  # 3 ms that only a typing mistake should cost

    near = nearest(name, COMMANDS)
    return f" Did you mean {near[0]!r}?" if near else ""


@click.group(
    cls=LazyGroup,
    params=global_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 error, 2 changes pending, 3 configuration invalid, 4 refused, "
    "5 apply incomplete, 64 wrong usage.",
)
@click.version_option(__version__, message="reconciler, version %(version)s")
def cli() -> None:
    """Keep the association limits of HubSpot portals equal to YAML committed in git."""


def main() -> NoReturn:
    """Run the command line and exit with one of its codes; never with a traceback."""
    from reconciler.cli.exits import end_with, run  # what is behind them imports this module

    code = run(cli)
    end_with(code)
    sys.exit(code)
