"""The portal over HTTP: wire models, API versions, pace, transport, portal.

Importing this package is cheap: httpx, pydantic and tenacity are loaded by `connect`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.http.clock import Clock, SystemClock
from reconciler.http.connection import Connection
from reconciler.http.messages import Transport
from reconciler.http.observer import NullObserver, Observer

if TYPE_CHECKING:
    from reconciler.hubspot.portal import Portal


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
        from reconciler.http.transport import HttpTransport

        transport = HttpTransport(settings, clock.monotonic)
    return Portal(
        settings, transport, clock=clock, observer=observer or NullObserver(), journal=journal
    )
