"""Run the shell lines of a recipe as a runner does, and know which of them ran."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_SYNTAX = re.compile(
    r"(?:\w+\(\) \{|fi|esac|else|then|do|;;|\{|\(|done\b.*|[})].*|(?:[\w*.-]+ ?\| ?)*[\w*.-]+\)(?: ;;)?|#.*)?"
)
_HERE = re.compile(r"<<-?'?(\w+)'?$")
_RUN = 'exec 9>"$1"; BASH_XTRACEFD=9; PS4=\'+:${LINENO}:\'; shift; script=$1; shift; set -x; . "$script"'

needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "git", "jq", "curl"))),
    reason="the recipes need bash, git, jq and curl",
)


@dataclass(frozen=True)
class Done:
    """How a script ended."""

    code: int
    out: str
    err: str


@dataclass
class Coverage:
    """Which lines of which scripts have been run."""

    ran: dict[str, set[int]] = field(default_factory=dict)

    def missing(self, scripts: Iterator[str] | list[str]) -> list[str]:
        """The commands of these scripts that never ran."""
        return [
            command
            for script in scripts
            for lines, command in commands(script)
            if not lines & self.ran.get(script, set())
        ]


def commands(script: str) -> Iterator[tuple[set[int], str]]:
    """Line numbers and text of every command: continuations and documents belong to it."""
    lines = iter(enumerate(script.splitlines(), 1))
    for number, line in lines:
        numbers, text = {number}, line
        here = _HERE.search(line)
        while text.endswith("\\") or _is_open(text) or (here and here[1] != line.strip()):
            number, line = next(lines)
            numbers.add(number)
            text = text if here else f"{text.removesuffix(chr(92))}\n{line}"
        if not _SYNTAX.fullmatch(text.strip()):
            yield numbers, text


def _is_open(text: str) -> bool:
    """Whether a quotation, a command substitution or a pipe goes on in the next line."""
    if text.lstrip().startswith("#"):
        return False
    unquoted = re.sub(r"'[^']*'", "", re.sub(r"\\.", "", text))
    return (
        unquoted.count("'") % 2 == 1
        or unquoted.count('"') % 2 == 1
        or unquoted.count("$(") > unquoted.count(")")
        or unquoted.rstrip().endswith("|")
    )


def run_script(
    script: str, folder: Path, env: Mapping[str, str], coverage: Coverage, scratch: Path
) -> Done:
    """Run a script with `bash -euo pipefail` in a folder; remember which lines ran."""
    file, trace = scratch / "script.sh", scratch / "trace"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", _RUN, "bash", trace, file],
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    found = re.findall(r"^\++:(\d+):", trace.read_text("utf-8", "replace"), re.MULTILINE)
    coverage.ran.setdefault(script, set()).update(map(int, found))
    return Done(done.returncode, done.stdout, done.stderr)
