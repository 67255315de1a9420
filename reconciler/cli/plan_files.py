"""Saved plans among the paths of a command, told by what is in them and not by their names."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.errors import PlanRefused, ReconcilerError, UsageProblem
from reconciler.model.plan import Plan
from reconciler.planning.document import MAXIMUM_BYTES, is_plan, starts_as_json

STDIN = Path("-")
_STREAMS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def saved_plan(paths: Sequence[Path]) -> Path | None:
    """The saved plan that `apply` was given; None: the paths are pair files and their folders.

    `-` and a file that ends in .json are meant as one, whatever is in them.
    """
    plans = [path for path in paths if _is_meant_as_plan(path) or holds_plan(path)]
    if not plans:
        return None
    if len(paths) > 1:
        raise UsageProblem("one saved plan at a time, and no paths beside it")
    (path,) = plans
    if path != STDIN and not path.exists():
        raise click.BadParameter(f"{path} does not exist.", param_hint="PLAN.json")
    return path


def refuse_saved_plans(paths: Sequence[Path]) -> None:
    """Raise UsageProblem where a path that should hold pair files is a saved plan."""
    for path in paths:
        if holds_plan(path):
            raise UsageProblem(
                f"{path} is a saved plan, not a pair file",
                hint=f"`reconciler show {path}` renders it, `reconciler apply {path}` applies it",
            )


def holds_plan(path: Path) -> bool:
    """Whether a regular file is a saved plan, be it cut or altered. Only such a file is read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            start = file.read(64)
            return starts_as_json(start) and is_plan(start + file.read(MAXIMUM_BYTES))
    except (OSError, ValueError):
        return False


def read_plan_file(path: Path) -> Plan:
    """The plan that a file, or standard input for `-`, holds.

    Raises PlanRefused where it is altered, cut, of another format or not a plan at all.
    """
    from reconciler.planning.saved import read_plan

    try:
        return read_plan(_content(path))
    except PlanRefused as refused:
        refused.message = f"{path}: {refused.message}"
        raise


def _is_meant_as_plan(path: Path) -> bool:
    return path == STDIN or _is_stream(path) or (path.suffix == ".json" and not path.is_dir())


def _is_stream(path: Path) -> bool:
    return str(path).startswith(_STREAMS)


def _content(path: Path) -> bytes:
    """The bytes of a plan file, one more than a plan may have at most."""
    try:
        if path == STDIN:
            return _from_stdin()
        if not _is_stream(path) and not stat.S_ISREG(path.stat().st_mode):
            raise UsageProblem(
                f"{path} is not a regular file", hint="a plan from a pipe is read from `-`"
            )
        with path.open("rb") as file:
            return file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise ReconcilerError(f"cannot read {path}: {error.strerror}") from error


def _from_stdin() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageProblem("`-` reads a saved plan from standard input, which is a terminal")
    return sys.stdin.buffer.read(MAXIMUM_BYTES + 1)
