"""Files → desired limits, for each portal its own: all diagnostics of all files in one go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from reconciler.config import nodes
from reconciler.config.nodes import Node, is_empty
from reconciler.config.overlays import layer_of, overlaid
from reconciler.config.pair import read_pair
from reconciler.config.rules import declare, repeated
from reconciler.config.sources import Loaded, Source, collect, shown_path
from reconciler.config.validation import MOST_MISTAKES
from reconciler.config.yaml import decode, read_documents
from reconciler.errors import ConfigurationInvalid, Diagnostic, DiagnosticCode, Severity
from reconciler.model.limits import ConfigFile, Desired, DesiredDirection, Place


def load(paths: Sequence[Path], *, prune: bool = True) -> Loaded:
    """Read the pair files below the given paths.

    Raises ConfigurationInvalid with every diagnostic, also when there is no pair file at all.
    """
    sources, unreadable = collect(paths)
    refuse_nothing(paths, sources, unreadable)
    return Configuration(sources, prune=prune).loaded(earlier=unreadable)


def refuse_nothing(
    paths: Sequence[Path], sources: Sequence[Source], unreadable: Sequence[Diagnostic]
) -> None:
    """Raise ConfigurationInvalid where `collect` found no pair file below the paths."""
    if not sources and all(each.severity is Severity.WARNING for each in unreadable):
        raise ConfigurationInvalid([*unreadable, _no_pair_files(paths)])


def parse(sources: Iterable[Source], *, prune: bool) -> Loaded:
    """What the files say; `prune` holds where a document says nothing of it.

    Raises ConfigurationInvalid with every error and warning of every file.
    """
    return Configuration(tuple(sources), prune=prune).loaded()


@dataclass(frozen=True, slots=True)
class File:
    """The documents of a file, and what is wrong with it as YAML."""

    path: str
    documents: tuple[Node, ...]
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a document says, and what is wrong with it; or with a file. `path`: its file."""

    path: str
    directions: Sequence[DesiredDirection] = ()
    problems: Sequence[Diagnostic] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Pair files as read, and overlays by their directory, from which each portal gets its limits.

    `partial`: there are other pair files; an overlay adds nothing to those at hand then. `known`
    keeps the files that were read, for another portal or commit that has mostly the same.
    """

    sources: Sequence[Source]
    overlays: Mapping[str, Sequence[Source]] = field(default_factory=dict)
    prune: bool = True
    partial: bool = False
    known: dict[Source, File] | None = None

    def loaded(self, overlays: Sequence[str] = (), *, earlier: Sequence[Diagnostic] = ()) -> Loaded:
        """The limits with these overlays, the last one on top.

        Raises ConfigurationInvalid with every error and warning, `earlier` ones included.
        """
        directions: list[DesiredDirection] = []
        diagnostics = list(earlier)
        errors = _errors(diagnostics)
        for declared in self.declared(overlays):
            directions += declared.directions
            diagnostics += declared.problems
            errors += _errors(declared.problems)
            if errors >= MOST_MISTAKES:
                diagnostics.append(_too_many(declared.path))
                break
        diagnostics += islice(repeated(directions), MOST_MISTAKES)
        if _errors(diagnostics):
            raise ConfigurationInvalid(diagnostics)
        files = tuple(
            ConfigFile(source.path, hashlib.sha256(source.content).hexdigest())
            for source in (*self.sources, *self.overlay_sources(overlays))
        )
        warnings = sorted(diagnostics, key=lambda found: found.order)
        return Loaded(Desired(tuple(directions), files), tuple(warnings))

    def overlay_sources(self, overlays: Sequence[str]) -> list[Source]:
        return [each for name in overlays for each in self.overlays.get(name, ())]

    def declared(self, overlays: Sequence[str] = ()) -> Iterator[Declared]:
        """What each document says with these overlays on it."""
        if overlays:
            yield from self._overlaid(overlays)
            return
        for source in self.sources:
            file = self._file(source)
            yield Declared(file.path, problems=file.problems)
            for document in file.documents:
                yield self._declared(document, file.path, is_sound=not file.problems)

    def _overlaid(self, overlays: Sequence[str]) -> Iterator[Declared]:
        """An overlay that is not valid YAML says nothing, as a document of such a file does."""
        files = [self._file(source) for source in self.sources]
        above = [[self._file(each) for each in self.overlays.get(name, ())] for name in overlays]
        for file in (*files, *(each for layer in above for each in layer)):
            yield Declared(file.path, problems=file.problems)
        documents = [(each, file) for file in files for each in file.documents]
        layers = [
            layer_of(each for file in layer if not file.problems for each in file.documents)
            for layer in above
        ]
        changed, added, warnings = overlaid(
            [document for document, _ in documents], layers, partial=self.partial
        )
        for at, (document, file) in enumerate(documents):
            merged = changed.get(at, document)
            if merged is not None:
                yield self._declared(merged, file.path, is_sound=not file.problems)
        for document in added:
            yield self._declared(document, document.place.path, is_sound=True)
        yield Declared(
            "", problems=[*warnings, *(one for layer in layers for one in layer.problems)]
        )

    def _file(self, source: Source) -> File:
        if self.known is not None and source in self.known:
            return self.known[source]
        file = _read_file(source)
        if self.known is not None:
            self.known[source] = file
        return file

    def _declared(self, document: Node, path: str, *, is_sound: bool) -> Declared:
        pair, problems = read_pair(document)
        if pair is None or not is_sound or not isinstance(document, nodes.Mapping):
            return Declared(path, problems=problems)
        return Declared(path, *declare(pair, document, prune=self.prune))


def _read_file(source: Source) -> File:
    text = decode(source.path, source.content)
    if isinstance(text, Diagnostic):
        return File(source.path, (), (text,))
    read = read_documents(source.path, text)
    documents = tuple(root for root in read.roots if not is_empty(root))
    if documents or read.diagnostics:
        return File(source.path, documents, read.diagnostics)
    return File(source.path, (), (_declares_nothing(source.path),))


def _declares_nothing(path: str) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.FILE_DECLARES_NOTHING,
        f"{path} declares nothing: it is empty or holds comments only",
        Place(path, 1, 1),
        hint="write a document, or remove the file; what it declared before is no longer managed",
        severity=Severity.WARNING,
    )


def _errors(diagnostics: Iterable[Diagnostic]) -> int:
    return sum(found.severity is Severity.ERROR for found in diagnostics)


def _too_many(path: str) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.MISTAKES_TOO_MANY,
        f"there are more than {MOST_MISTAKES:,} mistakes; nothing from this place on was checked",
        Place(path, 1, 1),
        hint="correct these first",
    )


def _no_pair_files(paths: Sequence[Path]) -> Diagnostic:
    shown = [shown_path(path) for path in paths] or ["."]
    below = " or ".join(path if path == "." else f"{path.rstrip('/')}/" for path in shown)
    return Diagnostic(
        DiagnosticCode.PAIR_FILES_MISSING,
        f"no pair files below {below}",
        Place(shown[0], 1, 1),
        hint="pair files end in .yaml or .yml; the README shows one",
    )
