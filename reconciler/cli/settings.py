"""The global options: what stands before the command."""

from __future__ import annotations

from typing import NamedTuple

import click


class Globals(NamedTuple):
    """Workspace file, verbosity (-1 to 2) and colour (`auto`, `always`, `never`)."""

    workspace: str | None = None
    verbosity: int = 0
    color: str = "auto"


def settings() -> Globals:
    """The global options of the running command."""
    context = click.get_current_context(silent=True)
    found = context.find_object(Globals) if context is not None else None
    return found or Globals()
