"""Files → desired limits, for each portal its own: all diagnostics of all files in one go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from reconciler.config import nodes
from reconciler.config.nodes import Node, child, is_empty
from reconciler.config.object_types import InvalidName, canonical
from reconciler.config.overlays import layer_of, overlaid
from reconciler.config.pair import DirectionForm, LimitForm, PairForm, TypeForm, read_pair
from reconciler.config.sources import Loaded, Source, collect, shown_path
from reconciler.config.validation import MOST_MISTAKES
from reconciler.config.words import quoted, visible
from reconciler.config.yaml import decode, read_documents
from reconciler.errors import ConfigurationInvalid, Diagnostic, DiagnosticCode, Severity
from reconciler.model.limits import (
    UI_MAXIMUM_LIMIT,
    ByTypeId,
    ConfigFile,
    CustomName,
    Desired,
    DesiredDirection,
    DesiredLimit,
    Label,
    ObjectReference,
    Place,
    Selector,
    TypeKey,
    Unlabelled,
)


def load(paths: Sequence[Path], *, prune: bool = True) -> Loaded:
    """Read the pair files below the given paths.

    Raises ConfigurationInvalid with every diagnostic, also when there is no pair file at all.
    """
    sources, unreadable = collect(paths)
    refuse_nothing(paths, sources, unreadable)
    return Configuration(sources, prune=prune).loaded(earlier=unreadable)


def refuse_nothing(
    paths: Sequence[Path], sources: Sequence[Source], unreadable: Sequence[Diagnostic]
) -> None:
    """Raise ConfigurationInvalid where `collect` found no pair file below the paths."""
    if not sources and all(each.severity is Severity.WARNING for each in unreadable):
        raise ConfigurationInvalid([*unreadable, _no_pair_files(paths)])


def parse(sources: Iterable[Source], *, prune: bool) -> Loaded:
    """What the files say; `prune` holds where a document says nothing of it.

    Raises ConfigurationInvalid with every error and warning of every file.
    """
    return Configuration(tuple(sources), prune=prune).loaded()


@dataclass(frozen=True, slots=True)
class File:
    """The documents of a file, and what is wrong with it as YAML."""

    path: str
    documents: tuple[Node, ...]
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a document says, and what is wrong with it; or with a file. `path`: its file."""

    path: str
    directions: Sequence[DesiredDirection] = ()
    problems: Sequence[Diagnostic] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Pair files as read, and overlays by their directory, from which each portal gets its limits.

    `partial`: there are other pair files; an overlay adds nothing to those at hand then. `known`
    keeps the files that were read, for another portal or commit that has mostly the same.
    """

    sources: Sequence[Source]
    overlays: Mapping[str, Sequence[Source]] = field(default_factory=dict)
    prune: bool = True
    partial: bool = False
    known: dict[Source, File] | None = None

    def loaded(self, overlays: Sequence[str] = (), *, earlier: Sequence[Diagnostic] = ()) -> Loaded:
        """The limits with these overlays, the last one on top.

        Raises ConfigurationInvalid with every error and warning, `earlier` ones included.
        """
        directions: list[DesiredDirection] = []
        diagnostics = list(earlier)
        errors = _errors(diagnostics)
        for declared in self.declared(overlays):
            directions += declared.directions
            diagnostics += declared.problems
            errors += _errors(declared.problems)
            if errors >= MOST_MISTAKES:
                diagnostics.append(_too_many(declared.path))
                break
        diagnostics += islice(_repeated(directions), MOST_MISTAKES)
        if _errors(diagnostics):
            raise ConfigurationInvalid(diagnostics)
        files = tuple(
            ConfigFile(source.path, hashlib.sha256(source.content).hexdigest())
            for source in (*self.sources, *self.overlay_sources(overlays))
        )
        warnings = sorted(diagnostics, key=lambda found: found.order)
        return Loaded(Desired(tuple(directions), files), tuple(warnings))

    def overlay_sources(self, overlays: Sequence[str]) -> list[Source]:
        return [each for name in overlays for each in self.overlays.get(name, ())]

    def declared(self, overlays: Sequence[str] = ()) -> Iterator[Declared]:
        """What each document says with these overlays on it."""
        if overlays:
            yield from self._overlaid(overlays)
            return
        for source in self.sources:
            file = self._file(source)
            yield Declared(file.path, problems=file.problems)
            for document in file.documents:
                yield self._declared(document, file.path, is_sound=not file.problems)

    def _overlaid(self, overlays: Sequence[str]) -> Iterator[Declared]:
        """An overlay that is not valid YAML says nothing, as a document of such a file does."""
        files = [self._file(source) for source in self.sources]
        above = [[self._file(each) for each in self.overlays.get(name, ())] for name in overlays]
        for file in (*files, *(each for layer in above for each in layer)):
            yield Declared(file.path, problems=file.problems)
        documents = [(each, file) for file in files for each in file.documents]
        layers = [
            layer_of(each for file in layer if not file.problems for each in file.documents)
            for layer in above
        ]
        changed, added, warnings = overlaid(
            [document for document, _ in documents], layers, partial=self.partial
        )
        for at, (document, file) in enumerate(documents):
            merged = changed.get(at, document)
            if merged is not None:
                yield self._declared(merged, file.path, is_sound=not file.problems)
        for document in added:
            yield self._declared(document, document.place.path, is_sound=True)
        yield Declared(
            "", problems=[*warnings, *(one for layer in layers for one in layer.problems)]
        )

    def _file(self, source: Source) -> File:
        if self.known is not None and source in self.known:
            return self.known[source]
        documents: tuple[Node, ...] = ()
        text = decode(source.path, source.content)
        if isinstance(text, Diagnostic):
            problems: tuple[Diagnostic, ...] = (text,)
        else:
            read = read_documents(source.path, text)
            documents = tuple(root for root in read.roots if not is_empty(root))
            problems = read.diagnostics
            if not documents and not problems:
                problems = (_declares_nothing(source.path),)
        file = File(source.path, documents, problems)
        if self.known is not None:
            self.known[source] = file
        return file

    def _declared(self, document: Node, path: str, *, is_sound: bool) -> Declared:
        pair, problems = read_pair(document)
        if pair is None or not is_sound or not isinstance(document, nodes.Mapping):
            return Declared(path, problems=problems)
        return Declared(path, *_declare(pair, document, prune=self.prune))


def _declares_nothing(path: str) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.FILE_DECLARES_NOTHING,
        f"{path} declares nothing: it is empty or holds comments only",
        Place(path, 1, 1),
        hint="write a document, or remove the file; what it declared before is no longer managed",
        severity=Severity.WARNING,
    )


def _errors(diagnostics: Iterable[Diagnostic]) -> int:
    return sum(found.severity is Severity.ERROR for found in diagnostics)


def _too_many(path: str) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.MISTAKES_TOO_MANY,
        f"there are more than {MOST_MISTAKES:,} mistakes; nothing from this place on was checked",
        Place(path, 1, 1),
        hint="correct these first",
    )


def _no_pair_files(paths: Sequence[Path]) -> Diagnostic:
    shown = [shown_path(path) for path in paths] or ["."]
    below = " or ".join(path if path == "." else f"{path.rstrip('/')}/" for path in shown)
    return Diagnostic(
        DiagnosticCode.PAIR_FILES_MISSING,
        f"no pair files below {below}",
        Place(shown[0], 1, 1),
        hint="pair files end in .yaml or .yml; the README shows one",
    )


# ---------------------------------------------------------------- what the models cannot say


def _declare(
    pair: PairForm, node: nodes.Mapping, *, prune: bool
) -> tuple[list[DesiredDirection], list[Diagnostic]]:
    """The one or two directions that a document declares, and what the rules say of them.

    `prune` holds where the document says nothing of it.
    """
    from_, to = canonical(pair.from_), canonical(pair.to)
    if isinstance(from_, InvalidName) or isinstance(to, InvalidName):
        raise TypeError("the pair was not validated")
    at, at_to = node.entries["from"].value.place, node.entries["to"].value.place
    prune = prune if pair.prune is None else pair.prune
    limits = tuple(_limits(pair, node))
    directions = [DesiredDirection(from_, to, limits, prune, at, at, at_to)]
    problems = [*_problems(pair, node, directions[0])]
    if pair.inverse is not None:
        key, inverse = node.entries["inverse"]
        if from_ == to:
            return directions, [*problems, _inverse_of_itself(from_, key.place)]
        prune = prune if pair.inverse.prune is None else pair.inverse.prune
        limits = tuple(_limits(pair.inverse, inverse))
        directions.append(DesiredDirection(to, from_, limits, prune, key.place, at_to, at))
        problems += _problems(pair.inverse, inverse, directions[1])
    if isinstance(from_, CustomName) or isinstance(to, CustomName):
        problems += _near_standard(directions[0])
    return directions, problems


def _repeated(directions: Iterable[DesiredDirection]) -> Iterator[Diagnostic]:
    """Every direction is declared once."""
    first: dict[tuple[ObjectReference, ObjectReference], DesiredDirection] = {}
    for direction in directions:
        earlier = first.setdefault((direction.from_, direction.to), direction)
        if earlier is not direction:
            yield Diagnostic(
                DiagnosticCode.DIRECTION_DUPLICATE,
                f"{direction} is already declared at {earlier.place}",
                direction.place,
                hint="keep all limits of a direction in one place",
                related=earlier.place,
            )


def _problems(form: DirectionForm, node: Node, direction: DesiredDirection) -> Iterator[Diagnostic]:
    """What the rules over one direction say."""
    if not direction.limits:
        yield _nothing_declared(direction)
    if form.max is not None and form.labels:
        yield from _labels_above_object_limit(direction)
    if form.types:
        yield from _repeated_types(visible(str(direction)), form, node)
    for limit in direction.limits:
        if limit.max is not None and limit.max > UI_MAXIMUM_LIMIT:
            yield Diagnostic(
                DiagnosticCode.LIMIT_ABOVE_UI_MAXIMUM,
                f"{_subject(limit)} of {visible(str(direction))} is {limit.max}, above {UI_MAXIMUM_LIMIT}, "
                "the most that HubSpot's settings page takes",
                limit.place,
                hint="a portal's own maximum may be lower: its refusal names the range it accepts",
                severity=Severity.WARNING,
            )


def _nothing_declared(direction: DesiredDirection) -> Diagnostic:
    consequence = "would remove all that the portal has"
    hint = "write `max: unlimited` if that is meant; remove the direction to leave it alone"
    if not direction.prune:
        consequence = "has no effect with `prune: false`"
        hint = "name a limit, or remove the direction"
    words = f"{visible(str(direction))} declares no limit, which {consequence}"
    return Diagnostic(DiagnosticCode.DIRECTION_DECLARES_NOTHING, words, direction.place, hint=hint)


def _labels_above_object_limit(direction: DesiredDirection) -> Iterator[Diagnostic]:
    object_limit, *others = direction.limits
    highest = object_limit.max
    if highest is None:
        return
    for limit in others:
        if limit.max is None or limit.max <= highest or not isinstance(limit.selector, Label):
            continue
        place, related = limit.place, object_limit.place
        # an overlay lowered the object limit
        if place.path == direction.place.path != related.path:
            place, related = related, place
        yield Diagnostic(
            DiagnosticCode.LABEL_ABOVE_OBJECT_LIMIT,
            f"label limit {limit.max} of {quoted(limit.selector.text)} is above "
            f"the object limit {highest} of {visible(str(direction))}",
            place,
            hint=f"lower it to {highest} or less, or raise `max`",
            related=related,
        )


def _repeated_types(name: str, form: DirectionForm, node: Node) -> Iterator[Diagnostic]:
    first: dict[TypeKey, Place] = {}
    for entry, item in _types(form, node):
        key = TypeKey(entry.category, entry.type_id)
        earlier = first.setdefault(key, item.place)
        if earlier is not item.place:
            yield Diagnostic(
                DiagnosticCode.TYPE_DUPLICATE,
                f"{key} is already listed in `types` of {name} at line {earlier.line}",
                item.place,
                hint="keep one of the two",
                related=earlier,
            )


def _limits(form: DirectionForm, node: Node) -> Iterator[DesiredLimit]:
    """The limits of a direction, the object limit first."""
    if not isinstance(node, nodes.Mapping):
        return
    if form.max is not None:
        category = form.max.category if isinstance(form.max, LimitForm) else None
        yield _limit(Unlabelled(category), form.max, *node.entries["max"])
    labels = child(node, "labels") if form.labels else None
    if isinstance(labels, nodes.Mapping):
        for text, limit in form.labels.items():
            category = limit.category if isinstance(limit, LimitForm) else None
            yield _limit(Label(text, category), limit, *labels.entries[text])
    for entry, item in _types(form, node) if form.types else ():
        named = child(item, "type_id") or item
        yield _limit(ByTypeId(TypeKey(entry.category, entry.type_id)), entry, named, item)


def _limit(
    selector: Selector, form: LimitForm | TypeForm | int | str, name: Node, value: Node
) -> DesiredLimit:
    """Its place is that of the number: in the mapping form, behind its `max`."""
    if isinstance(form, (int, str)):
        maximum = None if isinstance(form, str) else form
        return DesiredLimit(selector, maximum, value.place, name_place=name.place)
    maximum = form.max if isinstance(form.max, int) else None
    at = (child(value, "max") or value).place
    return DesiredLimit(selector, maximum, at, form.protect, form.reason or None, name.place)


def _types(form: DirectionForm, node: Node) -> Iterator[tuple[TypeForm, Node]]:
    types = child(node, "types")
    if isinstance(types, nodes.Sequence):
        yield from zip(form.types, types.items, strict=True)


def _subject(limit: DesiredLimit) -> str:
    match limit.selector:
        case Unlabelled():
            return "the object limit"
        case Label(text=text):
            return f"the label limit of {quoted(text)}"
        case ByTypeId(key=key):
            return f"the limit of {key}"


def _near_standard(direction: DesiredDirection) -> Iterator[Diagnostic]:
    """Names that may be misspelt: without a portal nobody knows its custom objects."""
    for reference, at in direction.sides:
        if isinstance(reference, CustomName) and reference.near is not None:
            yield Diagnostic(
                DiagnosticCode.OBJECT_TYPE_NEAR_STANDARD,
                f"{quoted(reference.name)} is not a standard object type; a custom object of that "
                "name is looked for in the portal",
                at,
                hint=f"did you mean {reference.near}? If not, write the custom object's fully "
                "qualified name or its object type ID",
                severity=Severity.WARNING,
            )


def _inverse_of_itself(from_: ObjectReference, at: Place) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.INVERSE_OF_ITSELF,
        f"`inverse` of {from_} → {from_}: a pair of one object type has one direction",
        at,
        hint="move the limits of `inverse` up, beside `max` and `labels`",
    )
