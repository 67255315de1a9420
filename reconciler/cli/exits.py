"""Turn every way a command can end into a message and an exit code."""

from __future__ import annotations

import os
import sys

import click

from reconciler.errors import ConfigurationInvalid, ExitCode, PlanRefused, ReconcilerError


def run(cli: click.Group) -> int:
    """The exit code of the command line that `sys.argv` holds."""
    # Looking for plugins of other packages costs 30 ms, and there is none we want.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    _use_utf8()
    try:
        code = _invoke(cli)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
        return int(ExitCode.ERROR)
    return code


def _invoke(cli: click.Group) -> int:
    try:
        value = cli.main(prog_name="reconciler", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        error.show()
        return int(ExitCode.USAGE)
    except click.ClickException as error:
        error.show()
        return int(ExitCode.ERROR)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted")
    except ReconcilerError as error:
        show_error(error)
        return int(error.exit_code)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last resort: a bug is reported in one line
        return _bug(error)
    return value if isinstance(value, int) else int(ExitCode.DONE)


def show_error(error: ReconcilerError, prefix: str = "") -> None:
    """Write an error, what it is about and how to mend it to stderr."""
    from reconciler.cli.output import show_diagnostics  # only errors need it
    from reconciler.report.escape import visible

    if isinstance(error, ConfigurationInvalid):
        show_diagnostics(error.diagnostics)
    click.echo(f"error: {prefix}{visible(error.message)}", err=True)
    if isinstance(error, PlanRefused):
        for detail in error.details:
            click.echo(f"  - {visible(detail)}", err=True)
    if error.hint:
        click.echo(f"  hint: {visible(error.hint)}", err=True)


def _bug(error: Exception) -> int:
    context = click.get_current_context(silent=True)
    if os.environ.get("RECONCILER_TRACEBACK") or context is not None:
        import traceback

        traceback.print_exc()
    return _fail(
        f"internal error: {type(error).__name__}: {error}; this is a bug in reconciler "
        "(RECONCILER_TRACEBACK=1 shows where)"
    )


def _fail(message: str) -> int:
    click.echo(f"error: {message}", err=True)
    return int(ExitCode.ERROR)


def _use_utf8() -> None:
    """Arrows and labels are UTF-8 whatever the locale; what cannot be encoded is escaped."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def _close_stdout() -> None:
    """The reader went away: keep the interpreter from complaining again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
