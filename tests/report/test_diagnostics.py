"""Diagnostics as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import Diagnostic, DiagnosticCode, Located, Severity
from reconciler.explanations import explanation
from reconciler.model.limits import Place
from reconciler.outgoing import mask_alike
from reconciler.report.diagnostics import (
    diagnostics_github,
    diagnostics_json,
    diagnostics_sarif,
    diagnostics_text,
    no_source,
)
from reconciler.report.terminal import Style
from tests.report.factory import FILE, HOSTILE, is_printable

PLAIN = Style(ansi_codes=False)
UNKNOWN_LABEL = Diagnostic(
    DiagnosticCode.LABEL_UNKNOWN,
    'no label "Biling contact" in contacts → companies',
    Place(FILE, 6, 3, 17),
    hint='did you mean "Billing contact"?',
)
DECLARED_TWICE = Diagnostic(
    DiagnosticCode.DIRECTION_DUPLICATE,
    "contacts → companies is declared twice",
    Place("configs/b.yaml", 2, 1),
    related=Place(FILE, 1, 1),
)
ABOVE_UI_MAXIMUM = Diagnostic(
    DiagnosticCode.LIMIT_ABOVE_UI_MAXIMUM,
    "HubSpot's settings page takes at most 10,000",
    Place(FILE, 3, 6),
    severity=Severity.WARNING,
)


def lines_of(files: dict[str, str]) -> Callable[[Located], str | None]:
    """Looks lines up in files given as text."""

    def look_up(place: Located) -> str | None:
        lines = files.get(place.path, "").splitlines()
        return lines[place.line - 1] if place.line <= len(lines) else None

    return look_up


# ---------------------------------------------------------------- text


def test_text() -> None:
    """Place, kind, message, the line with a caret, where else to look, and the hint."""
    files = {
        FILE: "from: contacts\nto: companies\nmax: 20000\n\nlabels:\n  Biling contact: 1\n",
        "configs/b.yaml": "---\nfrom: contact\n",
    }
    assert (
        diagnostics_text(
            [DECLARED_TWICE, ABOVE_UI_MAXIMUM, UNKNOWN_LABEL],
            style=PLAIN,
            lines=lines_of(files),
        )
        == """\
configs/b.yaml:2:1: error[direction-duplicate]: contacts → companies is declared twice
    2 | from: contact
      | ^^^^
  see also: configs/contacts-companies.yaml:1:1
    1 | from: contacts
      | ^^^^

configs/contacts-companies.yaml:3:6: warning[limit-above-ui-maximum]: HubSpot's settings page takes at most 10,000
    3 | max: 20000
      |      ^^^^^

