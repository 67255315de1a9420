"""Overlays at the command line: two portals with the same pair files and values of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.cli.running import OTHER_TOKEN, Desk, git
from tests.cli.test_base_in_use import commit

WORKSPACE = """version: 1
portals:
  production:
    token: {env: HUBSPOT_PRODUCTION_TOKEN}
    overlays: [overlays/production]
  sandbox:
    token: {env: HUBSPOT_SANDBOX_TOKEN}
"""
PAIR = """from: contacts
to: companies
max: 6
labels:
  Billing contact: {max: 2, protect: true}
"""
OVERLAY = """from: companies
to: contacts
max: 50
inverse:
  labels:
    Billing contact: 3
prune: false
"""
FILES = {
    "reconciler.yaml": WORKSPACE,
    "configs/contacts-companies.yaml": PAIR,
    "overlays/production/contacts-companies.yaml": OVERLAY,
}


@pytest.fixture
def portals(desk: Desk) -> Desk:
    """A workspace of two portals, of which one has an overlay."""
    for path, text in FILES.items():
        desk.write(path, text)
    desk.variables["HUBSPOT_PRODUCTION_TOKEN"] = DEFAULT_TOKEN
    desk.variables["HUBSPOT_SANDBOX_TOKEN"] = OTHER_TOKEN
    return desk


def plan(desk: Desk, portal: str, *arguments: str, code: int = 0) -> Any:
    """The plan of one portal."""
    ran = desk.run_here("plan", "--portal", portal, "--format", "json", *arguments)
    assert ran.code == code, ran
    return ran.json


def after(plan: Any) -> dict[str, tuple[int | None, str, int]]:
    """The new value of each change, and the file and line that it comes from."""
    return {
        f"{each['from']}>{each['to']} {each['label']}": (
            each["after"],
            each["source"]["path"],
            each["source"]["line"],
        )
        for each in plan["changes"]
    }


def test_each_portal_gets_its_own_limits_with_the_line_they_come_from(portals: Desk) -> None:
    """And `config.files` lists the overlays that were read for it."""
    sandbox, production = plan(portals, "sandbox"), plan(portals, "production")
    base = "configs/contacts-companies.yaml"
    assert after(sandbox) == {
        "contacts>companies None": (6, base, 3),
        "contacts>companies Billing contact": (2, base, 5),
    }
    over = "overlays/production/contacts-companies.yaml"
    assert after(production) == {
        "contacts>companies None": (6, base, 3),
        "contacts>companies Billing contact": (3, over, 6),
        "companies>contacts None": (50, over, 3),
    }
    assert [each["path"] for each in production["config"]["files"]] == [base, over]
    assert [each["path"] for each in sandbox["config"]["files"]] == [base]
    protected = {each["label"]: each["protected"] for each in production["changes"]}
    assert protected["Billing contact"]


def test_one_command_plans_and_applies_every_portal_with_its_own_files(portals: Desk) -> None:
    """Each by its own overlays."""
    ran = portals.run_here("plan", "--all-portals", "--out", "{portal}.json")
    assert ran.code == 0, ran
    found = {
        name: json.loads((portals.folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("production", "sandbox")
    }
    assert len(found["production"]["changes"]) == 3
    assert len(found["sandbox"]["changes"]) == 2
    assert portals.run_here("apply", "production.json").code == 0
    assert after(plan(portals, "production")) == {}
    assert portals.run_here("apply", "--portal", "production", "--auto-approve").code == 0


def test_validate_checks_the_result_of_every_portal(portals: Desk) -> None:
    """The sandbox is fine; production's overlay lowers the object limit below a label limit."""
    assert portals.run_here("validate").out == "Valid: 2 files, 2 directions, 3 limits.\n"
    portals.write(
        "overlays/production/contacts-companies.yaml", "from: contacts\nto: companies\nmax: 1\n"
    )
    ran = portals.run_here("validate", "--format", "json")
    assert ran.code == 3
    (found,) = ran.json["diagnostics"]
    assert (found["code"], found["path"], found["line"]) == (
        "label-above-object-limit",
        "overlays/production/contacts-companies.yaml",
        3,
    )
    assert plan(portals, "sandbox")["changes"]
    assert portals.run_here("plan", "--portal", "production").code == 3


def test_a_mistake_that_all_portals_share_is_reported_once(portals: Desk) -> None:
    """It is in the pair file."""
    portals.write("configs/b.yaml", "from: deals\nto: contacts\nmax: 0\n")
    ran = portals.run_here("validate", "--format", "json")
    assert [each["code"] for each in ran.json["diagnostics"]] == ["limit-out-of-range"]


