"""`reconciler import`: pair files from what a portal has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler.applying.events import Event
from reconciler.cli import output
from reconciler.cli.adopting import Seen, Wanted, look, parse_pair
from reconciler.cli.files import file_stems, make_folder
from reconciler.cli.options import SETTLE, PortalOptions, complete_pairs, portal_options
from reconciler.cli.pair_changes import (
    Changes,
    FileChange,
    Reload,
    differing,
    modeline,
    new_files,
    updates,
)
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.progress import reporting
from reconciler.cli.session import Files, Session
from reconciler.cli.workspace import refuse_left_out
from reconciler.config.sources import Loaded, Source, collect, shown_path
from reconciler.config.workspace import PortalSettings, read_files
from reconciler.errors import (
    ExitCode,
    ReconcilerError,
    UsageProblem,
    first_few,
    plural,
    worst,
)
from reconciler.http.messages import report_to
from reconciler.hubspot.survey import Row
from reconciler.model.limits import Desired, ObservedLimit, UnknownRow
from reconciler.model.plan import Plan
from reconciler.outgoing import harmless_json
from reconciler.planning.origin import Observation
from reconciler.report.portals import portals_text


@click.command("import")
@click.option(
    "--pair",
    "pairs",
    multiple=True,
    metavar="FROM:TO",
    help="Object types whose limits to import, both ways; repeatable.  [default: every limit]",
    shell_complete=complete_pairs,
)
@click.option(
    "--out",
    metavar="DIR",
    help="Folder of the pair files; with several portals one in it for each.  "
    "[default: the workspace's]",
)
@click.option("--update", is_flag=True, help="Edit existing files in place, comments kept.")
@click.option(
    "--drift",
    is_flag=True,
    help="With --update and --base: take only what was changed in HubSpot since the base.",
)
@click.option("--base", metavar="REF", help="With --drift: the branch that was applied last.")
@SETTLE
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@portal_options
def command(
    options: PortalOptions,
    pairs: tuple[str, ...],
    out: str | None,
    update: bool,  # noqa: FBT001 - click passes flags by name
    drift: bool,  # noqa: FBT001 - as above
    base: str | None,
    settle: float,
    format_: str,
) -> int:
    """Write a pair file for every pair of object types that has limits in the portal.

    Nothing is written to the portal. Existing files stay as they are: where they differ, the
    command says so and writes nothing, unless --update is given. Importing twice changes nothing.
    """
    if drift and not (update and base):
        raise UsageProblem("--drift goes with --update and --base REF")
    if base and not drift:
        raise UsageProblem("--base goes with --update --drift")
    wanted = Wanted(tuple(parse_pair(each) for each in pairs) or None, drift)
    session = Session.start(options)
    portals = session.portals()
    folders = _folders(session, portals, out)

    def work(settings: PortalSettings, events: Callable[[Event], None]) -> _Imported:
        folder = folders[settings.name]
        files = _existing(session, settings, folder, base)
        with session.connected(settings, report_to(events)) as portal:

            def confirm(observation: Observation) -> Plan:
                return session.plan(settings, portal, files, settle, observation=observation)

            seen = look(portal, files, wanted, settings.portal_id, confirm)
        reload = _reload(session, settings, folder)
        edits = updates(seen, files, folder, reload) if update else _unchanged(seen)
        first_line = modeline(session.workspace.root, folder)
        new = Changes() if drift else new_files(seen, folder, first_line)
        changes = Changes((*new.files, *edits.files), (*seen.notes, *new.notes))
        changes.write()
        return _Imported(settings, changes, seen, wanted)

    def write(imported: _Imported) -> ExitCode:
        where = f"portal {imported.settings.name}: " if options.asks_for_several else ""
        for each in imported.notes:
            output.note(f"warning: {where}{each}", options.given)
        output.result(imported.report(format_))
        return ExitCode.DONE

    if options.asks_for_several:
        from reconciler.cli.side_by_side import answers_of, report, side_by_side  # not for one

        ended = side_by_side(session, portals, work, _Imported.summary)
        with answers_of(portals, as_array=format_ == "json") as answers:
            ends = report(ended, options.given, answers, write, _Imported.summary)
        if format_ == "text":
            output.result(portals_text(ends, output.style(options.given)))
        return int(worst(each.exit_code for each in ends))
    (settings,) = portals
    with stopping_on_signals(session.stop), reporting(settings.name, options.given) as progress:
        imported = work(settings, progress)
    return int(write(imported))


def _folders(
    session: Session, portals: Sequence[PortalSettings], out: str | None
) -> Mapping[str, Path]:
    """Where each portal's pair files go: those of several portals into a folder for each."""
    options = session.options
    if not options.asks_for_several or (len(portals) == 1 and (out, options.shard) == (None, None)):
        return {each.name: _folder(session, out) for each in portals}
    if out is None:
        raise UsageProblem(
            "several portals do not fit into one folder of pair files",
            hint="--out DIR makes a folder in it for each portal; --portal NAME imports one",
        )
    folder = _folder(session, out)
    stems = file_stems([each.name for each in portals])
    found = {name: _folder(session, str(folder / stem)) for name, stem in stems.items()}
    make_folder("--out", out)
    return found


