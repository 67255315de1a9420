"""What HEAD has of the files that were read, and what was removed since it began."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from reconciler.config.sources import MAXIMUM_BYTES, Found, Source, Walk
from reconciler.errors import Diagnostic, DiagnosticCode, GitError
from reconciler.git.objects import (
    Item,
    NotReadable,
    Objects,
    Parts,
    Tree,
    blob_id,
    in_submodule,
    open_objects,
)
from reconciler.git.repository import Repository, find_repository, merge_base, run
from reconciler.model.limits import Place

_NOT_ON_DISK_ON_PURPOSE = frozenset((b"S", b"h", b"s"))
"""Tags of `git ls-files -v`: skip-worktree, assume-unchanged, both."""

_MOST_PATHS = 500
_MOST_REMOVED = 50
_DEFAULT_BRANCHES = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
)


@dataclass(frozen=True, slots=True)
class Head:
    """What the commit of HEAD has of the files that were read, and whether they differ from it.

    `hidden` are files that HEAD has and the work tree leaves out on purpose: they are part of the
    configuration. `removed` are those that somebody deleted.
    """

    commit: str
    dirty: bool
    hidden: tuple[Source, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """The files of a commit, by paths from the top; `repository`: whose folder they are seen from."""

    tree: Tree
    repository: Repository | None = None
    _folders: dict[str, Item] = field(default_factory=dict)

    def parts(self, path: str) -> Parts:
        return tuple(part for part in path.split("/") if part not in {"", "."})

    def item(self, path: str) -> Item | None:
        above, _, name = path.rpartition("/")
        folder = self._folders.get(above)
        item = self.tree.find(self.parts(path)) if folder is None else self.tree.child(folder, name)
        if item is not None and item.is_directory:
            self._folders[path] = item
        return item

    def shown(self, path: str) -> str:
        return path if self.repository is None else self.repository.shown(self.parts(path))

    def find(self, path: str) -> Found:
        """Past the repository nobody knows what is there. Nothing at all is no problem here."""
        try:
            item = self.item(path)
            if item is not None and item.is_submodule:
                raise in_submodule(item.real)
        except NotReadable as error:
            return Found(None, is_folder=True, problem=self._unreadable(path, error))
        if item is None:
            problem = self._unreadable(path, NotReadable(f"{self.shown(path)} leads nowhere"))
            return Found(None, problem=problem)
        return Found(item.real, item.is_directory)

    def names(self, path: str) -> list[str]:
        item = self.item(path)
        return [] if item is None else self.tree.names(item)

    def read(self, path: str) -> Source:
        """The file, cut off past the size that is accepted."""
        item = self.item(path)
        return Source(self.shown(path), b"" if item is None else self.tree.content(item))

    def _unreadable(self, path: str, error: NotReadable) -> Diagnostic:
        place = Place(self.shown(path), 1, 1)
        return Diagnostic(DiagnosticCode.FILE_UNREADABLE, error.message, place, hint=error.hint)


def at_head(directory: Path, paths: Sequence[str], sources: Sequence[Source]) -> Head | None:
    """Compare the files read at `paths` with the commit checked out.

    They differ where bytes, line ends aside, are not those of HEAD, where HEAD lacks a file, and
    where a file of HEAD was deleted: untracked, ignored and staged files count. Files in a
    submodule, or changed by a filter of the checkout, count as different. Nothing is asked of
    `git status`, which would run what the repository's configuration names.

    None outside a repository, without a commit, and where git is absent or refuses to look.
    """
    try:
        repository = find_repository(directory)
        with open_objects(repository.top, MAXIMUM_BYTES) as objects:
            commit = objects.commit("HEAD")
            return None if commit is None else _compare(repository, objects, commit, paths, sources)
    except GitError:
        return None


def _compare(
    repository: Repository,
    objects: Objects,
    commit: str,
    paths: Sequence[str],
    sources: Sequence[Source],
) -> Head:
    given = [repository.parts(path) for path in paths]
    inside = [parts for parts in given if parts is not None]
    tree = objects.tree(commit)
    try:
        committed = _committed(tree, inside)
    except GitError:
        return Head(commit, dirty=True)
    read = {_real_parts(repository, source): source for source in sources}
    missing = [
        real
        for real in committed
        if real not in read and not os.path.lexists(repository.top.joinpath(*real))
    ]
    hidden = _left_out(repository, missing)
    gone = [real for real in missing if real not in hidden]
    differs = any(
        real is None or not _is_committed(source, committed.get(real))
        for real, source in read.items()
    )
    dirty = bool(gone) or differs or len(inside) < len(given)
    return Head(
        commit,
        dirty,
        tuple(
            Source(repository.shown(committed[real][0]), tree.content(committed[real][1]))
            for real in missing
            if real in hidden
        ),
        tuple(repository.shown(committed[real][0]) for real in gone),
    )


def _committed(tree: Tree, paths: Sequence[Parts]) -> dict[Parts, tuple[Parts, Item]]:
    """The pair files of a commit by where they really are."""
    found: dict[Parts, tuple[Parts, Item]] = {}
    for parts in paths:
        files = Committed(tree)
        for path in Walk(files).find("/".join(parts)):
            item = files.item(path)
            if item is not None:
                found.setdefault(item.real, (files.parts(path), item))
    return found


def _real_parts(repository: Repository, source: Source) -> Parts | None:
    real = source.real
    if real is None or not Path(real).is_relative_to(repository.top):
        return None
    return Path(real).relative_to(repository.top).parts


def _is_committed(source: Source, committed: tuple[Parts, Item] | None) -> bool:
    if committed is None:
        return False
    id_ = committed[1].id
    if blob_id(source.content, like=id_) == id_:
        return True
    unix = source.content.replace(b"\r\n", b"\n")
    return unix != source.content and blob_id(unix, like=id_) == id_


def _left_out(repository: Repository, missing: Sequence[Parts]) -> set[Parts]:
    """Those that are not on disk because of a sparse checkout or a flag in the index."""
    if not missing:
        return set()
    paths = ["/".join(parts) for parts in missing]
    answer = run(
        repository.top, "ls-files", "-v", "-z", "--", *(paths if len(paths) <= _MOST_PATHS else ())
    )
    if answer.status != 0:
        return set(missing)
    left_out_paths = set(_tagged(answer.output))
    return {parts for parts, path in zip(missing, paths, strict=True) if path in left_out_paths}


def _tagged(listing: bytes) -> Iterator[str]:
    for each in listing.split(b"\0"):
        if each[:1] in _NOT_ON_DISK_ON_PURPOSE:
            yield os.fsdecode(each[2:])


def left_out(directory: Path, paths: Sequence[Path]) -> list[Path]:
    """Those of some paths that the index has and the work tree leaves out on purpose.

    A folder counts where any file below it is left out.
    """
    try:
        repository = find_repository(directory)
    except GitError:
        return []
    given = [(path, repository.parts(str(path))) for path in paths]
    inside = [(path, "/".join(parts)) for path, parts in given if parts]
    if not inside:
        return []
    answer = run(repository.top, "ls-files", "-v", "-z", "--", *(path for _, path in inside))
    hidden = list(_tagged(answer.output))
    return [
        path
        for path, below in inside
        if any(each == below or each.startswith(f"{below}/") for each in hidden)
    ]


def removed_since(directory: Path, paths: Sequence[str]) -> tuple[str, tuple[Source, ...]] | None:
    """The pair files that history has below `paths` and the work tree does not.

    With the name to give as a base: the default branch, where HEAD is not on it; else HEAD, for
    what is not committed yet, or the commit before it. None where nothing is missing, and where
    that is not known: only what is at hand is looked at, and at most a few files are read.
    """
    try:
        repository = find_repository(directory)
        inside = [parts for path in paths if (parts := repository.parts(path)) is not None]
        with open_objects(repository.top, MAXIMUM_BYTES) as objects:
            for name, tree in _earlier(repository, objects):
                gone = tuple(
                    Source(repository.shown(path), tree.content(item))
                    for path, item in islice(_missing(repository, tree, inside), _MOST_REMOVED)
                )
                if gone:
                    return name, gone
    except GitError:
        return None
    return None


def _missing(
    repository: Repository, tree: Tree, paths: Sequence[Parts]
) -> Iterator[tuple[Parts, Item]]:
    for path, item in _committed(tree, paths).values():
        if not os.path.lexists(repository.top.joinpath(*item.real)):
            yield path, item


def _earlier(repository: Repository, objects: Objects) -> Iterator[tuple[str, Tree]]:
    """Commits that this work tree began from, by their names."""
    head = objects.commit("HEAD")
    if head is None:
        return
    branch = next((each for each in _DEFAULT_BRANCHES if objects.commit(each)), None)
    if branch is not None and objects.commit(branch) != head:
        name = branch.removeprefix("refs/remotes/").removeprefix("refs/heads/")
        yield name, objects.tree(merge_base(repository, branch))
    yield "HEAD", objects.tree(head)
    before = objects.parent(head)
    if before is not None and objects.commit(branch or "HEAD") == head:
        yield "HEAD^", objects.tree(before)
