"""Files of a commit, straight from git's objects: one process for any number of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from reconciler.config.files import is_pair_file
from reconciler.config.git_process import environment, not_runnable, printable
from reconciler.config.text import MAXIMUM_BYTES
from reconciler.errors import GitError

_DIRECTORY = "40000"
_LINK = "120000"
_SUBMODULE = "160000"
_MOST_LINKS = 40
_CHUNK = 1 << 16

Parts = tuple[str, ...]
"""The steps from the top of the tree to a file or directory."""


@dataclass(frozen=True, slots=True)
class Item:
    """What a tree holds under a name, and where it really is once links are followed."""

    mode: str
    id: str
    real: Parts

    @property
    def is_directory(self) -> bool:
        return self.mode == _DIRECTORY


@contextmanager
def open_tree(directory: Path, commit: str) -> Iterator[Tree]:
    """The tree of a commit, readable while the context lasts."""
    try:
        process = subprocess.Popen(
            ["git", "cat-file", "--batch"],
            cwd=directory,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise not_runnable(error) from None
    with process:
        reader = _Reader(process)
        _, content = reader.read(f"{commit}^{{tree}}")
        yield Tree(reader, len(commit) // 2, content)


@dataclass(slots=True)
class _Reader:
    """Asks `git cat-file --batch` for one object after the other."""

    process: subprocess.Popen[bytes]

    def read(self, name: str) -> tuple[str, bytes]:
        """Type and bytes of an object; no more bytes than a file may have and one."""
        requests, answers = self._pipes()
        try:
            os.write(requests.fileno(), f"{name}\n".encode())  # unbuffered: closing cannot fail
            header = answers.readline().decode("ascii", "replace").split()
        except OSError:
            header = []
        if len(header) != 3:
            raise self._failed(name)
        kind, size = header[1], int(header[2])
        whole = kind == "tree"
        content = answers.read(size if whole else min(size, MAXIMUM_BYTES + 1))
        _skip(answers, size - len(content) + 1)
        return kind, content

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self.process.stdin is None or self.process.stdout is None:
            raise GitError("git cat-file has no pipes")
        return self.process.stdin, self.process.stdout

    def _failed(self, name: str) -> GitError:
        words = ""
        if self.process.poll() is not None and self.process.stderr is not None:
            words = self.process.stderr.read().decode("utf-8", "replace").strip()
        reason = f": {' '.join(words.split())}" if words else ""
        return GitError(
            f"git has no object {name}{reason}",
            hint="fetch the whole history: git fetch --unshallow, or actions/checkout with "
            "fetch-depth: 0",
        )


def _skip(stream: IO[bytes], count: int) -> None:
    while count > 0:
        chunk = stream.read(min(count, _CHUNK))
        if not chunk:
            return
        count -= len(chunk)


@dataclass(slots=True)
class Tree:
    """A commit's tree. Symbolic links are followed as they would be on disk."""

    reader: _Reader
    id_size: int
    root: bytes
    _known: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)

    def find(self, parts: Parts) -> Item | None:
        """What is at a path. Raises GitError where the path leaves the repository."""
        pending, done, links = list(parts), [Item(_DIRECTORY, "", ())], 0
        while pending:
            name = pending.pop(0)
            if name in {"", "."}:
                continue
            if name == "..":
                done.pop()
                _stay_inside(done, parts)
                continue
            here = done[-1]
            found = self._entries(here).get(name) if here.is_directory else None
            if found is None:
                return None
            item = Item(found[0], found[1], (*here.real, name))
            if item.mode == _LINK:
                links += 1
                if links > _MOST_LINKS:
                    return None
                pending = [*self._target(item, parts), *pending]
            else:
                done.append(_readable(item))
        return done[-1]

    def content(self, item: Item) -> bytes:
        """The bytes of a file, cut off past the size that is accepted."""
        return self.reader.read(item.id)[1]

    def pair_files(self, parts: Parts) -> Iterator[tuple[Parts, Item]]:
        """The pair files at or below a path in sorted order; a file itself is taken as is."""
        item = self.find(parts)
        if item is None:
            return
        if item.is_directory:
            yield from self._below(parts, item, frozenset())
        else:
            yield parts, item

    def _below(
        self, parts: Parts, directory: Item, above: frozenset[Parts]
    ) -> Iterator[tuple[Parts, Item]]:
        if directory.real in above:
            return
        for name in sorted(self._entries(directory)):
            if name.startswith("."):
                continue
            item = self.find((*directory.real, name))
            if item is not None and item.is_directory:
                yield from self._below((*parts, name), item, above | {directory.real})
            elif item is not None and is_pair_file(name):
                yield (*parts, name), item

    def _entries(self, directory: Item) -> dict[str, tuple[str, str]]:
        """Mode and ID by name."""
        if directory.id not in self._known:
            content = self.reader.read(directory.id)[1] if directory.id else self.root
            self._known[directory.id] = dict(_parse_tree(content, self.id_size))
        return self._known[directory.id]

    def _target(self, link: Item, asked: Parts) -> list[str]:
        target = self.content(link).decode("utf-8", "surrogateescape")
        if target.startswith("/"):
            raise _outside(asked)
        return target.split("/")


def _parse_tree(content: bytes, id_size: int) -> Iterator[tuple[str, tuple[str, str]]]:
    start = 0
    while start < len(content):
        space = content.index(b" ", start)
        end = content.index(b"\0", space)
        mode = content[start:space].decode("ascii")
        name = content[space + 1 : end].decode("utf-8", "surrogateescape")
        start = end + 1 + id_size
        yield name, (mode, content[end + 1 : start].hex())


def _readable(item: Item) -> Item:
    if item.mode == _SUBMODULE:
        raise GitError(
            f"{printable('/'.join(item.real))} is a submodule: its files are in another repository",
            hint="run in the submodule, which has a history of its own, or plan without --base",
        )
    return item


def _stay_inside(done: list[Item], asked: Parts) -> None:
    if not done:
        raise _outside(asked)


def _outside(parts: Parts) -> GitError:
    return GitError(
        f"{printable('/'.join(parts))} is a link that leads out of the repository, so git does not know what "
        "it held at the base",
        hint="keep the file in the repository, or plan without --base",
    )
