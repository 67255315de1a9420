"""Paths in annotations, code scanning and plans: from the repository's top, wherever one stands."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from reconciler.git.repository import run
from reconciler.report.escape import file_uri
from reconciler.sandbox.example import example_portal
from reconciler.sandbox.server import serve
from tests.cli.running import Desk, git

FAULTY = "from: contacts\nto: companies\nmax: 0\nlabels:\n  Billing contact: 60000\n"
"""A limit below and one above the range: two errors."""

GOOD = "from: contacts\nto: companies\nmax: 5\nlabels:\n  Billing contact: 2\n"


@pytest.fixture
def here(tmp_path: Path) -> Desk:
    """A repository with pair files in the folder of a team."""
    desk = Desk(tmp_path / "repository")
    desk.write("team/configs/deep/ä b.yaml", FAULTY)
    git(desk, "init", "-q", "-b", "main")
    return desk


def at(desk: Desk, folder: str) -> Desk:
    """The same desk in a folder of its own or elsewhere."""
    (desk.folder / folder).mkdir(parents=True, exist_ok=True)
    return Desk(desk.folder / folder, desk.server, desk.variables)


def annotated(desk: Desk, *arguments: str) -> set[str]:
    """The files that the annotations name."""
    lines = desk.run_here("validate", "--format", "github", *arguments).out.splitlines()
    assert lines
    return {line.partition("file=")[2].partition(",line=")[0] for line in lines}


def scanned(desk: Desk, *arguments: str) -> list[dict[str, Any]]:
    """The places of the SARIF log."""
    (run,) = desk.run_here("validate", "--format", "sarif", *arguments).json["runs"]
    return [each["locations"][0]["physicalLocation"] for each in run["results"]]


@pytest.mark.parametrize(
    ("folder", "paths"),
    [
        (".", ["team/configs"]),
        ("team", []),
        ("team/configs", []),
        ("team/configs/deep", ["."]),
        ("other", ["../team/configs/deep/ä b.yaml"]),
        ("../elsewhere", ["../repository/team/configs"]),
    ],
)
def test_the_folder_does_not_matter(here: Desk, folder: str, paths: list[str]) -> None:
    """Nor does how the path was written, absolute or not."""
    desk = at(here, folder)
    for given in (paths, [str((desk.folder / each).resolve()) for each in paths]):
        assert annotated(desk, *given) == {"team/configs/deep/ä b.yaml"}
        assert {each["artifactLocation"]["uri"] for each in scanned(desk, *given)} == {
            "team/configs/deep/%C3%A4%20b.yaml"
        }
        assert {each["artifactLocation"]["uriBaseId"] for each in scanned(desk, *given)} == {
            "%SRCROOT%"
        }


def test_text_and_json_stay_relative_to_the_folder(here: Desk) -> None:
    """Whoever reads them is there, and opens the file from there."""
    ran = at(here, "team/configs").run_here("validate", "deep")
    assert ran.err.startswith("deep/ä b.yaml:3:6: error[")
    ran = at(here, "team/configs").run_here("validate", "deep", "--format", "json")
    assert {each["path"] for each in ran.json["diagnostics"]} == {"deep/ä b.yaml"}


def test_words_name_the_same_path(here: Desk) -> None:
    """In a message and its hint: only there, not where the path is a part of another word."""
    here.write("team/twice/a.yaml", GOOD)
    here.write("team/twice/b.yaml", GOOD)
    here.write("team/twice/empty.YAML", "")
    ran = at(here, "team").run_here("validate", "--format", "github", "twice")
    assert "is already declared at team/twice/a.yaml:1:7%0A" in ran.out
    assert "::team/twice/empty.YAML is not read: " in ran.out
    assert "team/team" not in ran.out


def test_a_workspace_of_another_folder(here: Desk) -> None:
    """`--workspace` from outside the repository: its own mistakes and those of its pair files."""
    here.write("team/reconciler.yaml", "version: 1\nsafty: {}\n")
    desk = at(here, "../elsewhere")
    found = annotated(desk, "--workspace", "../repository/team/reconciler.yaml")
    assert found == {"team/reconciler.yaml", "team/configs/deep/ä b.yaml"}
    here.write("team/reconciler.yaml", "version: 1\n")
    found = annotated(desk, "--workspace", "../repository/team/reconciler.yaml")
    assert found == {"team/configs/deep/ä b.yaml"}


def test_a_link_is_named_by_what_git_has(here: Desk) -> None:
    """A file behind a linked folder has one path in git; a link that leads out has its own."""
    (here.folder / "again").symlink_to("team/configs")
    assert annotated(here, "again") == {"team/configs/deep/ä b.yaml"}
    (here.folder / "out").mkdir()
    (here.folder / "out" / "hosts.yaml").symlink_to("/etc/hosts")
    assert annotated(here, "out") == {"out/hosts.yaml"}
    linked = here.folder.parent / "linked"
    linked.symlink_to(here.folder)
    assert annotated(Desk(linked / "team")) == {"team/configs/deep/ä b.yaml"}


def test_a_submodule_belongs_to_what_it_is_a_part_of(here: Desk, tmp_path: Path) -> None:
    """Another file of the pull request's repository may have the same path; alone it is the top."""
    here.write("README", "x")
    git(here, "add", "-A")
    git(here, "commit", "-qm", "pairs")
    outer = Desk(tmp_path / "outer")
    outer.folder.mkdir()
    git(outer, "init", "-q")
    git(
        outer,
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(str(here.folder), "limits"),
    )
    assert annotated(outer, "limits/team/configs") == {"limits/team/configs/deep/ä b.yaml"}
    assert annotated(at(outer, "limits/team")) == {"limits/team/configs/deep/ä b.yaml"}
    work_tree = tmp_path / "second"
    git(here, "worktree", "add", "-q", str(work_tree), "-b", "second")
    assert annotated(Desk(work_tree / "team")) == {"team/configs/deep/ä b.yaml"}


