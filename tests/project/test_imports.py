"""What each command imports: the start-up that everybody pays for, counted instead of timed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

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
        json.dump({"packages": sorted(names - sys.stdlib_module_names), "ours": ours,
                   "modules": sorted(sys.modules)}, file)

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
    ("doctor", "--help"): (frozenset(), 40),
    ("fmt", "--help"): (frozenset(), 34),
    ("plan", "--help"): (frozenset(), 40),
    ("show", "--help"): (frozenset(), 38),
    ("status", "--help"): (frozenset(), 49),
    ("completion", "bash"): (frozenset(), 26),
    ("explain", "label-unknown"): (frozenset(), 34),
    ("fmt", "--check"): (frozenset({"ruamel"}), 38),
    ("validate",): (_FILES, 43),
    ("plan",): (_PORTAL, 74),
    ("status",): (_PORTAL, 74),
}
"""For each command: the heavy packages it may import, and how many modules of our own."""


class Imported(NamedTuple):
    """The packages of others, how many modules are our own, and the names of all modules."""

    packages: set[str]
    ours: int
    modules: set[str]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The example portal."""
    with serve() as running:
        yield running


def imported(server: Server, folder: Path, arguments: tuple[str, ...]) -> Imported:
    """What a command imports that has a pair file and the example portal."""
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
    return Imported(set(found["packages"]), found["ours"], set(found["modules"]))


@pytest.mark.parametrize("arguments", BUDGET, ids=" ".join)
def test_a_command_keeps_to_its_import_budget(
    server: Server, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """No heavy package that it does not need, and few modules of our own."""
    allowed, most = BUDGET[arguments]

    found = imported(server, tmp_path, arguments)

    assert found.packages & HEAVY <= allowed
    assert found.ours <= most


def test_what_changes_is_paid_for_by_who_changes_it(server: Server, tmp_path: Path) -> None:
    """A plan with changes imports deepdiff, and no steady one does."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "more.yaml").write_text(
        "from: contacts\nto: companies\nmax: 7\nlabels:\n  Billing contact: 1\n", encoding="utf-8"
    )

    found = imported(server, tmp_path, ("plan", "more"))

    assert found.packages & HEAVY == _PORTAL | {"deepdiff"}


def test_checking_files_loads_nothing_of_plans_and_no_metadata_of_packages(
    server: Server, tmp_path: Path
) -> None:
    """Pydantic imports the search for plugins, which is off, and with it the parser of mails."""
    found = imported(server, tmp_path, ("validate",))

    assert not found.modules & {"email", "email.message", "reconciler.model.plan"}
