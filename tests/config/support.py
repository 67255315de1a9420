"""Short ways to load configuration from text and to look at what was said of it."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import settings

from reconciler.config.loading import parse
from reconciler.config.sources import Loaded, Source
from reconciler.config.workspace import Workspace
from reconciler.config.workspace_file import parse_workspace
from reconciler.errors import ConfigurationInvalid, Diagnostic
from reconciler.model.limits import DesiredDirection

PATH = "configs/pair.yaml"

PATIENT = settings(deadline=None)
"""For properties: how long an example takes depends on what else the machine does."""


def text(document: str) -> str:
    """A document without the indentation of the test around it."""
    return dedent(document).lstrip("\n")


def source(document: str, path: str = PATH) -> Source:
    """A file with a document."""
    return Source(path, text(document).encode())


def load_text(document: str, *, prune: bool = True) -> Loaded:
    """What a valid document says."""
    return parse([source(document)], prune=prune)


def only_direction(document: str, *, prune: bool = True) -> DesiredDirection:
    """The one direction of a valid document."""
    (direction,) = load_text(document, prune=prune).desired.directions
    return direction


def problems(*sources: Source) -> tuple[Diagnostic, ...]:
    """What is wrong with files; nothing if they are valid."""
    try:
        return parse(sources, prune=True).warnings
    except ConfigurationInvalid as error:
        return error.diagnostics


def found(content: str | bytes) -> list[tuple[str, int, int]]:
    """Code, line and column of each diagnostic of one file, taken as it is."""
    encoded = content.encode() if isinstance(content, str) else content
    return where(problems(Source(PATH, encoded)))


def where(diagnostics: tuple[Diagnostic, ...]) -> list[tuple[str, int, int]]:
    """Code, line and column of each diagnostic."""
    return [(each.code, each.place.line, each.place.column) for each in diagnostics]


def the_problem(document: str) -> Diagnostic:
    """The single diagnostic of a document."""
    (problem,) = problems(source(document))
    return problem


def workspace(document: str) -> Workspace:
    """What a valid workspace file says."""
    return parse_workspace(source(document, "reconciler.yaml"))


def workspace_problems(document: str) -> tuple[Diagnostic, ...]:
    """What is wrong with a workspace file."""
    try:
        workspace(document)
    except ConfigurationInvalid as error:
        return error.diagnostics
    return ()
