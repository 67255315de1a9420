"""Batches whose answer or effect is not what was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import assert_never

from . import configurations
from .batch import Batch
from .endpoints import Setting, perform_batch
from .faults.actions import Alter, Cancel, Lose, Misreport, Omit, Part, Pend, Refuse
from .outcome import Answer, Outcome
from .portal import Portal
from .problems import Detail, Problem, invalid
from .routes import Call
from .rules import Create, Input, Update, Violation
from .state import State
from .versions import Version
from .wire import Response

_FORCED = "Refused by a fault rule of the sandbox."


def misreport(
    action: Misreport, state: State, call: Call, batch: Batch, setting: Setting
) -> Answer:
    """Carry the batch out, or seem to, as the action says."""
    match action:
        case Lose():
            return perform_batch(state.portal, call, batch, setting).answer
        case Cancel():
            return configurations.canceled_response(state.portal, call, batch, setting.now)
        case Pend():
            return _pend(action, state, call, batch, setting)
        case Part():
            return _part(action, state, call, batch, setting)
        case Refuse():
            return _refuse(action, batch)
        case Alter():
            return _alter(action, state, call, batch, setting)
        case Omit():
            answer = _carry_out(state, call, batch, setting)
            return answer if isinstance(answer, Problem) else _without_rows(answer, action)
        case _:
            assert_never(action)


def _carry_out(state: State, call: Call, batch: Batch, setting: Setting) -> Answer:
    return state.change(lambda portal: perform_batch(portal, call, batch, setting)).answer


def _pend(action: Pend, state: State, call: Call, batch: Batch, setting: Setting) -> Answer:
    """What HubSpot would refuse is refused at once; the rest waits."""
    outcome = perform_batch(state.portal, call, batch, setting)
    if not outcome.steps:
        return outcome.answer
    if action.seconds is not None:
        state.change_later(
            action.seconds, lambda portal: perform_batch(portal, call, batch, setting)
        )
    return configurations.pending_response(call, setting.now)


def _part(action: Part, state: State, call: Call, batch: Batch, setting: Setting) -> Answer:
    forced = {
        position: Violation(one.key, _FORCED)
        for position, one in enumerate(batch.inputs)
        if position + 1 in action.inputs or one.key.type_id in action.types
    }
    # 207 in every version: what a client must understand is not up to the documents.
    shown = replace(call, version=_with_multi_status(call.version))
    return state.change(lambda portal: perform_batch(portal, shown, batch, setting, forced)).answer


def _with_multi_status(version: Version) -> Version:
    return replace(version, multi_status=207)


def _refuse(action: Refuse, batch: Batch) -> Problem:
    details = (
        Detail(_FORCED, {"typeId": [str(one.key.type_id)]})
        for one in batch.inputs
        if one.key.type_id in action.types
    )
    return invalid(_FORCED, *details)


def _alter(action: Alter, state: State, call: Call, batch: Batch, setting: Setting) -> Answer:
    altered = replace(batch, inputs=tuple(_altered(one, action) for one in batch.inputs))

    def change(portal: Portal) -> Outcome:
        asked = perform_batch(portal, call, batch, setting)
        stored = perform_batch(portal, call, altered, setting)
        return replace(stored, answer=asked.answer)

    return state.change(change).answer


def _altered(one: Input, action: Alter) -> Input:
    if isinstance(one, Update | Create) and one.key.type_id == action.type_id:
        return replace(one, maximum=action.maximum)
    return one


def _without_rows(answer: Response, action: Omit) -> Response:
    if not answer.body:
        return answer
    document = json.loads(answer.body)
    document["results"] = [row for row in document["results"] if row["typeId"] not in action.types]
    return replace(answer, body=json.dumps(document).encode())
