"""One exchange carried out, as usual or as the fault rules would have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from . import configurations
from .effects import failure, misreport, reshaped
from .endpoints import Setting, perform
from .faults import actions
from .portal import Direction, Portal, TypeKey, UnknownObjectTypeError, only_key
from .routes import Call, Operation
from .rules import Batch, Purge, Rules, UnknownType, Update, Verdict, Violation, judge
from .state import DAILY_ALLOWANCE, Answer, Origin, Outcome, State, Step, rate_headers
from .wire import Request, Response, Trickled, invalid, not_found


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call with everything that carrying it out takes. `batch` only for well-formed writes."""

    state: State
    call: Call
    request: Request
    setting: Setting
    batch: Batch | None
    render: Callable[[Answer], Response]

    def carry_out(self, due: Sequence[actions.Action]) -> Response:
        """The answer, after edits behind the client's back and with what the first rule says."""
        instead: actions.Instead | None = None
        rate: actions.Rate | None = None
        delay = 0.0
        reshapes: list[actions.Reshape] = []
        for action in due:
            match action:
                case actions.Edit():
                    edit(self.state, action)
                case actions.Delay():
                    delay += action.seconds
                case actions.Rate():
                    rate = action
                case (
                    actions.OmitKeys()
                    | actions.Put()
                    | actions.Row()
                    | actions.Say()
                    | actions.Success()
                ):
                    reshapes.append(action)
                case _:
                    instead = instead or action
        response = self.usual() if instead is None else self._unusual(instead)
        for reshape in reshapes:
            response = reshaped(reshape, response)
        return response if rate is None and not delay else _adorned(response, rate, delay)

    def usual(self) -> Response:
        """What HubSpot would do."""
        if self._is_change:
            return self.render(self.state.change(self._perform).answer)
        return self.render(self._perform(self.state.portal).answer)

    @property
    def _is_change(self) -> bool:
        return self.call.operation.is_write or self.call.operation.is_label_change

    def _perform(self, portal: Portal) -> Outcome:
        return perform(portal, self.call, self.request, self.setting)

    def _unusual(self, action: actions.Instead) -> Response:
        # Unions stand in isinstance, since a match would need a case for each of their members.
        if isinstance(action, actions.Failure):
            self._write_despite(action)
            return failure(action, self.render)
        if isinstance(action, actions.View):
            return self._shown(action)
        return self._misreported(action)

    def _write_despite(self, failure: actions.Failure) -> None:
        """Carry out, now or later, what the client is going to take for failed."""
        if (
            not isinstance(failure, actions.Status | actions.Drop | actions.Hang)
            or failure.wrote is None
        ):
            return
        if failure.wrote and self._is_change:
            self.state.change_later(failure.wrote, self._perform)
        else:
            self.usual()

    def _misreported(self, action: actions.Misreport) -> Response:
        """On anything but a well-formed batch there is nothing to misreport."""
        if self.batch is None:
            return self.usual()
        return self.render(misreport(action, self.state, self.call, self.batch, self.setting))

    def _shown(self, action: actions.View) -> Response:
        match action:
            case actions.Trickle():
                return replace(self.usual(), delivery=Trickled(action.seconds))
            case actions.Lag():
                return self._read_from(lambda: self.state.as_of(action.seconds))
            case actions.Flap():
                return self._read_from(lambda: self._flapping(action))
            case actions.Nulls():
                return self._with_nulls()
            case _:
                assert_never(action)

    def _read_from(self, portal: Callable[[], Portal]) -> Response:
        """A read answered from another state than the present one; anything else as usual."""
        if self._is_change:
            return self.usual()
        return self.render(self._perform(portal()).answer)

    def _flapping(self, action: actions.Flap) -> Portal:
        """The state before the last change, or the present one: which, changes with every read."""
        present = self.state.portal
        reader = self.call.operation, self._direction(present)
        count = self.state.count_read(reader, self._part(present))
        is_settled = action.reads is not None and count > action.reads
        if is_settled or (count % 2 == 1) is (action.first is actions.First.NEW):
            return present
        if action.seconds is not None:
            return self.state.as_of(action.seconds)
        return self.state.before(self._part)

    def _part(self, portal: Portal) -> object:
        """What the call is about: a direction of the portal, or all of it."""
        direction = self._direction(portal)
        return portal if direction is None else portal.associations(direction)

    def _direction(self, portal: Portal) -> Direction | None:
        try:
            return portal.direction(self.call.from_name, self.call.to_name)
        except UnknownObjectTypeError:
            return None

    def _with_nulls(self) -> Response:
        if self.call.operation is not Operation.READ:
            return self.usual()
        portal = self.state.portal
        direction = self._direction(portal)
        if direction is None:
            return self.usual()
        return configurations.read_with_nulls(portal, direction, self.setting.rules.label_key)


def edit(state: State, action: actions.Edit) -> None:
    """Change a limit as somebody would in HubSpot. Raises LookupError for what is not there."""

    def change(portal: Portal) -> Outcome:
        direction = portal.direction(action.from_name, action.to_name)
        key = only_key(portal.associations(direction), action.type_id, action.category)
        return _edited(portal, direction, key, action.maximum)

    state.change(change)


def set_by_hand(
    state: State, direction: Direction, key: TypeKey, maximum: int | None, rules: Rules
) -> Answer:
    """Change a limit as somebody would in HubSpot's settings, where rules are asked."""
    one = Purge(key) if maximum is None else Update(key, maximum)
    # Settings have one field for a limit, whether or not there is one yet.
    rules = replace(rules, update_of_missing=Verdict.ACCEPT)

    def change(portal: Portal) -> Outcome:
        match judge(one, portal.associations(direction), rules):
            case None:
                return _edited(portal, direction, key, maximum)
            case Violation(message=message):
                return Outcome(invalid(message), portal)
            case UnknownType():
                return Outcome(not_found("This direction has no such association type."), portal)

    return state.change(change).answer


def _edited(portal: Portal, direction: Direction, key: TypeKey, maximum: int | None) -> Outcome:
    before = portal.associations(direction)
    after = before.with_limit(key, maximum)
    step = Step.between(direction, key, before, after, Origin.EDIT)
    return Outcome(Response(204), portal.with_associations(direction, after), (step,))


def _adorned(response: Response, rate: actions.Rate | None, delay: float) -> Response:
    if rate is None:
        return replace(response, delay=delay)
    headers = rate_headers(
        rate.maximum, rate.remaining, rate.interval_milliseconds, DAILY_ALLOWANCE
    )
    return replace(response, headers=(*response.headers, *headers), delay=delay)
