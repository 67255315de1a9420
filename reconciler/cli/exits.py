"""Turn every way a command can end into a message and an exit code.

The outcome decides the code. What cannot be written changes nothing about it, see `streams`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from reconciler.cli.given import Given, Invocation
from reconciler.cli.streams import Outlet, outlets
from reconciler.errors import ConfigurationInvalid, ExitCode, PlanRefused, ReconcilerError

if TYPE_CHECKING:
    from reconciler.http.clock import Stop

COMMAND_NAMES = ("reconciler", "hubspot-reconciler")
"""What the command is installed as: another project owns the first name on the package index."""


def run(cli: click.Group) -> int:
    """The exit code of the command line that `sys.argv` holds."""
    # Looking for plugins of other packages costs 30 ms, and there is none we want.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with outlets() as (out, _):
        code = _invoke(cli)
        if out.problem is not None and not out.reader_left and not out.answered:
            click.echo(f"error: cannot write to standard output: {out.problem.strerror}", err=True)
    return code


def _invoke(cli: click.Group) -> int:
    invocation = Invocation()
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
        return show_error(ReconcilerError("interrupted"), invocation.given)
    except ReconcilerError as error:
        return show_error(error, invocation.given)
    except Exception as error:  # noqa: BLE001 - the last resort: a bug is reported in one line
        return show_unexpected(error, invocation.given)
    return value if isinstance(value, int) else int(ExitCode.DONE)


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
    _answer_in_json(ReconcilerError(message), code, None)
    return int(code)


def show_error(
    error: ReconcilerError, given: Given, prefix: str = "", portal: str | None = None
) -> int:
    """Write an error, what it is about and how to fix it to stderr; its exit code.

    With `--format json` stdout gets a document of it, unless the command has written its own.
    """
    from reconciler.cli.output import show_diagnostics  # only errors need it
    from reconciler.report.escape import PROSE_LIMIT, terminal

    if isinstance(error, ConfigurationInvalid):
        show_diagnostics(error.diagnostics, given)
    click.echo(f"error: {prefix}{terminal(error.message, PROSE_LIMIT)}", err=True)
    if isinstance(error, PlanRefused):
        for detail in error.details:
            click.echo(f"  - {terminal(detail, PROSE_LIMIT)}", err=True)
    if error.hint:
        click.echo(f"  hint: {terminal(error.hint, PROSE_LIMIT)}", err=True)
    _answer_in_json(error, error.exit_code, portal)
    return int(error.exit_code)


def show_unexpected(
    error: Exception, given: Given, prefix: str = "", portal: str | None = None
) -> int:
    """Report what nobody foresaw: trouble of this machine in its words, anything else as a bug."""
    if os.environ.get("RECONCILER_TRACEBACK"):
        import traceback

        traceback.print_exc()
    return show_error(_as_error(error), given, prefix, portal)


def _as_error(error: Exception) -> ReconcilerError:
    match error:
        case ReconcilerError():
            return error
        case FileNotFoundError(filename=None) if _directory_is_gone():
            return ReconcilerError(
                "the current directory does not exist any more", hint="change to one that does"
            )
        case OSError(strerror=str(words)):
            about = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
            return ReconcilerError(f"{about}{words}", hint="RECONCILER_TRACEBACK=1 shows where")
        case _:
            return ReconcilerError(
                f"internal error: {type(error).__name__}: {error}; this is a bug in reconciler",
                hint="RECONCILER_TRACEBACK=1 shows where",
            )


def _directory_is_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _answer_in_json(error: ReconcilerError, code: ExitCode, portal: str | None) -> None:
    if not _asks_for_json(sys.argv[1:]) or not isinstance(sys.stdout, Outlet):
        return
    if sys.stdout.answered:
        return
    from reconciler.cli.output import result
    from reconciler.report.diagnostics import error_json

    found = error.diagnostics if isinstance(error, ConfigurationInvalid) else ()
    details = error.details if isinstance(error, PlanRefused) else ()
    result(error_json(error.message, error.hint, details, found, exit_code=code, portal=portal))


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether the last `--format` is json. The arguments may be ones that click has refused."""
    options = [*arguments, "--"]
    options = options[: options.index("--")]
    after = [value for name, value in pairwise(options) if name == "--format"]
    joined = [each.partition("=")[2] for each in options if each.startswith("--format=")]
    return (after + joined)[-1:] == ["json"]


# ---------------------------------------------------------------- signals

Handler = signal.Handlers | Callable[[int, FrameType | None], object] | int | None


def stop_signals() -> Sequence[int]:
    """The signals that ask to stop; SIGHUP is not one of them where nohup has it ignored."""
    hangup: int | None = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return (signal.SIGINT, signal.SIGTERM)
    return (signal.SIGINT, signal.SIGTERM, hangup)


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """The first signal asks to stop; a second SIGINT or SIGTERM ends the process at once.

    At once means without a word: a KeyboardInterrupt would wait for the requests under way, and
    then say that nothing was written. A terminal that goes away sends SIGHUP twice, once itself
    and once through its shell, and nobody meant anything by the second.
    """

    def handle(number: int, _: FrameType | None) -> None:
        stop.request()
        if number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    with _handling(handle):
        yield


@contextmanager
def interrupting_on_signals(stop: Stop) -> Iterator[None]:
    """Within: a signal asks to stop and raises KeyboardInterrupt, for a question that waits."""

    def handle(_number: int, _: FrameType | None) -> None:
        stop.request()
        raise KeyboardInterrupt

    with _handling(handle):
        yield


def end_with(code: int) -> None:
    """From here on a signal ends the process with its code: everything is done and reported."""
    for number in stop_signals():
        signal.signal(number, lambda _number, _: os._exit(code))


@contextmanager
def _handling(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    previous: dict[int, Handler] = {number: signal.getsignal(number) for number in stop_signals()}
    for number in previous:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
