"""How many records are at or near the limits of directions: a hint, and never worth a failure.

The endpoints are not exempt from the ten-second policy (documented), so many directions are asked
about only where their object type has records at or near any limit. All of it ends in bounded time,
and what is not known by then stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock

from reconciler.errors import EndpointMissing, PermissionMissing, PortalError, RequestRefused
from reconciler.http.clock import Clock
from reconciler.hubspot.portal import Portal
from reconciler.model.limits import ObservedDirection
from reconciler.model.plan import LimitUsage, UsageGap

SECONDS = 12.0
"""How long a hint may take, all waits included; HubSpot's rate limit can be waited for once."""

AT_ONCE = 16
"""Directions that are asked about one by one: of more, their object types are asked about first."""


class UsageInquiry:
    """Asks for the usage of some directions, and takes for an answer that it is unknown.

    Run `first` on the portal's threads, beside other tasks if there are any, then call `complete`.
    Both raise `Interrupted` and nothing else that has to do with the portal. Where the token lacks
    a scope, or an answer fails to come, no other request is sent.
    """

    def __init__(
        self,
        portal: Portal,
        directions: Sequence[ObservedDirection],
        clock: Clock,
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        """Send nothing yet."""
        self._portal = portal
        self._directions = directions
        self._clock = clock
        self._at_once = at_once
        self._lock = Lock()
        self._deadline: float | None = None
        self._found: dict[tuple[str, str], LimitUsage] = {}
        self._lacks_scope = False
        self._problem: str | None = None

    @property
    def lacks_scope(self) -> bool:
        """Whether the token has no scope for reading records (`crm.objects.*.read`, documented)."""
        return self._lacks_scope

    @property
    def problem(self) -> str | None:
        """Why the rest was not asked for, where it is not the scope."""
        return self._problem

    @property
    def first(self) -> list[Callable[[], None]]:
        """What can be asked at once."""
        if len(self._directions) > self._at_once:
            return [self._ask_types]
        return self._tasks()

    def complete(self) -> tuple[LimitUsage, ...]:
        """Ask for what is left; the usage of all directions, in their order."""
        self._portal.in_parallel(self._tasks())
        return tuple(self._found[each.direction.key] for each in self._directions)

    def _tasks(self) -> list[Callable[[], None]]:
        known = self._found
        return [partial(self._ask, e) for e in self._directions if e.direction.key not in known]

    def _ask_types(self) -> None:
        """Of an object type without records at or near any limit, all directions have none."""
        try:
            types = self._portal.types_at_limits(seconds=self._left())
        except EndpointMissing:
            return
        except PortalError as error:
            self._end(error)
            return
        for each in self._directions:
            if each.direction.from_.id not in types:
                self._found[each.direction.key] = _of_nobody(each)

    def _ask(self, seen: ObservedDirection) -> None:
        self._found[seen.direction.key] = self._usage(seen)

    def _usage(self, seen: ObservedDirection) -> LimitUsage:
        from_id, to_id = seen.direction.key
        if not self._is_over():
            try:
                return self._portal.usage(seen.direction, seconds=self._left())
            except (EndpointMissing, RequestRefused):
                return LimitUsage(from_id, to_id, None, None, None, UsageGap.NOT_OFFERED)
            except PortalError as error:
                self._end(error)
        gap = None if self._lacks_scope else UsageGap.NO_ANSWER
        return LimitUsage(from_id, to_id, None, None, None, gap)

    def _is_over(self) -> bool:
        """Whether no further request makes sense, or the time is up."""
        if self._lacks_scope or self._problem is not None:
            return True
        if self._left() > 0:
            return False
        with self._lock:
            self._problem = (
                self._problem or f"HubSpot was asked for {SECONDS:g} s, and that was not enough"
            )
        return True

    def _end(self, error: PortalError) -> None:
        with self._lock:
            if isinstance(error, PermissionMissing):
                self._lacks_scope = True
            elif self._problem is None:
                self._problem = error.message

    def _left(self) -> float:
        """Seconds left; the time runs from the first request."""
        now = self._clock.monotonic()
        with self._lock:
            self._deadline = now + SECONDS if self._deadline is None else self._deadline
            return self._deadline - now


def _of_nobody(seen: ObservedDirection) -> LimitUsage:
    limits = [each.max for each in seen.limits if each.type.label is None]
    return LimitUsage(*seen.direction.key, next(iter(limits), None), 0, 0)
