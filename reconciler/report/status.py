"""The limits in force in a portal, as text and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby

from reconciler.errors import plural
from reconciler.model.limits import Category
from reconciler.model.plan import LimitUsage
from reconciler.model.portals import LimitInForce, PortalStatus, Standing
from reconciler.outgoing import harmless_json
from reconciler.report.escape import PROSE_LIMIT, terminal
from reconciler.report.terminal import Mark, Style, padded, widest

_WIDEST = 60
"""Cells of a name up to which it widens its column."""


def status_text(status: PortalStatus, style: Style) -> str:
    """A table per object type, what is not managed beside its limit, and the counts at the end."""
    account = status.account
    name = style.mark(Mark.BOLD, terminal(status.name))
    lines = [f"{name} (portal {account.portal_id}, {account.account_type})"]
    for object_type, found in tables(status):
        rows = [(f"→ {terminal(each.to)}", terminal(each.name), each.value) for each in found]
        widths = [widest(column, _WIDEST) for column in zip(*rows, strict=True)]
        lines += ["", style.mark(Mark.BOLD, terminal(object_type))]
        for row, each in zip(rows, found, strict=True):
            said = [(each.records, Mark.DIM), (each.files, Mark.WARNING)]
            notes = [style.mark(mark, terminal(text, PROSE_LIMIT)) for text, mark in said if text]
            lines.append(f"  {'  '.join(map(padded, row, widths))}  {'; '.join(notes)}".rstrip())
    notes = [terminal(each, PROSE_LIMIT) for each in notices(status)]
    counts = style.mark(Mark.BOLD, status_counts(status))
    return "\n".join([*lines, *([""] if notes else []), *notes, "", counts])


def status_counts(status: PortalStatus) -> str:
    """The last line: how many limits there are, and how many of them no file manages."""
    parts = [f"{status.count(each)} {each}" for each in Standing if status.count(each)]
    astray = sum(not each.is_as_wanted for each in status.limits)
    differ = f" {plural(astray, 'limit')} not as the files want." if astray else ""
    return f"{plural(len(status.limits), 'limit')}: {', '.join(parts) or 'none'}.{differ}"


@dataclass(frozen=True, slots=True)
class Row:
    """A limit in force as reports show it, before any escaping."""

    to: str
    name: str
    value: str
    files: str
    records: str


def tables(status: PortalStatus) -> list[tuple[str, list[Row]]]:
    """The limits by the object type that they are of."""
    usage = {(each.from_id, each.to_id): each for each in status.usage or ()}
    return [
        (str(from_), [_row(each, usage.get(each.direction.key)) for each in group])
        for from_, group in groupby(status.limits, key=lambda each: each.direction.from_)
    ]


def notices(status: PortalStatus) -> list[str]:
    """What the tables do not say."""
    return [
        *status.notes,
        *(f"not in the tables, its direction is not known: {each}" for each in status.unplaced),
    ]


def _row(each: LimitInForce, usage: LimitUsage | None) -> Row:
    in_files = "" if each.standing is Standing.MANAGED else str(each.standing)
    if not each.is_as_wanted:
        wanted = "unlimited" if each.wanted is None else str(each.wanted)
        in_files = f"the files want {wanted}" + ("" if each.source is None else f" ({each.source})")
    records = ""
    if usage is not None and each.type.label is None:
        records = f"{usage.at_limit} at the limit, {usage.near_limit} near it"
        records = "usage unknown" if usage.at_limit is None else records
    return Row(str(each.direction.to), _named(each), str(each.max), in_files, records)


def _named(each: LimitInForce) -> str:
    if each.type.label is None:
        return "object limit"
    own = each.type.key.category is Category.USER_DEFINED
    return f'"{each.type.label}"' if own else f'"{each.type.label}" ({each.type.key.category})'


def status_json(status: PortalStatus) -> str:
    """The status as canonical JSON: sorted keys, UTF-8. `usage` null: the portal does not say."""
    document = {
        "format_version": "1.0",
        "portal": {
            "name": status.name,
            "portal_id": status.account.portal_id,
            "account_type": str(status.account.account_type),
        },
        "summary": {
            "limits": len(status.limits),
            **{str(each): status.count(each) for each in Standing},
        },
        "limits": [_limit(each) for each in status.limits],
        "usage": None
        if status.usage is None
        else [
            {
                "from_id": each.from_id,
                "to_id": each.to_id,
                "limit": each.limit,
                "at_limit": each.at_limit,
                "near_limit": each.near_limit,
            }
            for each in status.usage
        ],
        "unplaced": list(status.unplaced),
        "notes": list(status.notes),
    }
    return harmless_json(json.dumps(document, ensure_ascii=False, sort_keys=True))


def _limit(each: LimitInForce) -> dict[str, object]:
    direction, key, source = each.direction, each.type.key, each.source
    managed = each.standing is Standing.MANAGED
    return {
        "from": direction.from_.name,
        "to": direction.to.name,
        "from_id": direction.from_.id,
        "to_id": direction.to.id,
        "category": str(key.category),
        "type_id": key.type_id,
        "label": each.type.label,
        "max": each.max,
        "standing": str(each.standing),
        "wanted": (each.wanted or "unlimited") if managed else None,
        "source": None
        if source is None
        else {"path": source.path, "line": source.line, "column": source.column},
    }
