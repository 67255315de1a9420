"""Find the workspace, its files and the portals that a command is for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.settings import settings
from reconciler.config import (
    EnvToken,
    FileToken,
    Loaded,
    PortalSettings,
    Workspace,
    default_workspace,
    find_workspace,
    load,
    load_workspace,
)
from reconciler.errors import CredentialError, UsageProblem


def open_workspace() -> Workspace:
    """The workspace of `--workspace`, of this directory or one above, or the default one."""
    named = settings().workspace
    if named is not None and not Path(named).is_file():
        raise click.BadParameter(f"{named} does not exist.", param_hint="--workspace")
    path = find_workspace(Path.cwd()) if named is None else Path(named)
    return default_workspace() if path is None else load_workspace(path)


def config_paths(workspace: Workspace, paths: Sequence[Path]) -> list[Path]:
    """The paths given, or the workspace's configs folder."""
    for path in paths:
        if not path.exists():
            raise click.BadParameter(f"{path} does not exist.", param_hint="PATH")
    return list(paths) or [_relative(workspace.root / workspace.configs)]


def load_config(workspace: Workspace, paths: Sequence[Path]) -> Loaded:
    """What the pair files say."""
    return load(config_paths(workspace, paths), prune=workspace.prune)


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


def read_token(portal: PortalSettings, workspace: Workspace) -> str:
    """The portal's token; its value never appears in an error."""
    match portal.token:
        case EnvToken(name):
            token = os.environ.get(name, "").strip()
            if not token:
                raise CredentialError(
                    f"no token for portal {portal.name}: {name} is not set",
                    hint=f"export {name}=… with the access token of a private app of the portal",
                )
            return token
        case FileToken(path):
            return _token_file(portal, workspace.root / path)


def _token_file(portal: PortalSettings, path: Path) -> str:
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CredentialError(
            f"no token for portal {portal.name}: cannot read {path}: {reason}"
        ) from error
    if not token:
        raise CredentialError(f"no token for portal {portal.name}: {path} is empty")
    return token
