"""The configuration at a git ref, read from git's objects without a checkout, and what it said.

Limits where it can be read, words where it cannot.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.config.head import Committed
from reconciler.config.loading import Configuration, File, parse
from reconciler.config.sources import MAXIMUM_BYTES, WORKSPACE_FILE, Source, Walk
from reconciler.config.workspace import DEFAULT_CONFIGS, PortalSettings, Workspace
from reconciler.config.workspace_file import load_workspace, parse_workspace
from reconciler.errors import ConfigurationInvalid, Diagnostic, GitError, Severity
from reconciler.git.objects import NotReadable, Parts, Tree, open_objects
from reconciler.git.repository import (
    Repository,
    commit_id,
    find_repository,
    merge_base,
    printable,
)
from reconciler.model.limits import ConfigFile, Desired, DesiredDirection, ObjectReference


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
        return (self.workspace or Workspace()).prune

    def overlays_of(self, portal: PortalSettings) -> tuple[str, ...] | None:
        """The folders of overlays that the commit's own workspace names for a portal.

        It may have another name there, with the same `portal_id` or the same token. None: it is not
        there, and others have overlays, so that nobody knows what held for it.
        """
        workspace = self.workspace or Workspace()
        if not workspace.overlays:
            return ()
        by_id = [each for each in workspace.portals if each.portal_id == portal.portal_id]
        by_name = [each for each in workspace.portals if each.name == portal.name]
        by_token = [each for each in workspace.portals if each.token == portal.token]
        known = [*(by_id if portal.portal_id is not None else ()), *by_name, *by_token]
        return tuple(folder.path for folder in known[0].overlays) if known else None


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
    nearest above is taken, as it would be on disk, if it has gone from there since. `paths` are
    those given on the command line, none for what the workspace says; `configs` is the folder of
    the pair files where there is no workspace file. All are seen from `directory`.

    Raises GitError where git cannot tell, or a path given has no history in this repository.
    """
    repository = find_repository(directory)
    commit = merge_base(repository, ref)
    tip = commit_id(repository, ref)
    with open_objects(repository.top, MAXIMUM_BYTES) as objects:

        def read(at: str, commit: str, tip: Base | None) -> Base:
            reading = _Reading(at, repository, objects.tree(commit), configs)
            return reading.all(commit, workspace_path, paths, tip)

        moved_on = None if tip == commit else read(ref, tip, None)
        return read(ref, commit, moved_on)


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
        walk = Walk(Committed(self.tree, self.repository))
        overlays = self._overlays(workspace, walk)
        for path in known if given else [configs]:
            self._read(walk, path)
        if len(known) < len(given):
            self._read_moved(walk, configs)
        sources = tuple(walk.sources)
        if given:
            self._read(walk, configs)
        return Base(
            self.ref,
            commit,
            sources,
            workspace,
            others=tuple(walk.sources[len(sources) :]),
            problems=tuple(
                each.message for each in walk.diagnostics if each.severity is Severity.ERROR
            ),
            tip=tip,
            overlays=overlays,
            partial=bool(given) and not any(configs[: len(each)] == each for each in given),
        )

    def _read(self, walk: Walk, parts: Parts) -> None:
        if self.tree.find(parts) is not None:
            walk.read("/".join(parts))

    def _overlays(
        self, workspace: Workspace | None, walk: Walk
    ) -> tuple[tuple[str, tuple[Source, ...]], ...]:
        """The overlays first, so that none of them is read as a pair file as well."""
        found: list[tuple[str, tuple[Source, ...]]] = []
        before: list[Source] = []
        if workspace is None:
            return ()
        for folder in workspace.overlays:
            own = Walk(walk.files, before)
            parts = self.repository.parts((workspace.root / folder.path).as_posix())
            if parts is not None:
                self._read(own, parts)
            walk.diagnostics += own.diagnostics
            walk.seen |= own.seen
            found.append((folder.path, tuple(own.sources)))
            before += own.sources
        return tuple(found)

    def _read_moved(self, walk: Walk, configs: Parts) -> None:
        """Pair files of the base that are gone from the working tree.

        They are what a path that is new since the base may have been called before. Files that
        are still in their place do not count: taking them as removed would plan their deletion.
        """
        if self.tree.find(configs) is None:
            return
        for path in Walk(walk.files).find("/".join(configs)):
            if not os.path.lexists(self.repository.top / path):
                walk.read(path)

    def _workspace(self, path: str | None) -> Workspace | None:
        """The commit's own workspace file: where the working tree has it, or the nearest above.

        One above that is still on disk is another workspace: taking its files as this one's would
        plan the deletion of whatever the other declares.
        """
        start = self._inside(path or WORKSPACE_FILE)
        gone = [each for each in self._others(path) if not self._on_disk(each)]
        for parts in (start, *gone):
            item = self.tree.find(parts)
            if item is not None and not item.is_directory and not item.is_submodule:
                return parse_workspace(
                    Source(self.repository.shown(parts), self.tree.content(item))
                )
        return None

    def _others(self, path: str | None) -> list[Parts]:
        """Where another workspace file may be, from the folder of `path` up to the top."""
        start = self._inside(path or WORKSPACE_FILE)
        above = [(*start[:end], WORKSPACE_FILE) for end in range(len(start) - 1, -1, -1)]
        return [each for each in above if each != start]

    def _on_disk(self, parts: Parts) -> bool:
        return os.path.lexists(self.repository.top / "/".join(parts))

    def _configs(self, workspace: Workspace | None, path: str | None) -> Parts:
        """Where the commit's own workspace says that the pair files are.

        A workspace file that is new since may only write down what was the habit, so the working
        tree's is asked where the commit has none, and the default counts unless it belongs to
        another workspace.
        """
        if workspace is not None:
            return self._folder(workspace.config_directory.as_posix())
        if path is not None:
            file = self.repository.directory / path
            new = Path(path).parent / load_workspace(file).configs if file.is_file() else None
            if new is not None:
                parts = self._inside(new.as_posix())
                if self.tree.find(parts) or any(map(self._on_disk, self._others(path))):
                    return parts
        return self._inside(self.default_configs)

    def _folder(self, path: str) -> Parts:
        """A folder that the commit itself names, which the head's rules may not accept."""
        parts = self.repository.parts(path)
        if parts is None:
            raise NotReadable(f"`configs` at {self.ref} lies outside the repository")
        return parts

    def _inside(self, path: str) -> Parts:
        parts = self.repository.parts(path)
        if parts is None:
            raise GitError(
                f"{printable(path)} lies outside the git repository {self.repository.top}",
                hint="--base needs the configuration in the repository",
            )
        return parts


