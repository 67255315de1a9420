"""The configuration's files on disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.boundary import Boundary, boundary_of
from reconciler.config.source import Source
from reconciler.config.text import MAXIMUM_BYTES, too_large
from reconciler.errors import ConfigurationInvalid, Diagnostic, DiagnosticCode, Severity
from reconciler.model.limits import Place

WORKSPACE_FILE = "reconciler.yaml"
"""The name of the workspace file, which is no pair file."""

MAXIMUM_DEPTH = 32
"""Most folders within each other that are searched."""

MAXIMUM_FILES = 10_000
"""Most pair files that one run reads, and most folders that it searches."""

MAXIMUM_PROBLEMS = 1_000
"""Most paths that cannot be read until the search ends."""

MAXIMUM_TOTAL = 64 << 20
"""Most bytes that all pair files have together."""

_SUFFIXES = (".yaml", ".yml")
_OPENING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


def is_pair_file(name: str) -> bool:
    """Whether a file found in a directory is a pair file, by its name."""
    return name.endswith(_SUFFIXES) and not name.startswith(".") and name != WORKSPACE_FILE


def _is_missed(name: str) -> bool:
    """Whether only the case of its suffix keeps a file from being a pair file."""
    return name.lower().endswith(_SUFFIXES) and not name.endswith(_SUFFIXES)


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """The pair files below the given paths in sorted order; a file given itself is taken as is.

    Raises ConfigurationInvalid with everything that cannot be read.
    """
    sources, diagnostics = collect(paths)
    if any(each.severity is Severity.ERROR for each in diagnostics):
        raise ConfigurationInvalid(diagnostics)
    return sources


def collect(paths: Sequence[Path]) -> tuple[list[Source], list[Diagnostic]]:
    """The files that can be read, each once, and what is wrong with the others, with warnings.

    No link is followed out of the repository, or out of the folder that was given where that is
    in none. Folders, files and bytes are bounded; past a bound there is a diagnostic.
    """
    walk = _Walk()
    for path in paths:
        walk.visit_given(path)
    return walk.sources, walk.diagnostics


def read_source(path: Path, boundary: Boundary | None = None) -> Source | Diagnostic:
    """One regular file within the boundary, by default its own, up to the size that is accepted."""
    shown = shown_path(path)
    try:
        real = os.path.realpath(path)
        within = boundary or boundary_of(path)
        if not within.holds(real):
            return within.refusal(shown)
        content = _content(real)
    except FileNotFoundError:
        return _missing(shown)
    except (OSError, ValueError) as error:
        return _unreadable(shown, error)
    if content is None:
        return Diagnostic(
            DiagnosticCode.FILE_UNREADABLE, f"{shown} is not a regular file", Place(shown, 1, 1)
        )
    return too_large(shown) if len(content) > MAXIMUM_BYTES else Source(shown, content, real)


def _content(real: str) -> bytes | None:
    """The bytes at a real path; None for a pipe or a device, whose reading may never end."""
    if not stat.S_ISREG(Path(real).stat().st_mode):
        return None
    opened = os.open(real, _OPENING)
    with open(opened, "rb") as file:  # noqa: PTH123 - a descriptor
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            return None
        return file.read(MAXIMUM_BYTES + 1)


def shown_path(path: Path) -> str:
    """The path as given, relative to the current directory where it lies below it.

    Bytes that are not UTF-8 are replaced, so that it can be printed and written anywhere.
    """
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


Identity = tuple[int, int]


@dataclass(slots=True)
class _Walk:
    """Collects the pair files of one run."""

    sources: list[Source] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _seen: set[Identity] = field(default_factory=set)
    _bytes: int = 0
    _full: bool = False

    def visit_given(self, path: Path) -> None:
        """A path given itself: a folder is searched, any other file is read."""
        try:
            boundary = boundary_of(path)
            real = os.path.realpath(path)
        except (OSError, ValueError) as error:
            self.diagnostics.append(_unreadable(shown_path(path), error))
            return
        self._visit(path, real, boundary, ())

    def _visit(
        self, path: Path, real: str, boundary: Boundary, above: tuple[Identity, ...]
    ) -> None:
        """`above`: the folders that this path lies in, to notice a loop of symbolic links."""
        if len(self.diagnostics) >= MAXIMUM_PROBLEMS and not self._full:
            self._stop(path, f"more than {MAXIMUM_PROBLEMS:,} files that cannot be read")
        if self._full:
            return
        if not boundary.holds(real):
            self.diagnostics.append(boundary.refusal(shown_path(path)))
            return
        status = self._status(path)
        if status is None:
            return
        identity = (status.st_dev, status.st_ino)
        if stat.S_ISDIR(status.st_mode):
            self._visit_directory(path, real, boundary, above, identity)
        elif identity not in self._seen:
            self._seen.add(identity)
            self._read(path, boundary)

    def _visit_directory(
        self,
        directory: Path,
        real: str,
        boundary: Boundary,
        above: tuple[Identity, ...],
        identity: Identity,
    ) -> None:
        if identity in above:
            self._report(
                DiagnosticCode.DIRECTORY_LOOP, directory, "is a link to a directory it lies in"
            )
            return
        if len(above) >= MAXIMUM_DEPTH:
            self._report(
                DiagnosticCode.FOLDERS_TOO_DEEP,
                directory,
                f"lies deeper than {MAXIMUM_DEPTH} folders",
            )
            return
        if identity in self._seen:
            return
        self._seen.add(identity)
        if len(self._seen) > 2 * MAXIMUM_FILES:
            self._stop(directory, f"more than {2 * MAXIMUM_FILES:,} files and folders")
            return
        for name, is_link in self._entries(directory, real):
            path = directory / name
            below = os.path.realpath(path) if is_link else os.path.join(real, name)  # noqa: PTH118 - text
            if is_pair_file(name) or os.path.isdir(below):  # noqa: PTH112 - text
                self._visit(path, below, boundary, (*above, identity))
            elif _is_missed(name):
                self.diagnostics.append(_missed(shown_path(path)))

    def _entries(self, directory: Path, real: str) -> Iterator[tuple[str, bool]]:
        """The names in a folder that are not hidden, sorted, and which of them are links."""
        try:
            with os.scandir(real) as entries:
                found = sorted((each.name, each.is_symlink()) for each in entries)
        except OSError as error:
            self.diagnostics.append(_unreadable(shown_path(directory), error))
            return iter(())
        return (each for each in found if not each[0].startswith("."))

    def _read(self, path: Path, boundary: Boundary) -> None:
        match read_source(path, boundary):
            case Source() as source:
                self._bytes += len(source.content)
                if len(self.sources) >= MAXIMUM_FILES:
                    self._stop(path, f"more than {MAXIMUM_FILES:,} pair files")
                elif self._bytes > MAXIMUM_TOTAL:
                    self._stop(path, f"more than {MAXIMUM_TOTAL >> 20} MiB of pair files")
                else:
                    self.sources.append(source)
            case Diagnostic() as diagnostic:
                self.diagnostics.append(diagnostic)

    def _status(self, path: Path) -> os.stat_result | None:
        try:
            return path.stat()
        except FileNotFoundError:
            self.diagnostics.append(_missing(shown_path(path)))
        except (OSError, ValueError) as error:
            self.diagnostics.append(_unreadable(shown_path(path), error))
        return None

    def _report(self, code: DiagnosticCode, path: Path, words: str) -> None:
        shown = shown_path(path)
        self.diagnostics.append(Diagnostic(code, f"{shown} {words}", Place(shown, 1, 1)))

    def _stop(self, path: Path, what: str) -> None:
        self._full = True
        shown = shown_path(path)
        self.diagnostics.append(
            Diagnostic(
                DiagnosticCode.FILES_TOO_MANY,
                f"there are {what}; nothing from {shown} on was read",
                Place(shown, 1, 1),
                hint="give the paths of fewer files, or split the configuration",
            )
        )


def _missed(shown: str) -> Diagnostic:
    stem, _, suffix = shown.rpartition(".")
    return Diagnostic(
        DiagnosticCode.FILE_SUFFIX,
        f"{shown} is not read: pair files end in .yaml or .yml, in small letters",
        Place(shown, 1, 1),
        hint=f"rename it to {stem}.{suffix.lower()}",
        severity=Severity.WARNING,
    )


def _missing(shown: str) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.FILE_MISSING,
        f"{shown} does not exist",
        Place(shown, 1, 1),
        hint="check the path; it is taken from the current directory",
    )


def _unreadable(shown: str, error: OSError | ValueError) -> Diagnostic:
    words = getattr(error, "strerror", None) or str(error)
    return Diagnostic(
        DiagnosticCode.FILE_UNREADABLE, f"{shown} cannot be read: {words}", Place(shown, 1, 1)
    )
