"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click
from click.core import ParameterSource

from reconciler import defaults
from reconciler.cli.given import Given, given_options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Parameters = ParamSpec("Parameters")
Return = TypeVar("Return")


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


def portal_options(function: Callable[..., Return]) -> Callable[..., Return]:
    """Add the options of portal commands; the command gets one `options` argument."""

    @click.option(
        "--portal",
        "names",
        multiple=True,
        metavar="NAME",
        help="Portal; repeatable.",
        shell_complete=_portals,
    )
    @click.option("--all-portals", "every", is_flag=True, help="Every portal of the workspace.")
    @click.option("--shard", metavar="I/N", help="With --all-portals: one part of them.")
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
        timeout: float,
        variables: tuple[str, ...],
        token_files: tuple[Path, ...],
        **others: object,
    ) -> Return:
        options = PortalOptions(
            names,
            every,
            shard,
            base_url,
            _source("base_url"),
            api_version,
            concurrency,
            timeout,
            Allowed(variables, token_files),
            given_options(),
        )
        return function(options=options, **others)

    return with_options


def _portals(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from reconciler.cli.completion import complete_portals  # only where a shell asks

    return complete_portals(context, parameter, incomplete)


def complete_plans(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Saved plans, for the arguments that take them."""
    from reconciler.cli.completion import saved_plans  # only where a shell asks

    return saved_plans(context, parameter, incomplete)


def _source(parameter: str) -> str:
    """Where an option's value comes from, for messages about it."""
    match click.get_current_context().get_parameter_source(parameter):
        case ParameterSource.ENVIRONMENT:
            return "from HUBSPOT_BASE_URL"
        case ParameterSource.COMMANDLINE:
            return "from --base-url"
        case _:
            return "the default"


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
