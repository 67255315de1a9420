"""A runner's machine: a folder for the tools a recipe finds on its PATH, and a bare environment."""

from __future__ import annotations

import ast
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.ci import warm

ROOT = Path(__file__).parents[2]

IN_HASTE = 'case $1 in plan|apply|import) name=$1; shift; set -- "$name" --settle 0 "$@";; esac'
"""No time between two reads that must agree: settling is tested in virtual time."""

_START = """
import os, sys
said = {"arguments": sys.argv[2:], "folder": os.getcwd(), "env": dict(os.environ)}
with open(sys.argv[1], "a") as log:
    log.write(repr(said) + "\\n")
"""

_IMPORTS = "import base64, hashlib, json, pathlib, shutil, subprocess, tempfile, venv"
"""What a real `venv` or `pip` imports, from wherever its module path says."""

_PYTHON = f"""#!/bin/sh
# Starts as the real Python does, with its module path; makes no real environment, installs nothing.
isolated=
if [ "$1" = -I ]; then isolated=-I; shift; fi
case "$isolated $1 $2" in
  *' -m venv' | *' -m pip') ;;
  '-I -m reconciler') shift 2; {IN_HASTE}; exec COMMAND "$@" ;;
  *) exec "{sys.executable}" $isolated "$@" ;;
esac
START LOG $isolated "$@" || exit
for last in "$@"; do :; done
case "$2" in
  venv) mkdir -p "$last/bin" && cp "$0" "$last/bin/python" ;;
  pip) test -f "$last" || test -f "$last/pyproject.toml" ;;
esac
"""

_GH = f"""#!{sys.executable} -I
import fnmatch, json, os, pathlib, re, shutil, subprocess, sys
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
    folder = pathlib.Path(sys.argv[sys.argv.index("--dir") + 1])
    patterns = [value for option, value in zip(sys.argv, sys.argv[1:]) if option == "--pattern"]
    names = [each for each in answer if any(fnmatch.fnmatch(each, one) for one in patterns)]
    if not names:
        sys.exit("no artifact matches any of the names or patterns provided")
    for name in names:
        shutil.copytree(answer[name], folder / name)
elif "--jq" in sys.argv:
    jq = ["jq", "-r", sys.argv[sys.argv.index("--jq") + 1]]
    sys.exit(subprocess.run(jq, input=json.dumps(answer), text=True).returncode)
if "--body-file" in sys.argv:
    shutil.copy(sys.argv[sys.argv.index("--body-file") + 1], here / "body.md")
"""


@dataclass(frozen=True)
class Started:
    """A Python that was started to set up an environment: its arguments, folder and variables."""

    arguments: list[str]
    folder: str
    env: dict[str, str]


@dataclass(frozen=True)
class Machine:
    """`top` holds the tools in `bin` and the runner's temporary files in `temp`.

    `real`: every Python starts as it would anywhere, the command's too. Otherwise the command is
    forked from a Python that has imported it, see `warm`, and what sets up imports nothing.
    """

    top: Path
    real: bool = False

    def __post_init__(self) -> None:
        """Lay out the folders and the tools."""
        self.bin.mkdir(parents=True)
        self.temp.mkdir()
        for name in ("python-of-setup-python", "python"):
            self._tool(name, self._python())
        self._tool("gh", _GH)

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
        self._tool("reconciler", f'#!/bin/sh\n{IN_HASTE}\nexec {self._command} "$@"\n')

    def gh_knows(self, *answers: tuple[str, object]) -> None:
        """What `gh` answers to arguments that begin like a pattern: JSON, or artifacts by name."""
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
    def started(self) -> list[Started]:
        """The Pythons that made environments or installed packages."""
        log = self.top / "started"
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        return [Started(**ast.literal_eval(line)) for line in lines]

    @property
    def _command(self) -> str:
        """The shell's words for the command."""
        return f'"{sys.executable}" -I -m reconciler' if self.real else warm.command()

    def _python(self) -> str:
        """The text of the tool that is called Python."""
        start = f"\"{sys.executable}\" -I -S -c '{_START}'"
        if self.real:
            start = f"\"{sys.executable}\" $isolated -c '{_IMPORTS}{_START}'"
        text = _PYTHON.replace("COMMAND", self._command).replace("START", start)
        return text.replace("LOG", f'"{self.top / "started"}"')

    def _tool(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)
