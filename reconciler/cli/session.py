"""One command's work with portals: the files, the connections and the plans made of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

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
    with_named_files,
    workspace_name,
)
from reconciler.config.sources import Loaded
from reconciler.config.workspace import OverlayFolder, PortalSettings, Workspace, read_files
from reconciler.defaults import SETTLE
from reconciler.errors import (
    ConfigurationInvalid,
    DiagnosticCode,
    WrongPortal,
)
from reconciler.http.clock import Stop, SystemClock, timestamp
from reconciler.http.connection import Connection, parse_base_url
from reconciler.hubspot.portal import Portal, PortalEvent, connect
from reconciler.hubspot.usage import UsageInquiry
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.limits import Desired
from reconciler.model.plan import Destination, GitState, Plan
from reconciler.planning.origin import Observation
from reconciler.planning.plan import PlanContext


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
class Session:
    """What all portals of one command share."""

    workspace: Workspace
    options: PortalOptions
    api_version: str
    stop: Stop
    clock: SystemClock
    owners: dict[int, str]
    """Which portal an account is, by its ID: as the workspace says, or as was seen first."""

    @classmethod
    def start(cls, options: PortalOptions) -> Session:
        """Read the workspace; nothing is sent yet."""
        know_environment()
        parse_base_url(options.base_url)
        stop = Stop()
        workspace = open_workspace(options.given)
        if options.allowed.files:
            workspace = with_named_files(workspace, options.allowed)
        owners = {each.portal_id: each.name for each in workspace.portals if each.portal_id}
        version = options.api_version or workspace.api_version
        return cls(workspace, options, version, stop, SystemClock(stop), owners)

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
    ) -> FilesByPortal:
        """Read the pair files once for all portals, and with `base` those of the merge base.

        Portals with the same overlays, or with none, share what they say. Raises
        ConfigurationInvalid where the files are invalid for every portal.
        """
        read = read_files(self.workspace, config_paths(self.workspace, paths), portals)
        loaded: dict[tuple[OverlayFolder, ...], Loaded | ConfigurationInvalid] = {}
        for portal in {each.overlays: each for each in portals}.values():
            try:
                valid = read.loaded(portal)
            except ConfigurationInvalid as error:
                loaded[portal.overlays] = error
                continue
            near = DiagnosticCode.OBJECT_TYPE_NEAR_STANDARD  # the portal knows its own types
            asked = tuple(each for each in valid.warnings if each.code is not near)
            loaded[portal.overlays] = replace(valid, warnings=asked)
        errors = [each for each in loaded.values() if isinstance(each, ConfigurationInvalid)]
        if errors and len(errors) == len(loaded):
            every = dict.fromkeys(one for each in errors for one in each.diagnostics)
            raise ConfigurationInvalid(tuple(every))
        sound = [each for each in loaded.values() if isinstance(each, Loaded)]
        warnings = dict.fromkeys(one for each in sound for one in each.warnings)
        if warnings and self.given.verbosity >= 0:
            output.show_diagnostics(warnings, self.given)
        if base is None and read.head is None:
            return FilesByPortal(
                {
                    each.name: found
                    if isinstance(found := loaded[each.overlays], ConfigurationInvalid)
                    else Files(found, None, None)
                    for each in portals
                }
            )
        git = None if read.head is None else GitState(read.head.commit, read.head.dirty)
        return self._with_history(portals, loaded, paths, base, git)

    def _with_history(
        self,
        portals: Sequence[PortalSettings],
        loaded: Mapping[tuple[OverlayFolder, ...], Loaded | ConfigurationInvalid],
        paths: Sequence[Path],
        base: str | None,
        git: GitState | None,
    ) -> FilesByPortal:
        """The files with what git says of them, at the base where there is one."""
        from reconciler.cli.history import History, what_holds_at  # only where there is a commit

        history = History(self.workspace, paths)
        past = None if base is None else history.read(base)
        is_less = past is None and history.anything_removed(portals)
        shared: dict[Hashable, Files] = {}

        def files(portal: PortalSettings) -> Files | ConfigurationInvalid:
            found = loaded[portal.overlays]
            if isinstance(found, ConfigurationInvalid):
                return found
            key = (portal.overlays, None if past is None else what_holds_at(past, portal))
            if key not in shared and past is None:
                notes = history.removed(portal, found.desired) if is_less else ()
                shared[key] = Files(found, git, None, notes=notes)
            elif key not in shared and past is not None:
                at = history.at_base(past, portal, found.desired)
                state = git and replace(git, base=at.commit)
                shared[key] = Files(found, state, at.desired, at.tip, at.ref, at.notes)
            return shared[key]

        return FilesByPortal({portal.name: files(portal) for portal in portals})

    @contextmanager
    def connected(
        self,
        portal: PortalSettings,
        events: Callable[[PortalEvent], None],
        *,
        api_version: str | None = None,
    ) -> Iterator[Portal]:
        """A portal to talk to; `events` as for `connect`."""
        connection = Connection(
            base_url=parse_base_url(self.options.base_url),
            base_url_source=self.options.base_url_source,
            token=read_token(portal, self.workspace, self.options.allowed, self.options.given),
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

    def plan(
        self,
        settings: PortalSettings,
        portal: Portal,
        files: Files,
        settle: float = SETTLE,
        *,
        asks_usage: bool = False,
        observation: Observation | None = None,
    ) -> Plan:
        """The plan of one portal; its drift is confirmed by a second read, `settle` seconds later.

        `asks_usage`: meanwhile, how many records are at or near the limits that it restricts.
        `observation`: what was read already.
        """
        observation = observation or reconciler.observe(
            portal,
            files.loaded.desired,
            base=files.base,
            tip=files.tip,
            ref=files.ref,
            portal_id=settings.portal_id,
        )
        account = observation.observed.account
        owner = self.owners.setdefault(account.portal_id, settings.name)
        if owner != settings.name:
            raise owned_by_another(account.portal_id, owner)
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
        confirm = partial(
            reconciler.confirm_drift, plan, observation, portal, clock=self.clock, settle=settle
        )
        if not asks_usage or not plan.restricted:
            confirm()
            return plan
        restricted = [observation.observed.by_key[each.key] for each in plan.restricted]
        usage = UsageInquiry(portal, restricted, self.clock)
        confirm(beside=usage.first)
        found = usage.complete()
        unknown = () if usage.problem is None else (f"usage unknown: {usage.problem}",)
        return replace(plan, usage=found, warnings=(*plan.warnings, *unknown))


def owned_by_another(portal_id: int, owner: str) -> WrongPortal:
    """The error of a portal whose account is another portal of the workspace."""
    return WrongPortal(
        f"the token belongs to portal {portal_id}, which is {owner} in this workspace",
        hint="use a token of the portal that is meant, or remove one of the two",
    )
