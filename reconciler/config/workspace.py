"""The workspace: where it is, where its pair files are, which portals there are, what is safe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.sources import WORKSPACE_FILE, boundary_of, shown_path
from reconciler.defaults import API_VERSION
from reconciler.errors import ConfigurationInvalid
from reconciler.git.repository import find_top
from reconciler.model.limits import Place, Safety

DEFAULT_CONFIGS = "configs"
DEFAULT_PORTAL = "default"
DEFAULT_SAFETY = Safety()
DEFAULT_TOKEN_VARIABLE = "HUBSPOT_ACCESS_TOKEN"  # noqa: S105 - a variable's name, no token


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


def missed_workspace(start: Path) -> Path | None:
    """A file that only its suffix or its case keeps from being the workspace file of `start`."""
    for directory in _upwards(start) if find_top(start) else (start,):
        try:
            names = sorted(os.listdir(directory))  # noqa: PTH208 - names are what is compared
        except OSError:  # a folder that nobody may list holds no file that anybody could rename
            continue
        for name in names:
            if name.lower() in _LIKE_A_WORKSPACE and name != WORKSPACE_FILE:
                return directory / name
    return None


_LIKE_A_WORKSPACE = frozenset({WORKSPACE_FILE, "reconciler.yml"})


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
