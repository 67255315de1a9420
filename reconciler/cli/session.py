"""One command's work with portals: the files, the connections and the plans made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import reconciler
from reconciler.cli import output
from reconciler.cli.options import Given, PortalOptions
from reconciler.cli.workspace import (
    check_sources,
    choose_portals,
    config_paths,
    know_environment,
    open_workspace,
    read_token,
    refuse_left_out,
    with_named_files,
    workspace_name,
)
from reconciler.config.base import Base
from reconciler.config.sources import Loaded, Source
from reconciler.config.workspace import (
    DEFAULT_CONFIGS,
    OverlayFolder,
    PortalSettings,
    Workspace,
    read_files,
)
from reconciler.defaults import SETTLE
from reconciler.errors import (
    ConfigurationInvalid,
    DiagnosticCode,
    ExitCode,
    ReconcilerError,
    first_few,
)
from reconciler.http.clock import Stop, SystemClock, timestamp
from reconciler.http.connection import Connection, parse_base_url
from reconciler.http.messages import Event
from reconciler.hubspot.portal import Portal
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.limits import Desired, ObjectReference
from reconciler.model.plan import Destination, GitState, Plan
from reconciler.planning.origin import Observation
from reconciler.planning.plan import PlanContext

if TYPE_CHECKING:
    from reconciler.config.loading import File


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
class Session:
    """What all portals of one command share."""

    workspace: Workspace
    options: PortalOptions
    stop: Stop
    clock: SystemClock

    @classmethod
    def start(cls, options: PortalOptions) -> Session:
        """Read the workspace; nothing is sent yet."""
        know_environment()
        parse_base_url(options.base_url)
        stop = Stop()
        workspace = open_workspace(options.given)
        if options.allowed.files:
            workspace = with_named_files(workspace, options.allowed)
        return cls(workspace, options, stop, SystemClock(stop))

    def portals(self) -> list[PortalSettings]:
        """The portals the options choose."""
        chosen = self.options
        portals = choose_portals(
            self.workspace, chosen.names, every=chosen.every, shard=chosen.shard
        )
        check_sources(portals, self.workspace, chosen.allowed)
        return portals

    def files(
        self, portals: Sequence[PortalSettings], paths: Sequence[Path], base: str | None
    ) -> dict[str, Files]:
        """Read the pair files for each portal by its name, and with `base` those of the merge base.

        Portals with the same overlays, or with none, have the same files.
        """
        read = read_files(self.workspace, config_paths(self.workspace, paths), portals)
        state = None if read.head is None else read.head.state
        found: dict[tuple[OverlayFolder, ...], Loaded] = {}
        for portal in portals:
            if portal.overlays not in found:
                loaded = read.loaded(portal)
                near = DiagnosticCode.OBJECT_TYPE_NEAR_STANDARD  # the portal knows its own types
                asked = tuple(each for each in loaded.warnings if each.code is not near)
                found[portal.overlays] = replace(loaded, warnings=asked)
        warnings = dict.fromkeys(each for loaded in found.values() for each in loaded.warnings)
        if warnings and self.given.verbosity >= 0:
            output.show_diagnostics(warnings, self.given)
        files = {portal.name: Files(found[portal.overlays], state, None) for portal in portals}
        if base is not None:
            return self._with_base(base, portals, files, paths)
        if state is None:
            return files
        notes = {
            overlays: self._removed(loaded.desired, paths, portal)
            for portal in portals
            for overlays, loaded in [(portal.overlays, found[portal.overlays])]
        }
        return {
            portal.name: replace(files[portal.name], notes=notes[portal.overlays])
            for portal in portals
        }

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
        ref: str,
        portals: Sequence[PortalSettings],
        files: dict[str, Files],
        paths: Sequence[Path],
    ) -> dict[str, Files]:
        from reconciler.config import base as history

        found = self._read_base(ref, paths)
        known: dict[Source, File] = {}

        def with_base(portal: PortalSettings) -> Files:
            here = files[portal.name]
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
                ref=ref,
                notes=history.in_words(tuple(dict.fromkeys(problems))),
            )

        return {portal.name: with_base(portal) for portal in portals}

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

    @contextmanager
    def connected(
        self,
        portal: PortalSettings,
        events: Callable[[Event], None],
        *,
        api_version: str | None = None,
    ) -> Iterator[Portal]:
        """A portal to talk to; `events` as for `connect`."""
        from reconciler.hubspot.portal import connect

        connection = Connection(
            base_url=parse_base_url(self.options.base_url),
            base_url_source=self.options.base_url_source,
            token=read_token(portal, self.workspace, self.options.allowed, self.given),
            concurrency=self.options.concurrency,
            timeout=self.options.timeout,
        )
        version = ApiVersion(api_version or self.api_version)
        with connect(connection, version=version, clock=self.clock, events=events) as connected:
            yield connected

    def destination(self, portal: PortalSettings) -> Destination:
        """Where a portal's changes go, before it was asked for its ID."""
        return Destination(portal.name, parse_base_url(self.options.base_url), self.api_version)

    @property
    def given(self) -> Given:
        return self.options.given

    @property
    def api_version(self) -> str:
        return self.options.api_version or self.workspace.api_version

    def plan(
        self,
        settings: PortalSettings,
        portal: Portal,
        files: Files,
        settle: float = SETTLE,
    ) -> Plan:
        """The plan of one portal. `settle`: seconds between the two reads that show drift."""
        observation = reconciler.observe(
            portal,
            files.loaded.desired,
            base=files.base,
            tip=files.tip,
            ref=files.ref,
            portal_id=settings.portal_id,
        )
        return self.plan_of(observation, settings, portal, files, settle)

    def plan_of(
        self,
        observation: Observation,
        settings: PortalSettings,
        portal: Portal,
        files: Files,
        settle: float,
    ) -> Plan:
        """The plan for what was read; its drift is confirmed by a second read."""
        version = ApiVersion(self.api_version).warning(self.clock.wall().date())
        context = PlanContext(
            tool_version=reconciler.__version__,
            created_at=timestamp(self.clock),
            portal_name=settings.name,
            base_url=parse_base_url(self.options.base_url),
            api_version=self.api_version,
            files=files.loaded.desired.files,
            git=files.git,
            warnings=files.warnings if version is None else (*files.warnings, version),
            workspace=workspace_name(self.workspace.path),
        )
        plan = reconciler.make_plan(observation, context=context, safety=self.workspace.safety)
        reconciler.confirm_drift(plan, observation, portal, clock=self.clock, settle=settle)
        return plan


