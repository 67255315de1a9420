"""What a comment keeps of the plans of earlier pushes, in a text that fits into its first line.

Whoever may edit a comment may edit that text. It is read as strictly as a file from a stranger, and
what does not read is as if it had never been there: then the comment says less, and nothing wrong.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from reconciler.model.limits import (
    AssociationType,
    Category,
    Direction,
    ObjectType,
    TypeKey,
)
from reconciler.model.plan import Change, Origin, Refusal, RefusalCode, canonical_json
from reconciler.model.since import Outline
from reconciler.planning.saved import LimitValue, ObjectTypeId, ObservedValue, PortalId, TypeId

LARGEST = 8_000
"""Characters of the text: some hundred changes. A report has to fit into the same comment."""

_LARGEST_JSON = 1 << 20
_MOST_PUSHES = 1_000_000
_ALTERNATIVES = b"_."
"""Of base64: no hyphen, which could end an HTML comment, and nothing that is coded in a word."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of a push, counted from 1. `outline` None: there was no room for it."""

    push: int
    digest: str
    outline: Outline | None


@dataclass(frozen=True, slots=True)
class Pushes:
    """The push that a comment is about, 0 where there is no comment, and the last plans, newest first.

    `commit` None: nobody knows at which commit that was.
    """

    push: int = 0
    commit: str | None = None
    planned: tuple[Planned, ...] = ()

    def now_at(self, commit: str | None, digest: str | None) -> Pushes:
        """The same at a commit with a plan; `digest` None: planning failed.

        A commit that is planned again, as after a failure, is not another push, unless another plan
        comes of it: reviewers have seen the one before. Where nobody knows the commit, another
        digest is another push, and a failure is none.
        """
        last = self.planned[0] if self.planned else None
        is_last = last is not None and last.digest == digest
        if commit is None:
            is_same = digest is None or is_last
        elif digest is not None and last is not None and last.push == self.push:
            is_same = commit == self.commit and is_last
        else:
            is_same = commit == self.commit
        push = self.push if is_same and self.push else self.push + 1
        return replace(self, push=min(push, _MOST_PUSHES), commit=commit)

    @property
    def earlier(self) -> Planned | None:
        """The last plan of an earlier push; a push whose planning failed has none."""
        return next((each for each in self.planned if each.push < self.push), None)

    def with_plan(self, digest: str, outline: Outline) -> Pushes:
        """The same with the plan of this push, and only the plan that this one is compared with."""
        kept = () if self.earlier is None else (self.earlier,)
        return replace(self, planned=(Planned(self.push, digest, outline), *kept))


# ---------------------------------------------------------------- as a text


def read_pushes(push: str, commit: str | None, planned: str) -> Pushes:
    """What a comment says of its pushes, as far as that can be so."""
    is_number = push.isascii() and push.isdecimal() and 0 < len(push) < len(str(_MOST_PUSHES))
    number = int(push) if is_number else 0
    plans = read_planned(planned) if number else ()
    counts = [number + 1, *(each.push for each in plans)]
    falls = all(later > earlier for later, earlier in pairwise(counts))
    return Pushes(number, commit, plans if falls else ())


def write_planned(planned: Sequence[Planned]) -> str:
    """The plans as a text of at most LARGEST letters, digits, `_` and `.`.

    Where they do not fit, the earlier outlines go first; digests stay. No plans are no text.
    """
    if not planned:
        return ""
    kept = list(planned)
    for at in [*reversed(range(len(kept))), None]:
        content = canonical_json([_plan_json(each) for each in kept]).encode(
            "utf-8", "surrogatepass"
        )
        text = base64.b64encode(zlib.compress(content, 9), _ALTERNATIVES).decode().rstrip("=")
        if len(text) <= LARGEST and len(content) <= _LARGEST_JSON:
            return text
        if at is not None:
            kept[at] = replace(kept[at], outline=None)
    return ""


def read_planned(text: str) -> tuple[Planned, ...]:
    """What a text holds; nothing where it is cut, altered, too large, or of another version."""
    if not text.isascii() or len(text) > LARGEST:
        return ()
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), _ALTERNATIVES, validate=True)
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(packed, _LARGEST_JSON)
        if not unpacking.eof:
            return ()
        found = _PLANNED.validate_json(content)
    except (ValueError, zlib.error):
        return ()
    planned = tuple(Planned(each.push, each.digest, _outline(each.plan)) for each in found)
    return planned if all(_is_sound(each.outline) for each in planned) else ()


def _is_sound(outline: Outline | None) -> bool:
    """Whether it could be of a plan: each limit changes once, and to another value."""
    changes = () if outline is None else outline.changes
    return len({each.id for each in changes}) == len(changes) and all(
        each.before != each.after for each in changes
    )


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _ChangeText(_Model):
    """A change, under short names: they are repeated for each."""

    f: tuple[ObjectTypeId, str]
    t: tuple[ObjectTypeId, str]
    c: Category
    i: TypeId
    l: str | None  # noqa: E741 - label
    b: ObservedValue | None
    a: LimitValue | None
    p: bool
    o: Origin | None


class _PlanText(_Model):
    """An outline."""

    portal: PortalId
    version: str
    changes: tuple[_ChangeText, ...]
    refusals: tuple[tuple[RefusalCode, str | None, str], ...]


class _PlannedText(_Model):
    """A push and its plan."""

    push: Annotated[int, Field(ge=1, le=_MOST_PUSHES)]
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    plan: _PlanText | None


_PLANNED = TypeAdapter(
    Annotated[tuple[_PlannedText, ...], Field(max_length=2)], config=ConfigDict(strict=True)
)


def _plan_json(each: Planned) -> dict[str, object]:
    return {
        "push": each.push,
        "digest": each.digest,
        "plan": None if each.outline is None else _outline_json(each.outline),
    }


def _outline_json(outline: Outline) -> dict[str, object]:
    return {
        "portal": outline.portal_id,
        "version": outline.api_version,
        "changes": [
            {
                "f": [each.direction.from_.id, each.direction.from_.name],
                "t": [each.direction.to.id, each.direction.to.name],
                "c": each.type.key.category,
                "i": each.type.key.type_id,
                "l": each.type.label,
                "b": each.before,
                "a": each.after,
                "p": each.protected,
                "o": each.origin,
            }
            for each in outline.changes
        ],
        "refusals": [[each.code, each.change, each.message] for each in outline.refusals],
    }


def _outline(plan: _PlanText | None) -> Outline | None:
    if plan is None:
        return None
    changes = tuple(
        Change(
            Direction(ObjectType(*each.f), ObjectType(*each.t)),
            AssociationType(TypeKey(each.c, each.i), each.l),
            each.b,
            each.a,
            each.o,
            protected=each.p,
        )
        for each in plan.changes
    )
    refusals = tuple(Refusal(code, message, change) for code, change, message in plan.refusals)
    return Outline(plan.portal, plan.version, changes, refusals)
