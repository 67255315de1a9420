"""What differs from an earlier plan, in one sentence for every format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from reconciler.errors import plural
from reconciler.model.plan import Change, Origin, Refusal
from reconciler.model.since import Revision, Since
from reconciler.report.escape import NAME_LIMIT, markdown_prose, shortened
from reconciler.report.view import Effect, before_after

Item = TypeVar("Item")

Quote = Callable[[str], str]
"""Makes a name harmless in the format that is written."""

PREVIOUS_PLAN = "the previous plan"
"""What a plan is compared with, where nobody counts pushes."""

NAMED = 3
"""Limits of a kind that are named; the others are counted."""

_SHOWN = 200
_MOST_BYTES = 4_000

_EFFECTS = {
    Effect.LOWERED: "lowered",
    Effect.SET: "set",
    Effect.REMOVED: "removed",
    Effect.RAISED: "raised",
}
_ORIGINS = {
    Origin.CONFIG: "of this branch",
    Origin.DRIFT: "drift",
    Origin.CONFLICT: "in conflict",
}


def since_sentence(
    since: Since, quote: Quote, *, earlier: str = PREVIOUS_PLAN, named: int = NAMED
) -> str:
    """`Since push 3: 1 limit more is lowered (contacts → car), 2 changes are gone (…).`

    `earlier` names the earlier plan. Of each kind the first `named` limits are named, each through
    `quote`; with 0 they are only counted.
    """
    if since.is_empty:
        return f"Nothing changed since {earlier}."
    return f"Since {earlier}: {', '.join(since_words(since, quote, named=named))}."


def since_markdown(since: Since, *, earlier: str = PREVIOUS_PLAN) -> str:
    """The sentence for a comment, of at most 4,000 bytes: where names take more, it only counts."""
    quote = partial(markdown_prose, limit=_SHOWN)
    sentence = since_sentence(since, quote, earlier=earlier)
    if len(sentence.encode()) <= _MOST_BYTES:
        return sentence
    return since_sentence(since, quote, earlier=earlier, named=0)


def since_words(since: Since, quote: Quote, *, named: int = NAMED) -> Iterator[str]:
    """Words for each kind of difference: `1 limit more is lowered (contacts → car)`."""
    if since.portal_id is not None:
        was, now = since.portal_id
        yield f"it is for portal {now} instead of {was}"
    if since.api_version is not None:
        then, version = map(quote, since.api_version)
        yield f"it is for API version {version} instead of {then}"
    for kind in _kinds(since):
        counted = f"{plural(kind.count, kind.noun)} {kind.words}"
        names = [quote(each) for each in kind.names[:named]]
        more = len(kind.names) - len(names)
        listed = f"{', '.join(names)} and {more} more" if more else ", ".join(names)
        yield f"{counted} ({listed})" if named else counted


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of difference, with what is named of it; `words` follow the count."""

    count: int
    noun: str
    one: str
    many: str
    names: Sequence[str]

    @property
    def words(self) -> str:
        return self.one if self.count == 1 else self.many


def _kinds(since: Since) -> Iterator[_Kind]:
    """The kinds of which there is something, what restricts first."""
    yield from _alike(since.refused, _code, "refusal", "more", "more")
    yield from _alike(since.no_longer_refused, _code, "refusal", "is gone", "are gone")
    turned: list[Revision] = []
    others: list[Revision] = []
    for each in since.revised:
        is_alike = Effect.of(each.was) is Effect.of(each.now)
        (others if is_alike else turned).append(each)
    for effect, words in _EFFECTS.items():
        names = [_name(each) for each in since.added if Effect.of(each) is effect]
        names += [_revision(each) for each in turned if Effect.of(each.now) is effect]
        yield from _alike(names, str, "limit", f"more is {words}", f"more are {words}")
    yield from _alike(since.gone, _name, "change", "is gone", "are gone")
    yield from _alike(others, _revision, "change", "differs", "differ")
    for origin, words in _ORIGINS.items():
        moved = [each.now for each in since.moved if each.now.origin is origin]
        yield from _alike(moved, _name, "change", f"is now {words}", f"are now {words}")


def _alike(
    items: Sequence[Item], name: Callable[[Item], str], noun: str, one: str, many: str
) -> Iterator[_Kind]:
    if items:
        yield _Kind(len(items), noun, one, many, list(dict.fromkeys(map(name, items))))


def _code(refusal: Refusal) -> str:
    return refusal.code.replace("_", " ")


def _name(change: Change) -> str:
    """`contacts → car`, `contacts → deals "Champion"`."""
    sides = (change.direction.from_, change.direction.to)
    direction = " → ".join(
        shortened(each.name.strip() or each.id, NAME_LIMIT // 3) for each in sides
    )
    label = change.type.label
    return direction if label is None else f'{direction} "{shortened(label, NAME_LIMIT // 3)}"'


def _revision(each: Revision) -> str:
    """The values now and then, or the protection where the values are the same."""
    was, now = before_after(each.was), before_after(each.now)
    if was != now:
        return f"{_name(each.now)} {now} instead of {was}"
    return f"{_name(each.now)} {'is now' if each.now.protected else 'is no longer'} protected"
