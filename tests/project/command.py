"""The `reconciler` command: in this process, or of this interpreter on a PATH."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.ci import warm
from tests.ci.machine import IN_HASTE
from tests.cli.running import Desk, Ran

ROOT = Path(__file__).parents[2]


def run(*arguments: str, directory: Path = ROOT) -> Ran:
    """Run `reconciler` in this process."""
    return Desk(directory).run_here(*arguments)


def on_path(directory: Path, before: str = "", *, real: bool = True) -> Mapping[str, str]:
    """An environment in which `reconciler` is that command; `before`, shell lines it runs first.

    Not `real`: forked from a Python that has imported it, except for the sandbox, which gets signals.
    """
    directory.mkdir(parents=True, exist_ok=True)
    script = directory / "reconciler"
    run_it = f'exec "{sys.executable}" -m reconciler "$@"'
    if not real:
        run_it = f'case "$1" in sandbox) {run_it};; esac\nexec {warm.command()} "$@"'
    script.write_text(f"#!/bin/sh\n{before}\n{IN_HASTE}\n{run_it}\n")
    script.chmod(0o755)
    path = os.pathsep.join((str(directory), os.environ["PATH"]))
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
