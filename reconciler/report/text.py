"""A plan, and the result of an apply, as text for terminals and logs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from reconciler.errors import plural
from reconciler.model.limits import Place
from reconciler.model.plan import (
    Action,
    Change,
    ChangeError,
    Outcome,
    Plan,
    Result,
    Status,
    count_actions,
)
from reconciler.report.escape import PATH_LIMIT, PROSE_LIMIT, prose_lines, terminal
from reconciler.report.terminal import Mark, Style, padded, widest, wrapped
from reconciler.report.view import (
    DONE,
    NO_CHANGES,
    SECTION_NOTES,
    SECTION_TITLES,
    SYMBOLS,
    Group,
    LimitName,
    Section,
    before_after,
    headline,
    limit_name,
    sections,
    way_out,
)

_NAME_CELLS = 44
_AMOUNT_CELLS = len("unlimited → 50000")
_COMMIT = 12
"""As many characters of a commit as `git rev-parse --short` gives in a large repository."""

_ACTION_MARKS = {
    Action.CREATE: Mark.CREATED,
    Action.UPDATE: Mark.UPDATED,
    Action.DELETE: Mark.DELETED,
}


def plan_text(plan: Plan, *, style: Style, width: int | None = None) -> str:
    """The complete plan, without a line end after its last line, which is the one to grep.

    `width` in cells wraps reasons and messages; None, for files and pipes, wraps nothing.
    """
    portal, summary = plan.portal, plan.summary
    where = terminal(f"portal {portal.portal_id}, {portal.account_type}, API {portal.api_version}")
    lines = [f"{style.mark(Mark.BOLD, terminal(portal.name))} ({where})"]
    if plan.git is not None and plan.git.base is not None:
        base = f"compared with the base {terminal(plan.git.base[:_COMMIT])}"
        lines.append(style.mark(Mark.DIM, base))
    lines.append("")
    if plan.refusals:
        lines += _refusals(plan, style, width)
    for section in sections(plan):
        lines += _section(section, style, width)
    if plan.warnings:
        lines += _warnings(plan, style, width)
    left_alone = []
    if summary.unchanged:
        left_alone.append(f"{plural(summary.unchanged, 'limit')} unchanged")
    if summary.unmanaged:
        left_alone.append(f"{summary.unmanaged} unmanaged (left alone)")
    if left_alone:
        lines += [f"{', '.join(left_alone)}.", ""]
    return "\n".join([*lines, style.mark(Mark.BOLD, headline(plan))])


def _refusals(plan: Plan, style: Style, width: int | None) -> Iterator[str]:
    yield style.mark(Mark.BAD, "Refused: apply will not carry out this plan.")
    for refusal in plan.refusals:
        words = f"{terminal(refusal.message, PROSE_LIMIT)} ({way_out(refusal)})"
        first, *rest = wrapped(words, "    ", width)
        yield f"  ! {first[4:]}"
        yield from rest
        if refusal.source is not None:
            yield f"    {_place(refusal.source, style)}"
    yield ""


def _warnings(plan: Plan, style: Style, width: int | None) -> Iterator[str]:
    for warning in plan.warnings:
        first, *rest = wrapped(f"Warning: {terminal(warning, PROSE_LIMIT)}", "", width)
        yield first.replace("Warning:", style.mark(Mark.WARNING, "Warning:"), 1)
        yield from (f"  {line}" for line in rest)
    yield ""


def _section(section: Section, style: Style, width: int | None) -> Iterator[str]:
    if section.origin is not None:
        title = f"{SECTION_TITLES[section.origin]} ({section.size})"
        yield style.mark(Mark.BOLD, title)
        notes = wrapped(SECTION_NOTES[section.origin], "", width)
        yield from (style.mark(Mark.DIM, line) for line in notes)
        yield ""
    for group in section.groups:
        yield from _group(group, style, width)
        yield ""


def _group(group: Group, style: Style, width: int | None) -> Iterator[str]:
    yield style.mark(Mark.BOLD, f"{terminal(group.from_name)} → {terminal(group.to_name)}")
    names = [_name(row.name) for row in group.rows]
    values = [before_after(row.change) for row in group.rows]
    name_cells, value_cells = widest(names, _NAME_CELLS), widest(values, _AMOUNT_CELLS)
    for row, name, value in zip(group.rows, names, values, strict=True):
        change = row.change
        what = f"{SYMBOLS[change.action]} {padded(name, name_cells)}"
        marked = style.mark(_ACTION_MARKS[change.action], what)
        source = "" if change.source is None else _place(change.source, style)
        yield f"  {marked}  {padded(value, value_cells)}  {source}".rstrip()
        for line in prose_lines(change.reason) if change.reason else ():
            yield from wrapped(terminal(line, PROSE_LIMIT), " " * 6, width)


def _name(name: LimitName) -> str:
    """`object limit`, or the label in quotes, with what distinguishes it from another."""
    words = "object limit" if name.label is None else f'"{terminal(name.label)}"'
    return words if name.qualifier is None else f"{words} ({name.qualifier})"


def _place(place: Place, style: Style) -> str:
    """`file:line` of a change."""
    return style.mark(Mark.PLACE, f"{terminal(place.path, PATH_LIMIT)}:{place.line}")


# ---------------------------------------------------------------- the result of an apply

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
    message = wrapped(terminal(result.message, PROSE_LIMIT), "", width) if result.message else []
    if result.outcome is not Outcome.REFUSED:
        for status in _HEADINGS:
            lines += _with_status(result, status, style, width)
    if result.outcome is Outcome.INCOMPLETE:
        lines += [*message, *wrapped("Run plan again: it shows what is left to do.", "", width), ""]
    if result.outcome is Outcome.NOTHING:
        lines += message
    return "\n".join([*lines, _last_line(result, style)])


def _with_status(result: Result, status: Status, style: Style, width: int | None) -> Iterator[str]:
    found = result.with_status(status)
    if not found:
        return
    yield style.mark(Mark.BOLD, _HEADINGS[status])
    for error, group in groupby(found, key=lambda each: each.error):
        alike = [each.change for each in group]
        for change in alike:
            yield _change(change, style)
        if error is not None:
            yield from _error(error, len(alike), style, width)
    yield ""


def _change(change: Change, style: Style) -> str:
    direction = f"{terminal(change.direction.from_.name)} → {terminal(change.direction.to.name)}"
    what = f"{SYMBOLS[change.action]} {direction} {_name(limit_name(change))}"
    source = "" if change.source is None else f"  {_place(change.source, style)}"
    return f"  {style.mark(_ACTION_MARKS[change.action], what)}  {before_after(change)}{source}"


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


def _last_line(result: Result, style: Style) -> str:
    match result.outcome:
        case Outcome.NOTHING:
            return style.mark(Mark.BOLD, NO_CHANGES)
        case Outcome.APPLIED:
            counts = count_actions(each.change for each in result.with_status(Status.VERIFIED))
            done = ", ".join(f"{count} {DONE[action]}" for action, count in counts.items())
            return style.mark(Mark.GOOD, f"Apply complete: {done}.")
        case Outcome.INCOMPLETE:
            statuses = ", ".join(
                f"{len(result.with_status(status))} {words}" for status, words in _COUNTED.items()
            )
            return style.mark(Mark.BAD, f"Apply incomplete: {statuses}.")
        case Outcome.FAILED:
            reason = terminal(result.message or "", PROSE_LIMIT)
            return style.mark(Mark.BAD, f"Apply failed: nothing was written. {reason}".rstrip())
        case Outcome.REFUSED:
            reason = terminal(result.message or "nothing was written.", PROSE_LIMIT)
            return style.mark(Mark.BAD, f"Apply refused: {reason}")
