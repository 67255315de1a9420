"""The configuration's files, wherever they are: one way to find them, on disk and in a commit.

Paths on disk lead to the top of the repository at most, or of the folder that was named.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from reconciler.errors import Diagnostic, DiagnosticCode, Severity
from reconciler.git.repository import find_top, has_git, is_below
from reconciler.model.limits import Desired, Place
from reconciler.opening import READING_NO_LINK

WORKSPACE_FILE = "reconciler.yaml"
"""The name of the workspace file, which is no pair file."""

MAXIMUM_DEPTH = 32
"""Most folders within each other that are searched."""

MAXIMUM_FILES = 10_000
"""Most pair files that one run reads, and half as many as the folders and files it looks at."""

MAXIMUM_PROBLEMS = 1_000
"""Most paths that cannot be read until the search ends."""

MAXIMUM_BYTES = 1 << 20
"""The largest file that is read: 1 MiB."""

MAXIMUM_TOTAL = 64 << 20
"""Most bytes that all pair files have together."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file's path as diagnostics show it, and its bytes: from disk or from a git object.

    `real` is where it is on disk once links are followed; None for one that is not.
    """

    path: str
    content: bytes
    real: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What valid files say, and the warnings they deserve."""

    desired: Desired
    warnings: tuple[Diagnostic, ...] = ()


_SUFFIXES = (".yaml", ".yml")
_GIT = ".git"
_LARGEST_GIT_FILE = 4096


def is_pair_file(name: str) -> bool:
    """Whether a file found in a directory is a pair file, by its name."""
    return name.endswith(_SUFFIXES) and not name.startswith(".") and name != WORKSPACE_FILE


def _is_missed(name: str) -> bool:
    """Whether only the case of its suffix keeps a file from being a pair file."""
    return name.lower().endswith(_SUFFIXES) and not name.endswith(_SUFFIXES)


class Found(NamedTuple):
    """What is at a path once links are followed.

    `identity` is the same for the same file or folder, however it was reached. `problem`: why it is
    not read; where nobody can tell what it is, it counts as a folder.
    """

    identity: Hashable
    is_folder: bool = False
    problem: Diagnostic | None = None


class Files(Protocol):
    """Where files are: on disk, or in a commit. Paths have forward slashes."""

    def shown(self, path: str) -> str:
        """The path in words."""

    def find(self, path: str) -> Found:
        """What is there; nothing is a problem, too."""

    def names(self, path: str) -> list[str] | Diagnostic:
        """What is in a folder, sorted."""

    def read(self, path: str) -> Source | Diagnostic:
        """A file, up to the size that is accepted."""


