"""A runner's machine: a folder for the tools a recipe finds on its PATH, and a bare environment."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_RECONCILER = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m reconciler "$@"\n'

_PYTHON = f"""#!/bin/sh
# Stands in for the Python that setup-python finds: makes no real environment, installs nothing.
case "$1 $2" in
  '-m venv')
    mkdir -p "$4/bin"
    cp "$0" "$4/bin/python"
    ;;
  '-m pip')
    for last in "$@"; do :; done
    test -f "$last/pyproject.toml"
    cp "$(dirname "$0")/../../reconciler.sh" "$(dirname "$0")/reconciler"
    ;;
  *) exec "{sys.executable}" "$@" ;;
esac
"""

_GH = f"""#!{sys.executable}
import json, os, pathlib, re, shutil, subprocess, sys
here = pathlib.Path(__file__).parent
assert os.environ["GH_TOKEN"] == "ghs_workflow_token_0123456789"
said = " ".join(sys.argv[1:])
with (here / "gh.log").open("a") as log:
    log.write(said + "\\n")
for pattern, answer in json.loads((here / "gh.json").read_text()):
    if re.match(pattern, said):
        break
else:
    sys.exit(f"gh: nothing is known of: {{said}}")
if "--dir" in sys.argv:
    shutil.copytree(answer, sys.argv[sys.argv.index("--dir") + 1], dirs_exist_ok=True)
elif "--jq" in sys.argv:
    jq = ["jq", "-r", sys.argv[sys.argv.index("--jq") + 1]]
    sys.exit(subprocess.run(jq, input=json.dumps(answer), text=True).returncode)
if "--body-file" in sys.argv:
    shutil.copy(sys.argv[sys.argv.index("--body-file") + 1], here / "body.md")
"""

_PIP = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/pip.log"
"""


@dataclass(frozen=True)
class Machine:
    """`top` holds the tools in `bin` and the runner's temporary files in `temp`."""

    top: Path

    def __post_init__(self) -> None:
        """Lay out the folders and the tools."""
        self.bin.mkdir(parents=True)
        self.temp.mkdir()
        self._tool("python-of-setup-python", _PYTHON)
        self._tool("gh", _GH)
        self._tool("pip", _PIP)
        self._tool("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (self.top / "temp" / "reconciler.sh").write_text(_RECONCILER)
        (self.top / "temp" / "reconciler.sh").chmod(0o755)

    @property
    def bin(self) -> Path:
        return self.top / "bin"

    @property
    def temp(self) -> Path:
        return self.top / "temp"

    @property
    def python(self) -> str:
        """What setup-python gives as `python-path`."""
        return str(self.bin / "python-of-setup-python")

    @property
    def env(self) -> dict[str, str]:
        """Nothing of the tests' own environment but where the tools are."""
        path = os.pathsep.join((str(self.bin), os.environ["PATH"]))
        return {"PATH": path, "HOME": str(self.top), "LANG": "C.UTF-8", "CI": "true"}

    def install_reconciler(self) -> None:
        """Put the command on the PATH."""
        self._tool("reconciler", _RECONCILER)

    def gh_knows(self, *answers: tuple[str, object]) -> None:
        """What `gh` answers to arguments that begin like a pattern: JSON, or a folder to copy."""
        (self.bin / "gh.json").write_text(json.dumps(answers))
        (self.bin / "gh.log").write_text("")

    @property
    def gh_log(self) -> list[str]:
        """The arguments `gh` was called with."""
        return (self.bin / "gh.log").read_text().splitlines()

    @property
    def gh_body(self) -> str:
        """The last body that `gh` was given."""
        return (self.bin / "body.md").read_text("utf-8")

    @property
    def pip_log(self) -> list[str]:
        """The arguments `pip` was called with."""
        return (self.bin / "pip.log").read_text().splitlines()

    def _tool(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)
