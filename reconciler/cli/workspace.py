"""Find the workspace, its files and the portals that a command is for."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.files import refuse_saved_plans
from reconciler.cli.given import Given
from reconciler.config.sources import (
    WORKSPACE_FILE,
    Loaded,
    Source,
    collect,
    read_source,
    shown_path,
)
from reconciler.config.workspace import (
    OverlayFolder,
    PortalSettings,
    Workspace,
    find_default,
    find_workspace,
    missed_workspace,
)
from reconciler.errors import (
    ConfigurationInvalid,
    Diagnostic,
    DiagnosticCode,
    Severity,
    UsageProblem,
)
from reconciler.git.repository import find_top, is_below
from reconciler.model.limits import Place

if TYPE_CHECKING:
    from reconciler.config.head import Head
    from reconciler.config.loading import Configuration


def open_workspace(given: Given) -> Workspace:
    """The workspace of `--workspace`, of this directory or one above, or the default one."""
    path = workspace_file(given)
    if path is None:
        workspace = find_default(Path())
    else:
        from reconciler.config.workspace_file import load_workspace  # pydantic only for a file

        named = given.workspace is not None
        if named and not path.is_file():
            raise click.BadParameter(f"{path} does not exist.", param_hint="--workspace")
        workspace = load_workspace(path)
        if named:
            return workspace
    _refuse_hidden(workspace)
    return workspace


def _refuse_hidden(workspace: Workspace) -> None:
    """A workspace file or folder nearer than the one found, which only the work tree lacks.

    Taking another in its place would plan for other files, and remove what these declare.
    """
    here, found = Path.cwd(), workspace.root.resolve()
    if find_top(here) is None:
        return
    nearer = [folder for folder in (here, *here.parents) if folder != found]
    nearer = [folder for folder in nearer if folder.is_relative_to(found)]
    names = [folder / WORKSPACE_FILE for folder in nearer]
    if workspace.path is None:
        names += [folder / workspace.configs for folder in nearer]
        names.append(found / WORKSPACE_FILE)
    _refuse_left_out(names)


def _refuse_left_out(paths: Sequence[Path]) -> None:
    """Raise ConfigurationInvalid for paths that HEAD has and the work tree leaves out."""
    if not paths or find_top(Path.cwd()) is None:
        return
    from reconciler.config.head import left_out

    hidden = [shown_path(path) for path in left_out(Path.cwd(), paths)]
    if hidden:
        raise ConfigurationInvalid([_hidden(path) for path in hidden])


def _hidden(shown: str) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.FILE_HIDDEN,
        f"{shown} is in the repository but not on disk (sparse checkout or skip-worktree)",
        Place(shown, 1, 1),
        hint="git sparse-checkout disable; git update-index --no-skip-worktree for one file",
    )


def workspace_file(given: Given) -> Path | None:
    """The path of `--workspace`, whether it is there or not, else of the one that is found."""
    return find_workspace(Path.cwd()) if given.workspace is None else Path(given.workspace)


def workspace_name(path: Path | None) -> str | None:
    """A workspace file's path as the repository knows it, whatever folder the command runs in."""
    if path is None:
        return None
    from reconciler.config.head import path_from_top

    return path_from_top(Path.cwd(), str(path)) or os.path.relpath(path)


def config_paths(workspace: Workspace, paths: Sequence[Path]) -> list[Path]:
    """The paths given, or the workspace's configs folder."""
    for path in paths:
        if not path.exists():
            raise click.BadParameter(f"{path} does not exist.", param_hint="PATH")
    if paths:
        refuse_saved_plans(paths)
    elif not workspace.config_directory.exists():
        _refuse_left_out([workspace.config_directory])
    return list(paths) or [_relative(workspace.root / workspace.configs)]


@dataclass(frozen=True, slots=True)
class Read:
    """The pair files and overlays as read, and what HEAD has of them.

    `head` None: there is no commit to ask. `warnings` are about the reading.
    """

    configuration: Configuration
    unreadable: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    head: Head | None

    def loaded(self, portal: PortalSettings) -> Loaded:
        """What the files say for a portal. Raises ConfigurationInvalid with all that is wrong."""
        overlays = [folder.path for folder in portal.overlays]
        loaded = self.configuration.loaded(overlays, earlier=self.unreadable)
        return replace(loaded, warnings=(*loaded.warnings, *self.warnings))


