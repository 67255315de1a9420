"""`--base` in the states that repositories and portals really get into."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.cli.conftest import PAIR
from tests.cli.running import Desk, git

PATH = "configs/contacts-companies.yaml"
DEALS = "from: deals\nto: contacts\nlabels: {Champion: 1}\n"


def commit(desk: Desk, files: dict[str, str]) -> None:
    """Write files and commit all that differs."""
    for path, text in files.items():
        desk.write(path, text)
    git(desk, "add", "--all")
    git(desk, "commit", "-qm", "x")


@pytest.fixture
def repository(pair: Desk) -> Desk:
    """Two pair files committed to main and applied; a branch checked out."""
    git(pair, "init", "-qb", "main")
    commit(pair, {"configs/deals.yaml": DEALS})
    assert pair.run_here("apply", "--auto-approve").code == 0
    git(pair, "checkout", "-qb", "branch")
    return pair


def planned(desk: Desk, *arguments: str, base: str = "main", code: int = 0) -> Any:
    """The plan as JSON."""
    ran = desk.run_here("plan", "--base", base, "--format", "json", *arguments)
    assert ran.code == code, ran
    return ran.json


def changes(plan: Any) -> dict[str, tuple[int | None, int | None, str | None]]:
    """Before, after and origin by ID."""
    return {each["id"]: (each["before"], each["after"], each["origin"]) for each in plan["changes"]}


BILLING = "contacts>companies/USER_DEFINED/28"
OBJECT = "contacts>companies/HUBSPOT_DEFINED/279"


def applied_on_main(desk: Desk, text: str) -> None:
    """A colleague's change: merged to main and applied, while the branch stays where it was."""
    git(desk, "checkout", "-q", "main")
    commit(desk, {PATH: text})
    assert desk.run_here("apply", "--auto-approve", "--base", "main~1").code == 0
    git(desk, "checkout", "-q", "branch")


def test_a_branch_behind_main_puts_nothing_back(repository: Desk) -> None:
    """Neither in the plan nor by an apply, and the report says to merge or rebase."""
    applied_on_main(repository, PAIR.replace("Billing contact: 2\n", "Billing contact: 3\n", 1))
    plan = planned(repository)
    assert changes(plan) == {}
    assert any("merge or rebase main" in each for each in plan["warnings"])
    text = repository.run_here("plan", "--base", "main").out
    assert "Somebody changed" not in text
    commit(repository, {PATH: PAIR.replace("max: 8", "max: 9")})
    assert changes(planned(repository)) == {OBJECT: (8, 9, "config")}
    assert repository.run_here("apply", "--auto-approve", "--base", "main").code == 0
    git(repository, "merge", "-q", "-m", "x", "main")
    assert changes(planned(repository)) == {}


def test_the_commit_that_was_applied_last_is_a_base(repository: Desk) -> None:
    """As in CD: it is an ancestor, so merge base and tip are one."""
    git(repository, "checkout", "-q", "main")
    commit(repository, {PATH: PAIR.replace("max: 8", "max: 9")})
    assert changes(planned(repository, base="main~1")) == {OBJECT: (8, 9, "config")}


@pytest.mark.parametrize(
    ("broken", "file"),
    [
        (PAIR.replace("max: 8", "max: 0"), PATH),
        ("from: [", PATH),
        ("version: 2\n", "reconciler.yaml"),
        (PAIR, "configs/twice.yaml"),
    ],
    ids=["value", "syntax", "workspace", "duplicate"],
)
def test_the_change_that_repairs_main_can_be_planned_and_applied(
    repository: Desk, broken: str, file: str
) -> None:
    """What it repairs is compared with the portal alone, and the report says so."""
    repaired = {PATH: PAIR.replace("max: 8", "max: 9")}
    if file != PATH:
        repaired[file] = "version: 1\n" if file == "reconciler.yaml" else "# empty\n"
    git(repository, "checkout", "-q", "main")
    commit(repository, {file: broken})
    git(repository, "checkout", "-q", "-B", "branch")
    commit(repository, repaired)
    plan = planned(repository)
    assert changes(plan) == {OBJECT: (8, 9, None)}
    assert any(f"main:{file}" in each or "declared more" in each for each in plan["warnings"])
    assert any("compared with the portal alone" in each for each in plan["warnings"])
    assert repository.run_here("apply", "--auto-approve", "--base", "main").code == 0


