"""A file of the configuration, however it was obtained."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import Desired


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

    def for_a_portal(self) -> Loaded:
        """The same without warnings that a portal answers: it knows its custom objects."""
        kept = tuple(
            each
            for each in self.warnings
            if each.code is not DiagnosticCode.OBJECT_TYPE_NEAR_STANDARD
        )
        return Loaded(self.desired, kept)
