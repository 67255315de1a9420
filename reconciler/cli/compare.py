"""`reconciler compare`: how two portals differ, and the files that would make them alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler.cli import output
from reconciler.cli.files import read_regular
from reconciler.cli.options import PortalOptions, portal_options
from reconciler.cli.pair_changes import Changes, FileChange, created, modeline
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.progress import reporting
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


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
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
    b: str,
    folder: str | None,
    overlay: bool,  # noqa: FBT001 - click passes flags by name
    format_: str,
    detailed_exitcode: bool,  # noqa: FBT001 - as above
) -> int:
    """Show how the limits of portal A and portal B differ, by object types and labels.

    Both are portals of the workspace. Type IDs differ from portal to portal and do not count.
    Nothing is written to either. With --write, a plan of the files for portal B makes it like A;
    what B has no label or object type for is listed and left out. Files that say something else
    already are not overwritten.
    """
    if options.names or options.every:
        raise UsageProblem("compare takes the names of two portals: compare A B")
    if overlay and folder is None:
        raise UsageProblem("--overlay goes with --write DIR")
    if folder is not None and (not folder or (Path(folder).exists() and not Path(folder).is_dir())):
        raise UsageProblem(f"--write {folder}: this is not a folder")
    session = Session.start(replace(options, names=(a, b)))
    if a == b:
        raise UsageProblem("compare takes two different portals")
    chosen = {each.name: each for each in session.portals()}  # in the workspace's order
    first, second = chosen[a], chosen[b]
    writing = None if folder is None else _Writing(session, second, Path(folder), overlay)
    with stopping_on_signals(session.stop):
        found = compared(session, first, second, writing)
    match format_:
        case "json":
            output.result(report.comparison_json(found))
        case "markdown":
            output.result(report.comparison_markdown(found))
        case _:
            output.result(report.comparison_text(found))
    differ = detailed_exitcode and bool(found.differences)
    return int(ExitCode.PENDING if differ else ExitCode.DONE)


def compared(
    session: Session, a: PortalSettings, b: PortalSettings, writing: _Writing | None
) -> Comparison:
    """Read both portals, compare them and write files; raises a `PortalError` of either."""
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(
                session.connected(
                    each, report_to(stack.enter_context(reporting(each.name, session.given)))
                )
            )
            for each in (a, b)
        )
        surveys = (_surveyed(a, first), _surveyed(b, second))
        ours, theirs = _limits(a.name, surveys[0]), _limits(b.name, surveys[1])
        labels = {Side.A: _Labels(first), Side.B: _Labels(second)}
        found = with_lacking(differences(ours, theirs), {Side.A: ours, Side.B: theirs}, labels)
        comparison = Comparison(
            (a.name, b.name),
            (surveys[0].observed.account, surveys[1].observed.account),
            found,
            len(ours.values.items() & theirs.values.items()),
            (surveys[0].unplaced_in_words, surveys[1].unplaced_in_words),
        )
        for portal, each in zip(comparison.names, surveys, strict=True):
            for note in each.notes:
                output.note(f"warning: {portal}: {note}", session.given)
        if writing is None:
            return comparison
        carrier = Carrier(ours, theirs, labels[Side.B], session.workspace.prune)
        return replace(comparison, written=writing.write(comparison, carrier, surveys[1]))


def _surveyed(settings: PortalSettings, portal: Portal) -> Survey:
    """Every limit of a portal; an error says which of the two it is."""
    try:
        return survey(portal, standard_type, portal_id=settings.portal_id)
    except ReconcilerError as error:
        error.message = f"portal {settings.name}: {error.message}"
        raise


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
