"""`reconciler sandbox`: a local stand-in for the HubSpot endpoints used here."""

from __future__ import annotations

import signal
import time
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from reconciler.cli import output
from reconciler.cli.exits import stop_signals

if TYPE_CHECKING:
    from reconciler.sandbox.faults.language import Fault
    from reconciler.sandbox.portal import Portal
    from reconciler.sandbox.stand_in import Options
    from reconciler.sandbox.store import SqliteStore

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - a token for nothing but the stand-in
_VERDICTS = click.Choice(["accept", "refuse"])


class _Arguments(TypedDict):
    """What the options below come to."""

    port: int
    token: str
    state: Path | None
    seed: Path | None
    portal_id: int | None
    latency: float
    rate: int
    fault: tuple[str, ...]
    strict_update: bool
    create_existing: str
    equality: str
    primary: str
    judging: str
    mixed: str
    max_limit: int
    max_inputs: int | None
    label_key: str
    unknown_purge: str


@click.command(
    "sandbox",
    epilog="A fault rule is WHEN[@FROM/TO][#N]:ACTION[,key=value]..., for example read#1-2:503 or "
    "update:drop,wrote=yes,times=1. `--fault help` explains the language.",
)
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
    help="SQLite file that keeps the portal; one that exists goes before --seed.",
)
@click.option(
    "--seed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="JSON file to start from instead of the example portal.",
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
    multiple=True,
    metavar="RULE",
    help="What goes wrong, and when; repeatable; `help` explains.",
)
@click.option(
    "--strict-update", is_flag=True, help="Update refuses a limit that does not exist yet."
)
@click.option(
    "--create-existing",
    type=_VERDICTS,
    default="refuse",
    show_default=True,
    help="Create for a limit that exists already.",
)
@click.option(
    "--equality",
    type=_VERDICTS,
    default="accept",
    show_default=True,
    help="A label limit equal to the object limit.",
)
@click.option(
    "--primary",
    type=_VERDICTS,
    default="accept",
    show_default=True,
    help="A limit on a type labelled Primary.",
)
@click.option(
    "--judging",
    type=click.Choice(["sequence", "before"]),
    default="sequence",
    show_default=True,
    help="Inputs of a batch are judged one after another, or against the state before it.",
)
@click.option(
    "--mixed",
    type=click.Choice(["atomic", "partial"]),
    default="atomic",
    show_default=True,
    help="A bad input refuses its whole batch, or itself alone.",
)
@click.option(
    "--max-limit",
    type=click.IntRange(1),
    default=50_000,
    show_default=True,
    metavar="N",
    help="Highest limit accepted.",
)
@click.option(
    "--max-inputs", type=click.IntRange(1), metavar="N", help="Most inputs of a batch; else any."
)
@click.option(
    "--label-key",
    type=click.Choice(["always", "labelled", "never"]),
    default="always",
    show_default=True,
    help="Rows of a read that have the key `label`, which HubSpot documents as optional.",
)
@click.option(
    "--unknown-purge",
    type=click.Choice(["207", "400", "canceled"]),
    default="207",
    show_default=True,
    help="Answer to a purge of an unknown type; `canceled` is a 2xx with CANCELED.",
)
@click.pass_context
def command(ctx: click.Context, **arguments: Unpack[_Arguments]) -> None:
    """Run a local stand-in for the HubSpot endpoints used here, for demos and tests.

    It listens on 127.0.0.1 and prints its address first. Open that in a browser to see the limits
    and to change them. SIGINT, SIGTERM or SIGHUP ends it.
    """
    if "help" in arguments["fault"]:
        click.echo(_fault_language())
        return
    options = _options(arguments)
    store = _store(arguments["state"])
    with closing(store) if store is not None else nullcontext():
        portal = _portal(arguments, store)
        if store is not None:
            store.save_all(portal)
        _run(portal, options, store, arguments, getattr(ctx.obj, "verbosity", 0))


def _run(
    portal: Portal,
    options: Options,
    store: SqliteStore | None,
    arguments: _Arguments,
    verbosity: int,
) -> None:
    from reconciler.sandbox.faults.language import FaultError
    from reconciler.sandbox.server import serve

    # A list and a short sleep: `Event.set` in a handler deadlocks when two signals meet inside its
    # `wait`, and a wait without end does not notice a signal that another thread was given.
    signals: list[int] = []
    for number in stop_signals():
        signal.signal(number, lambda received, _: signals.append(received))
    log = _log if verbosity > 0 else None
    try:
        with serve(portal, options, port=arguments["port"], store=store, log=log) as server:
            # The address comes first and at once: whoever started this waits for the line.
            output.result(server.url, brief=server.url)
            if verbosity >= 0 and options.token == DEFAULT_TOKEN:
                click.echo(f"The token is {DEFAULT_TOKEN}. Ctrl-C ends the sandbox.", err=True)
            while not signals:
                time.sleep(0.1)
    except FaultError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from error
    except OSError as error:
        raise click.ClickException(f"Cannot listen on 127.0.0.1: {error}") from error


def _fault_language() -> str:
    from inspect import cleandoc

    from reconciler.sandbox.faults import language

    return cleandoc(language.__doc__ or "")


def _log(line: str) -> None:
    click.echo(line, err=True)


def _options(arguments: _Arguments) -> Options:
    from reconciler.sandbox.rules import Judging, LabelKey, Mixed, Rules, UnknownPurge, Verdict
    from reconciler.sandbox.stand_in import Options

    rules = Rules(
        equality=Verdict(arguments["equality"]),
        judging=Judging(arguments["judging"]),
        mixed=Mixed(arguments["mixed"]),
        update_of_missing=Verdict.REFUSE if arguments["strict_update"] else Verdict.ACCEPT,
        create_of_existing=Verdict(arguments["create_existing"]),
        primary=Verdict(arguments["primary"]),
        maximum=arguments["max_limit"],
        max_inputs=arguments["max_inputs"],
        label_key=LabelKey(arguments["label_key"]),
        unknown_purge=UnknownPurge(arguments["unknown_purge"]),
    )
    return Options(
        token=arguments["token"],
        rules=rules,
        rate=arguments["rate"] or None,
        latency=arguments["latency"] / 1000,
        faults=tuple(_fault(rule) for rule in arguments["fault"]),
    )


def _fault(rule: str) -> Fault:
    from reconciler.sandbox.faults.language import FaultError, parse_fault

    try:
        return parse_fault(rule)
    except FaultError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from error


def _store(path: Path | None) -> SqliteStore | None:
    from reconciler.sandbox.store import SqliteStore, StoreError

    if path is None:
        return None
    try:
        return SqliteStore(path)
    except StoreError as error:
        raise click.BadParameter(str(error), param_hint="--state") from error


def _portal(arguments: _Arguments, store: SqliteStore | None) -> Portal:
    """The portal of the state file if it has one, else of the seed, else the example."""
    number = arguments["portal_id"]
    portal = _kept(store) or _seeded(arguments["seed"], number)
    return portal if number is None else replace(portal, portal_id=number)


def _kept(store: SqliteStore | None) -> Portal | None:
    from reconciler.sandbox.store import StoreError

    try:
        return None if store is None else store.load()
    except StoreError as error:
        raise click.BadParameter(str(error), param_hint="--state") from error


def _seeded(seed: Path | None, portal_id: int | None) -> Portal:
    from reconciler.sandbox.example import PORTAL_ID, example_portal
    from reconciler.sandbox.seed import SeedError, load_seed

    try:
        return example_portal(portal_id or PORTAL_ID) if seed is None else load_seed(seed)
    except (SeedError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--seed") from error
