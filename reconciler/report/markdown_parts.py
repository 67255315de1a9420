"""What a markdown report consists of: blocks that can be cut to the room there is, and lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import plural
from reconciler.model.limits import Place
from reconciler.model.plan import Action, Change, Plan, Refusal, count_actions
from reconciler.report.escape import (
    NAME_LIMIT,
    PATH_LIMIT,
    markdown_cell,
    markdown_code,
    markdown_link,
    markdown_prose,
    markdown_raw_code,
    prose_lines,
)
from reconciler.report.mermaid import plan_mermaid
from reconciler.report.view import (
    NO_CHANGES,
    ORIGIN_WORDS,
    SECTION_TITLES,
    Group,
    LimitName,
    Links,
    Row,
    Section,
    before_after,
    short_counts,
    way_out,
)

REASON_LIMIT = 300
_ACTIONS = {
    Action.CREATE: "🟢&nbsp;create",
    Action.UPDATE: "🟡&nbsp;update",
    Action.DELETE: "🔴&nbsp;**delete**",
}
_EDGES = 24
_EDGES_UNFOLDED = 8
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


def title(plan: Plan, groups: Iterable[Group]) -> str:
    """The headline with the counts that are not zero."""
    counts = short_counts(row for group in groups for row in group.rows) or (
        "refused" if plan.refusals else "no changes"
    )
    return f"## Plan{named(plan.portal.name, plan.workspace)}: {counts}"


def named(portal: str | None, workspace: str | None) -> str:
    """What a comment is about; the workspace file where it is not the one at the top."""
    what = "" if portal is None else f" for {markdown_code(portal, 60)}"
    where = "" if workspace in {None, _USUAL} else f" in {markdown_code(workspace or '', 60)}"
    return what + where


def standing(plan: Plan) -> str:
    """The destination, and what stays as it is."""
    portal, summary = plan.portal, plan.summary
    version = markdown_prose(portal.api_version, 20)
    sentences = [f"Portal {portal.portal_id} ({portal.account_type}), API version {version}."]
    if summary.unchanged:
        sentences.append(f"{plural(summary.unchanged, 'limit')} unchanged.")
    if summary.unmanaged:
        sentences.append(f"{summary.unmanaged} unmanaged: left alone.")
    text = " ".join(sentences)
    return text if plan.changes or plan.refusals else f"{NO_CHANGES}\n\n{text}"


def by_origin(sections: Sequence[Section]) -> str:
    """Counts by origin, where the plan has a base and more than one origin."""
    if all(section.origin is None for section in sections) or len(sections) < 2:
        return ""
    head, lines = table(
        ("", "to create", "to update", "to delete"),
        [_origin_counts(section) for section in sections],
    )
    return "\n".join([head, *lines])


def _origin_counts(section: Section) -> list[str]:
    counts = count_actions(row.change for group in section.groups for row in group.rows)
    words = "No base" if section.origin is None else SECTION_TITLES[section.origin]
    return [words, *(str(count) for count in counts.values())]


# ---------------------------------------------------------------- refusals and warnings


def refusals(plan: Plan, links: Links) -> Block:
    """Why apply will refuse the plan."""
    return _alert(
        "CAUTION",
        "**`apply` will refuse this plan.**",
        [_refusal(each, links) for each in plan.refusals],
    )


def _refusal(refusal: Refusal, links: Links) -> str:
    where = "" if refusal.source is None else f" ({place(refusal.source, links)})"
    return f"{markdown_prose(refusal.message, REASON_LIMIT)}{where}. {way_out(refusal)}."


def warnings(plan: Plan) -> Block:
    """What to look at twice."""
    return _alert("WARNING", "", [markdown_prose(each, REASON_LIMIT) for each in plan.warnings])


def _alert(kind: str, head: str, items: Iterable[str]) -> Block:
    """An alert of GitHub's and GitLab's; elsewhere a quotation."""
    opening = f"> [!{kind}]" + (f"\n> {head}\n>" if head else "")
    return Block(opening, tuple(f"> - {item}" for item in items), "> - and {} more")


# ---------------------------------------------------------------- changes


def deletes(groups: Iterable[Group], links: Links) -> Block:
    """Every delete in one table, whatever its origin."""
    gone = [
        (group, row) for group in groups for row in group.rows if row.change.action is Action.DELETE
    ]
    head, lines = table(
        ("Direction", "Limit", "Before → after", "Why", "File"),
        [
            (
                markdown_cell(_direction(group)),
                limit(row.name),
                before_after(row.change),
                _why(row.change),
                _source(row.change, links),
            )
            for group, row in gone
        ],
    )
    words = f"### {plural(len(gone), 'limit')} will be deleted"
    return Block(f"{words}\n\n{head}", lines, "\n{} more deletes are left out here.")


def group(each: Group, links: Links, *, folded: bool) -> Block:
    """The changes of one direction as a table, folded away or not."""
    head, lines = table(
        ("Change", "Limit", "Before → after", "File"), [_row(row, links) for row in each.rows]
    )
    more = "\n{} more changes of this direction are left out here."
    if not folded:
        return Block(f"**{_direction(each)}**\n\n{head}", lines, more)
    summary = (
        f"<code>{markdown_raw_code(each.name, 2 * NAME_LIMIT)}</code>: {short_counts(each.rows)}"
    )
    opening = f"<details><summary>{summary}</summary>\n\n{head}"
    return Block(opening, lines, more, "\n</details>")


def _row(row: Row, links: Links) -> tuple[str, str, str, str]:
    name = limit(row.name)
    name += "".join(f"<br>{markdown_cell(line)}" for line in _reason(row.change))
    return (
        _ACTIONS[row.change.action],
        name,
        before_after(row.change),
        _source(row.change, links),
    )


def limit(name: LimitName) -> str:
    """A limit's name in a cell: labels are code, the object limit is not."""
    words = "object limit" if name.label is None else markdown_code(name.label)
    if name.qualifier is not None:
        words += f" ({markdown_code(name.qualifier)})"
    return markdown_cell(words)


