"""The options that all commands take, and those that several share, with what a shell offers for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

import click
from click.core import ParameterSource

from reconciler import defaults
from reconciler.errors import Diagnostic, ReconcilerError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from reconciler.config.workspace import Workspace

Parameters = ParamSpec("Parameters")
Return = TypeVar("Return")


class DiagnosticsTaker(Protocol):
    """Writes a command's diagnostics in another format than text, see `from_top.Findings`."""

    @property
    def file(self) -> str | None: ...
    @property
    def is_document(self) -> bool: ...
    def take(self, diagnostics: Iterable[Diagnostic]) -> tuple[str, bool]: ...
    def close(self, code: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Given:
    """The global options: workspace file, how often `-v`, whether `-q`, and `--color`.

    `findings` takes the diagnostics of a command that has `--diagnostics`.

    A command reads them once and passes them on: click knows them only in its own thread.
    """

    workspace: str | None = None
    verbose: int = 0
    quiet: bool = False
    color: str = "auto"
    findings: DiagnosticsTaker | None = None

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


def format_asked(arguments: Sequence[str]) -> str | None:
    """The last `--format`, None where there is none. click may have refused the arguments."""
    options = [*arguments, "--"]
    options = options[: options.index("--")]
    found = None
    for option, following in pairwise([*options, ""]):
        if option == "--format":
            found = following
        elif option.startswith("--format="):
            found = option.partition("=")[2]
    return found


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether the answer is to be JSON, that of an error too."""
    return format_asked(arguments) == "json"


# ---------------------------------------------------------------- portals and paths


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may hold a token besides what the workspace may name: variables, and files."""

    variables: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class PortalOptions:
    """Which portals, and how to talk to them. `timeout` in seconds, for one call with retries."""

    names: tuple[str, ...]
    every: bool
    shard: str | None
    base_url: str
    base_url_source: str
    api_version: str | None
    concurrency: int
    timeout: float
    allowed: Allowed = Allowed()
    given: Given = field(default_factory=Given)
    portals_at_once: int = defaults.PORTALS_AT_ONCE

    @property
    def asks_for_several(self) -> bool:
        """Whether an answer in JSON is an array: by what was asked for, not by what there is."""
        return self.every or len(self.names) > 1


BASE_URL_TYPED = "from --base-url"
_SOURCES: dict[ParameterSource | None, str] = {
    ParameterSource.ENVIRONMENT: "from HUBSPOT_BASE_URL",
    ParameterSource.COMMANDLINE: BASE_URL_TYPED,
}
"""Where `--base-url` comes from, for messages about it."""


def portal_options(function: Callable[..., Return]) -> Callable[..., Return]:
    """Add the options of portal commands; the command gets one `options` argument."""

    @click.option(
        "--portal",
        "names",
        multiple=True,
        metavar="NAME",
        help="Portal; repeatable.",
        shell_complete=complete_portals,
    )
    @click.option("--all-portals", "every", is_flag=True, help="Every portal of the workspace.")
    @click.option(
        "--shard", metavar="I/N", help="With --all-portals: part I of N, by a hash of their names."
    )
    @click.option(
        "--base-url",
        envvar="HUBSPOT_BASE_URL",
        default=defaults.BASE_URL,
        show_default=True,
        metavar="URL",
        help="Must be https, loopback excepted.  [env: HUBSPOT_BASE_URL]",
    )
    @click.option(
        "--api-version",
        envvar="HUBSPOT_API_VERSION",
        type=click.Choice(defaults.API_VERSIONS),
        help="[env: HUBSPOT_API_VERSION; default: the workspace's, else 2026-09]",
    )
    @click.option(
        "--concurrency",
        type=click.IntRange(1, defaults.CONCURRENCY),
        default=defaults.CONCURRENCY,
        show_default=True,
        help="Requests at a time per portal.",
    )
    @click.option(
        "--portals-at-once",
        type=click.IntRange(1, defaults.MOST_PORTALS_AT_ONCE),
        default=defaults.PORTALS_AT_ONCE,
        show_default=True,
        metavar="N",
        help="With several portals: how many are worked with at a time.",
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(min=0.1, max=86_400),
        default=defaults.TIMEOUT,
        show_default=True,
        metavar="SECONDS",
        help="For one call, its waits and retries included.",
    )
    @click.option(
        "--allow-token-env",
        "variables",
        multiple=True,
        metavar="NAME",
        help="A variable that the workspace may name for a token; repeatable.  "
        "[default: those that begin with HUBSPOT_]",
    )
    @click.option(
        "--token-file",
        "token_files",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A file in the repository that may hold a token; repeatable. Without a workspace "
        "file: the token's.",
    )
    @wraps(function)
    def with_options(
        *,
        names: tuple[str, ...],
        every: bool,
        shard: str | None,
        base_url: str,
        api_version: str | None,
        concurrency: int,
        portals_at_once: int,
        timeout: float,
        variables: tuple[str, ...],
        token_files: tuple[Path, ...],
        **others: object,
    ) -> Return:
        source = click.get_current_context().get_parameter_source("base_url")
        options = PortalOptions(
            names,
            every,
            shard,
            base_url,
            _SOURCES.get(source, "the default"),
            api_version,
            concurrency,
            timeout,
            Allowed(variables, token_files),
            given_options(),
            portals_at_once,
        )
        return function(options=options, **others)

    return with_options


PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))

