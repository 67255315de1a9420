"""The example pair files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project.command import ROOT, run

CONFIGS = ROOT / "examples" / "configs"
FILES = sorted(CONFIGS.glob("*.yaml"))


def test_all_are_valid_together_and_without_a_warning() -> None:
    """What a newcomer copies is right."""
    done = run("validate", str(CONFIGS))

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Valid: {len(FILES)} files")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_is_valid_alone(path: Path) -> None:
    """Any one of them can be the start of a repository."""
    assert run("validate", str(path)).code == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_limit_says_why(path: Path) -> None:
    """A number without a reason cannot be reviewed."""
    lines = path.read_text(encoding="utf-8").splitlines()
    stated = [
        number
        for number, line in enumerate(lines)
        if re.search(r": (\d+|unlimited)\b", line.split("#")[0])
    ]
    assert stated, "a file of limits without a limit"
    for number in stated:
        near = "\n".join(lines[max(number - 1, 0) : number + 3])
        says_why = "#" in lines[number] or "reason: " in near
        assert says_why, lines[number]


def test_all_are_in_canonical_form() -> None:
    """What is shown is what `fmt` writes."""
    assert run("fmt", "--check", str(CONFIGS)).code == 0
