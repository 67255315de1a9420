"""What was read from a portal → changed pair files; none is written unless all can be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.cli.adopting import Seen
from reconciler.cli.files import replace_file
from reconciler.cli.session import Files
from reconciler.config.edit import (
    AddInverse,
    AddLimits,
    Edit,
    EditImpossible,
    RemoveLimit,
    SetValue,
    edited,
)
from reconciler.config.pair_text import DirectionText, Limit, PairFile, pair_files
from reconciler.config.sources import Source, collect, shown_path
from reconciler.errors import ConfigurationInvalid, ReconcilerError, first_few, plural
from reconciler.model.limits import (
    Desired,
    DesiredDirection,
    Label,
    ObjectReference,
    ObservedDirection,
    Place,
    Selector,
    Unlabelled,
)
from reconciler.outgoing import mask
from reconciler.planning.adoption import Adoption, adopt, name_limits, unwritable

Reload = Callable[[Mapping[str, bytes]], Desired]
"""What the files say once some of them, by their paths, have other bytes."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file to be written: its path as shown, its bytes, and what it held (None: it is new)."""

    path: str
    target: Path
    content: bytes
    was: bytes | None
    limits: int

    @property
    def status(self) -> str:
        return "created" if self.was is None else "updated"


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that is to be written, and what a reader should know beside it."""

    files: tuple[FileChange, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def write(self) -> None:
        """Write all files, each completely or not at all, once all of them can be written.

        Raises ReconcilerError; where the disk fails on the way, it says what was written before.
        """
        for each in self.files:
            _check_target(each)
        for number, each in enumerate(self.files):
            try:
                each.target.parent.mkdir(parents=True, exist_ok=True)
                replace_file(each.target, each.content, was=each.was)
            except OSError as error:
                why = f"cannot write {each.path}: {error.strerror or error}"
                raise _stopped(why, self.files[:number]) from error
            except ReconcilerError as error:
                raise _stopped(error.message, self.files[:number]) from error


def _stopped(why: str, written: Sequence[FileChange]) -> ReconcilerError:
    if not written:
        return ReconcilerError(f"{why}; nothing was written")
    before = first_few([each.path for each in written], 5)
    return ReconcilerError(
        f"{why}; written before it: {before}", hint="run the command again for the rest"
    )


def _check_target(change: FileChange) -> None:
    target = change.target
    if change.was is None and os.path.lexists(target):
        what = "is a folder" if target.is_dir() else "exists and does not declare this pair"
        raise ReconcilerError(
            f"cannot write {change.path}: it {what}; nothing was written",
            hint="move it away, or choose another folder with --out",
        )
    folder = target.parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise ReconcilerError(
            f"cannot write {change.path}: {folder} is not a folder; nothing was written"
        )
    needed = target if change.was is not None else folder
    if not os.access(needed, os.W_OK):
        raise ReconcilerError(
            f"cannot write {change.path}: {needed} is not writable; nothing was written"
        )
    text = change.content.decode()
    if mask(text) != text and (
        change.was is None or mask(change.was.decode()) == change.was.decode()
    ):
        raise ReconcilerError(
            f"cannot write {change.path}: the portal's answer contains the token; "
            "nothing was written"
        )


def new_files(seen: Seen, folder: Path, modeline: str = "") -> Changes:
    """A file for every pair of which no direction is declared yet; `modeline`: its first line."""
    declared = {each.declared.direction.key for each in seen.adoptions}
    fresh = [each for each in seen.uncovered if each.direction.key[::-1] not in declared]
    texts = [text for text in map(_text, fresh) if text.limits]
    made = pair_files(texts, custom_known=seen.custom_known)
    changes = [created(each, folder, modeline) for each in made]
    return Changes(tuple(changes), tuple(_notes(seen.uncovered)))


def created(made: PairFile, folder: Path, modeline: str) -> FileChange:
    """A new file in a folder."""
    target = folder / made.name
    return FileChange(
        shown_path(target), target, f"{modeline}{made.text}".encode(), None, made.limits
    )


def modeline(root: Path, folder: Path) -> str:
    """Where an editor finds the schema of the files, in a repository that has one."""
    schema = root / ".reconciler" / "pair.schema.json"
    if not schema.is_file():
        return ""
    return f"# yaml-language-server: $schema={Path(os.path.relpath(schema, folder)).as_posix()}\n"


def _text(observed: ObservedDirection) -> DirectionText:
    keys = observed.values().keys() - observed.untouchable
    limits = tuple((each.selector, each.max) for each in name_limits(observed, keys))
    return DirectionText(observed.direction, limits, prune=not any(unwritable(observed)))


def _notes(directions: Iterable[ObservedDirection]) -> Iterable[str]:
    for each in directions:
        for type_ in unwritable(each):
            yield (
                f"{each.direction}: the limit of {type_} ({type_.key}) is above what a file can "
                "say and is left out; the direction says prune: false"
            )
        for row in each.unknown:
            yield f"{each.direction}: {row}"


def updates(seen: Seen, files: Files, folder: Path, reload: Reload) -> Changes:
    """The existing files with what differs, edited in place. Raises ReconcilerError."""
    edits: dict[str, list[Edit]] = {}
    for adoption in seen.adoptions:
        for edit in _edits(adoption):
            edits.setdefault(edit.place.path, []).append(edit)
    for place, text in _inverses(seen):
        edits.setdefault(place.path, []).append(AddInverse(place, text.limits, text.prune))
    sources = _sources(files, edits, folder)
    changed = tuple(
        FileChange(
            path,
            Path(sources[path].real or path),
            _edited(sources[path], edits[path]),
            sources[path].content,
            sum(len(each.limits) if isinstance(each, _ADDED) else 1 for each in edits[path]),
        )
        for path in sorted(edits)
    )
    if changed:
        _check_meaning(seen.adoptions, files.loaded.desired, changed, reload)
    return Changes(changed)


_ADDED = (AddLimits, AddInverse)


def _inverses(seen: Seen) -> Iterator[tuple[Place, DirectionText]]:
    """The directions with limits of which only the other way is declared, and where that is.

    Limits that no file can say are no difference.
    """
    declared = {each.declared.direction.key: each.declared for each in seen.adoptions}
    for observed in seen.uncovered:
        other = declared.get(observed.direction.key[::-1])
        if other is not None and (text := _text(observed)).limits:
            yield other.place, text


def _edits(adoption: Adoption) -> Iterable[Edit]:
    declared, observed = adoption.declared, adoption.observed
    for limit, value in adoption.values:
        yield SetValue(limit.place, value)
    going = [each for each in adoption.gone if not isinstance(each.selector, Unlabelled)]
    for limit in adoption.gone:
        yield RemoveLimit(limit.named_at) if limit in going else SetValue(limit.place, None)
    left = [each for each in declared.limits if each not in going]
    if adoption.added:
        taken = {each.selector.text for each in left if isinstance(each.selector, Label)}
        named = name_limits(observed, adoption.added, taken)
        yield AddLimits(declared.place, tuple((each.selector, each.max) for each in named))
    elif not left and going and (there := _in_their_place(observed)):
        yield AddLimits(declared.place, there)


def _in_their_place(observed: ObservedDirection) -> tuple[Limit, ...]:
    """What a direction says that would be left without a limit: one that the portal has, or none.

    With `prune: false` it may have some that the file does not name. Nothing where no file can say
    any of them: then the file cannot be edited.
    """
    values = observed.values()
    named = name_limits(observed, values.keys() - observed.untouchable)[:1]
    if not named and any(unwritable(observed)):
        return ()
    return tuple((each.selector, each.max) for each in named) or ((Unlabelled(), None),)


def _sources(files: Files, edits: Mapping[str, object], folder: Path) -> dict[str, Source]:
    """The files to edit, as they were when their places were read."""
    if not edits:
        return {}
    hashes = {each.path: each.sha256 for each in files.loaded.desired.files}
    paths = [folder, *(Path(each) for each in edits)]
    found = {each.path: each for each in collect(paths)[0]}
    for path in edits:
        source = found.get(path)
        if source is None or hashlib.sha256(source.content).hexdigest() != hashes.get(path):
            raise ReconcilerError(
                f"{path} was changed while the command ran; nothing was written",
                hint="run the command again",
            )
    return found


def _edited(source: Source, edits: Sequence[Edit]) -> bytes:
    try:
        return edited(source, edits)
    except (EditImpossible, LookupError) as error:
        raise _not_edited(source.path, str(error)) from error


def _not_edited(path: str, why: str) -> ReconcilerError:
    return ReconcilerError(
        f"{path} cannot be edited in place: {why}; nothing was written",
        hint="run `reconciler fmt` on it and import again",
    )


def _check_meaning(
    adoptions: Iterable[Adoption], before: Desired, changed: Sequence[FileChange], reload: Reload
) -> None:
    """Raise unless the edited files are valid and say what was read from the portal."""
    try:
        after = reload({change.path: change.content for change in changed})
    except ConfigurationInvalid as error:
        first = error.diagnostics[0]
        raise _not_edited(first.place.path, f"line {first.place.line}: {first.message}") from error
    names = {each.place: (each.from_, each.to) for each in before.directions}
    said: dict[tuple[ObjectReference, ObjectReference], DesiredDirection] = {
        (each.from_, each.to): each for each in after.directions
    }
    for adoption in adoptions:
        declared = adoption.declared
        now = said.get(names[declared.place]) if adoption.changes else None
        if now is not None:
            again = adopt(replace(declared, limits=now.limits), adoption.observed)
            if set(adoption.added) & set(again.added) or _names(adoption) & _names(again):
                raise _not_edited(declared.place.path, f"{declared.direction} would not match")


def _names(adoption: Adoption) -> set[Selector]:
    return {limit.selector for limit, _ in adoption.values}


def differing(seen: Seen) -> list[str]:
    """The files that differ from the portal, each with how many limits."""
    counts: dict[str, int] = {}
    for adoption in seen.adoptions:
        path = adoption.declared.place.path
        counts[path] = counts.get(path, 0) + adoption.changes
    for place, text in _inverses(seen):
        counts[place.path] = counts.get(place.path, 0) + len(text.limits)
    return [f"{path} ({plural(count, 'limit')})" for path, count in sorted(counts.items()) if count]
