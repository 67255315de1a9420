"""What git says of a workspace's pair files: at a base, and which of them were removed since."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.cli import output
from reconciler.cli.options import Given
from reconciler.cli.workspace import config_paths, refuse_left_out
from reconciler.config.base import (
    Base,
    directions_of,
    in_words,
    pair_of,
    parse_base,
    read_base,
    without_others,
)
from reconciler.config.head import removed_since
from reconciler.config.loading import File
from reconciler.config.sources import Source
from reconciler.config.workspace import DEFAULT_CONFIGS, PortalSettings, Workspace, read_files
from reconciler.errors import ConfigurationInvalid, first_few
from reconciler.model.limits import Desired, ObjectReference

Pair = tuple[ObjectReference, ObjectReference]


@dataclass(frozen=True, slots=True)
class AtBase:
    """What the files said at the merge base with `ref` (`commit`), and at its tip, for a portal.

    `tip` None: `ref` has not moved on since. `notes`: what could not be read.
    """

    ref: str
    commit: str
    desired: Desired
    tip: Desired | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The commits before the files at hand. `paths`: the pair files that the command is about."""

    workspace: Workspace
    paths: Sequence[Path]
    known: dict[Source, File] = field(default_factory=dict)

    def read(self, ref: str) -> Base:
        """The configuration at the merge base with a ref; raises GitError."""
        return read_base(
            ref,
            directory=Path.cwd(),
            workspace_path=None if self.workspace.path is None else str(self.workspace.path),
            paths=[str(path) for path in self.paths],
            configs=(self.workspace.root / DEFAULT_CONFIGS).as_posix(),
        )

    def at_base(self, found: Base, portal: PortalSettings, head: Desired) -> AtBase:
        """What a base says for a portal whose files say `head` now."""
        past = parse_base(found, portal, self.known)
        elsewhere = self._elsewhere(head, portal)
        tip = None if found.tip is None else parse_base(found.tip, portal, self.known)
        problems = past.problems if tip is None else (*past.problems, *tip.problems)
        return AtBase(
            found.ref,
            found.commit,
            without_others(found, past.desired, head, elsewhere),
            None if tip is None else tip.desired,
            in_words(tuple(dict.fromkeys(problems))),
        )

    def anything_removed(self, portals: Sequence[PortalSettings]) -> bool:
        """Whether `removed` has anything to say of one of the portals: most often of none."""
        return self._removed(portals) is not None

    def removed(self, portal: PortalSettings, head: Desired) -> tuple[str, ...]:
        """What a plan without a base does not show: directions that no file declares any more."""
        known = self._removed([portal])
        if known is None:
            return ()
        ref, sources = known
        elsewhere = _directions(head) | self._elsewhere(head, portal)
        gone = [each for each in directions_of(sources) if pair_of(each) not in elsewhere]
        if not gone:
            return ()
        files = first_few(list(dict.fromkeys(each.place.path for each in gone)))
        named = first_few(list(dict.fromkeys(map(str, gone))))
        what = f"{files} declared {named} at {ref} and was removed"
        left = "without a base these limits are left alone"
        return (f"{what}: {left}; plan with --base {ref} to remove them",)

    def _removed(self, portals: Sequence[PortalSettings]) -> tuple[str, tuple[Source, ...]] | None:
        every = () if self.paths else (each for portal in portals for each in portal.overlays)
        folders = dict.fromkeys(str(self.workspace.root / folder.path) for folder in every)
        given = [str(path) for path in config_paths(self.workspace, self.paths)]
        return removed_since(Path.cwd(), [*given, *folders])

    def _elsewhere(self, head: Desired, portal: PortalSettings) -> set[Pair]:
        """What head declares in files that were not named.

        `plan configs/a.yaml` must not delete a direction that moved from there to another file.
        """
        everything = self.workspace.config_directory
        if not self.paths or not everything.is_dir():
            return set()
        declared = read_files(self.workspace, [everything], [portal]).loaded(portal).desired
        return _directions(declared) - _directions(head)


def what_holds_at(base: Base, portal: PortalSettings) -> Hashable:
    """What decides which of a base's limits hold for a portal: its overlays there, or its name."""
    at = (base, *([] if base.tip is None else [base.tip]))
    overlays = tuple(each.overlays_of(portal) for each in at)
    return (portal.name, overlays) if None in overlays else overlays


def at_hand(
    workspace: Workspace, portal: PortalSettings, base: str | None, given: Given
) -> tuple[Desired | None, Desired | None]:
    """What the workspace's pair files and those of the base say, for a saved plan.

    None where there is no folder of pair files: a pipeline may apply without a checkout.
    Raises ConfigurationInvalid where the files are there and cannot be understood.
    """
    head = None
    if workspace.config_directory.is_dir():
        try:
            paths = config_paths(workspace, ())
            head = read_files(workspace, paths, [portal]).loaded(portal).desired
        except ConfigurationInvalid as error:
            error.hint = "a saved plan is checked against the protection in these pair files"
            raise
    else:
        refuse_left_out([workspace.config_directory])
        output.note(
            "no pair files found: only the protection and thresholds stored in the plan apply",
            given,
        )
    if base is None:
        return head, None
    past = parse_base(History(workspace, ()).read(base), portal)
    for words in in_words(past.problems):
        output.note(words, given)
    return head, past.desired


def _directions(desired: Desired) -> set[Pair]:
    return {(each.from_, each.to) for each in desired.directions}
