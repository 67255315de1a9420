"""The configuration at a git ref, read from git's objects without a checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.config.files import MAXIMUM_TOTAL, WORKSPACE_FILE
from reconciler.config.git_objects import (
    Item,
    NotReadable,
    Parts,
    Tree,
    in_submodule,
    open_objects,
)
from reconciler.config.git_process import (
    Repository,
    commit_id,
    find_repository,
    merge_base,
    printable,
)
from reconciler.config.source import Source
from reconciler.config.workspace import DEFAULT_CONFIGS, Workspace, default_workspace
from reconciler.config.workspace_file import load_workspace, parse_workspace
from reconciler.errors import ConfigurationInvalid, GitError


@dataclass(frozen=True, slots=True)
class Base:
    """The configuration at one commit: the merge base of `ref` and HEAD, or the tip of `ref`.

    `workspace` None: there was no workspace file. `sources` are the files at the paths given, or
    all; `others` those that no path given leads to. `problems` say what could not be read.
    `tip` None: `ref` has not moved on since.
    `overlays`: the files by the folder that the commit's workspace names for a portal. `partial`:
    paths were given.
    """

    ref: str
    commit: str
    sources: tuple[Source, ...]
    workspace: Workspace | None
    others: tuple[Source, ...] = ()
    problems: tuple[str, ...] = ()
    tip: Base | None = None
    overlays: tuple[tuple[str, tuple[Source, ...]], ...] = ()
    partial: bool = False

    @property
    def prune(self) -> bool:
        return (self.workspace or default_workspace()).prune

    def overlays_of(self, portal: str) -> tuple[str, ...]:
        """The folders of overlays that the commit's own workspace names for a portal."""
        portals = () if self.workspace is None else self.workspace.portals
        return tuple(
            folder.path for each in portals if each.name == portal for folder in each.overlays
        )


def read_base(
    ref: str,
    *,
    directory: Path,
    workspace_path: str | None,
    paths: Sequence[str],
    configs: str = DEFAULT_CONFIGS,
) -> Base:
    """Read the configuration at the merge base of `ref` and HEAD, and at the tip of `ref`.

    `workspace_path` is the workspace file of the working tree; where a commit has none there, the
    nearest above is taken, as it would be on disk. `paths` are those given on the command line,
    none for what the workspace says; `configs` is the folder of the pair files where there is no
    workspace file. All are seen from `directory`.

    Raises GitError where git cannot tell, or a path given has no history in this repository.
    """
    repository = find_repository(directory)
    commit = merge_base(repository, ref)
    tip = commit_id(repository, ref)
    with open_objects(repository.top) as objects:

        def read(at: str, commit: str, tip: Base | None) -> Base:
            reading = _Reading(at, repository, objects.tree(commit), configs)
            return reading.all(commit, workspace_path, paths, tip)

        moved_on = None if tip == commit else read(ref, tip, None)
        return read(ref, commit, moved_on)


def path_from_top(directory: Path, path: str) -> str | None:
    """A path seen from `directory`, as seen from the top of the work tree.

    None outside a repository, for a path outside of it, and where git is absent.
    """
    try:
        parts = find_repository(directory).parts(path)
    except GitError:
        return None
    return None if parts is None else printable("/".join(parts))


