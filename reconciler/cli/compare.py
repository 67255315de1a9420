"""`reconciler compare`: how two portals differ, and the files that would make them alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler.applying.events import Event
from reconciler.cli import output
from reconciler.cli.files import read_regular
from reconciler.cli.options import Given, PortalOptions, portal_options
from reconciler.cli.pair_changes import Changes, FileChange, created, modeline
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.progress import reporting, reporting_each
from reconciler.cli.session import Session
from reconciler.config.object_types import STANDARD, standard_type
from reconciler.config.pair_text import DirectionText, pair_files
from reconciler.config.sources import collect, shown_path
from reconciler.config.workspace import OverlayFolder, PortalSettings
from reconciler.errors import (
    EndpointMissing,
    ExitCode,
    ReconcilerError,
    RequestRefused,
    UsageProblem,
    worst,
)
from reconciler.http.messages import report_to
from reconciler.hubspot.portal import Portal
from reconciler.hubspot.survey import ObjectTypeNames, Survey, survey
from reconciler.model.limits import AssociationType, Desired, Direction
from reconciler.model.portals import Comparison, LeftOut, Side, Written, WrittenFile
from reconciler.planning.comparison import (
    Carried,
    Carrier,
    PortalLimits,
    differences,
    with_lacking,
)
from reconciler.planning.names import try_resolve
from reconciler.report import comparison as report
from reconciler.report.portals import portals_markdown, portals_text
from reconciler.report.terminal import Style


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="[B]", required=False)
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    help="Write pair files that make B like A: each pair that differs, with all of A's limits.",
)
@click.option(
    "--overlay", is_flag=True, help="With --write: overlays instead, with what differs and no more."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when the portals differ.")
@portal_options
def command(
    options: PortalOptions,
    a: str,
    b: str | None,
    folder: str | None,
    overlay: bool,  # noqa: FBT001 - click passes flags by name
    format_: str,
    detailed_exitcode: bool,  # noqa: FBT001 - as above
) -> int:
    """Show how the limits of portal A and portal B differ, by object types and labels.

    Both are portals of the workspace. Type IDs differ from portal to portal and do not count.
    Nothing is written to either. With --write, a plan of the files for portal B makes it like A;
    what B has no label or object type for is listed and left out. Files that say something else
    already are not overwritten. In place of B, --all-portals or --portal compare A with several.
    """
    several = options.every or bool(options.names)
    if (b is None) != several:
        raise UsageProblem("compare takes the names of two portals: compare A B, or A and options")
    if overlay and folder is None:
        raise UsageProblem("--overlay goes with --write DIR")
    if folder is not None and (not folder or (Path(folder).exists() and not Path(folder).is_dir())):
        raise UsageProblem(f"--write {folder}: this is not a folder")
    if b is None:
        if folder is not None:
            raise UsageProblem("--write goes with two portals: compare A B")
        return int(_with_several(options, a, format_, detailed=detailed_exitcode))
    session = Session.start(replace(options, names=(a, b)))
    if a == b:
        raise UsageProblem("compare takes two different portals")
    chosen = {each.name: each for each in session.portals()}  # in the workspace's order
    first, second = chosen[a], chosen[b]
    writing = None if folder is None else _Writing(session, second, Path(folder), overlay)
    with stopping_on_signals(session.stop):
        found = compared(session, first, second, writing)
    output.result(_rendered(found, format_, output.style(session.given)))
    return int(_code(found, detailed=detailed_exitcode))


def _rendered(found: Comparison, format_: str, style: Style) -> str:
    match format_:
        case "json":
            return report.comparison_json(found)
        case "markdown":
            return report.comparison_markdown(found)
        case _:
            return report.comparison_text(found, style)


def _code(found: Comparison, *, detailed: bool) -> ExitCode:
    return ExitCode.PENDING if detailed and found.differences else ExitCode.DONE


def _with_several(options: PortalOptions, a: str, format_: str, *, detailed: bool) -> ExitCode:
    """Compare one portal, which is read once, with each of several others."""
    from reconciler.cli import side_by_side as portals

    session = Session.start(options)
    (first,) = Session.start(replace(options, names=(a,), every=False, shard=None)).portals()
    others = [each for each in session.portals() if each.name != a]

    examined: dict[str, _Examined] = {}

    def work(second: PortalSettings, events: Callable[[Event], None]) -> Comparison:
        with session.connected(second, report_to(events)) as portal:
            examined[second.name] = _examined(second, portal)
            return _comparison(known, examined[second.name])

    def write(found: Comparison) -> ExitCode:
        _warn(examined[found.names[1]], session.given)
        _warn_of_one_portal(found, session.given)
        # In the text, a portal that does not differ has its line in the table only.
        if found.differences or format_ != "text":
            text = _rendered(found, format_, output.style(session.given))
            output.result(f"\n{text}" if format_ == "markdown" else text)
        return _code(found, detailed=detailed)

    with ExitStack() as stack:
        with stopping_on_signals(session.stop), reporting(a, session.given) as progress:
            portal = stack.enter_context(session.connected(first, report_to(progress)))
            with _naming(first):
                known = _examined(first, portal)
        _warn(known, session.given)
        ended = portals.side_by_side(session, others, work, report.counts)
    with portals.answers_of(others, as_array=format_ == "json") as answers:
        ends = portals.report(ended, session.given, answers, write, report.counts)
        if format_ == "markdown":  # before what `answers` keeps
            output.result(portals_markdown(ends))
    if format_ == "text":
        output.result(portals_text(ends, output.style(session.given)))
    return worst(each.exit_code for each in ends)


@dataclass(frozen=True, slots=True)
class _Examined:
    """What a portal has, and where its labels are read."""

    settings: PortalSettings
    survey: Survey
    limits: PortalLimits
    labels: _Labels


def _examined(settings: PortalSettings, portal: Portal) -> _Examined:
    """Every limit of a portal."""
    found = survey(portal, standard_type, portal_id=settings.portal_id)
    return _Examined(settings, found, _limits(settings.name, found), _Labels(portal))


@contextmanager
def _naming(settings: PortalSettings) -> Iterator[None]:
    """Let an error say which portal it is about, where nothing else does."""
    try:
        yield
    except ReconcilerError as error:
        error.message = f"portal {settings.name}: {error.message}"
        raise


def compared(
    session: Session, a: PortalSettings, b: PortalSettings, writing: _Writing | None
) -> Comparison:
    """Read both portals, compare them and write files; raises a `PortalError` of either."""
    with ExitStack() as stack:
        shown = stack.enter_context(reporting_each([a.name, b.name], session.given))
        first, second = (
            stack.enter_context(session.connected(each, report_to(events)))
            for each, events in zip((a, b), shown, strict=True)
        )
        with _naming(a):
            ours = _examined(a, first)
        with _naming(b):
            theirs = _examined(b, second)
        for each in (ours, theirs):
            _warn(each, session.given)
        comparison = _comparison(ours, theirs)
        _warn_of_one_portal(comparison, session.given)
        if writing is None:
            return comparison
        carrier = Carrier(ours.limits, theirs.limits, theirs.labels, session.workspace.prune)
        return replace(comparison, written=writing.write(comparison, carrier, theirs.survey))


def _warn(examined: _Examined, given: Given) -> None:
    """What could not be looked at in a portal."""
    for note in examined.survey.notes:
        output.note(f"warning: {examined.settings.name}: {note}", given)


def _warn_of_one_portal(found: Comparison, given: Given) -> None:
    """That two tokens are of one account, whose limits never differ."""
    first, second = (each.portal_id for each in found.accounts)
    if first == second:
        names = " and ".join(found.names)
        output.note(f"warning: the tokens of {names} both belong to portal {first}", given)


def _comparison(ours: _Examined, theirs: _Examined) -> Comparison:
    limits = {Side.A: ours.limits, Side.B: theirs.limits}
    labels = {Side.A: ours.labels, Side.B: theirs.labels}
    return Comparison(
        (ours.settings.name, theirs.settings.name),
        (ours.survey.observed.account, theirs.survey.observed.account),
        with_lacking(differences(ours.limits, theirs.limits), limits, labels),
        len(ours.limits.values.items() & theirs.limits.values.items()),
        (ours.survey.unplaced_in_words, theirs.survey.unplaced_in_words),
    )


def _limits(name: str, found: Survey) -> PortalLimits:
    names = {id_: plural for id_, _, plural in STANDARD}
    for each in found.custom_objects:
        is_taken = standard_type(each.name.casefold()) is not None
        names[each.id] = f"{each.name} (custom object)" if is_taken else each.name
    written = ObjectTypeNames(standard_type, found.custom_objects).named
    return PortalLimits(
        name, found.observed.directions, names, written, custom_known=not found.notes
    )


class _Labels:
    """Reads the labels of a direction once."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._read: dict[tuple[str, str], tuple[AssociationType, ...]] = {}

    def __call__(self, direction: Direction) -> tuple[AssociationType, ...]:
        """None where the portal associates no such object types."""
        if direction.key not in self._read:
            try:
                self._read[direction.key] = self._portal.labels(direction).types
            except (RequestRefused, EndpointMissing):
                self._read[direction.key] = ()
        return self._read[direction.key]


