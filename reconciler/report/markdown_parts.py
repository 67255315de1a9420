"""What a markdown report consists of: blocks that can be cut to the room there is, and cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import plural
from reconciler.model.limits import Place
from reconciler.model.plan import Plan, Refusal
from reconciler.report.escape import (
    PATH_LIMIT,
    markdown_cell,
    markdown_code,
    markdown_link,
    markdown_prose,
    short_paths,
)
from reconciler.report.mermaid import plan_mermaid
from reconciler.report.view import (
    NO_CHANGES,
    Links,
    Unplanned,
    portal_name,
    verdict,
    way_out,
)

REASON_LIMIT = 300
WARNING_LIMIT = 600
_ARROWS = 6
"""Directions of a picture that can be read in a comment."""
_FILES = 20
_USUAL = "reconciler.yaml"
"""A workspace file at the repository's top: where there is one, there is most often no other."""


# ---------------------------------------------------------------- blocks and tables

_COUNT_DIGITS = 8
"""Room for a count in the words that say how much was left out."""


def size(text: str) -> int:
    """Bytes of UTF-8 with a blank line after it: no way of counting characters gives more."""
    return (len(text) if text.isascii() else len(text.encode())) + 2


@dataclass(frozen=True, slots=True)
class Cut:
    """A block cut to fit: empty when not even one line did. `left_out` counts lines."""

    text: str
    left_out: int


@dataclass(frozen=True, slots=True)
class Block:
    """A head, lines and a tail. `more`, with a `{}` for a number, replaces lines left out."""

    head: str
    lines: tuple[str, ...]
    more: str
    tail: str = ""

    def cut(self, room: int) -> Cut:
        """The complete block if it fits, else its first lines that do."""
        room -= size(self.head) + size(self.tail)
        if sum(map(size, self.lines)) <= room:
            return Cut(self._joined(self.lines), 0)
        taken = fitting(self.lines, room - size(self.more) - _COUNT_DIGITS)
        left_out = len(self.lines) - len(taken)
        if not taken:
            return Cut("", left_out)
        return Cut(self._joined([*taken, self.more.format(f"{left_out:,}")]), left_out)

    def _joined(self, lines: Iterable[str]) -> str:
        return "\n".join(part for part in (self.head, *lines, self.tail) if part)


def fitting(lines: Sequence[str], room: int) -> Sequence[str]:
    """The first lines that take no more than `room` together."""
    for index, line in enumerate(lines):
        room -= size(line)
        if room < 0:
            return lines[:index]
    return lines


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[str, tuple[str, ...]]:
    """The head of a table, and its rows, from cells that are escaped already."""
    head = f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}"
    return head, tuple(f"| {' | '.join(row)} |" for row in rows)


# ---------------------------------------------------------------- summary


def title(plan: Plan) -> str:
    """The verdict: what happens to people, by effect and origin."""
    nothing = not plan.changes and not plan.refusals
    words = NO_CHANGES if nothing else verdict(plan)
    return f"##{named(plan.portal.name, plan.workspace, ' ')}: {words}"


def named(portal: str | None, workspace: str | None, before: str = " for ") -> str:
    """What a comment is about; the workspace file where it is not the one at the top."""
    what = "" if portal is None else f"{before}{markdown_code(portal, 60)}"
    where = "" if workspace in {None, _USUAL} else f" in {markdown_code(workspace or '', 60)}"
    return what + where


def portal(of: Plan | Unplanned) -> str:
    """The name of a portal in a table."""
    return markdown_cell(markdown_code(portal_name(of), 60))


# ---------------------------------------------------------------- places


@dataclass(frozen=True, slots=True)
class Places:
    """How places of a plan are written: short where a link has the complete path."""

    links: Links
    short: Mapping[str, str]

    @classmethod
    def of(cls, plan: Plan, links: Links) -> Places:
        """The places of a plan's changes and refusals."""
        sources = [each.source for each in plan.changes] + [each.source for each in plan.refusals]
        return cls(links, short_paths({each.path for each in sources if each is not None}))

    def link(self, place: Place) -> str:
        """`file:line`, linked where the host is known."""
        url = self.links(place)
        path = place.path if url is None else self.short[place.path]
        return markdown_link(markdown_code(f"{path}:{place.line}", PATH_LIMIT), url)


# ---------------------------------------------------------------- refusals and warnings


def refusals(plan: Plan, places: Places) -> Block:
    """Why apply will refuse the plan."""
    items = [_refusal(each, places) for each in plan.refusals]
    head = "> [!CAUTION]\n> **Apply will refuse this plan.**"
    if len(items) == 1:
        return Block(f"{head} {items[0]}", (), "")
    return Block(f"{head}\n>", tuple(f"> - {item}" for item in items), "> - and {} more")


def _refusal(refusal: Refusal, places: Places) -> str:
    where = "" if refusal.source is None else f" ({places.link(refusal.source)})"
    return f"{markdown_prose(refusal.message, REASON_LIMIT)}{where}. {way_out(refusal)}."


def warnings(plan: Plan) -> Block:
    """What to look at twice."""
    items = [markdown_prose(each, WARNING_LIMIT) for each in plan.warnings]
    head = "> [!WARNING]"
    if len(items) == 1:
        return Block(f"{head}\n> {items[0]}", (), "")
    return Block(head, tuple(f"> - {item}" for item in items), "> - and {} more")


# ---------------------------------------------------------------- picture and details


def picture(plan: Plan) -> str:
    """The object types touched, as mermaid, where there are few enough to be read."""
    if not 0 < len(plan.by_direction) <= _ARROWS:
        return ""
    return f"```mermaid\n{plan_mermaid(replace(plan, refusals=()))}\n```"


def details(plan: Plan, picture: str, files: int = _FILES) -> str:
    """What stays as it is and where the plan comes from, folded away."""
    summary, portal = plan.summary, plan.portal
    named = [
        "Picture" if picture else "",
        f"{summary.unchanged:,} unchanged" if summary.unchanged else "",
        f"{summary.unmanaged:,} unmanaged" if summary.unmanaged else "",
        "plan digest",
    ]
    version = markdown_prose(portal.api_version, 20)
    lines = [f"- Portal {portal.portal_id} ({portal.account_type}), API version {version}"]
    if summary.unchanged:
        lines.append(f"- {plural(summary.unchanged, 'limit')} unchanged")
    if summary.unmanaged:
        lines.append(f"- {summary.unmanaged:,} unmanaged: left alone")
    made = markdown_prose(plan.created_at, 40)
    tool = markdown_code(f"reconciler {plan.tool_version}", 40)
    lines.append(f"- made {made} by {tool} for {markdown_code(portal.base_url, 80)}")
    if plan.git is not None:
        dirty = ", with uncommitted changes" if plan.git.dirty else ""
        base = "" if plan.git.base is None else f", base {markdown_code(plan.git.base, 64)}"
        lines.append(f"- commit {markdown_code(plan.git.commit, 64)}{dirty}{base}")
    lines += [f"- {markdown_code(file.path, 80)}" for file in plan.files[:files]]
    if len(plan.files) > files:
        lines.append(f"- and {plural(len(plan.files) - files, 'more file')}")
    title = " · ".join(filter(None, named))
    title = title[0].upper() + title[1:]
    body = "\n\n".join(
        filter(None, [picture, "\n".join(lines), f"Plan digest: {markdown_code(plan.digest)}"])
    )
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
