"""Where a file is in the repository that holds it, whatever folder a command runs in.

Found by the nearest `.git` like everything else, without running git.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.git.repository import find_top, is_below, printable


def path_in_repository(path: str) -> str | None:
    """A path on disk from the top of the nearest repository, with forward slashes.

    None outside of any. Links on the way are followed, since git has what is behind them by its
    own path only; a link that leads out of the repository is named itself.
    """
    return _below(_top_of(path), _seen(path))


def own_path_in_repository(path: str) -> str | None:
    """As `path_in_repository`, but for a link to a file its own path, behind the links to its folder.

    A workspace file that is a link is another workspace: what it names is seen from its own folder.
    """
    _, itself, written = _seen(path)
    return _below(_top_of(path), (itself, written))


def path_in_checkout(path: str) -> str | None:
    """As `path_in_repository`; a submodule's files from the top of what the submodule is a part of.

    A pull request is about that one, which may have another file of the same path.
    """
    top = _top_of(path)
    while top is not None and (above := _superproject(top)) is not None:
        top = above
    return _below(top, _seen(path))


def _top_of(path: str) -> Path | None:
    return find_top(Path(path).parent) or find_top(Path.cwd())


def _superproject(top: Path) -> Path | None:
    """The repository that keeps the git folder of a submodule whose work tree is `top`."""
    above = find_top(top.parent)
    file = top / ".git"
    if above is None or not file.is_file():
        return None
    try:
        kept = os.fsdecode(file.read_bytes()).removeprefix("gitdir: ").rstrip("\n")
    except OSError:
        return None
    steps = Path(os.path.relpath(os.path.realpath(top / kept), above)).parts
    return above if steps[:1] == (".git",) and "modules" in steps else None


def _seen(path: str) -> tuple[str, str, str]:
    """A path behind all links, behind those of its folder, and as it is written."""
    written = os.path.abspath(path)  # noqa: PTH100 - links are not to be resolved yet
    itself = os.path.join(os.path.realpath(os.path.dirname(written)), os.path.basename(written))  # noqa: PTH118, PTH119, PTH120 - text
    return os.path.realpath(written), itself, written


def _below(top: Path | None, seen: Iterable[str]) -> str | None:
    """The first of these that is below the top, from there."""
    below = (each for each in seen if top is not None and is_below(each, str(top)))
    found = next(below, None)
    if top is None or found is None:
        return None
    return printable(Path(found).relative_to(top).as_posix())