def test_what_cannot_be_read_at_the_base_is_not_removed(repository: Desk) -> None:
    """A broken file of main that the branch deletes: nobody knows what it declared."""
    git(repository, "checkout", "-q", "main")
    commit(repository, {"configs/deals.yaml": DEALS.replace("1", "zero")})
    git(repository, "checkout", "-q", "-B", "branch")
    repository.folder.joinpath("configs/deals.yaml").unlink()
    plan = planned(repository)
    assert changes(plan) == {}
    assert any("main:configs/deals.yaml" in each for each in plan["warnings"])


def rename_label(desk: Desk, type_id: int, label: str, inverse_label: str) -> None:
    """What somebody does in HubSpot's settings."""
    assert desk.server is not None
    body = {
        "associationTypeId": type_id,
        "label": label,
        "inverseLabel": inverse_label,
    }
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        f"{desk.server.url}/crm/associations/2026-03/0-1/0-2/labels",
        data=json.dumps(body).encode(),
        method="PUT",
        headers={
            "Authorization": f"Bearer {DEFAULT_TOKEN}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
        assert answer.status in {200, 204}


def test_a_label_renamed_in_hubspot_is_drift(repository: Desk) -> None:
    """Exit 4 and not 3: the nightly check goes on to all other directions."""
    rename_label(repository, 28, "Invoice contact", "Billing contact")
    assert repository.server is not None
    repository.server.edit("deals", "contacts", 32, 7)
    plan = planned(repository, code=4)
    (refusal,) = plan["refusals"]
    assert (refusal["code"], refusal["change"]) == ("vanished", None)
    assert refusal["source"]["path"] == PATH
    assert "drift" in refusal["message"]
    assert '"Invoice contact"' in refusal["message"]
    assert {each["origin"] for each in plan["changes"]} == {"drift"}
    assert {(each["from"], each["to"]) for each in plan["changes"]} == {("deals", "contacts")}
    text = repository.run_here("plan", "--base", "main")
    assert text.code == 4
    assert '"Invoice contact"' in text.out
    saved = repository.folder / "plan.json"
    assert repository.run_here("plan", "--base", "main", "--out", str(saved)).code == 4
    for arguments in (("--auto-approve", "--base", "main"), (str(saved),), (str(saved), "--force")):
        assert repository.run_here("apply", *arguments).code == 4
    assert not repository.writes()[4:]
    without = repository.run_here("plan")
    assert (without.code, "label-unknown" in without.err) == (3, True)


def test_a_refused_plan_without_a_change_does_not_say_that_all_is_well(repository: Desk) -> None:
    """In none of the formats."""
    rename_label(repository, 28, "Invoice contact", "Billing contact")
    for format_ in ("text", "markdown", "html", "mermaid"):
        ran = repository.run_here("plan", "--base", "main", "--format", format_)
        assert ran.code == 4
        assert "The portal matches the configuration" not in ran.out


def test_a_new_workspace_file_that_moves_the_folder_loses_nothing(repository: Desk) -> None:
    """Where the base has none, its files are in `configs`: limits that were there are removed."""
    git(repository, "mv", "configs", "limits")
    git(repository, "rm", "-qf", "limits/deals.yaml")
    commit(repository, {"reconciler.yaml": "version: 1\nconfigs: limits\n"})
    assert changes(planned(repository)) == {"deals>contacts/USER_DEFINED/32": (1, None, "config")}


@pytest.mark.parametrize("path", ["eu/reconciler.yaml", "eu.yaml"])
def test_a_new_workspace_beside_another_does_not_take_over_its_files(
    repository: Desk, path: str
) -> None:
    """What the other one declares is not this one's to remove."""
    git(repository, "checkout", "-q", "main")
    commit(repository, {"reconciler.yaml": "version: 1\n"})
    git(repository, "checkout", "-qB", "branch")
    folder = "configs" if "/" in path else "eu"
    ours = f"{path.removesuffix('reconciler.yaml').removesuffix('eu.yaml')}{folder}/pair.yaml"
    commit(repository, {path: f"version: 1\nconfigs: {folder}\n", ours: PAIR.replace("8", "9")})
    plan = planned(repository, "--workspace", path)
    assert changes(plan) == {OBJECT: (8, 9, "config")}


def test_a_workspace_that_moved_down_takes_its_files_along(repository: Desk) -> None:
    """Where none is left above, it is the one of before: what it gave up is removed."""
    git(repository, "checkout", "-q", "main")
    commit(repository, {"reconciler.yaml": "version: 1\n"})
    git(repository, "checkout", "-qB", "branch")
    repository.write("hub/x.txt", "")
    git(repository, "mv", "reconciler.yaml", "configs", "hub")
    git(repository, "rm", "-qf", "hub/configs/deals.yaml")
    commit(repository, {})
    plan = planned(repository, "--workspace", "hub/reconciler.yaml")
    assert changes(plan) == {"deals>contacts/USER_DEFINED/32": (1, None, "config")}


def test_a_folder_above_is_the_base_s_too(repository: Desk) -> None:
    """`configs` is looked for upwards, here and at the base."""
    repository.write("hub/x.txt", "")
    inner = Desk(repository.folder / "hub", repository.server)
    assert changes(planned(inner)) == {}
    repository.folder.joinpath("configs/deals.yaml").unlink()
    assert set(changes(planned(inner))) == {"deals>contacts/USER_DEFINED/32"}


def test_a_custom_object_that_is_gone_is_drift(repository: Desk) -> None:
    """Renamed or deleted in HubSpot: the others are compared; a misspelt one is a mistake."""
    custom = "from: contacts\nto: p_gone_object\nmax: 3\n"
    git(repository, "checkout", "-q", "main")
    commit(repository, {"configs/custom.yaml": custom})
    git(repository, "checkout", "-qB", "branch")
    commit(repository, {PATH: PAIR.replace("max: 8", "max: 9")})
    plan = planned(repository, code=4)
    (refusal,) = plan["refusals"]
    assert refusal["code"] == "vanished"
    assert "p_gone_object" in refusal["message"]
    assert changes(plan) == {OBJECT: (8, 9, "config")}
    repository.write("configs/other.yaml", custom.replace("gone", "other"))
    ran = repository.run_here("plan", "--base", "main")
    assert (ran.code, "configs/other.yaml" in ran.err) == (3, True)


def test_the_change_that_removes_a_link_out_of_the_repository_can_be_planned(
    repository: Desk,
) -> None:
    """An older version accepted it on disk."""
    git(repository, "checkout", "-q", "main")
    repository.folder.joinpath("configs/z.yaml").symlink_to("/etc/hostname")
    commit(repository, {})
    git(repository, "checkout", "-qB", "branch")
    git(repository, "rm", "-q", "configs/z.yaml")
    commit(repository, {PATH: PAIR.replace("max: 8", "max: 9")})
    plan = planned(repository)
    assert changes(plan) == {OBJECT: (8, 9, "config")}
    assert any("configs/z.yaml is a link that leads out" in each for each in plan["warnings"])


# ---------------------------------------------------------------- files that are not on disk


def hide(desk: Desk, how: str) -> None:
    """Take the pair file of deals out of the work tree, and not out of the commit."""
    match how:
        case "sparse":
            git(desk, "sparse-checkout", "set", "--no-cone", "/*", "!configs/deals.yaml")
        case "skip-worktree":
            git(desk, "update-index", "--skip-worktree", "configs/deals.yaml")
        case _:
            git(desk, "update-index", "--assume-unchanged", "configs/deals.yaml")
    desk.folder.joinpath("configs/deals.yaml").unlink(missing_ok=True)


@pytest.mark.parametrize("how", ["sparse", "skip-worktree", "assume-unchanged"])
def test_a_file_that_is_not_checked_out_is_not_removed(repository: Desk, how: str) -> None:
    """It is read from HEAD, with a base and without one, and the report says so."""
    hide(repository, how)
    plan = planned(repository)
    assert changes(plan) == {}
    assert not plan["config"]["git"]["dirty"]
    assert any("was read from HEAD" in each for each in plan["warnings"])
    assert [each["path"] for each in plan["config"]["files"]] == [PATH, "configs/deals.yaml"]
    assert repository.run_here("validate").out == (
        "Valid: 2 files, 3 directions, 6 limits. With 1 warning.\n"
    )
    commit(repository, {PATH: PAIR.replace("max: 8", "max: 9")})
    assert changes(planned(repository)) == {OBJECT: (8, 9, "config")}
    assert set(changes(repository.run_here("plan", "--format", "json").json)) == {OBJECT}


def test_a_folder_that_is_not_checked_out_is_read(repository: Desk) -> None:
    """A sparse checkout of other folders, as for one team's files."""
    commit(repository, {"configs/team/deals.yaml": DEALS, "configs/deals.yaml": "# moved\n"})
    git(repository, "sparse-checkout", "set", "--cone", "other")
    assert not repository.folder.joinpath("configs").exists()
    ran = repository.run_here("plan", "--base", "main")
    assert (ran.code, "configs is in the repository but not on disk" in ran.err) == (3, True)
    git(repository, "sparse-checkout", "set", "--no-cone", "/*", "!configs/team")
    assert not repository.folder.joinpath("configs/team").exists()
    assert changes(planned(repository)) == {}


@pytest.mark.parametrize("command", ["import", "status"])
def test_files_that_are_all_kept_off_the_disk_are_not_taken_for_missing(
    repository: Desk, command: str
) -> None:
    """Import would declare the same directions a second time, status call all limits uncovered."""
    names = git(repository, "ls-files", "configs").split()
    git(repository, "update-index", "--skip-worktree", *names)
    shutil.rmtree(repository.folder / "configs")
    ran = repository.run_here(command)
    assert ran.code == 3
    assert "is in the repository but not on disk" in ran.err
    assert not (repository.folder / "configs").exists()


def test_a_saved_plan_is_not_applied_beside_files_that_are_kept_off_the_disk(
    repository: Desk,
) -> None:
    """They may protect what the plan lowers: without them nobody knows."""
    repository.run_here("plan", "--out", "plan.json")
    names = git(repository, "ls-files", "configs").split()
    git(repository, "update-index", "--skip-worktree", *names)
    shutil.rmtree(repository.folder / "configs")
    before = repository.writes()
    ran = repository.run_here("apply", "plan.json")
    assert ran.code == 3
    assert "is in the repository but not on disk" in ran.err
    assert repository.writes() == before


def test_a_file_that_was_deleted_is_removed(repository: Desk) -> None:
    """That is the user's change, committed or not."""
    repository.folder.joinpath("configs/deals.yaml").unlink()
    plan = planned(repository)
    assert {each["origin"] for each in plan["changes"]} == {"config"}
    assert [each["after"] for each in plan["changes"]] == [None]
    assert plan["config"]["git"]["dirty"]


def test_a_workspace_file_that_is_not_checked_out_is_refused(repository: Desk) -> None:
    """Its settings would be missed in silence, and another one above taken in its place."""
    commit(repository, {"reconciler.yaml": "version: 1\nprune: false\n", "hub/x.txt": ""})
    git(repository, "update-index", "--skip-worktree", "reconciler.yaml")
    repository.folder.joinpath("reconciler.yaml").unlink()
    for folder in (repository.folder, repository.folder / "hub"):
        ran = Desk(folder, repository.server).run_here("plan")
        assert ran.code == 3
        assert "reconciler.yaml is in the repository but not on disk" in ran.err


def test_other_line_ends_on_disk_are_no_change(repository: Desk) -> None:
    """As a checkout on Windows has them."""
    text = Path(repository.folder / PATH).read_text("utf-8")
    repository.folder.joinpath(PATH).write_bytes(text.replace("\n", "\r\n").encode())
    assert not planned(repository)["config"]["git"]["dirty"]
    repository.folder.joinpath(PATH).write_text(text + "# more\n", encoding="utf-8")
    assert planned(repository)["config"]["git"]["dirty"]


# ---------------------------------------------------------------- a plan without a base


def warnings(desk: Desk, *arguments: str) -> list[str]:
    """What a plan without a base says of removed files."""
    plan = desk.run_here("plan", "--format", "json", *arguments).json
    return [each for each in plan["warnings"] if "was removed" in each]


def test_a_plan_without_a_base_says_what_a_removed_file_declared(repository: Desk) -> None:
    """Not committed yet, on a branch, and on the default branch after the merge."""
    git(repository, "checkout", "-q", "main")
    assert warnings(repository) == []
    repository.folder.joinpath("configs/deals.yaml").unlink()
    (warning,) = warnings(repository)
    assert warning.startswith("configs/deals.yaml declared deals → contacts at HEAD")
    assert "plan with --base HEAD" in warning
    git(repository, "checkout", "-qB", "branch")
    git(repository, "commit", "-qam", "x")
    (warning,) = warnings(repository)
    assert "plan with --base main" in warning
    git(repository, "checkout", "-qB", "main")
    (warning,) = warnings(repository)
    assert "plan with --base HEAD^" in warning
    assert set(changes(planned(repository, base="HEAD^"))) == {"deals>contacts/USER_DEFINED/32"}


def test_a_moved_or_hidden_file_was_not_removed(repository: Desk) -> None:
    """Its directions are declared still."""
    git(repository, "mv", "configs/deals.yaml", "configs/sales.yaml")
    assert warnings(repository) == []
    assert warnings(repository, "configs/contacts-companies.yaml") == []
    git(repository, "mv", "configs/sales.yaml", "configs/deals.yaml")
    hide(repository, "skip-worktree")
    assert warnings(repository) == []
