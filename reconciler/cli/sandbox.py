"""`reconciler sandbox`: a local stand-in for the HubSpot endpoints used here."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import fields, replace
from enum import StrEnum
from inspect import cleandoc
from pathlib import Path
from textwrap import wrap
from typing import Any

import click

from reconciler.cli import output
from reconciler.cli.options import Given, given_options
from reconciler.cli.process import stop_signals
from reconciler.sandbox.example import PORTAL_ID, example_portal
from reconciler.sandbox.faults import language
from reconciler.sandbox.faults.language import Fault, FaultError, parse_fault
from reconciler.sandbox.portal import Portal
from reconciler.sandbox.rules import Rules, Verdict
from reconciler.sandbox.seed import SeedError, load_seed
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN, Options, Sandbox
from reconciler.sandbox.store import JsonStore, StoreError

_DEFAULTS = Rules()

_MEANING = 29
"""The column of what a fault does, in the table of the language's documentation."""

SWITCHES = frozenset(each.name for each in fields(Rules))
"""The options, by name, that decide what HubSpot's documentation leaves open."""


def _faults(ctx: click.Context, _: click.Parameter, rules: tuple[str, ...]) -> tuple[Fault, ...]:
    """The rules, parsed; `help` prints their language instead, and ends."""
    if "help" in rules:
        _show_faults(ctx, _, is_asked=True)
    try:
        return tuple(parse_fault(rule) for rule in rules)
    except FaultError as error:
        raise click.BadParameter(str(error)) from error


