"""What each command imports: the start-up that everybody pays for, counted instead of timed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import Server, serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.cli.running import environment

_COUNT = """\
import atexit, json, sys

def count():
    names = {name.partition(".")[0] for name in sys.modules}
    ours = sum(name.partition(".")[0] == "reconciler" for name in sys.modules)
    with open(sys.argv.pop(), "w") as file:
        json.dump({"packages": sorted(names - sys.stdlib_module_names), "ours": ours}, file)

atexit.register(count)
written, sys.argv = sys.argv[1], ["reconciler", *sys.argv[2:]]
from reconciler.__main__ import main
atexit.register(lambda: sys.argv.append(written))
main()
"""

HEAVY = frozenset({"deepdiff", "httpcore", "httpx", "jinja2", "pydantic", "rich", "ruamel"})
"""What costs more than 10 ms to import."""

_FILES = frozenset({"pydantic", "ruamel"})
_PORTAL = _FILES | {"httpcore", "httpx"}

BUDGET: dict[tuple[str, ...], tuple[frozenset[str], int]] = {
    ("--help",): (frozenset(), 12),
    ("--version",): (frozenset(), 12),
    ("completion", "bash"): (frozenset(), 26),
    ("explain", "label-unknown"): (frozenset(), 34),
    ("fmt", "--check"): (frozenset({"ruamel"}), 38),
    ("validate",): (_FILES, 43),
    ("plan",): (_PORTAL, 74),
    ("status",): (_PORTAL, 74),
}
"""For each command: the heavy packages it may import, and how many modules of our own."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The example portal."""
    with serve() as running:
        yield running


def imported(server: Server, folder: Path, arguments: tuple[str, ...]) -> tuple[set[str], int]:
    """The packages of others that a command imports, and how many modules of our own."""
    pair = "from: contacts\nto: companies\nmax: 5\nlabels:\n  Billing contact: 1\n"
    (folder / "configs").mkdir()
    (folder / "configs" / "contacts-companies.yaml").write_text(pair, encoding="utf-8")
    variables = {"HUBSPOT_ACCESS_TOKEN": DEFAULT_TOKEN, "HUBSPOT_BASE_URL": server.url}
    done = subprocess.run(
        (sys.executable, "-c", _COUNT, "modules.json", *arguments),
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    return set(found["packages"]), int(found["ours"])


@pytest.mark.parametrize("arguments", BUDGET, ids=" ".join)
def test_a_command_keeps_to_its_import_budget(
    server: Server, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """No heavy package that it does not need, and few modules of our own."""
    allowed, most = BUDGET[arguments]

    packages, ours = imported(server, tmp_path, arguments)

    assert packages & HEAVY <= allowed
    assert ours <= most


def test_what_changes_is_paid_for_by_who_changes_it(server: Server, tmp_path: Path) -> None:
    """A plan with changes imports deepdiff, and no steady one does."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "more.yaml").write_text(
        "from: contacts\nto: companies\nmax: 7\nlabels:\n  Billing contact: 1\n", encoding="utf-8"
    )

    packages, _ = imported(server, tmp_path, ("plan", "more"))

    assert packages & HEAVY == _PORTAL | {"deepdiff"}
