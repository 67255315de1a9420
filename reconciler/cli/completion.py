"""`reconciler completion`: the shell's completion script.

The script asks the command itself at each press of the key. What it offers for a value is said where
the option is, see `options`.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reconciler.cli import output

_WHOLE_PAIRS = "# `contacts:companies` is one word.\nCOMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n\n"


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL: bash (4.4 or newer), zsh or fish.

    It completes commands, options, portal names, pairs and saved plans. bash and zsh read it with
    `eval`, from ~/.bashrc or ~/.zshrc; fish finds it in its folder of completions.
    """
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click has a class for each of the choices
    name = click.get_current_context().find_root().info_name or "reconciler"
    script = found(click.Group(), {}, name, f"_{name.replace('-', '_').upper()}_COMPLETE")
    before = _WHOLE_PAIRS if shell == "bash" else ""
    text = before + script.source_template % script.source_vars()
    output.result(text, is_document=True)
