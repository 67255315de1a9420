"""A plan as markdown, for a comment on a pull or merge request: never longer than one may be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from reconciler.model.plan import Origin, Plan
from reconciler.report import markdown_parts as parts
from reconciler.report.escape import markdown_code, visible, web_link
from reconciler.report.markdown_parts import Block, size
from reconciler.report.view import (
    SECTION_NOTES,
    SECTION_TITLES,
    Links,
    Section,
    all_groups,
    no_links,
    sections,
)

LIMIT = 65_000
"""GitHub takes comments of fewer than 65,536 characters (documented); the rest is for a marker."""

MINIMUM_LIMIT = 8_000
"""Room that the summary needs, however hostile its names."""

_NOTE_SIZE = 250
_FAILURE_SIZE = 5_000
_REASON_LINE = 500
_COMMIT_DIGITS = 10
_NO_PLAN = """\
> [!CAUTION]
> **Nothing can be applied.** A plan that this comment showed before is out of date."""
_UNFOLDED_GROUPS = 12
_SHARES = {None: 1, Origin.CONFIG: 1, Origin.DRIFT: 2, Origin.CONFLICT: 2}
"""Drift and conflicts may each take one half of the room there is before config changes do."""


def plan_markdown(plan: Plan, *, digest: str, links: Links = no_links, limit: int = LIMIT) -> str:
    """The report in fewer than `limit` characters, at least 8,000.

    Summary, refusals, warnings and deletes come first. Directions that do not fit are left out,
    and their number is given.
    """
    if limit < MINIMUM_LIMIT:
        raise ValueError(f"a report needs room for {MINIMUM_LIMIT} characters, not {limit}")
    found = sections(plan)
    groups = all_groups(plan)
    top = [parts.title(plan, groups), parts.standing(plan), parts.by_origin(found)]
    bottom = [_fitted(parts.details(plan), limit // 3), _digest(digest)]
    room = limit - sum(map(size, (*top, *bottom))) - _NOTE_SIZE
    for block in (parts.refusals(plan, links), parts.warnings(plan)):
        top.append(_cut(block, room // 4))
        room -= size(top[-1])
    top.append(_cut(parts.deletes(groups, links), room))
    room -= size(top[-1])
    body = _body(found, links, room)
    picture = _fitted(_picture(plan), room - body.used)
    note = _left_out(body, plan)
    return "\n\n".join(filter(None, [*top, note, *body.texts, picture, *bottom]))


def failure_markdown(
    portal: str | None,
    workspace: str | None,
    *,
    reason: str,
    log: str | None,
    commit: str | None = None,
) -> str:
    """That planning failed, and why: what the command said, line by line. `log`: the job's page.

    `portal` None: the workspace could not be read. `commit`: forges link a commit's first digits.
    """
    what = "planning" if commit is None else f"planning commit {visible(commit[:_COMMIT_DIGITS])}"
    lines = [visible(line.rstrip(), _REASON_LINE) for line in reason.strip("\n").splitlines()]
    shown = _first(lines, LIMIT - _FAILURE_SIZE)
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


# ---------------------------------------------------------------- the directions


@dataclass(frozen=True, slots=True)
class _Body:
    """Texts of directions under their headings, the room they use, and what did not fit."""

    texts: tuple[str, ...]
    used: int
    directions_left_out: int
    changes_left_out: int


def _body(found: Sequence[Section], links: Links, room: int) -> _Body:
    """Room is given to conflicts and drift first; they are shown last."""
    folded = sum(len(section.groups) for section in found) > _UNFOLDED_GROUPS
    bodies: list[_Body] = []
    for section in reversed(found):
        bodies.insert(0, _section(section, links, room // _SHARES[section.origin], folded=folded))
        room -= bodies[0].used
    return _Body(
        tuple(text for each in bodies for text in each.texts),
        sum(each.used for each in bodies),
        sum(each.directions_left_out for each in bodies),
        sum(each.changes_left_out for each in bodies),
    )


def _section(section: Section, links: Links, room: int, *, folded: bool) -> _Body:
    heading = _heading(section)
    used = size(heading)
    texts, directions, changes = [], 0, 0
    for group in section.groups:
        cut = parts.group(group, links, folded=folded).cut(room - used)
        changes += cut.left_out
        directions += cut.left_out > 0
        if cut.text:
            texts.append(cut.text)
            used += size(cut.text)
    if not texts:
        return _Body((), 0, directions, changes)
    return _Body((heading, *texts), used, directions, changes)


def _heading(section: Section) -> str:
    if section.origin is None:
        return "### Changes"
    heading = f"### {SECTION_TITLES[section.origin]} ({section.size})"
    return f"{heading}\n\n{SECTION_NOTES[section.origin]}"


def _left_out(body: _Body, plan: Plan) -> str:
    if not body.changes_left_out:
        return ""
    return (
        f"> [!NOTE]\n> {body.changes_left_out:,} of {len(plan.changes):,} changes, in "
        f"{body.directions_left_out:,} of {len(plan.by_direction):,} directions, are left out "
        "below: they do not fit into a comment. The text and HTML reports show all of them."
    )


# ---------------------------------------------------------------- pieces


def _digest(digest: str) -> str:
    return f"Plan digest: {markdown_code(digest)}"


def _picture(plan: Plan) -> str:
    return parts.picture(plan, len(plan.by_direction)) if plan.changes else ""


def _fitted(text: str, room: int) -> str:
    return text if size(text) <= room else ""


def _cut(block: Block, room: int) -> str:
    return block.cut(room).text if block.lines else ""
