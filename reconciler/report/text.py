"""A plan as text for terminals and logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import plural
from reconciler.model.limits import Place
from reconciler.model.plan import (
    Plan,
    Summary,
)
from reconciler.report.escape import PATH_LIMIT, PROSE_LIMIT, prose_lines, terminal
from reconciler.report.terminal import Mark, Style, cells, padded, widest, wrapped
from reconciler.report.view import (
    EFFECT_SYMBOLS,
    EFFECT_WORDS,
    NO_CHANGES,
    Role,
    Row,
    Section,
    ShownName,
    Unplanned,
    counted,
    headline,
    portal_name,
    sections,
    verdict,
    way_out,
)

_NAME_CELLS = 44
_BEFORE_CELLS = len("unlimited")
_AFTER_CELLS = len("unlimited (of 50000)")
_EFFECT_CELLS = len("↓ new limit")
_INDENT = " " * (2 + _EFFECT_CELLS + 2)
"""Of what is below a row: the column of the directions."""
_COMMIT = 12
"""As many characters of a commit as `git rev-parse --short` gives in a large repository."""

_NO_PLAN = "No portal could be planned."

_ROLE_MARKS = {
    Role.RESTRICTS: Mark.RESTRICTS,
    Role.RELAXES: Mark.RELAXES,
    Role.REFUSED: Mark.BAD,
}


def plan_text(plan: Plan, *, style: Style, width: int | None = None) -> str:
    """The complete plan, without a line end after its last line, which is the one to grep.

    `width` in cells wraps reasons and messages, and puts paths on a line of their own where they
    do not fit; None, for files and pipes, wraps nothing.
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
    lines += _sections(sections(plan), style, width)
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


def plans_text(plans: Sequence[Plan | Unplanned], *, style: Style, width: int | None = None) -> str:
    """The plans of several portals, then a table of them; the last line counts all their changes.

    A plan that has nothing to say is a line of the table only. A single plan is shown as by
    `plan_text`.
    """
    made = [each for each in plans if isinstance(each, Plan)]
    if len(plans) == 1 and made:
        return plan_text(made[0], style=style, width=width)
    said = [each for each in made if each.changes or each.refusals or each.warnings]
    texts = [plan_text(each, style=style, width=width) for each in said]
    names = [terminal(portal_name(each)) for each in plans]
    name_cells = widest(names, _NAME_CELLS)
    table = [style.mark(Mark.BOLD, f"{plural(len(plans), 'portal')}")]
    for each, name in zip(plans, names, strict=True):
        match each:
            case Plan():
                words = verdict(each)
                if each.refusals:
                    words += style.mark(Mark.BAD, " · apply will refuse this plan")
            case Unplanned():
                words = style.mark(Mark.BAD, f"no plan: {terminal(each.reason, PROSE_LIMIT)}")
        table.append(f"  {padded(name, name_cells)}  {words}")
    summaries = [each.summary for each in made]
    total = Summary(
        create=sum(each.create for each in summaries),
        update=sum(each.update for each in summaries),
        delete=sum(each.delete for each in summaries),
    )
    all_match = len(made) == len(plans) and {headline(each) for each in made} <= {NO_CHANGES}
    last = NO_CHANGES if all_match else counted(total) if made else _NO_PLAN
    return "\n\n".join([*texts, "\n".join(table), style.mark(Mark.BOLD, last)])


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
        first, *rest = wrapped(f"Warning: {terminal(warning, PROSE_LIMIT)}", "  ", width)
        yield first[2:].replace("Warning:", style.mark(Mark.WARNING, "Warning:"), 1)
        yield from rest
    yield ""


