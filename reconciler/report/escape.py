r"""Hostile text made harmless and recognisable: the one place where strangers' words are escaped.

Labels, names, reasons, file paths and HubSpot's messages come from strangers. `visible` turns what
cannot be seen, or would steer a terminal, into escapes such as `\u202e`; each output format then
adds its own quoting on top. Every string these functions return is one line of valid UTF-8.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Mapping
from functools import lru_cache
from urllib.parse import quote

from reconciler.outgoing import UNSEEN
from reconciler.spelling import code_escape

NAME_LIMIT = 120
"""Characters of a label or a name that are shown; longer ones are shortened in the middle."""

PROSE_LIMIT = 1_000
"""Characters of a reason or a message that are shown."""

LINES_LIMIT = 12
"""Lines of a reason that are shown."""

PATH_LIMIT = 260
"""Characters of a file path that are shown."""

_MOST_PARTS = 10
"""Parts of a path by which it is distinguished from others."""

LEFT_TO_RIGHT_MARK = "\u200e"
"""Put around right-to-left text, so that `5 → 3` after it does not read `3 → 5`."""

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_EMOJI = "©®\u2010-\u205e\u20a0-\u32ff\U0001f000-\U0001faff"
_UNSEEN = rf"\x00-\x1f{UNSEEN}"
_PICTURE = "\u2194\u2195\u2600-\u27bf\u2b1b\U0001f300-\U0001faff"
_JOINER = rf"(?<=[{_PICTURE}\ufe0f])\u200d(?=[{_PICTURE}])"
"""Joins pictures into one, as of a family; elsewhere it only hides."""
_UNSEEN_ANYWHERE = (
    rf"(?!{_JOINER})[{_UNSEEN}]"
    rf"|(?<![{_EMOJI}])[\ufe00-\ufe0f](?!\u20e3)"  # variation selectors but on a symbol
    rf"|(?<=[{_MARKS}]{{3}})[{_MARKS}]|\A[{_MARKS}]"  # marks that climb over the line above
)
_LOG_COMMAND = r"(?<=#)#(?=\w*\[)"
"""`##[error]` and `##vso[…]` steer CI runners from anywhere in a line (documented)."""
# Patterns are texts, which `re` compiles when one is first used: 8 ms that few commands need.
_HIDDEN = rf"\\(?=[\\abtnrxuU]|{_UNSEEN_ANYWHERE})|{_UNSEEN_ANYWHERE}|{_LOG_COMMAND}"
_STEERS = rf"{_UNSEEN_ANYWHERE}|{_LOG_COMMAND}"
_MAY_HIDE = re.compile(r"\\|##").search
_SHORT_ESCAPES = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_RIGHT_TO_LEFT = "[\u0590-\u08ff\ufb1d-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"


def visible(text: str, limit: int = PROSE_LIMIT) -> str:
    """One line of printable text: what cannot be seen becomes an escape that can.

    Control, format and bidi characters, line ends, odd spaces and lone surrogates are shown as in
    a Python string. Text of more than `limit` characters is shortened, see `shortened`.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and not _MAY_HIDE(text):
        return text
    return re.sub(_HIDDEN, _escape, shortened(text, limit))


def sentence(text: str, limit: int = PROSE_LIMIT) -> str:
    """Like `visible` for a message or a hint: its backslashes are meant to be read or typed.

    What a sentence quotes was made visible where it was quoted.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "##" not in text:
        return text
    return re.sub(_STEERS, _escape, shortened(text, limit))


def shortened(text: str, limit: int = NAME_LIMIT) -> str:
    """`text`, or its two ends around a note of its length when it has more than `limit`."""
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail]}…[{len(text):,} characters]…{text[len(text) - tail :]}"


def short_paths(paths: Collection[str]) -> Mapping[str, str]:
    """Each path by its last parts, as few as distinguish it from all the others.

    A path that its last ten parts do not distinguish is not shortened.
    """
    found = {path: path for path in paths}
    parts = {path: path.rsplit("/", _MOST_PARTS) for path in found}
    for depth in range(_MOST_PARTS, 0, -1):
        ends = {path: "/".join(each[-depth:]) for path, each in parts.items()}
        counts = Counter(ends.values())
        found |= {path: end for path, end in ends.items() if counts[end] == 1}
    return found


def prose_lines(text: str, limit: int = PROSE_LIMIT) -> list[str]:
    """The lines of prose that are not blank, to be escaped one by one; few, and short together."""
    kept = [line.strip() for line in shortened(text, limit).split("\n")]
    lines = [line for line in kept if line]
    if len(lines) <= LINES_LIMIT:
        return lines
    return [*lines[:LINES_LIMIT], f"…[{len(lines) - LINES_LIMIT} more lines]"]


def one_way(text: str) -> str:
    """Keeps right-to-left text from reordering the rest of its line."""
    reorders = not text.isascii() and re.search(_RIGHT_TO_LEFT, text)
    return LEFT_TO_RIGHT_MARK + text + LEFT_TO_RIGHT_MARK if reorders else text


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _SHORT_ESCAPES.get(character) or code_escape(ord(character))


# ---------------------------------------------------------------- terminals and logs


_WORKFLOW_COMMAND = re.compile(r"(?<!\S)::")
_MAY_STEER = re.compile(r"\\|##|::").search


@lru_cache(maxsize=8_192)  # a plan says the same labels and paths thousands of times
def terminal(text: str, limit: int = NAME_LIMIT) -> str:
    """For a terminal or a log, wherever it is in a line and however it is wrapped.

    A line that starts with `::`, spaces before it or not, steers GitHub's runner (documented).
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and not _MAY_STEER(text):
        return text
    return one_way(_WORKFLOW_COMMAND.sub(r"\\x3a:", visible(text, limit)))


