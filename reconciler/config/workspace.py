"""The workspace: where it is, which portals there are, what is safe, and its files as read."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.config.sources import (
    WORKSPACE_FILE,
    Loaded,
    Source,
    boundary_of,
    collect,
    read_source,
    shown_path,
)
from reconciler.defaults import API_VERSION
from reconciler.errors import ConfigurationInvalid, Diagnostic, DiagnosticCode, Severity
from reconciler.git.repository import find_top, is_below
from reconciler.model.limits import Place, Safety

if TYPE_CHECKING:
    from reconciler.config.head import Head
    from reconciler.config.loading import Configuration

DEFAULT_CONFIGS = "configs"
DEFAULT_PORTAL = "default"
DEFAULT_SAFETY = Safety()
DEFAULT_TOKEN_VARIABLE = "HUBSPOT_ACCESS_TOKEN"  # noqa: S105 - a variable's name, no token
_LIKE_A_WORKSPACE = frozenset({WORKSPACE_FILE, "reconciler.yml"})


@dataclass(frozen=True, slots=True)
class EnvToken:
    """A token in an environment variable; `place`: where the workspace file names it."""

    name: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FileToken:
    """A token in a file; a relative path is taken from the workspace's `root`."""

    path: Path
    place: Place | None = field(default=None, compare=False)


Token = EnvToken | FileToken


