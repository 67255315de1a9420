"""How the tests talk to the stand-in: in process, with paths of any version."""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx

from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.portal import Portal
from reconciler.sandbox.rules import Rules
from reconciler.sandbox.seed import direction_document, portal_document
from reconciler.sandbox.stand_in import DEFAULT_TOKEN, Options, Sandbox
from reconciler.sandbox.wire import Request, Response

AUTHORIZED = {"authorization": "Bearer sandbox-token"}
# To load certificates takes longer than most tests, and nothing here is https.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
VERSIONS = ("v4", "2025-09", "2026-03", "2026-09")


def limits_path(version: str, start: str = "contacts", end: str = "companies") -> str:
    """The path of a direction's limits."""
    return f"/crm/associations/{version}/definitions/configurations/{start}/{end}"


def batch_path(
    verb: str, version: str = "2026-03", start: str = "contacts", end: str = "companies"
) -> str:
    """The path of a batch of a direction."""
    return f"{limits_path(version, start, end)}/batch/{verb}"


def one(type_id: int, maximum: int | None = None, category: str = "USER_DEFINED") -> dict[str, Any]:
    """One input of a batch; without a maximum that of a purge."""
    key: dict[str, Any] = {"category": category, "typeId": type_id}
    return key if maximum is None else {**key, "maxToObjectIds": maximum}


def object_limit(maximum: int | None = None) -> dict[str, Any]:
    """The input for the object limit of contacts → companies, type 279 of HubSpot."""
    return one(279, maximum, "HUBSPOT_DEFINED")


def client(url: str, token: str | None = DEFAULT_TOKEN, timeout: float = 5.0) -> httpx.Client:
    """An HTTP client with the token, or with none."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.Client(
        base_url=url, headers=headers, timeout=timeout, trust_env=False, verify=NO_CERTIFICATES
    )


def get(sandbox: Sandbox, path: str) -> Response:
    """Send a GET with the token."""
    return sandbox.handle(Request("GET", path, AUTHORIZED))


def send(sandbox: Sandbox, method: str, path: str, document: object) -> Response:
    """Send a JSON body with the token."""
    return sandbox.handle(Request(method, path, AUTHORIZED, json.dumps(document).encode()))


def write(
    sandbox: Sandbox, verb: str, *inputs: dict[str, Any], version: str = "2026-03"
) -> Response:
    """Send a batch for contacts → companies."""
    return send(sandbox, "POST", batch_path(verb, version), {"inputs": list(inputs)})


def decoded(response: Response) -> Any:
    """The body, read as JSON."""
    return json.loads(response.body)


def options(*faults: str, rules: Rules | None = None, rate: int | None = None) -> Options:
    """Options with these fault rules."""
    return Options(
        rules=rules or Rules(), rate=rate, faults=tuple(parse_fault(rule) for rule in faults)
    )


def everything(portal: Portal) -> object:
    """All there is to a portal, to compare with."""
    parts = [direction_document(direction, one) for direction, one in portal.directions.items()]
    return portal_document(portal), parts


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time
