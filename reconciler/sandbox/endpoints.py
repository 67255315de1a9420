"""The pure core: a portal, a call and its request in; the answer and the portal after it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from . import configurations, helpers, labels
from .batch import Batch
from .bodies import BadBody, read_inputs
from .outcome import Answer, Outcome
from .portal import Direction, Portal, UnknownObjectTypeError
from .problems import cannot_infer
from .routes import Call, Operation
from .rules import Refusal, Rules
from .wire import Request


@dataclass(frozen=True, slots=True)
class Setting:
    """What an operation depends on beside the portal: the rules in force and the time of day."""

    rules: Rules
    now: datetime


def perform(portal: Portal, call: Call, request: Request, setting: Setting) -> Outcome:
    """What HubSpot would do with this request; the portal given is not changed."""
    try:
        if call.operation.is_write:
            return perform_batch(portal, call, read_batch(portal, call, request), setting)
        if call.operation in _CHANGES:
            return _CHANGES[call.operation](portal, call, request)
        return Outcome(_read(portal, call, request, setting.rules), portal)
    except UnknownObjectTypeError as error:
        return Outcome(cannot_infer(str(error)), portal)
    except BadBody as error:
        return Outcome(error.problem, portal)


def perform_batch(
    portal: Portal,
    call: Call,
    batch: Batch,
    setting: Setting,
    forced: Mapping[int, Refusal] | None = None,
) -> Outcome:
    """Carry out a batch that is already read; `forced` refuses inputs by their position."""
    return configurations.write(portal, call, batch, setting.rules, setting.now, forced)


def read_batch(portal: Portal, call: Call, request: Request) -> Batch:
    """The batch of a write. Raises UnknownObjectTypeError or BadBody."""
    return Batch(_direction(portal, call), read_inputs(call.operation, request.body))


def _direction(portal: Portal, call: Call) -> Direction:
    return portal.direction(call.from_name, call.to_name)


def _read(portal: Portal, call: Call, request: Request, rules: Rules) -> Answer:
    match call.operation:
        case Operation.READ:
            return configurations.read(portal, _direction(portal, call), rules.label_key)
        case Operation.READ_ALL:
            return configurations.read_all(portal, rules.label_key)
        case operation:
            return _READS[operation](portal, call, request)


_Change = Callable[[Portal, Call, Request], Outcome]
_Show = Callable[[Portal, Call, Request], Answer]

_CHANGES: Mapping[Operation, _Change] = {
    Operation.LABEL_CREATE: lambda portal, call, request: labels.create_label(
        portal, _direction(portal, call), call.version, request.body
    ),
    Operation.LABEL_UPDATE: lambda portal, call, request: labels.update_label(
        portal, _direction(portal, call), request.body
    ),
    Operation.LABEL_DELETE: lambda portal, call, _: labels.delete_label(
        portal, _direction(portal, call), call.type_id
    ),
}

_READS: Mapping[Operation, _Show] = {
    Operation.LABELS: lambda portal, call, _: labels.read_labels(
        portal, _direction(portal, call), call.version
    ),
    Operation.USAGE: lambda portal, call, _: helpers.usage(portal, _direction(portal, call)),
    Operation.ACCOUNT: lambda portal, _, __: helpers.account(portal),
    Operation.SCHEMAS: lambda portal, _, request: helpers.schemas(portal, request.query),
    Operation.SCHEMA: lambda portal, call, _: helpers.schema(portal, call.from_name),
    Operation.SCHEMAS_BATCH: lambda portal, _, request: helpers.schemas_batch(portal, request.body),
}
