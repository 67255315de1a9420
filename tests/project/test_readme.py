"""README.md against the command line it describes."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from reconciler.cli.root import COMMANDS
from reconciler.errors import ExitCode
from tests.project.command import ROOT, run

README = ROOT / "README.md"


def table(header: str) -> dict[str, str]:
    """The table whose first column is so named: first cell, without backticks, to whole row."""
    blocks = re.findall(r"(?:^\|.*\n)+", README.read_text(encoding="utf-8"), re.MULTILINE)
    for head, _, *rows in (block.splitlines() for block in blocks):
        if _first_cell(head).lower() == header:
            return {_first_cell(row): row for row in rows}
    raise AssertionError(f"no table with the column {header}")


@pytest.mark.parametrize(
    "path", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")], ids=lambda path: path.name
)
def test_links_lead_somewhere(path: Path) -> None:
    """A relative link names a file of the repository."""
    targets = re.findall(r"\]\(([^)#:]+)[^):]*\)", path.read_text(encoding="utf-8"))

    assert [each for each in targets if not (path.parent / each).exists()] == []


def test_the_python_example_names_what_there_is() -> None:
    """Every import of the example, and every function of the package that it calls."""
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    tree = ast.parse(example)
    named = [
        (each.module or "", name.name)
        for each in tree.body
        if isinstance(each, ast.ImportFrom)
        for name in each.names
    ]
    named += [("reconciler", name) for name in re.findall(r"\breconciler\.(\w+)\(", example)]
    assert [each for each in named if not hasattr(import_module(each[0]), each[1])] == []
    assert ("reconciler.hubspot.portal", "connect") in named
    assert ("reconciler", "observe") in named


def _first_cell(row: str) -> str:
    return re.split(r"(?<!\\)\|", row)[1].strip().strip("`")


def _commands() -> dict[str, str]:
    return {
        cell.removeprefix("reconciler ").split()[0]: row for cell, row in table("command").items()
    }


def test_table_names_the_commands_of_help() -> None:
    """No command is missing from the README, and none is made up."""
    section = run("--help").out.split("Commands:\n")[1]

    assert set(_commands()) == set(re.findall(r"^  ([a-z]+)  ", section, re.MULTILINE))


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_table_names_options_that_exist(command: str) -> None:
    """An option in a command's row is one of that command."""
    offered = run(command, "--help").out

    for option in re.findall(r"--[a-z][a-z-]+", _commands()[command]):
        assert re.search(rf"{option}(?![a-z-])", offered)


def test_table_names_the_exit_codes() -> None:
    """A pipeline's author finds every exit code, and no other."""
    assert {int(cell) for cell in table("exit code")} == {int(code) for code in ExitCode}


def test_the_pair_files_shown_are_valid(tmp_path: Path) -> None:
    """Each is taken as it stands, so that what a newcomer copies is right."""
    (tmp_path / "configs").mkdir()
    shown = [block for block in _yaml_blocks() if "from: " in block]
    assert len(shown) == 2
    for block in shown:
        (tmp_path / "configs" / "pair.yaml").write_text(block, encoding="utf-8")
        done = run("validate", directory=tmp_path)
        assert (done.code, done.err) == (0, "")


def test_the_workspace_file_shown_is_valid(tmp_path: Path) -> None:
    """With one of the pair files shown before it."""
    (shown,) = (block for block in _yaml_blocks() if block.startswith("version: "))
    (tmp_path / "reconciler.yaml").write_text(shown, encoding="utf-8")
    (tmp_path / "configs").mkdir()
    pair = next(block for block in _yaml_blocks() if "from: " in block)
    (tmp_path / "configs" / "pair.yaml").write_text(pair, encoding="utf-8")
    done = run("validate", directory=tmp_path)
    assert (done.code, done.err) == (0, "")


def _yaml_blocks() -> list[str]:
    return re.findall(
        r"^```yaml\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
