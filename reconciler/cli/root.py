"""The `reconciler` command: commands are imported only when they run, and end with an exit code.

The outcome decides the code. What cannot be written changes nothing about it, see `process`.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from copy import copy
from keyword import iskeyword
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from reconciler import __version__
from reconciler.cli.help import EPILOG, EPILOGS
from reconciler.cli.options import Given, Invocation, asks_for_json, global_options
from reconciler.cli.process import end_with, outlets
from reconciler.errors import ExitCode, ReconcilerError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMAND_NAMES = ("reconciler", "hubspot-reconciler")
"""What the command is installed as: another project owns the first name on the package index."""


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
    "portals": "List the workspace's portals, also for a pipeline's matrix.",
    "schema": "Print the JSON Schema of a format.",
    "explain": "Explain a code that a command printed: cause, example and cure.",
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
        command.epilog = EPILOGS[cmd_name]
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
    epilog=EPILOG,
)
@click.version_option(__version__, message="reconciler, version %(version)s")
def cli() -> None:
    """Keep the association limits of HubSpot portals equal to YAML committed in git."""


class _Metadata(ModuleType):
    """Stands for `importlib.metadata` until somebody uses what is in it.

    Pydantic imports it to look for plugins, whether it is to look or not, and with it the parser of
    mails: a tenth of what `validate` costs.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # `import` itself asks whether it is a package
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)

    def entry_points(self, **chosen: str) -> Any:
        """The entry points of installed packages; here, because pydantic imports it by name."""
        return self.__getattr__("entry_points")(**chosen)


def main() -> NoReturn:
    """Run the command line and exit with one of its codes; never with a traceback."""
    # A command keeps what it makes and soon ends: looking for garbage at every 700th new object,
    # Python's default, takes an eighth of a plan of 10,000 limits.
    gc.set_threshold(50_000)
    code = run(cli)
    end_with(code)
    sys.exit(code)


def run(cli: click.Group) -> int:
    """The exit code of the command line that `sys.argv` holds."""
    # Looking for plugins of other packages costs 30 ms, and there is none we want.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    metadata = sys.modules.setdefault("importlib.metadata", _Metadata("importlib.metadata"))
    vars(importlib).setdefault("metadata", metadata)
    with outlets() as (out, err):
        invocation = Invocation()
        code = _invoke(cli, invocation)
        if invocation.given.findings is not None:
            invocation.given.findings.close(code)
        if err.code is not None and err.isatty() and not invocation.given.quiet:
            click.echo(f"Cause and cure: reconciler explain {err.code}", err=True)
        if out.problem is not None and not out.reader_left and not out.answered:
            click.echo(f"error: cannot write to standard output: {out.problem.strerror}", err=True)
    return code


def _invoke(cli: click.Group, invocation: Invocation) -> int:
    try:
        called = Path(sys.argv[0]).name
        name = called if called in COMMAND_NAMES else COMMAND_NAMES[0]
        value = cli.main(prog_name=name, standalone_mode=False, obj=invocation)
    except click.exceptions.Exit as end:
        return end.exit_code
    except SystemExit as end:  # how click ends its shell completion
        return int(end.code or ExitCode.DONE)
    except click.ClickException as error:
        return _wrong_usage(error)
    except (click.Abort, KeyboardInterrupt):
        return _failure(ReconcilerError("interrupted"), invocation.given)
    except Exception as error:  # noqa: BLE001 - the last resort: a bug is reported in one line
        return _failure(error, invocation.given)
    return value if isinstance(value, int) else int(ExitCode.DONE)


def _failure(error: Exception, given: Given) -> int:
    from reconciler.cli.output import show_error, show_unexpected  # only errors need it

    if isinstance(error, ReconcilerError):
        return show_error(error, given)
    return show_unexpected(error, given)


def _wrong_usage(error: click.ClickException) -> int:
    from reconciler.report.escape import PROSE_LIMIT, terminal  # only errors need it

    code = ExitCode.USAGE if isinstance(error, click.UsageError) else ExitCode.ERROR
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        click.echo(context.get_usage(), err=True)
        if context.command.get_help_option(context) is not None:
            click.echo(
                f"Try '{context.command_path} {context.help_option_names[0]}' for help.\n", err=True
            )
    message = error.format_message()
    click.echo(f"Error: {terminal(message, PROSE_LIMIT)}", err=True)
    if asks_for_json(sys.argv[1:]):
        from reconciler.cli.output import answer_in_json

        answer_in_json(ReconcilerError(message), code)
    return int(code)
