"""A request and its response as plain values, and the three ways in which none comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


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


class NotSent(TransportFault):
    """The request never left; `lasting`: it will not leave the next time either."""

    def __init__(self, description: str, *, hint: str | None = None, lasting: bool = False) -> None:
        super().__init__(description, hint=hint)
        self.lasting = lasting


class NoAnswer(TransportFault):
    """The request left, and no whole answer came back."""


class UnusableAnswer(TransportFault):
    """An answer came that is too large or cannot be decompressed."""

    def __init__(self, description: str, status: int) -> None:
        super().__init__(description)
        self.status = status
