"""Diagnostics of files as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from reconciler.errors import Diagnostic, Located, Severity, severities
from reconciler.model.limits import Place
from reconciler.outgoing import harmless_json, mask_alike
from reconciler.report.escape import (
    PATH_LIMIT,
    file_uri,
    github_property,
    github_sentence,
    sentence,
    terminal,
    terminal_sentence,
    visible,
)
from reconciler.report.terminal import Mark, Style, end_column, excerpt, wrapped

_TOP = "%SRCROOT%"
"""What paths are relative to in a SARIF log: the top of the repository, by its usual name."""

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

MOST_READ = 100
"""How many annotations are written at once; the rest is counted."""

MOST_SHOWN = 50
"""How many diagnostics a terminal or a log is shown at once; the rest is counted."""

MOST_COLLECTED = 5_000
"""How many diagnostics a document for machines holds; code scanning shows no more (documented)."""

SourceLines = Callable[[Located], str | None]
"""Gives the source line of a place, or None where it cannot be read."""


def no_source(_place: Located) -> str | None:
    """Stands in where the files are not at hand."""
    return None


# ---------------------------------------------------------------- text


def diagnostics_text(
    diagnostics: Sequence[Diagnostic],
    *,
    style: Style,
    lines: SourceLines = no_source,
    width: int | None = None,
) -> str:
    """`file:line:column: error[code]: message`, the source line underlined, hint and relation.

    Diagnostics keep their order, with a blank line between two of them; those that are too many
    are counted. Without any, the text is empty. `width` in cells, None where nothing is known.
    """
    shown, more = first_of(diagnostics, MOST_SHOWN)
    found = ["\n".join(_diagnostic_lines(each, style, lines, width)) for each in shown]
    if more:
        kept = {id(each) for each in shown}
        rest = severities([each for each in diagnostics if id(each) not in kept])
        found.append(f"… {more:,} more, not shown: {rest}")
    return "\n\n".join(found)


def first_of(diagnostics: Sequence[Diagnostic], most: int) -> tuple[Sequence[Diagnostic], int]:
    """At most so many, errors before warnings but in their order, and how many are left out."""
    if len(diagnostics) <= most:
        return diagnostics, 0
    by_weight = sorted(range(len(diagnostics)), key=lambda at: diagnostics[at].severity)
    kept = [diagnostics[at] for at in sorted(by_weight[:most])]
    return kept, len(diagnostics) - most


def _diagnostic_lines(
    each: Diagnostic, style: Style, lines: SourceLines, width: int | None
) -> Iterator[str]:
    mark = Mark.BAD if each.severity is Severity.ERROR else Mark.WARNING
    kind = style.mark(mark, f"{each.severity}[{terminal(each.code)}]")
    yield f"{_place(each.place, style)}: {kind}: {terminal_sentence(mask_alike(each.message))}"
    yield from _source(each, each.place, style, lines, width)
    if each.related is not None:
        yield f"  see also: {_place(each.related, style)}"
        yield from _source(each, each.related, style, lines, width)
    if each.hint:
        first, *rest = wrapped(terminal_sentence(mask_alike(each.hint)), " " * 8, width)
        yield f"  {style.mark(Mark.BOLD, 'hint:')} {first[8:]}"
        yield from rest


def _place(place: Located, style: Style) -> str:
    return style.mark(Mark.PLACE, f"{terminal(place.path, PATH_LIMIT)}:{place.line}:{place.column}")


def _source(
    each: Diagnostic, place: Located, style: Style, lines: SourceLines, width: int | None
) -> list[str]:
    """The source line, unless it may hold a token."""
    if _may_hold_token(each, place):
        return []
    source = lines(place)
    return [] if source is None else excerpt(source, place, style, width)


def _may_hold_token(each: Diagnostic, place: Located) -> bool:
    secret = each.secret_from
    return secret is not None and place.line >= secret and place.path == each.place.path


# ---------------------------------------------------------------- JSON


def diagnostics_json(diagnostics: Sequence[Diagnostic]) -> str:
    """`{"format_version", "diagnostics": [...], "omitted"}`, texts unshortened.

    All but ASCII is escaped. `omitted` counts the diagnostics beyond the first 5,000.
    """
    return _json({"format_version": "1.0", **_json_diagnostics(diagnostics)})


def _json_diagnostics(diagnostics: Sequence[Diagnostic]) -> dict[str, object]:
    shown, more = first_of(diagnostics, MOST_COLLECTED)
    return {"diagnostics": [_json_diagnostic(each) for each in shown], "omitted": more}


def error_json(
    message: str,
    hint: str | None,
    details: Sequence[str],
    diagnostics: Sequence[Diagnostic],
    *,
    exit_code: int,
    portal: str | None,
) -> str:
    """Why a command has no document of its own to show; the diagnostics as `diagnostics_json`."""
    error = {"message": message, "hint": hint, "details": list(details), "exit_code": exit_code}
    document = {
        "format_version": "1.0",
        "portal": portal,
        "error": error,
        **_json_diagnostics(diagnostics),
    }
    return _json(document)


def _json_diagnostic(each: Diagnostic) -> dict[str, object]:
    return {
        "code": each.code,
        "severity": str(each.severity),
        "message": mask_alike(each.message),
        "hint": None if each.hint is None else mask_alike(each.hint),
        **_json_place(each.place),
        "related": None if each.related is None else _json_place(each.related),
    }


def _json_place(place: Located) -> dict[str, object]:
    """`end_column` is the column behind the last character, null where it is not known."""
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_column": place.end,
    }


def _json(document: Mapping[str, object]) -> str:
    """JSON that may be printed to a CI log."""
    return harmless_json(json.dumps(document, indent=2))


# ---------------------------------------------------------------- read elsewhere

PathName = Callable[[str], str]
"""Gives what a file is called where a diagnostic is read."""


def as_it_is(path: str) -> str:
    """Stands in where paths mean the same everywhere."""
    return path


def _elsewhere(each: Diagnostic, lines: SourceLines, path: PathName) -> Diagnostic:
    """A diagnostic for readers who have neither this folder nor the source line at hand."""

    def moved(place: Located) -> Place:
        end = place.end
        if end is None and not _may_hold_token(each, place):
            source = lines(place)
            end = None if source is None else end_column(source, place)
        return Place(path(place.path), place.line, place.column, end)

    def reworded(text: str) -> str:
        for place in (each.place, *([] if each.related is None else [each.related])):
            if PurePath(place.path).suffix and (new := path(place.path)) != place.path:
                named = rf"(?<![\w./-]){re.escape(place.path)}(?![\w/-])"
                text = new.join(re.split(named, text))
        return text

    return replace(
        each,
        message=reworded(each.message),
        hint=None if each.hint is None else reworded(each.hint),
        place=moved(each.place),
        related=None if each.related is None else moved(each.related),
    )


# ---------------------------------------------------------------- GitHub annotations


def diagnostics_github(
    diagnostics: Sequence[Diagnostic],
    *,
    lines: SourceLines = no_source,
    path: PathName = as_it_is,
) -> str:
    """One workflow command per line, `::error file=…,line=…,col=…,endColumn=…,title=…::message`.

    `lines` is asked where a column ends, `path` what a file is called in the repository.
    """
    shown, more = first_of(diagnostics, MOST_READ)
    left_out = [f"::notice title=reconciler::and {more:,} more, not shown"] if more else []
    return "\n".join(
        [*(_github_command(_elsewhere(each, lines, path)) for each in shown), *left_out]
    )


def _github_command(each: Diagnostic) -> str:
    place = each.place
    message = github_sentence(mask_alike(each.message))
    if each.related is not None:
        message += f"%0ASee also: {github_sentence(f'{each.related.path}:{each.related.line}')}"
    if each.hint:
        message += f"%0AHint: {github_sentence(mask_alike(each.hint))}"
    end = "" if place.end is None else f"endColumn={max(place.end - 1, place.column)},"
    return (
        f"::{each.severity} file={github_property(place.path)},line={place.line},"
        f"col={place.column},{end}title={github_property(each.code)}::{message}"
    )


# ---------------------------------------------------------------- SARIF


def diagnostics_sarif(
    diagnostics: Sequence[Diagnostic],
    *,
    lines: SourceLines = no_source,
    path: PathName = as_it_is,
    tool_version: str | None = None,
) -> str:
    """A SARIF 2.1.0 log with one run. Columns count characters; paths are relative URIs.

    `lines` is asked where a column ends, `path` what a file is called in the repository. The
    property `omitted` of the run counts the diagnostics beyond the first 5,000.
    """
    found, more = first_of(diagnostics, MOST_COLLECTED)
    shown = [_elsewhere(each, lines, path) for each in found]
    codes = sorted({each.code for each in shown})
    index = {code: number for number, code in enumerate(codes)}
    driver: dict[str, object] = {
        "name": "reconciler",
        "rules": [_sarif_rule(code) for code in codes],
    }
    if tool_version is not None:
        driver["semanticVersion"] = tool_version
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_TOP: {"description": {"text": "The top of the repository."}}},
        "results": [_sarif_result(each, index[each.code]) for each in shown],
        "properties": {"omitted": more},
    }
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return _json(document)


def _sarif_rule(code: str) -> dict[str, object]:
    """What a rule says of itself is its page of the documentation."""
    from reconciler.explanations import explanation  # only SARIF needs the pages

    page = explanation(code)
    words = code.replace("-", " ")
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in words.split()),
        "shortDescription": {"text": words.capitalize()},
        "fullDescription": {"text": page.summary},
        "helpUri": page.url,
        "help": {"text": page.markdown, "markdown": page.markdown},
        "defaultConfiguration": {"level": page.severity},
        "properties": {"problem.severity": page.severity},
    }


def _sarif_result(each: Diagnostic, rule: int) -> dict[str, object]:
    text = sentence(mask_alike(each.message))
    if each.hint:
        text += f"\nHint: {sentence(mask_alike(each.hint))}"
    result: dict[str, object] = {
        "ruleId": visible(each.code),
        "ruleIndex": rule,
        "level": str(each.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": _sarif_place(each.place)}],
    }
    if each.related is not None:
        result["relatedLocations"] = [
            {
                "id": 1,
                "physicalLocation": _sarif_place(each.related),
                "message": {"text": "see also"},
            }
        ]
    return result


def _sarif_place(place: Located) -> dict[str, object]:
    """A region on one line; its end, which is always given, is the column behind it (documented)."""
    line, column = max(place.line, 1), max(place.column, 1)
    end = column + 1 if place.end is None else max(place.end, column + 1)
    region = {"startLine": line, "startColumn": column, "endLine": line, "endColumn": end}
    file = {"uri": file_uri(place.path)}
    if not file["uri"].startswith("file:"):
        file["uriBaseId"] = _TOP
    return {"artifactLocation": file, "region": region}
