"""Every limit of a portal, placed in its direction.

GET `all` names no direction (documented), and type IDs are unique only within a category. So its
rows are a hint: HubSpot's table of its own types, the object schemas and the labels of likely pairs
say where a row may belong, and the read of that direction is what proves it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from itertools import product
from typing import cast

from reconciler.errors import EndpointMissing, PermissionMissing, RequestRefused
from reconciler.hubspot.portal import Portal
from reconciler.model.limits import (
    AssociationType,
    Category,
    CustomObject,
    Direction,
    NamelessLimit,
    ObjectType,
    Observed,
    ObservedDirection,
    ObservedLimit,
    TypeKey,
    UnknownRow,
)

Row = ObservedLimit | NamelessLimit | UnknownRow
"""A row of GET `all`."""

Pair = tuple[str, str]
"""The object type IDs of a direction."""

USUAL = ("0-1", "0-2", "0-3", "0-5")
"""Contacts, companies, deals and tickets: where most labels are (inferred)."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The directions that have limits, each as its own read shows it, and what is not in them.

    `unplaced` are rows of GET `all` that state a limit and that no direction's read shows. `notes`
    say in words what could not be looked at.
    """

    observed: Observed
    custom_objects: tuple[CustomObject, ...] = ()
    unplaced: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def unplaced_in_words(self) -> tuple[str, ...]:
        """Each row that is not placed, by its category, type ID and limit."""
        return tuple(map(_in_words, self.unplaced))


def _in_words(row: Row) -> str:
    match row:
        case ObservedLimit(type_, value):
            label = "" if type_.label is None else f' "{type_.label}"'
            return f"{type_.key}{label}, limit {value}"
        case NamelessLimit(key, value):
            return f"{key}, limit {value}"
        case UnknownRow():
            return str(row)


def survey(
    portal: Portal,
    standard: Callable[[str], ObjectType | None],
    known: Observed | None = None,
    *,
    portal_id: int | None = None,
) -> Survey:
    """Read every limit of a portal; `standard` knows the object types that HubSpot defines by ID.

    `portal_id`: the portal that is meant; raises WrongPortal where the token belongs to another.

    Three requests at once, and one per direction that has limits, where the types are HubSpot's own
    or a custom object's. For labels that users made, the labels of likely pairs are read too, until
    every row is placed. What is `known` already, the account among it, is not read again. Raises a
    `PortalError` where GET `all` or the read of a direction fails.
    """
    lists: list[Callable[[], tuple[CustomObject, ...] | tuple[Row, ...] | None]]
    lists = [partial(_custom_objects, portal), portal.all_limits]
    account, found = portal.beside(
        partial(portal.account, portal_id) if known is None else lambda: known.account, lists
    )
    custom, rows = cast("tuple[tuple[CustomObject, ...] | None, tuple[Row, ...]]", tuple(found))
    search = _Search(
        portal, ObjectTypeNames(standard, custom or ()), [row for row in rows if _states(row)]
    )
    search.add(() if known is None else known.directions)
    hints = _hints(custom or (), {_key(row) for row in search.unplaced})
    search.read(pair for row in search.unplaced for pair in hints.get(_key(row), ()))
    for pairs in _rounds(search, custom or ()):
        if any(_key(row) is not None for row in search.unplaced):  # no label names the others
            search.look_for_labels(pairs())
    seen = sorted(filter(_has_limits, search.found.values()), key=lambda each: each.direction)
    notes = () if custom is not None else (_NO_SCHEMAS,)
    return Survey(Observed(account, tuple(seen)), custom or (), search.unplaced, notes)


_NO_SCHEMAS = (
    "the token may not read the object schemas (crm.schemas.custom.read), so limits of custom "
    "objects may not be found"
)


def _custom_objects(portal: Portal) -> tuple[CustomObject, ...] | None:
    """None where the token may not read them."""
    try:
        return portal.custom_associations()
    except PermissionMissing:
        return None


def _states(row: Row) -> bool:
    """Whether a row says that there is a limit: GET `all` was seen to list types without (observed)."""
    return row.in_force if isinstance(row, UnknownRow) else row.max is not None


def _key(row: Row) -> TypeKey | None:
    return row.type.key if isinstance(row, ObservedLimit) else row.key


@cache
def defined_types() -> Mapping[TypeKey, tuple[Pair, ...]]:
    """The directions of HubSpot's own association types (documented), by type."""
    table = (files("reconciler.hubspot") / "defined_types.csv").read_text(encoding="utf-8")
    found: dict[TypeKey, tuple[Pair, ...]] = {}
    for row in csv.DictReader(table.splitlines()):
        key = TypeKey(Category.HUBSPOT_DEFINED, int(row["type_id"]))
        found[key] = (*found.get(key, ()), (row["from"], row["to"]))
    return found


