"""The command that is forked from a warm Python does what the one with its own start does."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.ci.machine import Machine
from tests.ci.shell import needs_tools

pytestmark = needs_tools

LINES = """
cd "$FOLDER"
echo 'from: contacts' > pair.yaml
reconciler --version; echo $?
reconciler no-such-command; echo $?
reconciler validate pair.yaml; echo $?
HUBSPOT_BASE_URL=here reconciler plan; echo $?
echo '{"format": 7}' | reconciler show /dev/stdin; echo $?
reconciler completion bash | reconciler show /dev/stdin 2>&1 | cat; echo "${PIPESTATUS[@]}"
mkdir made; cd made; umask 027; reconciler init >&2; echo $?; ls -lR . | cut -c 1-10
"""
"""Exit codes, arguments, folder, variables, the three streams, a pipe between two, the umask."""


def test_it_cannot_be_told_from_the_real_one(tmp_path: Path) -> None:
    """Every line's output and code are the same."""
    seen = []
    for real in (True, False):
        machine = Machine(tmp_path / f"{real}", real=real)
        machine.install_reconciler()
        folder = machine.top / "folder"
        folder.mkdir()
        done = subprocess.run(
            ["bash", "-c", LINES],
            env={**machine.env, "FOLDER": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        seen.append([text.replace(str(machine.top), "") for text in (done.stdout, done.stderr)])
    assert seen[0] == seen[1]
    assert "Usage: reconciler" in seen[0][1]
    codes = [line for line in seen[0][0].splitlines() if line.replace(" ", "").isdigit()]
    assert codes == ["0", "64", "3", "64", "4", "0 4 0", "0"]
