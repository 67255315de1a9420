"""How two portals differ, as text, markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import assert_never

from reconciler.errors import plural
from reconciler.model.limits import Category
from reconciler.model.portals import (
    MAY_HAVE_IT,
    NO_SUCH_TYPE,
    Comparison,
    Difference,
    Lacking,
    LimitName,
    Side,
    WrittenFile,
)
from reconciler.outgoing import harmless_json
from reconciler.report.escape import markdown_cell, markdown_code, markdown_prose, terminal
from reconciler.report.terminal import Mark, Style, cells, padded

NO_DIFFERENCES = "No differences."


def comparison_text(found: Comparison, style: Style) -> str:
    """A line per limit that differs, by direction; the counts on the last line."""
    heads = [terminal(name) for name in found.names]
    rows = [(_shown(each.name), _value(each.a), _value(each.b)) for each in found.differences]
    widths = [
        max([cells(text) for text in column], default=0) for column in zip(*rows, strict=True)
    ]
    lines = [_portal(found, side, terminal) for side in (0, 1)]
    numbered = iter(rows)
    for direction, group in groupby(found.differences, key=lambda each: each.name.direction):
        title = terminal(" → ".join(direction))
        first = max(widths[0] + 2, cells(title))
        second, third = max(widths[1], cells(heads[0])), max(widths[2], cells(heads[1]))
        head = f"{padded(title, first)}  {padded(heads[0], second)}  {heads[1]}"
        lines += ["", style.mark(Mark.BOLD, head)]
        for each in group:
            name, a, b = next(numbered)
            line = f"  {padded(name, first - 2)}  {padded(a, second)}  {padded(b, third)}"
            lines.append(f"{line}  {terminal(_remark(each, found), 300)}".rstrip())
    written = ["", *_written(found, terminal)] if found.written is not None else []
    return "\n".join(
        [*lines, *_unplaced(found), "", style.mark(Mark.BOLD, counts(found)), *written]
    )


def comparison_markdown(found: Comparison) -> str:
    """One table of the limits that differ, under the portals; the counts below it."""
    a, b = (markdown_cell(markdown_code(name)) for name in found.names)
    lines = [f"- {_portal(found, side, markdown_prose)}" for side in (0, 1)]
    if found.differences:
        lines += ["", f"| direction | limit | {a} | {b} | |", "|---|---|---:|---:|---|"]
    for each in found.differences:
        remark = _remark(each, found)
        texts = (
            markdown_code(" → ".join(each.name.direction)),
            markdown_code(_named(each.name)),
            _value(each.a),
            _value(each.b),
            markdown_prose(remark) if remark else "",
        )
        lines.append(f"| {' | '.join(map(markdown_cell, texts))} |")
    unplaced = [f"- {markdown_prose(line)}" for line in _unplaced(found) if line]
    written = [f"- {line}" for line in _written(found, markdown_prose)]
    lines += ["", *unplaced] if unplaced else []
    return "\n".join([*lines, "", counts(found), *([""] if written else []), *written])


def comparison_json(found: Comparison) -> str:
    """The comparison as canonical JSON: sorted keys, UTF-8."""
    document: dict[str, object] = {
        "format_version": "1.0",
        "portals": [
            {
                "name": name,
                "portal_id": account.portal_id,
                "account_type": str(account.account_type),
                "unplaced": list(unplaced),
            }
            for name, account, unplaced in zip(
                found.names, found.accounts, found.unplaced, strict=True
            )
        ],
        "shared": found.shared,
        "differences": [
            {
                "from": each.name.from_,
                "to": each.name.to,
                "label": each.name.label,
                "category": None if each.name.category is None else str(each.name.category),
                "values": [each.a, each.b],
                "lacking": None if each.lacking is None else str(each.lacking),
            }
            for each in found.differences
        ],
    }
    if found.written is not None:
        document["written"] = {
            "files": [
                {"path": each.path, "limits": each.limits, "status": _status(each)}
                for each in found.written.files
            ],
            "left_out": [
                {
                    "from": each.name.from_,
                    "to": each.name.to,
                    "label": each.name.label,
                    "max": each.value,
                    "reason": each.why,
                }
                for each in found.written.left_out
            ],
            "next": found.written.next_step or None,
        }
    return harmless_json(json.dumps(document, ensure_ascii=False, sort_keys=True, indent=2))


def _portal(found: Comparison, side: int, escaped: Callable[[str], str]) -> str:
    account = found.accounts[side]
    return f"{escaped(found.names[side])} (portal {account.portal_id}, {account.account_type})"


def _named(name: LimitName) -> str:
    """A limit within its direction; the category where it is not a user's own label."""
    if name.label is None:
        return "object limit"
    own = name.category in (None, Category.USER_DEFINED)
    return f'"{name.label}"' if own else f'"{name.label}" ({name.category})'


def _shown(name: LimitName) -> str:
    return terminal(_named(name))


def _value(limit: int | None) -> str:
    return "no limit" if limit is None else str(limit)


def _remark(each: Difference, found: Comparison) -> str:
    """What has to be made first, where the portal could not have the limit."""
    if each.lacking is None or each.missing_in is None:
        return ""
    portal = found.names[0 if each.missing_in is Side.A else 1]
    match each.lacking:
        case Lacking.LABEL:
            return f"{portal} has no such label"
        case Lacking.OBJECT_TYPE:
            return f"{portal} {NO_SUCH_TYPE}"
        case Lacking.UNKNOWN:
            return f"{portal} {MAY_HAVE_IT}"
        case _:
            assert_never(each.lacking)


def _unplaced(found: Comparison) -> Iterator[str]:
    for name, rows in zip(found.names, found.unplaced, strict=True):
        for row in rows:
            yield f"not compared, its direction is not known: {terminal(name)}: {terminal(row, 300)}"


def _status(file: WrittenFile) -> str:
    return "created" if file.is_new else "unchanged"


def _written(found: Comparison, escaped: Callable[[str], str]) -> Iterator[str]:
    """What was written for the second portal, what could not be, and what to do next."""
    if found.written is None:
        return
    if not found.written.files:
        yield "Nothing to write."
    for file in found.written.files:
        yield f"{_status(file)} {escaped(file.path)} ({plural(file.limits, 'limit')})"
    for each in found.written.left_out:
        what = f"{' → '.join(each.name.direction)}, {_named(each.name)}"
        value = "removed" if each.value is None else str(each.value)
        yield f"left out: {escaped(f'{what} {value}: {each.why}')}"
    if found.written.next_step:
        yield f"Next: {escaped(found.written.next_step)}"


def counts(found: Comparison) -> str:
    """The last line, for people and for grep."""
    if not found.differences:
        return f"{NO_DIFFERENCES} {plural(found.shared, 'limit')} in both portals."
    sides = [each.missing_in for each in found.differences]
    parts = [
        f"{count} {words}"
        for count, words in (
            (sides.count(None), "with another value"),
            (sides.count(Side.B), f"only in {terminal(found.names[0])}"),
            (sides.count(Side.A), f"only in {terminal(found.names[1])}"),
        )
        if count
    ]
    differ = "limit differs" if len(sides) == 1 else "limits differ"
    return f"{len(sides)} {differ}: {', '.join(parts)}. The same in both: {found.shared}."