def _hints(
    custom: Sequence[CustomObject], wanted: Collection[TypeKey | None]
) -> Mapping[TypeKey | None, Sequence[Pair]]:
    """Where the types that are wanted may belong, by HubSpot's table and by the object schemas.

    A schema names an association by its type ID alone: it may be of any category.
    """
    if not wanted:
        return {}
    defined = defined_types()
    found: dict[TypeKey | None, list[Pair]] = {
        key: list(defined.get(key, ())) for key in wanted if key is not None
    }
    by_id: dict[int, list[list[Pair]]] = {}
    for key, pairs in found.items():
        if key is not None:
            by_id.setdefault(key.type_id, []).append(pairs)
    for each in (association for one in custom for association in one.associations):
        for pairs in by_id.get(each.type_id, ()):
            pairs += [(each.from_id, each.to_id), (each.to_id, each.from_id)]
    return found


def _rounds(
    search: _Search, custom: Sequence[CustomObject]
) -> Iterator[Callable[[], Iterable[Pair]]]:
    """Directions whose labels to read, the likeliest first; each round knows what was found before."""

    def among_seen() -> Iterable[Pair]:
        return ((a, b) for a, b in product(search.seen_types, repeat=2))

    def usual() -> Iterable[Pair]:
        likely = dict.fromkeys([*USUAL, *(each.id for each in custom), *search.seen_types])
        return ((a, b) for a, b in product(likely, repeat=2) if {a, b} & {*USUAL})

    def known() -> Iterable[Pair]:
        return (pair for pairs in defined_types().values() for pair in pairs)

    def own() -> Iterable[Pair]:
        standard = dict.fromkeys(id_ for pair in known() for id_ in pair)
        ids = [each.id for each in custom]
        return (
            pair
            for a, b in product(ids, [*ids, *standard])
            for pair in dict.fromkeys([(a, b), (b, a)])
        )

    yield from (among_seen, usual, known, own)


class ObjectTypeNames:
    """Names object types so that a file that names them means them and no other."""

    def __init__(
        self, standard: Callable[[str], ObjectType | None], custom: Sequence[CustomObject]
    ) -> None:
        self._standard = standard
        self._custom = {each.id: each for each in custom}
        self._named = Counter(
            name
            for each in custom
            for name in {each.name.casefold(), each.fully_qualified_name.casefold()}
        )

    def named(self, id_: str) -> ObjectType:
        """By the shortest name that is unambiguous in this portal, else by its ID."""
        standard = self._standard(id_)
        if standard is not None:
            shared = any(self._named[name.casefold()] for name in (standard.name, *standard.names))
            return ObjectType(id_, id_ if shared else standard.name)
        custom = self._custom.get(id_)
        names = () if custom is None else (custom.name, custom.fully_qualified_name)
        return ObjectType(id_, next(filter(self._is_unambiguous, names), id_))

    def _is_unambiguous(self, name: str) -> bool:
        return self._named[name.casefold()] == 1 and self._standard(name.casefold()) is None