configs/contacts-companies.yaml:6:3: error[label-unknown]: no label "Biling contact" in contacts → companies
    6 |   Biling contact: 1
      |   ^^^^^^^^^^^^^^
  hint: did you mean "Billing contact"?"""
    )


def test_text_without_sources() -> None:
    """No line, no caret; no diagnostics, no text."""
    assert diagnostics_text([ABOVE_UI_MAXIMUM], style=PLAIN) == (
        "configs/contacts-companies.yaml:3:6: warning[limit-above-ui-maximum]: "
        "HubSpot's settings page takes at most 10,000"
    )
    assert diagnostics_text([], style=PLAIN) == ""


# ---------------------------------------------------------------- tokens, and many diagnostics

TOKENS = (
    "pat-na1-01234567-89ab-cdef-0123-456789abcdef",
    "PAT-EU1-0123456789",
    "01234567-89ab-cdef-0123-456789abcdef",
    "0123456789abcdef0123456789abcdef",
    "CKyLpq3XMRIOAAEBUAAAAgAAAAAAAAAYAQoBAAAAIAj9sd4t",
)
FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {
    "text": lambda found: diagnostics_text(found, style=PLAIN, lines=lambda _: " ".join(TOKENS)),
    "json": diagnostics_json,
    "github": diagnostics_github,
    "sarif": diagnostics_sarif,
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("token", TOKENS)
def test_what_looks_like_a_token_is_masked(format_: str, token: str) -> None:
    """In message, hint and source line, wherever somebody has written it."""
    found = Diagnostic(
        DiagnosticCode.VALUE_INVALID, f'"{token}" is wrong', Place(FILE, 1, 3), hint=f"not {token}"
    )
    assert token not in FORMATS[format_]([found])


def test_ordinary_words_are_not_masked() -> None:
    """Long labels, paths and numbers stay readable."""
    words = 'label "Very-long-label-of-some-object-type-with-many-words" at configs/a/b-2024.yaml'
    assert words in diagnostics_text(
        [Diagnostic(DiagnosticCode.VALUE_INVALID, words, Place(FILE, 1, 1))],
        style=PLAIN,
        lines=no_source,
    )


def test_a_secret_line_is_not_shown() -> None:
    """Neither at the place nor at the related one; lines above are."""
    lines = ["version: 2", "portals: x", "  secret"]
    shown = diagnostics_text(
        [
            Diagnostic(
                DiagnosticCode.VERSION_UNKNOWN,
                "first",
                Place(FILE, 1, 1),
                related=Place(FILE, 3, 1),
                secret_from=2,
            ),
            Diagnostic(
                DiagnosticCode.KEY_UNKNOWN,
                "second",
                Place(FILE, 2, 1),
                related=Place(FILE, 3, 3),
                secret_from=2,
            ),
        ],
        style=PLAIN,
        lines=lambda place: lines[place.line - 1],
    )
    assert "version: 2" in shown
    assert "portals" not in shown
    assert "secret" not in shown


MANY = [
    Diagnostic(
        DiagnosticCode.FILE_SUFFIX, "beware", Place(FILE, number, 1), severity=Severity.WARNING
    )
    for number in range(1, 6_001)
] + [Diagnostic(DiagnosticCode.YAML_SYNTAX, "wrong", Place("z.yaml", 1, 1))]


@pytest.mark.parametrize(
    ("format_", "most", "rest"),
    [
        ("text", 50, "… 5,951 more, not shown: 5951 warnings"),
        ("github", 100, "and 5,901 more, not shown"),
    ],
)
def test_people_read_some_and_the_number_of_the_others(format_: str, most: int, rest: str) -> None:
    """Errors are among them, warnings make place."""
    lines = FORMATS[format_](MANY).splitlines()
    assert sum("beware" in line or "wrong" in line for line in lines) == most
    assert any("wrong" in line for line in lines)
    assert lines[-1].endswith(rest)


def test_a_blank_line_is_between_diagnostics_and_nowhere_else() -> None:
    """Which line belongs to which mistake is seen at a glance."""
    found = [UNKNOWN_LABEL, DECLARED_TWICE, ABOVE_UI_MAXIMUM]
    text = diagnostics_text(found, style=PLAIN, lines=lambda _: "from: contacts")
    parts = text.split("\n\n")
    assert [part.partition(":")[0] for part in parts] == [each.place.path for each in found]
    assert not text.startswith("\n")
    assert not text.endswith("\n")
    assert "more" not in text


def test_documents_for_machines_are_bounded_too() -> None:
    """With the number of what is left out."""
    document = json.loads(diagnostics_json(MANY))
    (run,) = json.loads(diagnostics_sarif(MANY))["runs"]
    assert (len(document["diagnostics"]), document["omitted"]) == (5_000, 1_001)
    assert (len(run["results"]), run["properties"]) == (5_000, {"omitted": 1_001})
    assert document["diagnostics"][-1]["code"] == "yaml-syntax"


def test_a_backslash_in_a_hint_is_to_be_typed() -> None:
    r"""`\t` is one backslash and a letter, in every format."""
    found = Diagnostic(
        DiagnosticCode.YAML_TAB, "a tab", Place(FILE, 1, 1), hint=r'write "\t" or "\u2019"'
    )
    assert r'write "\t" or "\u2019"' in diagnostics_text([found], style=PLAIN)
    assert r'write "\t" or "\u2019"' in diagnostics_github([found])
    text = json.loads(diagnostics_sarif([found]))["runs"][0]["results"][0]["message"]["text"]
    assert text.endswith(r'write "\t" or "\u2019"')
    assert json.loads(diagnostics_json([found]))["diagnostics"][0]["hint"] == found.hint


def test_columns_end_where_the_word_does() -> None:
    """Exclusive in JSON and SARIF, the last column in GitHub's annotations."""
    assert json.loads(diagnostics_json([UNKNOWN_LABEL]))["diagnostics"][0]["end_column"] == 17
    assert "col=3,endColumn=16," in diagnostics_github([UNKNOWN_LABEL])
    (run,) = json.loads(diagnostics_sarif([UNKNOWN_LABEL]))["runs"]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 6, "startColumn": 3, "endLine": 6, "endColumn": 17}


