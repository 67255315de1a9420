"""The Makefile and what it runs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.project.command import ROOT


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make at the top."""
    return subprocess.run(
        ("make", "--no-print-directory", *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_is_the_default_and_names_every_target() -> None:
    """Somebody who types `make` learns what there is."""
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None

    done = make()

    assert done.returncode == 0
    assert set(re.findall(r"^  make ([a-z]+)", done.stdout, re.MULTILINE)) == set(phony[1].split())


def test_contributing_names_every_target_for_developers() -> None:
    """CONTRIBUTING.md and the Makefile do not drift apart."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    for target in ("demo", "test", "lint", "torture", "bench"):
        assert f"`make {target}`" in text


@pytest.mark.parametrize("name", ["help", "validate", "plan", "render", "apply", "adopt"])
def test_benchmarks_run(name: str) -> None:
    """The measurement works on little data; what it measures is looked at by people."""
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks", "--small", name),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{name}\n  ")
