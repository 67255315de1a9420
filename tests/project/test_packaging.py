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
