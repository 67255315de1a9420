"""Formatting many pair files, importing a portal, and taking a few changed limits over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import data
from benchmarks.lab import Lab, sandbox
from benchmarks.measure import Command, Failed, Run, run
from benchmarks.row import Row, timed


def rows(lab: Lab) -> Iterator[Row]:
    """Each command once, since it changes what the next one finds."""
    size = lab.size
    what = f"{size.limits:,} limits in {size.files} files"
    directory = lab.folder("fmt")
    data.pair_files(directory, size.files, size.limits_per_file)
    configs = sorted((directory / "configs").glob("*.yaml"))
    for file in configs:
        file.write_text(_untidy(file.read_text(encoding="utf-8")), encoding="utf-8")
    yield timed(f"fmt, {what}", run(lab.reconciler("fmt", directory=directory)), "(under 10 s)")
    check = run(lab.reconciler("fmt", "--check", directory=directory))
    yield timed("fmt --check, all canonical", check, "(under 1.5 s)")

    directory = lab.folder("import")
    seed = data.seed(size.files, size.limits_per_file)
    with sandbox(lab, seed) as portal:
        imported = _run(lab.reconciler("import", directory=directory, environment=portal))
        yield timed(f"import, {size.limits:,} limits", imported, "(3 s beside the portal)")
        update = lab.reconciler("import", "--update", directory=directory, environment=portal)
        changed = sorted((directory / "configs").glob("*.yaml"))[:20]
        for file in changed:
            _change(file)
        updated = _run(update)
        yield timed(f"import --update, {len(changed)} values", updated, "(2 s beside the portal)")
        _run(update, "Nothing to import.")


def _untidy(text: str) -> str:
    """Blank lines, comments and spaces that are not as they should be."""
    return "\n\n# a pair\n" + text.replace(": ", ":   ").replace("\n", "  # kept\n")


def _change(file: Path) -> None:
    """Change the last number of a file."""
    head, _, _ = file.read_text(encoding="utf-8").rstrip("\n").rpartition(": ")
    file.write_text(f"{head}: 2\n", encoding="utf-8")


def _run(command: Command, words: str = "Imported:") -> Run:
    done = run(command)
    if words not in done.output:
        raise Failed(f"expected {words!r} in:\n{done.output[-2000:]}")
    return done
