"""`reconciler sandbox` as a process: its first line, its options, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.cli.running import Desk
from tests.sandbox.talking import batch_path, client, limits_path, one

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "reconciler")
PATH = limits_path("2026-03")


@contextmanager
def running(
    *arguments: str, before: tuple[str, ...] = ()
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address that a stand-in prints first, and its process."""
    with subprocess.Popen(
        [*COMMAND, *before, "sandbox", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def refused(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and complaint of a command line that is wrong."""
    done = Desk(folder).run_here("sandbox", *arguments)
    assert done.out == ""
    return done.code, " ".join(done.err.split())


def limits(url: str) -> dict[int, int]:
    """The limits of contacts → companies by type ID."""
    with client(url) as http:
        rows = http.get(PATH).json()["results"]
    return {row["typeId"]: row["userEnforcedMaxToObjectIds"] for row in rows}


def write(url: str, *inputs: dict[str, Any]) -> httpx.Response:
    """Update limits of contacts → companies."""
    with client(url) as http:
        return http.post(batch_path("update"), json={"inputs": inputs})


def write_until_it_dies(url: str) -> int:
    """Send batches of two equal limits, 1 to 5 in turn; how many were answered."""
    answered = 0
    with client(url) as http:
        while True:
            value = answered % 5 + 1
            body = {"inputs": [one(28, value), one(30, value)]}
            try:
                http.post(batch_path("update"), json=body).raise_for_status()
            except httpx.TransportError:
                return answered
            answered += 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_serves_until_a_signal_ends_it(number: signal.Signals) -> None:
    """The address is the first line, and each signal ends it with 0, whoever hangs or stays connected."""
    with running("--fault", "labels:hang,seconds=60") as (url, process):
        assert url.startswith("http://127.0.0.1:")
        assert limits(url) == {279: 5, 28: 1}
        with client(url, timeout=0.2) as hanging, pytest.raises(httpx.ReadTimeout):
            hanging.get("/crm/associations/v4/contacts/companies/labels")
        with client(url) as kept:
            assert kept.get(PATH).status_code == 200
            process.send_signal(number)
            out, err = process.communicate(timeout=10)
        assert (process.returncode, out) == (0, "")
        assert "Traceback" not in err


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    """Killed right after the answers, it starts with every limit in place."""
    state = str(tmp_path / "state.json")
    with running("--state", state) as (url, process):
        for value in (2, 3, 4):
            assert write(url, one(28, value), one(30, value)).status_code == 200
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with running("--state", state) as (url, _):
        assert limits(url) == {279: 5, 28: 4, 30: 4}


def test_a_kill_in_the_middle_of_writes_leaves_whole_batches(tmp_path: Path) -> None:
    """What was answered is there, and no batch is there by half."""
    state = str(tmp_path / "state.json")
    with running("--state", state) as (url, process):
        assert limits(url)  # it serves, however busy the machine is
        killer = threading.Timer(0.5, process.kill)
        killer.start()
        answered = write_until_it_dies(url)
        killer.join()
        process.wait(10)
    assert answered > 0
    with running("--state", state) as (url, _):
        found = limits(url)
        assert found[28] == found[30]
        # The request in flight when the kill came may have been kept without an answer.
        assert found[28] in {(answered - 1) % 5 + 1, answered % 5 + 1}


def test_a_state_goes_before_a_seed(tmp_path: Path) -> None:
    """The seed is for a new state only; the portal ID can be given each time."""
    state, seed = tmp_path / "state.json", tmp_path / "seed.json"
    here = {"from": "contacts", "to": "companies", "type_id": 279}
    seed.write_text(json.dumps({"limits": [{**here, "max": 9}]}), encoding="utf-8")
    arguments = ("--state", str(state), "--seed", str(seed))
    with running(*arguments) as (url, _):
        assert limits(url) == {279: 9}
        write(url, one(279, 8, "HUBSPOT_DEFINED"))
    with running(*arguments, "--portal-id", "77") as (url, _):
        assert limits(url) == {279: 8}
        with client(url) as http:
            assert http.get("/account-info/v3/details").json()["portalId"] == 77


def test_every_switch_reaches_the_rules() -> None:
    """Each refuses or accepts what the default does not."""
    switches = (
        *("--token", "secret", "--rate", "100", "--portal-id", "42", "--latency", "1"),
        *("--strict-update", "--create-existing", "accept", "--equality", "refuse"),
        *("--primary", "refuse", "--judging", "before", "--mixed", "partial"),
        *("--max-limit", "100", "--max-inputs", "3"),
        *("--label-key", "labelled", "--unknown-purge", "400"),
    )
    with running(*switches) as (url, _), client(url, "secret") as http:

        def post(verb: str, *inputs: dict[str, Any]) -> int:
            return http.post(batch_path(verb), json={"inputs": inputs}).status_code

        assert (
            http.get(PATH, headers={"Authorization": f"Bearer {DEFAULT_TOKEN}"}).status_code == 401
        )
        assert http.get(PATH).headers["X-HubSpot-RateLimit-Max"] == "100"
        assert http.get("/account-info/v3/details").json()["portalId"] == 42
        assert post("update", one(30, 2)) == 400  # strict update
        assert post("create", one(28, 2)) == 201  # create existing
        assert post("update", one(28, 5)) == 400  # equality
        assert post("create", one(1, 1, "HUBSPOT_DEFINED")) == 400  # primary
        assert post("update", one(279, 9, "HUBSPOT_DEFINED"), one(28, 7)) == 207  # before, partial
        assert post("update", one(279, 101, "HUBSPOT_DEFINED")) == 400  # max limit
        assert post("update", *[one(28, 1)] * 4) == 400  # max inputs
        assert post("purge", one(999)) == 400  # unknown purge
        rows = http.get(PATH).json()["results"]
        assert ["label" in row for row in rows] == [False, True]  # label key
        name = "p42_car"
        assert http.get(limits_path("v4", name, "contacts")).status_code == 200


def test_the_command_line_reaches_the_server() -> None:
    """Fault rules in their order, the page without a token, and a log that never holds one."""
    arguments = ("--token", "secret", "--fault", "read#1:503", "--fault", "read#2:429,policy=DAILY")
    with running(*arguments, before=("-v",)) as (url, process):
        with client(url, "secret") as http:
            statuses = [http.get(PATH).status_code for _ in range(3)]
            assert statuses == [503, 429, 200]
            entries = http.get("/_sandbox/requests").json()["requests"]
            assert [entry["status"] for entry in entries] == statuses
        with client(url, token=None) as http:
            page = http.get("/")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html;charset=utf-8")
        assert "Billing contact" in page.text
        process.terminate()
        _, err = process.communicate(timeout=10)
    assert f"GET {PATH} → 200" in err
    assert "secret" not in err


def test_several_portals_are_distinguished_by_their_tokens() -> None:
    """Each has an ID of its own and the faults of all; a token that is none of theirs opens none."""
    account = "/account-info/v3/details"
    options = ("--portals", "3", "--token", "secret", "--portal-id", "70")
    with running(*options, "--fault", "account#2:503") as (url, _):
        for token, portal_id in (("secret", 70), ("secret-2", 71), ("secret-3", 72)):
            with client(url, token) as http:
                assert http.get(account).json()["portalId"] == portal_id
                assert http.get(account).status_code == 503
        for token in ("secret-1", "secret-4", "secret-"):
            with client(url, token) as http:
                assert http.get(account).status_code == 401


def test_requests_are_logged_only_when_asked() -> None:
    """Without -v stderr has the token to use, and nothing of a request."""
    with running() as (url, process):
        assert limits(url)
        process.terminate()
        _, err = process.communicate(timeout=10)
    assert err == f"The token is {DEFAULT_TOKEN}. Ctrl-C ends the sandbox.\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--fault", "read:explode"), "explode is not an action"),
        (("--fault", "any:edit,from=car,to=deals,type=1,max=1"), "Unable to infer object type"),
        (("--other", "secret"), "write TOKEN=FILE"),
        (("--other", "secret=/nonexistent.json"), "No such file"),
        (("--port", "70000"), "--port"),
        (("--rate", "-1"), "--rate"),
        (("--latency", "-1"), "--latency"),
        (("--seed", "/nonexistent.json"), "--seed"),
        (("--equality", "maybe"), "--equality"),
        (("--max-limit", "0"), "--max-limit"),
        (("--portal-id", "0"), "--portal-id"),
        (("--portals", "0"), "--portals"),
        (("--portals", "2", "--state", "state.json"), "--state keeps one portal"),
        (
            ("--portals", "2", "--fault", "any:edit,from=car,to=deals,type=1,max=1"),
            "Unable to infer",
        ),
        (("--unknown",), "No such option"),
        (("extra",), "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_reported(
    tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    """Exit 64 with what is wrong, and nothing is served."""
    code, words = refused(tmp_path, *arguments)
    assert code == 64
    assert complaint in words


@pytest.mark.parametrize(
    ("option", "content", "complaint"),
    [
        ("--seed", b'{"extends": "everything"}', "seed.extends is one of"),
        ("--state", b'{"extends": "everything"}', "it does not hold a sandbox's state"),
        ("--state", b"SQLite format 3\0" + b"\0" * 100, "it is an SQLite database"),
    ],
)
def test_a_bad_file_is_reported(
    tmp_path: Path, option: str, content: bytes, complaint: str
) -> None:
    """A seed and a state that are none, and a state of an earlier version; none is touched."""
    path = tmp_path / "file"
    path.write_bytes(content)
    code, words = refused(tmp_path, option, str(path))
    assert code == 64
    assert option in words
    assert complaint in words
    assert path.read_bytes() == content


def test_a_state_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """Before anything is served."""
    code, words = refused(tmp_path, "--state", str(tmp_path / "nowhere" / "state.json"))
    assert code == 64
    assert "cannot be used as a state file" in words


def test_a_taken_port_is_reported(tmp_path: Path) -> None:
    """Exit 1: the command line is right, the machine is not ready."""
    with serve() as server:
        code, words = refused(tmp_path, "--port", str(server.port))
    assert code == 1
    assert "Cannot listen" in words


def test_the_fault_language_can_be_read(tmp_path: Path) -> None:
    """`--fault help` prints it and ends."""
    done = Desk(tmp_path).run_here("sandbox", "--fault", "help")
    assert done.code == 0
    assert "WHEN[@FROM/TO]" in done.out
    assert "alter,type=28,as=7" in done.out
