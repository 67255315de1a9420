"""A repository is started by one command: nothing is overwritten, and what it has works at once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.init import FORGES, recipes
from reconciler.sandbox.example import bare_portal
from reconciler.sandbox.server import serve
from tests.cli.running import Desk

ALWAYS = {
    "reconciler.yaml",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".vscode/settings.json",
    ".vscode/extensions.json",
    ".reconciler/pair.schema.json",
    ".reconciler/workspace.schema.json",
}
PAIRS = {
    "configs/contacts-contacts.yaml",
    "configs/contacts-companies.yaml",
    "configs/contacts-deals.yaml",
    "configs/contacts-car.yaml",
}
SOURCE = f"acme/hubspot-reconciler@{'a' * 40}"


def files(folder: Path) -> set[str]:
    """Every file below the folder, but for git's own."""
    found = (each for each in folder.rglob("*") if each.is_file())
    return {each.relative_to(folder).as_posix() for each in found if ".git/" not in str(each)}


def test_with_a_token_the_pair_files_come_from_the_portal(desk: Desk) -> None:
    """The plan after it is empty, the files are canonical, and the portal's ID is written down."""
    made = desk.run_here("init", "repo")
    assert made.code == 0, made.err
    assert files(desk.folder / "repo") == ALWAYS | PAIRS
    here = Desk(desk.folder / "repo", desk.server)
    assert "portal_id: 1234567" in (here.folder / "reconciler.yaml").read_text()
    assert here.run_here("plan").last_line.startswith("No changes.")
    assert here.run_here("fmt", "--check").code == 0
    assert here.run_here("validate").err == ""
    assert desk.writes() == []


