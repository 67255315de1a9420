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

    `failed`: there is no result of this portal, and the words say why. `attempted` False: nothing
    was begun.
    """

    portal: str
    words: str
    exit_code: ExitCode
    failed: bool
    attempted: bool = True


def portals_text(ends: Sequence[PortalEnd], style: Style) -> str:
    """A row for each portal in the workspace's order, and below them how many are done."""
    if not ends:
        return "0 portals."
    names = [terminal(each.portal) for each in ends]
    width = widest([*names, "portal"], _WIDEST_NAME)
    rows = [
        f"{padded(name, width)}  {_words(each, style)}"
        for name, each in zip(names, ends, strict=True)
    ]
    lines = ["", style.mark(Mark.BOLD, f"{padded('portal', width)}  result"), *rows, ""]
    untouched = sum(not each.attempted for each in ends)
    failed = sum(each.failed for each in ends) - untouched
    unfinished = sum(
        not each.failed and each.exit_code not in {ExitCode.DONE, ExitCode.PENDING} for each in ends
    )
    counts = [
        f"{len(ends) - unfinished - failed - untouched} done",
        f"{unfinished} not done" if unfinished else "",
        f"{failed} failed" if failed else "",
        f"{untouched} not attempted" if untouched else "",
    ]
    return "\n".join([*lines, f"{plural(len(ends), 'portal')}: {', '.join(filter(None, counts))}."])


def portals_markdown(ends: Sequence[PortalEnd]) -> str:
    """The same as a table of markdown."""
    rows = [
        f"| {markdown_cell(markdown_code(each.portal))} "
        f"| {'failed: ' if each.failed and each.attempted else ''}"
        f"{markdown_cell(markdown_prose(each.words, _LONGEST_WORDS))} |"
        for each in ends
    ]
    return "\n".join(["| portal | result |", "|---|---|", *rows])


def _words(end: PortalEnd, style: Style) -> str:
    words = terminal(end.words, _LONGEST_WORDS)
    if not end.failed:
        return words
    return style.mark(Mark.BAD, f"failed: {words}" if end.attempted else words)
