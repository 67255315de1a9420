"""The Makefile and what it runs."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import lab
from benchmarks.__main__ import BEGIN, END, main, with_measured
from benchmarks.chart import draw
from benchmarks.growth import Curve, Point
from benchmarks.measure import Run
from benchmarks.row import Row
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
    assert "\nhelp\n  " in done.stdout


@pytest.mark.parametrize(
    "name", ["validate", "plan", "render", "apply", "sdk", "adopt", "request", "growth"]
)
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
    assert f"\n{name}\n  " in shown.out


def test_figures_are_written_between_the_marks() -> None:
    """What people wrote before and behind them stays, and old figures go."""
    old = f"Before.\n\n{BEGIN}old\n{END}\n\nBehind.\n"

    new = with_measured(old, "a machine", {"plan": [Row("plan, 5 limits", "1 ms", "2 times")]})

    assert new.startswith(f"Before.\n\n{BEGIN}")
    assert new.endswith(f"{END}\n\nBehind.\n")
    assert "| plan, 5 limits | 1 ms | 2 times |" in new
    assert "Measured on a machine." in new
    assert "old" not in new


def test_curves_are_drawn(tmp_path: Path) -> None:
    """Every point of every curve, in a panel for each unit."""
    run = Run(1.0, 1.0, 1.0, "", 1.0, 1.0)
    curves = [
        Curve("validate", "limit", tuple(Point(10**n, replace(run, seconds=n)) for n in (2, 3, 5))),
        Curve("plan <all>", "portal", (Point(1, run), Point(500, replace(run, seconds=20)))),
    ]

    draw(curves, tmp_path / "growth.svg")

    tree = ET.parse(tmp_path / "growth.svg")  # noqa: S314 - drawn here
    names = {each.text for each in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert {"validate", "plan <all>", "limits (dotted: in proportion)", "100,000", "10 s"} <= names
    radii = [each.get("r") for each in tree.iter("{http://www.w3.org/2000/svg}circle")]
    assert radii.count("3") == 5
