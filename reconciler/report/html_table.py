"""The tables of an HTML report: one for each direction, in a section for each origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.model.limits import Place
from reconciler.model.plan import Plan
from reconciler.report.escape import (
    NAME_LIMIT,
    PATH_LIMIT,
    PROSE_LIMIT,
    html_quoted,
    html_text,
    prose_lines,
    terminal,
    web_link,
)
from reconciler.report.svg import CLASSES
from reconciler.report.view import (
    SECTION_NOTES,
    SECTION_TITLES,
    SIGNS,
    Group,
    LimitName,
    Links,
    Row,
    Section,
    all_groups,
    amount,
    no_links,
    object_types,
    sections,
    short_counts,
)

_HEAD = "<thead><tr><th>Change</th><th>Limit</th><th>Before → after</th><th>File</th></tr></thead>"


@dataclass(frozen=True, slots=True)
class Limits:
    """Characters of names, reasons and paths that are shown, and whether lines are linked."""

    name: int
    reason: int
    path: int
    linked: bool = True


_LIMITS = (
    Limits(NAME_LIMIT, PROSE_LIMIT, PATH_LIMIT),
    Limits(60, 120, 120),
    Limits(12, 12, 24, linked=False),
)


def changes_tables(plan: Plan, links: Links, room: int) -> str:
    """All changes. A table's anchor is `d` and its direction's number, a row's `c` and its own.

    Where they take more bytes than there is `room` for, texts are shortened more.
    """
    tables = ""
    for limits in _LIMITS:
        tables = "\n".join(_tables(plan, links if limits.linked else no_links, limits))
        if len(tables.encode()) < room:
            break
    return tables


def _tables(plan: Plan, links: Links, limits: Limits) -> Iterator[str]:
    numbers = {group.direction.key: number for number, group in enumerate(all_groups(plan))}
    types = {each.id: number for number, each in enumerate(object_types(plan))}
    anchored: set[int] = set()
    for section in sections(plan):
        yield from _section_opening(section)
        for group in section.groups:
            number = numbers[group.direction.key]
            anchor = "" if number in anchored else f' id="d{number}"'
            anchored.add(number)
            from_id, to_id = group.direction.key
            yield (
                f'<table{anchor} data-d="{number}" data-f="{types[from_id]}" '
                f'data-t="{types[to_id]}"><caption>{_caption(group, limits)}</caption>{_HEAD}'
                f"<tbody>{''.join(_row(row, links, limits) for row in group.rows)}</tbody></table>"
            )
        yield "</section>"


def _section_opening(section: Section) -> Iterator[str]:
    yield "<section data-section>"
    if section.origin is None:
        yield "<h2>Changes</h2>"
        return
    title = SECTION_TITLES[section.origin]
    yield f'<h2>{title} <span class="count">({section.size:,})</span></h2>'
    yield f'<p class="note">{SECTION_NOTES[section.origin]}</p>'


def _caption(group: Group, limits: Limits) -> str:
    names = (
        f"<bdi>{html_text(name, limits.name)}</bdi>" for name in (group.from_name, group.to_name)
    )
    return f"<h3>{' → '.join(names)}</h3><span>{short_counts(group.rows)}</span>"


def _row(row: Row, links: Links, limits: Limits) -> str:
    change = row.change
    kind = CLASSES[change.action]
    lines = [
        f"<bdi>{html_text(line, limits.reason)}</bdi>"
        for line in prose_lines(change.reason or "", limits.reason)
    ]
    why = f'<div class="why">{"<br>".join(lines)}</div>' if lines else ""
    where = "" if change.source is None else place_link(change.source, links, limits.path)
    return (
        f'<tr id="c{row.index}" data-a="{kind}">'
        f"<td><b>{SIGNS[change.action]} {change.action}</b></td>"
        f'<th scope="row">{_name(row.name, limits)}{why}</th>'
        f"<td><s>{amount(change.before)}</s> → <b>{amount(change.after)}</b></td>"
        f"<td>{where}</td></tr>"
    )


def _name(name: LimitName, limits: Limits) -> str:
    if name.label is None:
        words = "<i>object limit</i>"
    else:
        words = f"<b>“<bdi>{html_text(name.label, limits.name)}</bdi>”</b>"
    return words if name.qualifier is None else f"{words} <small>{name.qualifier}</small>"


def place_link(place: Place, links: Links, limit: int = PATH_LIMIT) -> str:
    """`file:line`, linked where the host is known."""
    words = f"{html_quoted(terminal(place.path, limit))}:{place.line}"
    url = web_link(links(place))
    return words if url is None else f'<a href="{html_quoted(url)}">{words}</a>'
