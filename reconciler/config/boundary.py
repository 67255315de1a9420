"""How far paths may lead: to the top of the repository, or of the folder that was named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.git.repository import find_top, has_git, is_below
from reconciler.model.limits import Place

_GIT = ".git"
_LARGEST_GIT_FILE = 4096


@dataclass(frozen=True, slots=True)
class Boundary:
    """A folder, by its real path, that files of the configuration must not leave.

    `git_directory` is git's own folder: its files may hold credentials, so it counts as outside.
    """

    root: str
    git_directory: str | None = None
    is_repository: bool = False

    def holds(self, real: str) -> bool:
        """Whether a real path (no symbolic links in it) lies within."""
        if not is_below(real, self.root):
            return False
        if any(step.casefold() == _GIT for step in Path(real[len(self.root) :]).parts):
            return False
        return self.git_directory is None or not is_below(real, self.git_directory)

    def refusal(self, shown: str, place: Place | None = None) -> Diagnostic:
        """The diagnostic of a path that leads outside; nothing of it was read."""
        kept = "the repository" if self.is_repository else f"the folder {self.root}"
        return Diagnostic(
            DiagnosticCode.PATH_OUTSIDE,
            f"{shown} leads out of {kept}, so it is not read",
            place or Place(shown, 1, 1),
            hint=f"keep the files of the configuration in {kept}",
        )


def boundary_of(path: Path) -> Boundary:
    """How far a path given on the command line, and the links below it, may lead.

    A path in the repository of the current directory must stay in it, wherever its links point.
    Any other path was chosen by the user: the boundary is its own repository, or its own folder.
    """
    here = find_top(Path.cwd())
    written = os.path.abspath(path)  # noqa: PTH100 - links are not to be resolved yet
    if here is not None and is_below(written, str(here)):
        return _repository(here)
    folder = Path(written) if os.path.isdir(written) else Path(written).parent  # noqa: PTH112 - takes NUL
    top = _top_as_written(folder)
    return Boundary(os.path.realpath(folder)) if top is None else _repository(top)


def boundary_of_folder(folder: Path) -> Boundary:
    """The repository that a folder lies in, or the folder itself."""
    top = find_top(folder)
    return Boundary(os.path.realpath(folder)) if top is None else _repository(top)


def _top_as_written(folder: Path) -> Path | None:
    """The repository by the path as it was written.

    A link to a repository is one only where no repository holds the link: a committed link must
    not choose its own boundary.
    """
    linked = None
    for above in (folder, *folder.parents):
        if not has_git(above):
            continue
        if not above.is_symlink():
            return Path(os.path.realpath(above))
        linked = linked or above
    return None if linked is None else Path(os.path.realpath(linked))


def _repository(top: Path) -> Boundary:
    return Boundary(str(top), _git_directory(top), is_repository=True)


def _git_directory(top: Path) -> str | None:
    """Where the `.git` file of a submodule or a linked work tree points to."""
    file = top / _GIT
    try:
        if not file.is_file():
            return os.path.realpath(file)
        with file.open("rb") as opened:
            kind, _, target = os.fsdecode(opened.read(_LARGEST_GIT_FILE)).partition("gitdir: ")
    except OSError:
        return None
    return os.path.realpath(top / target.rstrip("\n")) if not kind and target else None
