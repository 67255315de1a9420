"""Files of commits, straight from git's objects: one process for any number of them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import IO

from reconciler.errors import GitError
from reconciler.git.repository import command, environment, not_runnable, printable

_DIRECTORY = "40000"
_LINK = "120000"
_SUBMODULE = "160000"
_MOST_LINKS = 40
_CHUNK = 1 << 16
_LARGEST_TREE = 64 << 20
_SECONDS = 120.0

Parts = tuple[str, ...]
"""The steps from the top of the tree to a file or directory."""


class NotReadable(GitError):
    """A commit holds what is not read: past a bound, outside, or in another repository."""


@dataclass(frozen=True, slots=True)
class Item:
    """What a tree holds under a name, and where it really is once links are followed."""

    mode: str
    id: str
    real: Parts

    @property
    def is_directory(self) -> bool:
        return self.mode == _DIRECTORY

    @property
    def is_submodule(self) -> bool:
        return self.mode == _SUBMODULE


def blob_id(content: bytes, like: str) -> str:
    """The ID that git gives a file of these bytes, in the format of the object ID `like`."""
    object_ = b"blob %d\0%b" % (len(content), content)
    if len(like) == 2 * hashlib.sha256().digest_size:
        return hashlib.sha256(object_).hexdigest()
    return hashlib.sha1(object_, usedforsecurity=False).hexdigest()


@contextmanager
def open_objects(top: Path, largest: int) -> Iterator[Objects]:
    """The objects of a repository, readable while the context lasts.

    Of a file, `largest` bytes are read and one more.
    """
    try:
        process = subprocess.Popen(
            command("cat-file", "--batch"),
            cwd=top,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise not_runnable(error) from None
    watch = Timer(_SECONDS, process.kill)
    watch.daemon = True
    watch.start()
    try:
        with process:
            yield Objects(process, largest)
    finally:
        watch.cancel()


@dataclass(slots=True)
class Objects:
    """Asks `git cat-file --batch` for one object after the other."""

    process: subprocess.Popen[bytes]
    largest: int
    _blobs: dict[str, bytes] = field(default_factory=dict)
    _trees: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)

    def commit(self, name: str) -> str | None:
        """The ID of the commit that a ref or an ID names; None where there is none."""
        found = self._read(f"{name}^{{commit}}")
        return found[0] if found is not None and found[1] == "commit" else None

    def parent(self, commit: str) -> str | None:
        """The first parent of a commit, where it is at hand."""
        return self.commit(f"{commit}^1")

    def tree(self, commit: str) -> Tree:
        """The files of a commit. Raises GitError where they are not at hand."""
        found = self._read(f"{commit}^{{tree}}")
        if found is None:
            raise self._missing(f"{commit}^{{tree}}")
        return Tree(self, found[0])

    def blob(self, id_: str) -> bytes:
        """The bytes of a file, cut off past the size that is accepted."""
        if id_ not in self._blobs:
            self._blobs[id_] = self._object(id_, "blob")
        return self._blobs[id_]

    def entries(self, id_: str) -> dict[str, tuple[str, str]]:
        """Mode and ID by name of what a tree holds."""
        if id_ not in self._trees:
            content = self._object(id_, "tree")
            self._trees[id_] = dict(_parse_tree(id_, content))
        return self._trees[id_]

    def _object(self, id_: str, kind: str) -> bytes:
        found = self._read(id_)
        if found is None:
            raise self._missing(id_)
        if found[1] != kind:
            raise GitError(f"git's object {id_} is a {found[1]}, not a {kind}", hint=_DAMAGED)
        return found[2]

    def _read(self, name: str) -> tuple[str, str, bytes] | None:
        """ID, type and bytes of an object, a file's up to the size that is accepted and one."""
        requests, answers = self._pipes()
        try:
            os.write(requests.fileno(), f"{name}\n".encode())  # unbuffered: closing cannot fail
            header = answers.readline().decode("ascii", "replace").split()
        except OSError:
            header = []
        if len(header) != 3 or not header[2].isdecimal():
            return None
        id_, kind, size = header[0], header[1], int(header[2])
        if kind == "tree" and size > _LARGEST_TREE:
            raise GitError(f"git's tree {id_} is larger than {_LARGEST_TREE >> 20} MiB")
        content = answers.read(size if kind == "tree" else min(size, self.largest + 1))
        _skip(answers, size - len(content) + 1)
        return id_, kind, content

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self.process.stdin is None or self.process.stdout is None:
            raise GitError("git cat-file has no pipes")
        return self.process.stdin, self.process.stdout

    def _missing(self, name: str) -> GitError:
        words = ""
        if self.process.poll() is not None and self.process.stderr is not None:
            words = self.process.stderr.read().decode("utf-8", "replace").strip()
        reason = f": {' '.join(words.split())}" if words else ""
        return GitError(f"git has no object {name}{reason}", hint=_NOT_FETCHED)


