"""`reconciler doctor`: what stands between this machine and a portal, each line with what to do.

Nothing that it prints is secret, so that it can be pasted into a bug report.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli import output
from reconciler.cli.options import PortalOptions, portal_options
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.workspace import read_token
from reconciler.config.workspace import PortalSettings
from reconciler.errors import (
    AuthenticationFailed,
    ConfigurationInvalid,
    EndpointMissing,
    ExitCode,
    Interrupted,
    PermissionMissing,
    PortalError,
    PortalUnavailable,
    ReconcilerError,
    plural,
)
from reconciler.http.connection import environment_proxy
from reconciler.http.messages import report_to
from reconciler.hubspot.versions import ApiVersion
from reconciler.model.limits import Direction, ObjectType
from reconciler.outgoing import harmless_json
from reconciler.report.escape import PROSE_LIMIT, terminal
from reconciler.report.terminal import Mark, Style, wrapped

if TYPE_CHECKING:
    from reconciler.applying.events import Event
    from reconciler.cli.session import Session
    from reconciler.hubspot.portal import Portal
    from reconciler.hubspot.wire import Probe


class State(StrEnum):
    """How a check came out. `unknown` is not an error: the portal or the machine does not say."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `portal` None: it is about this machine."""

    check: str
    state: State
    finding: str
    advice: str | None = None
    portal: str | None = None


USUAL = Direction(ObjectType("0-1", "contacts"), ObjectType("0-2", "companies"))
"""What every portal has: reading its limits and labels shows what a token may do."""

LARGEST_SKEW = 60.0
"""Seconds that this machine's clock may differ before it is worth a line: HubSpot sends whole
seconds, and TLS and `Retry-After` dates take minutes amiss."""

_COLOURS = {
    State.OK: Mark.GOOD,
    State.WARNING: Mark.WARNING,
    State.ERROR: Mark.BAD,
    State.UNKNOWN: Mark.DIM,
}
_MARKS = {State.OK: "ok", State.WARNING: "warning", State.ERROR: "ERROR", State.UNKNOWN: "unknown"}


@click.command("doctor")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@portal_options
def command(options: PortalOptions, format_: str) -> int:
    """Check token, scopes, portal, API version, address, proxy, certificate, clock and parser.

    Every line says what to do. Only reads are sent, and nothing that is printed is secret. Exits 1
    where a check fails.
    """
    checks = [*machine(), *_portals(options)]
    if format_ == "json":
        output.result(as_json(checks))
    else:
        look = output.style(options.given)
        output.result(as_text(checks, look, output.width_of(sys.stdout)))
    failed = any(each.state is State.ERROR for each in checks)
    return int(ExitCode.ERROR if failed else ExitCode.DONE)


# ---------------------------------------------------------------- this machine


def machine() -> Iterator[Check]:
    """What can be said without a workspace and without a portal."""
    from reconciler.config.yaml import HAS_COMPILED_PARSER  # ruamel, not for --help

    yield Check("reconciler", State.OK, f"{__version__} on Python {platform.python_version()}")
    if HAS_COMPILED_PARSER:
        yield Check("YAML parser", State.OK, "compiled")
    else:
        yield Check(
            "YAML parser",
            State.WARNING,
            "pure Python: large folders of files take some ten times as long to read",
            "install ruamel.yaml with its extra oldlibyaml, which has wheels below Python 3.15",
        )
    if shutil.which("git") is None:
        advice = "install git: without it there is no --base, and a plan names no commit"
        yield Check("git", State.WARNING, "not found", advice)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if (path := os.environ.get(name)) is None:
            continue
        found = f"those of {name}, {path}"
        if os.access(path, os.R_OK):
            yield Check("certificates", State.OK, found)
        else:
            cure = f"unset {name}, or let it name PEM certificates that can be read"
            yield Check("certificates", State.ERROR, f"{found}, cannot be read", cure)


# ---------------------------------------------------------------- the portals


