"""What the pair files say for each portal of a command: here, and at a commit that git knows.

Everything is read once, and portals with the same overlays share what it says.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import output
from reconciler.cli.options import Given
from reconciler.cli.workspace import config_paths, refuse_left_out
from reconciler.config.base import Base
from reconciler.config.sources import Loaded, Source
from reconciler.config.workspace import (
    DEFAULT_CONFIGS,
    OverlayFolder,
    PortalSettings,
    Workspace,
    read_files,
)
from reconciler.errors import ConfigurationInvalid, DiagnosticCode, first_few
from reconciler.model.limits import Desired, ObjectReference
from reconciler.model.plan import GitState

if TYPE_CHECKING:
    from reconciler.config.loading import File

Overlays = tuple[OverlayFolder, ...]
Pair = tuple[ObjectReference, ObjectReference]


@dataclass(frozen=True, slots=True)
class Files:
    """What the files say here and at the base, and the commit they were read at."""

    loaded: Loaded
    git: GitState | None
    base: Desired | None
    tip: Desired | None = None
    ref: str = ""
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        dirty = ("the files have changes that are not committed",)
        found = tuple(f"{each.place}: {each.message}" for each in self.loaded.warnings)
        return (*found, *self.notes, *(dirty if self.git is not None and self.git.dirty else ()))


@dataclass(frozen=True, slots=True)
class FilesByPortal:
    """What the files say for each of several portals, of which some may have invalid overlays."""

    by_name: Mapping[str, Files | ConfigurationInvalid]

    def of(self, portal: PortalSettings) -> Files:
        """What holds for a portal; raises ConfigurationInvalid where its overlays are invalid."""
        files = self.by_name[portal.name]
        if isinstance(files, ConfigurationInvalid):
            raise ConfigurationInvalid(files.diagnostics)
        return files


@dataclass(frozen=True, slots=True)
class PairFiles:
    """The pair files of a workspace, for the portals of one command."""

    workspace: Workspace
    given: Given

    def read(
        self, portals: Sequence[PortalSettings], paths: Sequence[Path], base: str | None
    ) -> FilesByPortal:
        """The files at the paths, and with `base` those of the merge base.

        Raises ConfigurationInvalid where they are invalid for every portal.
        """
        read = read_files(self.workspace, config_paths(self.workspace, paths), portals)
        state = None if read.head is None else read.head.state
        loaded: dict[Overlays, Loaded | ConfigurationInvalid] = {}
        for portal in portals:
            if portal.overlays not in loaded:
                try:
                    loaded[portal.overlays] = _without_near_names(read.loaded(portal))
                except ConfigurationInvalid as error:
                    loaded[portal.overlays] = error
        self._show_warnings(loaded.values())
        _refuse_all_invalid(loaded.values())
        past = None if base is None else self._read_base(base, paths)
        shared: dict[Hashable, Files] = {}
        known: dict[Source, File] = {}

        def files(portal: PortalSettings) -> Files | ConfigurationInvalid:
            found = loaded[portal.overlays]
            if isinstance(found, ConfigurationInvalid):
                return found
            key = (portal.overlays, () if past is None else _overlays_at(past, portal))
            if key not in shared:
                here = Files(found, state, None)
                if past is not None:
                    here = self._with_base(past, portal, here, paths, known)
                elif state is not None:
                    here = replace(here, notes=self._removed(found.desired, paths, portal))
                shared[key] = here
            return shared[key]

        return FilesByPortal({portal.name: files(portal) for portal in portals})

    def at_hand(
        self, portal: PortalSettings, base: str | None
    ) -> tuple[Desired | None, Desired | None]:
        """What the workspace's pair files and those of the base say, for a saved plan.

        None where there is no folder of pair files: a pipeline may apply without a checkout.
        Raises ConfigurationInvalid where the files are there and cannot be understood.
        """
        head = None
        if self.workspace.config_directory.is_dir():
            try:
                given = config_paths(self.workspace, ())
                head = read_files(self.workspace, given, [portal]).loaded(portal).desired
            except ConfigurationInvalid as error:
                error.hint = "a saved plan is checked against the protection in these pair files"
                raise
        else:
            refuse_left_out([self.workspace.config_directory])
            output.note(
                "no pair files found: only the protection and thresholds stored in the plan apply",
                self.given,
            )
        if base is None:
            return head, None
        from reconciler.config import base as history

        past = history.parse_base(self._read_base(base, ()), portal)
        for words in history.in_words(past.problems):
            output.note(words, self.given)
        return head, past.desired

    def _show_warnings(self, found: Iterable[Loaded | ConfigurationInvalid]) -> None:
        """Once, whichever portals they are about. The error of a portal shows its own."""
        valid = [each for each in found if isinstance(each, Loaded)]
        warnings = dict.fromkeys(each for loaded in valid for each in loaded.warnings)
        if warnings and self.given.verbosity >= 0:
            output.show_diagnostics(warnings, self.given)

    def _removed(
        self, head: Desired, paths: Sequence[Path], portal: PortalSettings
    ) -> tuple[str, ...]:
        """What a plan without a base does not show: directions that no file declares any more."""
        from reconciler.config import base as history
        from reconciler.config import head as git_head

        overlays = () if paths else portal.overlays
        given = [str(path) for path in config_paths(self.workspace, paths)]
        given += [str(self.workspace.root / folder.path) for folder in overlays]
        known = git_head.removed_since(Path.cwd(), given)
        if known is None:
            return ()
        ref, sources = known
        elsewhere = _directions(head) | self._elsewhere(head, paths, portal)
        gone = [
            each
            for each in history.directions_of(sources)
            if history.pair_of(each) not in elsewhere
        ]
        if not gone:
            return ()
        files = first_few(list(dict.fromkeys(each.place.path for each in gone)))
        named = first_few(list(dict.fromkeys(map(str, gone))))
        what = f"{files} declared {named} at {ref} and was removed"
        left = "without a base these limits are left alone"
        return (f"{what}: {left}; plan with --base {ref} to remove them",)

    def _with_base(
        self,
        found: Base,
        portal: PortalSettings,
        here: Files,
        paths: Sequence[Path],
        known: dict[Source, File],
    ) -> Files:
        from reconciler.config import base as history

        head = here.loaded.desired
        past = history.parse_base(found, portal, known)
        elsewhere = self._elsewhere(head, paths, portal)
        tip = None
        if found.tip is not None:
            tip = history.parse_base(found.tip, portal, known)
        problems = past.problems if tip is None else (*past.problems, *tip.problems)
        return replace(
            here,
            git=here.git and replace(here.git, base=found.commit),
            base=history.without_others(found, past.desired, head, elsewhere),
            tip=None if tip is None else tip.desired,
            ref=found.ref,
            notes=history.in_words(tuple(dict.fromkeys(problems))),
        )

    def _read_base(self, ref: str, paths: Sequence[Path]) -> Base:
        from reconciler.config import base as history

        return history.read_base(
            ref,
            directory=Path.cwd(),
            workspace_path=None if self.workspace.path is None else str(self.workspace.path),
            paths=[str(path) for path in paths],
            configs=(self.workspace.root / DEFAULT_CONFIGS).as_posix(),
        )

    def _elsewhere(self, head: Desired, paths: Sequence[Path], portal: PortalSettings) -> set[Pair]:
        """What head declares in files that were not named.

        `plan configs/a.yaml` must not delete a direction that moved from there to another file.
        """
        everything = self.workspace.config_directory
        if not paths or not everything.is_dir():
            return set()
        declared = read_files(self.workspace, [everything], [portal]).loaded(portal).desired
        return _directions(declared) - _directions(head)


def _overlays_at(past: Base, portal: PortalSettings) -> Hashable:
    """What decides which of a base's limits hold for a portal: its overlays there, or its name."""
    at = (past, *([] if past.tip is None else [past.tip]))
    found = tuple(each.overlays_of(portal) for each in at)
    return (portal.name, found) if None in found else found


def _without_near_names(loaded: Loaded) -> Loaded:
    """Without the warnings about object types that only the portal can know."""
    near = DiagnosticCode.OBJECT_TYPE_NEAR_STANDARD
    return replace(
        loaded, warnings=tuple(each for each in loaded.warnings if each.code is not near)
    )


def _refuse_all_invalid(found: Iterable[Loaded | ConfigurationInvalid]) -> None:
    """Raise one error with everything where no portal has valid files."""
    errors = [each for each in found if isinstance(each, ConfigurationInvalid)]
    diagnostics = [each for error in errors for each in error.diagnostics]
    if errors and all(isinstance(each, ConfigurationInvalid) for each in found):
        raise ConfigurationInvalid(list(dict.fromkeys(diagnostics)))


def _directions(desired: Desired) -> set[Pair]:
    return {(each.from_, each.to) for each in desired.directions}