class _Search:
    """Which rows are not placed yet, and the directions read so far."""

    def __init__(self, portal: Portal, types: ObjectTypeNames, rows: Sequence[Row]) -> None:
        self._portal = portal
        self._types = types
        self._looked_at: set[Pair] = set()
        self.found: dict[Pair, ObservedDirection] = {}
        self.unplaced = tuple(rows)
        self._shown = Counter[object]()
        self._both_ways: set[object] = set()

    @property
    def seen_types(self) -> Sequence[str]:
        """The object types of the directions that have limits."""
        return list(dict.fromkeys(id_ for pair in self.found for id_ in pair))

    def read(self, pairs: Iterable[Pair]) -> None:
        """Read the limits of directions; those that have any are kept, and place rows."""
        wanted = [pair for pair in dict.fromkeys(pairs) if pair not in self.found]
        read = partial(_read, self._portal)
        seen = self._portal.in_parallel([partial(read, self._direction(pair)) for pair in wanted])
        self.add(each for each in seen if each is not None and _has_limits(each))

    def add(self, directions: Iterable[ObservedDirection]) -> None:
        """Keep what was read of directions, and place the rows that they show.

        Each limit accounts for one row, since an ID may occur in two directions (observed of other
        IDs). A limit between objects of one type is one for both ways (documented), and may be
        listed for each (unknown).
        """
        for seen in directions:
            from_, to = seen.direction.key
            self.found[from_, to] = seen
            shown = self._both_ways.update if from_ == to else self._shown.update
            shown(_shown(seen))
        self.unplaced = tuple(row for row in self.unplaced if not self._takes(row))

    def _takes(self, row: Row) -> bool:
        """Whether a direction shows the limit of a row, and no other row has taken it."""
        for each in _said_by(row):
            if each in self._both_ways:
                return True
            if self._shown[each] > 0:
                self._shown[each] -= 1
                return True
        return False

    def look_for_labels(self, pairs: Iterable[Pair]) -> None:
        """Read the limits of those directions whose labels name a type that is not placed."""
        wanted = [pair for pair in dict.fromkeys(pairs) if pair not in self._looked_at]
        self._looked_at.update(wanted)
        labels = self._portal.in_parallel(
            [partial(labels_of, self._portal, self._direction(pair)) for pair in wanted]
        )
        missing = {_key(row) for row in self.unplaced}
        self.read(
            pair
            for pair, types in zip(wanted, labels, strict=True)
            if any(each.key in missing for each in types)
        )

    def _direction(self, pair: Pair) -> Direction:
        return Direction(self._types.named(pair[0]), self._types.named(pair[1]))


def _has_limits(seen: ObservedDirection) -> bool:
    return bool(seen.values() or seen.unknown_limits)


def _shown(seen: ObservedDirection) -> Iterator[object]:
    """What a direction shows, once each: types with their limits, and rows that are not understood."""
    yield from seen.values().items()
    yield from (each.row if each.key is None else each.key for each in seen.unknown)


def _said_by(row: Row) -> Iterable[object]:
    """What a direction shows that has a row of GET `all`; any of these will do."""
    key = _key(row)
    if isinstance(row, UnknownRow):
        return (row.row if key is None else key,)
    return ((key, row.max), key)


def _read(portal: Portal, direction: Direction) -> ObservedDirection | None:
    """The limits of a direction, with the labels where a row leaves its own out; None: no such one."""
    try:
        return portal.read(direction, needs_labels=lambda seen: bool(seen.nameless))
    except (RequestRefused, EndpointMissing):
        return None


def labels_of(portal: Portal, direction: Direction) -> Collection[AssociationType]:
    """The types of a direction; none where the portal does not show them.

    It may not associate these object types, or the token may not read them: what belongs there
    stays listed as not placed.
    """
    try:
        return portal.labels(direction).types
    except (RequestRefused, EndpointMissing, PermissionMissing):
        return ()