@dataclass(frozen=True, slots=True)
class OverlayFolder:
    """A folder of overlays, from the workspace's `root`; `place`: where the file names it."""

    path: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """A portal of the workspace; `portal_id` None: any portal the token belongs to.

    `overlays` are laid over the pair files, the last one on top.
    """

    name: str
    portal_id: int | None = None
    token: Token = EnvToken(DEFAULT_TOKEN_VARIABLE)
    overlays: tuple[OverlayFolder, ...] = ()


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the workspace file says, or stands for it where there is none.

    `path` is the file as it was found; `root` the directory that `configs` is in.
    """

    path: Path | None = None
    root: Path = Path()
    configs: str = DEFAULT_CONFIGS
    api_version: str = API_VERSION
    prune: bool = True
    safety: Safety = DEFAULT_SAFETY
    portals: tuple[PortalSettings, ...] = (PortalSettings(DEFAULT_PORTAL),)
    configs_place: Place | None = field(default=None, compare=False)

    @property
    def config_directory(self) -> Path:
        return self.root / self.configs

    @property
    def overlays(self) -> tuple[OverlayFolder, ...]:
        """The folders of overlays of all portals, each once."""
        every = (folder for portal in self.portals for folder in portal.overlays)
        return tuple({folder.path: folder for folder in every}.values())


def find_workspace(start: Path) -> Path | None:
    """The workspace file in `start` or the nearest directory above; relative if `start` is.

    Not above the top of the repository that `start` is in. What is there and cannot be read, such
    as a dangling link, is found all the same: it must not pass for a missing file.
    """
    for directory in _upwards(start):
        path = directory / WORKSPACE_FILE
        if os.path.lexists(path) and not path.is_dir():
            return path
    return None


def find_default(start: Path) -> Workspace:
    """The workspace without a file: `configs` in `start` or the nearest directory above.

    Raises ConfigurationInvalid where `configs` is a link that leads out of the repository.
    """
    found = (each for each in _upwards(start) if os.path.lexists(each / DEFAULT_CONFIGS))
    workspace = Workspace(root=next(found, start))
    boundary = boundary_of(workspace.root)
    if not boundary.holds(os.path.realpath(workspace.config_directory)):
        raise ConfigurationInvalid([boundary.refusal(shown_path(workspace.config_directory))])
    return workspace


def _upwards(start: Path) -> Iterator[Path]:
    """A directory and those above it, to the top of its repository."""
    top = find_top(start)
    directory = start
    for real in (resolved := start.resolve(), *resolved.parents):
        yield directory
        if real == top:
            return
        directory = directory.parent if directory.is_absolute() else directory / ".."


def path_from_here(path: Path) -> Path:
    """A path as a person would write it in the current directory."""
    return Path(os.path.relpath(path))


# ---------------------------------------------------------------- its files


@dataclass(frozen=True, slots=True)
class Read:
    """The pair files and overlays as read, and what HEAD has of them.

    `unreadable`: what is wrong with the pair files, and `of_overlays` with an overlay's folder by
    its path. `head` None: there is no commit to ask. `warnings` are about the reading.
    """

    configuration: Configuration
    unreadable: tuple[Diagnostic, ...]
    of_overlays: Mapping[str, Sequence[Diagnostic]]
    warnings: tuple[Diagnostic, ...]
    head: Head | None

    def loaded(self, portal: PortalSettings) -> Loaded:
        """What the files say for a portal. Raises ConfigurationInvalid with all that is wrong."""
        overlays = [folder.path for folder in portal.overlays]
        problems = [each for path in overlays for each in self.of_overlays.get(path, ())]
        loaded = self.configuration.loaded(overlays, earlier=[*self.unreadable, *problems])
        return replace(loaded, warnings=(*loaded.warnings, *self.warnings))


def read_files(
    workspace: Workspace, given: Sequence[Path], portals: Sequence[PortalSettings]
) -> Read:
    """Read the pair files at the paths given, and what the portals lay over them.

    Those are included that only a sparse checkout leaves out. Raises ConfigurationInvalid where
    there is nothing to read.
    """
    from reconciler.config.loading import Configuration, refuse_nothing  # pydantic only when needed

    folders = {folder.path: folder for portal in portals for folder in portal.overlays}
    found, unreadable = collect(given)
    overlays: dict[str, list[Source]] = {}
    of_overlays: dict[str, list[Diagnostic]] = {}
    every = list(found)
    for path, folder in folders.items():
        overlays[path], of_overlays[path] = _collect_overlays(workspace, folder, every)
        every += overlays[path]
    own = [path_from_here(workspace.root / path) for path in folders]
    in_repository = find_top(Path.cwd()) is not None
    head = _at_head(workspace, [*given, *own], every) if in_repository else None
    hidden = () if head is None else head.hidden
    roots = {each.path: os.path.realpath(workspace.root / each.path) for each in workspace.overlays}
    sources = [*found, *hidden]
    if roots:
        sources = [each for each in sources if not _is_in(each, roots.values())]
    for path, layer in overlays.items():
        layer += [each for each in hidden if _is_in(each, [roots[path]])]
    if found and not sources:
        unreadable.append(_overlays_only(found[0]))
    refuse_nothing(given, sources, unreadable)
    warnings = (*map(_read_from_head, hidden), *_misnamed(workspace))
    everything = workspace.config_directory.resolve()
    configuration = Configuration(
        sources,
        overlays,
        prune=workspace.prune,
        partial=not any(everything.is_relative_to(path.resolve()) for path in given),
        known={} if folders else None,
    )
    return Read(configuration, tuple(unreadable), of_overlays, warnings, head)


def _collect_overlays(
    workspace: Workspace, folder: OverlayFolder, before: Sequence[Source]
) -> tuple[list[Source], list[Diagnostic]]:
    path = path_from_here(workspace.root / folder.path)
    if path.is_dir():
        return collect([path], before=before)
    words = "is not a folder" if path.exists() else "does not exist"
    file = shown_path(workspace.path) if workspace.path else WORKSPACE_FILE
    return [], [
        Diagnostic(
            DiagnosticCode.OVERLAY_MISSING,
            f"the overlay {folder.path} {words}",
            folder.place or Place(file, 1, 1),
            hint=f"overlays are folders, seen from {file}; make {shown_path(path)}",
            secret_from=1 if folder.place is None else folder.place.line,
        )
    ]


def _is_in(source: Source, folders: Collection[str]) -> bool:
    """Whether a file lies in one of some folders, by real paths."""
    real = os.path.realpath(source.path) if source.real is None else source.real
    return any(is_below(real, folder) for folder in folders)


def _overlays_only(source: Source) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.OVERLAY_ONLY,
        f"{source.path} is an overlay: it says nothing without the pair files that it is laid over",
        Place(source.path, 1, 1),
        hint="give the pair files, or no path at all",
    )


def _misnamed(workspace: Workspace) -> Iterator[Diagnostic]:
    """A file that only its suffix or its case keeps from being the workspace file."""
    if workspace.path is not None:
        return
    here = Path()
    for directory in _upwards(here) if find_top(here) else (here,):
        try:
            names = sorted(os.listdir(directory))  # noqa: PTH208 - names are what is compared
        except OSError:  # a folder that nobody may list holds no file that anybody could rename
            continue
        for name in names:
            if name.lower() in _LIKE_A_WORKSPACE and name != WORKSPACE_FILE:
                yield _not_the_workspace(directory / name)
                return


def _not_the_workspace(path: Path) -> Diagnostic:
    shown = shown_path(path)
    return Diagnostic(
        DiagnosticCode.FILE_SUFFIX,
        f"{shown} is not read: the workspace file is called {WORKSPACE_FILE}",
        Place(shown, 1, 1),
        hint=f"rename it to {shown_path(path.with_name(WORKSPACE_FILE))}",
        severity=Severity.WARNING,
        secret_from=1,
    )


def _at_head(workspace: Workspace, given: Sequence[Path], sources: Sequence[Source]) -> Head | None:
    """The pair files and the workspace file, which says as much of what is planned."""
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
