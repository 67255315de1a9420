"""Global options on both sides of the command, the command's two names, and where it is run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from reconciler.cli.root import COMMANDS
from reconciler.errors import WORST_FIRST, ExitCode
from reconciler.sandbox.example import bare_portal, example_portal
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import Options, Sandbox
from tests.cli.running import Desk
from tests.cli.test_outcome import in_a_shell


def test_global_options_stand_before_or_behind_the_command(pair: Desk) -> None:
    """With the same effect; what is behind counts more, and -v is counted on both sides."""
    pair.write("other.yaml", "version: 1\nconfigs: nowhere\n")
    for arguments in (["--workspace", "other.yaml", "plan"], ["plan", "--workspace", "other.yaml"]):
        assert "nowhere" in pair.run_here(*arguments).err
    both = pair.run_here("--workspace", "missing.yaml", "plan", "--workspace", "other.yaml")
    assert "nowhere" in both.err
    for arguments in (["-v", "plan"], ["plan", "-v"]):
        assert "GET /account-info" in pair.run_here(*arguments).err
    for arguments in (["--color", "always", "plan"], ["plan", "--color", "always"]):
        assert "\x1b[" in pair.run_here(*arguments).out
    assert "\x1b[" not in pair.run_here("--color", "always", "plan", "--color", "never").out
    for arguments in (["-v", "plan", "-q"], ["plan", "-q", "-v"], ["-q", "-v", "plan"]):
        assert pair.run_here(*arguments).code == 64
    assert pair.run_here("plan", "--workspace", "").code == 64


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_them(offline: Desk, command: str) -> None:
    """And lists them in its help; what contradicts itself is wrong on both sides and across."""
    ran = offline.run_here(command, "-q", "--color", "never", "--workspace", "x", "--help")
    assert ran.code == 0
    for option in ("--workspace", "--verbose", "--quiet", "--color"):
        assert option in ran.out
    for arguments in (["-q", command, "-v"], ["-v", command, "-q"], [command, "-qv"]):
        ran = offline.run_here(*arguments)
        assert (ran.code, "-v and -q contradict each other" in ran.err) == (64, True)
    for arguments in (["--color", "pink", command], [command, "--color", "pink"]):
        ran = offline.run_here(*arguments)
        assert (ran.code, "'pink' is not one of" in ran.err) == (64, True)


@pytest.mark.parametrize("command", ["status", "doctor", "compare a b"])
def test_tables_have_colour_where_it_is_wanted(pair: Desk, command: str) -> None:
    """And are the same without it."""
    pair.write(
        "reconciler.yaml",
        "version: 1\nportals:\n  a: {token: {env: HUBSPOT_ACCESS_TOKEN}}\n"
        "  b: {token: {env: HUBSPOT_OTHER}}\n",
    )
    chosen = [] if command.startswith("compare") else ["--portal", "a"]
    other = "pat-eu1-of-the-other"
    with serve(example_portal(), others=[Sandbox(bare_portal(7), Options(other))]) as server:
        desk = Desk(pair.folder, server, {"HUBSPOT_OTHER": other})
        coloured, plain = (
            desk.run_here(*command.split(), *chosen, "--color", each).out
            for each in ("always", "never")
        )
    assert "\x1b[1m" in coloured
    assert "\x1b" not in plain
    timed = re.compile(r"answered in \d+ ms|\x1b\[[0-9;]*m")
    assert timed.sub("", coloured) == timed.sub("", plain)


def test_what_follows_two_dashes_is_no_option(pair: Desk) -> None:
    """A file may be called as an option is."""
    pair.write("-q", "")
    (pair.folder / "--color").mkdir()
    pair.write("--color/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    assert pair.run_here("validate", "--", "--color").last_line.startswith("Valid: 1 file,")
    assert pair.run_here("plan", "-v", "--", "-q", "--color").code == 0
    assert "GET" in pair.run_here("plan", "configs", "-v", "--", "configs").err
    assert pair.run_here("-q", "--", "plan").code == 0


def test_colour_by_the_environment(pair: Desk) -> None:
    """FORCE_COLOR colours a pipe; NO_COLOR and --color never count more."""
    for variables, is_coloured in (
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True),
    ):
        pair.variables = variables
        assert ("\x1b[" in pair.run_here("plan").out) is is_coloured
    pair.variables = {"FORCE_COLOR": "1"}
    assert "\x1b[" not in pair.run_here("plan", "--color", "never").out


def test_the_command_is_installed_under_two_names(offline: Desk) -> None:
    """`uvx hubspot-reconciler` finds the command of its name; usage and hints use it."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    scripts = tomllib.loads(project.read_text("utf-8"))["project"]["scripts"]
    assert scripts["hubspot-reconciler"] == scripts["reconciler"]
    for name in scripts:
        assert f"Usage: {name} " in offline.run_here("--help", name=f"/usr/bin/{name}").out
        assert f"Try '{name} plan -h'" in offline.run_here("plan", "--no", name=name).err
    assert "Usage: reconciler " in offline.run_here("--help", name="__main__.py").out
    assert offline.run_here("--version").out.startswith("reconciler, version ")


@pytest.mark.parametrize(
    "command", ["validate", "plan", "apply --auto-approve", "comment plan.json", "schema pair"]
)
def test_a_deleted_directory_is_an_error_in_words(pair: Desk, command: str) -> None:
    """Not a bug; what needs no directory works."""
    ran = in_a_shell(pair, f"mkdir gone; cd gone; rmdir ../gone; $R {command}")
    assert "internal error" not in ran.err
    if command == "schema pair":
        assert ran.code == 0
    elif command != "comment plan.json":
        assert ran.code == 1
        assert "the current directory does not exist any more" in ran.err