def test_outside_of_any_repository(tmp_path: Path) -> None:
    """Below the folder: as seen from it. Elsewhere: where it really is, since nothing is a top."""
    desk = Desk(tmp_path / "here")
    desk.write("configs/a.yaml", FAULTY)
    desk.write("../there/b.yaml", FAULTY)
    assert annotated(desk) == {"configs/a.yaml"}
    there = str(tmp_path / "there" / "b.yaml")
    assert annotated(desk, "../there") == {there}
    (first, *_) = scanned(desk, "../there")
    assert first["artifactLocation"] == {"uri": f"file://{there}"}


def test_separators_and_drives_of_windows() -> None:
    """`C:` is no scheme, and a backslash no part of a name there."""
    with mock.patch.object(os, "sep", "\\"):
        assert file_uri("configs\\a b.yaml") == "configs/a%20b.yaml"
        assert file_uri("C:\\limits\\a.yaml") == "file:///C:/limits/a.yaml"
        assert file_uri("\\\\server\\share\\a.yaml") == "file://server/share/a.yaml"
    assert file_uri("/srv/a.yaml") == "file:///srv/a.yaml"


# ---------------------------------------------------------------- regions, and more than ten


def test_every_region_has_an_end(here: Desk) -> None:
    """The text that is wrong, in characters: one behind its last."""
    here.write("c/a.yaml", 'from: contacts\nto: companies\nlabels: {"Büro 🏢": 0}\n')
    (place,) = scanned(here, "c")
    assert place["region"] == {"startLine": 3, "startColumn": 20, "endLine": 3, "endColumn": 21}
    here.write("c/a.yaml", "from: contacts\nto: companies\nmaximum of all: 5\n")
    (place,) = scanned(here, "c")
    assert place["region"] == {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 15}


def test_more_than_ten_are_in_the_log_as_text_too(here: Desk) -> None:
    """GitHub keeps ten annotations of a step; with ten or fewer, nothing is said twice."""
    limits = "".join(f"  Label {number}: 0\n" for number in range(12))
    here.write("c/a.yaml", f"from: contacts\nto: companies\nlabels:\n{limits}")
    ran = at(here, "team").run_here("validate", "--format", "github", "../c")
    assert len(ran.out.splitlines()) == 12
    assert ran.err.count("error[limit-out-of-range]") == 12
    assert "../c/a.yaml:15:" in ran.err
    few = at(here, "team").run_here("validate", "--format", "github")
    assert (len(few.out.splitlines()), few.err) == (2, "")


# ---------------------------------------------------------------- plans


@pytest.fixture
def planned(here: Desk) -> Iterator[Desk]:
    """The same repository, committed and without mistakes, and a portal."""
    (here.folder / "team/configs/deep/ä b.yaml").unlink()
    here.write("team/configs/a.yaml", GOOD)
    git(here, "add", "-A")
    git(here, "commit", "-qm", "pairs")
    with serve(example_portal()) as server:
        yield Desk(here.folder / "team", server)


def test_a_plan_has_the_same_paths_from_every_folder(planned: Desk) -> None:
    """So that its links lead to the file, wherever the plan is shown."""
    documents = []
    for desk, paths in ((planned, []), (at(planned, ".."), ["team/configs"])):
        ran = desk.run_here("plan", "--format", "json", *paths)
        document = ran.json
        assert [each["path"] for each in document["config"]["files"]] == ["team/configs/a.yaml"]
        assert {each["source"]["path"] for each in document["changes"]} == {"team/configs/a.yaml"}
        documents.append(json.dumps(document["changes"]))
    assert documents[0] == documents[1]


