"""What must not stand in any file of the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.project.command import ROOT

# Spelled in parts, so that this file does not find itself.
REGISTRIES = ("pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "debian" + r"\.org")
HOST = re.compile("|".join(REGISTRIES))
LOCAL_PATH = re.compile(r"(?<![\w./:~*}-])/(?:work|root|home|opt|Users)/\w|/tmp/" + "venv")


def files() -> list[Path]:
    """The files of the repository, those not yet committed among them."""
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git repository")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Every line of the repository in which the pattern is found."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_package_registry_is_named() -> None:
    """Packages come from wherever the machine is set up to take them from."""
    assert lines_with(HOST) == []


def test_no_path_of_somebodys_machine() -> None:
    """A path that exists on one machine only helps nobody else."""
    assert lines_with(LOCAL_PATH) == []