# ---------------------------------------------------------------- --write


@dataclass(frozen=True, slots=True)
class _Writing:
    """Where to write what makes a portal like the other one, and as what."""

    session: Session
    portal: PortalSettings
    folder: Path
    overlay: bool

    def write(self, found: Comparison, carrier: Carrier, there: Survey) -> Written:
        """Write the files; raises ReconcilerError where one is there that says something else."""
        directions = dict.fromkeys(each.name.direction for each in found.differences)
        carried: list[Carried] = []
        left: list[LeftOut] = []
        if self.overlay:
            declared = self._declared(there)
            for direction in directions:
                named = carrier.b.find(direction)
                is_declared = named is not None and named.key in declared
                said, out = (carrier.differing if is_declared else carrier.complete)(direction)
                carried += [] if said is None else [said]
                left += out
        else:
            pairs = dict.fromkeys(
                each for direction in directions for each in (direction, direction[::-1])
            )
            for direction in pairs:
                said, out = carrier.complete(direction)
                carried += [] if said is None else [said]
                left += out
        files = self._files(carried, custom_known=not there.notes)
        fresh = [each for each in files if not _is_there(each)]
        Changes(tuple(fresh)).write()
        for note in self._notes(files):
            output.note(f"warning: {note}", self.session.given)
        written = tuple(WrittenFile(each.path, each.limits, each in fresh) for each in files)
        return Written(written, tuple(left), self._next_step(written))

    def _declared(self, there: Survey) -> set[tuple[str, str]]:
        """The directions that the portal's files declare: an overlay adds any other one.

        The folder to write may be one of its overlays already, though there is no such folder yet.
        """
        folder = self.session.workspace.config_directory
        desired = Desired(())
        if folder.is_dir() and collect([folder])[0]:
            overlays = self.portal.overlays
            if not self.folder.exists():
                overlays = tuple(each for each in overlays if not self._is_written(each))
            portal = replace(self.portal, overlays=overlays)
            desired = self.session.files([portal], [], None).of(portal).loaded.desired
        resolved = try_resolve(desired.directions, there.custom_objects)
        return {each.direction.key for each in resolved.directions}

    def _files(self, carried: Iterable[Carried], *, custom_known: bool) -> list[FileChange]:
        texts = [
            DirectionText(
                each.direction,
                tuple((limit.selector, limit.max) for limit in each.limits),
                each.prune,
            )
            for each in carried
        ]
        first_line = modeline(self.session.workspace.root, self.folder)
        made = pair_files(texts, custom_known=custom_known)
        return [created(each, self.folder, first_line) for each in made]

    def _notes(self, files: list[FileChange]) -> Iterator[str]:
        """What else a plan of the written pair files takes into account."""
        if self.overlay or not files:
            return
        written = {each.path for each in files}
        if any(each.path not in written for each in collect([self.folder])[0]):
            yield f"{shown_path(self.folder)} has other pair files, which are planned with these"
        if self.portal.overlays:
            yield f"the overlays of {self.portal.name} are laid over these files"

    def _next_step(self, written: tuple[WrittenFile, ...]) -> str:
        shown, name = shown_path(self.folder), self.portal.name
        if not written:
            return ""
        if not self.overlay:
            return f"reconciler plan {shown} --portal {name}"
        plan = f"reconciler plan --portal {name}"
        if any(map(self._is_written, self.portal.overlays)):
            return plan
        return f"{plan}, once {shown} is in the overlays of {name} in the workspace file"

    def _is_written(self, overlay: OverlayFolder) -> bool:
        """Whether an overlay of the workspace is the folder that is written."""
        return (self.session.workspace.root / overlay.path).resolve() == self.folder.resolve()


def _is_there(file: FileChange) -> bool:
    """Whether the file is there already; raises ReconcilerError where it says something else."""
    try:
        content, _ = read_regular(file.target, len(file.content) + 1)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ReconcilerError(f"cannot read {file.path}: {error.strerror or error}") from error
    if content != file.content:
        raise ReconcilerError(
            f"{file.path} is there and says something else; nothing was written",
            hint="move it away, or choose another folder with --write",
        )
    return True