_NOT_FETCHED = (
    "fetch it: git fetch --unshallow, or actions/checkout with fetch-depth: 0; in a partial clone, "
    "git fetch --refetch --no-filter, or clone without --filter"
)
_DAMAGED = "the repository is damaged: git fsck shows more"


def _skip(stream: IO[bytes], count: int) -> None:
    while count > 0:
        chunk = stream.read(min(count, _CHUNK))
        if not chunk:
            return
        count -= len(chunk)


@dataclass(frozen=True, slots=True)
class Tree:
    """A commit's tree. Symbolic links are followed as they would be on disk."""

    objects: Objects
    id: str

    def find(self, parts: Parts) -> Item | None:
        """What is at a path. Raises NotReadable where the path leaves the repository."""
        pending, done, links = list(parts), [Item(_DIRECTORY, self.id, ())], 0
        while pending:
            name = pending.pop(0)
            if name in {"", "."}:
                continue
            if name == "..":
                done.pop()
                _stay_inside(done, parts)
                continue
            here = done[-1]
            if here.is_submodule:
                raise in_submodule(here.real)
            found = self.objects.entries(here.id).get(name) if here.is_directory else None
            if found is None:
                return None
            item = Item(found[0], found[1], (*here.real, name))
            if item.mode == _LINK:
                links += 1
                if links > _MOST_LINKS:
                    return None
                pending = [*self._target(item, parts), *pending]
            else:
                done.append(item)
        return done[-1]

    def content(self, item: Item) -> bytes:
        """The bytes of a file, cut off past the size that is accepted."""
        return self.objects.blob(item.id)

    def child(self, directory: Item, name: str) -> Item | None:
        """What is in a directory under a name; raises as `find` does."""
        found = self.objects.entries(directory.id).get(name)
        if found is None:
            return None
        item = Item(*found, (*directory.real, name))
        return self.find(item.real) if item.mode == _LINK else item

    def names(self, directory: Item) -> list[str]:
        """What is in a directory, sorted."""
        return sorted(self.objects.entries(directory.id))

    def _target(self, link: Item, asked: Parts) -> list[str]:
        target = self.content(link).decode("utf-8", "surrogateescape")
        if target.startswith("/"):
            raise _outside(asked)
        return target.split("/")


def _parse_tree(id_: str, content: bytes) -> Iterator[tuple[str, tuple[str, str]]]:
    """Mode and ID by name. Raises GitError where the tree is not written as git writes it."""
    id_size = len(id_) // 2
    start = 0
    while start < len(content):
        space = content.find(b" ", start)
        end = content.find(b"\0", space)
        mode, name = content[start:space], content[space + 1 : end]
        start = end + 1 + id_size
        if space < 0 or end < 0 or start > len(content) or not mode.isdigit() or not name:
            raise GitError(f"git's tree {id_} is malformed", hint=_DAMAGED)
        yield (
            name.decode("utf-8", "surrogateescape"),
            (mode.decode("ascii").lstrip("0"), content[end + 1 : start].hex()),
        )


def in_submodule(parts: Parts) -> NotReadable:
    """The error of a path whose files are in another repository."""
    return NotReadable(
        f"{_shown(parts)} is a submodule: its files are in another repository",
        hint="run in the submodule, which has a history of its own, or plan without --base",
    )


def _stay_inside(done: list[Item], asked: Parts) -> None:
    if not done:
        raise _outside(asked)


def _outside(parts: Parts) -> NotReadable:
    return NotReadable(
        f"{_shown(parts)} is a link that leads out of the repository, so git does not know what "
        "it held at the base",
        hint="keep the file in the repository, or plan without --base",
    )


def _shown(parts: Parts) -> str:
    return printable("/".join(parts))
