"""Hundreds of portals are spread over processes, and nothing else about them changes."""

from __future__ import annotations

import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from pathlib import Path
from unittest import mock

import pytest

from reconciler.cli.workers import processes_for, receive_all
from reconciler.errors import (
    ConfigurationInvalid,
    Diagnostic,
    DiagnosticCode,
    Interrupted,
    PlanRefused,
    PortalUnavailable,
    ReconcilerError,
)
from reconciler.http.clock import Stop
from reconciler.model.limits import Place
from tests.cli.fleet import Fleet, fleet, name

PORTALS = 64
"""From so many on a second process pays for itself."""

several = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="work is spread over processes on Linux, with two cores or more",
)


@contextmanager
def started(many: Fleet, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, its working processes under way."""
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=many.folder,
        env=many.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def children(process: subprocess.Popen[str]) -> list[int]:
    """The processes that it started and that work with portals: they have more than one thread."""
    try:
        found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return [int(each) for each in found if len([*Path(f"/proc/{each}/task").iterdir()]) > 1]
    except OSError:
        return []


def working(process: subprocess.Popen[str]) -> list[int]:
    """The same as soon as there are two of them."""
    for _ in range(2_000):
        if len(found := children(process)) > 1:
            return found
        time.sleep(0.01)
    raise AssertionError("no two processes worked with the portals")


@several
def test_what_is_said_of_portals_in_several_processes(tmp_path: Path) -> None:
    """In order, failures by name, one answer for each, and every plan saved."""
    with fleet(tmp_path, PORTALS, latency=0.02) as many:
        many.variables["HUBSPOT_P003"] = "wrong-token"
        arguments = ("plan", "--all-portals", "--format", "json", "--out", "plans")
        with started(many, *arguments) as process:
            assert len(working(process)) > 1
            out, err = process.communicate(timeout=60)

        assert process.returncode == 1
        found = json.loads(out)
        names = [each["portal"] if "error" in each else each["portal"]["name"] for each in found]
        assert names == many.names
        assert [each["portal"] for each in found if "error" in each] == ["p003"]
        assert "error: portal p003: " in err
        assert "HUBSPOT_P003" in err
        assert sum(line.startswith("[") for line in err.splitlines()) == PORTALS
        assert len(list((tmp_path / "plans").iterdir())) == PORTALS - 1
        assert "Traceback" not in err


@several
def test_a_process_that_is_killed_costs_only_the_portals_it_had(tmp_path: Path) -> None:
    """They are reported by their names, and the rest is planned."""
    with fleet(tmp_path, PORTALS, latency=0.1) as many:
        arguments = ("plan", "--all-portals", "--format", "json", "--portals-at-once", "8")
        with started(many, *arguments) as process:
            os.kill(working(process)[0], signal.SIGKILL)
            out, err = process.communicate(timeout=60)

        found = json.loads(out)
        lost = [each["portal"] for each in found if "error" in each]
        assert process.returncode == 1
        assert len(found) == PORTALS
        assert 0 < len(lost) <= PORTALS // 2
        assert "the process that worked with this portal was killed" in err
        assert all(int(each[1:]) % 2 == int(lost[0][1:]) % 2 for each in lost)


@several
def test_a_signal_stops_every_process(tmp_path: Path) -> None:
    """No further portal begins; those that were not begun are counted."""
    with fleet(tmp_path, PORTALS, latency=0.2) as many:
        with started(many, "plan", "--all-portals", "--portals-at-once", "2") as process:
            at_work = working(process)
            process.terminate()
            _, err = process.communicate(timeout=60)

        assert process.returncode == 1
        assert "portals not attempted" in err
        assert "was killed" not in err
        for each in at_work:
            assert not Path(f"/proc/{each}").exists()
        assert many.sandboxes[name(PORTALS)].requests == ()


def test_a_message_that_ends_in_its_middle_is_the_last_one_of_its_process() -> None:
    """As of a process that is killed while it hands on a plan; the others are received."""
    cut, cut_end = Pipe(duplex=False)
    whole, whole_end = Pipe(duplex=False)
    os.write(cut_end.fileno(), struct.pack("!i", 1_000) + b"a part of it")
    whole_end.send("all of it")
    received: list[str] = []
    with cut, whole:
        cut_end.close()
        whole_end.close()
        receive_all({cut: mock.Mock(), whole: mock.Mock()}, received.append, Stop())
    assert received == ["all of it"]


def test_few_portals_are_worked_with_in_one_process() -> None:
    """A process costs more than it saves there."""
    assert processes_for(1) == processes_for(PORTALS // 2) == 1


@pytest.mark.parametrize(
    "error",
    [
        ReconcilerError("a", hint="b"),
        PlanRefused("a", hint="b", details=("c",)),
        Interrupted("a", may_have_been_written=True),
        PortalUnavailable("a", category="b", correlation_id="c"),
        ConfigurationInvalid([Diagnostic(DiagnosticCode.KEY_EMPTY, "a", Place("b", 1, 2))]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_an_error_arrives_from_another_process_as_it_was(error: ReconcilerError) -> None:
    """With everything that its words, its hint and its place need."""
    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here

    assert type(arrived) is type(error)
    assert vars(arrived) == vars(error)
    assert str(arrived) == str(error)
