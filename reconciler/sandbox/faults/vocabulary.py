"""The actions of the rule language by name, each with the arguments it takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from ..portal import Category
from . import actions

_Choice = TypeVar("_Choice", bound=StrEnum)

_DIGITS = 40


class ArgumentError(ValueError):
    """An argument is missing, unknown or has a value that does not fit."""


class Arguments:
    """The arguments of one rule. Reading one takes it; what is left in the end is unknown."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {**values}

    @classmethod
    def parse(cls, text: str) -> Arguments:
        """Read `key=value,key=value`. Raises ArgumentError."""
        values: dict[str, str] = {}
        for part in filter(None, text.split(",")):
            key, equals, value = part.partition("=")
            if not equals or not value:
                raise ArgumentError(f"{part!r} should be key=value.")
            if key in values:
                raise ArgumentError(f"{key} is given twice.")
            values[key] = value
        return cls(values)

    def refuse_rest(self) -> None:
        """Raises ArgumentError for an argument that nothing has read."""
        if self._values:
            raise ArgumentError(f"{', '.join(self._values)} means nothing here.")

    def optional_text(self, key: str) -> str | None:
        return self._values.pop(key, None)

    def text(self, key: str) -> str:
        value = self.optional_text(key)
        if value is None:
            raise ArgumentError(f"{key}=… is missing.")
        return value

    def optional_whole(self, key: str) -> int | None:
        value = self.optional_text(key)
        return None if value is None else _whole(key, value)

    def whole(self, key: str) -> int:
        return _whole(key, self.text(key))

    def optional_seconds(self, key: str) -> float | None:
        value = self.optional_text(key)
        return None if value is None else seconds(key, value)

    def seconds(self, key: str) -> float:
        return seconds(key, self.text(key))

    def wholes(self, key: str) -> frozenset[int]:
        """Whole numbers joined by `+`; none when the key is absent."""
        value = self.optional_text(key)
        return frozenset(_whole(key, one) for one in value.split("+")) if value else frozenset()

    def texts(self, key: str) -> tuple[str, ...]:
        """Texts joined by `+`; none when the key is absent."""
        value = self.optional_text(key)
        return tuple(value.split("+")) if value else ()

    def choice(self, key: str, default: _Choice) -> _Choice:
        """One of the values of the default's enumeration."""
        value = self.optional_text(key)
        kind = type(default)
        if value is None:
            return default
        if value not in frozenset(kind):
            raise ArgumentError(f"{key} is one of {', '.join(kind)}, not {value}.")
        return kind(value)


def _whole(key: str, value: str) -> int:
    if not is_whole(value):
        raise ArgumentError(f"{key} takes whole numbers, not {value[:_DIGITS]}.")
    return int(value)


def is_whole(value: str) -> bool:
    """Whether the text is a whole number that no wire format is too small for."""
    return value.isascii() and value.isdigit() and len(value) <= _DIGITS


def seconds(key: str, value: str) -> float:
    """The value as seconds, at most a day of them. Raises ArgumentError."""
    try:
        number = float(value)
    except ValueError as error:
        raise ArgumentError(f"{key} takes seconds, not {value}.") from error
    if not 0 <= number <= 86_400:
        raise ArgumentError(f"{key} takes 0 to 86400 seconds, not {value}.")
    return number


class _Policy(StrEnum):
    """The policies a 429 may name (documented)."""

    SECONDLY = "SECONDLY"
    TEN_SECONDLY_ROLLING = "TEN_SECONDLY_ROLLING"
    DAILY = "DAILY"


class _Framing(StrEnum):
    CHUNKED = "chunked"
    LENGTH = "length"


def read_action(name: str, arguments: Arguments) -> actions.Action:
    """The action of this name with its arguments. Raises ArgumentError."""
    if name.isdigit() and len(name) == 3:
        return _status(name, arguments)
    if name not in _ACTIONS:
        known = ", ".join(sorted(_ACTIONS))
        raise ArgumentError(
            f"{name} is not an action. Known are {known}, or a status from 200 to 299 or 400 to 599."
        )
    return _ACTIONS[name](arguments)


def _status(name: str, arguments: Arguments) -> actions.Status | actions.Success:
    code = int(name)
    if 200 <= code <= 299:
        return actions.Success(code, arguments.choice("body", actions.Body.JSON))
    if not 400 <= code <= 599:
        raise ArgumentError(f"{name} is not a status from 200 to 299 or 400 to 599.")
    return actions.Status(
        code=code,
        body=arguments.choice("body", actions.Body.JSON),
        wrote=_wrote(arguments),
        retry_after=arguments.optional_text("retry-after"),
        policy=arguments.choice("policy", _Policy.TEN_SECONDLY_ROLLING).value,
        scopes=arguments.texts("scopes"),
    )