def place(each: Place, links: Links) -> str:
    """`file:line`, linked where the host is known."""
    return markdown_link(_file_line(each), links(each))


def _file_line(each: Place) -> str:
    return markdown_code(f"{each.path}:{each.line}", PATH_LIMIT)


def _source(change: Change, links: Links) -> str:
    return "" if change.source is None else markdown_cell(place(change.source, links))


def _why(change: Change) -> str:
    words = [] if change.origin is None else [ORIGIN_WORDS[change.origin]]
    lines = _reason(change)
    if lines:
        words.append("<br>".join(lines))
    return markdown_cell(": ".join(words))


def _reason(change: Change) -> list[str]:
    """The reason that the file gives, line by line."""
    lines = prose_lines(change.reason or "", REASON_LIMIT)
    return [markdown_prose(line, REASON_LIMIT) for line in lines]


def _direction(each: Group) -> str:
    return f"{markdown_code(each.from_name)} → {markdown_code(each.to_name)}"


# ---------------------------------------------------------------- picture and details


def picture(plan: Plan, directions: int) -> str:
    """The object types touched, as mermaid; folded away when it is large."""
    picture = plan_mermaid(replace(plan, refusals=()), edges=_EDGES)  # which are above
    code = f"```mermaid\n{picture}\n```"
    if directions <= _EDGES_UNFOLDED:
        return code
    return f"<details><summary>Picture of the object types</summary>\n\n{code}\n\n</details>"


def details(plan: Plan) -> str:
    """Where the plan comes from, folded away."""
    made = markdown_prose(plan.created_at, 40)
    tool = markdown_code(f"reconciler {plan.tool_version}", 40)
    lines = [f"- made {made} by {tool} for {markdown_code(plan.portal.base_url, 80)}"]
    if plan.git is not None:
        dirty = ", with uncommitted changes" if plan.git.dirty else ""
        base = "" if plan.git.base is None else f", base {markdown_code(plan.git.base, 64)}"
        lines.append(f"- commit {markdown_code(plan.git.commit, 64)}{dirty}{base}")
    lines += [f"- {markdown_code(file.path, 80)}" for file in plan.files[:_FILES]]
    if len(plan.files) > _FILES:
        lines.append(f"- and {plural(len(plan.files) - _FILES, 'more file')}")
    listing = "\n".join(lines)
    return f"<details><summary>About this plan</summary>\n\n{listing}\n\n</details>"
