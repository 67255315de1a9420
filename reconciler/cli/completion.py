"""`reconciler completion`: the shell's completion script, and what it completes values with.

The script asks the command itself at each press of the key, so what is offered is what this folder's
workspace has: its portals, the pairs of its files, the saved plans beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from reconciler.cli import output
from reconciler.cli.given import Invocation
from reconciler.config.workspace import Workspace, find_default, find_workspace
from reconciler.errors import ReconcilerError

_PLAN_BEGINS = b'{"batches":'
"""How a saved plan begins: canonical JSON, its keys sorted."""

_WHOLE_PAIRS = "# `contacts:companies` is one word.\nCOMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n\n"


@click.command(
    "completion",
    epilog='bash, in ~/.bashrc: eval "$(reconciler completion bash)"    zsh, in ~/.zshrc: '
    'eval "$(reconciler completion zsh)"    fish: reconciler completion fish > '
    "~/.config/fish/completions/reconciler.fish",
)
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL: bash (4.4 or newer), zsh or fish.

    It completes commands, options, portal names, pairs and saved plans.
    """
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click has a class for each of the choices
    name = click.get_current_context().find_root().info_name or "reconciler"
    script = found(click.Group(), {}, name, f"_{name.replace('-', '_').upper()}_COMPLETE")
    before = _WHOLE_PAIRS if shell == "bash" else ""
    output.result(before + script.source_template % script.source_vars())


def complete_portals(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The portals of the workspace that is found from here."""
    try:
        names = [each.name for each in _workspace(context).portals]
    except ReconcilerError:
        return []
    return _items(names, incomplete)


def complete_pairs(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """`from:to` of the pair files in the workspace's folder."""
    from reconciler.config.loading import load  # pydantic: 0.1 s that only pairs should cost

    try:
        found = load([_workspace(context).config_directory]).desired.directions
    except ReconcilerError:
        return []
    return _items([f"{each.from_}:{each.to}" for each in found], incomplete)


def _workspace(context: click.Context) -> Workspace:
    named = context.ensure_object(Invocation).given.workspace
    path = find_workspace(Path.cwd()) if named is None else Path(named)
    if path is None:
        return find_default(Path())
    from reconciler.config.workspace_file import load_workspace  # pydantic only for a file

    return load_workspace(path)


def saved_plans(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Saved plans, by their first bytes, and the folders on the way to them."""
    given = Path(incomplete)
    folder = given if incomplete.endswith("/") else given.parent
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    shown = [f"{each}/" if each.is_dir() else str(each) for each in entries if _leads(each)]
    return _items(shown, incomplete)


def _leads(path: Path) -> bool:
    """Whether it is a saved plan or a folder that is not hidden."""
    if path.is_dir():
        return not path.name.startswith(".")
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(_PLAN_BEGINS)) == _PLAN_BEGINS
    except OSError:
        return False


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]
