"""The `reconciler` command of the interpreter that runs the tests, in a subprocess."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str, directory: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `reconciler` and wait for it."""
    return subprocess.run(
        (sys.executable, "-m", "reconciler", *arguments),
        cwd=directory,
        env={**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def on_path(directory: Path, before: str = "") -> Mapping[str, str]:
    """An environment in which `reconciler` is that command; `before`, shell lines it runs first."""
    directory.mkdir(parents=True, exist_ok=True)
    script = directory / "reconciler"
    script.write_text(f'#!/bin/sh\n{before}\nexec "{sys.executable}" -m reconciler "$@"\n')
    script.chmod(0o755)
    path = os.pathsep.join((str(directory), os.environ["PATH"]))
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
