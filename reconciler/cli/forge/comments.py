"""One comment per portal: found again by a marker, edited in place, never anybody else's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from reconciler.cli.forge.problems import CommentGone, PerhapsCreated

_MARKER = re.compile(r"<!-- reconciler portal=([0-9]+)(?: [^<>\n]*)?-->")
_PAUSES = (0.5, 4.0, 15.0)
"""Seconds before the comments are read again, where one was not there, or perhaps is."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of the token's own user. Later comments have higher IDs."""

    id: int
    body: str
    url: str

    @property
    def portal_id(self) -> int | None:
        """The portal of the marker that the comment begins with.

        A marker anywhere else is a quotation, or somebody's attempt at one.
        """
        found = _MARKER.match(self.body)
        return None if found is None else int(found[1])


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
    """What is to stand in a portal's comment. `says_nothing`: the plan has no changes."""

    portal_id: int
    digest: str
    markdown: str
    says_nothing: bool

    @property
    def body(self) -> str:
        marker = f"<!-- reconciler portal={self.portal_id} digest={self.digest} -->"
        return f"{marker}\n\n{self.markdown}"


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
    """Put the report into the portal's comment, the oldest one where there are several.

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
    found = _of_portal(forge, report)
    if found:
        return _keep_one(forge, found, report)
    if report.says_nothing:
        return Published(Action.NOT_NEEDED)
    return _settled(forge, forge.create(report.body), report)


def _of_portal(forge: Forge, report: Report) -> list[Comment]:
    own = [each for each in forge.own_comments() if each.portal_id == report.portal_id]
    return sorted(own, key=lambda comment: comment.id)


def _settled(forge: Forge, created: Comment, report: Report) -> Published:
    """Two runs at once create two comments: both of them then keep the older one."""
    found = _of_portal(forge, report)
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
