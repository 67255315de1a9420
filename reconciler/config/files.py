"""The configuration's files on disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.source import Source
from reconciler.config.text import MAXIMUM_BYTES, too_large
from reconciler.errors import ConfigurationInvalid, Diagnostic
from reconciler.model import Place

WORKSPACE_FILE = "reconciler.yaml"
"""The name of the workspace file, which is no pair file."""

_SUFFIXES = (".yaml", ".yml")


def is_pair_file(name: str) -> bool:
    """Whether a file found in a directory is a pair file, by its name."""
    return name.endswith(_SUFFIXES) and not name.startswith(".") and name != WORKSPACE_FILE


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """The pair files below the given paths in sorted order; a file given itself is taken as is.

    Raises ConfigurationInvalid with everything that cannot be read.
    """
    sources, diagnostics = collect(paths)
    if diagnostics:
        raise ConfigurationInvalid(diagnostics)
    return sources


def collect(paths: Sequence[Path]) -> tuple[list[Source], list[Diagnostic]]:
    """The files that can be read, each once, and what is wrong with the others."""
    walk = _Walk()
    for path in paths:
        walk.visit_given(path)
    return walk.sources, walk.diagnostics


def read_source(path: Path) -> Source | Diagnostic:
    """One file, read up to the size that is accepted."""
    shown = shown_path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except FileNotFoundError:
        return _missing(shown)
    except (OSError, ValueError) as error:
        return _unreadable(shown, error)
    return too_large(shown) if len(content) > MAXIMUM_BYTES else Source(shown, content)


def shown_path(path: Path) -> str:
    """The path as given, relative to the current directory where it lies below it.

    Bytes that are no UTF-8 are replaced, so that it can be printed and written anywhere.
    """
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


@dataclass(slots=True)
class _Walk:
    sources: list[Source] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    seen: set[tuple[int, int]] = field(default_factory=set)

    def visit_given(self, path: Path) -> None:
        status = self._status(path)
        if status is None:
            return
        if stat.S_ISDIR(status.st_mode):
            self._visit_directory(path, ())
        else:
            self._read(path, status)

    def _visit_directory(self, directory: Path, above: tuple[tuple[int, int], ...]) -> None:
        """`above`: the directories this one lies in, to notice a loop of symbolic links."""
        status = self._status(directory)
        if status is None:
            return
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            self._report("directory-loop", directory, "is a link to a directory it lies in")
            return
        for name in self._names(directory):
            self._visit(directory / name, (*above, identity))

    def _visit(self, path: Path, above: tuple[tuple[int, int], ...]) -> None:
        if path.is_dir():
            self._visit_directory(path, above)
        elif is_pair_file(path.name):
            status = self._status(path)
            if status is None:
                return
            if stat.S_ISREG(status.st_mode):
                self._read(path, status)
            else:
                self._report("file-unreadable", path, "is no regular file")

    def _names(self, directory: Path) -> Iterator[str]:
        try:
            names = sorted(os.listdir(directory))  # noqa: PTH208 - names are what is sorted
        except OSError as error:
            self.diagnostics.append(_unreadable(shown_path(directory), error))
            return iter(())
        return (name for name in names if not name.startswith("."))

    def _read(self, path: Path, status: os.stat_result) -> None:
        identity = (status.st_dev, status.st_ino)
        if identity in self.seen:
            return
        self.seen.add(identity)
        match read_source(path):
            case Source() as source:
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

    def _report(self, code: str, path: Path, words: str) -> None:
        shown = shown_path(path)
        self.diagnostics.append(Diagnostic(code, f"{shown} {words}", Place(shown, 1, 1)))


def _missing(shown: str) -> Diagnostic:
    return Diagnostic(
        "file-missing",
        f"{shown} does not exist",
        Place(shown, 1, 1),
        hint="check the path; it is taken from the current directory",
    )


def _unreadable(shown: str, error: OSError | ValueError) -> Diagnostic:
    words = getattr(error, "strerror", None) or str(error)
    return Diagnostic("file-unreadable", f"{shown} cannot be read: {words}", Place(shown, 1, 1))
