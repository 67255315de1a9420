"""`plan --base` in a real git repository, against a portal edited behind its back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import PAIR
from tests.cli.running import Desk, git


@pytest.fixture
def repository(pair: Desk) -> Desk:
    """The pair file committed to main and applied; a branch checked out."""
    git(pair, "init", "-b", "main")
    git(pair, "add", "configs")
    git(pair, "commit", "-m", "Declare contacts and companies")
    assert pair.run_here("apply", "--auto-approve").code == 0
    git(pair, "checkout", "-b", "branch")
    return pair


def origins(desk: Desk, *arguments: str) -> dict[str, str | None]:
    """The origin of every change, by its ID."""
    plan: Any = desk.run_here("plan", "--base", "main", "--format", "json", *arguments).json
    return {each["id"]: each["origin"] for each in plan["changes"]}


def test_a_branch_a_person_in_hubspot_and_both(repository: Desk) -> None:
    """Config, drift and conflict in one plan, each in a section of its own."""
    text = PAIR.replace("max: 8", "max: 9").replace("Decision maker: 7", "Decision maker: 6")
    repository.write("configs/contacts-companies.yaml", text)
    server = repository.server
    assert server is not None
    server.edit("contacts", "companies", 28, 4)
    server.edit("companies", "contacts", 31, 5)
    assert origins(repository) == {
        "contacts>companies/HUBSPOT_DEFINED/279": "config",
        "contacts>companies/USER_DEFINED/28": "drift",
        "companies>contacts/USER_DEFINED/31": "conflict",
    }
    out = repository.run_here("plan", "--base", "main").out
    assert out.index("8 → 9") < out.index("Drift (1)") < out.index("4 → 2")
    assert out.index("8 → 9") < out.index("Conflict") < out.index("5 → 6")


def test_a_removed_file_removes_its_limits(repository: Desk) -> None:
    """Those it named, and no others of the direction."""
    git(repository, "rm", "-q", "configs/contacts-companies.yaml")
    repository.write("configs/deals.yaml", "from: deals\nto: contacts\nlabels: {Champion: 1}\n")
    assert set(origins(repository)) == {
        "companies>contacts/USER_DEFINED/29",
        "companies>contacts/USER_DEFINED/31",
        "contacts>companies/HUBSPOT_DEFINED/279",
        "contacts>companies/USER_DEFINED/28",
    }


def test_a_moved_direction_is_not_removed(repository: Desk) -> None:
    """A file that is not named on the command line still declares it."""
    first, _, inverse = PAIR.partition("inverse:\n")
    repository.write("configs/contacts-companies.yaml", first)
    labels = inverse.replace("\n  ", "\n").removeprefix("  ")
    repository.write("configs/companies.yaml", f"from: companies\nto: contacts\n{labels}")
    assert origins(repository) == {}
    assert origins(repository, "configs/contacts-companies.yaml") == {}


def test_an_unknown_base_is_an_error_that_helps(repository: Desk) -> None:
    """Never a silent two-way plan."""
    ran = repository.run_here("plan", "--base", "origin/main")
    assert ran.code == 1
    assert "git fetch" in ran.err


def test_without_git_a_base_is_an_error(pair: Desk) -> None:
    """There is nothing to compare with."""
    assert pair.run_here("plan", "--base", "main").code == 1


def test_the_plan_knows_its_commits(repository: Desk) -> None:
    """HEAD, whether files differ from it, and the merge base."""
    plan = repository.run_here("plan", "--base", "main", "--format", "json").json
    state = plan["config"]["git"]
    assert state["commit"] == state["base"]
    assert not state["dirty"]
    repository.write("configs/more.yaml", "from: deals\nto: contacts\nlabels: {Champion: 1}\n")
    ran = repository.run_here("plan", "--format", "json")
    assert ran.json["config"]["git"]["dirty"]
    assert any("not committed" in warning for warning in ran.json["warnings"])
