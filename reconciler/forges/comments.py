"""One comment per workspace and portal: found again by a marker, edited in place, never anybody
else's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol
from urllib.parse import quote

from reconciler.forges.api import CommentGone, PerhapsCreated

_MARKER = re.compile(r"<!-- reconciler (workspace=\S* portal=\S*)(?: [^<>\n]*)?-->")
_PAUSES = (0.5, 4.0, 15.0)
"""Seconds before the comments are read again, where one was not there, or perhaps is."""

_LONGEST_NAME = 120


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
    marked = quote(name.encode("utf-8", "surrogatepass"), safe="/").replace("~", "%7E")
    if len(marked) <= _LONGEST_NAME:
        return marked
    return f"{marked[:_LONGEST_NAME]}~{sha256(marked.encode()).hexdigest()}"


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
class Report:
    """What a comment is to say. `about`: what the command calls it. `digest` None: no plan.

    `says_nothing`: there is no need for a comment where there is none.
    """

    key: Key
    about: str
    digest: str | None
    markdown: str
    says_nothing: bool = False

    @property
    def body(self) -> str:
        digest = "" if self.digest is None else f" digest={self.digest}"
        return f"<!-- reconciler {self.key.marker}{digest} -->\n\n{self.markdown}"


class Action(StrEnum):
    """What became of a comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class Published:
    """What was done, and the comment's address."""

    action: Action
    url: str | None = None


def publish(forge: Forge, report: Report, wait: Callable[[float], None]) -> Published:
    """Put the report into its comment, the oldest one where there are several.

    A plan without changes updates a comment and creates none: there is nothing to review. Where
    it is not known whether a comment was created, the comments are read again, not written twice.
    """
    for pause in _PAUSES:
        try:
            return _publish(forge, report)
        except (CommentGone, PerhapsCreated):
            wait(pause)
    return _publish(forge, report)


def _publish(forge: Forge, report: Report) -> Published:
    own = forge.own_comments()
    _remove_outdated(forge, own, report)
    found = _about(own, report)
    if found:
        return _keep_one(forge, found, report)
    if report.says_nothing:
        return Published(Action.NOT_NEEDED)
    return _settled(forge, forge.create(report.body), report)


def _about(comments: Sequence[Comment], report: Report) -> list[Comment]:
    found = [each for each in comments if each.is_about(report.key)]
    return sorted(found, key=lambda comment: comment.id)


def _remove_outdated(forge: Forge, own: Sequence[Comment], report: Report) -> None:
    """A report of a portal means that the workspace can be read again."""
    if report.key.portal is not None:
        workspace = Key(report.key.workspace, None)
        for each in own:
            if each.is_about(workspace):
                _delete(forge, each)


def _settled(forge: Forge, created: Comment, report: Report) -> Published:
    """Two runs at once create two comments: both of them then keep the older one."""
    found = _about(forge.own_comments(), report)
    if len(found) < 2:
        return Published(Action.CREATED, created.url)
    kept = _keep_one(forge, found, report)
    return Published(Action.CREATED if found[0].id == created.id else kept.action, kept.url)


def _keep_one(forge: Forge, found: Sequence[Comment], report: Report) -> Published:
    kept, *others = found
    action = Action.UNCHANGED
    if _normal(kept.body) != _normal(report.body):
        kept = forge.update(kept, report.body)
        action = Action.UPDATED
    for each in others:
        _delete(forge, each)
    return Published(action, kept.url)


def _delete(forge: Forge, comment: Comment) -> None:
    try:
        forge.delete(comment)
    except CommentGone:
        return  # another run was faster


def _normal(body: str) -> str:
    """Forges end lines as they like and cut what is blank at the end."""
    return body.replace("\r\n", "\n").strip()