def _portals(options: PortalOptions) -> Iterator[Check]:
    from reconciler.cli.progress import reporting
    from reconciler.cli.session import Session  # httpx and pydantic, not for --help

    try:
        session = Session.start(options)
        portals = session.portals()
    except ConfigurationInvalid as error:
        output.show_diagnostics(error.diagnostics, options.given)
        yield Check("workspace", State.ERROR, error.message, "fix the workspace file")
        return
    except ReconcilerError as error:
        yield _failed("workspace", error)
        return
    path = session.workspace.path
    found = "no workspace file: one portal, named default" if path is None else str(path)
    yield Check("workspace", State.OK, found)
    yield _address(options)
    yield _version(session)

    def work(settings: PortalSettings, events: Callable[[Event], None]) -> list[Check]:
        return [*_portal(session, settings, events)]

    if not options.asks_for_several:
        (settings,) = portals
        with stopping_on_signals(session.stop), reporting(settings.name, session.given) as progress:
            checks = work(settings, progress)
        yield from checks
        return
    from reconciler.cli.side_by_side import Done, side_by_side  # not for one

    for ended in side_by_side(session, portals, work, _said):
        if isinstance(ended, Done):
            yield from ended.value
        else:
            yield _failed("portal", ended.error, ended.portal.name)


def _said(checks: Sequence[Check]) -> str:
    """The counts of what is not as it should be, for the log."""
    counts = {state: sum(each.state is state for each in checks) for state in State}
    bad = [f"{plural(counts[state], word)}" for state, word in _COUNTED if counts[state]]
    return ", ".join(bad) or "all is well"


def _address(options: PortalOptions) -> Check:
    """Where requests go, through which proxy. A proxy's own password is not shown."""
    address = f"{options.base_url} ({options.base_url_source})"
    found = environment_proxy(options.base_url)
    if found is None:
        return Check("address", State.OK, f"{address}, no proxy")
    name, value = found
    proxy = value.rpartition("@")[2].rpartition("//")[2]
    return Check("address", State.OK, f"{address}, by the proxy {proxy} ({name.upper()}_PROXY)")


def _version(session: Session) -> Check:
    version, today = ApiVersion(session.api_version), session.clock.wall().date()
    days = (version.end_of_support - today).days
    when = f"supported for {days} more days" if days >= 0 else "no longer supported"
    warning = version.warning(today)
    state = State.OK if warning is None else State.WARNING
    return Check("API version", state, f"{version}, {when} ({version.end_of_support})", warning)


def _portal(
    session: Session, settings: PortalSettings, events: Callable[[Event], None]
) -> Iterator[Check]:
    """One portal: its failure is shown and does not hide the others."""
    name = settings.name
    try:
        source = read_token(
            settings, session.workspace, session.options.allowed, session.given
        ).source
    except ReconcilerError as error:
        yield _failed("token", error, name)
        return
    yield Check("token", State.OK, f"from {source}, shaped like a token", portal=name)
    try:
        with session.connected(settings, report_to(events)) as portal:
            yield from _asked(session, settings, portal)
    except Interrupted:
        raise
    except AuthenticationFailed as error:
        yield _failed("token", error, name)
    except PortalUnavailable as error:
        yield _failed("reachability", error, name)
    except ReconcilerError as error:
        yield _failed("portal", error, name)


def _asked(session: Session, settings: PortalSettings, portal: Portal) -> Iterator[Check]:
    name, began = settings.name, session.clock.monotonic()
    probe = portal.probe()
    took = session.clock.monotonic() - began
    yield Check("reachability", State.OK, f"answered in {took * 1000:.0f} ms", portal=name)
    if session.options.base_url.startswith("https:"):
        yield Check("certificate", State.OK, "trusted", portal=name)
    yield _identity(settings, probe)
    yield _clock(session, probe, name)
    yield from _scopes(portal, name)


def _identity(settings: PortalSettings, probe: Probe) -> Check:
    account = probe.account
    found = f"portal {account.portal_id}, {account.account_type}"
    if settings.portal_id is None:
        return Check(
            "portal",
            State.WARNING,
            found,
            f"put `portal_id: {account.portal_id}` into the workspace file, so that a token of "
            "another portal is refused",
            settings.name,
        )
    if settings.portal_id != account.portal_id:
        return Check(
            "portal",
            State.ERROR,
            f"{found}; the workspace file says {settings.portal_id}",
            "use the token of that portal, or correct portal_id",
            settings.name,
        )
    return Check("portal", State.OK, found, portal=settings.name)


