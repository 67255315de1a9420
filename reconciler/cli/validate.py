"""`reconciler validate`: check the files offline."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.from_top import MOST_KEPT, github_annotations, sarif_log
from reconciler.cli.options import Allowed, Given, given_options
from reconciler.cli.workspace import (
    config_paths,
    know_environment,
    open_workspace,
    source_problems,
    workspace_file,
)
from reconciler.config.sources import Loaded
from reconciler.config.workspace import Workspace, read_files
from reconciler.errors import (
    ConfigurationInvalid,
    Diagnostic,
    ExitCode,
    Severity,
    plural,
    severities,
)
from reconciler.model.limits import Desired
from reconciler.report.diagnostics import diagnostics_json
from reconciler.report.terminal import Mark


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How findings are written; text goes to stderr.",
)
def command(paths: tuple[Path, ...], format_: str) -> int:
    """Check the workspace file and the pair files below PATHS without a portal.

    Without PATHS: the workspace's configs folder. All errors of all files are reported in one run.
    """
    know_environment()
    given = given_options()
    findings, desired = _check(paths, given)
    _report(format_, findings, desired, given)
    return int(ExitCode.INVALID if desired is None else ExitCode.DONE)


def _check(paths: tuple[Path, ...], given: Given) -> tuple[tuple[Diagnostic, ...], Desired | None]:
    """Everything there is to say of the files, and what they say if all are valid.

    An invalid workspace file does not hide what is wrong with the pair files: those that are
    given, else those in the usual folder beside it, unless it may name another.
    """
    found: list[Diagnostic] = []
    try:
        workspace = open_workspace(given)
    except ConfigurationInvalid as error:
        found += error.diagnostics
        file = workspace_file(given)
        workspace = Workspace(root=Path() if file is None else file.parent)
        if not paths and not workspace.config_directory.exists():
            return tuple(found), None
    warnings = source_problems(workspace.portals, workspace, Allowed(), Severity.WARNING)
    loaded: list[Loaded] = []
    try:
        read = read_files(workspace, config_paths(workspace, paths), workspace.portals)
        for portal in {each.overlays: each for each in workspace.portals}.values():
            try:
                loaded.append(read.loaded(portal))
            except ConfigurationInvalid as error:
                found += error.diagnostics
    except ConfigurationInvalid as error:
        found += error.diagnostics
    findings = (*found, *warnings, *(each for one in loaded for each in one.warnings))
    valid = loaded and not any(each.severity is Severity.ERROR for each in found)
    files = dict.fromkeys(file for one in loaded for file in one.desired.files)
    desired = replace(loaded[0].desired, files=tuple(files)) if valid else None
    return tuple(dict.fromkeys(findings)), desired


def _report(
    format_: str, findings: tuple[Diagnostic, ...], desired: Desired | None, given: Given
) -> None:
    match format_:
        case "json":
            output.result(diagnostics_json(findings))
        case "github":
            output.result(github_annotations(findings, output.source_lines()))
            if len(findings) > MOST_KEPT:
                output.show_diagnostics(findings, given)
        case "sarif":
            output.result(sarif_log(findings, output.source_lines()))
        case _:
            _report_text(findings, desired, given)


def _report_text(findings: tuple[Diagnostic, ...], desired: Desired | None, given: Given) -> None:
    output.show_diagnostics(findings, given)
    if desired is None:
        verdict = output.style(given, sys.stderr).mark(Mark.BAD, "error:")
        words = ConfigurationInvalid(findings).message
        click.echo(f"{verdict} {words}", err=True, color=True)
        return
    limits = sum(len(direction.limits) for direction in desired.directions)
    counts = (
        plural(len(desired.files), "file"),
        plural(len(desired.directions), "direction"),
        plural(limits, "limit"),
    )
    warned = f" With {severities(findings)}." if findings else ""
    output.result(f"Valid: {', '.join(counts)}.{warned}")
