"""The Makefile and what it runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import lab
from benchmarks.__main__ import main
from tests.project.command import ROOT, on_path


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


def test_benchmarks_run() -> None:
    """By their module, the command with its own start, which this one measures."""
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks", "--small", "help"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("help\n  ")


@pytest.mark.parametrize("name", ["validate", "plan", "render", "apply", "adopt"])
def test_a_measurement_works(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """On little data; what it measures is looked at by people."""
    on_path(tmp_path, real=False)
    monkeypatch.setattr(lab, "COMMAND", (str(tmp_path / "reconciler"),))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--small", name])

    code = main()

    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert shown.out.startswith(f"{name}\n  ")
