"""One comment per workspace and portal: found again by a marker, edited in place, never anybody
else's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from reconciler.forges.api import CommentGone, PerhapsCreated
from reconciler.forges.marker import NO_RUN, Fields, Key, Marker, Run

_PAUSES = (0.5, 4.0, 15.0)
"""Seconds before the comments are read again, where one was not there, or perhaps is."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of the token's own user. Later comments have higher IDs."""

    id: int
    body: str
    url: str

    def is_about(self, key: Key) -> bool:
        """Whether the comment begins with the key's marker."""
        found = Marker.of(self.body)
        return found is not None and found.key == key.marker

    @property
    def key(self) -> Key | None:
        """What it is about, where its first line says that in full."""
        found = Marker.of(self.body)
        return None if found is None else Key.of(found.key)

    @property
    def fields(self) -> Fields:
        """What its first line says besides the key."""
        found = Marker.of(self.body)
        return {} if found is None else found.fields


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
    run: Run = NO_RUN

    def body(self, fields: Fields) -> str:
        """The comment, over one with these fields."""
        text = self.writing(fields)
        known = {"digest": self.digest or "", **self.run.fields, **text.kept}
        return f"{Marker(self.key.marker, known)}\n\n{text.markdown}"


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
