"""A plan as one HTML page that needs nothing from outside and runs no script.

`templates/plan.html` is the page; this module prepares what it shows. Whatever the template writes
is made visible and then escaped by default: a stranger's text needs no remembered call.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import jinja2

from reconciler.errors import plural
from reconciler.model.limits import Place
from reconciler.model.plan import Origin, Plan, Refusal
from reconciler.model.portals import PortalStatus
from reconciler.report.escape import (
    NAME_LIMIT,
    PATH_LIMIT,
    PROSE_LIMIT,
    prose_lines,
    shortened,
    visible,
    web_link,
)
from reconciler.report.status import notices, status_counts, tables
from reconciler.report.view import (
    EFFECT_SYMBOLS,
    NO_CHANGES,
    SECTION_NOTES,
    SECTION_TITLES,
    Effect,
    Group,
    Links,
    Row,
    Section,
    all_groups,
    before_after,
    no_links,
    sections,
    way_out,
)

MOST_BYTES = 1 << 20
"""A page that would be larger is rendered with shorter names and reasons."""

_MOST_CELLS = 6_400
"""A matrix of more cells, of eighty object types, is neither readable nor small."""

_ROTATED_FROM = 8
"""From so many columns on, a matrix has its column headings upright."""

_FILES = 200
_ORIGIN_MARKS = {None: "", Origin.CONFIG: "", Origin.DRIFT: "⚠", Origin.CONFLICT: "↯"}


@dataclass(frozen=True, slots=True)
class _Lengths:
    """Characters of names, reasons and paths that are shown, and whether lines are linked."""

    name: int
    reason: int
    path: int
    linked: bool = True


_LENGTHS = (
    _Lengths(NAME_LIMIT, PROSE_LIMIT, PATH_LIMIT),
    _Lengths(60, 120, 120),
    _Lengths(12, 12, 24, linked=False),
)


def plan_html(plan: Plan, *, digest: str, links: Links = no_links) -> str:
    """The page, of about 1 MiB at most: where it would be larger, its texts are shortened more.

    `links` gives the URL of a file's line, None where the host of the files is not known.
    """
    page = ""
    for lengths in _LENGTHS:
        page = _page(plan, digest, links if lengths.linked else no_links, lengths)
        if len(page.encode()) <= MOST_BYTES:
            break
    return page


def status_html(status: PortalStatus) -> str:
    """The limits in force, a table per object type."""
    template, style = _template_of("status.html")
    page: str = template.render(
        status=status,
        policy=_policy(style),
        counts=status_counts(status),
        notices=notices(status),
        tables=tables(status),
    )
    return page


def _policy(style: str) -> str:
    """What a page may load: its own style sheet, by its hash."""
    return (
        f"default-src 'none'; style-src '{style}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _page(plan: Plan, digest: str, links: Links, lengths: _Lengths) -> str:
    template, style = _template_of("plan.html")
    found = sections(plan)
    groups = all_groups(plan)
    ids = {each.change for each in plan.refusals}
    view = _Preparation(
        links,
        lengths,
        {c.id: f"refused-{n}" for n, c in enumerate(plan.changes) if c.id in ids} if ids else {},
        {group.direction.key: number for number, group in enumerate(groups)},
    )
    page: str = template.render(
        plan=plan,
        digest=digest,
        policy=_policy(style),
        verdict=_verdict(plan),
        effects=_effects(groups),
        refusals=[view.refusal(each) for each in plan.refusals],
        sections=[view.section(each) for each in found],
        matrix=view.matrix(found, groups),
        files=[file.path for file in plan.files[:_FILES]],
        file_count=plural(len(plan.files), "file"),
        more_files=max(0, len(plan.files) - _FILES),
    )
    return page


@cache
def _template_of(name: str) -> tuple[jinja2.Template, str]:
    """A compiled page, and the hash by which its policy allows the style sheet of all pages."""
    folder = files("reconciler.report").joinpath("templates")
    style = folder.joinpath("plan.css").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True,
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = shortened
    environment.globals["style"] = style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    source = folder.joinpath(name).read_text("utf-8")
    return environment.from_string(source), f"sha256-{digest}"


def _finalize(value: object) -> object:
    """What an expression in the template writes, before it is escaped; markup stays as it is."""
    if hasattr(value, "__html__"):
        return value
    text = str(value)
    return visible(text, len(text))


# ---------------------------------------------------------------- the first lines


def _verdict(plan: Plan) -> str:
    if plan.refusals:
        return "Apply will refuse this plan."
    if not plan.changes:
        return NO_CHANGES
    count = len(plan.changes)
    return f"Apply will change {count:,} {'limit' if count == 1 else 'limits'}."


def _effects(groups: Iterable[Group]) -> list[tuple[Effect, str, str]]:
    """Effect, symbol and number of changes, of the effects that occur."""
    counts = Counter(Effect.of(row.change) for group in groups for row in group.rows)
    return [(each, EFFECT_SYMBOLS[each], f"{counts[each]:,}") for each in Effect if counts[each]]


# ---------------------------------------------------------------- what the template shows


@dataclass(frozen=True, slots=True)
class _Where:
    """A place in a file, and its address where the host is known."""

    words: str
    url: str | None


@dataclass(frozen=True, slots=True)
class _Refusal:
    message: str
    where: _Where | None
    row: str | None
    cure: Sequence[str]
    """Words, and between them what is typed."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of a table."""

    refused: str | None
    """The anchor of a change that the plan is refused for."""
    from_name: str
    to_name: str
    effect: Effect
    symbol: str
    protected: bool
    value: str
    where: _Where | None
    label: str | None
    qualifier: str | None
    reason: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Table:
    """The changes of one origin: lines by direction, each with its anchor."""

    id: str
    title: str
    note: str
    size: str
    directions: Sequence[tuple[str, Sequence[_Line]]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What one origin changes in one direction, as a link in a cell of the matrix."""

    anchor: str
    words: str
    spoken: str


@dataclass(frozen=True, slots=True)
class _Cell:
    kind: str
    entries: Sequence[_Entry]


@dataclass(frozen=True, slots=True)
class _Matrix:
    """Object types from which and to which limits change; None: nothing changes there."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[_Cell | None]]]
    rotated: bool


@dataclass(frozen=True, slots=True)
class _Preparation:
    """Turns a plan's values into what the template shows.

    `refused`: anchors of the changes that the plan is refused for, by their IDs. `numbers`: of the
    directions.
    """

    links: Links
    lengths: _Lengths
    refused: dict[str, str]
    numbers: dict[tuple[str, str], int]

    def refusal(self, refusal: Refusal) -> _Refusal:
        return _Refusal(
            shortened(refusal.message, PROSE_LIMIT),
            None if refusal.source is None else self._where(refusal.source),
            self.refused.get(refusal.change or ""),
            f"{way_out(refusal)}.".split("`"),
        )

    def section(self, section: Section) -> _Table:
        """One origin's table: directions in which something is restricted come first."""
        origin = section.origin
        return _Table(
            _name(origin),
            "Changes" if origin is None else SECTION_TITLES[origin],
            "" if origin is None else SECTION_NOTES[origin],
            f"{section.size:,}",
            [
                (self._anchor(origin, group), [self._line(group, row) for row in group.rows])
                for group in sorted(section.groups, key=self._rank)
            ],
        )

    def _line(self, group: Group, row: Row) -> _Line:
        change, lengths = row.change, self.lengths
        effect = Effect.of(change)
        label = row.name.label
        return _Line(
            self.refused.get(change.id) if self.refused else None,
            shortened(group.from_name, lengths.name),
            shortened(group.to_name, lengths.name),
            effect,
            EFFECT_SYMBOLS[effect],
            change.protected,
            before_after(change),
            None if change.source is None else self._where(change.source),
            None if label is None else shortened(label, lengths.name),
            row.name.qualifier,
            prose_lines(change.reason, lengths.reason) if change.reason else (),
        )

    def _where(self, place: Place) -> _Where:
        path = shortened(place.path, self.lengths.path)
        return _Where(f"{path}:{place.line}", web_link(self.links(place)))

    def _anchor(self, origin: Origin | None, group: Group) -> str:
        return f"{_name(origin)}-{self.numbers[group.direction.key]}"

    def _rank(self, group: Group) -> int:
        """What is refused, then by the strongest effect."""
        if self._is_refused(group):
            return -1
        order = list(Effect)
        return min(order.index(Effect.of(row.change)) for row in group.rows)

    def _is_refused(self, group: Group) -> bool:
        return bool(self.refused) and any(row.change.id in self.refused for row in group.rows)

    # ------------------------------------------------------------ the matrix

    def matrix(self, found: Iterable[Section], groups: Sequence[Group]) -> _Matrix | None:
        """None where nothing changes, and where there are too many object types to be read."""
        froms = _sorted_names((group.direction.from_.id, group.from_name) for group in groups)
        tos = _sorted_names((group.direction.to.id, group.to_name) for group in groups)
        if not groups or len(froms) * len(tos) > _MOST_CELLS:
            return None
        cells = self._cells(found, groups)
        length = self.lengths.name
        return _Matrix(
            [shortened(name, length) for name in tos.values()],
            [
                (shortened(name, length), [cells.get((from_id, to_id)) for to_id in tos])
                for from_id, name in froms.items()
            ],
            len(tos) >= _ROTATED_FROM,
        )

    def _cells(
        self, found: Iterable[Section], groups: Iterable[Group]
    ) -> dict[tuple[str, str], _Cell]:
        entries: dict[tuple[str, str], list[_Entry]] = {}
        for section in found:
            for group in section.groups:
                entry = self._entry(section.origin, group)
                entries.setdefault(group.direction.key, []).append(entry)
        return {
            group.direction.key: _Cell(self._kind(group), entries[group.direction.key])
            for group in groups
        }

    def _entry(self, origin: Origin | None, group: Group) -> _Entry:
        counts = Counter(Effect.of(row.change) for row in group.rows)
        found = [(each, counts[each]) for each in Effect if counts[each]]
        spoken = ", ".join(f"{count} {effect}" for effect, count in found)
        whose = "" if origin is None else f"{SECTION_TITLES[origin]}: "
        return _Entry(
            self._anchor(origin, group),
            _ORIGIN_MARKS[origin] + " ".join(f"{EFFECT_SYMBOLS[e]}{count}" for e, count in found),
            f"{shortened(group.name, 2 * self.lengths.name)}. {whose}{spoken}",
        )

    def _kind(self, group: Group) -> str:
        """The strongest effect of a direction's changes."""
        if self._is_refused(group):
            return "refused"
        restricts = any(Effect.of(row.change).restricts for row in group.rows)
        return "restricts" if restricts else "relaxes"


def _name(origin: Origin | None) -> str:
    """The anchor of an origin's table."""
    return "all" if origin is None else origin.value


def _sorted_names(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names by object type ID, sorted as people sort them."""
    return dict(sorted(dict(names).items(), key=lambda each: (each[1].casefold(), each[0])))
