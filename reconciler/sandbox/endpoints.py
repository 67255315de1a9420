"""The pure core: a portal, a call and its request in; the answer and the portal after it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs

from . import configurations, labels
from .bodies import BadBody, read_inputs, read_object
from .configurations import timestamp
from .portal import Direction, ObjectType, Portal, UnknownObjectTypeError
from .routes import Call, Operation
from .rules import Batch, Refusal, Rules
from .state import Answer, Outcome
from .wire import Request, Response, cannot_infer, invalid, json_response

# The date on which everything in the stand-in was made: a fixed one, so that answers repeat.
_CREATED = timestamp(datetime(2026, 1, 15, 9, 0, tzinfo=UTC))

# What the object schemas of a live account showed as "no limit" (observed).
NO_LIMIT = 500_000

_SAMPLES = 3


_SCOPES = (
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.custom.read",
    "oauth",
)


def _token_info(portal: Portal, body: bytes) -> Response:
    """The scopes of a key, which is named in the body (observed). Raises BadBody without one."""
    if not isinstance(read_object(body).get("tokenKey"), str):
        raise BadBody(invalid("Invalid input JSON: tokenKey must be a string."))
    known = {"userId": 1, "hubId": portal.portal_id, "appId": 1, "scopes": list(_SCOPES)}
    return json_response(200, known)


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
        if call.operation.is_label_change:
            return _change_label(portal, call, request)
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


def _change_label(portal: Portal, call: Call, request: Request) -> Outcome:
    direction = _direction(portal, call)
    match call.operation:
        case Operation.LABEL_CREATE:
            return labels.create_label(portal, direction, call.version, request.body)
        case Operation.LABEL_UPDATE:
            return labels.update_label(portal, direction, request.body)
        case _:
            return labels.delete_label(portal, direction, call.type_id)


def _read(portal: Portal, call: Call, request: Request, rules: Rules) -> Answer:
    match call.operation:
        case Operation.READ:
            return configurations.read(portal, _direction(portal, call), rules.label_key)
        case Operation.READ_ALL:
            return configurations.read_all(portal, rules.label_key)
        case Operation.LABELS:
            return labels.read_labels(portal, _direction(portal, call), call.version)
        case Operation.USAGE:
            return _usage(portal, _direction(portal, call))
        case Operation.TOKEN:
            return _token_info(portal, request.body)
        case Operation.USAGE_TYPES:
            return _usage_types(portal)
        case Operation.SCHEMAS:
            return _schemas(portal, request.query)
        case Operation.SCHEMA:
            return _schema_named(portal, call.from_name)
        case Operation.SCHEMAS_BATCH:
            return _schemas_batch(portal, request.body)
        case _:
            return _account(portal)


def _account(portal: Portal) -> Response:
    """The account's own details, which every key may read (observed)."""
    return json_response(
        200,
        {
            "portalId": portal.portal_id,
            "accountType": portal.account_type.value,
            "timeZone": "Europe/Dublin",
            "companyCurrency": "EUR",
            "additionalCurrencies": [],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        },
    )


def _schemas(portal: Portal, query: str) -> Response:
    """The schemas of all custom object types."""
    asked = parse_qs(query).get("includeAssociationDefinitions", ["true"])
    with_associations = asked != ["false"]
    rows = [
        _schema(portal, one, with_associations=with_associations)
        for one in portal.object_types
        if one.is_custom
    ]
    return json_response(200, {"results": rows})


def _schema_named(portal: Portal, name: str) -> Answer:
    """The schema of one object type, custom or standard."""
    found = portal.object_types.find(name)
    if found is None:
        return _unknown(name)
    return json_response(200, _schema(portal, found, with_associations=True))


def _schemas_batch(portal: Portal, body: bytes) -> Answer:
    """The schemas of the object types that the body names in `inputs`. Raises BadBody."""
    document = read_object(body)
    names = document.get("inputs")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return invalid("Invalid input JSON: inputs must be a list of object types.")
    with_associations = document.get("includeAssociationDefinitions") is not False
    rows: list[dict[str, object]] = []
    for name in names:
        found = portal.object_types.find(name)
        if found is None:
            return _unknown(name)
        rows.append(_schema(portal, found, with_associations=with_associations))
    return json_response(200, {"results": rows})


def _usage_types(portal: Portal) -> Response:
    """The object types that have records at or near the limit of some direction (documented)."""
    found: dict[str, tuple[bool, bool]] = {}
    for direction, associations in portal.directions.items():
        at, near = found.get(direction.from_id, (False, False))
        known = associations.usage
        found[direction.from_id] = (at or known.at_limit > 0, near or known.near_limit > 0)
    return json_response(
        200,
        {
            "results": [
                {
                    "objectTypeId": one.id,
                    "singularLabel": one.singular,
                    "pluralLabel": one.plural,
                    "hasRecordsAtLimit": found[one.id][0],
                    "hasRecordsNearLimit": found[one.id][1],
                }
                for one in portal.object_types
                if any(found.get(one.id, ()))
            ]
        },
    )


def _usage(portal: Portal, direction: Direction) -> Response:
    """How many records are at or near the object limit, with a few of them as samples."""
    associations = portal.associations(direction)
    limit = associations.object_limit or NO_LIMIT
    at, near = associations.usage.at_limit, associations.usage.near_limit
    return json_response(
        200,
        {
            "limit": limit,
            "totalRecordsAtLimit": at,
            "totalRecordsNearLimit": near,
            "atLimitFromRecordSamples": [
                {"objectId": 1000 + number, "label": f"Record {1000 + number}"}
                for number in range(min(at, _SAMPLES))
            ],
            "nearLimitFromRecordSamples": [
                {
                    "objectId": 2000 + number,
                    "label": f"Record {2000 + number}",
                    "percentage": 90.0,
                    "usage": limit * 9 // 10,
                }
                for number in range(min(near, _SAMPLES))
            ],
        },
    )


def _unknown(name: str) -> Answer:
    return cannot_infer(f"Unable to infer object type from: {name}")


def _schema(portal: Portal, one: ObjectType, *, with_associations: bool) -> dict[str, object]:
    display = f"{one.singular}_name"
    return {
        "id": one.id.removeprefix("2-"),
        "objectTypeId": one.id,
        "fullyQualifiedName": one.fully_qualified_name or one.singular.upper(),
        "name": one.singular,
        "labels": {
            "singular": one.singular.replace("_", " ").capitalize(),
            "plural": one.plural.replace("_", " ").capitalize(),
        },
        "primaryDisplayProperty": display,
        "requiredProperties": [display],
        "searchableProperties": [display],
        "secondaryDisplayProperties": [],
        "properties": [],
        "associations": _associations(portal, one.id) if with_associations else [],
        "allowsSensitiveProperties": False,
        "archived": False,
        "createdAt": _CREATED,
        "updatedAt": _CREATED,
    }


def _associations(portal: Portal, object_type_id: str) -> list[dict[str, object]]:
    """The types to and from an object type; live ones also show the limits (observed)."""
    return [
        {
            "id": str(one.type_id),
            "name": one.name or f"{direction.from_id}_to_{direction.to_id}",
            "fromObjectTypeId": direction.from_id,
            "toObjectTypeId": direction.to_id,
            "maxToObjectIds": associations.limits.get(one.key, NO_LIMIT),
            "hasUserEnforcedMaxToObjectIds": one.key in associations.limits,
            "createdAt": _CREATED,
            "updatedAt": _CREATED,
        }
        for direction, associations in portal.directions.items()
        if object_type_id in direction
        for one in associations.types.values()
    ]
