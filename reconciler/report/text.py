"""A plan as text, for terminals and logs."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.errors import plural
from reconciler.model.limits import Place
from reconciler.model.plan import Change, Plan
from reconciler.report.cells import padded, widest, wrapped
from reconciler.report.escape import PATH_LIMIT, PROSE_LIMIT, prose_lines, terminal
from reconciler.report.style import Style
from reconciler.report.view import (
    SECTION_NOTES,
    SECTION_TITLES,
    SYMBOLS,
    Group,
    LimitName,
    Section,
    before_after,
    headline,
    portal_line,
    sections,
    short_commit,
    way_out,
)

_NAME_CELLS = 44
_AMOUNT_CELLS = len("unlimited → 50000")


def plan_text(plan: Plan, *, style: Style, width: int | None = None) -> str:
    """The whole plan, without a line end after its last line, which is the one to grep.

    `width` in cells wraps reasons and messages; None, for files and pipes, wraps nothing.
    """
    lines = [*_destination(plan, style), ""]
    lines += _refusals(plan, style, width)
    for section in sections(plan):
        lines += _section(section, style, width)
    lines += _warnings(plan, style, width)
    lines += _left_alone(plan)
    return "\n".join([*lines, style.bold(headline(plan))])


def _destination(plan: Plan, style: Style) -> Iterator[str]:
    yield f"{style.bold(terminal(plan.portal.name))} ({terminal(portal_line(plan))})"
    if plan.git is not None and plan.git.base is not None:
        yield style.dim(f"compared with the base {terminal(short_commit(plan.git.base))}")


# ---------------------------------------------------------------- what stands in the way


def _refusals(plan: Plan, style: Style, width: int | None) -> Iterator[str]:
    if not plan.refusals:
        return
    yield style.bad("Refused: apply will not carry out this plan.")
    for refusal in plan.refusals:
        yield from _bullet(f"{terminal(refusal.message, PROSE_LIMIT)} ({way_out(refusal)})", width)
        if refusal.source is not None:
            yield f"    {place_text(refusal.source, style)}"
    yield ""


def _warnings(plan: Plan, style: Style, width: int | None) -> Iterator[str]:
    for warning in plan.warnings:
        first, *rest = wrapped(f"Warning: {terminal(warning, PROSE_LIMIT)}", "", width)
        yield first.replace("Warning:", style.warning("Warning:"), 1)
        yield from (f"  {line}" for line in rest)
    if plan.warnings:
        yield ""


def _left_alone(plan: Plan) -> Iterator[str]:
    summary = plan.summary
    parts = []
    if summary.unchanged:
        parts.append(f"{plural(summary.unchanged, 'limit')} unchanged")
    if summary.unmanaged:
        parts.append(f"{summary.unmanaged} unmanaged (left alone)")
    if parts:
        yield ", ".join(parts) + "."
        yield ""


# ---------------------------------------------------------------- changes


def _section(section: Section, style: Style, width: int | None) -> Iterator[str]:
    if section.origin is not None:
        title = f"{SECTION_TITLES[section.origin]} ({section.size})"
        yield style.bold(title)
        yield from (style.dim(line) for line in wrapped(SECTION_NOTES[section.origin], "", width))
        yield ""
    for group in section.groups:
        yield from _group(group, style, width)
        yield ""


def _group(group: Group, style: Style, width: int | None) -> Iterator[str]:
    yield style.bold(direction_text(group.from_name, group.to_name))
    names = [name_text(row.name) for row in group.rows]
    name_cells = widest(names, _NAME_CELLS)
    amount_cells = widest((before_after(row.change) for row in group.rows), _AMOUNT_CELLS)
    for row, name in zip(group.rows, names, strict=True):
        change = row.change
        what = f"{SYMBOLS[change.action]} {padded(name, name_cells)}"
        amounts = padded(before_after(change), amount_cells)
        line = f"  {style.action(change.action, what)}  {amounts}  {_source(change, style)}"
        yield line.rstrip()
        yield from reason_text(change, width)


def _source(change: Change, style: Style) -> str:
    return "" if change.source is None else place_text(change.source, style)


# ---------------------------------------------------------------- pieces shared with results


def direction_text(from_name: str, to_name: str) -> str:
    """`contacts → companies`, indentation and colour left to the caller."""
    return f"{terminal(from_name)} → {terminal(to_name)}"


def name_text(name: LimitName) -> str:
    """`object limit`, or the label in quotes, with what tells it from another."""
    words = "object limit" if name.label is None else f'"{terminal(name.label)}"'
    return words if name.qualifier is None else f"{words} ({name.qualifier})"


def place_text(place: Place, style: Style) -> str:
    """`file:line` of a change."""
    return style.place(f"{terminal(place.path, PATH_LIMIT)}:{place.line}")


def reason_text(change: Change, width: int | None) -> list[str]:
    """The reason the file gives, below its change, line by line as it stands there."""
    lines = prose_lines(change.reason or "")
    return [each for line in lines for each in wrapped(terminal(line, PROSE_LIMIT), " " * 6, width)]


def _bullet(text: str, width: int | None) -> Iterator[str]:
    first, *rest = wrapped(text, "    ", width)
    yield f"  ! {first[4:]}"
    yield from rest