@dataclass(slots=True)
class Walk:
    """Finds the pair files below some paths, each once, within the bounds of one run.

    `before`: what other walks of the run have found, which counts towards the bounds.
    """

    files: Files
    before: Sequence[Source] = ()
    sources: list[Source] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    seen: set[Hashable] = field(default_factory=set)
    is_full: bool = False
    _bytes: int = 0

    def __post_init__(self) -> None:
        """Start where the walks before ended."""
        self._bytes = sum(len(each.content) for each in self.before)

    def read(self, path: str) -> None:
        """Read the pair files at or below a path."""
        for each in self.find(path):
            source = self.files.read(each)
            if isinstance(source, Diagnostic):
                self.diagnostics.append(source)
                continue
            self._bytes += len(source.content)
            if len(self.before) + len(self.sources) >= MAXIMUM_FILES:
                self._stop(each, f"more than {MAXIMUM_FILES:,} pair files")
            elif self._bytes > MAXIMUM_TOTAL:
                self._stop(each, f"more than {MAXIMUM_TOTAL >> 20} MiB of pair files")
            else:
                self.sources.append(source)

    def find(self, path: str) -> Iterator[str]:
        """The pair files at or below a path, in sorted order; a file given itself is taken as is."""
        yield from self._visit(path, self.files.find(path), ())

    def _visit(self, path: str, found: Found, above: tuple[Hashable, ...]) -> Iterator[str]:
        """`above`: the folders that this path lies in, to notice a loop of symbolic links."""
        if len(self.diagnostics) >= MAXIMUM_PROBLEMS and not self.is_full:
            self._stop(path, f"more than {MAXIMUM_PROBLEMS:,} files that cannot be read")
        if self.is_full:
            return
        if found.problem is not None:
            self.diagnostics.append(found.problem)
        elif found.identity in above:
            words = "is a link to a directory it lies in"
            self._report(DiagnosticCode.DIRECTORY_LOOP, path, words)
        elif found.is_folder and len(above) >= MAXIMUM_DEPTH:
            words = f"lies deeper than {MAXIMUM_DEPTH} folders"
            self._report(DiagnosticCode.FOLDERS_TOO_DEEP, path, words)
        elif found.identity not in self.seen:
            self.seen.add(found.identity)
            if not found.is_folder:
                yield path
            elif len(self.seen) > 2 * MAXIMUM_FILES:
                self._stop(path, f"more than {2 * MAXIMUM_FILES:,} files and folders")
            else:
                yield from self._below(path, (*above, found.identity))

    def _below(self, folder: str, above: tuple[Hashable, ...]) -> Iterator[str]:
        names = self.files.names(folder)
        if isinstance(names, Diagnostic):
            self.diagnostics.append(names)
            return
        for name in names:
            if name.startswith("."):
                continue
            path = f"{folder}/{name}"
            found = self.files.find(path)
            if is_pair_file(name) or found.is_folder:
                yield from self._visit(path, found, above)
            elif _is_missed(name):
                self.diagnostics.append(_missed(self.files.shown(path)))

    def _report(self, code: DiagnosticCode, path: str, words: str) -> None:
        shown = self.files.shown(path)
        self.diagnostics.append(Diagnostic(code, f"{shown} {words}", Place(shown, 1, 1)))

    def _stop(self, path: str, what: str) -> None:
        self.is_full = True
        shown = self.files.shown(path)
        self.diagnostics.append(
            Diagnostic(
                DiagnosticCode.FILES_TOO_MANY,
                f"there are {what}; nothing from {shown} on was read",
                Place(shown, 1, 1),
                hint="give the paths of fewer files, or split the configuration",
            )
        )


def collect(
    paths: Sequence[Path], *, before: Sequence[Source] = ()
) -> tuple[list[Source], list[Diagnostic]]:
    """The files on disk that can be read, and what is wrong with the others, with warnings.

    No link is followed out of the repository, or out of the folder that was given where that is
    in none. Folders, files and bytes are bounded, together with those collected `before`; past a
    bound there is a diagnostic.
    """
    walk = Walk(Disk(Boundary("/")), before)
    for path in paths:
        try:
            walk.files = Disk(boundary_of(path))
        except (OSError, ValueError) as error:
            walk.diagnostics.append(_unreadable(shown_path(path), error))
        else:
            walk.read(str(path))
    return walk.sources, walk.diagnostics


