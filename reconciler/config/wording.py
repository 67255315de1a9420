"""How diagnostics quote what a file says: one line, bounded, and never a token."""

from __future__ import annotations

from reconciler.config.nodes import Hole, Mapping, Node, Scalar, Sequence
from reconciler.config.values import resolve
from reconciler.outgoing import mask_alike

_LONGEST_QUOTE = 80


def visible(text: str) -> str:
    """The text on one line: what does not print is escaped, what looks like a token is masked."""
    masked = mask_alike(text)
    if len(masked) > _LONGEST_QUOTE:
        masked = masked[:_LONGEST_QUOTE] + "…"
    if masked.isprintable():
        return masked
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in masked
    )


def quoted(text: str) -> str:
    """The text between double quotes."""
    return f'"{visible(text)}"'


def read_as(node: Node) -> str:
    """What a node was read as, to end a sentence with: `not …`."""
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Hole():
            return "nothing"
        case Scalar(text=text, plain=False):
            return f"the text {quoted(text)}"
        case Scalar(text=text):
            return _plain_as(text)


def _plain_as(text: str) -> str:
    match resolve(text):
        case None:
            return "nothing" if text == "" else visible(text)
        case bool():
            return f"the boolean {text}"
        case int() | float():
            return f"the number {visible(text)}"
        case str():
            return f"the text {quoted(text)}"
