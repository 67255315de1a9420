"""Diagnostics of files as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler.errors import Diagnostic, Located, Severity
from reconciler.outgoing import harmless_json
from reconciler.report.cells import wrapped
from reconciler.report.escape import (
    PATH_LIMIT,
    PROSE_LIMIT,
    file_uri,
    github_data,
    github_property,
    terminal,
    visible,
)
from reconciler.report.excerpt import excerpt
from reconciler.report.style import Style

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

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
    """`file:line:column: error[code]: message`, the source line with a caret, hint and relation.

    Diagnostics keep their order. Without any, the text is empty.
    """
    return "\n".join(
        line for each in diagnostics for line in _diagnostic_lines(each, style, lines, width)
    )


def _diagnostic_lines(
    each: Diagnostic, style: Style, lines: SourceLines, width: int | None
) -> Iterator[str]:
    mark = style.bad if each.severity is Severity.ERROR else style.warning
    kind = mark(f"{each.severity}[{terminal(each.code)}]")
    yield f"{_place(each.place, style)}: {kind}: {terminal(each.message, PROSE_LIMIT)}"
    yield from _source(each.place, style, lines)
    if each.related is not None:
        yield f"  see also: {_place(each.related, style)}"
        yield from _source(each.related, style, lines)
    if each.hint:
        first, *rest = wrapped(terminal(each.hint, PROSE_LIMIT), " " * 8, width)
        yield f"  {style.bold('hint:')} {first[8:]}"
        yield from rest


def _place(place: Located, style: Style) -> str:
    return style.place(f"{terminal(place.path, PATH_LIMIT)}:{place.line}:{place.column}")


def _source(place: Located, style: Style, lines: SourceLines) -> list[str]:
    source = lines(place)
    return [] if source is None else excerpt(source, place.line, place.column, style)


# ---------------------------------------------------------------- JSON


def diagnostics_json(diagnostics: Sequence[Diagnostic]) -> str:
    """`{"format_version", "diagnostics": [...]}`, texts unshortened, all but ASCII escaped."""
    document = {
        "format_version": "1.0",
        "diagnostics": [_json_diagnostic(each) for each in diagnostics],
    }
    return _json(document)


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
        "diagnostics": [_json_diagnostic(each) for each in diagnostics],
    }
    return _json(document)


def _json_diagnostic(each: Diagnostic) -> dict[str, object]:
    return {
        "code": each.code,
        "severity": str(each.severity),
        "message": each.message,
        "hint": each.hint,
        **_json_place(each.place),
        "related": None if each.related is None else _json_place(each.related),
    }


def _json_place(place: Located) -> dict[str, object]:
    return {"path": place.path, "line": place.line, "column": place.column}


def _json(document: Mapping[str, object]) -> str:
    """JSON that may be printed to a CI log."""
    return harmless_json(json.dumps(document, indent=2))


# ---------------------------------------------------------------- GitHub annotations


def diagnostics_github(diagnostics: Sequence[Diagnostic]) -> str:
    """One workflow command per line, `::error file=…,line=…,col=…,title=…::message`."""
    return "\n".join(_github_command(each) for each in diagnostics)


def _github_command(each: Diagnostic) -> str:
    place = each.place
    message = github_data(each.message)
    if each.related is not None:
        message += f"%0ASee also: {github_data(f'{each.related.path}:{each.related.line}')}"
    if each.hint:
        message += f"%0AHint: {github_data(each.hint)}"
    return (
        f"::{each.severity} file={github_property(place.path)},line={place.line},"
        f"col={place.column},title={github_property(each.code)}::{message}"
    )


# ---------------------------------------------------------------- SARIF


def diagnostics_sarif(diagnostics: Sequence[Diagnostic], *, tool_version: str | None = None) -> str:
    """A SARIF 2.1.0 log with one run. Columns count characters; paths are relative URIs."""
    codes = sorted({each.code for each in diagnostics})
    driver: dict[str, object] = {
        "name": "reconciler",
        "rules": [_sarif_rule(code) for code in codes],
    }
    if tool_version is not None:
        driver["semanticVersion"] = tool_version
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(each, codes.index(each.code)) for each in diagnostics],
    }
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return _json(document)


def _sarif_rule(code: str) -> dict[str, object]:
    words = visible(code).replace("-", " ")
    return {
        "id": visible(code),
        "name": "".join(word.capitalize() for word in words.split()),
        "shortDescription": {"text": words.capitalize()},
    }


def _sarif_result(each: Diagnostic, rule: int) -> dict[str, object]:
    text = visible(each.message)
    if each.hint:
        text += f"\nHint: {visible(each.hint)}"
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
    return {
        "artifactLocation": {"uri": file_uri(place.path)},
        "region": {"startLine": max(place.line, 1), "startColumn": max(place.column, 1)},
    }
