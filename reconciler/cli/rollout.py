"""An apply of paths to several portals: planned and applied side by side, approved once for all.

Without a question each portal is applied as soon as it is planned. With one, all are planned first,
everything is shown, and the answer holds for all: no prompt appears while others are at work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from reconciler.applying.events import Event
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
)
from reconciler.cli.approval import approve
from reconciler.cli.session import FilesByPortal, Session
from reconciler.cli.side_by_side import (
    Done,
    Ended,
    Failed,
    NotAttempted,
    answers_of,
    report,
    side_by_side,
    worst,
)
from reconciler.config.workspace import PortalSettings
from reconciler.errors import ExitCode, PlanRefused, ReconcilerError
from reconciler.http.messages import report_to
from reconciler.model.plan import Outcome, Result, Status
from reconciler.report.escape import terminal
from reconciler.report.portals import PortalEnd, portals_text
from reconciler.report.terminal import Mark
from reconciler.report.view import verdict


@dataclass(frozen=True, slots=True)
class Rollout:
    """One apply to several portals."""

    session: Session
    files: FilesByPortal
    chosen: ApplyOptions

    def run(self, portals: Sequence[PortalSettings]) -> ExitCode:
        """Plan and apply every portal; the code that they end with together."""
        with answers_of(portals, as_array=self.chosen.format == "json") as answers:
            if self.chosen.needs_yes:
                ended = self._planned_first(portals, answers)
            else:
                ended = self._at_once(
                    portals, lambda each, events: self._plan_and_apply(each, events, answers)
                )
            ends = report(ended, self.chosen.given, answers, _reported, in_words)
        if self.chosen.format == "text":
            output.result(portals_text(ends, output.style(self.chosen.given)))
        return self._together(ends, ended)

    def _plan_and_apply(
        self, settings: PortalSettings, events: Callable[[Event], None], answers: Answers
    ) -> Result:
        count = RequestCount()
        with answers.of(settings.name):
            try:
                planned = self._plan(settings, report_to(events, count))
                if planned.is_empty and self.chosen.format == "text":
                    output.result(self._title(planned))
                return apply_planned(self.session, planned, self.chosen, events, asks=True)
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
                    return self._apply(by_name[settings.name], refusal, events)
                except ReconcilerError as error:
                    answer(self.chosen, error, self.session.destination(settings))
                    raise

        at_work = self._at_once([each.settings for each in changed], apply)
        applied = {each.portal.name: each for each in at_work}
        ended: list[Ended[Result]] = []
        for each in planned:
            match each:
                case Done(portal, value) if value.is_empty:
                    with answers.of(portal.name):
                        ended.append(Done(portal, self._apply(value, None, _nothing)))
                case Done(portal):
                    ended.append(applied[portal.name])
                case Failed(portal, problem):
                    with answers.of(portal.name):
                        answer(self.chosen, problem, self.session.destination(portal))
                    ended.append(each)
                case NotAttempted():
                    ended.append(each)
        return ended

    def _at_once(
        self,
        portals: Sequence[PortalSettings],
        work: Callable[[PortalSettings, Callable[[Event], None]], Result],
    ) -> list[Ended[Result]]:
        return side_by_side(self.session, portals, work, in_words) if portals else []

    def _apply(
        self, planned: Planned, refusal: PlanRefused | None, events: Callable[[Event], None]
    ) -> Result:
        if refusal is not None and not planned.is_empty and not planned.plan.refusals:
            raise PlanRefused(refusal.message, hint=refusal.hint)
        if self.chosen.format == "text":
            output.result(self._title(planned))
        return apply_planned(self.session, planned, self.chosen, events, asks=False)

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

    def _together(self, ends: Sequence[PortalEnd], ended: Sequence[Ended[Result]]) -> ExitCode:
        """Code 1 says that nothing was written: not where another portal was applied."""
        code = worst(ends)
        written = [
            each.portal.name
            for each in ended
            if isinstance(each, Done) and each.value.outcome is Outcome.APPLIED
        ]
        if code is not ExitCode.ERROR or not written:
            return code
        return ExitCode.INCOMPLETE


def _nothing(_: Event) -> None:
    """Nothing happens to a portal that has no changes."""


def _reported(result: Result) -> ExitCode:
    """The code of a result that is written already."""
    return EXIT_CODES[result.outcome]


def in_words(result: Result) -> str:
    """How the apply of one portal ended, in a few words."""
    verified = len(result.with_status(Status.VERIFIED))
    match result.outcome:
        case Outcome.NOTHING:
            return "nothing to do"
        case Outcome.APPLIED:
            return f"applied: {verified} verified"
        case Outcome.INCOMPLETE:
            return f"incomplete: {verified} of {len(result.changes)} verified"
        case Outcome.FAILED | Outcome.REFUSED:
            return f"{result.outcome}: nothing was written"
