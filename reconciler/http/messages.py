"""A request and its response as plain values, and the three ways in which none comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. The headers hold the token and are therefore never shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole and decompressed; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Sends one request, follows no redirect, repeats nothing."""

    def send(self, request: Request, seconds: float) -> Response:
        """The response within `seconds`; raise `NotSent`, `NoAnswer` or `UnusableAnswer`."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class TransportFault(Exception):
    """No response. `description` is for the user."""

    def __init__(self, description: str, *, hint: str | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.hint = hint


class Chance(Enum):
    """Whether a request that could not be sent may be sent later."""

    GOOD = "good"
    """The cause may pass."""
    ONCE_REACHED = "once reached"
    """It may pass where the portal was reached before; where it never was, the address is wrong."""
    NONE = "none"
    """Not without a change of the settings."""


class NotSent(TransportFault):
    """The request never left."""

    def __init__(
        self, description: str, *, hint: str | None = None, chance: Chance = Chance.GOOD
    ) -> None:
        super().__init__(description, hint=hint)
        self.chance = chance


class NoAnswer(TransportFault):
    """The request left, and no whole answer came back."""


class UnusableAnswer(TransportFault):
    """An answer came that is too large or cannot be decoded."""

    def __init__(self, description: str, status: int) -> None:
        super().__init__(description)
        self.status = status
