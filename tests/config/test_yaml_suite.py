"""Every case of yaml-test-suite is read as YAML 1.2 says, or refused under a rule named here.

The suite lies beside the checkout, not in it (yaml/yaml-test-suite on GitHub, MIT licence).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.nodes import Hole, Mapping, Node, Scalar, Sequence
from reconciler.config.yaml import Documents, decode, read_documents
from reconciler.errors import Diagnostic

SUITE = Path(__file__).parents[3] / "shared" / "yaml-test-suite.json"

RULES = {
    "yaml-anchor": "no anchors",
    "yaml-alias": "no aliases",
    "yaml-tag": "no tags",
    "yaml-directive": "no directives",
    "yaml-tab": "no tabs outside comments",
    "key-not-text": "a key is a text, not a mapping or a list",
    "key-empty": "a key is not empty",
    "yaml-indicator": "a text in brackets that starts with ? or ends in a colon needs quotes",
}
"""What YAML 1.2 allows and a file of the configuration does not: the codes that say so."""

REFUSED_AS_SYNTAX = {
    "a colon follows its key on the same line": {
        *("4MUZ#0", "4MUZ#1", "4MUZ#2", "5MUD#0", "K3WX#0", "VJP3#1")
    },
    "a key does not go over lines": {"9SA2#0", "NJ66#0"},
    "a key in a list in brackets is not empty": {"CFD4#0"},
    "a colon is followed by a space in a list in brackets": {"9MMW#0"},
    "a block text does not start with lines of spaces": {"4QFQ#0", "DWX9#0", "T26H#0"},
    "a document is not ended before it starts": {"HWV9#0", "QT73#0"},
    "a key in brackets is not only a tag": {"WZ62#0"},
}
"""The same for what ruamel's parser refuses, with the cases that show it."""

VALUES_NOT_IN_THE_SUITE: dict[str, list[Any]] = {"2G84#3": [""], "JEF9#2": [["\n"]]}
"""Cases whose values the suite states as events only."""


@dataclass(frozen=True)
class Case:
    """A document of the suite; `documents` None: it has no values in JSON."""

    id: str
    yaml: str
    valid: bool
    documents: list[Any] | None

    @property
    def values(self) -> list[Any] | None:
        stated: list[Any] | None = VALUES_NOT_IN_THE_SUITE.get(self.id)
        return self.documents if stated is None else stated


def suite() -> list[Case]:
    """All cases; none where the suite is not at hand."""
    if not SUITE.exists():
        return []
    return [Case(**each) for each in json.loads(SUITE.read_text(encoding="utf-8"))["cases"]]


CASES = suite()
needs_suite = pytest.mark.skipif(not CASES, reason=f"{SUITE.name} is not beside the checkout")

_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def core_schema(text: str) -> bool | float | str | None:
    """A plain scalar as YAML 1.2's core schema resolves it, written independently of ours."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


def value(node: Node) -> Any:
    """The tree as the suite's JSON writes it."""
    match node:
        case Scalar(text=text, plain=plain):
            return core_schema(text) if plain else text
        case Mapping(entries=entries):
            return {key: value(entry.value) for key, entry in entries.items()}
        case Sequence(items=items):
            return [value(item) for item in items]
        case Hole():
            raise AssertionError("a hole without a diagnostic")


def read(case: Case, *, pure: bool) -> Documents:
    """What our reader makes of a case, with or without the C parser."""
    text = decode("case.yaml", case.yaml.encode("utf-8", "surrogatepass"))
    if isinstance(text, Diagnostic):
        return Documents((), (text,))
    return read_documents("case.yaml", text, pure=pure)


def test_the_whole_suite_is_run() -> None:
    """A suite that lost cases would prove less than it says."""
    if not CASES:
        pytest.skip(f"{SUITE.name} is not beside the checkout")
    assert len(CASES) == 405


@needs_suite
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_is_read_as_yaml_1_2_says_or_refused(case: Case) -> None:
    """No misread, nothing invalid accepted, and the same with and without the C parser."""
    fast, pure = read(case, pure=False), read(case, pure=True)
    assert fast == pure
    if not fast.diagnostics:
        assert case.valid
        assert [value(root) for root in fast.roots] == case.values
        return
    lines = case.yaml.split("\n")
    for found in fast.diagnostics:
        assert 1 <= found.place.line <= len(lines) + 1
        assert found.place.column >= 1
        assert found.hint
    codes = {found.code for found in fast.diagnostics}
    if case.valid and not codes & RULES.keys():
        assert codes == {"yaml-syntax"}
        assert case.id in set().union(*REFUSED_AS_SYNTAX.values())


@needs_suite
def test_exceptions_are_needed() -> None:
    """A case that is read by now does not stay on the list of exceptions."""
    excused = set().union(*REFUSED_AS_SYNTAX.values())
    refused = {
        case.id for case in CASES if case.id in excused and read(case, pure=False).diagnostics
    }
    assert refused == excused


@needs_suite
def test_most_valid_cases_without_a_refused_construct_are_read() -> None:
    """The rules refuse what they name, and little else."""
    assert sum(not read(case, pure=False).diagnostics for case in CASES if case.valid) >= 145
