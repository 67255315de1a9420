"""Plans as markdown, for a comment on a pull or merge request: never longer than one may be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice

from reconciler.errors import plural
from reconciler.model.plan import Plan
from reconciler.report import markdown_parts as parts
from reconciler.report.escape import markdown_cell, markdown_prose, visible, web_link
from reconciler.report.markdown_parts import Block, Places, fitting, size, table
from reconciler.report.markdown_tables import Detail, Table, section
from reconciler.report.view import (
    Effect,
    Links,
    Section,
    Unplanned,
    effect_counts,
    no_links,
    sections,
    verdict,
)

LIMIT = 65_000
"""GitHub takes comments of fewer than 65,536 characters (documented); the rest is for a marker."""

MINIMUM_LIMIT = 8_000
"""Room that the summary needs, however hostile its names."""

_NOTE_SIZE = 400
_FULL_REPORTS = 4
"""Reports in one document that have room for a picture and a list of files each."""
_FAILURE_SIZE = 5_000
_REASON_LINE = 500
_COMMIT_DIGITS = 10
_NO_PLAN = """\
> [!CAUTION]
> **There is no plan to approve.** One that this comment showed before is out of date."""
_PRIORITY = (Effect.LOWERED, Effect.REMOVED, Effect.SET, Effect.RAISED)
"""What stays longest where a comment has no room for all."""


_ALL_DETAIL = dict.fromkeys(Effect, Detail.FULL)


def plan_markdown(
    plan: Plan, *, links: Links = no_links, limit: int = LIMIT, since: str = ""
) -> str:
    """The report in fewer than `limit` characters, at least 8,000.

    `since` is markdown that says what differs from an earlier plan, see `since_markdown`.

    Where not all changes fit, the raised ones lose first their reasons, then the links to their
    lines, then the line that each has to itself; then so do new, removed and lowered limits. Where
    that is not enough, raised limits are left out, then new ones. Removed and lowered limits go
    last, and what is left out is counted.
    """
    return plans_markdown([plan], links=lambda _plan: links, limit=limit, since=lambda _plan: since)


def plans_markdown(
    plans: Sequence[Plan | Unplanned],
    *,
    links: Callable[[Plan], Links] = lambda _plan: no_links,
    limit: int = LIMIT,
    since: Callable[[Plan], str] = lambda _plan: "",
) -> str:
    """One document of fewer than `limit` characters: a line per portal, then each one's report.

    The reports share the room: what is lowered or removed in any portal comes before what is new or
    raised in another. A portal that has nothing to report has its line only, and a single plan has
    none.
    """
    if limit < MINIMUM_LIMIT:
        raise ValueError(f"a report needs room for {MINIMUM_LIMIT} characters, not {limit}")
    room, summary = limit, ""
    if len(plans) != 1 or not isinstance(plans[0], Plan):
        summary = _summary(plans, limit // 2)
        room -= size(summary) + _NOTE_SIZE
    made = [each for each in plans if isinstance(each, Plan)]
    if len(made) > 1:
        made = [each for each in made if _says_something(each) or since(each)]
    share = room // max(1, min(len(made), _FULL_REPORTS))
    full = len(made) <= _FULL_REPORTS
    reports = [_report(each, links(each), share, since(each), full=full) for each in made]
    shown = _affordable(reports, room)
    texts = _fitted(shown, room - sum(map(_fixed, shown)))
    return "\n\n".join(filter(None, [summary, _more_portals(len(reports) - len(shown)), *texts]))


def removed_markdown(portal: str | None, workspace: str | None) -> str:
    """That a commit has no such portal any more: what a comment said of it before is out of date."""
    named = parts.named(portal, workspace, before="")
    return f"""\
## {named}: not in the workspace any more