def _clock(session: Session, probe: Probe, name: str) -> Check:
    if probe.date is None:
        return Check("clock", State.UNKNOWN, "the portal sent no date", portal=name)
    skew = (session.clock.wall() - probe.date).total_seconds()
    if abs(skew) <= LARGEST_SKEW:
        return Check("clock", State.OK, f"within {LARGEST_SKEW:.0f} s of the portal's", portal=name)
    side = "ahead of" if skew > 0 else "behind"
    found = f"{abs(skew):.0f} s {side} the portal's"
    return Check("clock", State.WARNING, found, "set this machine's clock (NTP)", name)


def _scopes(portal: Portal, name: str) -> Iterator[Check]:
    """What the token may do: by the list where HubSpot gives one, by trying in any case."""
    try:
        scopes = portal.scopes()
    except PortalError:
        scopes = None
    if scopes is None:
        yield Check(
            "scopes", State.UNKNOWN, "HubSpot does not list them for this token", portal=name
        )
    else:
        yield Check("scopes", State.OK, ", ".join(sorted(scopes)) or "none", portal=name)
    yield _tried("limits and labels", name, State.ERROR, lambda: _read_usual(portal))
    yield _tried("custom objects", name, State.WARNING, portal.custom_objects)
    yield _usage(portal, name)


def _read_usual(portal: Portal) -> object:
    return portal.read(USUAL, needs_labels=lambda _: True)


def _tried(check: str, name: str, forbidden: State, read: Callable[[], object]) -> Check:
    """A read that was tried: what is forbidden is missing, what fails otherwise is not known."""
    try:
        read()
    except PermissionMissing as error:
        return Check(check, forbidden, error.message, error.hint, name)
    except PortalError as error:
        return Check(check, State.UNKNOWN, error.message, error.hint, name)
    return Check(check, State.OK, "can be read", portal=name)


def _usage(portal: Portal, name: str) -> Check:
    try:
        portal.usage(USUAL)
    except (PermissionMissing, EndpointMissing):
        return Check(
            "usage",
            State.UNKNOWN,
            f"the portal does not say how many records are at the limits of {USUAL}",
            "it takes a scope for reading records, such as crm.objects.contacts.read",
            name,
        )
    except PortalError as error:
        return Check("usage", State.UNKNOWN, error.message, error.hint, name)
    return Check("usage", State.OK, "can be read", portal=name)


def _failed(check: str, error: ReconcilerError, portal: str | None = None) -> Check:
    return Check(check, State.ERROR, error.message, error.hint, portal)


# ---------------------------------------------------------------- the two formats


def as_text(checks: Sequence[Check], style: Style, width: int | None = None) -> str:
    """A line per check, by portal, each with what to do below it; wrapped to the width in cells."""
    names = max(len(each.check) for each in checks)
    indent = " " * (8 + 1 + names + 2)
    lines: list[str] = []
    about: str | None = None
    for each in checks:
        if each.portal != about:
            portal = terminal(each.portal or "", PROSE_LIMIT)
            lines += ["", f"portal {style.mark(Mark.BOLD, portal)}"]
            about = each.portal
        first, *rest = wrapped(terminal(each.finding, PROSE_LIMIT), indent, width)
        state = style.mark(_COLOURS[each.state], f"{_MARKS[each.state]:<8}")
        lines += [f"{state} {each.check:<{names}}  {first.removeprefix(indent)}", *rest]
        if each.advice is not None and each.state is not State.OK:
            first, *rest = wrapped(terminal(each.advice, PROSE_LIMIT), f"{indent}  ", width)
            lines += [f"{indent}→ {first.removeprefix(f'{indent}  ')}", *rest]
    return "\n".join([*lines, "", f"Checked: {_said(checks)}."])


_COUNTED = ((State.ERROR, "error"), (State.WARNING, "warning"), (State.UNKNOWN, "unknown"))


def as_json(checks: Sequence[Check]) -> str:
    """One document: format version, tool, checks in the order in which they were made."""
    document = {
        "format_version": "1.0",
        "tool": {"name": "reconciler", "version": __version__},
        "checks": [asdict(each) for each in checks],
    }
    return harmless_json(json.dumps(document, ensure_ascii=False, sort_keys=True, indent=2))
