"""What happens in an apply, as values reported to one callable together with its requests.

Progress, journal and counters are readers of these events: `http.messages.report_to` makes one
callable of several. Events come from several threads.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.applying.knowledge import Knowledge
from reconciler.http import messages as http
from reconciler.hubspot.portal import PortalEvent
from reconciler.model.limits import Direction
from reconciler.model.plan import BatchInput, ChangeError, ChangeResult, Operation, Plan, Result


@dataclass(frozen=True, slots=True)
class Started(http.Announcement):
    """A plan is about to be applied: nothing has been sent yet."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Checking:
    """So many directions of the portal are read again before the first write."""

    directions: int


@dataclass(frozen=True, slots=True)
class Writing:
    """A batch of so many inputs is about to be sent."""

    direction: Direction
    operation: Operation
    inputs: int


@dataclass(frozen=True, slots=True)
class Learned:
    """What an answer, its absence or a read says of these inputs."""

    direction: Direction
    inputs: tuple[BatchInput, ...]
    known: Knowledge


@dataclass(frozen=True, slots=True)
class CreateTried:
    """`update` was refused for a limit that does not exist yet: `create` is tried, once."""

    direction: Direction
    input: BatchInput
    refusal: ChangeError


@dataclass(frozen=True, slots=True)
class ReadingBack:
    """So many written limits are not shown by the portal yet."""

    direction: Direction
    missing: int


@dataclass(frozen=True, slots=True)
class Watching:
    """So many refused limits are read for so many seconds: they may have been written."""

    direction: Direction
    refused: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Settled:
    """All that will be known of a direction's changes is known."""

    direction: Direction
    results: tuple[ChangeResult, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """How the apply ended."""

    result: Result


ApplyEvent = (
    Started
    | Checking
    | Writing
    | Learned
    | CreateTried
    | ReadingBack
    | Watching
    | Settled
    | Finished
)
Event = ApplyEvent | PortalEvent
