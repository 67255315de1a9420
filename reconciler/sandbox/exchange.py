"""One exchange carried out, as usual or as the fault rules would have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from . import configurations
from .batch import Batch
from .endpoints import Setting, perform
from .failing import failure
from .faults.actions import (
    Action,
    Delay,
    Drop,
    Edit,
    Failure,
    Hang,
    Instead,
    Lag,
    Misreport,
    Nulls,
    Rate,
    Status,
    Trickle,
    View,
    Wrote,
)
from .history import Origin, Step
from .misreporting import misreport
from .outcome import Answer, Outcome
from .portal import Portal, UnknownObjectTypeError, only_key
from .rates import DAILY_ALLOWANCE, rate_headers
from .routes import Call, Operation
from .state import State
from .wire import Request, Response, Trickled


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call with everything that carrying it out takes. `batch` only for well-formed writes."""

    state: State
    call: Call
    request: Request
    setting: Setting
    batch: Batch | None
    render: Callable[[Answer], Response]

    def carry_out(self, actions: Sequence[Action]) -> Response:
        """The answer, after edits behind the client's back and with what the first rule says."""
        instead: Instead | None = None
        rate: Rate | None = None
        delay = 0.0
        for action in actions:
            match action:
                case Edit():
                    edit(self.state, action)
                case Delay():
                    delay += action.seconds
                case Rate():
                    rate = action
                case _:
                    instead = instead or action
        response = self.usual() if instead is None else self._unusual(instead)
        return response if rate is None and not delay else _adorned(response, rate, delay)

    def usual(self) -> Response:
        """What HubSpot would do."""
        operation = self.call.operation
        if operation.is_write or operation.is_label_change:
            return self.render(self.state.change(self._perform).answer)
        return self.render(self._perform(self.state.portal).answer)

    def _perform(self, portal: Portal) -> Outcome:
        return perform(portal, self.call, self.request, self.setting)

    def _unusual(self, action: Instead) -> Response:
        # Unions stand in isinstance, since a match would need a case for each of their members.
        if isinstance(action, Failure):
            if _writes_first(action):
                self.usual()
            return failure(action, self.render)
        if isinstance(action, View):
            return self._shown(action)
        return self._misreported(action)

    def _misreported(self, action: Misreport) -> Response:
        """On anything but a well-formed batch there is nothing to misreport."""
        if self.batch is None:
            return self.usual()
        return self.render(misreport(action, self.state, self.call, self.batch, self.setting))

    def _shown(self, action: View) -> Response:
        match action:
            case Trickle():
                return replace(self.usual(), delivery=Trickled(action.seconds))
            case Lag():
                return self._lagging(action)
            case Nulls():
                return self._with_nulls()
            case _:
                assert_never(action)

    def _lagging(self, action: Lag) -> Response:
        if self.call.operation.is_write or self.call.operation.is_label_change:
            return self.usual()
        return self.render(self._perform(self.state.as_of(action.seconds)).answer)

    def _with_nulls(self) -> Response:
        if self.call.operation is not Operation.READ:
            return self.usual()
        portal = self.state.portal
        try:
            direction = portal.direction(self.call.from_name, self.call.to_name)
        except UnknownObjectTypeError:
            return self.usual()
        return configurations.read_with_nulls(portal, direction)


def edit(state: State, action: Edit) -> None:
    """Change a limit as somebody would in HubSpot. Raises LookupError for what is not there."""

    def change(portal: Portal) -> Outcome:
        direction = portal.direction(action.from_name, action.to_name)
        before = portal.associations(direction)
        key = only_key(before, action.type_id, action.category)
        after = before.with_limit(key, action.maximum)
        step = Step.between(direction, key, before, after, Origin.EDIT)
        return Outcome(Response(204), portal.with_associations(direction, after), (step,))

    state.change(change)


def _writes_first(action: Failure) -> bool:
    return isinstance(action, Status | Drop | Hang) and action.wrote is Wrote.YES


def _adorned(response: Response, rate: Rate | None, delay: float) -> Response:
    if rate is None:
        return replace(response, delay=delay)
    headers = rate_headers(
        rate.maximum, rate.remaining, rate.interval_milliseconds, DAILY_ALLOWANCE
    )
    return replace(response, headers=(*response.headers, *headers), delay=delay)
