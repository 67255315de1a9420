"""Which rules strike at which request: the counting side of faults."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from ..batch import Batch
from ..object_types import ObjectTypes
from ..routes import Call
from .actions import Action, Refuse
from .language import Fault


@dataclass(slots=True)
class _Count:
    selected: int = 0
    used: int = 0


class Schedule:
    """The rules in force, each with how often it was asked and used. Safe for threads."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = [(fault, _Count()) for fault in faults]
        self._lock = threading.Lock()

    def due(
        self, method: str, call: Call, batch: Batch | None, object_types: ObjectTypes
    ) -> list[Action]:
        """The actions for this request, in the order of the rules. Counts the request."""
        if not self._faults:
            return []
        with self._lock:
            return [
                fault.action
                for fault, count in self._faults
                if fault.selects(method, call, object_types)
                and _concerns(fault.action, batch)
                and self._strikes(fault, count)
            ]

    @staticmethod
    def _strikes(fault: Fault, count: _Count) -> bool:
        count.selected += 1
        if not fault.covers(count.selected):
            return False
        if fault.times is not None and count.used >= fault.times:
            return False
        count.used += 1
        return True


def _concerns(action: Action, batch: Batch | None) -> bool:
    """A rule about type IDs of a batch is silent on a batch that has none of them."""
    if not isinstance(action, Refuse):
        return True
    return batch is not None and any(one.key.type_id in action.types for one in batch.inputs)
