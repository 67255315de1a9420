"""`reconciler portals`: the workspace's portals, for people and for the matrix of a pipeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import click

from reconciler.cli import output
from reconciler.cli.options import PortalOptions, portal_options
from reconciler.cli.workspace import (
    choose_portals,
    know_environment,
    open_workspace,
    read_token,
    shard_of,
    with_named_files,
    workspace_name,
)
from reconciler.config.workspace import EnvToken, FileToken, PortalSettings, Workspace
from reconciler.errors import ConfigurationInvalid, ExitCode, ReconcilerError, UsageProblem, plural
from reconciler.outgoing import harmless_json, mask_alike
from reconciler.report.escape import PROSE_LIMIT, terminal
from reconciler.report.terminal import cells, padded

MOST_JOBS = 256
"""Jobs that one matrix of GitHub may generate (documented)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A portal and where its token is. `problem`: why the token is not at hand, None where it is."""

    settings: PortalSettings
    problem: str | None


@click.command("portals")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github-matrix"]),
    default="text",
    show_default=True,
)
@click.option(
    "--shards",
    type=click.IntRange(1, MOST_JOBS),
    metavar="N",
    help="With github-matrix: a job for each of N shards instead of one for each portal.",
)
@portal_options
def command(options: PortalOptions, format_: str, shards: int | None) -> int:
    """List the portals of the workspace: their IDs, overlays, and where their tokens are.

    No token is shown, and no portal is asked. --portal and --shard choose some of them. With
    --format github-matrix: one line for `fromJSON` in a workflow, a job per portal. More than 256
    portals are more than GitHub takes: then there is a job per shard.
    """
    if shards is not None and format_ != "github-matrix":
        raise UsageProblem("--shards goes with --format github-matrix")
    if shards is not None and options.shard is not None:
        raise UsageProblem("--shards and --shard contradict each other")
    know_environment()
    workspace = open_workspace(options.given)
    if options.allowed.files:
        workspace = with_named_files(workspace, options.allowed)
    portals = choose_portals(
        workspace,
        options.names,
        every=options.every or not options.names,
        shard=options.shard,
    )
    match format_:
        case "github-matrix":
            output.result(_matrix(portals, shards))
        case "json":
            output.result(_document(workspace, _listed(portals, workspace, options)))
        case _:
            output.result(_text(_listed(portals, workspace, options)))
    return int(ExitCode.DONE)


def _listed(
    portals: Sequence[PortalSettings], workspace: Workspace, options: PortalOptions
) -> list[Listed]:
    return [Listed(each, _problem(each, workspace, options)) for each in portals]


def _problem(portal: PortalSettings, workspace: Workspace, options: PortalOptions) -> str | None:
    try:
        read_token(portal, workspace, options.allowed, options.given)
    except ConfigurationInvalid as error:
        return error.diagnostics[0].message
    except ReconcilerError as error:
        return error.message
    return None


def _source(portal: PortalSettings) -> str:
    """The variable or the file; what looks like a token in its place is masked."""
    match portal.token:
        case EnvToken(name):
            return mask_alike(name)
        case FileToken(path):
            return str(path)


# ---------------------------------------------------------------- the formats


def _matrix(portals: Sequence[PortalSettings], shards: int | None) -> str:
    """One line: what `strategy.matrix` takes. A shard that no portal is in gets no job."""
    if shards is None and len(portals) <= MOST_JOBS:
        jobs = [{"portal": each.name} for each in portals]
    else:
        total = shards or MOST_JOBS
        used = sorted({shard_of(each.name, total) for each in portals})
        jobs = [{"shard": f"{each}/{total}"} for each in used]
    return json.dumps({"include": jobs}, separators=(",", ":"))


def _document(workspace: Workspace, listed: Sequence[Listed]) -> str:
    document = {
        "format_version": "1.0",
        "workspace": workspace_name(workspace.path),
        "portals": [
            {
                "name": each.settings.name,
                "portal_id": each.settings.portal_id,
                "overlays": [folder.path for folder in each.settings.overlays],
                "token": {
                    "env" if isinstance(each.settings.token, EnvToken) else "file": _source(
                        each.settings
                    ),
                    "at_hand": each.problem is None,
                    "problem": each.problem,
                },
            }
            for each in listed
        ],
    }
    return harmless_json(json.dumps(document, indent=2, ensure_ascii=False))


def _text(listed: Sequence[Listed]) -> str:
    """A line for each portal, and below them the tokens that are not at hand."""
    head = ("portal", "portal ID", "token", "at hand", "overlays")
    rows = [head, *map(_row, listed)]
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(padded(text, width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    missing = [each for each in listed if each.problem is not None]
    notes = [terminal(each.problem or "", PROSE_LIMIT) for each in missing]
    counted = f"{plural(len(listed), 'portal')}, {len(missing)} without a token at hand."
    return "\n".join([*lines, "", *notes, *([""] if notes else []), counted])


def _row(listed: Listed) -> tuple[str, ...]:
    settings = listed.settings
    return (
        terminal(settings.name),
        "any" if settings.portal_id is None else str(settings.portal_id),
        terminal(_source(settings)),
        "yes" if listed.problem is None else "no",
        terminal(", ".join(folder.path for folder in settings.overlays), PROSE_LIMIT),
    )


_OF_REQUESTS = {"base_url", "api_version", "concurrency", "portals_at_once", "timeout"}
for _option in command.params:
    # Accepted, as a script may give all commands the same; not shown, since no portal is asked.
    if isinstance(_option, click.Option) and _option.name in _OF_REQUESTS:
        _option.hidden = True
