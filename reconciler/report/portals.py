"""How a command ended for several portals: one table, and one line that counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.errors import ExitCode, plural
from reconciler.report.escape import markdown_cell, markdown_code, markdown_prose, terminal
from reconciler.report.terminal import Mark, Style, padded, widest

_WIDEST_NAME = 40
_LONGEST_WORDS = 120


@dataclass(frozen=True, slots=True)
class PortalEnd:
    """How a command ended for one of several portals: in a few words, with its own exit code.

    `failed`: there is no result of this portal, and the words say why.
    """

    portal: str
    words: str
    exit_code: ExitCode
    failed: bool


def portals_text(ends: Sequence[PortalEnd], style: Style) -> str:
    """A row for each portal in the workspace's order, and below them how many failed."""
    if not ends:
        return "0 portals."
    names = [terminal(each.portal) for each in ends]
    width = widest([*names, "portal"], _WIDEST_NAME)
    rows = [
        f"{padded(name, width)}  {_words(each, style)}"
        for name, each in zip(names, ends, strict=True)
    ]
    failed = [each for each in ends if each.failed]
    lines = ["", style.mark(Mark.BOLD, f"{padded('portal', width)}  result"), *rows, ""]
    counted = f"{plural(len(ends), 'portal')}: {len(ends) - len(failed)} done"
    return "\n".join([*lines, f"{counted}, {len(failed)} failed." if failed else f"{counted}."])


def portals_markdown(ends: Sequence[PortalEnd]) -> str:
    """The same as a table of markdown."""
    rows = [
        f"| {markdown_cell(markdown_code(each.portal))} "
        f"| {'failed: ' if each.failed else ''}"
        f"{markdown_cell(markdown_prose(each.words, _LONGEST_WORDS))} |"
        for each in ends
    ]
    return "\n".join(["| portal | result |", "|---|---|", *rows])


def _words(end: PortalEnd, style: Style) -> str:
    words = terminal(end.words, _LONGEST_WORDS)
    return style.mark(Mark.BAD, f"failed: {words}") if end.failed else words
