"""Names that were meant: the nearest known ones, and how two spellings of a name differ.

Every cost is bounded, since both names may come from strangers: a hint looks at the first 1,000
known names and at 80 characters of each.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import islice

HINTS = 20
"""How many diagnostics of one run get a hint that has to be searched for."""

_NAMES = 1_000
_LONGEST = 80
_COMPARED = 400
_DIFFERENCES = 3
_BACKSLASH, _DOUBLE_QUOTE = ord("\\"), ord('"')
_FIRST_PRINTABLE, _LAST_ASCII = ord(" "), ord("~")
_SHORTEST_SLIP = 4
_TWO_SLIPS = 6
_SPACE = re.compile(r"\s+")
_APOSTROPHES = dict.fromkeys(map(ord, "'`´ʹʻʼʽˈ′‘’‛＇"), "'")
_QUOTES = dict.fromkeys(map(ord, '"“”„‟″＂«»'), '"')
_DASHES = dict.fromkeys(map(ord, "-‐‑‒–—―−﹣－"), "-")


def nearest(word: str, known: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """The most similar of the known words, whatever their case, best first; perhaps none."""
    import difflib  # only for words that are wrong: importing it takes longer than reading a file

    forms = {each[:_LONGEST].casefold(): each for each in islice(known, _NAMES)}
    form = word.strip()[:_LONGEST].casefold()
    return [forms[each] for each in difflib.get_close_matches(form, forms, most, cutoff)]


def slip(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is one or two letters away from.

    Two only from six letters up, and none in words of three: those are all alike. A letter that is
    missing, added, wrong, or swapped with its neighbour counts as one.
    """
    if len(word) > _LONGEST:
        return None
    form = word.casefold()
    most = 0 if len(form) < _SHORTEST_SLIP else 1 if len(form) < _TWO_SLIPS else 2
    near = [
        (distance, each)
        for each in islice(known, _NAMES)
        if abs(len(each) - len(form)) <= most
        and len(set(form) ^ set(each)) <= 2 * most  # one letter changes two at most
        and 0 < (distance := _distance(form, each.casefold())) <= most
    ]
    return min(near)[1] if near else None


def _distance(one: str, other: str) -> int:
    """Letters to add, remove, replace or swap with a neighbour (optimal string alignment)."""
    before: Sequence[int] = ()
    last: Sequence[int] = range(len(other) + 1)
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if before and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def skeleton(text: str) -> str:
    """What two spellings of one name have in common.

    Without upper case, Unicode form, kind of apostrophe, quote and dash, invisible characters, and
    with single spaces.
    """
    seen = "".join(each for each in text if unicodedata.category(each) != "Cf")
    plain = unicodedata.normalize("NFKC", seen.translate(_APOSTROPHES | _QUOTES | _DASHES))
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", plain.casefold())).strip()


def same_but_spelling(word: str, known: Iterable[str]) -> str | None:
    """The known word that differs from `word` only in how it is written."""
    wanted = skeleton(word)
    return next((each for each in known if each != word and skeleton(each) == wanted), None)


def difference(here: str, there: str, *, where: tuple[str, str]) -> str:
    """What differs between two spellings, in words and code points.

    `where`: who writes which, such as `("the file", "HubSpot")`. One line of printable characters.
    """
    import difflib

    here, there = here[:_COMPARED], there[:_COMPARED]
    if here == there:
        return f"they differ after {_COMPARED} characters"
    blocks = difflib.SequenceMatcher(None, here, there, autojunk=False).get_opcodes()
    parts = [
        f"{_kind(here[a:b], there[c:d])}: {where[0]} has {_shown(here[a:b])}{_position(here, a, b)}, "
        f"{where[1]} has {_shown(there[c:d])}{_position(there, c, d)}"
        for tag, a, b, c, d in blocks
        if tag != "equal"
    ]
    more = len(parts) - _DIFFERENCES
    return "; ".join(parts[:_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")


def code_escape(code: int) -> str:
    r"""A character, by its code point, as double quotes of YAML and Python take it: `\u202e`."""
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def escaped(text: str) -> str:
    r"""A text in double quotes for a YAML file, with all but ASCII escaped, such as `"\xe9"`."""
    return '"' + text.translate(_MustEscape()) + '"'


class _MustEscape(dict[int, str]):
    """Escapes of YAML's double quotes, by code point; one character at a time as it is met."""

    def __missing__(self, code: int) -> str:
        if code in (_BACKSLASH, _DOUBLE_QUOTE):
            return "\\" + chr(code)
        if _FIRST_PRINTABLE <= code <= _LAST_ASCII:
            return chr(code)
        return code_escape(code)


def _kind(one: str, other: str) -> str:
    """The word for a difference."""
    if not (one + other).strip():
        return "white space"
    if unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other):
        return "Unicode form"
    if one.casefold() == other.casefold():
        return "upper and lower case"
    for words, alike in (("apostrophe", _APOSTROPHES), ("quote", _QUOTES), ("dash", _DASHES)):
        if all(ord(each) in alike for each in one + other):
            return words
    if all(unicodedata.category(each) == "Cf" for each in one + other):
        return "invisible character"
    return "characters"


def _shown(text: str) -> str:
    if not text:
        return "nothing"
    shown = " ".join(_code_point(each) for each in text[:_DIFFERENCES])
    return shown + (f" and {len(text) - _DIFFERENCES} more" if len(text) > _DIFFERENCES else "")


def _code_point(character: str) -> str:
    name = character if "!" <= character <= "~" else unicodedata.name(character, "").lower()
    return f"U+{ord(character):04X}" + (f" ({name})" if name else "")


def _position(text: str, start: int, end: int) -> str:
    """Where white space is easily overlooked."""
    if text[start:end].strip() or start == end:
        return ""
    return " at the end" if end == len(text) else " at the start" if start == 0 else ""
