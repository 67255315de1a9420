"""The configuration at a git ref, read from git's objects without a checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.config.files import WORKSPACE_FILE, is_pair_file
from reconciler.config.git_objects import Parts, Tree, open_tree
from reconciler.config.git_process import Repository, find_repository, merge_base, printable, run
from reconciler.config.source import Source
from reconciler.config.workspace import (
    Workspace,
    default_workspace,
    load_workspace,
    parse_workspace,
)
from reconciler.errors import ConfigurationInvalid, Diagnostic, GitError
from reconciler.model import Desired, GitState, Place


@dataclass(frozen=True, slots=True)
class Base:
    """The configuration at the merge base of `ref` and HEAD.

    `workspace` None: there was no workspace file. No sources: everything is new since.
    """

    ref: str
    commit: str
    sources: tuple[Source, ...]
    workspace: Workspace | None

    @property
    def prune(self) -> bool:
        return (self.workspace or default_workspace()).prune


def read_base(
    ref: str, *, directory: Path, workspace_path: str | None, paths: Sequence[str]
) -> Base:
    """Read the configuration at the merge base of `ref` and HEAD.

    `workspace_path` is the workspace file of the working tree; where the base has none there, the
    nearest above is taken, as it would be on disk. `paths` are those given on the command line,
    none for what the workspace says; all are seen from `directory`.

    Raises GitError where git cannot tell, ConfigurationInvalid where the base's workspace file is
    invalid.
    """
    repository = find_repository(directory)
    commit = merge_base(repository, ref)
    with open_tree(directory, commit) as tree:
        reading = _Reading(ref, repository, tree)
        workspace = reading.workspace(workspace_path)
        configs = reading.configs(workspace, workspace_path)
        sources = tuple(reading.sources(paths, configs))
    return Base(ref, commit, sources, workspace)


def parse_base(base: Base) -> Desired:
    """The limits desired at the base.

    Raises ConfigurationInvalid whose places name the ref: `origin/main:configs/a.yaml`.
    """
    from reconciler.config.loading import parse  # pydantic and YAML only when they are needed

    try:
        return parse(base.sources, prune=base.prune).desired
    except ConfigurationInvalid as error:
        raise _invalid_at(base.ref, error) from None


def git_state(directory: Path, paths: Sequence[str]) -> GitState | None:
    """The commit checked out, and whether the configuration at `paths` differs from it.

    Untracked and ignored pair files count as a difference. None outside a repository, without a
    commit, and where git is absent or refuses to look.
    """
    try:
        repository = find_repository(directory)
        head = run(directory, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if head.status != 0:
            return None
        return GitState(head.lines[0], _is_dirty(repository, paths))
    except GitError:
        return None


def path_from_top(directory: Path, path: str) -> str | None:
    """A path seen from `directory`, as seen from the top of the work tree.

    None outside a repository, for a path outside of it, and where git is absent.
    """
    try:
        parts = find_repository(directory).parts(path)
    except GitError:
        return None
    return None if parts is None else printable("/".join(parts))


def _is_dirty(repository: Repository, paths: Sequence[str]) -> bool:
    given = [repository.parts(path) for path in paths]
    inside = [parts for parts in given if parts is not None]
    if len(inside) < len(given):
        return True
    wanted = [str(repository.top.joinpath(*parts)) for parts in inside]
    answer = run(
        repository.directory,
        *("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"),
        *("--ignored=matching", "--", *wanted),
    )
    if answer.status != 0:
        return True
    changed = os.fsdecode(answer.output).split("\0")
    return any(_concerns(line[3:], inside, repository) for line in changed if line)


def _concerns(changed: str, given: Sequence[Parts], repository: Repository) -> bool:
    """Whether a changed path is one of those given, or a pair file below one of them.

    An ignored directory is told as a whole, with a slash at its end.
    """
    parts = tuple(part for part in changed.split("/") if part)
    for asked in given:
        below = parts[len(asked) :]
        if parts[: len(asked)] != asked and asked[: len(parts)] != parts:
            continue
        if not below:
            return True
        if any(part.startswith(".") for part in below):
            continue
        if is_pair_file(parts[-1]):
            return True
        if changed.endswith("/") and _has_pair_files(repository.top.joinpath(*parts)):
            return True
    return False


def _has_pair_files(directory: Path) -> bool:
    return any(is_pair_file(found.name) for found in directory.rglob("*.y*ml"))


@dataclass(frozen=True, slots=True)
class _Reading:
    """The files of one commit, found as they would be found on disk."""

    ref: str
    repository: Repository
    tree: Tree

    def workspace(self, path: str | None) -> Workspace | None:
        """The base's own workspace file: where the working tree has it, or the nearest above."""
        start = self._inside(path or WORKSPACE_FILE)
        above = [(*start[:end], WORKSPACE_FILE) for end in range(len(start) - 1, -1, -1)]
        for parts in (start, *above):
            item = self.tree.find(parts)
            if item is not None and not item.is_directory:
                source = Source(self.repository.shown(parts), self.tree.content(item))
                return self._parse_workspace(source)
        return None

    def _parse_workspace(self, source: Source) -> Workspace:
        try:
            return parse_workspace(source)
        except ConfigurationInvalid as error:
            raise _invalid_at(self.ref, error) from None

    def configs(self, workspace: Workspace | None, path: str | None) -> Parts:
        """Where the base's own workspace says that the pair files are.

        A workspace file that is new since the base may only write down what was the habit, so the
        working tree's is asked where the base has none.
        """
        if workspace is None and path is not None:
            file = self.repository.directory / path
            new = Path(path).parent / load_workspace(file).configs if file.is_file() else None
            if new is not None and self.tree.find(parts := self._inside(new.as_posix())):
                return parts
        return self._inside((workspace or default_workspace()).config_directory.as_posix())

    def sources(self, paths: Sequence[str], configs: Parts) -> Iterator[Source]:
        """Each pair file once."""
        seen: set[Parts] = set()
        given = [self._inside(path) for path in paths]
        for parts in self._given(given, configs) if given else self._below(configs):
            item = self.tree.find(parts)
            if item is not None and item.real not in seen:
                seen.add(item.real)
                yield Source(self.repository.shown(parts), self.tree.content(item))

    def _given(self, given: Sequence[Parts], configs: Parts) -> Iterator[Parts]:
        for parts in given:
            known = self.tree.find(parts) is not None
            yield from self._below(parts) if known else self._moved_away(configs)

    def _below(self, parts: Parts) -> Iterator[Parts]:
        return (found for found, _ in self.tree.pair_files(parts))

    def _moved_away(self, configs: Parts) -> Iterator[Parts]:
        """Pair files of the base that are gone from the working tree.

        They are what a path that is new since the base may have been called before. Files that
        are still in their place do not count: taking them as removed would plan their deletion.
        """
        for parts in self._below(configs):
            if not os.path.lexists(self.repository.top.joinpath(*parts)):
                yield parts

    def _inside(self, path: str) -> Parts:
        parts = self.repository.parts(path)
        if parts is None:
            raise GitError(
                f"{printable(path)} lies outside the git repository {self.repository.top}",
                hint="--base needs the configuration in the repository",
            )
        return parts


def _invalid_at(ref: str, error: ConfigurationInvalid) -> ConfigurationInvalid:
    moved = ConfigurationInvalid([_at(ref, diagnostic) for diagnostic in error.diagnostics])
    moved.hint = f"the configuration at {ref} is invalid: mend it there, or plan without --base"
    return moved


def _at(ref: str, diagnostic: Diagnostic) -> Diagnostic:
    related = diagnostic.related
    place = diagnostic.place
    return replace(
        diagnostic,
        place=Place(f"{ref}:{place.path}", place.line, place.column),
        related=related and Place(f"{ref}:{related.path}", related.line, related.column),
    )
