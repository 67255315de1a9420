"""The JSON documents of a file: one, an array of them, or one after another, each read strictly."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.planning.plan_file import BYTE_ORDER_MARK

_SPACE = " \t\n\r"
_SPACES = re.compile(f"[{_SPACE}]*")


class Kind(StrEnum):
    """What a document is, as far as its keys say."""

    PLAN = "plan"
    RESULT = "result"
    ERROR = "error"
    """Why a command had no plan or no result for a portal."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON value of a file. `line`: where it begins among others; 0: it is all of the file."""

    content: bytes
    value: object
    line: int = 0

    @property
    def kind(self) -> Kind:
        """A plan is recognised by its batches, a result by its outcome."""
        if not isinstance(self.value, dict):
            return Kind.OTHER
        for key, kind in _BY_KEY.items():
            if key in self.value:
                return kind
        return Kind.OTHER


_BY_KEY = {"batches": Kind.PLAN, "outcome": Kind.RESULT, "error": Kind.ERROR}

_RESULTS = "results"
"""The key of a merged result document that holds the documents it was made of."""


def documents(content: bytes) -> tuple[Document, ...]:
    """The documents of a file, those of an array and of merged results one by one.

    Raises ValueError or RecursionError, of which `what_is_wrong` says the place.
    """
    text = content.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    found = tuple(_documents(text))
    if len(found) == 1 and found[0].content.strip() == text.strip(_SPACE).encode():
        only = Document(content, found[0].value)
        merged = only.value.get(_RESULTS) if isinstance(only.value, dict) else None
        if only.kind is Kind.OTHER and isinstance(merged, list):
            return tuple(Document(json.dumps(each).encode(), each, 1) for each in merged)
        return (only,)
    return found


def _documents(text: str) -> Iterator[Document]:
    read = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_no_number).raw_decode
    at = _behind_space(text, 0)
    in_array = text[at : at + 1] == "["
    if in_array:
        at = _behind_space(text, at + 1)
    line, counted = 1, 0
    is_open = text[at : at + 1] != "]" or not in_array
    while is_open:
        value, end = read(text, at)
        line += text.count("\n", counted, at)
        counted = at
        yield Document(text[at:end].encode("utf-8", "surrogatepass"), value, line)
        at = _behind_space(text, end)
        if not in_array:
            is_open = at < len(text)
        elif text[at : at + 1] == ",":
            at = _behind_space(text, at + 1)
        else:
            is_open = False
    if in_array and text[at : at + 1] != "]":
        raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
    if in_array and (at := _behind_space(text, at + 1)) < len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _behind_space(text: str, at: int) -> int:
    space = _SPACES.match(text, at)
    return at if space is None else space.end()


def read_json(content: bytes) -> object:
    """One JSON value without repeated keys and NaN; raises as `documents` does."""
    return json.loads(
        content.removeprefix(BYTE_ORDER_MARK).decode("utf-8"),
        object_pairs_hook=_distinct,
        parse_constant=_no_number,
    )


def what_is_wrong(error: Exception) -> str:
    """Why a file cannot be read as JSON, with the place."""
    match error:
        case json.JSONDecodeError():
            return f"{error.msg} at line {error.lineno} column {error.colno}"
        case UnicodeDecodeError():
            return f"byte {error.start} is not UTF-8"
        case RecursionError():
            return "nested too deeply"
        case _:
            return str(error)[:100]


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys are distinct: of two equal ones, readers take either."""
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice[:40]!r} is there twice")
    return found


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a number")
