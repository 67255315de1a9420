"""`show` in the formats that reviewers read, with links where the host is known."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.ci import plans
from tests.ci.forges import serving
from tests.ci.github_api import GitHub
from tests.ci.here import run_here
from tests.cli.running import Desk

LINE = f"https://github.com/acme/limits/blob/{plans.COMMIT}/configs/contacts-companies.yaml#L4"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A clone of a repository on GitHub, with a plan made in it."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    remote = ["git", "remote", "add", "origin", "git@github.com:acme/limits.git"]
    subprocess.run(remote, cwd=tmp_path, check=True)
    plans.save(plans.small(), tmp_path / "plan.json")
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("format_", "begins"),
    [
        ("markdown", "## `production`: 2 lowered, 1 new limit, 1 removed\n"),
        ("html", "<!doctype html>\n"),
        ("mermaid", "flowchart LR\n"),
        ("json", '{"batches":'),
        ("text", "production (portal 1234567, STANDARD, API 2026-03)\n"),
    ],
)
def test_a_saved_plan_shows_in_every_format(desk: Desk, format_: str, begins: str) -> None:
    """One result on stdout, nothing on stderr."""
    ran = run_here(desk, "show", "--format", format_, "plan.json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(begins)


@pytest.mark.parametrize("format_", ["markdown", "html"])
def test_reports_link_the_lines_and_name_the_digest(desk: Desk, format_: str) -> None:
    """The remote tells where the files can be looked at."""
    out = run_here(desk, "show", "--format", format_, "plan.json").out
    assert LINE in out
    assert plans.small().digest in out


def test_a_comment_is_the_markdown_below_its_marker(desk: Desk) -> None:
    """What `show` prints is what reviewers get."""
    github = GitHub()
    with serving(github):
        desk.variables = github.variables
        assert run_here(desk, "comment", "plan.json").code == 0
        shown = run_here(desk, "show", "--format", "markdown", "plan.json").out
    _, _, body = github.bodies[0].partition("\n\n")
    assert body == shown.rstrip("\n")
