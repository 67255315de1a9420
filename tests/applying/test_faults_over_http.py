"""The same faults over a real socket end as the page says: the stand-in's transport is honest."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from reconciler.model.plan import Outcome
from reconciler.sandbox.example import bare_portal
from reconciler.sandbox.server import Server, serve
from reconciler.sandbox.stand_in import Options
from tests.applying import scenario, truth
from tests.applying.faults import LASTING, ONCE, Fault, Phase
from tests.applying.faults_table import LASTING_TITLE, ONCE_TITLE, Row, committed
from tests.applying.scenario import USUAL, converge, full_disk, ignore, phases, positions
from tests.applying.world import TIMEOUT, TOKEN, VERIFY_TIMEOUT, Ran, World

SERVERS_OWN_TIME = ("lag", "pend", "flap,seconds", "wrote=4", "delay,seconds=3", "trickle")
"""The server's clock is the real one, so that these would take their time, or have none."""

HANGS = ("hang", "seconds=600")


def is_playable(fault: Fault) -> bool:
    """Whether a fault is the server's own, and needs no time to pass there."""
    return fault.trouble is None and not any(
        each in rule for each in SERVERS_OWN_TIME for rule in fault.rules
    )


def hangs(fault: Fault) -> bool:
    """Whether the client waits for nothing, in real time."""
    return any(each in rule for each in HANGS for rule in fault.rules)


FAULTS = [
    pytest.param(title, index, fault, id=f"{kind}: {fault}")
    for kind, title, faults in (
        ("once", ONCE_TITLE, ONCE),
        ("lasting", LASTING_TITLE, LASTING),
    )
    for index, fault in enumerate(faults)
    if is_playable(fault)
]


def made_world(folder: Path, server: Server) -> World:
    """The scenario over a socket."""
    start, end, type_id, _ = scenario.EDITED
    (planned,) = [each[3] for each in scenario.LIMITS if each[:3] == (start, end, type_id)]
    server.edit(start, end, type_id, planned)
    return World.over_http(folder, server)


def play(fault: Fault, number: int, variant: int, folder: Path) -> Ran:
    """As `playing.play`, with sockets in between."""
    with serve(scenario.portal(), Options(token=TOKEN)) as server:
        made = made_world(folder, server)
        ran = made.apply(
            made.plan(scenario.configuration()),
            fault.faults(number, variant),
            timeout=1.0 if hangs(fault) else TIMEOUT,
            verify_timeout=0.5 if hangs(fault) else VERIFY_TIMEOUT,
            save=full_disk(number) if fault.breaks_journal else ignore,
        )
        truth.check(ran, journal_is_whole=not fault.breaks_journal)
        converge(made, ran)
    return ran


@pytest.mark.parametrize(("title", "index", "fault"), FAULTS)
def test_a_fault_over_http(title: str, index: int, fault: Fault, tmp_path: Path) -> None:
    """The first request of one phase; the report is true and the page agrees."""
    phase = fault.phases[index % len(fault.phases)]
    number = phases(USUAL).index(phase) + 1
    ran = play(fault, number, index, tmp_path)
    assert Row.of(fault, [(phase, ran)]) <= committed()[title][fault.name]


@pytest.mark.torture
@pytest.mark.parametrize(("title", "index", "fault"), FAULTS)
def test_a_fault_at_every_request_over_http(
    title: str, index: int, fault: Fault, tmp_path: Path
) -> None:
    """Every request, the variants in turn; where the server hangs, every sixth, for it takes time."""
    chosen = positions(fault, USUAL)[:: 6 if hangs(fault) else 1]
    runs = [
        (phases(USUAL)[number - 1], play(fault, number, number + index, tmp_path))
        for number in chosen
    ]
    assert Row.of(fault, runs) <= committed()[title][fault.name]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("phase", [Phase.CHECKING, Phase.WRITING])
def test_a_redirect_is_never_followed(tmp_path: Path, phase: Phase, code: int) -> None:
    """Neither the token nor a write goes anywhere else."""
    number = phases(USUAL).index(phase) + 1
    with serve(bare_portal(), Options(token=TOKEN)) as elsewhere:
        rule = f"any#{number}:redirect,to={elsewhere.url}/x,code={code}"
        ran = play(Fault("a redirect", (rule,)), number, 0, tmp_path)
        assert elsewhere.requests == ()
    assert ran.code is ExitCode.ERROR
    assert ran.result.outcome is Outcome.FAILED


def test_nobody_listens(tmp_path: Path) -> None:
    """Connection refused from the start: nothing was written, in no more than the time allowed."""
    with serve(scenario.portal(), Options(token=TOKEN)) as server:
        made = World.over_http(tmp_path, server)
        planned = made.plan(scenario.configuration())
    ran = made.apply(planned, timeout=5.0)
    truth.check(ran)
    assert (ran.code, ran.result.outcome) == (ExitCode.ERROR, Outcome.FAILED)
    assert ran.seconds <= 5.0 + 1.0