@pytest.mark.parametrize(
    ("folder", "file", "known"),
    [
        ("team", "reconciler.yaml", "team/reconciler.yaml"),
        ("team/configs", "../reconciler.yaml", "team/reconciler.yaml"),
        ("", "link/reconciler.yaml", "team/reconciler.yaml"),
        ("../elsewhere", "../repository/link/reconciler.yaml", "team/reconciler.yaml"),
        ("", "other/reconciler.yaml", "other/reconciler.yaml"),
    ],
)
def test_a_workspace_has_one_name(planned: Desk, folder: str, file: str, known: str) -> None:
    """Its comment is found again whichever way leads there; a link to the file is another one."""
    planned.write("reconciler.yaml", "version: 1\nportals: {default: {}}\n")
    planned.write("../other/configs/a.yaml", GOOD)
    top = planned.folder.parent
    (top / "link").symlink_to("team")
    (top / "other/reconciler.yaml").symlink_to("../team/reconciler.yaml")
    desk = at(planned, f"../{folder}")
    assert desk.run_here("plan", "--workspace", file, "--out", "plan.json").code == 0
    document = json.loads((desk.folder / "plan.json").read_text("utf-8"))
    assert document["config"]["workspace"] == known


def test_the_text_of_a_plan_names_files_as_they_are_seen_from_here(planned: Desk) -> None:
    """Fresh or saved; elsewhere as the plan has them."""
    fresh = planned.run_here("plan", "--out", "../plan.json").out
    assert " configs/a.yaml:5" in fresh
    assert " configs/a.yaml:5" in planned.run_here("show", "../plan.json").out
    assert " team/configs/a.yaml:5" in at(planned, "..").run_here("show", "plan.json").out
    assert " ../team/configs/a.yaml:5" in at(planned, "../x").run_here("show", "../plan.json").out
    away = at(planned, "../../away")
    subprocess.run(["git", "init", "-q"], cwd=away.folder, check=True)
    inside = at(away, "below")
    shown = inside.run_here("show", str(planned.folder.parent / "plan.json")).out
    assert " team/configs/a.yaml:5" in shown


def test_a_plan_may_name_files_that_no_system_can_have(planned: Desk) -> None:
    """They are a stranger's words: too long for any folder, or with a NUL inside."""
    assert planned.run_here("plan", "--out", "../plan.json").code == 0
    file = planned.folder.parent / "plan.json"
    document = json.loads(file.read_text("utf-8"))
    for path in ("a" * 5_000, "a\0b"):
        document["config"]["files"][0]["path"] = path
        file.write_text(json.dumps(document))
        ran = planned.run_here("show", "../plan.json")
        assert (ran.code, ran.err) == (0, ""), path[:10]


def test_git_is_asked_once_for_the_links_of_many_plans(planned: Desk) -> None:
    """Not once a plan, and not again where a page is rendered twice."""
    git(planned, "remote", "add", "origin", "https://github.com/acme/limits.git")
    assert planned.run_here("plan", "--out", "../plan.json").code == 0
    document = json.loads((planned.folder.parent / "plan.json").read_text("utf-8"))
    for number in range(5):
        document["portal"]["name"] = f"p{number}"
        planned.write(f"plans/{number}.json", json.dumps(document))
    files = [f"plans/{number}.json" for number in range(5)]
    for format_ in ("html", "markdown"):
        with mock.patch("reconciler.forges.job.run", side_effect=run) as asked:
            ran = planned.run_here("show", *files, "--format", format_)
        assert "https://github.com/acme/limits/blob/" in ran.out
        assert asked.call_count == 1, format_


def test_links_of_a_plan_lead_to_the_file_from_every_folder(planned: Desk) -> None:
    """The plan was made in one folder, and is rendered in another."""
    planned.variables.update(
        {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/limits"}
    )
    made = planned.run_here("plan", "--format", "markdown", "--out", "../plan.json")
    commit = git(planned, "rev-parse", "HEAD")
    address = f"https://github.com/acme/limits/blob/{commit}/team/configs/a.yaml#L5"
    assert address in made.out
    for folder in ("..", "../team/configs", "../../elsewhere"):
        desk = at(planned, folder)
        plan = str(planned.folder.parent / "plan.json")
        assert address in desk.run_here("show", plan, "--format", "markdown").out
        assert address in desk.run_here("show", plan, "--format", "html").out


@pytest.mark.parametrize("folder", [".", "..", "configs", "../../elsewhere"])
def test_results_name_files_from_the_top(planned: Desk, folder: str) -> None:
    """In the result document of an apply, of paths or of a saved plan, from any folder."""
    planned.run_here("plan", "--out", "../plan.json")
    plan = str(planned.folder.parent / "plan.json")
    ran = at(planned, folder).run_here("apply", plan, "--format", "json")
    assert {each["source"]["path"] for each in ran.json["changes"]} == {"team/configs/a.yaml"}
    planned.write("configs/a.yaml", GOOD.replace("5", "6"))
    ran = planned.run_here("apply", "--auto-approve", "--format", "json")
    assert {each["source"]["path"] for each in ran.json["changes"]} == {"team/configs/a.yaml"}
