"""A request and its response as plain values, its body decoded, and the ways in which none comes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from reconciler.outgoing import one_line


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


# ---------------------------------------------------------------- bodies

MAXIMUM_BODY = 10 * 1024 * 1024
"""Bytes of an answer, as it comes and decoded; HubSpot's largest here are some hundred kilobytes."""


def decoded(status: int, headers: Mapping[str, str], chunks: Iterator[bytes]) -> bytes:
    """The body out of at most one layer of gzip, which is all that was asked for.

    Raises UnusableAnswer for any other encoding, and for a body that is too large or cut off.
    """
    layers = [
        layer
        for each in headers.get("content-encoding", "").split(",")
        if (layer := each.strip().lower()) not in ("", "identity")
    ]
    match layers:
        case []:
            return b"".join(chunks)
        case ["gzip" | "x-gzip"]:
            return b"".join(_unzipped(status, chunks))
        case _:
            named = one_line(", ".join(layers))[:60]
            raise UnusableAnswer(f"it is encoded as {named}, and gzip was asked for", status)


def _unzipped(status: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The decompressed pieces, of which no more is made than is allowed."""
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    left, came = MAXIMUM_BODY, False
    for chunk in chunks:
        came = came or bool(chunk)
        rest = chunk
        while rest:
            try:
                piece = decoder.decompress(rest, left + 1)
            except zlib.error:
                raise UnusableAnswer("it cannot be decompressed", status) from None
            left -= len(piece)
            if left < 0:
                raise too_large(status)
            if decoder.unused_data:
                raise UnusableAnswer("something follows its compressed content", status)
            yield piece
            rest = decoder.unconsumed_tail
    if came and not decoder.eof:
        raise UnusableAnswer("its compressed content is cut off", status)


def too_large(status: int) -> UnusableAnswer:
    """The response is larger than `MAXIMUM_BODY`, as it comes or decompressed."""
    return UnusableAnswer("it is larger than 10 MiB", status)
