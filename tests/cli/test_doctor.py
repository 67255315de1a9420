"""What `doctor` finds between this machine and a portal, and that nothing in it is secret."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.cli.doctor import Check, State, as_text
from reconciler.report.terminal import Style
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.cli.running import Desk

WORKSPACE = """version: 1
api_version: {version}
portals:
  production: {{portal_id: {portal_id}, token: {{env: HUBSPOT_ACCESS_TOKEN}}}}
"""


def spoil(desk: Desk, *rules: str) -> None:
    """Put these fault rules in force."""
    assert desk.server is not None
    desk.server.set_faults(parse_fault(rule) for rule in rules)


def checks(desk: Desk, *options: str) -> dict[str, dict[str, Any]]:
    """The checks by their names."""
    ran = desk.run_here("doctor", "--format", "json", *options)
    return {each["check"]: each for each in ran.json["checks"]}


def test_all_is_well(desk: Desk) -> None:
    """Every line says ok, the portal and its scopes are named, and only reads were sent."""
    desk.write("reconciler.yaml", WORKSPACE.format(version="2026-09", portal_id=1234567))
    ran = desk.run_here("doctor")
    assert ran.code == 0, ran.out + ran.err
    assert "portal 1234567, STANDARD" in ran.out
    assert "crm.schemas.custom.read" in ran.out
    assert ran.last_line == "Checked: all is well."
    assert desk.writes() == []


def test_the_json_has_the_same_checks(desk: Desk) -> None:
    """Each with its state, what was found and what to do."""
    found = checks(desk)
    assert found["portal"]["state"] == "warning"
    assert "portal_id: 1234567" in found["portal"]["advice"]
    assert {each["state"] for name, each in found.items() if name != "portal"} == {"ok"}


@pytest.mark.parametrize(
    ("variables", "check", "words"),
    [
        ({"HUBSPOT_ACCESS_TOKEN": ""}, "token", "is not set"),
        ({"HUBSPOT_ACCESS_TOKEN": '"pat-na1-1"'}, "token", "has quotes around it"),
        ({"HUBSPOT_ACCESS_TOKEN": "pat-na1-wrong"}, "token", "does not accept the token"),
        ({"HUBSPOT_BASE_URL": "http://127.0.0.1:9"}, "reachability", "nothing listens"),
        ({"SSL_CERT_FILE": "/nowhere/ca.pem"}, "certificates", "cannot be read"),
    ],
)
def test_what_fails_is_named_with_what_to_do(
    desk: Desk, variables: dict[str, str], check: str, words: str
) -> None:
    """Exit 1, the check is an error, and the other checks are there as well."""
    wrong = Desk(desk.folder, desk.server, variables)
    ran = wrong.run_here("doctor", "--format", "json")
    (failed,) = [each for each in ran.json["checks"] if each["state"] == "error"]
    assert ran.code == 1
    assert failed["check"] == check
    assert words in failed["finding"]
    assert failed["advice"]


@pytest.mark.parametrize(
    ("fault", "check", "state"),
    [
        ("token:404", "scopes", "unknown"),
        ("read:403,scopes=crm.objects.contacts.read", "limits and labels", "error"),
        ("schemas:403", "custom objects", "warning"),
        ("usage:403", "usage", "unknown"),
        ("usage:500", "usage", "unknown"),
    ],
)
def test_unknown_is_not_missing(desk: Desk, fault: str, check: str, state: str) -> None:
    """What is refused is missing; what the portal does not say is unknown."""
    spoil(desk, fault)
    assert checks(desk, "--timeout", "0.5")[check]["state"] == state


def test_a_token_of_another_portal_is_an_error(desk: Desk) -> None:
    """The workspace says which portal is meant."""
    desk.write("reconciler.yaml", WORKSPACE.format(version="2026-09", portal_id=7))
    ran = desk.run_here("doctor")
    assert ran.code == 1
    assert "the workspace file says 7" in ran.out


def test_an_old_version_is_a_warning(desk: Desk) -> None:
    """The days to the end of support are counted."""
    desk.write("reconciler.yaml", WORKSPACE.format(version="v4", portal_id=1234567))
    found = checks(desk)["API version"]
    assert found["state"] == "warning"
    assert "use 2026-09" in found["advice"]


def test_a_broken_workspace_is_a_check_and_not_the_end(desk: Desk) -> None:
    """The mistakes are at their lines, and the machine's checks are printed all the same."""
    desk.write("reconciler.yaml", "version: 1\nportal: {}\n")
    ran = desk.run_here("doctor")
    assert ran.code == 1
    assert "reconciler.yaml:2" in ran.err
    assert "YAML parser" in ran.out


def test_nothing_secret_is_printed(desk: Desk) -> None:
    """Neither the token nor a proxy's password, so that it can go into a bug report."""
    variables = {
        "HUBSPOT_BASE_URL": "https://api.example.com",
        "HTTPS_PROXY": "http://anna:sesame@127.0.0.1:9",
        "NO_PROXY": "",
    }
    ran = Desk(desk.folder, None, {**variables, "HUBSPOT_ACCESS_TOKEN": DEFAULT_TOKEN}).run_here(
        "doctor", "--timeout", "0.3"
    )
    assert "127.0.0.1:9" in ran.out
    assert "sesame" not in ran.out + ran.err
    assert "anna" not in ran.out + ran.err


def test_a_narrow_terminal_is_shown_short_lines() -> None:
    """What a check found and what to do go on in their own column."""
    advice = "put `portal_id: 1234567` into the workspace file, so that no other token is taken"
    check = Check("portal", State.WARNING, "portal 1234567, STANDARD", advice, "production")
    lines = as_text([check], Style(ansi_codes=False), 60).splitlines()
    assert max(map(len, lines)) <= 60
    at = lines[2].index("portal 1234567")
    assert [line[:at].strip() for line in lines[3:-2]] == [""] * len(lines[3:-2])
    assert " ".join(line.strip() for line in lines[3:-2]) == f"→ {advice}"
