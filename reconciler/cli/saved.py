"""Files that are read as plans or results: which ones they are, and what they hold.

A saved plan is known by its content, whatever its file is called.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.errors import PlanRefused, ReconcilerError, UsageProblem
from reconciler.planning.plan_file import MAXIMUM_BYTES, is_plan, starts_as_json

if TYPE_CHECKING:
    from reconciler.model.plan import Plan
    from reconciler.planning.documents import Document

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

    with located(path):
        return read_plan(_content(path))


def read_documents(path: Path) -> tuple[Document, ...]:
    """The plans, results and errors of portals that a file, or standard input for `-`, holds.

    Raises PlanRefused where it is damaged, or is not JSON at all.
    """
    from reconciler.planning.documents import documents, what_is_wrong

    content = _content(path)
    with located(path):
        if len(content) > MAXIMUM_BYTES:
            raise PlanRefused("the file is larger than 64 MiB, so it is not read")
        try:
            return documents(content)
        except (ValueError, RecursionError) as error:
            if is_plan(content):
                what = "the plan file is not complete"
            elif b'"outcome"' in content:
                what = "the result file is not complete"
            else:
                what = "the file is not a plan, and not the result of an apply"
            raise PlanRefused(f"{what}: it is not valid JSON ({what_is_wrong(error)})") from error


@contextmanager
def located(path: Path, document: Document | None = None) -> Iterator[None]:
    """A refusal within is about this file, and this one of its documents."""
    try:
        yield
    except PlanRefused as refused:
        where = f"{path}:{document.line}" if document is not None and document.line else path
        refused.message = f"{where}: {refused.message}"
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
