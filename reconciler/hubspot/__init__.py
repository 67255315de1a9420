"""The portal over HTTP: wire models, API versions, pace, transport, portal.

Importing this package is cheap: httpx, pydantic and tenacity are loaded by `connect`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.hubspot.answers import BatchAnswer, BatchStatus, InputError, Usage
from reconciler.hubspot.clock import Clock, Stop, SystemClock
from reconciler.hubspot.connection import (
    DEFAULT_BASE_URL,
    LONGEST_TOKEN,
    Connection,
    Secret,
    parse_base_url,
)
from reconciler.hubspot.messages import (
    Chance,
    NoAnswer,
    NotSent,
    Request,
    Response,
    Transport,
    UnusableAnswer,
)
from reconciler.hubspot.observer import (
    Answer,
    CallName,
    Exchange,
    NullObserver,
    Observer,
    Observers,
    Reason,
    WaitCause,
    contained,
)
from reconciler.hubspot.rates import Rate
from reconciler.hubspot.versions import ApiVersion

if TYPE_CHECKING:
    from reconciler.hubspot.portal import NeedsLabels, Portal

__all__ = [
    "DEFAULT_BASE_URL",
    "LONGEST_TOKEN",
    "Answer",
    "ApiVersion",
    "BatchAnswer",
    "BatchStatus",
    "CallName",
    "Chance",
    "Clock",
    "Connection",
    "Exchange",
    "InputError",
    "NeedsLabels",
    "NoAnswer",
    "NotSent",
    "NullObserver",
    "Observer",
    "Observers",
    "Portal",
    "Rate",
    "Reason",
    "Request",
    "Response",
    "Secret",
    "Stop",
    "SystemClock",
    "Transport",
    "UnusableAnswer",
    "Usage",
    "WaitCause",
    "connect",
    "contained",
    "parse_base_url",
]


def connect(
    settings: Connection,
    *,
    clock: Clock | None = None,
    observer: Observer | None = None,
    journal: Observer | None = None,
    transport: Transport | None = None,
) -> Portal:
    """A portal, to be used as a context manager; no request is sent yet.

    `observer` is for people and cannot stop anything. A request is not sent if `sending` of
    `journal` raises.

    Without a `transport` it is the network. Raise `UsageProblem` when the environment names
    proxies or certificates that cannot be used.
    """
    from reconciler.hubspot.portal import Portal

    clock = clock or SystemClock()
    if transport is None:
        from reconciler.hubspot.transport import HttpTransport

        transport = HttpTransport(settings, clock.monotonic)
    return Portal(
        settings, transport, clock=clock, observer=observer or NullObserver(), journal=journal
    )


def __getattr__(name: str) -> object:
    if name in {"Portal", "NeedsLabels"}:
        from reconciler.hubspot import portal

        return getattr(portal, name)
    raise AttributeError(name)