def _folder(session: Session, out: str | None) -> Path:
    folder = session.workspace.config_directory if out is None else Path(out)
    if out == "":
        raise UsageProblem("--out needs the name of a folder")
    if folder.exists() and not folder.is_dir():
        raise UsageProblem(f"{shown_path(folder)} is not a folder")
    return folder


def _existing(session: Session, settings: PortalSettings, folder: Path, base: str | None) -> Files:
    """What the files of the folder say. None of them is no mistake, unless there is a base."""
    found = folder.is_dir() and collect([folder])[0]
    if not found and base is None:
        refuse_left_out([folder])
        return Files(Loaded(Desired(())), None, None)
    return session.files([settings], [folder], base).of(settings)


def _reload(session: Session, settings: PortalSettings, folder: Path) -> Reload:
    """What edited files say, beside all others where an overlay may be about any of them."""

    def reload(changed: Mapping[str, bytes]) -> Desired:
        from reconciler.config.loading import Configuration  # pydantic only when needed

        if not settings.overlays:
            sources = [Source(path, content) for path, content in changed.items()]
            return Configuration(sources, prune=session.workspace.prune).loaded().desired
        read = read_files(session.workspace, [folder], [settings]).configuration
        overlays = {
            path: [_with(changed, each) for each in layer] for path, layer in read.overlays.items()
        }
        sources = [_with(changed, each) for each in read.sources]
        edited = replace(read, sources=sources, overlays=overlays, known=None)
        return edited.loaded([each.path for each in settings.overlays]).desired

    return reload


def _with(changed: Mapping[str, bytes], source: Source) -> Source:
    return replace(source, content=changed.get(source.path, source.content))


def _unchanged(seen: Seen) -> Changes:
    """Nothing to edit, or an error that says which files differ."""
    files = differing(seen)
    if not files:
        return Changes()
    raise ReconcilerError(
        f"existing files differ from the portal: {first_few(files, 5)}; nothing was written",
        hint="`reconciler import --update` edits them in place; `reconciler plan` shows how they "
        "differ",
    )


@dataclass(frozen=True, slots=True)
class _Imported:
    """What was written of one portal, and what it has beside that."""

    settings: PortalSettings
    changes: Changes
    seen: Seen
    wanted: Wanted

    @property
    def notes(self) -> list[str]:
        unplaced = (f"not placed: {each}" for each in self.seen.unplaced_in_words)
        return [*self.changes.notes, *unplaced]

    def report(self, format_: str) -> str:
        if format_ == "json":
            document = _document(self.settings, self.changes, self.seen)
            return harmless_json(json.dumps(document, indent=2, ensure_ascii=False))
        files = self.changes.files
        lines = [f"{each.status} {each.path} ({plural(each.limits, 'limit')})" for each in files]
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """The last line: what was written, and what is left for a person."""
        said, files = ["Nothing to import."], self.changes.files
        if files:
            limits = plural(sum(each.limits for each in files), "limit")
            said = [f"Imported: {limits} in {plural(len(files), 'file')}."]
        elif not self.wanted.drift:
            said.append("The files say what the portal has.")
        conflicts = sum(len(each.conflicts) for each in self.seen.adoptions)
        if conflicts:
            said.append(f"{plural(conflicts, 'conflict')} left alone.")
        if self.seen.unplaced:
            said.append(f"{plural(len(self.seen.unplaced), 'limit')} could not be placed.")
        return " ".join(said)


def _document(settings: PortalSettings, changes: Changes, seen: Seen) -> dict[str, object]:
    return {
        "format_version": "1.0",
        "portal": settings.name,
        "files": [_file_document(each) for each in changes.files],
        "unplaced": [_row_document(each) for each in seen.unplaced],
        "warnings": list(changes.notes),
    }


def _file_document(change: FileChange) -> dict[str, object]:
    return {"path": change.path, "status": change.status, "limits": change.limits}


def _row_document(row: Row) -> dict[str, object]:
    if isinstance(row, UnknownRow):
        key = row.key
        category, type_id = (key.category, key.type_id) if key else row.stated or (None, None)
        label = None if row.type is None else row.type.label
        return {"category": category, "type_id": type_id, "label": label, "max": None,
                "row": row.row}  # fmt: skip
    key = row.type.key if isinstance(row, ObservedLimit) else row.key
    label = row.type.label if isinstance(row, ObservedLimit) else None
    return {"category": key.category, "type_id": key.type_id, "label": label, "max": row.max}
