"""What makes a plan unsafe to apply: thresholds and protected limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.model import (
    Action,
    Change,
    DesiredLimit,
    Refusal,
    RefusalCode,
    Safety,
    Summary,
)

PERCENT_COUNTS_FROM = 10
"""Fewest observed limits from which `max_delete_percent` is judged."""


def refusals(
    changes: Sequence[Change],
    summary: Summary,
    safety: Safety,
    protected: Mapping[str, DesiredLimit],
) -> tuple[Refusal, ...]:
    """Every reason why these changes may not be applied, protection first.

    `protected` maps a change's ID to the limit that says `protect: true`.
    """
    return (*protection(changes, protected), *thresholds(summary, safety))


def protection(
    changes: Sequence[Change], protected: Mapping[str, DesiredLimit]
) -> Iterator[Refusal]:
    """A protected limit is never lowered or deleted, whatever is forced."""
    for change in changes:
        limit = protected.get(change.id)
        if limit is None or change.action is Action.CREATE:
            continue
        if change.action is Action.DELETE or change.lowers:
            becomes = "delete it" if change.after is None else f"lower it to {change.after}"
            yield Refusal(
                RefusalCode.PROTECTED,
                f'"{change.type}" of {change.direction} is protected at {change.before}; '
                f"this plan would {becomes}",
                change.id,
                limit.place,
            )


def thresholds(summary: Summary, safety: Safety) -> Iterator[Refusal]:
    """The thresholds of `safety` that these counts are past; all are lifted by `--force`."""
    if summary.delete > safety.max_deletes:
        yield Refusal(
            RefusalCode.MAX_DELETES,
            f"{summary.delete} limits would be deleted; max_deletes allows {safety.max_deletes}",
        )
    observed = summary.observed
    if (
        observed >= PERCENT_COUNTS_FROM
        and summary.delete * 100 > safety.max_delete_percent * observed
    ):
        yield Refusal(
            RefusalCode.MAX_DELETE_PERCENT,
            f"{summary.delete} of {observed} observed limits would be deleted; "
            f"max_delete_percent allows {safety.max_delete_percent} %",
        )
    if summary.changes > safety.max_changes:
        yield Refusal(
            RefusalCode.MAX_CHANGES,
            f"{summary.changes} limits would change; max_changes allows {safety.max_changes}",
        )
