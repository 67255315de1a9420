"""`reconciler fmt`: pair files in one canonical form."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.files import replace_file
from reconciler.cli.options import PATHS, Given, given_options
from reconciler.cli.workspace import config_paths, open_workspace
from reconciler.config.sources import Source, collect
from reconciler.errors import (
    ConfigurationInvalid,
    Diagnostic,
    ExitCode,
    ReconcilerError,
    Severity,
    plural,
)


@dataclass(frozen=True, slots=True)
class Formatted:
    """A file that is not canonical, and what it would be."""

    source: Source
    text: str

    @property
    def diff(self) -> str:
        path = self.source.path
        before = self.source.content.decode().splitlines(keepends=True)
        after = self.text.splitlines(keepends=True)
        lines = difflib.unified_diff(before, after, path, f"{path} (canonical)")
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


@click.command("fmt")
@PATHS
@click.option("--check", is_flag=True, help="Write nothing; exit 2 when files are not canonical.")
@click.option("--diff", is_flag=True, help="Show what changes, as unified diffs.")
def command(paths: tuple[Path, ...], check: bool, diff: bool) -> int:  # noqa: FBT001 - click passes flags by name
    """Write the pair files below PATHS in canonical form. Comments and meaning are kept.

    Without PATHS: the workspace's configs folder and overlays. A file that cannot be formatted safely is
    reported and left as it is (exit 3).
    """
    from reconciler.config.formatting import canonical_text  # ruamel, not for --help

    given = given_options()
    workspace = open_workspace(given)
    own = [] if paths else [workspace.root / each.path for each in workspace.overlays]
    there = [shown for shown in own if shown.is_dir()]
    sources, problems = collect([*config_paths(workspace, paths), *there])
    changed: list[Formatted] = []
    for source in sources:
        match canonical_text(source):
            case str(text):
                if text.encode() != source.content:
                    changed.append(Formatted(source, text))
            case found:
                problems += found
    if not check:
        _write(changed)
    shown = [each.diff.rstrip("\n") if diff else each.source.path for each in changed]
    counts = _counts(len(changed), len(sources), check=check)
    output.result("\n".join([*shown, counts]), brief=counts)
    return int(_exit_code(problems, given, pending=check and bool(changed)))


def _write(files: Sequence[Formatted]) -> None:
    """Write each file completely or not at all; raises ReconcilerError, with what was written."""
    for number, each in enumerate(files):
        path = Path(each.source.real or each.source.path)
        try:
            replace_file(path, each.text.encode(), was=each.source.content)
        except ReconcilerError as error:
            done = f"; {plural(number, 'file')} of {len(files)} formatted before it"
            raise ReconcilerError(f"{error.message}{done}", hint=error.hint) from error


def _counts(changed: int, files: int, *, check: bool) -> str:
    if not changed:
        return f"Nothing to format: {plural(files, 'file')} read."
    if check:
        return f"Not canonical: {changed} of {plural(files, 'file')}. Run `reconciler fmt`."
    return f"Formatted: {changed} of {plural(files, 'file')}."


def _exit_code(problems: list[Diagnostic], given: Given, *, pending: bool) -> ExitCode:
    if any(each.severity is Severity.ERROR for each in problems):
        raise ConfigurationInvalid(problems)
    output.show_diagnostics(problems, given)
    return ExitCode.PENDING if pending else ExitCode.DONE
