"""What the shells complete: commands, options, portals, pairs and saved plans."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ci import plans
from tests.cli.running import Desk

WORKSPACE = """version: 1
portals:
  production: {token: {env: HUBSPOT_PRODUCTION_TOKEN}}
  sandbox: {token: {env: HUBSPOT_SANDBOX_TOKEN}}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A workspace of two portals and one pair, and a saved plan among other JSON files."""
    desk = Desk(tmp_path)
    desk.write("reconciler.yaml", WORKSPACE)
    desk.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    desk.write("package.json", "{}")
    desk.write("plans/readme.txt", "")
    plans.save(plans.small(), tmp_path / "plan.json")
    desk.write("results.json", '[\n{"changes":[],"outcome":"nothing"}\n]')
    return desk


def completed(desk: Desk, *words: str) -> list[str]:
    """What the command offers for the last of these words."""
    typed = {"COMP_WORDS": " ".join(("reconciler", *words)), "COMP_CWORD": str(len(words))}
    asked = Desk(desk.folder, variables={**typed, "_RECONCILER_COMPLETE": "bash_complete"})
    return [line.partition(",")[2] for line in asked.run_here().out.split()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pl"], ["plan"]),
        (["plan", "--portal", ""], ["production", "sandbox"]),
        (["plan", "--portal", "s"], ["sandbox"]),
        (["plan", "--detail"], ["--detailed-exitcode"]),
        (["import", "--pair", "con"], ["contacts:companies"]),
        (["import", "--pair", "d"], []),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["show", ""], ["configs/", "plan.json", "plans/", "results.json"]),
        (["show", "--since", ""], ["configs/", "plan.json", "plans/"]),
        (["comment", "pl"], ["plan.json", "plans/"]),
    ],
)
def test_words_are_completed(desk: Desk, words: list[str], offered: list[str]) -> None:
    """Commands by their names, options, portals and pairs of this workspace, and plans by their content."""
    assert completed(desk, *words) == offered


def test_a_broken_workspace_offers_nothing_and_says_nothing(desk: Desk) -> None:
    """Somebody who types must not get error messages in the middle of a line."""
    desk.write("reconciler.yaml", "portals: [")
    assert completed(desk, "plan", "--portal", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_for_the_name_it_was_called_by(desk: Desk, shell: str) -> None:
    """Both installed names can be completed."""
    script = desk.run_here("completion", shell, name="hubspot-reconciler").out
    assert "_HUBSPOT_RECONCILER_COMPLETE" in script
    assert "hubspot-reconciler" in script


def test_bash_completes_with_the_script(desk: Desk) -> None:
    """In a real bash: the script is read, and a word is completed."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    here = Path(sys.executable).parent
    done = subprocess.run(
        [
            bash,
            "--norc",
            "-c",
            (
                'eval "$(reconciler completion bash)"; COMP_WORDS=(reconciler plan --portal pro); '
                "COMP_CWORD=3; _reconciler_completion reconciler; echo ${COMPREPLY[@]}"
            ),
        ],
        cwd=desk.folder,
        env={**desk.env, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("production\n", "")
