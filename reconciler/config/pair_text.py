"""Limits → pair files: one per pair of object types, in canonical form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.config.canonical import (
    Block,
    Document,
    Entry,
    document_text,
    scalar_text,
)
from reconciler.config.object_types import STANDARD, canonical
from reconciler.model.limits import (
    ByTypeId,
    Category,
    CustomName,
    Direction,
    Label,
    ObjectType,
    Selector,
    Unlabelled,
)

FAMILIAR = ("0-1", "0-2", "0-3", "0-5", "0-136")
"""Contacts, companies, deals, tickets and leads, in the order people think of them."""

LONGEST_NAME = 100
"""Characters of an object type's name that a file is called by."""

PRUNE_NOTHING = Entry("prune", "false")
"""Of a direction that has limits which no file can say: they would be removed."""

Limit = tuple[Selector, int | None]
"""What a file names a limit by, and its value; None: unlimited."""


@dataclass(frozen=True, slots=True)
class DirectionText:
    """A direction and its limits; `prune` False where the file cannot name all of them."""

    direction: Direction
    limits: tuple[Limit, ...]
    prune: bool = True


@dataclass(frozen=True, slots=True)
class PairFile:
    """A pair file to be written: its name without a folder, its text and what it declares."""

    name: str
    text: str
    directions: tuple[DirectionText, ...]

    @property
    def limits(self) -> int:
        return sum(len(each.limits) for each in self.directions)


def pair_files(
    directions: Iterable[DirectionText], *, custom_known: bool, taken: Collection[str] = ()
) -> tuple[PairFile, ...]:
    """One file per pair of object types, the familiar pairs first.

    `custom_known` False: the portal's custom objects could not be read, so that names they may
    share are written as IDs. `taken`: file names that are in use.
    """
    pairs: dict[tuple[ObjectType, ObjectType], list[DirectionText]] = {}
    for each in sorted(directions, key=lambda each: _order(each.direction)):
        first, second = sorted((each.direction.from_, each.direction.to), key=_rank)
        pairs.setdefault((first, second), []).append(each)
    used = {name.casefold() for name in taken}
    files = []
    for (first, second), parts in pairs.items():
        names = (_file_part(first), _file_part(second))
        name = f"{names[0]}-{names[1]}.yaml"
        if name.casefold() in used:
            name = f"{first.id}-{second.id}.yaml"
        used.add(name.casefold())
        files.append(PairFile(name, _text(parts, custom_known=custom_known), tuple(parts)))
    return tuple(files)


def _rank(object_type: ObjectType) -> tuple[int, int, str]:
    """Familiar types, other standard ones in HubSpot's order, custom objects by name."""
    if object_type.id in FAMILIAR:
        return (0, FAMILIAR.index(object_type.id), "")
    standard = [id_ for id_, _, _ in STANDARD]
    if object_type.id in standard:
        return (1, standard.index(object_type.id), "")
    return (2, 0, f"{object_type.name.casefold()} {object_type.id}")


def _order(direction: Direction) -> tuple[object, ...]:
    """Pairs in the order of their types; the direction from the more familiar type first."""
    ranks = sorted((_rank(direction.from_), _rank(direction.to)))
    return (ranks, _rank(direction.from_))


def _file_part(object_type: ObjectType) -> str:
    """A name that is safe for a file, else the object type ID: letters, digits, `_` and `-`."""
    is_name = isinstance(canonical(object_type.name), ObjectType | CustomName)
    return object_type.name if is_name and len(object_type.name) <= LONGEST_NAME else object_type.id


def object_type_text(object_type: ObjectType, *, custom_known: bool) -> str:
    """What a file calls an object type: its name, unless that could be read as another one."""
    match canonical(object_type.name):
        case ObjectType(id=id_) as named if id_ == object_type.id != object_type.name:
            is_certain = custom_known or not named.often_custom
            return named.name if is_certain else object_type.id
        case CustomName(near=None):
            return object_type.name
        case _:
            return object_type.id


def _text(parts: Sequence[DirectionText], *, custom_known: bool) -> str:
    first, *others = parts
    sides = (first.direction.from_, first.direction.to)
    from_, to = (object_type_text(side, custom_known=custom_known) for side in sides)
    entries = [Entry("from", scalar_text(from_)), Entry("to", scalar_text(to))]
    entries += direction_entries(first.limits)
    if others:
        (inverse,) = others
        block = Block(direction_entries(inverse.limits))
        if not inverse.prune:
            block.entries.append(PRUNE_NOTHING)
        elif not first.prune:
            block.entries.append(Entry("prune", "true"))
        entries.append(Entry("inverse", block))
    if not first.prune:
        entries.append(PRUNE_NOTHING)
    return document_text([Document(Block(entries))])


def direction_entries(limits: Iterable[Limit]) -> list[Entry]:
    """The keys of a direction with these limits."""
    limits = list(limits)
    labels = Block([label_entry(*each) for each in limits if isinstance(each[0], Label)])
    types = Block(list(_type_items(limits)), is_list=True)
    entries = [label_entry(*each) for each in limits if isinstance(each[0], Unlabelled)]
    if labels.entries:
        entries.append(Entry("labels", labels))
    if types.entries:
        entries.append(Entry("types", types))
    return entries


def label_entry(selector: Selector, maximum: int | None) -> Entry:
    """`Billing contact: 2`, or `max: 2` for the object limit; with the category if it needs one."""
    match selector:
        case Label(text, category):
            return Entry(text, _value(maximum, category))
        case Unlabelled(category):
            return Entry("max", _value(maximum, category))
        case ByTypeId():
            raise ValueError(f"no label names {selector}")


def _value(maximum: int | None, category: Category | None) -> str | Block:
    text = _number(maximum)
    if category is None:
        return text
    return Block([Entry("max", text), Entry("category", category)], compact=True)


def _number(maximum: int | None) -> str:
    return "unlimited" if maximum is None else str(maximum)


def _type_items(limits: Iterable[Limit]) -> Iterator[Entry]:
    for selector, maximum in limits:
        if isinstance(selector, ByTypeId):
            keys = (("category", selector.key.category), ("type_id", str(selector.key.type_id)))
            entries = [*(Entry(key, value) for key, value in keys), Entry("max", _number(maximum))]
            yield Entry("", Block(entries, compact=True))