def test_the_example_is_valid_and_says_what_the_docs_say(desk: Desk) -> None:
    """`docs/configuration.md` shows its two files."""
    example = Path(__file__).parents[2] / "examples/portals"
    for path in example.rglob("*.yaml"):
        desk.write(str(path.relative_to(example)), path.read_text(encoding="utf-8"))
    assert desk.run_here("validate").out == "Valid: 2 files, 2 directions, 4 limits.\n"
    desk.variables["HUBSPOT_PRODUCTION_TOKEN"] = DEFAULT_TOKEN
    docs = (example.parents[1] / "docs/configuration.md").read_text(encoding="utf-8")
    shown = re.search(r"```yaml\n# overlays/.*?\n(.*?)```", docs, re.DOTALL)
    written = (example / "overlays/production/contacts-companies.yaml").read_text(encoding="utf-8")
    assert shown is not None
    assert re.sub(r" *#.*", "", shown[1]) == re.sub(r"#.*\n", "", written)


def test_a_direction_that_only_a_removed_overlay_declared_is_noted(portals: Desk) -> None:
    """Without a base its limits are left alone, and the plan says so."""
    git(portals, "init", "-qb", "main")
    portals.write("overlays/production/deals.yaml", "from: deals\nto: contacts\nmax: 9\n")
    commit(portals, {})
    git(portals, "rm", "-q", "overlays/production/deals.yaml")
    warnings = plan(portals, "production")["warnings"]
    assert any("deals → contacts" in each and "removed" in each for each in warnings)
    assert not any("deals → contacts" in each for each in plan(portals, "sandbox")["warnings"])


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("overlays/none", "overlay-missing"),
        ("reconciler.yaml", "overlay-missing"),
        ("../elsewhere", "path-outside"),
        ("/etc", "path-invalid"),
        ("''", "path-invalid"),
    ],
)
def test_a_folder_that_cannot_be_read_is_an_error_where_it_is_named(
    portals: Desk, folder: str, code: str
) -> None:
    """It may not be missing, nor leave the repository."""
    (portals.folder.parent / "elsewhere").mkdir(exist_ok=True)
    portals.write("reconciler.yaml", WORKSPACE.replace("overlays/production", folder))
    ran = portals.run_here("validate", "--format", "json")
    assert ran.code == 3
    (found,) = ran.json["diagnostics"]
    assert (found["code"], found["path"], found["line"]) == (code, "reconciler.yaml", 5)


def test_a_line_that_may_hold_a_token_is_not_shown(portals: Desk) -> None:
    """`overlays` are beside `token`, and somebody may have written the token itself."""
    line = "a: {token: {env: HUBSPOT_A}, portal_id: 1, overlays: [%s]}  # hunter2hunter2"
    for folder in ("../outside", "overlays/none"):
        portals.write("reconciler.yaml", f"version: 1\nportals:\n  {line % folder}\n")
        ran = portals.run_here("validate")
        assert ran.code == 3
        assert "hunter2" not in ran.out + ran.err


def test_an_overlay_below_configs_is_not_a_pair_file_as_well(portals: Desk) -> None:
    """For no portal: it says nothing by itself."""
    portals.write("reconciler.yaml", WORKSPACE.replace("overlays/production", "configs/production"))
    portals.write("configs/production/a.yaml", OVERLAY)
    assert len(plan(portals, "production")["changes"]) == 3
    assert len(plan(portals, "sandbox")["changes"]) == 2


def test_an_overlay_given_as_a_path_is_refused(portals: Desk) -> None:
    """Planning it alone would remove what the pair files declare."""
    for command in (("plan", "--portal", "production"), ("validate",)):
        ran = portals.run_here(*command, "overlays/production")
        assert ran.code == 3
        assert "is an overlay" in ran.err


def test_beside_the_files_given_an_overlay_changes_only_what_they_declare(portals: Desk) -> None:
    """`plan configs/deals.yaml` is about deals, whatever else production lays over."""
    portals.write("configs/deals.yaml", "from: deals\nto: contacts\nmax: 9\nprune: false\n")
    found = plan(portals, "production", "configs/deals.yaml")
    assert set(after(found)) == {"deals>contacts None"}
    assert "companies>contacts None" in after(
        plan(portals, "production", "configs/contacts-companies.yaml")
    )


# ---------------------------------------------------------------- with a base


@pytest.fixture
def repository(portals: Desk) -> Desk:
    """The workspace committed to main and applied to production; a branch checked out."""
    git(portals, "init", "-qb", "main")
    commit(portals, {})
    assert portals.run_here("apply", "--portal", "production", "--auto-approve").code == 0
    git(portals, "checkout", "-qb", "branch")
    return portals


def test_the_base_has_its_overlays_too(repository: Desk) -> None:
    """So that a change of one is this branch's change, and an unchanged one none."""
    assert plan(repository, "production", "--base", "main")["changes"] == []
    commit(
        repository,
        {"overlays/production/contacts-companies.yaml": OVERLAY.replace("50", "60")},
    )
    (change,) = plan(repository, "production", "--base", "main")["changes"]
    assert (change["before"], change["after"], change["origin"]) == (50, 60, "config")


