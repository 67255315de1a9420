"""One comment per workspace and portal: found again by a marker, edited in place, never anybody
else's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Protocol
from urllib.parse import quote, unquote

from reconciler.forges.api import CommentGone, PerhapsCreated

_MARKER = re.compile(r"<!-- reconciler (workspace=\S* portal=\S*)(?: ([^<>\n]*))?-->")
_PAUSES = (0.5, 4.0, 15.0)
"""Seconds before the comments are read again, where one was not there, or perhaps is."""

_LONGEST_NAME = 120

Fields = Mapping[str, str]
"""What a comment's hidden first line says besides its key, by name."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a comment is about: a portal of a workspace file, by its path from the top.

    `workspace` None: there is no workspace file. `portal` None: the workspace as such, where it
    could not be read.
    """

    workspace: str | None
    portal: str | None

    @property
    def marker(self) -> str:
        """As the hidden first line of the comment has it."""
        return f"workspace={_marked(self.workspace)} portal={_marked(self.portal)}"


def _marked(name: str | None) -> str:
    """A name without spaces and angle brackets; a long one by its beginning and its hash."""
    if name is None:
        return ""
    marked = _quoted(name)
    if len(marked) <= _LONGEST_NAME:
        return marked
    return f"{marked[:_LONGEST_NAME]}~{sha256(marked.encode()).hexdigest()}"


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="/:,").replace("~", "%7E")


@dataclass(frozen=True, slots=True)
class Run:
    """The run of the CI that made a report. `commit`: the pushed commit that it is about.

    `order` grows from run to run and from attempt to attempt; it is empty where nothing says it.
    """

    commit: str | None = None
    order: tuple[int, ...] = ()

    def is_older_than(self, other: Run) -> bool:
        """Whether the other run began later, for another commit.

        Of two runs for one commit the one that ends later has read the portal later.
        """
        is_same = self.commit is not None and self.commit == other.commit
        return bool(self.order) and self.order < other.order and not is_same

    @property
    def fields(self) -> Fields:
        """As a comment's first line has them."""
        order = ".".join(map(str, self.order))
        return {"commit": self.commit or "", "run": order}

    @classmethod
    def of(cls, fields: Fields) -> Run:
        """What a comment's first line says of the run; nothing where a person edited it."""
        parts = fields.get("run", "").split(".")
        numbers = all(part.isascii() and part.isdecimal() and len(part) < 20 for part in parts)
        order = tuple(map(int, parts)) if numbers else ()
        return cls(fields.get("commit") or None, order)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of the token's own user. Later comments have higher IDs."""

    id: int
    body: str
    url: str

    def is_about(self, key: Key) -> bool:
        """Whether the comment begins with the key's marker.

        A marker anywhere else is a quotation, or somebody's attempt at one.
        """
        found = _MARKER.match(self.body)
        return found is not None and found[1] == key.marker

    @property
    def fields(self) -> Fields:
        """What its first line says besides the key. Names that this version does not know stay."""
        found = _MARKER.match(self.body)
        words = [] if found is None else (found[2] or "").split()
        parts = [word.partition("=") for word in words]
        return {name: unquote(value) for name, _, value in parts}


class Forge(Protocol):
    """The comments of one pull or merge request."""

    def own_comments(self) -> Sequence[Comment]:
        """The comments of the token's own user, in any order."""
        ...

    def create(self, body: str) -> Comment:
        """A new comment; raises PerhapsCreated where nobody knows."""
        ...

    def update(self, comment: Comment, body: str) -> Comment:
        """The comment with another body; raises CommentGone."""
        ...

    def delete(self, comment: Comment) -> None:
        """Remove a comment; raises CommentGone."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """What a comment shows, and what its hidden first line keeps for the report after it."""

    markdown: str
    kept: Fields = field(default_factory=dict)


Writing = Callable[[Fields], Text]
"""Writes a report over a comment with these fields, which anybody may have edited; none: a new one."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a comment is to say. `about`: what the command calls it. `digest` None: no plan.

    `says_nothing`: there is no need for a comment where there is none.
    """

    key: Key
    about: str
    digest: str | None
    writing: Writing
    says_nothing: bool = False
    run: Run = Run()

    def body(self, fields: Fields) -> str:
        """The comment, over one with these fields."""
        text = self.writing(fields)
        fields = {"digest": self.digest or "", **self.run.fields, **text.kept}
        words = [f"{name}={_quoted(value)}" for name, value in fields.items() if value]
        return f"<!-- reconciler {' '.join([self.key.marker, *words])} -->\n\n{text.markdown}"


class Action(StrEnum):
    """What became of a comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    NOT_NEEDED = "not needed"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class Published:
    """What was done, and the comment's address. OUTDATED: the comment shows a newer commit."""

    action: Action
    url: str | None = None


def publish(forge: Forge, report: Report, wait: Callable[[float], None]) -> Published:
    """Put the report into its comment, the oldest one where there are several.

    A plan without changes updates a comment and creates none: there is nothing to review. Where
    it is not known whether a comment was created, the comments are read again, not written twice.
    A comment that a newer run wrote for a newer commit stays as it is.
    """
    for pause in _PAUSES:
        try:
            return _publish(forge, report)
        except (CommentGone, PerhapsCreated):
            wait(pause)
    return _publish(forge, report)


def _publish(forge: Forge, report: Report) -> Published:
    own = forge.own_comments()
    found = _about(own, report.key)
    workspace = _about(own, Key(report.key.workspace, None))
    newer = _newer([*found, *workspace], report)
    if report.key.portal is not None and newer is None:
        for each in workspace:  # which can be read again
            _delete(forge, each)
    if found:
        return _keep_one(forge, found, report)
    if newer is not None:
        return Published(Action.OUTDATED, newer.url)
    if report.says_nothing:
        return Published(Action.NOT_NEEDED)
    created = forge.create(report.body({}))
    found = _about(forge.own_comments(), report.key)
    if len(found) < 2:
        return Published(Action.CREATED, created.url)
    kept = _keep_one(forge, found, report)  # two runs at once: both keep the older comment
    is_ours = found[0].id == created.id and kept.action is not Action.OUTDATED
    return Published(Action.CREATED if is_ours else kept.action, kept.url)


def _about(comments: Sequence[Comment], key: Key) -> list[Comment]:
    found = [each for each in comments if each.is_about(key)]
    return sorted(found, key=lambda comment: comment.id)


def _newer(comments: Sequence[Comment], report: Report) -> Comment | None:
    """The comment of the newest run, if that is newer than the report's."""
    newer = [each for each in comments if report.run.is_older_than(Run.of(each.fields))]
    return max(newer, key=lambda comment: Run.of(comment.fields).order, default=None)


def _keep_one(forge: Forge, found: Sequence[Comment], report: Report) -> Published:
    """The oldest comment says what the newest run has to say; the others go."""
    kept, *others = found
    newer = _newer(found, report)
    body = report.body(kept.fields) if newer is None else newer.body
    action = Action.UNCHANGED
    if _normal(kept.body) != _normal(body):
        kept = forge.update(kept, body)
        action = Action.UPDATED
    for each in others:
        _delete(forge, each)
    return Published(action if newer is None else Action.OUTDATED, kept.url)


def _delete(forge: Forge, comment: Comment) -> None:
    try:
        forge.delete(comment)
    except CommentGone:
        return  # another run was faster


def _normal(body: str) -> str:
    """Forges end lines as they like and cut what is blank at the end."""
    return body.replace("\r\n", "\n").strip()