# ---------------------------------------------------------------- JSON


def test_json() -> None:
    """Everything a diagnostic knows."""
    assert json.loads(diagnostics_json([DECLARED_TWICE])) == {
        "format_version": "1.0",
        "omitted": 0,
        "diagnostics": [
            {
                "code": "direction-duplicate",
                "severity": "error",
                "message": "contacts → companies is declared twice",
                "hint": None,
                "path": "configs/b.yaml",
                "line": 2,
                "column": 1,
                "end_column": None,
                "related": {"path": FILE, "line": 1, "column": 1, "end_column": None},
            }
        ],
    }


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60) | st.sampled_from(sorted(HOSTILE.values())))
def test_json_keeps_any_text_and_prints_harmlessly(text: str) -> None:
    """ASCII only, no command to a CI runner, and the text comes back complete."""
    rendered = diagnostics_json(
        [Diagnostic(DiagnosticCode.VALUE_INVALID, text, Place(text, 1, 1), hint=text)]
    )
    assert rendered.isascii()
    assert "##" not in rendered
    assert not re.search(r"^\s*::", rendered, re.MULTILINE)
    assert json.loads(rendered)["diagnostics"][0]["message"] == mask_alike(text)


# ---------------------------------------------------------------- GitHub annotations


def test_github() -> None:
    """One command per diagnostic, as GitHub documents it."""
    odd = Diagnostic(
        DiagnosticCode.PATH_INVALID, "100% wrong", Place("a b:c,d%.yaml", 2, 6), hint="fix it"
    )
    assert (
        diagnostics_github([DECLARED_TWICE, ABOVE_UI_MAXIMUM, odd])
        == """\
::error file=configs/b.yaml,line=2,col=1,title=direction-duplicate::contacts → companies is declared twice%0ASee also: configs/contacts-companies.yaml:1
::warning file=configs/contacts-companies.yaml,line=3,col=6,title=limit-above-ui-maximum::HubSpot's settings page takes at most 10,000
::error file=a b%3Ac%2Cd%25.yaml,line=2,col=6,title=path-invalid::100%25 wrong%0AHint: fix it"""
    )


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60) | st.sampled_from(sorted(HOSTILE.values())))
def test_github_takes_any_text(text: str) -> None:
    """One line each, printable, and the properties end where they should."""
    diagnostic = Diagnostic(
        DiagnosticCode.VALUE_INVALID, text, Place(text, 1, 1), hint=text, related=Place(text, 2, 2)
    )
    lines = diagnostics_github([diagnostic, diagnostic]).splitlines()
    assert len(lines) == 2
    assert all(map(is_printable, lines))
    properties = re.match(r"::error (.*?)::", lines[0])
    assert properties is not None
    assert [each.split("=", 1)[0] for each in properties.group(1).split(",")] == [
        "file",
        "line",
        "col",
        "title",
    ]


# ---------------------------------------------------------------- SARIF


def test_sarif() -> None:
    """The minimal structure code scanning documents: rules, results, regions, relative URIs."""
    log = json.loads(
        diagnostics_sarif([DECLARED_TWICE, UNKNOWN_LABEL, UNKNOWN_LABEL], tool_version="0.1.0")
    )
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"]) == ("reconciler", "0.1.0")
    assert [each["id"] for each in driver["rules"]] == ["direction-duplicate", "label-unknown"]
    page = explanation("label-unknown")
    assert driver["rules"][1] == {
        "id": "label-unknown",
        "name": "LabelUnknown",
        "shortDescription": {"text": "Label unknown"},
        "fullDescription": {"text": page.summary},
        "helpUri": page.url,
        "help": {"text": page.markdown, "markdown": page.markdown},
        "defaultConfiguration": {"level": "error"},
        "properties": {"problem.severity": "error"},
    }
    assert [(each["ruleId"], each["ruleIndex"]) for each in run["results"]] == [
        ("direction-duplicate", 0),
        ("label-unknown", 1),
        ("label-unknown", 1),
    ]
    assert run["results"][0] == {
        "ruleId": "direction-duplicate",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "contacts → companies is declared twice"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "configs/b.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 2},
                }
            }
        ],
        "relatedLocations": [
            {
                "id": 1,
                "message": {"text": "see also"},
                "physicalLocation": {
                    "artifactLocation": {"uri": FILE, "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2},
                },
            }
        ],
    }


