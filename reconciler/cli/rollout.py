"""An apply of paths to several portals: planned and applied side by side, approved once for all.

Without a question each portal is applied as soon as it is planned. With one, all are planned first,
everything is shown, and the answer holds for all: no prompt appears while others are at work. In
waves this is so for each wave, and the first that ends with another code than 0 is the last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from secrets import token_hex

import click

from reconciler.applying.apply import untouched
from reconciler.applying.events import Event
from reconciler.applying.rollouts import RolloutJournal
from reconciler.cli import output
from reconciler.cli.answers import Answers
from reconciler.cli.application import (
    EXIT_CODES,
    ApplyOptions,
    Planned,
    RequestCount,
    answer,
    apply_planned,
    plan_files,
    report_result,
)
from reconciler.cli.approval import approve
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.session import FilesByPortal, Session
from reconciler.cli.side_by_side import (
    Done,
    Ended,
    Failed,
    NotAttempted,
    answers_of,
    report,
    side_by_side,
)
from reconciler.cli.waves import Waves
from reconciler.config.workspace import PortalSettings
from reconciler.errors import (
    ConfigurationInvalid,
    ExitCode,
    PlanRefused,
    ReconcilerError,
    first_few,
    plural,
    worst,
    worst_of_applies,
)
from reconciler.http.clock import timestamp
from reconciler.http.messages import report_to
from reconciler.model.plan import Outcome, Result, Status
from reconciler.report.escape import PROSE_LIMIT, terminal
from reconciler.report.portals import PortalEnd, portals_text
from reconciler.report.results import Ended as Summed
from reconciler.report.results import last_line
from reconciler.report.terminal import Mark
from reconciler.report.view import verdict

_DONE_BEFORE = "done before, by the journal"

ALL_AT_ONCE = Waves(("rest",))


@dataclass(frozen=True, slots=True)
class Rollout:
    """One apply to several portals."""

    session: Session
    files: FilesByPortal
    chosen: ApplyOptions
    journal: RolloutJournal | None = None

    def run(self, portals: Sequence[PortalSettings], waves: Waves | None) -> ExitCode:
        """Plan and apply every portal, wave after wave; the code that they end with together.

        Raises ReconcilerError where the journal cannot be used.
        """
        parts, left_out = (waves or ALL_AT_ONCE).of(portals)
        if waves is None or self.chosen.journal is None:
            return self._all(parts, left_out)
        clock = self.session.clock
        journal = RolloutJournal(
            self.chosen.journal, self._key(portals, waves), clock.wall, lambda: token_hex(8)
        )
        code: ExitCode | None = None
        try:
            with closing(journal):
                code = replace(self, journal=journal)._all(parts, left_out)  # noqa: SLF001 - its own
                if code is ExitCode.DONE:
                    journal.end()
        except ReconcilerError as error:
            if code is None:
                raise
            output.show_words(error, self.chosen.given, "the journal is not complete: ")
        return code

    def _key(self, portals: Sequence[PortalSettings], waves: Waves) -> str:
        """The same for a rollout that is taken up again: the same waves, portals and files."""
        said = {each.name: self.files.by_name[each.name] for each in portals}
        parts = [
            [
                name,
                None
                if isinstance(files, ConfigurationInvalid)
                else [
                    [[each.path, each.sha256] for each in files.loaded.desired.files],
                    files.git and files.git.base,
                ],
            ]
            for name, files in said.items()
        ]
        where = [self.session.options.base_url, self.session.api_version, str(waves)]
        return sha256(json.dumps([where, parts]).encode()).hexdigest()

    def _all(
        self, waves: Sequence[Sequence[PortalSettings]], left_out: Sequence[PortalSettings]
    ) -> ExitCode:
        given, ended = self.chosen.given, list[Ended[Result]]()
        every = [each for wave in waves for each in wave]
        if self.journal is not None and self.journal.is_resumed:
            done = sum(self.journal.is_done(each.name) for each in every)
            words = f"{plural(done, 'portal')} done before, by the journal"
            output.note(f"resuming the rollout that did not end: {words}", given)
        with (
            stopping_on_signals(self.session.stop),
            answers_of(every, as_array=self.chosen.format == "json") as answers,
        ):
            why = None
            for number, wave in enumerate(waves, 1):
                if why is not None:
                    ended += [NotAttempted(each, why) for each in wave]
                    continue
                if len(waves) > 1:
                    of = f"wave {number} of {len(waves)}"
                    output.note(f"{of}: {plural(len(wave), 'portal')}", given)
                found = self._wave(wave, answers)
                ended += found
                why = self._why_to_stop(number, found) if number < len(waves) else None
            ends = report(ended, given, answers, _reported, in_words)
        if self.chosen.format == "text":
            last = last_line([_summed(one, end) for one, end in zip(ended, ends, strict=True)])
            table = portals_text(ends, output.style(given))
            output.result(f"{table}\n\n{terminal(last, PROSE_LIMIT)}")
        if left_out:
            names = first_few([each.name for each in left_out])
            words = f"{plural(len(left_out), 'portal')} in none of the waves, and not applied to"
            output.note(f"{words}: {names}", given)
        applied = (isinstance(e, Done) and e.value.outcome is Outcome.APPLIED for e in ended)
        return worst_of_applies((each.exit_code for each in ends), is_written=any(applied))

    def _why_to_stop(self, number: int, ended: Sequence[Ended[Result]]) -> str | None:
        """Why the wave after this one is not to begin."""
        if self.session.stop.requested:
            return "interrupted"
        codes = [
            EXIT_CODES[each.value.outcome] if isinstance(each, Done) else each.error.exit_code
            for each in ended
        ]
        code = worst(codes)
        return None if code is ExitCode.DONE else f"wave {number} ended with exit code {int(code)}"

    def _wave(self, portals: Sequence[PortalSettings], answers: Answers) -> list[Ended[Result]]:
        """Apply to the portals of one wave, without those that the journal has as done."""
        journal = self.journal
        done = [each for each in portals if journal is not None and journal.is_done(each.name)]
        left = [each for each in portals if each not in done]
        if self.chosen.needs_yes:
            at_work = self._planned_first(left, answers)
        else:
            at_work = self._at_once(
                left, lambda each, events: self._plan_and_apply(each, events, answers)
            )
        ended = {each.portal.name: each for each in at_work}
        return [ended.get(each.name) or self._done_before(each, answers) for each in portals]

    def _done_before(self, settings: PortalSettings, answers: Answers) -> Done[Result]:
        now = timestamp(self.session.clock)
        portal = self.session.destination(settings)
        result = Result(Outcome.NOTHING, (), 0, now, now, _DONE_BEFORE, portal)
        if self.chosen.format == "json":
            with answers.of(settings.name):
                report_result(self.chosen, result)
        return Done(settings, result)

    def _apply_planned(
        self, planned: Planned, events: Callable[[Event], None], *, asks: bool
    ) -> Result:
        journal, name = self.journal, planned.settings.name
        run_id = None if journal is None else journal.run_of(name)
        if planned.is_empty and self.chosen.format == "text":
            # Its line in the table says so.
            clock = self.session.clock
            result = untouched(planned.plan, clock, planned.started_at, planned.requests)
        else:
            result = apply_planned(
                self.session, planned, self.chosen, events, asks=asks, run_id=run_id
            )
        if journal is not None and planned.is_empty:
            journal.found_nothing(planned.plan, result)
        return result

    def _plan_and_apply(
        self, settings: PortalSettings, events: Callable[[Event], None], answers: Answers
    ) -> Result:
        count = RequestCount()
        with answers.of(settings.name):
            try:
                planned = self._plan(settings, report_to(events, count))
                return self._apply_planned(planned, events, asks=True)
            except ReconcilerError as error:
                answer(self.chosen, error, self.session.destination(settings), count.requests)
                raise

    def _plan(self, settings: PortalSettings, events: Callable[[Event], None]) -> Planned:
        return plan_files(self.session, settings, self.files.of(settings), self.chosen, events)

    def _planned_first(
        self, portals: Sequence[PortalSettings], answers: Answers
    ) -> list[Ended[Result]]:
        """Plan every portal, ask once about all of them, and apply."""
        planned = side_by_side(self.session, portals, self._plan, lambda each: verdict(each.plan))
        found = [each.value for each in planned if isinstance(each, Done)]
        changed = [each for each in found if not each.is_empty]
        is_shown = self._show(changed)
        refusal: PlanRefused | None = None
        asked = [each.plan for each in changed if not each.plan.refusals]
        if asked:
            try:
                approve(asked, self.session.stop, is_shown=is_shown)
            except PlanRefused as error:
                refusal = error

        by_name = {each.settings.name: each for each in found}

        def apply(settings: PortalSettings, events: Callable[[Event], None]) -> Result:
            with answers.of(settings.name):
                try:
                    return self._apply(by_name[settings.name], events)
                except ReconcilerError as error:
                    answer(self.chosen, error, self.session.destination(settings))
                    raise

        approved = [each for each in changed if refusal is None or each.plan.refusals]
        at_work = self._at_once([each.settings for each in approved], apply)
        applied = {each.portal.name: each for each in at_work}
        ended: list[Ended[Result]] = []
        for each in planned:
            with answers.of(each.portal.name):
                match each:
                    case Done(portal, value) if value.is_empty:
                        ended.append(self._unchanged(portal, value))
                    case Done(portal):
                        ended.append(applied.get(portal.name) or self._failed(portal, refusal))
                    case Failed(portal, problem):
                        ended.append(self._failed(portal, problem))
                    case NotAttempted():
                        ended.append(each)
        return ended

    def _unchanged(self, portal: PortalSettings, planned: Planned) -> Done[Result] | Failed:
        """A portal that has no changes; a journal that does not take this is its failure."""
        try:
            return Done(portal, self._apply(planned, _nothing))
        except ReconcilerError as error:
            return self._failed(portal, error)

    def _failed(self, portal: PortalSettings, error: ReconcilerError | None) -> Failed:
        """An error before the apply, with its result document."""
        error = error or PlanRefused("not approved")
        answer(self.chosen, error, self.session.destination(portal))
        return Failed(portal, error)

    def _at_once(
        self,
        portals: Sequence[PortalSettings],
        work: Callable[[PortalSettings, Callable[[Event], None]], Result],
    ) -> list[Ended[Result]]:
        return side_by_side(self.session, portals, work, in_words) if portals else []

    def _apply(self, planned: Planned, events: Callable[[Event], None]) -> Result:
        if self.chosen.format == "text" and not planned.is_empty:
            output.result(self._title(planned))
        return self._apply_planned(planned, events, asks=False)

    def _title(self, planned: Planned) -> str:
        """In front of a portal's result."""
        style = output.style(self.chosen.given)
        return f"\n{style.mark(Mark.BOLD, terminal(planned.settings.name))}"

    def _show(self, planned: Sequence[Planned]) -> bool:
        """Show the plans that are asked about; whether all of it could be written somewhere."""
        texts = [output.render_plan(each.plan, "text", self.chosen.given) for each in planned]
        if self.chosen.format == "text":
            shown = [output.result(each, brief=each) for each in texts]
            return all(shown)
        for each in texts:
            click.echo(each, err=True)
        return True


def _nothing(_: Event) -> None:
    """Nothing happens to a portal that has no changes."""


def _summed(ended: Ended[Result], end: PortalEnd) -> Summed:
    """How one portal ended, as `show` counts it for the last line."""
    value = ended.value if isinstance(ended, Done) else None
    return Summed(end.portal, end.exit_code, value, end.words)


def _reported(result: Result) -> ExitCode:
    """The code of a result that is written already."""
    return EXIT_CODES[result.outcome]


def in_words(result: Result) -> str:
    """How the apply of one portal ended, in a few words."""
    verified = len(result.with_status(Status.VERIFIED))
    match result.outcome:
        case Outcome.NOTHING:
            return _DONE_BEFORE if result.message == _DONE_BEFORE else "nothing to do"
        case Outcome.APPLIED:
            return f"applied: {verified} verified"
        case Outcome.INCOMPLETE:
            return f"incomplete: {verified} of {len(result.changes)} verified"
        case Outcome.FAILED | Outcome.REFUSED:
            return f"{result.outcome}: nothing was written"
