"""The actions of the rule language by name, each with the arguments it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from ..portal import Category
from .actions import (
    Action,
    Alter,
    Body,
    Cancel,
    Delay,
    Drop,
    Edit,
    Hang,
    Huge,
    Lag,
    Lose,
    Nulls,
    Omit,
    Part,
    Pend,
    Rate,
    Redirect,
    Refuse,
    Status,
    Trickle,
    Wrote,
)
from .arguments import ArgumentError, Arguments


class _Policy(StrEnum):
    """The policies a 429 may name (documented)."""

    SECONDLY = "SECONDLY"
    TEN_SECONDLY_ROLLING = "TEN_SECONDLY_ROLLING"
    DAILY = "DAILY"


class _Framing(StrEnum):
    CHUNKED = "chunked"
    LENGTH = "length"


def read_action(name: str, arguments: Arguments) -> Action:
    """The action of this name with its arguments. Raises ArgumentError."""
    if name.isdigit():
        return _status(name, arguments)
    if name not in _ACTIONS:
        known = ", ".join(sorted(_ACTIONS))
        raise ArgumentError(f"{name} is no action. Known are {known}, or a status from 400 to 599.")
    return _ACTIONS[name](arguments)


def _status(name: str, arguments: Arguments) -> Status:
    code = int(name)
    if not 400 <= code <= 599:
        raise ArgumentError(f"{name} is no status from 400 to 599.")
    return Status(
        code=code,
        body=arguments.choice("body", Body.JSON),
        wrote=_wrote(arguments),
        retry_after=arguments.optional_text("retry-after"),
        policy=arguments.choice("policy", _Policy.TEN_SECONDLY_ROLLING).value,
        scopes=arguments.texts("scopes"),
    )


def _wrote(arguments: Arguments) -> Wrote:
    return arguments.choice("wrote", Wrote.NO)


def _types(arguments: Arguments) -> frozenset[int]:
    types = arguments.wholes("types")
    if not types:
        raise ArgumentError("types=… is missing.")
    return types


def _part(arguments: Arguments) -> Part:
    part = Part(arguments.wholes("inputs"), arguments.wholes("types"))
    if not part.inputs and not part.types:
        raise ArgumentError("inputs=… or types=… is missing.")
    return part


def _redirect(arguments: Arguments) -> Redirect:
    code = arguments.optional_whole("code") or 307
    if code not in (301, 302, 303, 307, 308):
        raise ArgumentError(f"{code} is no redirect.")
    return Redirect(arguments.text("to"), code)


def _huge(arguments: Arguments) -> Huge:
    framing = arguments.choice("framing", _Framing.CHUNKED)
    return Huge(arguments.whole("mb"), chunked=framing is _Framing.CHUNKED)


def _edit(arguments: Arguments) -> Edit:
    maximum = arguments.text("max")
    category = arguments.optional_text("category")
    if category is not None and category not in frozenset(Category):
        raise ArgumentError(f"category is one of {', '.join(Category)}, not {category}.")
    if maximum != "none" and not (maximum.isascii() and maximum.isdigit()):
        raise ArgumentError(f"max takes a whole number or none, not {maximum}.")
    return Edit(
        from_name=arguments.text("from"),
        to_name=arguments.text("to"),
        type_id=arguments.whole("type"),
        maximum=None if maximum == "none" else int(maximum),
        category=None if category is None else Category(category),
    )


def _rate(arguments: Arguments) -> Rate:
    interval = arguments.optional_whole("interval")
    return Rate(
        arguments.whole("max"),
        arguments.whole("remaining"),
        10_000 if interval is None else interval,
    )


_ACTIONS: Mapping[str, Callable[[Arguments], Action]] = {
    "drop": lambda arguments: Drop(_wrote(arguments)),
    "hang": lambda arguments: Hang(arguments.seconds("seconds"), _wrote(arguments)),
    "delay": lambda arguments: Delay(arguments.seconds("seconds")),
    "trickle": lambda arguments: Trickle(arguments.seconds("seconds")),
    "lose": lambda _: Lose(),
    "cancel": lambda _: Cancel(),
    "pend": lambda arguments: Pend(arguments.optional_seconds("seconds")),
    "part": _part,
    "refuse": lambda arguments: Refuse(_types(arguments)),
    "alter": lambda arguments: Alter(arguments.whole("type"), arguments.whole("as")),
    "omit": lambda arguments: Omit(_types(arguments)),
    "redirect": _redirect,
    "huge": _huge,
    "lag": lambda arguments: Lag(arguments.seconds("seconds")),
    "nulls": lambda _: Nulls(),
    "rate": _rate,
    "edit": _edit,
}