BASE = click.option(
    "--base",
    metavar="REF",
    help="Also read the config at the merge base with REF and at REF, to distinguish drift from intent. "
    "Limits of files that were removed since are removed; without a base they are left alone.",
)

SETTLE = click.option(
    "--settle",
    type=click.FloatRange(min=0, max=600),
    default=defaults.SETTLE,
    show_default=True,
    metavar="SECONDS",
    help="Least time between two reads that must agree; HubSpot's reads may lag.",
)

NO_USAGE = click.option(
    "--no-usage",
    is_flag=True,
    help="Do not ask how many records are at or near the limits that are set or lowered.",
)


# ---------------------------------------------------------------- what a shell offers

_PLAN_BEGINS = (b'{"batches":',)
"""How a saved plan begins: canonical JSON, its keys sorted."""

_SHOWN_BEGINS = (*_PLAN_BEGINS, b'{"changes":', b'{"exit_code":')
"""How a plan, the result of an apply, and several results begin; many of them are in brackets."""


def complete_portals(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The portals of the workspace that is found from here."""
    try:
        names = [each.name for each in _workspace(context).portals]
    except ReconcilerError:
        return []
    return _items(names, incomplete)


def complete_pairs(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """`from:to` of the pair files in the workspace's folder."""
    from reconciler.config.loading import load  # pydantic: 0.1 s that only pairs should cost

    try:
        found = load([_workspace(context).config_directory]).desired.directions
    except ReconcilerError:
        return []
    return _items([f"{each.from_}:{each.to}" for each in found], incomplete)


def _workspace(context: click.Context) -> Workspace:
    from reconciler.config.workspace import find_default, find_workspace  # not for `--help`

    named = context.ensure_object(Invocation).given.workspace
    path = find_workspace(Path.cwd()) if named is None else Path(named)
    if path is None:
        return find_default(Path())
    from reconciler.config.workspace_file import load_workspace  # pydantic only for a file

    return load_workspace(path)


def complete_plans(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Saved plans, by their first bytes, and the folders on the way to them."""
    return _files(incomplete, _PLAN_BEGINS)


def complete_shown(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What `show` renders: plans and results, one or many in a file."""
    return _files(incomplete, _SHOWN_BEGINS)


def _files(incomplete: str, begins: tuple[bytes, ...]) -> list[CompletionItem]:
    given = Path(incomplete)
    folder = given if incomplete.endswith("/") else given.parent
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    shown = [each for each in entries if _leads(each, begins)]
    return _items([f"{each}/" if each.is_dir() else str(each) for each in shown], incomplete)


def _leads(path: Path, begins: tuple[bytes, ...]) -> bool:
    """Whether it is a JSON file that begins so, or a folder that is not hidden."""
    if path.is_dir():
        return not path.name.startswith(".")
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:
        return False
    in_brackets = len(begins) > 1 and start.startswith(b"[")
    return (start[1:].lstrip() if in_brackets else start).startswith(begins)


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # only where a shell asks

    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]