def test_editors_know_this_portals_labels(desk: Desk) -> None:
    """The schema is the portal's, and the files name it."""
    desk.run_here("init")
    assert "Billing contact" in (desk.folder / ".reconciler/pair.schema.json").read_text()
    first = (desk.folder / "configs/contacts-companies.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../.reconciler/pair.schema.json"


def test_without_a_token_there_is_a_commented_example(offline: Desk) -> None:
    """It declares nothing until somebody takes the # away, and then it is valid."""
    made = offline.run_here("init")
    assert made.code == 0, made.err
    assert files(offline.folder) == ALWAYS | {"configs/contacts-companies.yaml"}
    assert "export HUBSPOT_ACCESS_TOKEN" in made.out
    example = offline.folder / "configs/contacts-companies.yaml"
    lines = example.read_text().splitlines()
    start = lines.index("# from: contacts")
    offline.write("configs/contacts-companies.yaml", "\n".join(x[2:] for x in lines[start:]))
    checked = offline.run_here("validate")
    assert (checked.code, checked.last_line) == (0, "Valid: 1 file, 2 directions, 4 limits.")


def test_nothing_is_overwritten(offline: Desk) -> None:
    """A second time nothing changes, and files that were there before stay as they are."""
    offline.write("reconciler.yaml", "version: 1\n")
    offline.run_here("init", "--ci", "github")
    before = {each: (offline.folder / each).read_bytes() for each in files(offline.folder)}
    assert before["reconciler.yaml"] == b"version: 1\n"
    again = offline.run_here("init", "--ci", "github")
    assert "written" not in again.out
    assert before == {each: (offline.folder / each).read_bytes() for each in files(offline.folder)}


def test_pair_files_that_are_there_are_kept(desk: Desk) -> None:
    """They may differ from the portal: `import` says so, and `init` does the rest."""
    mine = "from: contacts\nto: companies\nmax: 1\n"
    desk.write("configs/mine.yml", mine)
    ran = desk.run_here("init", "--ci", "none")
    assert ran.code == 0, ran.err
    assert "kept     configs\n" in ran.out
    assert "\nNext:\n" in ran.out
    assert [each.name for each in (desk.folder / "configs").iterdir()] == ["mine.yml"]
    assert desk.run_here("init", "--ci", "none", "--import").code == 1
    assert (desk.folder / "configs/mine.yml").read_text() == mine


def test_the_portal_of_a_workspace_file_that_is_there_is_imported(desk: Desk) -> None:
    """Its name need not be given."""
    desk.write(
        "reconciler.yaml",
        "version: 1\nportals: {ours: {token: {env: HUBSPOT_ACCESS_TOKEN}}}\n",
    )
    ran = desk.run_here("init", "--ci", "none")
    assert ran.code == 0, ran.err
    assert "Imported: 6 limits in 4 files." in ran.out


@pytest.mark.parametrize("forge", FORGES)
def test_the_recipe_is_the_one_of_the_examples(offline: Desk, forge: str) -> None:
    """With the place that CI takes reconciler from filled in."""
    offline.run_here("init", "--ci", forge, "--source", SOURCE)
    made = files(offline.folder) - ALWAYS - {"configs/contacts-companies.yaml"}
    if forge == "none":
        assert made == set()
        return
    for each in made:
        text = (offline.folder / each).read_text()
        assert "-your-org-" not in text
        assert "0" * 40 not in text
        original = (recipes() / forge / Path(each).name).read_text()
        filled = original.replace("-your-org-/hubspot-reconciler", "acme/hubspot-reconciler")
        assert text == filled.replace("0" * 40, "a" * 40)


@pytest.mark.parametrize(
    ("url", "recipe"),
    [
        ("git@github.com:acme/limits.git", ".github/workflows/hubspot-plan.yml"),
        ("https://gitlab.com/acme/limits.git", ".gitlab-ci.yml"),
    ],
)
def test_the_remote_says_which_recipe(offline: Desk, url: str, recipe: str) -> None:
    """Where stdin is not a terminal nobody is asked."""
    subprocess.run(["git", "init", "-q", offline.folder], check=True)
    subprocess.run(["git", "remote", "add", "origin", url], cwd=offline.folder, check=True)
    offline.run_here("init")
    assert recipe in files(offline.folder)


def test_a_portal_without_limits_begins_with_the_example(tmp_path: Path) -> None:
    """An import of nothing would leave a folder that no command can use."""
    with serve(bare_portal()) as server:
        made = Desk(tmp_path, server).run_here("init")
    assert made.code == 0, made.err
    assert "configs/contacts-companies.yaml" in files(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--portal-id", "7"], 64, "the token belongs to portal 1234567"),
        (["--source", "acme/x@main"], 64, "all 40 digits"),
        (["--token-env", "AWS_SECRET"], 64, "begins with HUBSPOT_"),
        (["--all-portals"], 64, "one portal"),
        (["--portal", "a/../b"], 64, "letters, digits"),
        (["--token-env", "HUBSPOT_OTHER", "--import"], 1, "HUBSPOT_OTHER is not set"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    desk: Desk, arguments: list[str], code: int, words: str
) -> None:
    """With what to do instead."""
    refused = desk.run_here("init", *arguments)
    assert refused.code == code, refused.err
    assert words in refused.err
    assert files(desk.folder) == set()


def test_a_key_that_is_not_accepted_writes_nothing(desk: Desk) -> None:
    """Half a repository would be worse than none."""
    desk.variables["HUBSPOT_ACCESS_TOKEN"] = "pat-na1-wrong"
    assert desk.run_here("init").code == 1
    assert files(desk.folder) == set()


def test_a_link_out_of_the_folder_is_refused(offline: Desk, tmp_path: Path) -> None:
    """Nothing is written outside the folder that was asked for."""
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (offline.folder / "repo").mkdir()
    (offline.folder / "repo" / ".vscode").symlink_to(outside)
    refused = offline.run_here("init", "repo")
    assert refused.code == 1
    assert "leads out of repo" in refused.err
    assert list(outside.iterdir()) == []
    assert files(offline.folder / "repo") == set()


def test_the_editor_settings_name_the_schemas(offline: Desk) -> None:
    """For editors that read no modeline."""
    offline.run_here("init")
    settings = json.loads((offline.folder / ".vscode/settings.json").read_text())
    assert all((offline.folder / each).is_file() for each in settings["yaml.schemas"])


@pytest.mark.parametrize("name", ["HUBSPOT_X}, a: {b: c", "HUBSPOT_X\n  other: {}", "HUBSPOT_ "])
def test_the_name_of_a_variable_is_no_yaml(offline: Desk, name: str) -> None:
    """It would make a workspace file that says something else."""
    ran = offline.run_here("init", "--token-env", name)
    assert ran.code == 64, ran.err
    assert files(offline.folder) == set()
