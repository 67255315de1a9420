"""What the portal says that the domain has no word for: answers to batches, and usage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.limits import TypeKey


class BatchStatus(StrEnum):
    """The status of a batch (documented)."""

    COMPLETE = "COMPLETE"
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    CANCELED = "CANCELED"
    UNKNOWN = "UNKNOWN"
    """A status that came later: it says nothing of what was written."""


@dataclass(frozen=True, slots=True)
class InputError:
    """One entry of a batch's `errors`; `type_ids` are those its text or context names."""

    message: str
    category: str | None = None
    sub_category: str | None = None
    correlation_id: str | None = None
    type_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """A 2xx to a write, which does not prove that anything was written (observed).

    `confirmed`: the limit of each type that `results` names, None for no limit. `status` None:
    the body was empty or named none.
    """

    http_status: int
    status: BatchStatus | None
    confirmed: Mapping[TypeKey, int | None]
    errors: tuple[InputError, ...]
    num_errors: int
    correlation_id: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """How many records of a direction are at or near its limit: a hint, never an exact count."""

    limit: int | None
    records_at_limit: int
    records_near_limit: int