@dataclass(frozen=True, slots=True)
class _Reading:
    """The files of one commit, found as they would be found on disk."""

    ref: str
    repository: Repository
    tree: Tree
    default_configs: str

    def all(
        self, commit: str, workspace_path: str | None, paths: Sequence[str], tip: Base | None
    ) -> Base:
        """What can be read; the rest is a problem of the base, not of the files at hand."""
        given = [self._inside(path) for path in paths]
        known = [parts for parts in given if self.tree.find(parts) is not None]
        try:
            workspace = self._workspace(workspace_path)
            configs = self._configs(workspace, workspace_path)
        except ConfigurationInvalid as error:
            first = error.diagnostics[0]
            problem = f"{self.ref}:{first.place}: {first.message}"
            return Base(self.ref, commit, (), None, problems=(problem,), tip=tip)
        except NotReadable as error:
            return Base(self.ref, commit, (), None, problems=(error.message,), tip=tip)
        collected = _Collected()
        overlays = self._overlays(workspace, collected)
        chosen = [self._below(parts) for parts in known] if given else [self._below(configs)]
        if len(known) < len(given):
            chosen.append(self._moved_away(configs))
        for files in chosen:
            self._collect(files, collected)
        sources = tuple(collected.sources)
        if given:
            self._collect(self._below(configs), collected)
        return Base(
            self.ref,
            commit,
            sources,
            workspace,
            others=tuple(collected.sources[len(sources) :]),
            problems=tuple(collected.problems),
            tip=tip,
            overlays=overlays,
            partial=bool(given) and not any(configs[: len(each)] == each for each in given),
        )

    def _overlays(
        self, workspace: Workspace | None, collected: _Collected
    ) -> tuple[tuple[str, tuple[Source, ...]], ...]:
        """The overlays first, so that none of them is read as a pair file as well."""
        found: list[tuple[str, tuple[Source, ...]]] = []
        if workspace is None:
            return ()
        for folder in workspace.overlays:
            parts = self.repository.parts((workspace.root / folder.path).as_posix())
            own = _Collected()
            if parts is not None:
                self._collect(self._below(parts), own)
            collected.problems += own.problems
            collected.seen |= own.seen
            found.append((folder.path, tuple(own.sources)))
        return tuple(found)

    def _workspace(self, path: str | None) -> Workspace | None:
        """The commit's own workspace file: where the working tree has it, or the nearest above."""
        start = self._inside(path or WORKSPACE_FILE)
        above = [(*start[:end], WORKSPACE_FILE) for end in range(len(start) - 1, -1, -1)]
        for parts in (start, *above):
            item = self.tree.find(parts)
            if item is not None and not item.is_directory and not item.is_submodule:
                return parse_workspace(
                    Source(self.repository.shown(parts), self.tree.content(item))
                )
        return None

    def _configs(self, workspace: Workspace | None, path: str | None) -> Parts:
        """Where the commit's own workspace says that the pair files are.

        A workspace file that is new since may only write down what was the habit, so the working
        tree's is asked where the commit has none.
        """
        if workspace is not None:
            return self._folder(workspace.config_directory.as_posix())
        if path is not None:
            file = self.repository.directory / path
            new = Path(path).parent / load_workspace(file).configs if file.is_file() else None
            if new is not None and self.tree.find(parts := self._inside(new.as_posix())):
                return parts
        return self._inside(self.default_configs)

    def _folder(self, path: str) -> Parts:
        """A folder that the commit itself names, which the head's rules may not accept."""
        parts = self.repository.parts(path)
        if parts is None:
            raise NotReadable(f"`configs` at {self.ref} lies outside the repository")
        return parts

    def _collect(
        self, files: Iterator[tuple[Parts, Item | NotReadable]], collected: _Collected
    ) -> None:
        try:
            for parts, item in files:
                if isinstance(item, NotReadable):
                    collected.problems.append(item.message)
                elif item.is_submodule:
                    collected.problems.append(in_submodule(item.real).message)
                elif item.real not in collected.seen:
                    collected.seen.add(item.real)
                    collected.add(Source(self.repository.shown(parts), self.tree.content(item)))
        except NotReadable as error:
            collected.problems.append(error.message)

    def _below(self, parts: Parts) -> Iterator[tuple[Parts, Item | NotReadable]]:
        return self.tree.pair_files(parts)

    def _moved_away(self, configs: Parts) -> Iterator[tuple[Parts, Item | NotReadable]]:
        """Pair files of the base that are gone from the working tree.

        They are what a path that is new since the base may have been called before. Files that
        are still in their place do not count: taking them as removed would plan their deletion.
        """
        for parts, item in self._below(configs):
            if not os.path.lexists(self.repository.top.joinpath(*parts)):
                yield parts, item

    def _inside(self, path: str) -> Parts:
        parts = self.repository.parts(path)
        if parts is None:
            raise GitError(
                f"{printable(path)} lies outside the git repository {self.repository.top}",
                hint="--base needs the configuration in the repository",
            )
        return parts


class _Collected:
    """The files of a commit, each once, within the bounds that hold on disk."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.problems: list[str] = []
        self.seen: set[Parts] = set()
        self._bytes = 0

    def add(self, source: Source) -> None:
        """Take one more file. Raises NotReadable past the bound."""
        self._bytes += len(source.content)
        if self._bytes > MAXIMUM_TOTAL:
            raise NotReadable(f"there are more than {MAXIMUM_TOTAL >> 20} MiB of pair files")
        self.sources.append(source)
