"""An apply as text: each change as it is verified, and in the end what became of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from reconciler.model.plan import (
    Change,
    ChangeError,
    ChangeResult,
    Outcome,
    Result,
    Status,
    count_actions,
)
from reconciler.report.escape import PROSE_LIMIT, terminal
from reconciler.report.terminal import Mark, Style, cells, padded, widest, wrapped
from reconciler.report.text import file_line, name_words
from reconciler.report.view import (
    DONE,
    EFFECT_SYMBOLS,
    EFFECT_WORDS,
    NO_CHANGES,
    Effect,
    before_after,
    limit_name,
)

MOST_LISTED = 40
"""How many verified changes are listed; the others are counted."""

_NAME_CELLS = 44
_MOST_CELLS = (len("↓ new limit"), _NAME_CELLS, _NAME_CELLS, len("unlimited → 50000"))


class ChangeLines:
    """Says each of some changes in a line; all of them share their columns.

    `width` in cells leaves the folders of paths out where they do not fit; None, for files and
    pipes, leaves out nothing.
    """

    def __init__(self, changes: Sequence[Change], style: Style, width: int | None = None) -> None:
        self._style = style
        columns = list(zip(*map(_texts, changes), strict=True)) or [()] * len(_MOST_CELLS)
        self._cells = [widest(each, most) for each, most in zip(columns, _MOST_CELLS, strict=True)]

        used = sum(self._cells) + len("  ✓     ") + 2 * len(self._cells)
        paths = [cells(file_line(each.source)) for each in changes if each.source is not None]
        self._is_narrow = width is not None and used + max(paths, default=0) > width

    def line(self, change: Change, before: str = "  ") -> str:
        """`↓ lowered  contacts → car  object limit  10 → 8  configs/cars.yaml:8`."""
        effect, direction, name, value = map(padded, _texts(change), self._cells)
        mark = Mark.RESTRICTS if Effect.of(change).restricts else Mark.RELAXES
        place = "" if change.source is None else file_line(change.source)
        folders, _, file = place.rpartition("/")
        if self._is_narrow and folders:
            place = f"…/{file}"
        parts = (
            before + self._style.mark(mark, effect),
            direction,
            name,
            self._style.mark(mark, value),
            self._style.mark(Mark.PLACE, place),
        )
        return "  ".join(parts).rstrip()


class Verified:
    """The lines of an apply for whoever follows it: the first verified changes, then a count."""

    def __init__(self, changes: Sequence[Change], style: Style, width: int | None = None) -> None:
        self._lines = ChangeLines(changes, style, width)
        self._sign = f"  {style.mark(Mark.GOOD, '✓')} "
        self._listed = self._folded = 0

    def settled(self, results: Iterable[ChangeResult]) -> Iterator[str]:
        """A line for each that is verified, until there are too many."""
        for each in results:
            if each.status is not Status.VERIFIED:
                continue
            if self._listed < MOST_LISTED:
                self._listed += 1
                yield self._lines.line(each.change, self._sign)
            else:
                self._folded += 1

    def finished(self) -> Iterator[str]:
        """How many were not listed, if any."""
        if self._folded:
            yield f"  … {self._folded:,} more verified"


def _texts(change: Change) -> tuple[str, str, str, str]:
    """Effect, direction, limit and values, made harmless."""
    effect = Effect.of(change)
    direction = change.direction
    return (
        f"{EFFECT_SYMBOLS[effect]} {EFFECT_WORDS[effect]}",
        f"{terminal(direction.from_.name)} → {terminal(direction.to.name)}",
        name_words(limit_name(change)),
        before_after(change),
    )


# ---------------------------------------------------------------- the result

_HEADINGS = {
    Status.FAILED: "Failed: HubSpot refused these, or shows another value.",
    Status.UNCERTAIN: "Uncertain: these were sent, and no reads of the portal confirm them.",
    Status.NOT_ATTEMPTED: "Not attempted: these were never sent.",
}
STATUS_WORDS = {
    Status.VERIFIED: "verified",
    Status.FAILED: "failed",
    Status.UNCERTAIN: "uncertain",
    Status.NOT_ATTEMPTED: "not attempted",
}


def result_text(result: Result, *, style: Style, width: int | None = None) -> str:
    """What became of the changes that are not verified; the last line is the one to grep."""
    lines: list[str] = []
    changes = ChangeLines(
        [each.change for each in result.changes if each.status is not Status.VERIFIED], style, width
    )
    message = wrapped(terminal(result.message, PROSE_LIMIT), "", width) if result.message else []
    if result.outcome is not Outcome.REFUSED:
        for status in _HEADINGS:
            lines += _with_status(result, status, changes, style, width)
    if result.outcome is Outcome.INCOMPLETE:
        lines += [*message, *wrapped("Run plan again: it shows what is left to do.", "", width), ""]
    if result.outcome is Outcome.NOTHING:
        lines += message
    return "\n".join([*lines, _last_line(result, style)])


def _with_status(
    result: Result, status: Status, lines: ChangeLines, style: Style, width: int | None
) -> Iterator[str]:
    found = result.with_status(status)
    if not found:
        return
    yield style.mark(Mark.BOLD, _HEADINGS[status])
    for error, group in groupby(found, key=lambda each: each.error):
        alike = [each.change for each in group]
        for change in alike:
            yield lines.line(change)
        if error is not None:
            yield from _error(error, len(alike), style, width)
    yield ""


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
        yield " " * 6 + style.mark(Mark.DIM, ", ".join(traces))


def done(changes: Iterable[ChangeResult]) -> str:
    """`2 created, 1 updated, 1 deleted`: the verified changes, for the line to grep."""
    counts = count_actions(each.change for each in changes if each.status is Status.VERIFIED)
    return ", ".join(f"{count} {DONE[action]}" for action, count in counts.items())


def _last_line(result: Result, style: Style) -> str:
    match result.outcome:
        case Outcome.NOTHING:
            return style.mark(Mark.BOLD, NO_CHANGES)
        case Outcome.APPLIED:
            return style.mark(Mark.GOOD, f"Apply complete: {done(result.changes)}.")
        case Outcome.INCOMPLETE:
            statuses = ", ".join(
                f"{len(result.with_status(status))} {words}"
                for status, words in STATUS_WORDS.items()
            )
            return style.mark(Mark.BAD, f"Apply incomplete: {statuses}.")
        case Outcome.FAILED:
            reason = terminal(result.message or "", PROSE_LIMIT)
            return style.mark(Mark.BAD, f"Apply failed: nothing was written. {reason}".rstrip())
        case Outcome.REFUSED:
            reason = terminal(result.message or "nothing was written.", PROSE_LIMIT)
            return style.mark(Mark.BAD, f"Apply refused: {reason}")
