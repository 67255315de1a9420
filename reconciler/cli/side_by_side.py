"""The same work with several portals, side by side: each has its own end and waits for no other.

The main thread reads the files, takes the signals and writes the results, in the workspace's order;
each portal works in a thread of its own, with its own token, connections and pace. At most
`--portals-at-once` of them are at work at a moment. A portal that fails, or never answers, costs
its own time. Once a signal asks to stop, no further portal begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, assert_never

from reconciler.applying.events import Event
from reconciler.cli import output
from reconciler.cli.answers import Answers
from reconciler.cli.boards import Began, Board, Came, Messages, board
from reconciler.cli.options import Given
from reconciler.cli.process import stopping_on_signals
from reconciler.cli.session import Session
from reconciler.cli.workers import processes_for, receive_all, started
from reconciler.cli.workspace import read_token
from reconciler.config.workspace import PortalSettings
from reconciler.errors import (
    ConfigurationInvalid,
    CredentialError,
    Diagnostic,
    ExitCode,
    Interrupted,
    ReconcilerError,
    first_few,
    plural,
)
from reconciler.http.clock import TURN
from reconciler.report.portals import PortalEnd

_ALIKE = 10
"""Portals whose errors are the same and are written one by one; more are written together."""

T = TypeVar("T")

Work = Callable[[PortalSettings, Callable[[Event], None]], T]
"""What is done with one portal; it is given what takes the events, and raises what ends it."""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The work with a portal was done, and what came of it."""

    portal: PortalSettings
    value: T


@dataclass(frozen=True, slots=True)
class Failed:
    """An error ended the work with a portal."""

    portal: PortalSettings
    error: ReconcilerError


@dataclass(frozen=True, slots=True)
class NotAttempted:
    """The work with a portal did not begin. `why`: a signal asked to stop, or what was before it."""

    portal: PortalSettings
    why: str = "interrupted"

    @property
    def error(self) -> ReconcilerError:
        return Interrupted(f"{self.why}: this portal was not attempted")


Ended = Done[T] | Failed | NotAttempted

_Message = Began | Came | tuple[str, Ended[T]]
"""What another process hands on: what is to be shown, and how a portal ended, by its name."""


def side_by_side(
    session: Session,
    portals: Sequence[PortalSettings],
    work: Work[T],
    in_words: Callable[[T], str],
) -> list[Ended[T]]:
    """Do the work with every portal; how each ended, in the order given.

    `in_words` says of a portal that is done what came of it, in a few words for the log.
    """
    confused = _with_shared_tokens(session, portals)
    found: dict[str, Ended[T]] = {}
    with stopping_on_signals(session.stop), board(len(portals), session.given) as shown:
        _in_threads(session, portals, _shown_on(shown, confused, work, in_words), found.__setitem__)
    return [found[each.name] for each in portals]


