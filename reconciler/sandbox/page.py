"""The portal's limits as a page for people: self-contained, and every text of the portal escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from .object_types import ObjectType
from .portal import Associations, AssociationType, Direction, Portal

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d9dee5, #3a414b);
  --soft: light-dark(#5b6673, #9aa5b1); --head: light-dark(#f4f6f8, #20252b); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: light-dark(#1c232b, #e6e9ed); background: light-dark(#fff, #15191e); }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { color: var(--soft); margin-top: .25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem; border-bottom: 1px solid var(--line); }
th { background: var(--head); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.none { color: var(--soft); }
"""


def page(portal: Portal) -> str:
    """One table for each direction that has a limit, with all its types."""
    return "".join(_parts(portal))


def _parts(portal: Portal) -> Iterator[str]:
    shown = {
        direction: associations
        for direction, associations in portal.directions.items()
        if associations.limits
    }
    count = sum(len(associations.limits) for associations in shown.values())
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Portal {portal.portal_id}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Portal {portal.portal_id}</h1>"
        f"<p>{escape(portal.account_type.value)}, a local stand-in. "
        f"{count} limits in {len(shown)} directions. Reload to see changes.</p>"
    )
    for direction, associations in shown.items():
        yield from _table(portal, direction, associations)
    yield "</body></html>"


def _table(portal: Portal, direction: Direction, associations: Associations) -> Iterator[str]:
    start, end = (_name(portal.object_types.with_id(id_)) for id_ in direction)
    yield (
        f"<h2>{start} → {end}</h2><table><thead><tr><th>Label</th><th>Category</th>"
        '<th class="number">Type ID</th><th class="number">Limit</th></tr></thead><tbody>'
    )
    for one in associations.types.values():
        yield _row(one, associations.limits.get(one.key))
    yield "</tbody></table>"


def _row(one: AssociationType, maximum: int | None) -> str:
    label = '<span class="none">no label: all associations</span>'
    if one.label is not None:
        label = escape(one.label)
    limit = '<span class="none">unlimited</span>' if maximum is None else f"{maximum:,}"
    return (
        f"<tr><td>{label}</td><td>{one.category.value}</td>"
        f'<td class="number">{one.type_id}</td><td class="number">{limit}</td></tr>'
    )


def _name(object_type: ObjectType) -> str:
    return escape(object_type.fully_qualified_name or object_type.plural)
