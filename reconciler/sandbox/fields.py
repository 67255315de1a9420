"""One JSON object read key by key, with errors that name the place."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, TypeVar

_Choice = TypeVar("_Choice", bound=StrEnum)


class SeedError(ValueError):
    """A seed that cannot be read; the message names the place in it."""


class Fields:
    """The keys of one JSON object. Reading one takes it; what is left in the end is unknown."""

    def __init__(self, document: Any, place: str) -> None:
        if not isinstance(document, dict):
            raise SeedError(f"{place} must be an object.")
        self._document = dict(document)
        self.place = place

    def refuse_rest(self) -> None:
        """Raises SeedError for a key that nothing has read."""
        if self._document:
            raise SeedError(
                f"{self.place} has unknown keys: {', '.join(map(str, self._document))}."
            )

    def text(self, key: str) -> str:
        value = self.optional_text(key)
        if value is None:
            raise SeedError(f"{self.place}.{key} is missing.")
        return value

    def optional_text(self, key: str) -> str | None:
        value = self._document.pop(key, None)
        if value is not None and not isinstance(value, str):
            raise SeedError(f"{self.place}.{key} must be a text.")
        return value

    def whole(self, key: str) -> int:
        value = self.optional_whole(key)
        if value is None:
            raise SeedError(f"{self.place}.{key} is missing.")
        return value

    def optional_whole(self, key: str) -> int | None:
        value = self._document.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise SeedError(f"{self.place}.{key} must be a whole number from 0.")
        return value

    def choice(self, key: str, default: _Choice) -> _Choice:
        """One of the values of the default's enumeration."""
        chosen = self.optional_choice(key, type(default))
        return default if chosen is None else chosen

    def optional_choice(self, key: str, kind: type[_Choice]) -> _Choice | None:
        """One of the values of an enumeration."""
        value = self.optional_text(key)
        if value is None:
            return None
        if value not in frozenset(kind):
            raise SeedError(f"{self.place}.{key} is one of {', '.join(kind)}, not {value}.")
        return kind(value)

    def is_object(self, key: str) -> bool:
        return isinstance(self._document.get(key), dict)

    def object(self, key: str) -> Fields:
        return Fields(self._document.pop(key, None), f"{self.place}.{key}")

    def optional_object(self, key: str) -> Fields | None:
        return self.object(key) if key in self._document else None

    def objects(self, key: str) -> Iterator[Fields]:
        """The objects of a list; none when the key is absent."""
        values = self._document.pop(key, [])
        if not isinstance(values, list):
            raise SeedError(f"{self.place}.{key} must be a list.")
        for position, value in enumerate(values):
            yield Fields(value, f"{self.place}.{key}[{position}]")
