"""The results of an apply over several portals, as one summary for terminals and for markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.errors import ExitCode, plural
from reconciler.model.plan import ChangeResult, Outcome, Result, Status
from reconciler.report.applied import STATUS_WORDS, done, result_text
from reconciler.report.escape import (
    NAME_LIMIT,
    PROSE_LIMIT,
    markdown_cell,
    markdown_code,
    markdown_prose,
    terminal,
)
from reconciler.report.markdown_parts import Block, table
from reconciler.report.terminal import Mark, Style, padded, widest
from reconciler.report.view import NO_CHANGES

LIMIT = 1_000_000
"""Bytes of a table: GitHub takes a job's summary of up to 1 MiB (documented)."""

_NAME_CELLS = 44
_REASON_LIMIT = 300
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Ended:
    """How an apply ended for one portal, and the exit code of that.

    `portal` None: it ended before it was known for which one it is. `result` None: it ended before
    there was a plan, and `message` says why.
    """

    portal: str | None
    code: ExitCode
    result: Result | None
    message: str | None = None

    @property
    def outcome(self) -> Outcome:
        """How it ended; what ended before there was a plan is refused or failed."""
        if self.result is not None:
            return self.result.outcome
        return Outcome.REFUSED if self.code is ExitCode.REFUSED else Outcome.FAILED

    @property
    def changes(self) -> tuple[ChangeResult, ...]:
        return () if self.result is None else self.result.changes

    @property
    def is_done(self) -> bool:
        return self.code is ExitCode.DONE


OUTCOMES = {
    Outcome.APPLIED: "applied",
    Outcome.NOTHING: "no changes",
    Outcome.INCOMPLETE: "incomplete",
    Outcome.REFUSED: "refused",
    Outcome.FAILED: "failed",
}
_MARKS = {
    Outcome.APPLIED: Mark.GOOD,
    Outcome.NOTHING: Mark.DIM,
    Outcome.INCOMPLETE: Mark.BAD,
    Outcome.REFUSED: Mark.BAD,
    Outcome.FAILED: Mark.BAD,
}


def results_text(ended: Sequence[Ended], *, style: Style) -> str:
    """What is not done in full, then a table of all portals; the last line is the one to grep.

    A single result is shown as `apply` shows it.
    """
    if len(ended) == 1 and ended[0].result is not None:
        return result_text(ended[0].result, style=style)
    names = [terminal(_name(each)) for each in ended]
    blocks = [
        f"{style.mark(Mark.BOLD, name)}\n{result_text(each.result, style=style)}"
        for each, name in zip(ended, names, strict=True)
        if each.result is not None and each.outcome is Outcome.INCOMPLETE
    ]
    name_cells = widest(names, _NAME_CELLS)
    word_cells = max((len(OUTCOMES[each.outcome]) for each in ended), default=0)
    lines = [style.mark(Mark.BOLD, ": ".join(filter(None, _counted(ended))))]
    for each, name in zip(ended, names, strict=True):
        word = style.mark(_MARKS[each.outcome], padded(OUTCOMES[each.outcome], word_cells))
        details = terminal(_details(each), PROSE_LIMIT)
        lines.append(f"  {padded(name, name_cells)}  {word}  {details}".rstrip())
    last = style.mark(
        Mark.GOOD if all(each.is_done for each in ended) else Mark.BAD,
        terminal(last_line(ended), PROSE_LIMIT),
    )
    return "\n\n".join([*blocks, "\n".join(lines), last])


def results_markdown(ended: Sequence[Ended]) -> str:
    """The same for a job's summary: what is not done comes first."""
    open_first = sorted(ended, key=lambda each: each.is_done)
    head, lines = table(
        ("Portal", "Outcome", "Changes"),
        [
            (
                markdown_cell(markdown_code(_name(each))),
                OUTCOMES[each.outcome] if each.is_done else f"**{OUTCOMES[each.outcome]}**",
                markdown_cell(markdown_prose(words, _REASON_LIMIT)) if words else "",
            )
            for each, words in ((each, _details(each)) for each in open_first)
        ],
    )
    title = f"## Apply: {', '.join(filter(None, _counted(ended)))}"
    rows = Block(head, lines, "\n{} more portals are left out.").cut(LIMIT).text
    return "\n\n".join([title, markdown_prose(last_line(ended)), rows])


def changes_by_status(ended: Iterable[Ended]) -> dict[Status, int]:
    """How many changes of all portals there are of each status."""
    counts = Counter(each.status for one in ended for each in one.changes)
    return {status: counts[status] for status in Status}


def by_outcome(ended: Iterable[Ended]) -> dict[Outcome, int]:
    """How many portals there are of each outcome."""
    counts = Counter(each.outcome for each in ended)
    return {outcome: counts[outcome] for outcome in Outcome}


def _name(each: Ended) -> str:
    return "(no portal)" if each.portal is None else each.portal


def _counted(ended: Sequence[Ended]) -> tuple[str, str]:
    """How many portals there are, and of each outcome; the latter is empty where there are none."""
    counts = by_outcome(ended)
    return plural(len(ended), "portal"), ", ".join(
        f"{counts[each]} {words}" for each, words in OUTCOMES.items() if counts[each]
    )


def _details(each: Ended) -> str:
    """What was done, or why it was not."""
    match each.outcome:
        case Outcome.NOTHING:
            return ""
        case Outcome.APPLIED:
            return done(each.changes)
        case Outcome.INCOMPLETE:
            return _statuses([each])
        case Outcome.REFUSED | Outcome.FAILED:
            message = each.message if each.result is None else each.result.message
            return (message or "nothing was written").strip()


def _statuses(ended: Sequence[Ended]) -> str:
    counts = changes_by_status(ended)
    return ", ".join(f"{counts[status]} {words}" for status, words in STATUS_WORDS.items())


def last_line(ended: Sequence[Ended]) -> str:
    """One line over all portals, which begins as that of one portal does."""
    if all(each.outcome is Outcome.NOTHING for each in ended):
        return NO_CHANGES if ended else "No portals."
    changes = [one for each in ended for one in each.changes]
    if all(each.is_done for each in ended):
        return f"Apply complete: {done(changes)}."
    failed = [each for each in ended if not each.is_done]
    named = ", ".join(_name(each)[:NAME_LIMIT] for each in failed[:_NAMED])
    more = len(failed) - _NAMED
    named += f" and {more} more" if more > 0 else ""
    if any(one.status is Status.VERIFIED for one in changes) or any(
        each.outcome is Outcome.INCOMPLETE for each in ended
    ):
        return f"Apply incomplete: {_statuses(ended)} ({named})."
    return f"Apply {OUTCOMES[failed[0].outcome]}: nothing was written ({named})."
