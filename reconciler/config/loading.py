"""Files → desired limits: all diagnostics of all files in one go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from reconciler.config.files import collect, shown_path
from reconciler.config.nodes import Mapping, is_empty
from reconciler.config.pair import read_pair
from reconciler.config.rules import declare, repeated
from reconciler.config.source import Loaded, Source
from reconciler.config.text import decode
from reconciler.config.validation import MOST_MISTAKES
from reconciler.config.yaml import read_documents
from reconciler.errors import ConfigurationInvalid, Diagnostic, DiagnosticCode, Severity
from reconciler.model.limits import ConfigFile, Desired, DesiredDirection, Place


def load(paths: Sequence[Path], *, prune: bool = True) -> Loaded:
    """Read the pair files below the given paths.

    Raises ConfigurationInvalid with every diagnostic, also when there is no pair file at all.
    """
    return load_found(paths, *collect(paths), prune=prune)


def load_found(
    paths: Sequence[Path],
    sources: Sequence[Source],
    unreadable: Sequence[Diagnostic],
    *,
    prune: bool,
) -> Loaded:
    """What the pair files say that `collect` found below the paths. Raises as `load` does."""
    if not sources and all(each.severity is Severity.WARNING for each in unreadable):
        raise ConfigurationInvalid([*unreadable, _no_pair_files(paths)])
    return _parse(sources, prune=prune, earlier=unreadable)


def parse(sources: Iterable[Source], *, prune: bool) -> Loaded:
    """What the files say; `prune` holds where a document says nothing of it.

    Raises ConfigurationInvalid with every error and warning of every file.
    """
    return _parse(sources, prune=prune, earlier=())


def _parse(sources: Iterable[Source], *, prune: bool, earlier: Sequence[Diagnostic]) -> Loaded:
    files: list[ConfigFile] = []
    directions: list[DesiredDirection] = []
    diagnostics = list(earlier)
    errors = _errors(diagnostics)
    for source in sources:
        files.append(ConfigFile(source.path, hashlib.sha256(source.content).hexdigest()))
        declared, problems = _read(source, prune=prune)
        directions += declared
        diagnostics += problems
        errors += _errors(problems)
        if errors >= MOST_MISTAKES:
            diagnostics.append(_too_many(source.path))
            break
    diagnostics += islice(repeated(directions), MOST_MISTAKES)
    if _errors(diagnostics):
        raise ConfigurationInvalid(diagnostics)
    warnings = sorted(diagnostics, key=lambda found: found.order)
    return Loaded(Desired(tuple(directions), tuple(files)), tuple(warnings))


def _read(source: Source, *, prune: bool) -> tuple[list[DesiredDirection], list[Diagnostic]]:
    """What a file declares, and what is wrong with it."""
    text = decode(source.path, source.content)
    if isinstance(text, Diagnostic):
        return [], [text]
    documents = read_documents(source.path, text)
    directions: list[DesiredDirection] = []
    diagnostics = list(documents.diagnostics)
    roots = [root for root in documents.roots if not is_empty(root)]
    for root in roots:
        pair, problems = read_pair(root)
        diagnostics += problems
        if pair is not None and isinstance(root, Mapping) and not documents.diagnostics:
            declared, problems = declare(pair, root, prune=prune)
            directions += declared
            diagnostics += problems
        if len(diagnostics) >= MOST_MISTAKES:
            break
    if not roots and not diagnostics:
        diagnostics.append(_declares_nothing(source.path))
    return directions, diagnostics


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
