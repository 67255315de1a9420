"""What a command works on: the workspace that is found, its files, its portals and their tokens."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.files import read_regular
from reconciler.cli.options import Allowed, Given
from reconciler.cli.saved import refuse_saved_plans
from reconciler.config.sources import WORKSPACE_FILE, boundary_of_folder, shown_path
from reconciler.config.workspace import (
    EnvToken,
    FileToken,
    PortalSettings,
    Workspace,
    find_default,
    find_workspace,
    path_from_here,
)
from reconciler.errors import (
    ConfigurationInvalid,
    CredentialError,
    Diagnostic,
    DiagnosticCode,
    Severity,
    UsageProblem,
    first_few,
)
from reconciler.git.paths import own_path_in_repository
from reconciler.git.repository import find_top
from reconciler.model.limits import Place
from reconciler.opening import HAS_MODES
from reconciler.outgoing import LONGEST_TOKEN, Secret, know
from reconciler.spelling import escaped, nearest


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
    if find_top(Path.cwd()) is not None:
        _refuse_hidden(workspace)
    return workspace


def _refuse_hidden(workspace: Workspace) -> None:
    """A workspace file or folder nearer than the one found, which only the work tree lacks.

    Taking another in its place would plan for other files, and remove what these declare.
    """
    here, found = Path.cwd(), workspace.root.resolve()
    nearer = [folder for folder in (here, *here.parents) if folder != found]
    nearer = [folder for folder in nearer if folder.is_relative_to(found)]
    names = [folder / WORKSPACE_FILE for folder in nearer]
    if workspace.path is None:
        names += [folder / workspace.configs for folder in nearer]
        names.append(found / WORKSPACE_FILE)
    refuse_left_out(names)


def refuse_left_out(paths: Sequence[Path]) -> None:
    """Raise ConfigurationInvalid for paths that HEAD has and the work tree leaves out."""
    if not paths or find_top(Path.cwd()) is None:
        return
    from reconciler.config.head import left_out  # only in a repository

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
    return find_workspace(Path()) if given.workspace is None else Path(given.workspace)


def workspace_name(path: Path | None) -> str | None:
    """A workspace file's path as the repository knows it, whatever folder the command runs in."""
    if path is None:
        return None
    return own_path_in_repository(str(path)) or os.path.relpath(path)


def config_paths(workspace: Workspace, paths: Sequence[Path]) -> list[Path]:
    """The paths given, or the workspace's configs folder."""
    for path in paths:
        if not path.exists():
            raise click.BadParameter(f"{path} does not exist.", param_hint="PATH")
    if paths:
        refuse_saved_plans(paths)
    elif not workspace.config_directory.exists():
        refuse_left_out([workspace.config_directory])
        if workspace.configs_place is not None:
            raise ConfigurationInvalid([_no_folder(workspace, workspace.configs_place)])
    return list(paths) or [path_from_here(workspace.config_directory)]


def _no_folder(workspace: Workspace, place: Place) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.FILE_MISSING,
        f"the folder {workspace.configs} does not exist",
        place,
        hint=f"`configs` is a folder, seen from {place.path}",
    )


def choose_portals(
    workspace: Workspace, names: Sequence[str], *, every: bool, shard: str | None
) -> list[PortalSettings]:
    """The portals a command is for, in the workspace's order."""
    known = {portal.name: portal for portal in workspace.portals}
    unknown = [name for name in names if name not in known]
    named = list(known)
    if unknown:
        alike = nearest(unknown[0], known)
        raise UsageProblem(
            f"the workspace has no portal named {escaped(unknown[0])}",
            hint=f"did you mean {alike[0]}?" if alike else f"it has {first_few(named, 10)}",
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
            hint=f"--portal NAME, one of {first_few(named, 10)}; or --all-portals",
        )
    return list(known.values())


def _shard(portals: list[PortalSettings], shard: str | None) -> list[PortalSettings]:
    if shard is None:
        return portals
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", shard)
    index, total = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= index <= total:
        raise UsageProblem(f"--shard {shard}: write I/N with 1 ≤ I ≤ N, such as 2/8")
    return [each for each in portals if shard_of(each.name, total) == index]


def shard_of(portal: str, total: int) -> int:
    """The part, from 1 to `total`, that a portal is in: by the SHA-256 of its name.

    So it is on every machine and in every version, and another portal moves no one.
    """
    return int.from_bytes(sha256(portal.encode()).digest()[:8]) % total + 1


# ---------------------------------------------------------------- tokens

# The workspace file is committed. Whoever may change it may not choose what is sent to HubSpot:
# variables that begin with HUBSPOT_ and files outside the repository are meant for it, anything
# else has to be allowed on the command line.