def test_a_home_is_not_needed(pair: Desk) -> None:
    """Nor are the other variables of a login."""
    assert in_a_shell(pair, "unset HOME USER LOGNAME LANG TMPDIR TERM; $R plan").code == 0


def test_every_exit_code_has_its_rank() -> None:
    """What several portals end with together is the worst, so that no code may be missing."""
    assert set(WORST_FIRST) == set(ExitCode)


def test_portals_that_all_end_with_wrong_usage(pair: Desk) -> None:
    """64, and no portals at all is nothing to do."""
    pair.write(
        "reconciler.yaml",
        "version: 1\nportals:\n  a: {token: {env: HUBSPOT_A}}\n  b: {token: {env: HUBSPOT_B}}\n",
    )
    pair.variables = {"HUBSPOT_A": "token-of-a", "HUBSPOT_B": "token-of-b", "SSL_CERT_FILE": "/nowhere",
                      "HUBSPOT_BASE_URL": "https://127.0.0.1:9"}  # fmt: skip
    ran = pair.run_here("plan", "--all-portals")
    assert ran.code == 64
    assert "internal error" not in ran.err
    assert pair.run_here("plan", "--all-portals", "--shard", "3/3").code == 0


def test_one_portal_applied_and_another_failed_is_incomplete(pair: Desk) -> None:
    """Code 1 says that nothing was written."""
    token = "token: {env: HUBSPOT_ACCESS_TOKEN}"
    other = "token: {env: HUBSPOT_MISSING}"
    pair.write("reconciler.yaml", f"version: 1\nportals: {{a: {{{token}}}, b: {{{other}}}}}\n")
    ran = pair.run_here("apply", "--all-portals", "--auto-approve")
    assert ran.code == 5
    assert "b       failed: no token for portal b: HUBSPOT_MISSING is not set" in ran.out
    assert pair.run_here("apply", "--all-portals", "--auto-approve").code == 1


# ---------------------------------------------------------------- errors in JSON


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["plan", "broken.yaml"], 3),
        (["plan", "missing"], 64),
        (["plan", "--nonsense"], 64),
        (["plan", "--portal", "nobody"], 64),
        (["plan", "--base-url", "http://example.com"], 64),
        (["plan", "--timeout", "0.2", "--base-url", "http://127.0.0.1:9"], 1),
        (["plan", "--out", "no/where.json"], 1),
        (["apply", "broken.yaml"], 3),
        (["apply"], 4),
        (["apply", "altered.json"], 4),
        (["apply", "plan.json", "--portal", "nobody"], 4),
        (["apply", "--timeout", "0.2", "--base-url", "http://127.0.0.1:9"], 1),
        (["apply", "missing.json"], 64),
        (["show", "altered.json"], 4),
        (["show", "missing.json"], 64),
        (["validate", "broken.yaml"], 3),
        (["validate", "missing"], 64),
    ],
)
def test_a_command_that_fails_answers_in_json(pair: Desk, arguments: list[str], code: int) -> None:
    """One document on stdout, with the code it has without, and the words on stderr, too."""
    pair.run_here("plan", "--out", "plan.json")
    plan = (pair.folder / "plan.json").read_text("utf-8")
    pair.write("altered.json", plan.replace('"after":2', '"after":3'))
    pair.write("broken.yaml", "from: contacts\n")
    ran = pair.run_here(*arguments, "--format", "json")
    assert ran.code == code
    assert pair.run_here(*arguments).code == code
    document = ran.json
    assert ran.err or arguments[0] == "validate"
    if arguments[0] == "apply" and code in {1, 4}:
        assert document["outcome"] == ("refused" if code == 4 else "failed")
        assert document["message"] in ran.err
    elif code == 3:
        assert document["diagnostics"][0]["path"] == "broken.yaml"
    else:
        assert document["error"]["exit_code"] == code
        assert document["error"]["message"]


def test_each_of_several_portals_answers_in_json(pair: Desk) -> None:
    """A document per portal, of a plan or of an error, which names the portal."""
    token, other = "token: {env: HUBSPOT_ACCESS_TOKEN}", "token: {env: HUBSPOT_MISSING}"
    pair.write("reconciler.yaml", f"version: 1\nportals: {{a: {{{other}}}, b: {{{token}}}}}\n")
    ran = pair.run_here("plan", "--all-portals", "--format", "json")
    documents = ran.json
    assert ran.code == 1
    assert documents[0]["portal"] == "a"
    assert "HUBSPOT_MISSING is not set" in documents[0]["error"]["message"]
    assert documents[1]["portal"]["name"] == "b"


def test_errors_after_the_command_heed_the_colour(offline: Desk) -> None:
    """An invalid file ends the command, and its diagnostics are shown."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: none\n")
    offline.variables["HUBSPOT_ACCESS_TOKEN"] = "pat-eu1-12345678"
    assert "\x1b[" in offline.run_here("--color", "always", "plan").err
    for command in ("plan", "validate"):
        ran = offline.run_here("--color", "always", command)
        assert ran.err.endswith("\x1b[1;31merror:\x1b[0m configuration invalid: 1 error\n")
    offline.variables["FORCE_COLOR"] = "1"
    for command in ("plan", "validate"):
        assert "\x1b[" not in offline.run_here("--color", "never", command).err