def closed(
    required: dict[str, object], optional: dict[str, object] | None = None
) -> dict[str, object]:
    """A JSON Schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


_TEXT = {"type": "string", "minLength": 1}
_LEVEL = {"enum": ["error", "warning"]}
_COUNT = {"type": "integer", "minimum": 0}
_FROM_1 = {"type": "integer", "minimum": 1}
_PLACE = closed(
    {
        "artifactLocation": closed(
            {"uri": {"type": "string", "pattern": r"^[!-~]+$"}}, {"uriBaseId": _TEXT}
        ),
        "region": closed(
            dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), _FROM_1)
        ),
    }
)
_RULE = closed(
    {
        "id": _TEXT,
        "name": _TEXT,
        "shortDescription": closed({"text": _TEXT}),
        "fullDescription": closed({"text": _TEXT}),
        "helpUri": {"type": "string", "pattern": r"^https://[!-~]+$"},
        "help": closed({"text": _TEXT, "markdown": _TEXT}),
        "defaultConfiguration": closed({"level": _LEVEL}),
        "properties": closed({"problem.severity": _LEVEL}),
    }
)
_RESULT = closed(
    {
        "ruleId": _TEXT,
        "ruleIndex": _COUNT,
        "level": _LEVEL,
        "message": closed({"text": _TEXT}),
        "locations": {"type": "array", "items": closed({"physicalLocation": _PLACE})},
    },
    {
        "relatedLocations": {
            "type": "array",
            "items": closed(
                {"id": _COUNT, "physicalLocation": _PLACE, "message": closed({"text": _TEXT})}
            ),
        }
    },
)
SARIF_WRITTEN = closed(
    {
        "$schema": {"const": "https://json.schemastore.org/sarif-2.1.0.json"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": closed(
                {
                    "tool": closed(
                        {
                            "driver": closed(
                                {"name": _TEXT, "rules": {"type": "array", "items": _RULE}},
                                {"semanticVersion": _TEXT},
                            )
                        }
                    ),
                    "columnKind": {"const": "unicodeCodePoints"},
                    "originalUriBaseIds": {"type": "object"},
                    "results": {"type": "array", "items": _RESULT},
                    "properties": closed({"omitted": _COUNT}),
                }
            ),
        },
    }
)
"""The part of SARIF 2.1.0 that is written, by the words of its schema and of code scanning.

Logs of every code were held against the complete schema of OASIS, which is too large to keep.
"""


def test_a_log_of_every_code_is_sarif() -> None:
    """Every rule has its page and an address for it; regions have ends."""
    found = [
        Diagnostic(code, "wrong", Place(FILE, 3, 2), hint="so", related=Place("b c.yaml", 1, 1))
        for code in DiagnosticCode
    ]
    for diagnostics in ([], found):
        log = json.loads(diagnostics_sarif(diagnostics, tool_version="0.1.0"))
        jsonschema.validate(log, SARIF_WRITTEN)
    (run,) = log["runs"]
    assert [each["id"] for each in run["tool"]["driver"]["rules"]] == sorted(DiagnosticCode)


def test_sarif_of_nothing() -> None:
    """A run without results tells code scanning that all alerts are fixed."""
    log = json.loads(diagnostics_sarif([]))
    assert log["runs"][0]["results"] == []


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60) | st.sampled_from(sorted(HOSTILE.values())))
def test_sarif_takes_any_text(text: str) -> None:
    """URIs are ASCII without spaces; messages are printable."""
    log = json.loads(
        diagnostics_sarif([Diagnostic(DiagnosticCode.VALUE_INVALID, text, Place(text, 0, 0))])
    )
    (result,) = log["runs"][0]["results"]
    assert is_printable(result["message"]["text"])
    place = result["locations"][0]["physicalLocation"]
    assert re.fullmatch(r"[A-Za-z0-9%/._~:-]*", place["artifactLocation"]["uri"])
    assert place["region"] == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2}
