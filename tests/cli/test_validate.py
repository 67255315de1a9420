"""`validate` as a process, without a portal."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import Desk

BAD = "from: contacts\nto: companies\nmax: 0\nlabel:\n  A: 1\n"


def test_valid_files_are_counted(offline: Desk) -> None:
    """Exit 0 and one line."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    ran = offline.run("validate")
    assert (ran.code, ran.out) == (0, "Valid: 1 file, 1 direction, 1 limit.\n")


def test_all_errors_of_all_files_are_told_in_one_go(offline: Desk) -> None:
    """With place, code, the source line with a caret, and a hint; exit 3."""
    offline.write("configs/a.yaml", BAD)
    offline.write("configs/b.yaml", "from: deals\nto: contacts\nmax: 1_000\n")
    ran = offline.run("validate")
    assert ran.code == 3
    assert ran.out == ""
    for place in ("configs/a.yaml:3:6", "configs/a.yaml:4:1", "configs/b.yaml:3:6"):
        assert place in ran.err
    assert "max: 1_000" in ran.err
    assert "^" in ran.err
    assert "labels" in ran.err


@pytest.mark.parametrize("format_", ["json", "github", "sarif"])
def test_machines_read_stdout(offline: Desk, format_: str) -> None:
    """Each format holds every finding; exit 3 all the same."""
    offline.write("configs/a.yaml", BAD)
    ran = offline.run("validate", "--format", format_)
    assert ran.code == 3
    if format_ == "github":
        assert ran.out.startswith("::error file=configs/a.yaml,line=3,col=6")
    else:
        assert "configs/a.yaml" in json.dumps(ran.json)


def test_a_warning_is_not_an_error(offline: Desk) -> None:
    """Above 10,000 HubSpot's settings page does not go."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 20000\n")
    ran = offline.run("validate")
    assert ran.code == 0
    assert "configs/a.yaml:3:6: warning" in ran.err


def test_no_files_is_an_error(offline: Desk) -> None:
    """An empty folder must not look like a valid one."""
    assert offline.run("validate").code == 3


def test_the_workspace_file_is_checked_too(offline: Desk) -> None:
    """Unknown keys name the nearest known one."""
    offline.write("configs/a.yaml", "from: contacts\nto: companies\nmax: 5\n")
    offline.write("reconciler.yaml", "version: 1\nprunes: true\n")
    ran = offline.run("validate")
    assert ran.code == 3
    assert "reconciler.yaml:2:1" in ran.err
    assert "prune" in ran.err


def test_a_bad_workspace_does_not_hide_bad_pair_files(offline: Desk) -> None:
    """All errors of all files in one go."""
    offline.write("configs/a.yaml", BAD)
    offline.write("reconciler.yaml", "version: 2\n")
    ran = offline.run("validate")
    assert ran.code == 3
    assert "reconciler.yaml:1:10" in ran.err
    assert "configs/a.yaml:3:6" in ran.err


def test_a_named_workspace_must_exist(offline: Desk) -> None:
    """Wrong usage, not a silent default."""
    assert offline.run("--workspace", "nowhere.yaml", "validate").code == 64
