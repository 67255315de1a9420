"""What an installation holds and runs: built once, installed as the README says."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import reconciler
from reconciler.explanations import Kind
from tests.project.command import ROOT
from tests.project.installing import (
    Home,
    clone,
    copied,
    interpreter,
    managed_interpreter,
    members,
    tracked,
)
from tests.project.tour import background

VERSION = f"hubspot_reconciler-{reconciler.__version__}"
BOTH = ["hubspot-reconciler", "reconciler"]
ON_3_15 = "deepdiff==9.0.0"
"""What is taken on Python 3.15 only, and is tried here on a Python that there is."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the repository, and what a person may have lying around beside them."""
    folder = copied(tmp_path_factory.mktemp("source"))
    for stray in ("plan.json", ".env", "configs/mine.yaml", "reconciler/__pycache__/model.pyc"):
        (folder / stray).parent.mkdir(parents=True, exist_ok=True)
        (folder / stray).write_text("nobody else's")
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    """The wheel, built from them."""
    return Path(next(WheelBuilder(str(source)).build(directory=str(source / "dist"))))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home directory."""
    return Home(tmp_path)


def test_the_wheel_holds_the_package_and_the_recipes(source: Path, wheel: Path) -> None:
    """Every file that the package needs, the recipes that `init` copies, the pages that `explain` prints, and nothing else."""
    files = [each for each in source.rglob("*") if each.is_file()]
    wanted = {each.relative_to(source).as_posix() for each in files}
    package = {each for each in wanted if each.startswith("reconciler/")}
    recipes = {
        each.replace("examples/ci/", "reconciler/recipes/"): each
        for each in wanted
        if each.startswith("examples/ci/")
    }
    pages = {
        each.replace("docs/", "reconciler/pages/")
        for each in wanted
        if each.startswith(tuple(f"docs/{kind}/" for kind in Kind))
    }
    about = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}

    assert {
        "reconciler/py.typed",
        "reconciler/hubspot/defined_types.csv",
        "reconciler/report/templates/plan.html",
        "reconciler/report/templates/plan.css",
        "reconciler/report/templates/plan.js",
        "reconciler/report/templates/base.html",
        "reconciler/report/templates/status.html",
        "reconciler/sandbox/data/association_types.json",
    } <= package
    assert {"reconciler/recipes/github/hubspot-plan.yml"} < recipes.keys()
    assert {"reconciler/recipes/gitlab/.gitlab-ci.yml"} < recipes.keys()
    assert {"reconciler/pages/diagnostics/label-unknown.md"} < pages
    assert set(members(wheel)) == {
        *(each for each in package if not each.endswith(".pyc")),
        *recipes,
        *pages,
        *(f"{VERSION}.dist-info/{each}" for each in about),
    }


def test_the_sdist_holds_the_files_of_the_repository(source: Path, tmp_path: Path) -> None:
    """With tests and documents, so that it can be tested and read; nothing that lay beside them."""
    sdist = Path(next(SdistBuilder(str(source)).build(directory=str(tmp_path))))

    assert set(members(sdist)) - {"PKG-INFO"} == set(tracked())


def tried(home: Home) -> None:
    """Both commands are there, and what needs files of the package works outside a checkout."""
    assert home.commands == BOTH
    command = home.bin / "reconciler"
    examples = ROOT / "examples"
    with background(f"{command} sandbox --port 0", home.folder, home.env, 1) as shown:
        at = {"HUBSPOT_BASE_URL": shown[0], "HUBSPOT_ACCESS_TOKEN": "sandbox-token"}
        there = Home(home.folder, {**home.more, **at})
        started = there.run(command, "init", "--ci", "gitlab")
        assert started.returncode == 0, started.stderr
        recipe = (home.folder / ".gitlab-ci.yml").read_bytes()
        assert recipe == (examples / "ci" / "gitlab" / ".gitlab-ci.yml").read_bytes()
        shutil.copy(examples / "configs" / "contacts-companies.yaml", home.folder / "configs")
        checked = there.run(home.bin / "hubspot-reconciler", "validate")
        assert (checked.returncode, checked.stderr) == (0, "")
        explained = there.run(command, "explain", "label-unknown")
        assert explained.stdout.startswith("label-unknown\n"), explained.stderr
        planned = there.run(command, "plan", "--format", "html", "--detailed-exitcode")
        assert planned.returncode == 2, planned.stderr
        assert planned.stdout.startswith("<!doctype html>")
        status = there.run(command, "status", "--format", "json")
        assert status.returncode == 0, status.stderr
        assert json.loads(status.stdout)["portal"]["portal_id"] == 1234567


@pytest.mark.parametrize(
    ("python", "override"),
    [
        ("3.11", ""),
        pytest.param("3.12", "", marks=pytest.mark.torture),
        ("3.13", ON_3_15),
    ],
)
def test_uv_installs_the_wheel(wheel: Path, home: Home, python: str, override: str) -> None:
    """On the oldest and the newest Python that is here; `make torture` takes the one between."""
    overrides = home.folder / "overrides.txt"
    overrides.write_text(f"{override}\n")
    chosen = ("--python", interpreter(python), "--overrides", overrides)
    home.install("uv", "tool", "install", *chosen, wheel)
    tried(home)


@pytest.mark.parametrize(
    "address",
    [str, pytest.param(lambda folder: f"git+{folder.as_uri()}", marks=pytest.mark.torture)],
    ids=["clone", "address"],
)
def test_uv_installs_from_the_repository(
    home: Home, tmp_path_factory: pytest.TempPathFactory, address: Callable[[Path], str]
) -> None:
    """From a clone, and without one by the address of the repository."""
    folder = clone(tmp_path_factory.mktemp("clone"))
    home.install("uv", "tool", "install", "--python", sys.executable, address(folder))
    assert home.commands == BOTH
    assert home.run(home.bin / "reconciler", "--help").returncode == 0


@pytest.mark.parametrize("what", ["source", "wheel"])
def test_pipx_installs_from_a_clone_and_a_wheel(
    request: pytest.FixtureRequest, home: Home, what: str
) -> None:
    """With the uv that it finds beside it."""
    home.install("pipx", "install", "--python", sys.executable, request.getfixturevalue(what))
    assert home.commands == BOTH
    assert home.run(home.bin / "hubspot-reconciler", "--help").returncode == 0


@pytest.mark.parametrize(
    "tool",
    [
        ("uv", "tool", "install"),
        pytest.param(("pipx", "install", "--backend", "pip"), marks=pytest.mark.torture),
    ],
    ids=["uv", "pipx"],
)
def test_a_python_that_refuses_pip_takes_the_ways_of_the_readme(
    wheel: Path, home: Home, tool: tuple[str, ...]
) -> None:
    """PEP 668: Debian, Ubuntu, Homebrew. The README names the refusal and what works instead."""
    python = managed_interpreter()
    refused = home.run(python, "-m", "pip", "install", "--no-index", wheel)
    assert refused.returncode != 0
    (word,) = {"externally-managed-environment"} & set(refused.stderr.split())
    name, *arguments = tool
    home.install(name, *arguments, "--python", python, wheel)
    assert home.commands == BOTH
    assert home.run(home.bin / "reconciler", "--help").returncode == 0
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"`{word}`" in readme
    assert f"`{name} {arguments[0]}" in readme


@pytest.mark.parametrize("python", ["3.14", "3.15"])
def test_later_pythons_need_no_compiler(wheel: Path, home: Home, python: str) -> None:
    """For all that is required there are wheels."""
    wanted = home.folder / "wanted.txt"
    wanted.write_text(f"hubspot-reconciler @ {wheel.as_uri()}\n")
    resolve = ("pip", "compile", "--quiet", "--no-annotate", "--only-binary", ":all:")
    found = home.install("uv", *resolve, "--python-version", python, wanted)
    assert "\npydantic-core==" in found