def _wrote(arguments: Arguments) -> float | None:
    """`no`, `yes`, or the seconds until the write takes effect."""
    value = arguments.optional_text("wrote")
    if value in (None, "no"):
        return None
    return 0.0 if value == "yes" else seconds("wrote", value)


def _types(arguments: Arguments) -> frozenset[int]:
    types = arguments.wholes("types")
    if not types:
        raise ArgumentError("types=… is missing.")
    return types


def _part(arguments: Arguments) -> actions.Part:
    part = actions.Part(arguments.wholes("inputs"), arguments.wholes("types"))
    if not part.inputs and not part.types:
        raise ArgumentError("inputs=… or types=… is missing.")
    return part


def _omit(arguments: Arguments) -> actions.Omit | actions.OmitKeys:
    keys = frozenset(arguments.texts("keys"))
    return (
        actions.OmitKeys(keys, arguments.wholes("types"))
        if keys
        else actions.Omit(_types(arguments))
    )


def _put(arguments: Arguments) -> actions.Put:
    return actions.Put(
        arguments.text("key"), _json(arguments.text("value")), arguments.wholes("types")
    )


def _row(arguments: Arguments) -> actions.Row:
    maximum = arguments.optional_text("max")
    return actions.Row(
        arguments.whole("type"),
        arguments.optional_text("category") or Category.USER_DEFINED.value,
        arguments.optional_text("label"),
        None if maximum is None else _json(maximum),
    )


def _say(arguments: Arguments) -> actions.Say:
    return actions.Say(tuple(arguments.text("key").split(".")), _json(arguments.text("value")))


def _json(text: str) -> object:
    """The JSON value that the text is, so that 5, 5.0 and null are not texts; else the text."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value


def _flap(arguments: Arguments) -> actions.Flap:
    flap = actions.Flap(
        arguments.optional_seconds("seconds"),
        arguments.optional_whole("reads"),
        arguments.choice("first", actions.First.OLD),
    )
    if flap.seconds is not None and flap.reads is not None:
        raise ArgumentError("seconds and reads cannot both be given.")
    return flap


def _redirect(arguments: Arguments) -> actions.Redirect:
    code = arguments.optional_whole("code") or 307
    if code not in (301, 302, 303, 307, 308):
        raise ArgumentError(f"{code} is not a redirect.")
    return actions.Redirect(arguments.text("to"), code)


def _huge(arguments: Arguments) -> actions.Huge:
    framing = arguments.choice("framing", _Framing.CHUNKED)
    return actions.Huge(arguments.whole("mb"), chunked=framing is _Framing.CHUNKED)


def _edit(arguments: Arguments) -> actions.Edit:
    maximum = arguments.text("max")
    category = arguments.optional_text("category")
    if category is not None and category not in frozenset(Category):
        raise ArgumentError(f"category is one of {', '.join(Category)}, not {category}.")
    if maximum != "none" and not is_whole(maximum):
        raise ArgumentError(f"max takes a whole number or none, not {maximum}.")
    return actions.Edit(
        from_name=arguments.text("from"),
        to_name=arguments.text("to"),
        type_id=arguments.whole("type"),
        maximum=None if maximum == "none" else int(maximum),
        category=None if category is None else Category(category),
    )


def _rate(arguments: Arguments) -> actions.Rate:
    interval = arguments.optional_whole("interval")
    return actions.Rate(
        arguments.whole("max"),
        arguments.whole("remaining"),
        10_000 if interval is None else interval,
    )


_ACTIONS: Mapping[str, Callable[[Arguments], actions.Action]] = {
    "drop": lambda arguments: actions.Drop(_wrote(arguments)),
    "hang": lambda arguments: actions.Hang(arguments.seconds("seconds"), _wrote(arguments)),
    "delay": lambda arguments: actions.Delay(arguments.seconds("seconds")),
    "trickle": lambda arguments: actions.Trickle(arguments.seconds("seconds")),
    "lose": lambda _: actions.Lose(),
    "cancel": lambda _: actions.Cancel(),
    "pend": lambda arguments: actions.Pend(arguments.optional_seconds("seconds")),
    "part": _part,
    "refuse": lambda arguments: actions.Refuse(_types(arguments)),
    "alter": lambda arguments: actions.Alter(arguments.whole("type"), arguments.whole("as")),
    "omit": _omit,
    "put": _put,
    "row": _row,
    "say": _say,
    "redirect": _redirect,
    "huge": _huge,
    "lag": lambda arguments: actions.Lag(arguments.seconds("seconds")),
    "flap": _flap,
    "nulls": lambda _: actions.Nulls(),
    "rate": _rate,
    "edit": _edit,
}
