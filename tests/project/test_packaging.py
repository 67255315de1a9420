"""What an installation brings along, on each Python that is supported."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement

from tests.project.command import ROOT

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
WITHOUT_C_PART = ("3.15",)
"""No wheel of ruamel.yaml's C part: installing it there takes a C compiler."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("python", PYTHONS)
def test_the_c_part_of_the_parser_is_asked_for_where_there_is_a_wheel(python: str) -> None:
    """One requirement of ruamel.yaml holds on each Python, and it needs no compiler."""
    wanted = [Requirement(each) for each in PROJECT["dependencies"]]
    holding = [
        each
        for each in wanted
        if each.name == "ruamel.yaml"
        and (each.marker is None or each.marker.evaluate({"python_version": python}))
    ]

    assert [each.extras for each in holding] == [
        set() if python in WITHOUT_C_PART else {"oldlibyaml"}
    ]


def test_every_supported_python_is_classified_and_tried_by_make() -> None:
    """The package index and `make` know the same versions."""
    classified = [
        each.rpartition(" ")[2]
        for each in PROJECT["classifiers"]
        if each.startswith("Programming Language :: Python :: 3.")
    ]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert tuple(classified) == PYTHONS
    assert all(f"python{each}" in makefile for each in PYTHONS)
    assert f"python3.11 to python{PYTHONS[-1]}" in makefile


@pytest.mark.parametrize("built", ["wheel", "sdist"])
def test_files_that_are_not_python_are_packaged(built: str) -> None:
    """All of them below the package: without its template, there is no HTML report."""
    builders = pytest.importorskip(f"hatchling.builders.{built}", reason="hatchling is missing")
    builder = getattr(builders, {"wheel": "WheelBuilder", "sdist": "SdistBuilder"}[built])
    package = ROOT / "reconciler"
    wanted = {
        file.relative_to(ROOT).as_posix()
        for file in package.rglob("*")
        if file.is_file() and file.suffix not in {".py", ".pyc"}
    }

    assert "reconciler/report/templates/plan.html" in wanted
    assert "reconciler/report/templates/plan.css" in wanted
    packaged = {each.distribution_path for each in builder(str(ROOT)).recurse_included_files()}
    assert wanted <= packaged