Nothing is planned for this portal, and nothing is applied: its limits in HubSpot stay as they are."""


def failure_markdown(
    portal: str | None,
    workspace: str | None,
    *,
    reason: str,
    log: str | None,
    commit: str | None = None,
    limit: int = LIMIT,
) -> str:
    """That planning failed, and why: what the command said, line by line. `log`: the job's page.

    `portal` None: the workspace could not be read. `commit`: forges link a commit's first digits.
    It has fewer than `limit` characters, at least 8,000.
    """
    what = "planning" if commit is None else f"planning commit {visible(commit[:_COMMIT_DIGITS])}"
    lines = [visible(line.rstrip(), _REASON_LINE) for line in reason.strip("\n").splitlines()]
    shown = _first(lines, limit - _FAILURE_SIZE)
    page = web_link(log)
    return "\n\n".join(
        filter(
            None,
            [
                f"## No plan{parts.named(portal, workspace)}: {what} failed",
                _NO_PLAN,
                _fenced(shown),
                _more(len(lines) - len(shown)),
                page and f"[The job's log](<{page}>)",
            ],
        )
    )


def _first(lines: Sequence[str], room: int) -> list[str]:
    """As many lines as there is room for; the first error is the one to read."""
    ends = accumulate(len(line) + 1 for line in lines)
    return [line for line, end in zip(lines, ends, strict=True) if end <= room]


def _more(left_out: int) -> str:
    return f"{left_out:,} more lines are in the job's log." if left_out else ""


def _fenced(lines: Sequence[str]) -> str:
    """A block of code whose fence no line of it can close."""
    if not any(lines):
        return ""
    longest = max((len(run) for run in re.findall("`+", "\n".join(lines))), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *lines, fence])


# ---------------------------------------------------------------- several portals


def _summary(plans: Sequence[Plan | Unplanned], room: int) -> str:
    """What happens where: a line per portal."""
    differ = sum(isinstance(each, Plan) and bool(each.changes) for each in plans)
    failed = sum(isinstance(each, Unplanned) for each in plans)
    words = [f"{differ:,} to change" if differ else "no changes"]
    refused = sum(isinstance(each, Plan) and bool(each.refusals) for each in plans)
    words += [f"{refused:,} refused"] if refused else []
    words += [f"{failed:,} without a plan"] if failed else []
    head, lines = table(("Portal", "What happens"), [_portal(each) for each in plans])
    title = f"## {plural(len(plans), 'portal')}: {' · '.join(words)}"
    return Block(f"{title}\n\n{head}", lines, "\n{} more portals are left out here.").cut(room).text


def _portal(of: Plan | Unplanned) -> tuple[str, str]:
    match of:
        case Plan():
            refused = " · **apply will refuse this plan**" if of.refusals else ""
            words = verdict(of) + (refused if of.changes else "")
        case Unplanned():
            words = f"**no plan**: {markdown_prose(of.reason, parts.REASON_LIMIT)}"
    return parts.portal(of), markdown_cell(words)


def _more_portals(count: int) -> str:
    if not count:
        return ""
    return (
        f"> [!NOTE]\n> The plans of {plural(count, 'more portal')} do not fit into a comment. The "
        "text and HTML reports show all of them."
    )


# ---------------------------------------------------------------- one portal


@dataclass(frozen=True, slots=True)
class _Report:
    """A plan's report but for the rows of its tables, which share the room with other reports'."""

    plan: Plan
    places: Places
    sections: Sequence[Section]
    top: Sequence[str]
    bottom: Sequence[str]
    made: dict[Detail, Sequence[Table]] = field(default_factory=dict)

    def tables(self, details: Mapping[Effect, Detail]) -> Sequence[Table]:
        """One for each origin, with the changes of each effect in the detail asked for."""
        for detail in {*details.values()} - self.made.keys():
            self.made[detail] = [section(each, self.places, detail) for each in self.sections]
        full = self.made[Detail.FULL]
        return [
            Table(
                table.heading,
                {each: self.made[details[each]][n].by_effect[each] for each in table.by_effect},
            )
            for n, table in enumerate(full)
        ]

    @property
    def weight(self) -> tuple[bool, int]:
        """Less is more important: a refusal, then the strongest effect."""
        effects = {_PRIORITY.index(Effect.of(each)) for each in self.plan.changes}
        return (not self.plan.refusals, min(effects, default=len(_PRIORITY)))

    def text(self, tables: Sequence[Table], taken: Sequence[Mapping[Effect, int]]) -> str:
        """The report with as many rows of each effect as there is room for."""
        pieces = [each.text(counts) for each, counts in zip(tables, taken, strict=True)]
        shown = [each.shown(counts) for each, counts in zip(tables, taken, strict=True)]
        return "\n\n".join(
            filter(None, [*self.top, _left_out(self.plan, shown), *pieces, *self.bottom])
        )


def _report(plan: Plan, links: Links, room: int, since: str, *, full: bool) -> _Report:
    """The report's parts, those that can grow cut to a share of the room.

    `full` False: without the picture and the files, whose room the changes of others need.
    """
    places = Places.of(plan, links)
    title = parts.title(plan)
    if not _says_something(plan):
        return _Report(plan, places, (), [title, since], ())
    details = parts.details(plan, parts.picture(plan)) if full else ""
    if not full or size(details) > room // 3:
        details = parts.details(plan, "", files=0)
    room -= size(title) + size(details) + size(since) + _NOTE_SIZE
    top, bottom = [title], [since, details]
    if plan.refusals:
        top.append(parts.refusals(plan, places).cut(room // 4).text)
    if plan.warnings:
        bottom.insert(1, parts.warnings(plan).cut(room // 4).text)
    return _Report(plan, places, sections(plan), top, bottom)


def _says_something(plan: Plan) -> bool:
    return bool(plan.changes or plan.refusals or plan.warnings)


def _left_out(plan: Plan, shown: Sequence[Mapping[Effect, int]]) -> str:
    missing = Counter(map(Effect.of, plan.changes))
    for counts in shown:
        missing.subtract(counts)
    if not missing.total():
        return ""
    words = effect_counts(missing.elements())
    return (
        f"> [!NOTE]\n> {missing.total():,} of {len(plan.changes):,} changes are left out below: "
        f"{words}. They do not fit into a comment; the text and HTML reports show all of them."
    )


# ---------------------------------------------------------------- the room there is


def _affordable(reports: Sequence[_Report], room: int) -> list[_Report]:
    """The reports that can be there at all, the most important first to stay, in their order."""
    chosen: set[int] = set()
    for each in sorted(reports, key=lambda each: each.weight):
        room -= _fixed(each)
        if room < 0 and chosen:
            break
        chosen.add(id(each))
    return [each for each in reports if id(each) in chosen]


def _fixed(report: _Report) -> int:
    """The room that a report needs without a row."""
    tables = report.tables(_ALL_DETAIL)
    return (
        sum(map(size, (*report.top, *report.bottom)))
        + sum(each.fixed for each in tables)
        + (_NOTE_SIZE if tables else 0)
    )


def _fitted(reports: Sequence[_Report], room: int) -> list[str]:
    """The reports with as much detail as all rows leave room for, else with the rows that fit.

    What is raised loses its detail first, what is lowered last.
    """
    details = dict(_ALL_DETAIL)
    less = ((effect, detail) for effect in reversed(_PRIORITY) for detail in Detail)
    while True:
        parts_of = [each.tables(details) for each in reports]
        tables = [each for part in parts_of for each in part]
        step = next(less, None)
        if step is None or sum(each.lines_size for each in tables) <= room:
            break
        details[step[0]] = step[1]
    taken = iter(_taken(tables, room))
    return [
        report.text(part, list(islice(taken, len(part))))
        for report, part in zip(reports, parts_of, strict=True)
    ]


def _taken(tables: Sequence[Table], room: int) -> list[Mapping[Effect, int]]:
    """How many rows of each effect there is room for in each table.

    Rows of one effect share the room, the shortest list first: what somebody did in HubSpot is not
    crowded out by a branch.
    """
    taken: list[dict[Effect, int]] = [{} for _ in tables]
    for effect in _PRIORITY:
        lists = [
            (counts, each.by_effect[effect].lines)
            for counts, each in zip(taken, tables, strict=True)
            if effect in each.by_effect
        ]
        lists.sort(key=lambda each: len(each[1]))
        for number, (counts, lines) in enumerate(lists):
            kept = fitting(lines, room // (len(lists) - number))
            counts[effect] = len(kept)
            room -= sum(map(size, kept))
    return list(taken)
