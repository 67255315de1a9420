"""Requests and answers, read as what they say about limits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.http.messages import Request, Response
from reconciler.model.limits import Category, TypeKey
from reconciler.model.plan import Change
from reconciler.sandbox.state import Entry
from tests.applying.trouble import Delivered

DirectionKey = tuple[str, str]
_LIMITS = re.compile(
    r"/definitions/configurations/(?P<from>[^/]+)/(?P<to>[^/]+)(/batch/(?P<op>\w+))?$"
)


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a write, with what it was sent to."""

    direction: DirectionKey
    operation: str
    key: TypeKey
    max: int | None


def direction_of(path: str) -> DirectionKey | None:
    """The direction that a path is about; None: it is about none."""
    found = _LIMITS.search(path)
    return None if found is None else (found["from"], found["to"])


def inputs_of(path: str, body: str) -> list[Input]:
    """The inputs of one request; none for what is no write."""
    found = _LIMITS.search(path)
    if found is None or found["op"] is None:
        return []
    return [
        Input(
            (found["from"], found["to"]),
            found["op"],
            TypeKey(Category(one["category"]), one["typeId"]),
            one.get("maxToObjectIds"),
        )
        for one in json.loads(body)["inputs"]
    ]


def written(requests: Sequence[Entry]) -> list[Input]:
    """Every input that reached the portal, oldest first."""
    return [one for entry in requests for one in inputs_of(entry.path, entry.body)]


@dataclass(frozen=True, slots=True)
class Reading:
    """One read of a limit: what it showed, when it was asked for and when it was answered."""

    value: int | None
    asked: float
    answered: float


def readings(delivered: Sequence[Delivered], change: Change) -> list[Reading | None]:
    """What the client saw of a limit since its change was last sent, oldest first.

    None: a read that brought nothing. A sending under way when the apply ended counts.
    """
    found: list[Reading | None] = []
    for each in delivered:
        if direction_of(each.request.url) != change.direction.key:
            continue
        if each.request.method == "GET":
            shown = None if each.response is None else values(each.response)
            found.append(
                None
                if shown is None
                else Reading(shown.get(change.type.key), each.asked, each.answered)
            )
        elif any(one.key == change.type.key for one in _inputs(each.request)):
            found = []
    return found


@dataclass(frozen=True, slots=True)
class Sending:
    """One request that had a change: how many inputs it had, and the answer's status, if any."""

    inputs: int
    status: int | None


def sendings(delivered: Sequence[Delivered], change: Change) -> list[Sending]:
    """Every request with this change that left, oldest first."""
    return [
        Sending(len(inputs), each.response.status if each.response else None)
        for each in delivered
        if each.left and direction_of(each.request.url) == change.direction.key
        for inputs in [_inputs(each.request)]
        if any(one.key == change.type.key for one in inputs)
    ]


def _inputs(request: Request) -> list[Input]:
    return inputs_of(request.url, (request.body or b"").decode())


def values(response: Response) -> Mapping[TypeKey, int] | None:
    """The limits that an answer to a read shows, of known categories; None: it is not one."""
    if not 200 <= response.status < 300:
        return None
    try:
        rows = json.loads(response.body)["results"]
        return {
            TypeKey(Category(row["category"]), row["typeId"]): row["userEnforcedMaxToObjectIds"]
            for row in rows
            if row["userEnforcedMaxToObjectIds"] is not None
            and row["category"] in frozenset(Category)
        }
    except (ValueError, TypeError, KeyError):
        return None
