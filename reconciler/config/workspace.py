"""The workspace: where the pair files are, which portals there are, and what is safe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reconciler.config.files import WORKSPACE_FILE, read_source
from reconciler.config.source import Source
from reconciler.errors import ConfigurationInvalid, Diagnostic
from reconciler.model import Safety

API_VERSIONS = ("v4", "2025-09", "2026-03", "2026-09")
"""HubSpot's API versions that have association limits, oldest first (documented)."""

DEFAULT_API_VERSION = "2026-03"
DEFAULT_CONFIGS = "configs"
DEFAULT_PORTAL = "default"
DEFAULT_SAFETY = Safety()
DEFAULT_TOKEN_VARIABLE = "HUBSPOT_ACCESS_TOKEN"  # noqa: S105 - a variable's name, no token


@dataclass(frozen=True, slots=True)
class EnvToken:
    """A token in an environment variable."""

    name: str


@dataclass(frozen=True, slots=True)
class FileToken:
    """A token in a file; a relative path is taken from the workspace's `root`."""

    path: Path


Token = EnvToken | FileToken


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """A portal of the workspace; `portal_id` None: any portal the token belongs to."""

    name: str
    portal_id: int | None = None
    token: Token = EnvToken(DEFAULT_TOKEN_VARIABLE)


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the workspace file says, or stands for it where there is none.

    `path` is the file as it was found; `root` the directory that `configs` is in.
    """

    path: Path | None = None
    root: Path = Path()
    configs: str = DEFAULT_CONFIGS
    api_version: str = DEFAULT_API_VERSION
    prune: bool = True
    safety: Safety = DEFAULT_SAFETY
    portals: tuple[PortalSettings, ...] = (PortalSettings(DEFAULT_PORTAL),)

    @property
    def config_directory(self) -> Path:
        return self.root / self.configs


def default_workspace() -> Workspace:
    """The workspace of a directory without a workspace file: one portal, named `default`."""
    return Workspace()


def find_workspace(start: Path) -> Path | None:
    """The workspace file in `start` or the nearest directory above; relative if `start` is."""
    directory = start
    for _ in (resolved := start.resolve(), *resolved.parents):
        if (directory / WORKSPACE_FILE).is_file():
            return directory / WORKSPACE_FILE
        directory = directory.parent if directory.is_absolute() else directory / ".."
    return None


def load_workspace(path: Path) -> Workspace:
    """Read a workspace file. Raises ConfigurationInvalid with every diagnostic."""
    source = read_source(path)
    if isinstance(source, Diagnostic):
        raise ConfigurationInvalid([source])
    return _parse(source, path)


def parse_workspace(source: Source) -> Workspace:
    """What a workspace file says. Raises ConfigurationInvalid with every diagnostic."""
    return _parse(source, Path(source.path))


def _parse(source: Source, path: Path) -> Workspace:
    from reconciler.config.workspace_reading import read_workspace  # pydantic only when needed

    return read_workspace(source, path)
