"""GitHub's expressions, as far as the action and the workflows use them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Contexts = Mapping[str, Any]

_TOKEN = re.compile(r"'(?:[^']|'')*'|&&|\|\||==|!=|!|[()]|[\w.-]+")
_OPERATORS = {"&&": " and ", "||": " or ", "==": "==", "!=": "!=", "!": " not ", "(": "(", ")": ")"}
_TEMPLATE = re.compile(r"\$\{\{(.*?)\}\}")


def evaluate(expression: str, contexts: Contexts) -> Any:
    """The value of an expression; a context or an input nobody declared is an error."""
    source, position = "", 0
    for token in _TOKEN.finditer(expression):
        assert not expression[position : token.start()].strip(), expression
        position = token.end()
        source += _OPERATORS.get(token[0]) or f" {_value(token[0], contexts)!r} "
    assert not expression[position:].strip(), expression
    return eval(source, {"__builtins__": {}})  # noqa: S307 - made of literals


def filled(template: object, contexts: Contexts) -> str:
    """A text with its expressions replaced by their values, as the runner shows them."""
    return _TEMPLATE.sub(lambda found: shown(evaluate(found[1], contexts)), shown(template))


def shown(value: object) -> str:
    """A value as text: null is nothing, booleans are in lower case."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(token: str, contexts: Contexts) -> Any:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if token in {"true", "false"}:
        return token == "true"
    root, *names = token.split(".")
    if not names:
        assert token in {"always", "cancelled", "failure"}, f"an unknown function: {token}"
        return contexts[token]
    found = contexts[root]
    for name in names:
        found = _member(found, name, token)
    return found


def _member(value: Any, name: str, token: str) -> Any:
    """A member; of `github.event` any may be missing, of what is declared none."""
    if token.startswith(("github.event.", "secrets.")) or ".outputs." in token:
        return value.get(name) if isinstance(value, Mapping) else None
    return value[name]
