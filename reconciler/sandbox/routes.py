"""Which operation a method and a path ask for, in every API version and the older SDK's paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Version:
    """One API version and the ways it answers.

    `name`: as the association paths carry it. `helper`: as the paths of object schemas, limits
    tracking and account info carry it. `multi_status`: the status of a batch of which only some
    inputs were accepted; versions that do not document 207 answer 200 and say so in the body.
    """

    name: str
    helper: str
    create_status: int
    purge_status: int
    multi_status: int
    labels_name_object_types: bool


V4 = Version("v4", "v3", 201, 204, 207, labels_name_object_types=True)
V2025_09 = Version("2025-09", "2025-09", 200, 200, 200, labels_name_object_types=False)
V2026_03 = Version("2026-03", "2026-03", 201, 200, 207, labels_name_object_types=True)
# Purge is documented as 200 with a body and was observed as 204 on this version.
V2026_09 = Version("2026-09", "2026-09", 200, 204, 200, labels_name_object_types=False)

VERSIONS = (V4, V2025_09, V2026_03, V2026_09)


class Operation(StrEnum):
    """What a request asks for. The values are the names that fault rules select by."""

    READ = "read"
    READ_ALL = "all"
    UPDATE = "update"
    CREATE = "create"
    PURGE = "purge"
    LABELS = "labels"
    LABEL_CREATE = "label-create"
    LABEL_UPDATE = "label-update"
    LABEL_DELETE = "label-delete"
    SCHEMAS = "schemas"
    SCHEMA = "schema"
    SCHEMAS_BATCH = "schemas-batch"
    ACCOUNT = "account"
    TOKEN = "token"  # noqa: S105 - what HubSpot knows of the token
    USAGE = "usage"
    USAGE_TYPES = "usage-types"

    @property
    def is_exempt(self) -> bool:
        """Whether HubSpot documents the operation as exempt from its ten-second policy."""
        return self not in _GOVERNED

    @property
    def is_write(self) -> bool:
        """Whether the operation writes limits."""
        return self in WRITES

    @property
    def is_label_change(self) -> bool:
        """Whether the operation makes, renames or removes a label."""
        return self in _LABEL_CHANGES


WRITES = frozenset({Operation.UPDATE, Operation.CREATE, Operation.PURGE})

_LABEL_CHANGES = frozenset({Operation.LABEL_CREATE, Operation.LABEL_UPDATE, Operation.LABEL_DELETE})

_GOVERNED = frozenset(
    {
        Operation.SCHEMAS,
        Operation.SCHEMA,
        Operation.SCHEMAS_BATCH,
        Operation.ACCOUNT,
        Operation.TOKEN,
        Operation.USAGE,
        Operation.USAGE_TYPES,
    }
)


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with what its path names. Absent names are empty."""

    operation: Operation
    version: Version
    from_name: str = ""
    to_name: str = ""
    type_id: str = ""


@dataclass(frozen=True, slots=True)
class WrongMethod:
    """The path is known, but not with this method."""


@dataclass(frozen=True, slots=True)
class NoRoute:
    """HubSpot has nothing at this path that the stand-in serves."""


Destination = Call | WrongMethod | NoRoute

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_Tail = Callable[[Version, str, list[str]], Call | None]


def route(method: str, path: str) -> Destination:
    """Where this request goes. Names in the path are percent-decoded."""
    found = _find(method, path)
    if found is not None:
        return found
    if any(_find(other, path) is not None for other in METHODS):
        return WrongMethod()
    return NoRoute()


def _find(method: str, path: str) -> Call | None:
    for prefix, version, tail in _PREFIXES:
        if path.startswith(prefix):
            parts = [unquote(part) for part in path[len(prefix) :].split("/")]
            return tail(version, method, parts)
    return None


def _associations(version: Version, method: str, parts: list[str]) -> Call | None:
    match method, parts:
        case "GET", ["definitions", "configurations", "all"]:
            return Call(Operation.READ_ALL, version)
        case "GET", ["definitions", "configurations", start, end]:
            return Call(Operation.READ, version, start, end)
        case "POST", ["definitions", "configurations", start, end, "batch", verb]:
            operation = _BATCHES.get(verb)
            return None if operation is None else Call(operation, version, start, end)
        case (("GET" | "POST" | "PUT"), [start, end, "labels"]):
            return Call(_LABELS[method], version, start, end)
        case "DELETE", [start, end, "labels", type_id]:
            return Call(Operation.LABEL_DELETE, version, start, end, type_id)
        case _:
            return None


def _schemas(version: Version, method: str, parts: list[str]) -> Call | None:
    match method, parts:
        case "GET", ["schemas"]:
            return Call(Operation.SCHEMAS, version)
        case "GET", ["schemas", name]:
            return Call(Operation.SCHEMA, version, name)
        case "POST", ["schemas", "batch", "read"]:
            return Call(Operation.SCHEMAS_BATCH, version)
        case _:
            return None


def _usage(version: Version, method: str, parts: list[str]) -> Call | None:
    match method, parts:
        case "GET", ["associations", "records", "from"]:
            return Call(Operation.USAGE_TYPES, version)
        case "GET", ["associations", "records", start, end]:
            return Call(Operation.USAGE, version, start, end)
        case _:
            return None


def _account(version: Version, method: str, parts: list[str]) -> Call | None:
    match method, parts:
        case "GET", ["details"]:
            return Call(Operation.ACCOUNT, version)
        case _:
            return None


def _token(version: Version, method: str, parts: list[str]) -> Call | None:
    return Call(Operation.TOKEN, version) if (method, parts) == ("POST", [""]) else None


_BATCHES = {
    "update": Operation.UPDATE,
    "create": Operation.CREATE,
    "purge": Operation.PURGE,
}

_LABELS = {
    "GET": Operation.LABELS,
    "POST": Operation.LABEL_CREATE,
    "PUT": Operation.LABEL_UPDATE,
}

# v4 comes in two shapes: as documented today, and with the version first as the older SDKs send
# it. Limits tracking has only the older shape in v3 (documented).
_PREFIXES: tuple[tuple[str, Version, _Tail], ...] = (
    *((f"/crm/associations/{version.name}/", version, _associations) for version in VERSIONS),
    ("/crm/v4/associations/", V4, _associations),
    *((f"/crm-object-schemas/{version.helper}/", version, _schemas) for version in VERSIONS),
    ("/crm/v3/limits/", V4, _usage),
    *((f"/crm/limits/{version.name}/", version, _usage) for version in VERSIONS[1:]),
    *((f"/account-info/{version.helper}/", version, _account) for version in VERSIONS),
    ("/oauth/v2/private-apps/get/access-token-info", V4, _token),
)