def terminal_sentence(text: str, limit: int = PROSE_LIMIT) -> str:
    """A message or a hint for a terminal or a log."""
    return one_way(_WORKFLOW_COMMAND.sub(r"\\x3a:", sentence(text, limit)))


# ---------------------------------------------------------------- links


_WEB = r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?(?:[/?#].*)?"


def web_link(url: str | None) -> str | None:
    """An http or https URL, percent-encoded to plain ASCII; None for anything else."""
    if not url:
        return None
    encoded = quote(_utf8(url), safe="%/:=&?~#+!$,;@[]-._")
    return encoded if re.fullmatch(_WEB, encoded, re.IGNORECASE) else None


# ---------------------------------------------------------------- markdown of GitHub and GitLab

_PLAIN_PROSE = r"""[\"“]?[^\W_](?:[^\W_]|[ ,;()/"“”’'–—→↓+-]|\.(?!\w)|:(?= )|(?<!\W)_(?!\W)|[?!%](?=[ )]|\Z))*"""
_LOOKS_LIKE_REFERENCE = r"[0-9a-f]{7,}|[a-z]-\d|\bwww\b|/\S*/|https?|ftp|mailto|xmpp|\A\d+[.)]"
_BACKTICKS = re.compile("`+")
_PIPE = re.compile(r"(\\*)\|")


@lru_cache(maxsize=8_192)
def markdown_code(text: str, limit: int = NAME_LIMIT) -> str:
    """A code span. Mentions, references, links, images and HTML mean nothing inside one."""
    shown = one_way(visible(text, limit))
    if not shown.strip():
        return f"`“{shown}”`"
    longest = max((len(run) for run in _BACKTICKS.findall(shown)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


@lru_cache(maxsize=8_192)
def markdown_prose(text: str, limit: int = PROSE_LIMIT) -> str:
    """Plain words where that is harmless beyond doubt, otherwise a code span."""
    shown = visible(text, limit)
    is_prose = re.fullmatch(_PLAIN_PROSE, shown)
    if is_prose and not re.search(_LOOKS_LIKE_REFERENCE, shown, re.IGNORECASE):
        return one_way(shown)
    return markdown_code(text, limit)


def markdown_cell(inline: str) -> str:
    """Markdown without line ends, for a table's cell: pipes no longer end it."""
    return _PIPE.sub(lambda match: match.group(1) * 2 + r"\|", inline)


def markdown_link(inline: str, url: str | None) -> str:
    """`inline` as a link where there is a URL. Only http and https URLs are linked."""
    target = web_link(url)
    return inline if target is None else f"[{inline}](<{target}>)"


# ---------------------------------------------------------------- mermaid

_MERMAID_SPECIAL = r"[^\w \x80-\U0010ffff]|[_°¶\ufb02]|^ | $"
"""ASCII punctuation, and the characters mermaid itself uses for codes (observed)."""


def mermaid_text(text: str, limit: int = 60) -> str:
    """For between the quotes of a mermaid label: ASCII but letters, digits and spaces is coded."""
    return re.sub(_MERMAID_SPECIAL, _mermaid_codes, one_way(visible(text, limit)))


def _mermaid_codes(match: re.Match[str]) -> str:
    return f"#{ord(match.group())};"


# ---------------------------------------------------------------- GitHub's workflow commands


def github_data(text: str, limit: int = PROSE_LIMIT) -> str:
    """For the message of a workflow command (documented: `%`, CR and LF are coded)."""
    return visible(text, limit).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def github_sentence(text: str, limit: int = PROSE_LIMIT) -> str:
    """A message or a hint as the message of a workflow command."""
    return sentence(text, limit).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def github_property(text: str, limit: int = PROSE_LIMIT) -> str:
    """For a property of a workflow command (documented: colons and commas are coded, too)."""
    return github_data(text, limit).replace(":", "%3A").replace(",", "%2C")


# ---------------------------------------------------------------- URIs of files


def file_uri(path: str) -> str:
    """A relative URI of a file in the repository, or a `file:` URI of an absolute path."""
    if os.sep == "\\":
        path = path.replace("\\", "/")
        if re.match("[A-Za-z]:/", path):
            return f"file:///{path[:2]}{quote(_utf8(path[2:]), safe='/')}"
    encoded = quote(_utf8(path), safe="/")
    if path.startswith("//"):
        return f"file:{encoded}"
    return f"file://{encoded}" if path.startswith("/") else encoded


def _utf8(text: str) -> bytes:
    """The bytes of a path or URL; undecodable bytes of a file name are given back as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
