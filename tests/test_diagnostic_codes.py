"""The codes of diagnostics are public, so each is in one enum and is raised somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import reconciler
from reconciler.errors import DiagnosticCode

PACKAGE = Path(reconciler.__file__).parent
SOURCES = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
USED = {
    name
    for text in SOURCES.values()
    for name in re.findall(r"\bDiagnosticCode\.([A-Z][A-Z0-9_]*)", text)
}


@pytest.mark.parametrize("code", DiagnosticCode)
def test_each_code_is_raised_somewhere(code: DiagnosticCode) -> None:
    """One that nothing raises would be a rule of SARIF that nobody can break."""
    assert code.name in USED


def test_no_code_is_used_that_is_not_in_the_enum() -> None:
    """Nor is one written as a text beside it."""
    assert USED - set(DiagnosticCode.__members__) == set()
    written = re.compile(r"(?<!= )\"(" + "|".join(DiagnosticCode) + r")\"")
    assert [path.name for path, text in SOURCES.items() if written.search(text)] == []


@pytest.mark.parametrize("code", DiagnosticCode)
def test_a_code_is_its_name_in_kebab_case(code: DiagnosticCode) -> None:
    """Lower case, its subject first: what is wrong with it never leads."""
    assert code.value == code.name.lower().replace("_", "-")
    assert code.split("-")[0] not in {
        "bad",
        "duplicate",
        "empty",
        "invalid",
        "missing",
        "no",
        "not",
        "null",
        "too",
        "unknown",
    }