# ---------------------------------------------------------------- files on disk


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
    Any other path was chosen by the user: the boundary is its own repository, by the path as it
    was written, or its own folder. A link to a repository is one only where no repository holds
    the link: a committed link must not choose its own boundary.
    """
    here = find_top(Path.cwd())
    written = os.path.abspath(path)  # noqa: PTH100 - links are not to be resolved yet
    if here is not None and is_below(written, str(here)):
        return _repository(here)
    folder = Path(written) if os.path.isdir(written) else Path(written).parent  # noqa: PTH112 - takes NUL
    tops = [above for above in (folder, *folder.parents) if has_git(above)]
    if not tops:
        return Boundary(os.path.realpath(folder))
    top = next((each for each in tops if not each.is_symlink()), tops[0])
    return _repository(Path(os.path.realpath(top)))


def boundary_of_folder(folder: Path) -> Boundary:
    """The repository that a folder lies in, or the folder itself."""
    top = find_top(folder)
    return Boundary(os.path.realpath(folder)) if top is None else _repository(top)


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


@dataclass(frozen=True, slots=True)
class Disk:
    """Files on disk, as far as the boundary of the path that was given."""

    boundary: Boundary

    def shown(self, path: str) -> str:
        return shown_path(Path(path))

    def find(self, path: str) -> Found:
        try:
            real = os.path.realpath(path)
            if not self.boundary.holds(real):
                is_folder = os.path.isdir(real)  # noqa: PTH112 - text
                return Found(None, is_folder, self.boundary.refusal(self.shown(path)))
            status = os.stat(path)  # noqa: PTH116 - text
        except (OSError, ValueError) as error:
            return Found(None, problem=_unreadable(self.shown(path), error))
        return Found((status.st_dev, status.st_ino), stat.S_ISDIR(status.st_mode))

    def names(self, path: str) -> list[str] | Diagnostic:
        try:
            return sorted(os.listdir(path))  # noqa: PTH208 - names are what is needed
        except OSError as error:
            return _unreadable(self.shown(path), error)

    def read(self, path: str) -> Source | Diagnostic:
        """One regular file: a pipe or a device is not opened, since reading it may never end."""
        shown, content = shown_path(Path(path)), None
        try:
            real = os.path.realpath(path)
            if not self.boundary.holds(real):
                return self.boundary.refusal(shown)
            if stat.S_ISREG(Path(real).stat().st_mode):
                with open(os.open(real, READING_NO_LINK), "rb") as file:  # noqa: PTH123 - a descriptor
                    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                        content = file.read(MAXIMUM_BYTES + 1)
        except (OSError, ValueError) as error:
            return _unreadable(shown, error)
        if content is None:
            words = f"{shown} is not a regular file"
            return Diagnostic(DiagnosticCode.FILE_UNREADABLE, words, Place(shown, 1, 1))
        return too_large(shown) if len(content) > MAXIMUM_BYTES else Source(shown, content, real)


def read_source(path: Path) -> Source | Diagnostic:
    """One regular file within its own boundary, up to the size that is accepted."""
    try:
        return Disk(boundary_of(path)).read(str(path))
    except (OSError, ValueError) as error:
        return _unreadable(shown_path(path), error)


def shown_path(path: Path) -> str:
    """The path as given, relative to the current directory where it lies below it.

    Bytes that are not UTF-8 are replaced, so that it can be printed and written anywhere.
    """
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


def _missed(shown: str) -> Diagnostic:
    stem, _, suffix = shown.rpartition(".")
    return Diagnostic(
        DiagnosticCode.FILE_SUFFIX,
        f"{shown} is not read: pair files end in .yaml or .yml, in small letters",
        Place(shown, 1, 1),
        hint=f"rename it to {stem}.{suffix.lower()}",
        severity=Severity.WARNING,
    )


def _unreadable(shown: str, error: OSError | ValueError) -> Diagnostic:
    if isinstance(error, FileNotFoundError):
        return Diagnostic(
            DiagnosticCode.FILE_MISSING,
            f"{shown} does not exist",
            Place(shown, 1, 1),
            hint="check the path; it is taken from the current directory",
        )
    words = getattr(error, "strerror", None) or str(error)
    return Diagnostic(
        DiagnosticCode.FILE_UNREADABLE, f"{shown} cannot be read: {words}", Place(shown, 1, 1)
    )


def too_large(path: str) -> Diagnostic:
    """The file exceeds what is read."""
    return Diagnostic(
        DiagnosticCode.FILE_TOO_LARGE,
        f"{path} is larger than 1 MiB",
        Place(path, 1, 1),
        hint="split it: one file per pair is usual",
    )
