"""The `key=value` part of a fault rule, read key by key until none is left."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

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
