"""What leaves the process: no token in any spelling, and no JSON that steers a terminal or CI log.

A token is a `Secret` from the moment that it is read. Everything that is printed, saved, journaled or put into a comment passes here on its way out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock
from typing import NoReturn

from reconciler.errors import CredentialError

MASK = "***"

SHORTEST_MASKED = 8
"""A shorter token is too likely to be an ordinary word for its copies to be masked."""

LONGEST_TOKEN = 4096

_known: tuple[str, ...] = ()
_adding = Lock()


def know(token: str) -> None:
    """Mask this token from here on, in everything that leaves the process."""
    global _known
    if len(token) < SHORTEST_MASKED:
        return
    with _adding:
        if (lowered := token.lower()) not in _known:
            _known = (*_known, lowered)


def mask(text: str) -> str:
    """The text with every token masked that this process has read.

    However it is spelled: in any case, with characters written as escapes of JSON, Python, URLs,
    HTML or mermaid, and with line ends, spaces, control or zero-width characters in between. JSON
    stays JSON.
    """
    return _masked(text, _known) if _known else text


class Secret:
    """A token that shows itself as `***` and goes nowhere but into the request header.

    From its making on, it is masked in everything that leaves the process. `source`: where it was
    read, such as `HUBSPOT_ACCESS_TOKEN`, for messages.
    """

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str | None = None) -> None:
        """Raise `CredentialError`, which does not repeat the value, unless it is a token."""
        for part in value.split():
            know(part.strip(_QUOTES))
        checks = {
            "is empty": not value,
            f"is longer than {LONGEST_TOKEN:,} characters": len(value) > LONGEST_TOKEN,
            "has quotes around it, which are not a part of it": (
                bool(value) and (value[0] in _QUOTES or value[-1] in _QUOTES)
            ),
            "is the name of a variable that nothing has replaced by its value": (
                value.startswith(("$", "%", "{{"))
            ),
            "begins with `Bearer`, which is not a part of it": value.lower().startswith("bearer "),
            "has a space, a line break or a character outside ASCII inside": (
                not re.fullmatch(r"[!-~]*", value)
            ),
            "has a character that cannot be in a token": not re.fullmatch(_BEARER, value),
        }
        if problem := next((words for words, found in checks.items() if found), None):
            where = f" in {source}" if source else ""
            raise CredentialError(f"the token{where} {problem}", hint=_HINT)
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """The token itself, for the Authorization header."""
        return self._value

    def is_in(self, text: str) -> bool:
        """Whether the text holds the token, in any spelling that `mask` would mask."""
        token = self._value.lower()
        return len(token) >= SHORTEST_MASKED and _masked(text, (token,)) != text

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is neither copied nor stored")


_BEARER = r"[A-Za-z0-9._~+/-]+=*"
"""What a bearer token is made of (RFC 6750): no quotes, backslashes or brackets."""

_HINT = "copy it again: a token has no quotes, spaces or line breaks"
_QUOTES = "\"'`“”‘’«»"

# The patterns are text: `re` compiles one when it is used and keeps it, which is 3 ms less start-up.
_ALIKE = (
    r"(?i:\bpat-[a-z0-9]{1,8}-[0-9a-f-]{8,})"
    r"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r"|\b[0-9a-fA-F]{32,}\b"
    r"|(?<![\w+-])(?=[\w+-]*[0-9])(?=[\w+-]*[a-z])(?=[\w+-]*[A-Z])[A-Za-z0-9_+-]{40,}={0,2}"
)
"""HubSpot's keys (`pat-na1-…`, UUIDs, observed), and long runs of hexadecimal or base64."""


def mask_alike(text: str) -> str:
    """The text with everything masked that looks like a token, whosever it is."""
    return re.sub(_ALIKE, MASK, text)


def star_alike(text: str) -> str:
    """The same with as many asterisks as characters, so that columns stay what they are."""
    return re.sub(_ALIKE, lambda found: "*" * len(found[0]), text)


_VISIBLE = r"[!-~]+"
_INVISIBLE = r"[^!-~]+"
_ESCAPE = (
    r"\\\\*(?:u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|[abefnrtv0]|)"
    r"|%(?:25)*([0-9A-Fa-f]{2})"
    r"|&(?:amp;)?#[xX]([0-9A-Fa-f]{1,6});|#[xX]([0-9A-Fa-f]{1,6});"
    r"|&(?:amp;)?#(?P<decimal>[0-9]{1,7});|#(?P<coded>[0-9]{1,7});"
)
"""One character as JSON, Python, a URL, HTML or mermaid may write it, however often escaped."""


