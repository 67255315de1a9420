"""Loading from disk: everything that is wrong in one go, quickly, and without heavy imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.config.loading import load, parse
from reconciler.config.sources import Source
from reconciler.errors import ConfigurationInvalid, ExitCode
from reconciler.model.limits import Place


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_files_on_disk_become_desired_limits() -> None:
    """With the paths that were given."""
    Path("configs").mkdir()
    Path("configs/a.yaml").write_text("from: a\nto: b\nmax: 1\n", encoding="utf-8")
    loaded = load([Path("configs")])
    (direction,) = loaded.desired.directions
    assert direction.place == Place("configs/a.yaml", 1, 7)
    assert direction.prune
    assert [file.path for file in loaded.desired.files] == ["configs/a.yaml"]
    assert not load([Path("configs")], prune=False).desired.directions[0].prune


@pytest.mark.parametrize("inside", [None, ".hidden.yaml", "readme.md"])
def test_no_pair_files_at_all_is_an_error(inside: str | None) -> None:
    """A wrong path must not look like an empty configuration."""
    Path("configs").mkdir()
    if inside is not None:
        Path("configs", inside).touch()
    with pytest.raises(ConfigurationInvalid) as caught:
        load([Path("configs")])
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.message) == ("pair-files-missing", "no pair files below configs/")
    assert problem.place == Place("configs", 1, 1)
    assert problem.hint
    assert caught.value.exit_code is ExitCode.INVALID


def test_what_cannot_be_read_hides_nothing_in_what_can() -> None:
    """Missing files and errors within files are told together."""
    Path("a.yaml").write_text("from: a\nto: b\nmax: 0\n", encoding="utf-8")
    with pytest.raises(ConfigurationInvalid) as caught:
        load([Path("a.yaml"), Path("missing")])
    assert [each.code for each in caught.value.diagnostics] == [
        "limit-out-of-range",
        "file-missing",
    ]


def ten_thousand_limits() -> list[Source]:
    """200 files of 50 limits."""
    labels = "".join(f"  Billing contact {number}: {1 + number % 40}\n" for number in range(49))
    return [
        Source(
            f"configs/{n}.yaml", f"from: p_{n}\nto: contacts\nmax: 50\nlabels:\n{labels}".encode()
        )
        for n in range(200)
    ]


def test_ten_thousand_limits_load() -> None:
    """In one go, from 200 files; `make bench` measures how long it takes."""
    loaded = parse(ten_thousand_limits(), prune=True)
    assert sum(len(each.limits) for each in loaded.desired.directions) == 10_000


def test_thousands_of_mistakes_are_all_told() -> None:
    """A generator that quotes every number gets all its diagnostics."""
    labels = "".join(f'  {number}: "{number}"\n' for number in range(5_000))
    content = f"from: a\nto: b\nlabels:\n{labels}".encode()
    with pytest.raises(ConfigurationInvalid) as caught:
        parse([Source("a.yaml", content)], prune=True)
    assert len(caught.value.diagnostics) == 5_000


def test_importing_the_package_costs_nothing() -> None:
    """The YAML parser and pydantic are imported when files are read, and not before."""
    program = (
        "import sys\n"
        "import reconciler.config.sources, reconciler.config.workspace\n"
        "import reconciler.config.object_types, reconciler.config.head\n"
        "print(sorted({'pydantic', 'ruamel.yaml', 'difflib', 'click', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "[]\n"