Pair = tuple[ObjectReference, ObjectReference]


def _directions(desired: Desired) -> set[Pair]:
    return {(each.from_, each.to) for each in desired.directions}


WORST_FIRST = (
    ExitCode.INCOMPLETE,
    ExitCode.REFUSED,
    ExitCode.INVALID,
    ExitCode.ERROR,
    ExitCode.USAGE,
    ExitCode.PENDING,
    ExitCode.DONE,
)
"""Every exit code: what several portals end with together is the first one of these."""


def for_each_portal(
    portals: Sequence[PortalSettings],
    work: Callable[[PortalSettings], ExitCode],
    given: Given,
) -> ExitCode:
    """Do the work for every portal; one portal's failure is shown and does not stop the others.

    A part of the portals may be empty: then there is nothing to do.
    """
    if len(portals) == 1:
        return work(portals[0])
    codes = [_contained(portal, work, given) for portal in portals]
    return min(codes, key=WORST_FIRST.index, default=ExitCode.DONE)


def _contained(
    portal: PortalSettings, work: Callable[[PortalSettings], ExitCode], given: Given
) -> ExitCode:
    output.next_answer()
    prefix = f"portal {portal.name}: "
    try:
        return work(portal)
    except ReconcilerError as error:
        if isinstance(error, ConfigurationInvalid):
            error.hint = error.hint or f"as resolved in portal {portal.name}"
        return ExitCode(output.show_error(error, given, prefix, portal.name))
    except Exception as error:  # noqa: BLE001 - a bug with one portal must not cost the report of another
        return ExitCode(output.show_unexpected(error, given, prefix, portal.name))
