"""Bytes → text: strict UTF-8 without the characters that YAML forbids or parsers disagree on."""

from __future__ import annotations

import re

from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import Place
from reconciler.spelling import code_escape

MAXIMUM_BYTES = 1 << 20
"""The largest file that is read: 1 MiB."""

_BYTE_ORDER_MARK = "\ufeff"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

# What YAML 1.2 does not count as printable, and the line breaks of YAML 1.1 (U+0085, U+2028,
# U+2029): libyaml ends a line there and counts on, ruamel's own parser does not.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_COMMENT = re.compile(r"(?:^| )#")


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character; CR LF, CR and LF end a line."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def decode(path: str, content: bytes) -> str | Diagnostic:
    """The file's text, or what is wrong with its first bad character.

    Without a byte order mark, and with every line ended by LF: neither changes a line or column.
    """
    if len(content) > MAXIMUM_BYTES:
        return too_large(path)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf_8(path, content, error.start)
    text = text.removeprefix(_BYTE_ORDER_MARK)
    return _first_problem(path, text.replace("\r\n", "\n").replace("\r", "\n"))


def too_large(path: str) -> Diagnostic:
    """The file exceeds what is read."""
    return Diagnostic(
        DiagnosticCode.FILE_TOO_LARGE,
        f"{path} is larger than 1 MiB",
        Place(path, 1, 1),
        hint="split it: one file per pair is usual",
    )


def _not_utf_8(path: str, content: bytes, offset: int) -> Diagnostic:
    line, column = position(content[:offset].decode("utf-8").removeprefix(_BYTE_ORDER_MARK), offset)
    encoding = "looks like UTF-16" if content.startswith(_UTF_16_MARKS) else "is not UTF-8"
    return Diagnostic(
        DiagnosticCode.FILE_NOT_UTF_8,
        f"the file {encoding}: byte 0x{content[offset]:02x} at offset {offset}",
        Place(path, line, column),
        hint="save the file as UTF-8",
    )


def _first_problem(path: str, text: str) -> str | Diagnostic:
    if found := _FORBIDDEN.search(text):
        code, message, hint = _forbidden_character(found[0])
    elif found := _CONFLICT.search(text):
        code = DiagnosticCode.MERGE_CONFLICT
        message = "the file holds the marks of an unresolved merge conflict"
        hint = "resolve the conflict and remove the lines <<<<<<<, ======= and >>>>>>>"
    elif found := _DIRECTIVE.search(text):
        code = DiagnosticCode.YAML_DIRECTIVE
        message = "a YAML directive (%) is not accepted"
        hint = "remove the line: files are YAML 1.2 without directives"
    else:
        return _first_tab(path, text) or (text if text.endswith("\n") else f"{text}\n")
    line, column = position(text, found.start())
    return Diagnostic(code, message, Place(path, line, column), hint=hint)


def _first_tab(path: str, text: str) -> Diagnostic | None:
    if "\t" not in text:
        return None
    for number, line in enumerate(text.split("\n"), 1):
        before, tab, _ = line.partition("\t")
        if tab and not _COMMENT.search(before):
            return Diagnostic(
                DiagnosticCode.YAML_TAB,
                "there is a tab outside a comment",
                Place(path, number, len(before) + 1, len(before) + 2),
                hint='indent and separate with spaces; inside a text, write "\\t" in double quotes',
            )
    return None


def _forbidden_character(char: str) -> tuple[DiagnosticCode, str, str]:
    name = f"U+{ord(char):04X}"
    return (
        DiagnosticCode.CHARACTER_FORBIDDEN,
        f"the character {name} is not accepted in a file",
        f'remove it; if a label needs it, write "{code_escape(ord(char))}" in double quotes',
    )