def _masked(text: str, tokens: tuple[str, ...]) -> str:
    squeezed = re.sub(_INVISIBLE, "", text)
    written, read = squeezed.lower(), re.sub(_ESCAPE, _character, squeezed).lower()
    if not any(
        start in each and any(token in each for token in alike)
        for start, alike in _by_start(tokens).items()
        for each in {written, read}
    ):
        return text
    parts, end = [], 0
    for start, stop in sorted(_spans(text, tokens)):
        if start >= end:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])


_indexed: tuple[tuple[str, ...], Mapping[str, Sequence[str]]] = ((), {})
"""The tokens that were looked for last, and the same by their first characters."""


def _by_start(tokens: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    """The tokens by their first characters: those that begin alike are looked for together.

    With hundreds of portals every answer is looked through for hundreds of tokens, and nearly all
    of them begin with one of a few words.
    """
    global _indexed
    if len(tokens) == 1:
        return {tokens[0]: tokens}
    known, index = _indexed
    if known is not tokens:
        found: dict[str, list[str]] = {}
        for each in tokens:
            found.setdefault(each[:SHORTEST_MASKED], []).append(each)
        index = found
        _indexed = (tokens, index)
    return index


def _spans(text: str, tokens: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where the tokens are, as the text is written and as its escapes read.

    An escape of which a part is masked is masked completely: half of one would not be JSON.
    """
    visible = _View(text, ((*found.span(), None) for found in re.finditer(_VISIBLE, text)))
    read = _View(visible.text, _unescaped(visible.text))
    for token in tokens:
        for start, stop in _occurrences(read.text, token):
            yield visible.span(*read.span(start, stop))
        for start, stop in _occurrences(visible.text, token):
            yield visible.span(*read.around(start, stop))


def _occurrences(text: str, token: str) -> Iterator[tuple[int, int]]:
    lowered, at = text.lower(), 0
    while (at := lowered.find(token, at)) >= 0:
        yield at, at + len(token)
        at += 1


def _unescaped(text: str) -> Iterator[tuple[int, int, str | None]]:
    """The text in pieces: as it is (None), or an escape and what it reads as."""
    end = 0
    for found in re.finditer(_ESCAPE, text):
        if end < found.start():
            yield end, found.start(), None
        yield found.start(), found.end(), _character(found)
        end = found.end()
    if end < len(text):
        yield end, len(text), None


def _character(found: re.Match[str]) -> str:
    """The visible character that an escape stands for; nothing for any other."""
    if found.lastindex is None:
        return ""
    code = int(found[found.lastindex], 10 if found.lastgroup in {"decimal", "coded"} else 16)
    return chr(code) if ord("!") <= code <= ord("~") else ""


class _View:
    """A text made of pieces of another one, and the way back to their places."""

    def __init__(self, source: str, pieces: Iterable[tuple[int, int, str | None]]) -> None:
        self._starts: list[int] = []
        self._pieces: list[tuple[int, int, str | None]] = []
        texts, length = [], 0
        for piece in pieces:
            start, stop, instead = piece
            shown = source[start:stop] if instead is None else instead
            self._starts.append(length)
            self._pieces.append(piece)
            texts.append(shown)
            length += len(shown)
        self.text = "".join(texts)

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """The place in the source of what this text has from `start` to `stop`."""
        return self._place(start)[0], self._place(stop - 1)[1]

    def around(self, start: int, stop: int) -> tuple[int, int]:
        """A place in the source, widened to the ends of the escapes that it cuts."""
        for begin, end, instead in self._pieces:
            if instead is not None and begin < stop and start < end:
                start, stop = min(start, begin), max(stop, end)
        return start, stop

    def _place(self, at: int) -> tuple[int, int]:
        number = bisect_right(self._starts, at) - 1
        start, stop, instead = self._pieces[number]
        if instead is not None:
            return start, stop
        offset = start + at - self._starts[number]
        return offset, offset + 1


_LONGEST_LINE = 600


def one_line(text: str) -> str:
    """A server's words in one line, without control characters, of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


# ---------------------------------------------------------------- JSON

UNSEEN = (
    r"\x7f-\xa0"  # DEL, C1, no-break space
    r"\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    r"\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef"  # surrogates, private use, no characters
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001fffe\U0001ffff"
    r"\U000e0000-\U0010ffff"  # tags, more variation selectors, private use
)
"""Characters above ASCII that cannot be seen, or that steer a terminal."""

_STEERING = rf"[{UNSEEN}\ufe00-\ufe0f]|(?<=#)#|(?<=:):(?=[A-Za-z])"
"""`##[error]`, `##vso[…]` and `::error::` are commands to CI runners (documented)."""


def harmless_json(text: str) -> str:
    r"""The same JSON with `\uXXXX` for what a terminal or a CI log would obey, or nobody can see.

    `text` is JSON as `json.dumps` writes it: what this replaces stands within its strings only.
    """
    return re.sub(_STEERING, _json_escape, text)


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
