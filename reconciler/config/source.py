"""A file of the configuration, however it was obtained."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.errors import Diagnostic
from reconciler.model import Desired


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
