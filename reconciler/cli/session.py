"""One command's work with portals: the files, the connections and the plans made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import reconciler
from reconciler.cli import output
from reconciler.cli.declared import Files, PairFiles
from reconciler.cli.options import Given, PortalOptions
from reconciler.cli.workspace import (
    check_sources,
    choose_portals,
    know_environment,
    open_workspace,
    read_token,
    with_named_files,
    workspace_name,
)
from reconciler.config.workspace import (
    PortalSettings,
    Workspace,
)
from reconciler.defaults import SETTLE
from reconciler.errors import (
    ConfigurationInvalid,
    ExitCode,
    ReconcilerError,
)
from reconciler.http.clock import Stop, SystemClock, timestamp
from reconciler.http.connection import Connection, parse_base_url
from reconciler.http.messages import Event
from reconciler.hubspot.portal import Portal
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.plan import Destination, Plan
from reconciler.planning.origin import Observation
from reconciler.planning.plan import PlanContext

if TYPE_CHECKING:
    pass


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

    @property
    def pair_files(self) -> PairFiles:
        """The workspace's pair files."""
        return PairFiles(self.workspace, self.given)

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
