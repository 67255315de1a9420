"""What the YAML parser cannot read, in words that do not depend on which parser it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ruamel.yaml.error import MarkedYAMLError

from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import Place

_INDENTATION = "check the indentation: the keys of one mapping start in one column"


@dataclass(frozen=True, slots=True)
class _Problem:
    """Words of the parsers, ours for them, and whether the beginning is the place to look at."""

    marks: tuple[str, ...]
    words: str
    hint: str
    at_start: bool = False


_PROBLEMS = (
    _Problem(
        ("mapping values are not allowed",),
        "a key does not fit here",
        f'{_INDENTATION}; a text that holds ": " needs quotes',
    ),
    _Problem(
        ("sequence entries are not allowed",),
        "a list entry does not fit here",
        "start each entry on a line of its own; quote a text that starts with a dash",
    ),
    _Problem(
        ("could not find expected ':'",),
        "a key without a colon",
        "a key ends in a colon and a space",
        at_start=True,
    ),
    _Problem(
        ("end of stream", "document separator"),
        "a quote is opened and not closed",
        "close the quote",
        at_start=True,
    ),
    _Problem(
        ("',' or '}'", "',' or ']'"),
        "a bracket is opened and neither a comma nor the closing bracket follows",
        "close the bracket, or put a comma between the entries",
    ),
    _Problem(
        ("expected <document start>", "'<document start>'", "document end marker"),
        "something follows the end of the document",
        "separate documents by a line with ---",
    ),
    _Problem(
        ("expected key", "<block end>", "'-' indicator"),
        "the line does not fit what stands above it",
        _INDENTATION,
    ),
    _Problem(
        ("cannot start any token", "start any token"),
        "a text starts with a character that it cannot start with",
        "put the text between quotes",
    ),
    _Problem(
        ("expected node content", "expected the node content"),
        "a key or value is missing",
        "write it, or remove the colon, comma or bracket that waits for it; "
        "put a text that starts with : or ? in quotes",
    ),
    _Problem(
        ("found unexpected ':'",), "a colon without a space", "a key ends in a colon and a space"
    ),
    _Problem(
        ("escape character", "Unicode", "escape sequence of"),
        "an escape in double quotes stands for no character",
        "write \\\\ for a backslash, or use single quotes",
        at_start=True,
    ),
    _Problem(
        ("chomping or indentation", "a comment or a line break", "indentation indicator"),
        "after > or | the text starts on the next line",
        "start the text on the next line; put a text that starts with > or | in quotes",
    ),
    _Problem(
        ("more indented follow up line",),
        "a text after > or | starts with lines of spaces only",
        "remove the spaces from the empty lines, or put the text in quotes",
    ),
    _Problem(
        ("mapping keys are not allowed",),
        "a ? is not expected here",
        "put a text that starts with ? in quotes",
    ),
    _Problem(
        ("alphabetic or numeric character", "URI", "'!'", "undefined tag handle"),
        "&, * and ! start no text",
        "put the text in quotes",
    ),
)
_QUOTES_HELP = "a text with special characters needs quotes"


def syntax_error(path: str, error: MarkedYAMLError) -> Diagnostic:
    """The parser's complaint as a diagnostic."""
    problem = " ".join(str(error.problem or error.context or "cannot be read").split())
    at, start = _place(path, error.problem_mark), _place(path, error.context_mark)
    known = next((each for each in _PROBLEMS if any(mark in problem for mark in each.marks)), None)
    if known is not None and known.at_start and start is not None:
        at, start = start, None
    place = at or start or Place(path, 1, 1)
    return Diagnostic(
        DiagnosticCode.YAML_SYNTAX,
        f"not YAML: {known.words if known else problem}",
        place,
        hint=known.hint if known else _QUOTES_HELP,
        related=start if start != place else None,
    )


def unplaced(path: str, error: Exception) -> Diagnostic:
    """A complaint that names no place."""
    words = " ".join(str(error).split())
    return Diagnostic(
        DiagnosticCode.YAML_SYNTAX, f"not YAML: {words}", Place(path, 1, 1), hint=_QUOTES_HELP
    )


def _place(path: str, mark: Any) -> Place | None:
    return None if mark is None else Place(path, mark.line + 1, mark.column + 1)
