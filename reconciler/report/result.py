"""The result of an apply as text, for terminals and logs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from reconciler.model.plan import Change, ChangeError, Outcome, Result, Status, count_actions
from reconciler.report.cells import wrapped
from reconciler.report.escape import PROSE_LIMIT, terminal
from reconciler.report.style import Style
from reconciler.report.text import direction_text, name_text, place_text
from reconciler.report.view import (
    DONE,
    NO_CHANGES,
    SYMBOLS,
    before_after,
    limit_name,
)

_HEADINGS = {
    Status.FAILED: "Failed: HubSpot refused these, or shows another value.",
    Status.UNCERTAIN: "Uncertain: these were sent, and no reads of the portal confirm them.",
    Status.NOT_ATTEMPTED: "Not attempted: these were never sent.",
}
_COUNTED = {
    Status.VERIFIED: "verified",
    Status.FAILED: "failed",
    Status.UNCERTAIN: "uncertain",
    Status.NOT_ATTEMPTED: "not attempted",
}


def result_text(result: Result, *, style: Style, width: int | None = None) -> str:
    """What became of the changes that are not verified; the last line is the one to grep."""
    lines: list[str] = []
    if result.outcome is not Outcome.REFUSED:
        for status in _HEADINGS:
            lines += _with_status(result, status, style, width)
    if result.outcome is Outcome.INCOMPLETE:
        lines += _next_step(result, width)
    if result.outcome is Outcome.NOTHING and result.message:
        lines += wrapped(terminal(result.message, PROSE_LIMIT), "", width)
    return "\n".join([*lines, _last_line(result, style)])


def _with_status(result: Result, status: Status, style: Style, width: int | None) -> Iterator[str]:
    found = result.with_status(status)
    if not found:
        return
    yield style.bold(_HEADINGS[status])
    for error, group in groupby(found, key=lambda each: each.error):
        alike = [each.change for each in group]
        for change in alike:
            yield _change(change, style)
        if error is not None:
            yield from _error(error, len(alike), style, width)
    yield ""


def _change(change: Change, style: Style) -> str:
    direction = direction_text(change.direction.from_.name, change.direction.to.name)
    what = f"{SYMBOLS[change.action]} {direction} {name_text(limit_name(change))}"
    source = "" if change.source is None else f"  {place_text(change.source, style)}"
    return f"  {style.action(change.action, what)}  {before_after(change)}{source}"


def _error(error: ChangeError, changes: int, style: Style, width: int | None) -> Iterator[str]:
    """Why, once for neighbours that share it."""
    shared = f"all {changes}: " if changes > 1 else ""
    yield from wrapped(shared + terminal(error.message, PROSE_LIMIT), " " * 6, width)
    traces = []
    if error.category:
        traces.append(f"category {terminal(error.category)}")
    if error.correlation_id:
        traces.append(f"correlation ID {terminal(error.correlation_id)}")
    if traces:
        yield " " * 6 + style.dim(", ".join(traces))


def _next_step(result: Result, width: int | None) -> Iterator[str]:
    if result.message:
        yield from wrapped(terminal(result.message, PROSE_LIMIT), "", width)
    yield from wrapped("Run plan again: it shows what is left to do.", "", width)
    yield ""


def _last_line(result: Result, style: Style) -> str:
    match result.outcome:
        case Outcome.NOTHING:
            return style.bold(NO_CHANGES)
        case Outcome.APPLIED:
            return style.good(f"Apply complete: {_done(result)}.")
        case Outcome.INCOMPLETE:
            return style.bad(f"Apply incomplete: {_statuses(result)}.")
        case Outcome.FAILED:
            reason = terminal(result.message or "", PROSE_LIMIT)
            return style.bad(f"Apply failed: nothing was written. {reason}".rstrip())
        case Outcome.REFUSED:
            reason = result.message or "nothing was written."
            return style.bad(f"Apply refused: {terminal(reason, PROSE_LIMIT)}")


def _done(result: Result) -> str:
    counts = count_actions(each.change for each in result.with_status(Status.VERIFIED))
    return ", ".join(f"{count} {DONE[action]}" for action, count in counts.items())


def _statuses(result: Result) -> str:
    return ", ".join(
        f"{len(result.with_status(status))} {words}" for status, words in _COUNTED.items()
    )