# ---------------------------------------------------------------- the table of changes


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths in cells that the tables of all sections share, so that values line up.

    `with_paths`: every row has room for its path; else paths are below their rows.
    """

    direction: int
    name: int
    before: int
    after: int
    with_paths: bool


@dataclass(frozen=True, slots=True)
class _Cells:
    """The texts of a row, made harmless."""

    row: Row
    direction: str
    name: str
    before: str
    after: str
    path: str


def _sections(found: Sequence[Section], style: Style, width: int | None) -> Iterator[str]:
    """One table across directions for each origin."""
    tables = [(each, [_cells(row) for row in each.rows]) for each in found]
    rows = [each for _, table in tables for each in table]
    columns = _columns(rows, width)
    for section, table in tables:
        note = f": {section.note}" if section.note else ""
        yield style.mark(Mark.BOLD, section.title) + style.mark(Mark.DIM, note)
        for each in table:
            yield from _row(each, columns, style, width)
        yield ""


def _cells(row: Row) -> _Cells:
    source = row.change.source
    return _Cells(
        row,
        f"{terminal(row.from_name)} → {terminal(row.to_name)}",
        name_words(row.name),
        row.before,
        row.after,
        "" if source is None else file_line(source),
    )


def _columns(rows: Sequence[_Cells], width: int | None) -> _Columns:
    columns = _Columns(
        widest((each.direction for each in rows), _NAME_CELLS),
        widest((each.name for each in rows), _NAME_CELLS),
        widest((each.before for each in rows), _BEFORE_CELLS),
        widest((each.after for each in rows), _AFTER_CELLS),
        with_paths=True,
    )
    if width is None:
        return columns
    used = len(_INDENT) + columns.direction + columns.name + columns.before + columns.after
    paths = max((cells(each.path) for each in rows), default=0)
    return replace(columns, with_paths=used + len("    →   ") + 2 + paths <= width)


def _row(each: _Cells, columns: _Columns, style: Style, width: int | None) -> Iterator[str]:
    row, mark = each.row, _ROLE_MARKS[each.row.role]
    words = f"{EFFECT_SYMBOLS[row.effect]} {EFFECT_WORDS[row.effect]}"
    effect = padded(words, _EFFECT_CELLS)
    before = " " * (columns.before - cells(each.before)) + each.before
    value = f"{before} → {each.after}"
    name = f"{padded(each.direction, columns.direction)}  {padded(each.name, columns.name)}"
    line = f"  {style.mark(mark, effect)}  {name}  {style.mark(mark, value)}"
    path = style.mark(Mark.PLACE, each.path)
    if path and columns.with_paths:
        yield f"{line}{' ' * (columns.after - cells(each.after))}  {path}"
    else:
        if width is None or cells(f"{_INDENT}{name}  {value}") <= width:
            yield line
        else:
            yield from _broken(each, f"  {style.mark(mark, effect)}  ", mark, style, width)
        if path:
            yield _INDENT + path
    if row.affected:
        yield from (
            style.mark(mark, line) if line.strip() else line
            for line in wrapped(row.affected, _INDENT, width)
        )
    for line in prose_lines(row.change.reason) if row.change.reason else ():
        yield from wrapped(terminal(line, PROSE_LIMIT), _INDENT, width)


def _broken(each: _Cells, start: str, mark: Mark, style: Style, width: int) -> Iterator[str]:
    """A row that is wider than the terminal: broken between its columns, and a long label in words."""
    lines = wrapped(each.direction, _INDENT, width)
    for text in (each.name, value := f"{each.before} → {each.after}"):
        if cells(joined := f"{lines[-1]}  {text}") <= width:
            lines[-1] = joined
        else:
            lines += wrapped(text, _INDENT, width)
    lines[0] = start + lines[0].removeprefix(_INDENT)
    lines[-1] = lines[-1].removesuffix(value) + style.mark(mark, value)
    yield from lines


def name_words(name: ShownName) -> str:
    """`object limit`, or the label in quotes, with what distinguishes it from another."""
    words = "object limit" if name.label is None else f'"{terminal(name.label)}"'
    return words if name.qualifier is None else f"{words} ({name.qualifier})"


def _place(place: Place, style: Style) -> str:
    """`file:line` of a change."""
    return style.mark(Mark.PLACE, file_line(place))


def file_line(place: Place) -> str:
    """`configs/cars.yaml:8`."""
    return f"{terminal(place.path, PATH_LIMIT)}:{place.line}"
