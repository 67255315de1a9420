"""The tours of the documents as steps, and a terminal that a person could have typed them into."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Typed:
    """A command, and what the README says it prints. `line`: where in the README."""

    command: str
    output: str
    line: int


@dataclass(frozen=True)
class Saved:
    """A file that is to be written as it stands."""

    path: str
    text: str


@dataclass(frozen=True)
class Set:
    """A limit that is to be typed into the sandbox's page."""

    label: str
    direction: str
    value: str


Step = Typed | Saved | Set

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"`([\w-]+\.json)`")
_BROWSER = re.compile(
    r"type\s+(?P<value>\S+)\s+as\s+the\s+limit\s+of\s+\"(?P<label>[^\"]+)\"\s+"
    r"below\s+\"(?P<direction>[^\"]+)\"\s+and\s+press\s+\"Set\""
)


def steps(readme: str, heading: str = "A tour") -> list[Step]:
    """A tour in the document's order: blocks of commands and files, and words about the page."""
    start = readme.index(f"\n## {heading}\n")
    end = readme.index("\n## ", start + 1)
    found: list[tuple[int, Step]] = []
    for block in _BLOCK.finditer(readme, start, end):
        line = readme.count("\n", 0, block.start()) + 2
        match block[1]:
            case "console":
                found += [(block.start(), one) for one in _typed(block[2], line)]
            case "yaml":
                found.append((block.start(), Saved(block[2].split()[1], block[2])))
            case "json":
                name = _NAMED.findall(readme, start, block.start())[-1]
                found.append((block.start(), Saved(name, block[2])))
            case language:
                raise AssertionError(f"line {line}: what is to be done with {language}?")
    for sentence in _BROWSER.finditer(readme, start, end):
        words = {name: " ".join(value.split()) for name, value in sentence.groupdict().items()}
        found.append((sentence.start(), Set(**words)))
    return [one for _, one in sorted(found, key=lambda each: each[0])]


def opening(tour: list[Step]) -> tuple[list[Saved], Typed, list[Step]]:
    """What is saved before the sandbox is started, the command that starts it, and the rest."""
    saved = list(takewhile(lambda one: isinstance(one, Saved), tour))
    start, *rest = tour[len(saved) :]
    assert isinstance(start, Typed)
    return [one for one in saved if isinstance(one, Saved)], start, rest


def _typed(block: str, line: int) -> Iterator[Typed]:
    """The commands of a block, each with the lines below it."""
    commands: list[tuple[int, str, list[str]]] = []
    for number, text in enumerate(block.splitlines(), line):
        if text.startswith("$ "):
            commands.append((number, text[2:], []))
        else:
            commands[-1][2].append(text)
    for number, command, output in commands:
        yield Typed(command, "\n".join(output).strip("\n"), number)


def retyped(readme: str, outputs: dict[int, str]) -> str:
    """The README with these outputs below the commands on these lines."""
    kept: list[str] = []
    is_output = False
    for number, line in enumerate(readme.splitlines(), 1):
        is_output = is_output and not line.startswith(("$ ", "```"))
        if not is_output:
            kept.append(line)
        if number in outputs:
            kept += outputs[number].splitlines()
            is_output = True
    return "\n".join(kept) + "\n"


class Terminal:
    """A shell that keeps its folder and its variables from command to command."""

    def __init__(self, shell: subprocess.Popen[str]) -> None:
        self._shell = shell

    def type(self, command: str) -> str:
        """Run a command; what stands on the screen then. Ends with the test if it hangs."""
        timer = threading.Timer(60, self._shell.kill)
        timer.start()
        try:
            stdin = _open(self._shell.stdin)
            stdin.write(f"{{ {command}\n}} </dev/null\necho; echo {_END}\n")
            stdin.flush()
            return "".join(iter(_open(self._shell.stdout).readline, f"{_END}\n")).strip("\n")
        finally:
            timer.cancel()


_END = "-- end of the command --"


def _open(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@contextmanager
def terminal(directory: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """A shell in a folder, with everything on one screen."""
    with subprocess.Popen(
        ("sh",),
        cwd=directory,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as shell:
        try:
            yield Terminal(shell)
        finally:
            shell.kill()


@contextmanager
def background(
    command: str, directory: Path, environment: Mapping[str, str], lines: int
) -> Iterator[Sequence[str]]:
    """A command in a terminal of its own, with its first lines; interrupted in the end."""
    with subprocess.Popen(
        ("sh", "-c", f"exec {command}"),
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        timer = threading.Timer(60, process.kill)
        timer.start()
        try:
            shown = [_open(process.stdout).readline().rstrip("\n") for _ in range(lines)]
            timer.cancel()
            yield shown
        finally:
            timer.cancel()
            process.terminate()