def spread_out(
    session: Session,
    portals: Sequence[PortalSettings],
    work: Work[T],
    in_words: Callable[[T], str],
) -> list[Ended[T]]:
    """The same in several processes, where so many portals pay for them.

    For work that leaves nothing behind in memory: what comes of it is all that this process sees.
    """
    processes = processes_for(len(portals))
    if processes == 1:
        return side_by_side(session, portals, work, in_words)
    confused = _with_shared_tokens(session, portals)
    at_once = -(-session.options.portals_at_once // processes)
    here = replace(session, options=replace(session.options, portals_at_once=at_once))
    found: dict[str, Ended[T]] = {}

    def in_process(group: Sequence[PortalSettings], send: Callable[[_Message[T]], None]) -> None:
        shown = Messages(send, session.given.verbosity)
        one = _shown_on(shown, confused, work, in_words)
        _in_threads(here, group, one, lambda name, ended: send((name, ended)))
        shown.finish()

    def receive(message: _Message[T]) -> None:
        match message:
            case Began(portal):
                shown.begins(portal)
            case Came(portal, words, failed):
                shown.ends(portal, words, failed=failed)
            case (name, ended):
                found[name] = ended

    groups = [portals[first::processes] for first in range(processes)]
    with (
        stopping_on_signals(session.stop),
        started(groups, in_process) as running,
        board(len(portals), session.given) as shown,
    ):
        receive_all(running, receive, session.stop)
    lost = ReconcilerError("the process that worked with this portal was killed")
    return [found.get(each.name) or Failed(each, lost) for each in portals]


def _in_threads(
    session: Session,
    portals: Sequence[PortalSettings],
    one: Callable[[PortalSettings], Ended[T]],
    keep: Callable[[str, Ended[T]], None],
) -> None:
    """Work with so many portals at once as the options say; `keep` gets how each ended."""

    def unless_stopped(portal: PortalSettings) -> None:
        stopped = session.stop.requested
        keep(portal.name, NotAttempted(portal) if stopped else one(portal))

    at_once = max(1, min(len(portals), session.options.portals_at_once))
    with ThreadPoolExecutor(at_once, thread_name_prefix="portals") as threads:
        futures = [threads.submit(unless_stopped, each) for each in portals]
        for each in futures:  # one after another: to wait for all of them looks at all in each turn
            while wait([each], TURN).not_done:
                pass
    for each in futures:
        each.result()


def _shown_on(
    shown: Board, confused: Mapping[str, Failed], work: Work[T], in_words: Callable[[T], str]
) -> Callable[[PortalSettings], Ended[T]]:
    """The work with one portal, its begin and its end shown."""

    def one(portal: PortalSettings) -> Ended[T]:
        events = shown.begins(portal.name)
        ended = confused.get(portal.name) or _worked(portal, events, work)
        match ended:
            case Done(value=value):
                shown.ends(portal.name, in_words(value), failed=False)
            case Failed(error=error):
                shown.ends(portal.name, f"failed: {error.message}", failed=True)
        return ended

    return one


def _worked(
    portal: PortalSettings, events: Callable[[Event], None], work: Work[T]
) -> Done[T] | Failed:
    try:
        return Done(portal, work(portal, events))
    except Exception as error:  # noqa: BLE001 - a bug with one portal must not cost another's result
        return Failed(portal, output.as_error(error))


def _with_shared_tokens(session: Session, portals: Iterable[PortalSettings]) -> dict[str, Failed]:
    """The portals whose token another portal has as well, and no `portal_id` says whose it is.

    Where a `portal_id` does, the account itself is asked. What keeps a token from being read is
    reported where the portal is connected to.
    """
    holders: dict[str, list[PortalSettings]] = {}
    for portal in portals:
        try:
            token = read_token(portal, session.workspace, session.options.allowed, session.given)
        except ReconcilerError:
            continue
        holders.setdefault(token.reveal(), []).append(portal)
    return {
        portal.name: Failed(
            portal,
            CredentialError(
                f"{portal.name} and {first_few([each.name for each in holding if each != portal])} "
                "have the same token, and a token belongs to one portal",
                hint="give each portal a token of its own; `portal_id` says which one is meant",
            ),
        )
        for holding in holders.values()
        for portal in holding
        if len(holding) > 1 and portal.portal_id is None
    }


# ---------------------------------------------------------------- reporting


@contextmanager
def answers_of(portals: Sequence[PortalSettings], *, as_array: bool) -> Iterator[Answers]:
    """Keeps the results of all portals, and writes them in order when the block ends.

    Not before: on a terminal they would be written through the bar. In JSON they are one array,
    with an element for each portal, be it the document of an error.
    """
    with Answers(["", *(each.name for each in portals)], as_array=as_array) as answers:
        yield answers


def report(
    ended: Sequence[Ended[T]],
    given: Given,
    answers: Answers,
    write: Callable[[T], ExitCode],
    in_words: Callable[[T], str],
) -> list[PortalEnd]:
    """Write what came of each portal, and errors to stderr; how each ended, in order.

    `write` writes the result of one portal unless it is written, and gives its exit code.
    """
    errors = _Errors(ended, given)
    found: list[PortalEnd] = []
    for each in ended:
        with answers.of(each.portal.name):
            found.append(_report_one(each, errors, write, in_words))
    untouched = [each for each in ended if isinstance(each, NotAttempted)]
    for why in dict.fromkeys(each.why for each in untouched):
        names = [each.portal.name for each in untouched if each.why == why]
        words = f"{why}: {plural(len(names), 'portal')} not attempted"
        output.show_words(Interrupted(f"{words}: {first_few(names)}"), given)
    return found


def _report_one(
    ended: Ended[T],
    errors: _Errors,
    write: Callable[[T], ExitCode],
    in_words: Callable[[T], str],
) -> PortalEnd:
    name = ended.portal.name
    match ended:
        case Done(value=value):
            return PortalEnd(name, in_words(value), write(value), failed=False)
        case Failed(error=error):
            errors.show(name, error)
            output.answer_in_json(error, error.exit_code, name)
            return PortalEnd(name, error.message, error.exit_code, failed=True)
        case NotAttempted(error=error):
            output.answer_in_json(error, error.exit_code, name)
            words = "not attempted"
            return PortalEnd(name, words, error.exit_code, failed=True, attempted=False)
        case _:
            assert_never(ended)


class _Errors:
    """Writes the errors of portals to stderr: one that many have is written once, with their names."""

    def __init__(self, ended: Iterable[Ended[T]], given: Given) -> None:
        self._given = given
        self._names: dict[tuple[str, str | None], list[str]] = {}
        self._shown: set[Diagnostic] = set()
        for each in ended:
            if isinstance(each, Failed):
                key = (each.error.message, each.error.hint)
                self._names.setdefault(key, []).append(each.portal.name)

    def show(self, name: str, error: ReconcilerError) -> None:
        """Write the error of a portal, unless it was written with those of many others."""
        key = (error.message, error.hint)
        names = self._names.get(key, [])
        if isinstance(error, ConfigurationInvalid):
            new = [each for each in error.diagnostics if each not in self._shown]
            self._shown.update(new)
            output.show_diagnostics(new, self._given)
        if len(names) <= _ALIKE:
            output.show_words(error, self._given, f"portal {name}: ")
        elif name == names[0]:
            output.show_words(error, self._given, f"portals {', '.join(names)}: ")
