"""Every command and option that a message, a hint or a document names exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest

from reconciler.cli.root import COMMANDS, cli
from tests.project.command import ROOT

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "action.yml", "examples/**/*", ".pre-commit-hooks.yaml")
    for path in ROOT.glob(pattern)
    if path.is_file()
)
MODULES = sorted((ROOT / "reconciler").rglob("*.py"))

_NAME = r"(?:hubspot-)?reconciler"
_IN_CODE = re.compile(
    rf"(?<![\w./-]){_NAME}((?: --?[a-z][\w-]*(?:[ =][^\s`-][^\s`]*)?)*) ([a-z][a-z-]*)([^`\n|;&)]*)"
)
"""The command with the options before it, its name, and what follows on the line."""
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_STYLE_SHEET = "var(--"
_OTHERS_WORDS = re.compile(r"\b(?:git|pip|uv|uvx|pipx|docker|gh|glab|python|pytest|make)\b[^`;]*")
"""What another program is given."""


@dataclass(frozen=True)
class Named:
    """A command that a text names, with the options beside it."""

    command: str
    options: tuple[str, ...]


@cache
def options_of(command: str) -> frozenset[str]:
    """The options of a command and those of the whole command line."""
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    given = [*cli.params, *found.params]
    names = {name for each in given for name in (*each.opts, *each.secondary_opts)}
    return frozenset({*names, "--help", "--version"})


def all_options() -> frozenset[str]:
    """The options of all commands."""
    return frozenset().union(*map(options_of, COMMANDS))


def unreleased(text: str) -> str:
    """What the changelog says of the version to come; what was is not held against it."""
    return re.split(r"^## (?!Unreleased)", text, maxsplit=1, flags=re.MULTILINE)[0]


def code_of(path: Path) -> str:
    """The parts of a document that are to be typed, continued lines joined."""
    text = path.read_text(encoding="utf-8")
    if path.name == "CHANGELOG.md":
        text = unreleased(text)
    if path.suffix == ".md":
        text = "\n".join(_CODE.findall(text))
    else:
        text = _COMMENT.sub(lambda found: "\n".join(_CODE.findall(found[0])), text)
    return re.sub(r"\\\n\s*", " ", text)


def named_in(code: str) -> Iterator[Named]:
    """The commands in code: those that are run, and those in backticks."""
    for found in _IN_CODE.finditer(code):
        yield Named(found[2], tuple(_OPTION.findall(f"{found[1]} {found[3]}")))


def texts_of(path: Path) -> Iterator[str]:
    """The string literals of a module, those in f-strings among them; no docstrings but help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    spoken = path.parent.name == "cli" and any(
        isinstance(each, ast.FunctionDef) and each.name == "command" for each in tree.body
    )
    silent = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and isinstance(node.body[0], ast.Expr)
        and not (spoken and getattr(node, "name", "") == "command")
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
        ):
            yield node.value


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_commands_and_options_that_exist(path: Path) -> None:
    """What a reader copies runs."""
    for named in named_in(code_of(path)):
        assert named.command in COMMANDS, named
        assert set(named.options) <= options_of(named.command), named


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_name_commands_and_options_that_exist(path: Path) -> None:
    """A hint does not send anybody to a command of a version to come."""
    known = all_options()
    for text in texts_of(path):
        for found in re.finditer(rf"`{_NAME} ([a-z-]+)", text):
            assert found[1] in COMMANDS, text
        if " " in text and _STYLE_SHEET not in text:
            assert set(_OPTION.findall(_OTHERS_WORDS.sub("", text))) <= known, text


def test_the_search_finds_what_it_should() -> None:
    """Commands in prose, in blocks and in recipes; words that only follow the name are not."""
    text = "run `reconciler plan --out p.json` or `reconciler --workspace x.yaml apply --force`"
    assert list(named_in("".join(_CODE.findall(text)))) == [
        Named("plan", ("--out",)),
        Named("apply", ("--workspace", "--force")),
    ]
    assert [each.command for each in named_in("$ reconciler import | reconciler doctor")] == [
        *("import", "doctor")
    ]
