"""What the YAML parsers misread, found and refused; and what they refuse, in words of ours.

YAML 1.2 lets a text in brackets start with `?`; both parsers drop the question mark. They accept a
comment without a space before it, a dash alone as a text, and lines of a quoted or bracketed value
that are not indented further than the key they belong to. All found with yaml-test-suite and by
comparing generated files with other YAML 1.2 parsers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ruamel.yaml.error import MarkedYAMLError

from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import Place

_QUOTE_IT = "put it in quotes"
_COMMENT = re.compile("#[^\n]*")
_NOT_AN_INDICATOR = re.compile(r"\?(?=[^\s])")
_MARKER = re.compile(r"(?:---|\.\.\.)(?: |$)")
_QUOTES = ("'", '"')
_COLON_AT_THE_END = "a text in brackets ends in a colon"
MOST_PROBLEMS = 1_000
"""Problems of one kind that one file reports; the rest of such a file is not worth the time."""
_NO_TEXTS = frozenset({"-", "?", ":"})
NOT_AT_THE_END = tuple(_NO_TEXTS)
"""A plain scalar that ends in one of these is looked at; so is every other kind of scalar."""


@dataclass
class Structure:
    """Follows the events of one file and looks for what the parsers should have refused.

    `suspicious`: the text may have a comment without a space, or a `?` that is part of a text.
    """

    path: str
    text: str
    suspicious: bool
    found: list[Diagnostic] = field(default_factory=list)
    places: set[Place] = field(default_factory=set)
    spans: list[tuple[int, int]] = field(default_factory=list)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def scalar(self, event: Any, indent: int, *, flow: bool) -> bool:
        """Whether a scalar is what YAML 1.2 says.

        `indent`: the column of the block mapping or list that it is in; -1 at the top.
        """
        start, end, style = event.start_mark, event.end_mark, event.style
        if self.suspicious:
            self.spans.append((start.index, end.index))
        if not style:
            text = event.value
            if text in _NO_TEXTS or (flow and text.endswith(":")):
                words = f"{text} alone is not a text" if text in _NO_TEXTS else _COLON_AT_THE_END
                self._report(
                    DiagnosticCode.YAML_INDICATOR, words, start.line, start.column, _QUOTE_IT
                )
                return False
            return True
        if style not in _QUOTES:
            return self._block_text(start, end, indent)
        return start.line == end.line or self.indentation(start.line, end.line, indent)

    def _block_text(self, start: Any, end: Any, indent: int) -> bool:
        if start.column <= indent:
            words = "the text is not indented further than its key"
            self._report(
                DiagnosticCode.YAML_INDENTATION, words, start.line, start.column, "indent it"
            )
            return False
        for number in range(start.line + 1, end.line):
            if _MARKER.match(self._lines[number]):
                words = "a line that separates documents is inside a text"
                self._report(DiagnosticCode.YAML_INDENTATION, words, number, 0, "indent the text")
                return False
        return True

    def indentation(self, first: int, last: int, indent: int, *, brackets: bool = False) -> bool:
        """Whether every line of a value in quotes or brackets is indented further than its key.

        A closing bracket may be below the beginning of the key.
        """
        for number in range(first + 1, last + 1):
            line = self._lines[number]
            shown = line.lstrip(" ")
            column = len(line) - len(shown)
            enough = indent - (brackets and shown.startswith(("]", "}")))
            if shown and column <= enough and not (brackets and shown.startswith("#")):
                words = (
                    f"a line of a value in {'brackets' if brackets else 'quotes'} is not indented"
                )
                hint = "indent it further than the key, or close what is open on the line before"
                self._report(DiagnosticCode.YAML_INDENTATION, words, number, column, hint)
                return False
        return True

    def indicators(self) -> Iterator[Diagnostic]:
        """Look at what is left of a suspicious file when every scalar is blanked."""
        rest = self._without_scalars()
        for comment in _COMMENT.finditer(rest):
            before = rest[comment.start() - 1 : comment.start()]
            if before and not before.isspace():
                words = "a # follows without a space"
                hint = "put a space before a comment; put a text that starts with # in quotes"
                yield self._at(DiagnosticCode.YAML_COMMENT, words, comment.start(), hint)
        for found in _NOT_AN_INDICATOR.finditer(_COMMENT.sub(_blank, rest)):
            words = "a text in brackets starts with ?"
            yield self._at(DiagnosticCode.YAML_INDICATOR, words, found.start(), _QUOTE_IT)

    def _without_scalars(self) -> str:
        pieces, done = [], 0
        for start, end in self.spans:
            scalar = self.text[start:end]
            blank = re.sub("[^\n]", "x", scalar) if "\n" in scalar else "x" * len(scalar)
            pieces += [self.text[done:start], blank]
            done = max(done, end)
        return "".join([*pieces, self.text[done:]])

    def _at(self, code: DiagnosticCode, words: str, offset: int, hint: str) -> Diagnostic:
        line = self.text.count("\n", 0, offset)
        column = offset - self.text.rfind("\n", 0, offset)
        return Diagnostic(code, words, Place(self.path, line + 1, column), hint=hint)

    def _report(self, code: DiagnosticCode, words: str, line: int, column: int, hint: str) -> None:
        place = Place(self.path, line + 1, column + 1)
        if place not in self.places and len(self.found) < MOST_PROBLEMS:
            self.places.add(place)
            self.found.append(Diagnostic(code, words, place, hint=hint))


def _blank(comment: re.Match[str]) -> str:
    return " " * len(comment[0])


# ---------------------------------------------------------------- what the parsers refuse


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
        "the line does not fit the lines above it",
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
        "an escape in double quotes is not one of YAML's",
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


def syntax_error(path: str, error: Exception) -> Diagnostic:
    """The parser's complaint as a diagnostic, at the top of the file where it names no place."""
    if not isinstance(error, MarkedYAMLError):
        words = " ".join(str(error).split())
        return Diagnostic(
            DiagnosticCode.YAML_SYNTAX, f"not YAML: {words}", Place(path, 1, 1), hint=_QUOTES_HELP
        )
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


def _place(path: str, mark: Any) -> Place | None:
    return None if mark is None else Place(path, mark.line + 1, mark.column + 1)
