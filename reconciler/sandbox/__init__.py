"""A local stand-in for the HubSpot endpoints used here, for demos and tests.

    with serve(example_portal(), Options(faults=(parse_fault("read#1:503"),))) as server:
        server.url, server.requests, server.history, server.limits("contacts", "companies")

`Sandbox(portal, options).handle(request)` does the same without a socket.
"""

from .example import bare_portal, empty_portal, example_portal, generated_portal
from .faults import Fault, FaultError, parse_fault
from .history import Origin, Step
from .journal import Entry
from .object_types import ObjectType, ObjectTypes
from .options import DEFAULT_TOKEN, Options
from .portal import (
    AccountType,
    Associations,
    AssociationType,
    Category,
    Direction,
    Portal,
    TypeKey,
    Usage,
)
from .rules import Judging, LabelKey, Mixed, Rules, UnknownPurge, Verdict
from .server import Server, serve
from .stand_in import Sandbox
from .wire import Request, Response

__all__ = [
    "DEFAULT_TOKEN",
    "AccountType",
    "AssociationType",
    "Associations",
    "Category",
    "Direction",
    "Entry",
    "Fault",
    "FaultError",
    "Judging",
    "LabelKey",
    "Mixed",
    "ObjectType",
    "ObjectTypes",
    "Options",
    "Origin",
    "Portal",
    "Request",
    "Response",
    "Rules",
    "Sandbox",
    "Server",
    "Step",
    "TypeKey",
    "UnknownPurge",
    "Usage",
    "Verdict",
    "bare_portal",
    "empty_portal",
    "example_portal",
    "generated_portal",
    "parse_fault",
    "serve",
]
