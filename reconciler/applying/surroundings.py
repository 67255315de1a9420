"""What the directions of one apply share."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event

from reconciler.applying.halt import Halt
from reconciler.applying.progress import Progress
from reconciler.applying.record import Record
from reconciler.http.clock import Clock
from reconciler.hubspot.portal import Portal


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`verify_timeout`: seconds that written limits of a direction have to show.

    `settle`: seconds that two reads must be apart that are to agree; for 0 one read will do.

    `create_is_needed` is set once the portal has refused `update` for a limit that did not exist
    and taken `create`.
    """

    portal: Portal
    clock: Clock
    progress: Progress
    record: Record
    verify_timeout: float
    settle: float = 2.0
    halt: Halt = field(default_factory=Halt)
    create_is_needed: Event = field(default_factory=Event)
