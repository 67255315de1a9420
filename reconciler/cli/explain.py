"""`reconciler explain`: cause, example and cure of a code that a command printed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.options import Given, given_options
from reconciler.errors import Severity, UsageProblem
from reconciler.explanations import Kind, Page, codes, explanation
from reconciler.outgoing import harmless_json
from reconciler.report.terminal import Mark, Style, padded, wrapped

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

TITLES = {
    Kind.DIAGNOSTIC: "Diagnostics: mistakes and warnings about files",
    Kind.REFUSAL: "Refusals: why `apply` does not carry out a plan",
    Kind.STATUS: "Statuses: what became of a change",
    Kind.EXIT: "Exit codes: how a command ended",
}
_WIDEST = 100
_PIPED = 80
_INDENT = "  "


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # only where a shell asks

    return [CompletionItem(code) for code in codes() if code.startswith(incomplete)]


@click.command("explain")
@click.argument("code", metavar="[CODE]", required=False, shell_complete=_complete)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
def command(code: str | None, format_: str) -> None:
    """Explain CODE: of a diagnostic (label-unknown), a refusal (max_deletes), a status (uncertain),
    or an exit code (4).

    Says what causes it, and shows an example and its cure. Without CODE: all codes, a line each.
    """
    given = given_options()
    if code is None:
        output.result(_list([explanation(each) for each in codes()], format_, given))
        return
    output.result(_page(explanation(_known(code)), format_, given))


def _known(code: str) -> str:
    """The code that was meant, also as it is printed: `error[label-unknown]`."""
    form = re.sub(r"^.*\[|\].*$", "", code.strip()).casefold().replace("_", "-")
    form = form.removeprefix("exit ").removeprefix("code ")
    known = {each.replace("_", "-"): each for each in codes()}
    if form in known:
        return known[form]
    from reconciler.spelling import nearest  # only for a typing mistake

    near = nearest(form, known, most=3)
    hint = f"did you mean {' or '.join(known[each] for each in near)}?" if near else None
    raise UsageProblem(
        f'unknown code "{code}"', hint=hint or "`reconciler explain` lists all codes"
    )


def _list(pages: list[Page], format_: str, given: Given) -> str:
    if format_ == "json":
        return _json({"codes": [_document(each) for each in pages]})
    if format_ == "markdown":
        return index(pages)
    style, width = output.style(given), _width()
    column = max(len(each.code) for each in pages) + 2
    groups = (
        [
            style.mark(Mark.BOLD, TITLES[kind]),
            *(line for each in group for line in _entry(each, column, width, style)),
        ]
        for kind, group in groupby(pages, key=lambda each: each.kind)
    )
    return "\n\n".join("\n".join(group) for group in groups)


def _entry(page: Page, column: int, width: int, style: Style) -> Iterator[str]:
    indent = " " * (len(_INDENT) + column)
    first, *rest = wrapped(page.summary, indent, width)
    name = style.mark(_mark(page), page.code) + padded("", column - len(page.code))
    yield _INDENT + name + first[len(indent) :]
    yield from rest


def index(pages: list[Page]) -> str:
    """The list as markdown, which is also the index of the documentation."""
    groups = groupby(pages, key=lambda each: each.kind)
    return "\n\n".join(
        "\n".join(
            [
                f"## {TITLES[kind]}",
                "",
                "| code | meaning |",
                "|---|---|",
                *(
                    f"| [`{each.code}`](../{kind}/{each.code}.md) | {_words(each)} |"
                    for each in group
                ),
            ]
        )
        for kind, group in groups
    )


def _words(page: Page) -> str:
    severity = "" if page.severity is None else f"{page.severity}: "
    return severity + page.summary.replace("|", r"\|")


def _page(page: Page, format_: str, given: Given) -> str:
    if format_ == "json":
        return _json(_document(page) | {"markdown": page.markdown})
    if format_ == "markdown":
        return page.markdown
    return "\n".join(_rendered(page, _width(), output.style(given)))


def _width() -> int:
    return min(output.width_of(sys.stdout) or _PIPED, _WIDEST)


def _document(page: Page) -> dict[str, object]:
    return {
        "code": page.code,
        "kind": page.kind.name.lower(),
        "severity": page.severity,
        "summary": page.summary,
        "url": page.url,
    }


def _json(document: dict[str, object]) -> str:
    return harmless_json(json.dumps({"format_version": "1.0", **document}, indent=2))


def _mark(page: Page) -> Mark:
    match page.severity:
        case Severity.ERROR:
            return Mark.BAD
        case Severity.WARNING:
            return Mark.WARNING
        case None:
            return Mark.BOLD


# ---------------------------------------------------------------- markdown for a terminal

_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def _rendered(page: Page, width: int, style: Style) -> Iterator[str]:
    """The page's blocks: headings, paragraphs, lists, and code as it is."""
    lines = page.markdown.split("\n")
    yield style.mark(_mark(page), lines[0].removeprefix("# "))
    block: list[str] = []
    fence = False
    for line in [*lines[1:], ""]:
        if line.startswith("```"):
            fence = not fence
            if fence:
                yield ""
        elif fence:
            yield _INDENT * 2 + line if line else ""
        elif line.startswith("## "):
            yield from ("", style.mark(Mark.BOLD, line.removeprefix("## ")))
        elif line and not line.startswith("- "):
            block.append(line.strip())
        else:
            yield from _paragraph(block, width, style)
            block = [line] if line else []


def _paragraph(block: list[str], width: int, style: Style) -> Iterator[str]:
    if not block:
        return
    text = _LINK.sub(r"\1", " ".join(block))
    item = text.startswith("- ")
    lines = wrapped(text.removeprefix("- "), _INDENT * 2 if item else _INDENT, width)
    if item:
        lines[0] = f"{_INDENT}- {lines[0].strip()}"
    else:
        yield ""
    yield from (
        re.sub(r"\*\*(.+?)\*\*", lambda found: style.mark(Mark.BOLD, found[1]), each)
        for each in lines
    )