def test_an_overlay_that_is_removed_takes_its_direction_with_it(repository: Desk) -> None:
    """The base declared it, for this portal, and did not say that nothing is pruned."""
    path = "overlays/production/contacts-companies.yaml"
    commit(repository, {path: OVERLAY.replace("prune: false\n", "")})
    git(repository, "branch", "-qf", "main")
    git(repository, "rm", "-q", "overlays/production/contacts-companies.yaml")
    commit(repository, {"overlays/production/empty.yaml": "# nothing any more\n"})
    found = plan(repository, "production", "--base", "main", code=4)
    changes = {
        (each["from"], each["label"]): (each["after"], each["origin"]) for each in found["changes"]
    }
    assert changes["companies", None] == (None, "config")
    assert changes["contacts", "Billing contact"] == (2, "config")


def test_an_overlay_cannot_take_protection_off_silently(repository: Desk) -> None:
    """The base's files protect the limit: lowering it by an overlay is refused as in the file."""
    commit(
        repository,
        {
            "overlays/production/contacts-companies.yaml": OVERLAY.replace(
                "Billing contact: 3", "Billing contact: {max: 1, protect: null}"
            )
        },
    )
    found = plan(repository, "production", "--base", "main", code=4)
    assert [each["code"] for each in found["refusals"]] == ["protected"]


def test_an_overlay_that_is_invalid_at_the_base_says_nothing(repository: Desk) -> None:
    """The branch that repairs it can be planned, and nothing is taken for removed."""
    git(repository, "checkout", "-q", "main")
    commit(repository, {"overlays/production/b.yaml": "from: [\n"})
    git(repository, "checkout", "-qB", "branch")
    git(repository, "rm", "-q", "overlays/production/b.yaml")
    commit(repository, {})
    found = plan(repository, "production", "--base", "main")
    assert found["changes"] == []
    assert any("overlays/production/b.yaml" in each for each in found["warnings"])


def test_an_overlay_that_is_not_committed_makes_the_files_dirty(repository: Desk) -> None:
    """As a pair file does."""
    assert not plan(repository, "production")["config"]["git"]["dirty"]
    repository.write("overlays/production/new.yaml", "from: deals\nto: contacts\nmax: 9\n")
    assert plan(repository, "production")["config"]["git"]["dirty"]


def test_a_portal_that_is_renamed_keeps_what_its_overlays_said_at_the_base(
    repository: Desk,
) -> None:
    """By its ID or its token: else the overlays' limits would look like somebody's doing in HubSpot."""
    renamed = WORKSPACE.replace("  production:", "  live:")
    commit(repository, {"reconciler.yaml": renamed})
    assert plan(repository, "live", "--base", "main")["changes"] == []
    commit(repository, {"reconciler.yaml": renamed.replace("overlays: [", "#")})
    found = plan(repository, "live", "--base", "main", code=4)
    assert {each["origin"] for each in found["changes"]} == {"config"}
    assert [each["code"] for each in found["refusals"]] == ["protected"]


def test_a_portal_that_is_new_beside_overlays_is_compared_with_the_portal_alone(
    repository: Desk,
) -> None:
    """Nobody knows what the base wanted of it: that somebody changed HubSpot cannot be said."""
    new = f"{WORKSPACE}  third:\n    token: {{env: HUBSPOT_THIRD_TOKEN}}\n"
    commit(repository, {"reconciler.yaml": new})
    repository.variables["HUBSPOT_THIRD_TOKEN"] = DEFAULT_TOKEN
    found = plan(repository, "third", "--base", "main", code=4)  # one of them is protected
    assert {each["origin"] for each in found["changes"]} == {None}
    assert any("main has no portal third" in each for each in found["warnings"])


def test_overlays_and_pair_files_are_bounded_together(
    portals: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workspace that lists one large folder many times over would read it as often."""
    monkeypatch.setattr("reconciler.config.sources.MAXIMUM_FILES", 3)
    every = ", ".join(f"overlays/{'./' * number}production" for number in range(3))
    portals.write("reconciler.yaml", WORKSPACE.replace("overlays/production", every))
    ran = portals.run_here("validate")
    assert ran.code == 3
    assert "more than 3 pair files" in ran.err


def test_an_invalid_overlay_is_the_failure_of_its_portal_alone(portals: Desk) -> None:
    """The other portal is planned; the mistake is reported at its line, and decides the code."""
    path = "overlays/production/contacts-companies.yaml"
    portals.write(path, OVERLAY.replace("50", "none"))
    ran = portals.run_here("plan", "--all-portals", "--out", "{portal}.json")
    assert ran.code == 3
    assert f"{path}:3:6" in ran.err
    assert (portals.folder / "sandbox.json").exists()
    assert not (portals.folder / "production.json").exists()


def test_a_missing_overlay_is_the_failure_of_its_portal_alone(portals: Desk) -> None:
    """It is reported where the workspace file names it."""
    portals.write("reconciler.yaml", WORKSPACE.replace("overlays/production", "overlays/gone"))
    ran = portals.run_here("plan", "--all-portals", "--out", "{portal}.json")
    assert ran.code == 3
    assert "reconciler.yaml:5:16" in ran.err
    assert "the overlay overlays/gone does not exist" in ran.err
    assert (portals.folder / "sandbox.json").exists()