def load_config(
    workspace: Workspace, paths: Sequence[Path], portals: Sequence[PortalSettings]
) -> Read:
    """Read the pair files, and what the portals lay over them.

    Those are included that only a sparse checkout leaves out. Raises ConfigurationInvalid where
    there is nothing to read.
    """
    from reconciler.config.loading import Configuration, refuse_nothing  # pydantic only when needed

    given = config_paths(workspace, paths)
    folders = {folder.path: folder for portal in portals for folder in portal.overlays}
    found, unreadable = collect(given)
    overlays: dict[str, list[Source]] = {}
    for path, folder in folders.items():
        overlays[path], problems = _collect_overlays(workspace, folder)
        unreadable += problems
    every = (*found, *(source for each in overlays.values() for source in each))
    own = [_relative(workspace.root / path) for path in folders]
    head = _at_head(workspace, [*given, *own], every)
    hidden = () if head is None else head.hidden
    roots = {each.path: os.path.realpath(workspace.root / each.path) for each in workspace.overlays}
    sources = [each for each in (*found, *hidden) if not _is_in(each, roots.values())]
    for path, layer in overlays.items():
        layer += [each for each in hidden if _is_in(each, [roots[path]])]
    if found and not sources:
        unreadable.append(_overlays_only(found[0]))
    refuse_nothing(given, sources, unreadable)
    warnings = (*map(_read_from_head, hidden), *_missed_workspace(workspace))
    everything = workspace.config_directory.resolve()
    configuration = Configuration(
        sources,
        overlays,
        prune=workspace.prune,
        partial=not any(everything.is_relative_to(path.resolve()) for path in given),
        known={} if folders else None,
    )
    return Read(configuration, tuple(unreadable), warnings, head)


def _collect_overlays(
    workspace: Workspace, folder: OverlayFolder
) -> tuple[list[Source], list[Diagnostic]]:
    path = _relative(workspace.root / folder.path)
    if path.is_dir():
        return collect([path])
    words = "is not a folder" if path.exists() else "does not exist"
    return [], [
        Diagnostic(
            DiagnosticCode.OVERLAY_MISSING,
            f"the overlay {folder.path} {words}",
            folder.place or Place(str(workspace.path), 1, 1),
            hint=f"overlays are folders, seen from {workspace.path}; make {shown_path(path)}",
            secret_from=1 if folder.place is None else folder.place.line,
        )
    ]


def _is_in(source: Source, folders: Collection[str]) -> bool:
    """Whether a file lies in one of some folders, by real paths."""
    if not folders:
        return False
    real = os.path.realpath(source.path) if source.real is None else source.real
    return any(is_below(real, folder) for folder in folders)


def _overlays_only(source: Source) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.OVERLAY_ONLY,
        f"{source.path} is an overlay: it says nothing without the pair files that it is laid over",
        Place(source.path, 1, 1),
        hint="give the pair files, or no path at all",
    )


def _missed_workspace(workspace: Workspace) -> Iterator[Diagnostic]:
    missed = None if workspace.path else missed_workspace(Path())
    if missed is not None:
        shown = shown_path(missed)
        yield Diagnostic(
            DiagnosticCode.FILE_SUFFIX,
            f"{shown} is not read: the workspace file is called {WORKSPACE_FILE}",
            Place(shown, 1, 1),
            hint=f"rename it to {shown_path(missed.with_name(WORKSPACE_FILE))}",
            severity=Severity.WARNING,
            secret_from=1,
        )


def _at_head(workspace: Workspace, given: Sequence[Path], sources: Sequence[Source]) -> Head | None:
    """The pair files and the workspace file, which says as much of what is planned."""
    if find_top(Path.cwd()) is None:
        return None
    from reconciler.config.head import at_head

    own = None if workspace.path is None else read_source(workspace.path)
    paths = [str(path) for path in (*given, *([workspace.path] if workspace.path else []))]
    return at_head(Path.cwd(), paths, [*sources, *([own] if isinstance(own, Source) else [])])


def _read_from_head(source: Source) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.FILE_HIDDEN,
        f"{source.path} is not on disk (sparse checkout or skip-worktree); it was read from HEAD",
        Place(source.path, 1, 1),
        hint="git sparse-checkout disable; git update-index --no-skip-worktree for one file",
        severity=Severity.WARNING,
    )


def _relative(path: Path) -> Path:
    """Shown from here, as a person would write it."""
    return Path(os.path.relpath(path))


def choose_portals(
    workspace: Workspace, names: Sequence[str], *, every: bool, shard: str | None
) -> list[PortalSettings]:
    """The portals a command is for, in the workspace's order."""
    known = {portal.name: portal for portal in workspace.portals}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageProblem(
            f"the workspace has no portal named {unknown[0]!r}",
            hint=f"it has {', '.join(known)}",
        )
    if names and every:
        raise UsageProblem("--portal and --all-portals contradict each other")
    if shard is not None and not every:
        raise UsageProblem("--shard goes with --all-portals")
    if every:
        return _shard(list(known.values()), shard)
    if names:
        return [portal for name, portal in known.items() if name in names]
    if len(known) > 1:
        raise UsageProblem(
            f"the workspace has {len(known)} portals: say which",
            hint=f"--portal NAME, one of {', '.join(known)}; or --all-portals",
        )
    return list(known.values())


def _shard(portals: list[PortalSettings], shard: str | None) -> list[PortalSettings]:
    if shard is None:
        return portals
    index, _, total = shard.partition("/")
    if not (index.isdecimal() and total.isdecimal() and 1 <= int(index) <= int(total)):
        raise UsageProblem(f"--shard {shard}: write I/N with 1 ≤ I ≤ N, such as 2/8")
    return portals[int(index) - 1 :: int(total)]
