"""The read-only helpers beside the limits: object schemas, account info and limits tracking."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs

from .bodies import read_object
from .configurations import timestamp
from .object_types import ObjectType
from .outcome import Answer
from .portal import Direction, Portal
from .problems import cannot_infer, invalid
from .wire import Response, json_response

# The date on which everything in the stand-in was made: a fixed one, so that answers repeat.
_CREATED = timestamp(datetime(2026, 1, 15, 9, 0, tzinfo=UTC))

# What the object schemas of a live account showed as "no limit" (observed).
NO_LIMIT = 500_000

_SAMPLES = 3


def account(portal: Portal) -> Response:
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


def schemas(portal: Portal, query: str) -> Response:
    """The schemas of all custom object types."""
    asked = parse_qs(query).get("includeAssociationDefinitions", ["true"])
    with_associations = asked != ["false"]
    rows = [
        _schema(portal, one, with_associations=with_associations)
        for one in portal.object_types
        if one.is_custom
    ]
    return json_response(200, {"results": rows})


def schema(portal: Portal, name: str) -> Answer:
    """The schema of one object type, custom or standard."""
    found = portal.object_types.find(name)
    if found is None:
        return _unknown(name)
    return json_response(200, _schema(portal, found, with_associations=True))


def schemas_batch(portal: Portal, body: bytes) -> Answer:
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


def usage(portal: Portal, direction: Direction) -> Response:
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
