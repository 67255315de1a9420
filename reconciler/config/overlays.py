"""Overlays: documents that replace some values of others, for one portal, and keep the rest.

Documents meet by the directions that they are about, whichever of the two they name first and
however they spell the object types. Below, limits meet by their label, or by category and type ID.
Every node keeps its place, so what an overlay says is reported where the overlay says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from reconciler.config import nodes
from reconciler.config.nodes import Entry, Mapping, Node, Scalar, child
from reconciler.config.object_types import InvalidName, canonical
from reconciler.config.words import quoted
from reconciler.errors import Diagnostic, DiagnosticCode, Severity
from reconciler.model.limits import ObjectReference, Place

Key = tuple[ObjectReference, ObjectReference]
"""The object types of a direction."""


class Part(NamedTuple):
    """What an overlay says of one direction; `body` None: that it is not declared.

    `from_` and `to` are the entries of the two object types in the order of this direction.
    """

    key: Key
    from_: Entry
    to: Entry
    body: Mapping | None
    place: Place


class Layer(NamedTuple):
    """The documents of one overlay directory: their directions, and what none can be read from."""

    parts: list[Part]
    others: list[Node]
    problems: list[Diagnostic]


def key_of(document: Node) -> Key | None:
    """The direction that a document is about; None where it does not say."""
    from_, to = _reference(child(document, "from")), _reference(child(document, "to"))
    return None if from_ is None or to is None else (from_, to)


def _reference(node: Node | None) -> ObjectReference | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return None
    named = canonical(node.text)
    return None if isinstance(named, InvalidName) else named


def layer_of(documents: Iterable[Node]) -> Layer:
    """What the documents of one directory say, each direction once."""
    layer = Layer([], [], [])
    first: dict[Key, Part] = {}
    for document in documents:
        key = key_of(document)
        if key is None or not isinstance(document, Mapping):
            layer.others.append(document)
            continue
        for part in _parts(document, key):
            earlier = first.setdefault(part.key, part)
            if earlier is part:
                layer.parts.append(part)
            else:
                layer.problems.append(_twice(earlier, part))
    return layer


def _parts(document: Mapping, key: Key) -> Iterator[Part]:
    own = dict(document.entries)
    from_, to, inverse = own.pop("from"), own.pop("to"), own.get("inverse")
    is_known = inverse is not None and (
        _is_null(inverse.value) or isinstance(inverse.value, Mapping)
    )
    if is_known:
        del own["inverse"]
    yield Part(key, from_, to, Mapping(own, document.place), from_.value.place)
    if inverse is not None and is_known:
        body = inverse.value if isinstance(inverse.value, Mapping) else None
        swapped = (to._replace(key=from_.key), from_._replace(key=to.key))
        yield Part(key[::-1], *swapped, body, inverse.key.place)


def _twice(earlier: Part, part: Part) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.DIRECTION_DUPLICATE,
        f"{part.key[0]} → {part.key[1]} is already in this overlay at {earlier.place}",
        part.place,
        hint="keep all limits of a direction in one place",
        related=earlier.place,
    )


def overlaid(
    documents: Sequence[Node], layers: Iterable[Layer], *, partial: bool
) -> tuple[dict[int, Node | None], list[Node], list[Diagnostic]]:
    """The documents with the layers on them, one after the other.

    Returns the documents that a layer changed, by their index (None: nothing is left of it), those
    that it added, and warnings. `partial`: the documents are not all there are, so that what none
    of them is about is left out.
    """
    laid = _Laid(list(documents), partial=partial)
    for layer in layers:
        for part in layer.parts:
            laid.take(part)
        laid.documents += layer.others
    count = len(documents)
    changed = {at: laid.documents[at] for at in sorted(laid.changed) if at < count}
    return changed, [each for each in laid.documents[count:] if each is not None], laid.warnings


class _Laid:
    """Documents that one direction after the other is laid over."""

    def __init__(self, documents: list[Node | None], *, partial: bool) -> None:
        self.documents = documents
        self.partial = partial
        self.changed: set[int] = set()
        self.warnings: list[Diagnostic] = []
        self.where: dict[Key, int] = {}
        for at in range(len(documents)):
            self._index(at)

    def _index(self, at: int) -> None:
        document = self.documents[at]
        key = None if document is None else key_of(document)
        if document is not None and key is not None:
            self.where.setdefault(key, at)
            if child(document, "inverse") is not None:
                self.where.setdefault(key[::-1], at)

    def take(self, part: Part) -> None:
        """Lay one direction over the document that declares it, else beside the other direction."""
        at = self.where.get(part.key, self.where.get(part.key[::-1]))
        if part.body is None:
            self._remove(part, self.where.get(part.key))
        elif at is not None:
            self._change(at, part, part.body)
        elif not self.partial:
            body = self._direction(Mapping({}, part.body.place), part.body)
            entries = {"from": part.from_, "to": part.to, **body.entries}
            self.documents.append(Mapping(entries, part.body.place))
            self._index(len(self.documents) - 1)

    def _change(self, at: int, part: Part, over: Mapping) -> None:
        document = self.documents[at]
        if not isinstance(document, Mapping):
            return
        if key_of(document) == part.key:
            self._put(at, self._direction(document, over))
            return
        named = Scalar("inverse", True, part.from_.value.place)  # noqa: FBT003 - a tuple's field
        key, base = document.entries.get("inverse", Entry(named, Mapping({}, over.place)))
        base = base if isinstance(base, Mapping) else Mapping({}, over.place)
        inverse = Entry(key, self._direction(base, over))
        self._put(at, document._replace(entries=document.entries | {"inverse": inverse}))

    def _remove(self, part: Part, at: int | None) -> None:
        document = None if at is None else self.documents[at]
        if at is None or not isinstance(document, Mapping):
            if not self.partial:
                self._nothing("inverse", part.place)
            return
        entries = dict(document.entries)
        inverse = entries.pop("inverse", None)
        if key_of(document) != part.key:
            self._put(at, document._replace(entries=entries))
        elif inverse is None or not isinstance(inverse.value, Mapping):
            self._put(at, None)
        else:
            prune = {"prune": entries["prune"]} if "prune" in entries else {}
            swapped = {
                "from": Entry(entries["from"].key, entries["to"].value),
                "to": Entry(entries["to"].key, entries["from"].value),
            }
            self._put(at, Mapping(swapped | prune | inverse.value.entries, inverse.value.place))
        del self.where[part.key]

    def _put(self, at: int, document: Node | None) -> None:
        self.documents[at] = document
        self.changed.add(at)
        self._index(at)

    def _direction(self, base: Mapping, over: Mapping) -> Mapping:
        entries = dict(base.entries)
        for name, (key, value) in over.entries.items():
            earlier = entries.get(name)
            if _is_null(value) or (name == "max" and _is_removed(value)):
                self._drop(entries, name, key)
            elif name == "max":
                self._limit(entries, name, key, value)
            elif name == "labels" and isinstance(value, Mapping):
                labels = _entries_of(earlier)
                for label, (label_key, limit) in value.entries.items():
                    self._limit(labels, label, label_key, limit)
                entries[name] = Entry(key, value._replace(entries=labels))
            elif name == "types" and isinstance(value, nodes.Sequence):
                items = self._types(earlier, value)
                entries[name] = Entry(key, value._replace(items=items))
            else:
                entries[name] = Entry(key, value)
        return base._replace(entries=entries)

    def _limit(self, entries: dict[str, Entry], name: str, key: Scalar, over: Node) -> None:
        """Lay a limit over the one of the same name: `5` says no more than `{max: 5}`."""
        if _is_removed(over):
            self._drop(entries, name, key)
            return
        earlier = entries.get(name)
        if earlier is None and not isinstance(over, Mapping):
            entries[name] = Entry(key, over)
            return
        value = self._properties(None if earlier is None else earlier.value, over)
        entries[name] = Entry(key if earlier is None else earlier.key, value)

    def _properties(self, base: Node | None, over: Node) -> Mapping:
        merged = {} if base is None else dict(_as_mapping(base).entries)
        for name, (key, value) in _as_mapping(over).entries.items():
            if _is_null(value):
                self._drop(merged, name, key)
            else:
                merged[name] = Entry(key, value)
        return Mapping(merged, over.place)

    def _types(self, earlier: Entry | None, over: nodes.Sequence) -> list[Node]:
        base = earlier.value if earlier is not None else None
        items = list(base.items) if isinstance(base, nodes.Sequence) else []
        known = {_type_of(item): at for at, item in reversed(list(enumerate(items)))}
        known.pop(None, None)
        gone: set[int] = set()
        for item in over.items:
            at = known.pop(_type_of(item), None)
            if _is_removed(item):
                if at is None:
                    self._nothing("types", item.place)
                else:
                    gone.add(at)
            elif at is None:
                new = isinstance(item, Mapping)
                items.append(self._properties(None, item) if new else item)
            else:
                items[at] = self._properties(items[at], item)
        return [item for at, item in enumerate(items) if at not in gone]

    def _drop(self, entries: dict[str, Entry], name: str, key: Scalar) -> None:
        if entries.pop(name, None) is None:
            self._nothing(key.text, key.place)

    def _nothing(self, name: str, place: Place) -> None:
        self.warnings.append(
            Diagnostic(
                DiagnosticCode.OVERLAY_REMOVES_NOTHING,
                f"the overlay removes something of {quoted(name)} that is not there"
                if name in {"inverse", "types"}
                else f"the overlay removes {quoted(name)}, which is not there",
                place,
                hint="check the spelling, or remove the line",
                severity=Severity.WARNING,
            )
        )


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null


def _is_removed(limit: Node) -> bool:
    """Whether an overlay says that there is no such limit: null, or its `max` is."""
    maximum = child(limit, "max") if isinstance(limit, Mapping) else limit
    return maximum is not None and _is_null(maximum)


def _entries_of(entry: Entry | None) -> dict[str, Entry]:
    return dict(entry.value.entries) if entry and isinstance(entry.value, Mapping) else {}


def _as_mapping(limit: Node) -> Mapping:
    """A limit in the form that says all of it."""
    if isinstance(limit, Mapping):
        return limit
    key = Scalar("max", True, limit.place)  # noqa: FBT003 - a tuple's field
    return Mapping({"max": Entry(key, limit)}, limit.place)


def _type_of(item: Node) -> tuple[str, str] | None:
    category, type_id = child(item, "category"), child(item, "type_id")
    if isinstance(category, Scalar) and isinstance(type_id, Scalar):
        return category.text, type_id.text
    return None
