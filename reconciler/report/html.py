"""Plans as one HTML page that needs nothing from outside, and can be read without its script.

`templates/plan.html` is the page; this module prepares what it shows. Whatever the template writes
is made visible and then escaped by default: a stranger's text needs no remembered call. The script
filters rows; like the style sheet, it is allowed by its hash, and nothing else is.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import jinja2

from reconciler.errors import plural
from reconciler.model.limits import Place
from reconciler.model.plan import Change, Origin, Plan, Refusal
from reconciler.model.portals import PortalStatus
from reconciler.report.escape import (
    NAME_LIMIT,
    PATH_LIMIT,
    PROSE_LIMIT,
    prose_lines,
    short_paths,
    shortened,
    visible,
    web_link,
)
from reconciler.report.matrix import Matrix, matrix
from reconciler.report.status import notices, status_counts, tables
from reconciler.report.view import (
    EFFECT_SYMBOLS,
    EFFECT_WORDS,
    NO_CHANGES,
    SECTION_TITLES,
    Effect,
    Links,
    Row,
    Section,
    Unplanned,
    no_links,
    sections,
    verdict,
    way_out,
)

MOST_BYTES = 1 << 20
"""A page that would be larger is rendered with shorter names and reasons."""

_BYTES_OF_A_CHANGE = MOST_BYTES // 2_000
_BYTES_OF_A_PORTAL = MOST_BYTES // 200

_REFUSALS = 2
"""More are folded: the first screen is also for the first change."""

_FILES = 200


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


def plan_html(plan: Plan, *, links: Links = no_links, since: str = "") -> str:
    """The page, of about 1 MiB at most: where it would be larger, its texts are shortened more.

    `links` gives the URL of a file's line, None where the host of the files is not known. `since`
    is plain text that says what differs from an earlier plan.
    """
    return _fitted(lambda lengths: _page([_Report(plan, links, lengths, since=since)], (), lengths))


def plans_html(
    plans: Sequence[Plan | Unplanned],
    *,
    links: Callable[[Plan], Links] = lambda _plan: no_links,
    since: Callable[[Plan], str] = lambda _plan: "",
) -> str:
    """The plans of several portals in one page: a table of all of them, then each with changes.

    A single plan is shown as by `plan_html`. `links` and `since` give those of a plan. The page
    may have 1 MiB for every 2,000 changes, and another one for every 200 portals.
    """
    match plans:
        case [Plan() as plan]:
            return plan_html(plan, links=links(plan), since=since(plan))
    made = [each for each in plans if isinstance(each, Plan)]
    lost = [each for each in plans if isinstance(each, Unplanned)]

    def page(lengths: _Lengths) -> str:
        listed = [
            _Report(each, links(each), lengths, f"p{number}-", since(each))
            if isinstance(each, Plan)
            else each
            for number, each in enumerate(plans, 1)
        ]
        reports = [each for each in listed if isinstance(each, _Report)]
        return _page(reports, listed, lengths, _total(made, lost))

    most = sum(len(each.changes) * _BYTES_OF_A_CHANGE + _BYTES_OF_A_PORTAL for each in made)
    return _fitted(page, max(MOST_BYTES, most))


def status_html(status: PortalStatus) -> str:
    """The limits in force, a table per object type."""
    return _status_page([status], "")


def statuses_html(statuses: Sequence[PortalStatus | Unplanned]) -> str:
    """The limits in force in several portals, in one page with a table of all of them."""
    lost = sum(isinstance(each, Unplanned) for each in statuses)
    total = plural(len(statuses), "portal") + (f", {lost:,} not read" if lost else "")
    return _status_page(statuses, f"{total}: limits in force")


def _status_page(listed: Sequence[PortalStatus | Unplanned], total: str) -> str:
    page: str = _template("status.html").render(
        listed=listed, total=total, counts=status_counts, notices=notices, tables=tables
    )
    return page


# ---------------------------------------------------------------- the page


def _fitted(page: Callable[[_Lengths], str], most: int = MOST_BYTES) -> str:
    """The page with its texts as long as they may be in `most` bytes."""
    text = ""
    for lengths in _LENGTHS:
        text = page(lengths)
        if len(text.encode()) <= most:
            break
    return text


def _page(
    reports: Sequence[_Report],
    listed: Sequence[_Report | Unplanned],
    lengths: _Lengths,
    total: str = "",
) -> str:
    """The page of one report, or of those `listed` with a sentence about them all."""
    effects, origins = _counts(reports)
    page: str = _template("plan.html").render(
        reports=reports,
        listed=listed,
        total=total,
        lengths=lengths,
        effects=effects,
        origins=origins,
        shown_refusals=_REFUSALS,
        symbols=EFFECT_SYMBOLS,
        words=EFFECT_WORDS,
    )
    return page


def _counts(
    reports: Iterable[_Report],
) -> tuple[list[tuple[Effect, int]], list[tuple[str, str, int]]]:
    """How many changes there are of each effect, and of each origin with its name and title."""
    changes = [change for each in reports for change in each.plan.changes]
    effects = Counter(map(Effect.of, changes))
    origins = Counter(change.origin for change in changes)
    return (
        [(each, effects[each]) for each in Effect if effects[each]],
        [(each.value, SECTION_TITLES[each], origins[each]) for each in Origin if origins[each]],
    )


def _total(made: Sequence[Plan], lost: Sequence[Unplanned]) -> str:
    refused = sum(bool(each.refusals) for each in made)
    changed = sum(bool(each.changes) and not each.refusals for each in made)
    same = len(made) - refused - changed
    parts = [
        f"{refused:,} will be refused" if refused else "",
        f"{len(lost):,} without a plan" if lost else "",
        f"{changed:,} with changes" if changed else "",
        f"{same:,} without changes" if same else "",
    ]
    counted = ", ".join(filter(None, parts)) or "nothing to plan"
    return f"{plural(len(made) + len(lost), 'portal')}: {counted}."


@cache
def _template(name: str) -> jinja2.Template:
    """A compiled page with its style sheet, its script and the policy that allows the two."""
    folder = files("reconciler.report").joinpath("templates")

    def text_of(file: str) -> str:
        return folder.joinpath(file).read_text("utf-8")

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(text_of),
        autoescape=True,
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = text_of("plan.css"), text_of("plan.js")
    environment.filters["short"] = shortened
    environment.filters["shown"] = _finalize
    environment.filters["number"] = "{:,}".format
    environment.globals["style"] = style
    environment.globals["script"] = script
    environment.globals["script_hash"] = _hash(script)
    environment.globals["policy"] = (
        f"default-src 'none'; style-src '{_hash(style)}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    return environment.get_template(name)


def _hash(text: str) -> str:
    """How a policy names the content of an element."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _finalize(value: object) -> object:
    """What an expression in a template writes, before it is escaped; markup stays as it is."""
    if hasattr(value, "__html__"):
        return value
    text = str(value)
    return visible(text, len(text))