def _others(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[Sandbox, ...]:
    """Further portals, by their tokens."""
    found = []
    for each in given:
        token, equals, path = each.partition("=")
        if not (token and equals and path):
            raise click.BadParameter(f"{each}: write TOKEN=FILE")
        try:
            found.append(Sandbox(load_seed(Path(path)), Options(token)))
        except (SeedError, OSError) as error:
            raise click.BadParameter(str(error)) from error
    return tuple(found)


def _switch(
    option: str, field: str, description: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option for one field of `Rules`, which takes the values of its enumeration."""
    default: StrEnum = getattr(_DEFAULTS, field)
    kind = type(default)
    return click.option(
        option,
        field,
        type=click.Choice([one.value for one in kind]),
        default=default.value,
        show_default=True,
        callback=lambda _, __, value: kind(value),
        help=description,
    )


class SandboxCommand(click.Command):
    """Keeps what only tests of faults need out of `--help`."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, the switches left out."""
        shown = copy(self)
        shown.params = [each for each in self.get_params(ctx) if each.name not in SWITCHES]
        click.Command.format_options(shown, ctx, formatter)


def _fitted(text: str, width: int) -> Iterator[str]:
    """Paragraphs and the rows of a table, wrapped; a row goes on in the table's last column."""
    found: list[str] = []
    for line in text.splitlines():
        goes_on = line.startswith(" " * _MEANING) or line[:1] not in ("", " ")
        if goes_on and found and found[-1] and (line[0] == " " or found[-1][0] != " "):
            found[-1] += f" {line.strip()}"
        else:
            found.append(line)
    for line in found:
        indent = " " * _MEANING if line.startswith(" ") else ""
        yield from wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _show_faults(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:  # noqa: FBT001 - click's signature
    """Print the language of faults and the switches, and end."""
    if not is_asked:
        return
    formatter = ctx.make_formatter()
    records = [each.get_help_record(ctx) for each in ctx.command.params if each.name in SWITCHES]
    with formatter.section("Switches, for what HubSpot does not document"):
        formatter.write_dl([each for each in records if each is not None])
    rules = "\n".join(_fitted(cleandoc(language.__doc__ or ""), formatter.width))
    click.echo(f"{rules}\n\n{formatter.getvalue()}", nl=False)
    ctx.exit()


@click.command("sandbox", cls=SandboxCommand)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    metavar="PORT",
    help="Port on 127.0.0.1; 0, the default: any free one. The address is the first line printed.",
)
@click.option(
    "--token", default=DEFAULT_TOKEN, show_default=True, metavar="TOKEN", help="Token to accept."
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="JSON file that keeps the portal. Where it exists, --seed is not read.",
)
@click.option(
    "--seed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="JSON file to start from instead of the example portal.",
)
@click.option(
    "--other",
    "others",
    multiple=True,
    metavar="TOKEN=FILE",
    callback=_others,
    help="Another portal behind the same address: its token and its seed; repeatable.",
)
@click.option(
    "--portals",
    "count",
    type=click.IntRange(1, 10_000),
    default=1,
    metavar="N",
    help="Number of portals behind the address, all with the same limits. Each has a token and an "
    "ID of its own: TOKEN, TOKEN-2, TOKEN-3, …; the IDs count up. The page shows the first.",
)
@click.option(
    "--portal-id", type=click.IntRange(1, 2**31 - 1), metavar="N", help="Portal ID to report."
)
@click.option(
    "--latency",
    type=click.FloatRange(0, 600_000),
    default=0,
    metavar="MS",
    help="Milliseconds before every answer.",
)
@click.option(
    "--rate",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Requests per 10 s over all endpoints; 0, the default: the limit and label endpoints are "
    "exempt, the others held to 190.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="RULE",
    callback=_faults,
    help="What goes wrong, and when, such as read#1-2:503; repeatable; --help-faults explains.",
)
@click.option(
    "--help-faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_faults,
    help="Show the rules of --fault and the switches, and exit.",
)
@click.option(
    "--strict-update",
    "update_of_missing",
    is_flag=True,
    callback=lambda _, __, is_strict: Verdict.REFUSE if is_strict else Verdict.ACCEPT,
    help="Update refuses a limit that does not exist yet.",
)
@_switch(
    "--create-existing",
    "create_of_existing",
    "Create for a limit that exists already.",
)
@_switch("--equality", "equality", "A label limit equal to the object limit.")
@_switch("--primary", "primary", "A limit on a type labelled Primary.")
@_switch(
    "--judging",
    "judging",
    "Inputs of a batch are judged one after another, or against the state before it.",
)
@_switch("--mixed", "mixed", "A bad input refuses its whole batch, or itself alone.")
@click.option(
    "--max-limit",
    "maximum",
    type=click.IntRange(1),
    default=_DEFAULTS.maximum,
    show_default=True,
    metavar="N",
    help="Highest limit accepted.",
)
@click.option(
    "--max-inputs", type=click.IntRange(1), metavar="N", help="Most inputs of a batch; else any."
)
@_switch(
    "--label-key",
    "label_key",
    "Rows of a read that have the key `label`, which HubSpot documents as optional.",
)
@_switch(
    "--unknown-purge",
    "unknown_purge",
    "Answer to a purge of an unknown type; `canceled` is a 2xx with CANCELED.",
)
def command(
    port: int,
    token: str,
    state: Path | None,
    seed: Path | None,
    portal_id: int | None,
    latency: float,
    rate: int,
    faults: tuple[Fault, ...],
    others: tuple[Sandbox, ...],
    count: int,
    **rules: Any,
) -> None:
    """Run a local stand-in for the HubSpot endpoints used here, for demos and tests.

    It listens on 127.0.0.1 and prints its address first. Open that in a browser to see the limits
    and to change them. SIGINT, SIGTERM or SIGHUP ends it.
    """
    options = Options(token, Rules(**rules), rate or None, latency / 1000, faults)
    if count > 1 and state is not None:
        raise click.UsageError("--state keeps one portal, and --portals makes several.")
    try:
        store = None if state is None else JsonStore(state)
        portal = (store and store.load()) or _seeded(seed, portal_id)
        if portal_id is not None:
            portal = replace(portal, portal_id=portal_id)
        if store is not None:
            store.save_all(portal)
    except StoreError as error:
        raise click.BadParameter(str(error), param_hint="--state") from error
    try:
        alike = _alike(portal, options, count)
    except FaultError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from error
    _run(portal, options, store, port, (*others, *alike), given_options())


def _alike(portal: Portal, options: Options, count: int) -> tuple[Sandbox, ...]:
    """The second portal and those that follow; they change apart from each other."""
    return tuple(
        Sandbox(
            replace(portal, portal_id=portal.portal_id + number - 1),
            replace(options, token=f"{options.token}-{number}"),
        )
        for number in range(2, count + 1)
    )


def _seeded(seed: Path | None, portal_id: int | None) -> Portal:
    """The portal of the seed, else the example."""
    try:
        return example_portal(portal_id or PORTAL_ID) if seed is None else load_seed(seed)
    except (SeedError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--seed") from error


def _run(
    portal: Portal,
    options: Options,
    store: JsonStore | None,
    port: int,
    others: tuple[Sandbox, ...],
    given: Given,
) -> None:
    # A list and a short sleep: `Event.set` in a handler deadlocks when two signals meet inside its
    # `wait`, and a wait without end does not notice a signal that another thread was given.
    signals: list[int] = []
    for number in stop_signals():
        signal.signal(number, lambda received, _: signals.append(received))
    log = _log if given.verbosity > 0 else None
    try:
        with serve(portal, options, port=port, store=store, log=log, others=others) as server:
            # The address comes first and at once: whoever started this waits for the line.
            output.result(server.url, brief=server.url)
            if options.token == DEFAULT_TOKEN:
                output.note(f"The token is {DEFAULT_TOKEN}. Ctrl-C ends the sandbox.", given)
            while not signals:
                time.sleep(0.1)
    except FaultError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from error
    except OSError as error:
        raise click.ClickException(f"Cannot listen on 127.0.0.1: {error}") from error


def _log(line: str) -> None:
    click.echo(line, err=True)
