"""The examples of the pages that explain a code: read from the page, and carried out.

    python -m tests.project.pages

types the messages of all examples again, for whoever changes one on purpose, and writes the index.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.cli.explain import index
from reconciler.explanations import Kind, Page, codes, explanation
from reconciler.sandbox.example import example_portal
from reconciler.sandbox.portal import ObjectType, Portal
from reconciler.sandbox.server import serve
from tests.cli.running import Desk, Ran, git
from tests.project.command import ROOT

DOCS = ROOT / "docs"
BEGINNING = ("configs/contacts-companies.yaml", "from: contacts\nto: companies\nmax: 5\n")
"""What each example finds: one pair file that is fine."""

INDEX = DOCS / "diagnostics" / "README.md"
_FENCE = re.compile(r"```(yaml|console)\n(.*?)```", re.DOTALL)
_FOUND = re.compile(r"^\S.*?: (error|warning)\[([a-z0-9-]+)\]: .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Saved:
    """A file that the reader is to save, by the name in its first line."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command."""

    command: str


@dataclass(frozen=True, slots=True)
class Example:
    """What leads to a code, and what cures it; `command` shows both."""

    faulty: tuple[Saved | Typed, ...]
    command: str
    cured: tuple[Saved | Typed, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command said: severities and codes, and of each code what the page shows.

    That is the first such diagnostic without its source line.
    """

    code: int
    found: tuple[tuple[str, str], ...]
    lines: Mapping[str, tuple[str, ...]]
    err: str


def portal() -> Portal:
    """The example account with a custom object that has the name of one of HubSpot's."""
    example = example_portal()
    order = ObjectType("2-5001", "order", "orders", f"p{example.portal_id}_order")
    return replace(example, object_types=example.object_types.extended([order]))


def diagnostic_pages() -> list[Page]:
    """The pages that have an example to carry out."""
    return [explanation(code) for code, kind in codes().items() if kind is Kind.DIAGNOSTIC]


def example(page: Page) -> Example | None:
    """The example of a page; the last command of its first part is the one that shows it.

    None: the page says that nothing is known that leads there.
    """
    _, _, rest = page.markdown.partition("\n## Example\n")
    before, _, after = rest.partition("\n## Cure\n")
    faulty = list(_steps(before))
    last = faulty.pop() if faulty else None
    if not isinstance(last, Typed):
        return None
    return Example(tuple(faulty), last.command, tuple(_steps(after)))


def _steps(text: str) -> Iterator[Saved | Typed]:
    for kind, content in _FENCE.findall(text):
        if kind == "yaml":
            name = content.splitlines()[0].removeprefix("# ")
            yield Saved(name, content)
        else:
            for line in content.splitlines():
                if line.startswith("$ "):
                    yield Typed(line.removeprefix("$ "))


def take(desk: Desk, steps: Sequence[Saved | Typed]) -> None:
    """Do what the page says."""
    for step in steps:
        match step:
            case Saved(path, text):
                desk.write(path, text)
            case Typed(command) if command.startswith("reconciler "):
                run(desk, command)
            case Typed(command):
                subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", command],
                    cwd=desk.folder,
                    env=desk.env
                    | {
                        f"GIT_{who}_{what}": "a@example.com"
                        for who in ("AUTHOR", "COMMITTER")
                        for what in ("NAME", "EMAIL")
                    },
                    check=True,
                    capture_output=True,
                )


def run(desk: Desk, command: str) -> Ran:
    """A command of `reconciler`, in this process."""
    return desk.run_here(*shlex.split(command)[1:])


def shown(desk: Desk, command: str) -> Shown:
    """What the command reports about the files."""
    if command.startswith("reconciler fmt"):  # it has no documents
        return _shown_as_text(run(desk, command))
    ran = run(desk, f"{command} --format json")
    found = ran.json.get("diagnostics", [])
    return Shown(
        ran.code,
        tuple(dict.fromkeys((each["severity"], each["code"]) for each in found)),
        {each["code"]: tuple(_lines(each)) for each in reversed(found)},
        ran.err,
    )


def _lines(each: dict[str, Any]) -> Iterator[str]:
    at = f"{each['path']}:{each['line']}:{each['column']}"
    yield f"{at}: {each['severity']}[{each['code']}]: {each['message']}"
    if each["hint"]:
        yield f"  hint: {each['hint']}"


def _shown_as_text(ran: Ran) -> Shown:
    found = {}
    for each in reversed(list(_FOUND.finditer(ran.err))):
        rest = ran.err[each.end() :].split("\n\n")[0].splitlines()
        found[each[2]] = (each.group(), *(line for line in rest if line.startswith("  hint:")))
    codes = tuple(dict.fromkeys(_FOUND.findall(ran.err)))
    return Shown(ran.code, codes, found, ran.err)


def begin(folder: Path) -> Desk:
    """A repository with the pair file that each example finds."""
    desk = Desk(folder)
    desk.write(*BEGINNING)
    git(desk, "init", "-q", "-b", "main")
    return desk


def typed_again(page: Page, command: str, lines: Sequence[str]) -> str:
    """The page with these lines below the command of its example."""
    before, at, after = page.markdown.partition("\n## Cure\n")
    head, _, _ = before.rpartition(f"$ {command}\n")
    return "".join([head, f"$ {command}\n", *(f"{line}\n" for line in lines), "```\n", at, after])


def index_text() -> str:
    """The index of all pages."""
    every = [explanation(code) for code in codes()]
    return (
        "# What a code means\n\n"
        "`reconciler explain CODE` prints the same pages. Each has the cause, an example and its cure. An\n"
        "example begins in a git repository with one pair file that is fine, `configs/contacts-companies.yaml`;\n"
        "where it asks a portal, that is the example account of `reconciler sandbox`. A test runs them all.\n\n"
        f"{index(every)}\n"
    )


def main() -> None:
    """Write the pages and their index again."""
    with serve(portal()) as server:
        for page in diagnostic_pages():
            with tempfile.TemporaryDirectory() as folder:
                desk = begin(Path(folder))
                desk.server = server
                steps = example(page)
                if steps is None:
                    continue
                take(desk, steps.faulty)
                lines = shown(desk, steps.command).lines[page.code]
            path = DOCS / page.kind / f"{page.code}.md"
            path.write_text(typed_again(page, steps.command, lines), encoding="utf-8")
    INDEX.write_text(index_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