PREFIX = "HUBSPOT_"
_OF_FORGES = ("GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def know_environment() -> None:
    """Mask the tokens of the environment from here on, before any of them is read.

    One may stand in a file by mistake, which is shown while it is checked.
    """
    for name, value in os.environ.items():
        if name in _OF_FORGES or (name.startswith(PREFIX) and name.endswith("_TOKEN")):
            know(value.strip())


def check_sources(
    portals: Sequence[PortalSettings], workspace: Workspace, allowed: Allowed
) -> None:
    """Raise ConfigurationInvalid with every portal whose token may not come from where it says."""
    found = source_problems(portals, workspace, allowed)
    if found:
        raise ConfigurationInvalid(found)


def source_problems(
    portals: Sequence[PortalSettings],
    workspace: Workspace,
    allowed: Allowed,
    severity: Severity = Severity.ERROR,
) -> list[Diagnostic]:
    """A diagnostic per portal whose token may not come from where the workspace says."""
    found = []
    for portal in portals:
        problem = _problem(portal, workspace, allowed)
        if problem is not None:
            message, hint = problem
            place = portal.token.place or Place(str(workspace.path), 1, 1)
            found.append(
                Diagnostic(
                    DiagnosticCode.TOKEN_SOURCE,
                    message,
                    place,
                    hint=hint,
                    severity=severity,
                    secret_from=place.line,  # the name may be a token by mistake
                )
            )
    return found


def _problem(
    portal: PortalSettings, workspace: Workspace, allowed: Allowed
) -> tuple[str, str] | None:
    match portal.token:
        case EnvToken(name):
            if name.startswith(PREFIX) or name in allowed.variables:
                return None
            is_name = name.isupper()
            why = f"{name if is_name else 'this variable'}, which does not begin with {PREFIX}"
            way = f"--allow-token-env {name if is_name else 'NAME'}"
            hint = f"name the variable {PREFIX}…, or allow it with {way}"
        case FileToken(path):
            file = workspace.root / path
            if not _is_in_repository(file, workspace) or _is_named(file, allowed):
                return None
            why = f"{path}, which lies in the repository"
            hint = f"keep it outside the repository, or name the file with --token-file {file}"
    return f"the token of portal {portal.name} may not be read from {why}", hint


def _is_in_repository(file: Path, workspace: Workspace) -> bool:
    """By the real path, whatever links lead there."""
    here = find_top(Path.cwd())
    tops = [Path(boundary_of_folder(workspace.root).root), *([] if here is None else [here])]
    real = Path(os.path.realpath(file))
    return any(real.is_relative_to(top) for top in tops)


def _is_named(file: Path, allowed: Allowed) -> bool:
    return os.path.realpath(file) in {os.path.realpath(each) for each in allowed.files}


def with_named_files(workspace: Workspace, allowed: Allowed) -> Workspace:
    """Without a workspace file, the file that is named holds the token of the only portal.

    Raises UsageProblem for a file that holds no portal's token: nothing would be read from it.
    """
    if workspace.path is None and len(allowed.files) == 1:
        (only,) = workspace.portals
        return replace(
            workspace, portals=(replace(only, token=FileToken(allowed.files[0].absolute())),)
        )
    read = {
        os.path.realpath(workspace.root / portal.token.path)
        for portal in workspace.portals
        if isinstance(portal.token, FileToken)
    }
    for file in allowed.files:
        if os.path.realpath(file) not in read:
            raise UsageProblem(f"--token-file {file}: no portal reads its token from this file")
    return workspace


def read_token(
    portal: PortalSettings, workspace: Workspace, allowed: Allowed, given: Given
) -> Secret:
    """The portal's token; its value never appears in an error.

    Raises CredentialError where it is missing or cannot be one, and as `check_sources` does.
    """
    check_sources([portal], workspace, allowed)
    match portal.token:
        case EnvToken(name):
            token = os.environ.get(name, "").strip()
            if not token:
                raise CredentialError(
                    f"no token for portal {portal.name}: {name} is not set",
                    hint=f"export {name}=… with a service key of the portal: "
                    'see "Access to HubSpot" in the README',
                )
            return Secret(token, name)
        case FileToken(path):
            file = workspace.root / path
            token = _content(portal, file, given)
            if not token:
                raise CredentialError(f"no token for portal {portal.name}: {file} is empty")
            return Secret(token, str(file))


def _content(portal: PortalSettings, file: Path, given: Given) -> str:
    """What a token file holds. A pipe or a device is not read: that may never end."""
    try:
        found, status = read_regular(file, LONGEST_TOKEN + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _unusable(portal, file, reason) from error
    if len(found) > LONGEST_TOKEN:
        raise _unusable(portal, file, "it is larger than 4 KiB, so it is not a token")
    _warn(file, stat.S_IMODE(status.st_mode), given)
    try:
        return found.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise _unusable(portal, file, "it is not text") from None


@lru_cache(maxsize=256)  # a plan and its apply read the token each, and one warning is enough
def _warn(file: Path, mode: int, given: Given) -> None:
    if HAS_MODES and mode & _OTHERS:
        output.note(
            f"warning: {file} is open to other users of this machine (mode {mode:04o}): chmod 600",
            given,
        )


def _unusable(portal: PortalSettings, file: Path, reason: str) -> CredentialError:
    return CredentialError(f"no token for portal {portal.name}: cannot read {file}: {reason}")
