"""What the recipes take from elsewhere: actions by commit, packages by hash, one name to fill in."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from reconciler import __version__
from tests.ci.actions import OWN_ACTION
from tests.ci.gitlab_job import PIPELINE
from tests.ci.machine import ROOT
from tests.ci.test_linters import shell_scripts, tool

RECIPES = sorted((ROOT / "examples" / "ci" / "github").iterdir())
PLACEHOLDER = "-your-org-"
USES = re.compile(r"uses: (?P<action>\S+)@(?P<commit>[0-9a-f]{40}) # v(?P<version>\d+\.\d+\.\d+)$")


def uses() -> list[str]:
    """Every line of the action and the workflows that takes an action from somewhere."""
    files = [ROOT / "action.yml", *RECIPES]
    lines = [line.strip() for file in files for line in file.read_text("utf-8").splitlines()]
    return [line.lstrip("# ").removeprefix("- ") for line in lines if "uses: " in line]


def test_every_action_is_pinned_by_its_commit() -> None:
    """With the version that it is in a comment; a tag can be moved, a commit cannot."""
    found = [(line, USES.fullmatch(line)) for line in uses()]
    assert len(found) > 10
    assert [line for line, match in found if match is None] == []
    versions = {(match["action"], match["commit"], match["version"]) for _, match in found if match}
    assert len(versions) == len({action for action, _, _ in versions}), "one version of each"


def test_this_project_is_named_by_its_version_at_hand() -> None:
    """What is shown to be copied exists; the commit of a version is not known before it is made."""
    own = {USES.fullmatch(line) for line in uses() if OWN_ACTION in line}
    assert {(m["version"], m["commit"]) for m in own if m} == {(__version__, "0" * 40)}
    text = (ROOT / "examples" / "ci" / "gitlab" / ".gitlab-ci.yml").read_text("utf-8")
    assert f'RECONCILER_COMMIT: "{"0" * 40}" # v{__version__}\n' in text


def documents() -> list[Path]:
    """Every file that somebody copies from, or runs a command of."""
    return [
        *RECIPES,
        ROOT / "action.yml",
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        ROOT / "examples" / "ci" / "gitlab" / ".gitlab-ci.yml",
    ]


def test_no_name_that_somebody_could_register_stands_for_this_project() -> None:
    """Whoever owned it could run code in every pipeline that forgot to replace it."""
    named = re.compile(r"(?:[\w.]+[/:])?([\w<>-]+)/(?:hubspot-)?reconciler(?:@|\.git\b)")
    for file in documents():
        owners = set(named.findall(file.read_text("utf-8")))
        assert owners <= {PLACEHOLDER, "OWNER"}, file
    # GitHub and GitLab: a name begins with a letter or a digit (GitLab: or an underscore).
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_.-]*", PLACEHOLDER) is None


def test_the_command_of_the_guide_fills_in_the_name_and_the_commit(tmp_path: Path) -> None:
    """In all recipes at once; what comes out is still good for actionlint."""
    guide = (ROOT / "docs" / "review.md").read_text("utf-8")
    commands = [
        line.strip()[2:] for line in guide.splitlines() if line.strip().startswith("$ perl -pi ")
    ]
    assert len(commands) == 2, "one for GitHub, one for GitLab"
    workflows = tmp_path / ".github" / "workflows"
    shutil.copytree(ROOT / "examples" / "ci" / "github", workflows)
    shutil.copy(ROOT / "examples" / "ci" / "gitlab" / ".gitlab-ci.yml", tmp_path)
    commit = "0123456789abcdef0123456789abcdef01234567"
    for command in commands:
        filled = command.replace("OWNER", "jo-ann").replace("COMMIT", commit)
        subprocess.run(["sh", "-euc", filled], cwd=tmp_path, check=True)
    texts = {
        file: file.read_text("utf-8")
        for file in [*workflows.iterdir(), tmp_path / ".gitlab-ci.yml"]
    }
    for file, text in texts.items():
        assert PLACEHOLDER not in text, file
        assert "0" * 40 not in text, file
        assert "jo-ann/hubspot-reconciler" in text, file
        assert commit in text, file
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    done = subprocess.run(
        [tool("actionlint"), "-no-color"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


# ---------------------------------------------------------------- packages


def pinned() -> dict[str, list[tuple[Requirement, int]]]:
    """What `.ci/requirements.txt` installs, by name: requirements, and how many hashes each has.

    More than one where Pythons need different versions.
    """
    text = (ROOT / ".ci" / "requirements.txt").read_text("utf-8").replace("\\\n", " ")
    found: dict[str, list[tuple[Requirement, int]]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=sha256:", line.strip())
            assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in hashes), line
            parsed = Requirement(requirement)
            found.setdefault(canonicalize_name(parsed.name), []).append((parsed, len(hashes)))
    return found


def project() -> dict[str, object]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def wanted() -> list[Requirement]:
    """What the project needs to run and to be built, as pyproject.toml says it."""
    document = project()
    needs = [*document["project"]["dependencies"], *document["build-system"]["requires"]]  # type: ignore[index]  # TOML
    return [Requirement(each) for each in needs]


def test_every_package_is_pinned_by_version_and_hash() -> None:
    """Whichever index or mirror it comes from, it is the same file."""
    assert len(pinned()) > 15
    for name, requirement, hashes in (
        (name, *pin) for name, pins in pinned().items() for pin in pins
    ):
        assert [each.operator for each in requirement.specifier] == ["=="], name
        assert hashes > 0, name
        assert requirement.url is None


def test_the_pinned_versions_are_within_the_projects_ranges() -> None:
    """`make requirements` was run after the last change of them."""
    locked = pinned()
    for requirement in wanted():
        exact = [
            one for pin, _ in locked[canonicalize_name(requirement.name)] for one in pin.specifier
        ]
        versions = [Version(each.version) for each in exact]
        assert any(map(requirement.specifier.contains, versions)), requirement


def test_everything_that_is_needed_is_pinned() -> None:
    """What the packages need in turn, too: pip refuses to install a package without a hash."""
    locked = pinned()
    waiting, seen = [str(each) for each in wanted() if "hatchling" not in each.name], set()
    while waiting:
        requirement = Requirement(waiting.pop())
        extras = requirement.extras or {""}
        marker = requirement.marker
        name = canonicalize_name(requirement.name)
        if (marker is not None and not marker.evaluate({"extra": ""})) or name in seen:
            continue
        seen.add(name)
        assert name in locked, f"run make requirements: {name}"
        pins = [pin.marker for pin, _ in locked[name]]
        here = [pin for pin in pins if pin is None or pin.evaluate()]
        assert len(here) == 1, f"{name} is pinned for other Pythons only, or twice for this one"
        waiting += [
            each.partition(";")[0]
            for each in distribution(name).requires or []
            if any(holds(Requirement(each), extra) for extra in extras)
        ]
    assert len(seen) > 10


def holds(requirement: Requirement, extra: str) -> bool:
    """Whether a requirement of a package is one here, with an extra of it."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


@pytest.mark.parametrize("recipe", ["action.yml", "examples/ci/gitlab/.gitlab-ci.yml"])
def test_packages_are_installed_by_these_hashes_alone(recipe: str) -> None:
    """No recipe lets pip choose; what is built, is built with what is pinned."""
    text = (ROOT / recipe).read_text("utf-8")
    assert "--require-hashes --only-binary :all: --requirement" in text
    assert "--no-index --no-deps --no-build-isolation" in text
    assert text.count("pip install") == 1


def test_every_python_of_the_recipes_is_isolated() -> None:
    """Started in a checkout, any other imports what a pull request put there."""
    found = [
        (name, start)
        for name, text in shell_scripts().items()
        for start in re.findall(r'(?:\bpython[\d.]*|\$PYTHON|%s)"? -\S*', text)
    ]
    assert len(found) > 10
    assert {start.split()[-1] for _, start in found} == {"-I"}, found


def test_the_pipeline_takes_the_project_by_its_commit() -> None:
    """Not by a branch or a tag."""
    assert re.fullmatch(r"[0-9a-f]{40}", PIPELINE["variables"]["RECONCILER_COMMIT"])