# ---------------------------------------------------------------- what the template shows


@dataclass(frozen=True, slots=True)
class _Where:
    """A place in a file, and its address where the host is known."""

    words: str
    url: str | None


@dataclass(frozen=True)
class _Report:
    """One plan as the template shows it. `prefix` is before its anchors: empty for a single plan.

    `since`: what differs from an earlier plan, empty where there is none.
    """

    plan: Plan
    links: Links
    lengths: _Lengths
    prefix: str = ""
    since: str = ""

    @property
    def anchor(self) -> str:
        return f"{self.prefix}plan"

    @property
    def is_worth_showing(self) -> bool:
        """Whether there is more to say than a line of the table of plans does."""
        plan = self.plan
        return bool(plan.changes or plan.refusals or plan.warnings or self.since)

    @property
    def counts(self) -> str:
        return verdict(self.plan)

    @property
    def sentence(self) -> str:
        """What happens if somebody approves the plan."""
        plan = self.plan
        if not plan.changes:
            return "Apply will refuse this plan." if plan.refusals else NO_CHANGES
        limits = f"{len(plan.changes):,} {'limit' if len(plan.changes) == 1 else 'limits'}"
        what = "refuse this plan" if plan.refusals else f"change {limits}"
        return f"Apply will {what}: {self.counts}."

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return sections(self.plan)

    @property
    def affects(self) -> bool:
        """Whether anything is known of who is affected."""
        return any(row.affected for each in self.sections for row in each.rows)

    @cached_property
    def matrix(self) -> Matrix | None:
        return matrix(self.sections)

    @property
    def what(self) -> str:
        """What apply does, in a word or two."""
        if self.plan.refusals:
            return "will be refused"
        count = len(self.plan.changes)
        return plural(count, "change") if count else "no changes"

    @property
    def warned(self) -> str:
        return plural(len(self.plan.warnings), "warning")

    @property
    def filed(self) -> str:
        return plural(len(self.plan.files), "file")

    @cached_property
    def _anchors(self) -> Mapping[str, str]:
        """Of the changes that something leads to: what is refused, the first of each direction."""
        linked = {each.change for each in self.plan.refusals}
        if self.matrix is not None:
            linked |= {
                cell.first.change.id for _, cells in self.matrix.rows for cell in cells if cell
            }
        return {
            change.id: f"{self.prefix}c{number}"
            for number, change in enumerate(self.plan.changes, 1)
            if change.id in linked
        }

    def anchor_of(self, row: Row) -> str | None:
        """The anchor of a row that something leads to."""
        return self._anchors.get(row.change.id)

    def anchor_of_refused(self, refusal: Refusal) -> str | None:
        return self._anchors.get(refusal.change or "")

    def cure(self, refusal: Refusal) -> list[str]:
        """Words, and between them what is typed."""
        return f"{way_out(refusal)}.".split("`")

    def reason(self, change: Change) -> list[str]:
        return prose_lines(change.reason, self.lengths.reason) if change.reason else []

    @cached_property
    def _paths(self) -> Mapping[str, str]:
        places = (
            *(each.source for each in self.plan.changes),
            *(each.source for each in self.plan.refusals),
        )
        return short_paths({each.path for each in places if each is not None})

    def where(self, place: Place) -> _Where:
        """The place and its address; where it has one, by the end of its path that is unambiguous."""
        url = web_link(self.links(place)) if self.lengths.linked else None
        path = place.path if url is None else self._paths[place.path]
        return _Where(f"{shortened(path, self.lengths.path)}:{place.line}", url)

    @property
    def files(self) -> list[str]:
        return [each.path for each in self.plan.files[:_FILES]]