# ---------------------------------------------------------------- what it said


Pair = tuple[ObjectReference, ObjectReference]

_MOST_PROBLEMS = 5
_CONSEQUENCE = (
    "what cannot be read at the base says nothing: a direction that only it may have declared is "
    "compared with the portal alone, and not removed"
)


@dataclass(frozen=True, slots=True)
class Past:
    """The limits desired at a commit; `problems` say what of it cannot be read."""

    desired: Desired
    problems: tuple[str, ...] = ()


def parse_base(
    base: Base, portal: PortalSettings | None = None, known: dict[Source, File] | None = None
) -> Past:
    """The limits that a commit declares for a portal, by the overlays that it has there.

    A file that is invalid there says nothing, and neither does a direction that two files
    declare: the change that repairs them must be possible. `desired.complete` is False then.
    Where an overlay is invalid, nothing is known of any direction, nor where the portal has none
    there and others have. `known` keeps the files that
    were read, for another commit that has mostly the same.
    """
    overlays = () if portal is None else base.overlays_of(portal)
    if overlays is None:
        name = "" if portal is None else f" {portal.name}"
        words = f"{base.ref} has no portal{name}, so that its overlays there are unknown"
        return Past(Desired((), complete=False), (*base.problems, words))
    configuration = Configuration(
        (*base.sources, *base.others), dict(base.overlays), prune=base.prune, known=known
    )
    above = {source.path for source in configuration.overlay_sources(overlays)}
    read = list(configuration.declared(overlays))
    invalid: dict[str, Diagnostic] = {}
    for each in read:
        for problem in each.problems:
            if problem.severity is Severity.ERROR:
                invalid.setdefault(each.path or problem.place.path, problem)
                if problem.place.path in above:
                    invalid.setdefault(problem.place.path, problem)
    unknown = any(path in above for path in invalid)
    directions = [
        direction
        for each in read
        if each.path not in invalid and not unknown
        for direction in each.directions
    ]
    twice = {pair for pair, count in Counter(map(pair_of, directions)).items() if count > 1}
    problems = [
        *base.problems,
        *(f"{base.ref}:{each.place}: {each.message}" for each in dict.fromkeys(invalid.values())),
        *_declared_twice(base.ref, directions, twice),
    ]
    files = tuple(
        ConfigFile(source.path, hashlib.sha256(source.content).hexdigest())
        for source in configuration.sources
        if source.path not in invalid
    )
    kept = tuple(each for each in directions if pair_of(each) not in twice)
    return Past(Desired(kept, files, complete=not problems), tuple(problems))


def without_others(base: Base, past: Desired, head: Desired, elsewhere: set[Pair]) -> Desired:
    """What a past configuration says of the paths given.

    A direction counts that head declares, to be compared, or that a file at those paths declared,
    to be removed; not one that head declares `elsewhere`, in files that were not named.
    """
    paths = {source.path for source in base.sources}
    if not base.partial:
        paths |= {source.path for _, layer in base.overlays for source in layer}
    declared = {pair_of(each) for each in head.directions}
    kept = tuple(
        each
        for each in past.directions
        if (pair := pair_of(each)) in declared
        or (each.place.path in paths and pair not in elsewhere)
    )
    return replace(past, directions=kept)


def pair_of(direction: DesiredDirection) -> Pair:
    """The object types of a direction, as a file names them."""
    return (direction.from_, direction.to)


def directions_of(sources: Sequence[Source]) -> Iterator[DesiredDirection]:
    """The directions of those files that are valid by themselves."""
    for source in sources:
        try:
            yield from parse([source], prune=True).desired.directions
        except ConfigurationInvalid:
            continue


def in_words(problems: Sequence[str]) -> tuple[str, ...]:
    """The first few problems of a past configuration as warnings, and what follows from them."""
    if not problems:
        return ()
    rest = len(problems) - _MOST_PROBLEMS
    more = (f"{rest} more problems at the base",) if rest > 0 else ()
    return (
        *(f"not readable at the base: {problem}" for problem in problems[:_MOST_PROBLEMS]),
        *more,
        _CONSEQUENCE,
    )


def _declared_twice(
    ref: str, directions: Iterable[DesiredDirection], twice: set[Pair]
) -> Iterator[str]:
    for each in directions:
        if pair_of(each) in twice:
            yield f"{ref}:{each.place}: {each} is declared more than once"
