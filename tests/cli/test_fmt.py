"""`reconciler fmt`: files in canonical form, what cannot be formatted left as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.files import replace_file
from reconciler.errors import ReconcilerError
from tests.cli.running import Desk

UNTIDY = "to: companies\nfrom: contacts\nmax:   5 # five\n"
TIDY = "from: contacts\nto: companies\nmax: 5   # five\n"
BROKEN = "from: contacts\nto: deals\nmax: &five 5\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty folder; no portal is asked for anything."""
    return Desk(tmp_path)


def test_files_are_formatted_in_place(desk: Desk) -> None:
    """The configs folder where no path is given; a second time there is nothing to do."""
    file = desk.write("configs/a.yaml", UNTIDY)
    desk.write("configs/b.yaml", TIDY.replace("companies", "deals"))
    file.chmod(0o640)
    ran = desk.run_here("fmt")
    assert (ran.code, ran.out) == (0, "configs/a.yaml\nFormatted: 1 of 2 files.\n")
    assert file.read_text() == TIDY
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in file.parent.iterdir()) == ["a.yaml", "b.yaml"]
    again = desk.run_here("fmt")
    assert (again.code, again.out) == (0, "Nothing to format: 2 files read.\n")


def test_check_writes_nothing(desk: Desk) -> None:
    """It lists what is not canonical and exits 2, and 0 where everything is."""
    file = desk.write("configs/a.yaml", UNTIDY)
    ran = desk.run_here("fmt", "--check")
    assert ran.code == 2
    assert ran.out == "configs/a.yaml\nNot canonical: 1 of 1 file. Run `reconciler fmt`.\n"
    assert file.read_text() == UNTIDY
    assert desk.run_here("fmt").code == 0
    assert desk.run_here("fmt", "--check").code == 0


def test_a_diff_shows_what_changes(desk: Desk) -> None:
    """With `--check` it is all that happens."""
    desk.write("configs/a.yaml", UNTIDY)
    ran = desk.run_here("fmt", "--check", "--diff")
    assert "-max:   5 # five\n+max: 5   # five\n" in ran.out
    assert ran.out.startswith("--- configs/a.yaml\n+++ configs/a.yaml (canonical)\n@@ ")


def test_a_file_that_cannot_be_formatted_is_left_alone(desk: Desk) -> None:
    """Its diagnostic has a place, the others are formatted, and the exit code is 3, not 2."""
    broken = desk.write("configs/broken.yaml", BROKEN)
    other = desk.write("configs/other.yaml", UNTIDY)
    assert desk.run_here("fmt", "--check").code == 3
    ran = desk.run_here("fmt")
    assert ran.code == 3
    assert "configs/broken.yaml:3:6: error[yaml-anchor]: an anchor (&) is not accepted" in ran.err
    assert broken.read_text() == BROKEN
    assert other.read_text() == TIDY


def test_paths_say_what_is_formatted(desk: Desk) -> None:
    """Nothing outside of them is touched."""
    one = desk.write("configs/one.yaml", UNTIDY)
    two = desk.write("configs/two.yaml", UNTIDY)
    assert desk.run_here("fmt", "configs/two.yaml").out.startswith("configs/two.yaml\n")
    assert (one.read_text(), two.read_text()) == (UNTIDY, TIDY)
    assert desk.run_here("fmt", "elsewhere").code == 64


def test_overlays_are_formatted_too(desk: Desk) -> None:
    """With what they remove."""
    desk.write("configs/a.yaml", TIDY)
    desk.write(
        "reconciler.yaml", "version: 1\nportals:\n  default: {overlays: [overlays/default]}\n"
    )
    overlay = "to: companies\nfrom: contacts\nmax: ~  # none here\nlabels: {A: null}\n"
    file = desk.write("overlays/default/a.yaml", overlay)
    assert desk.run_here("fmt").out.startswith("overlays/default/a.yaml\n")
    assert file.read_text() == (
        "from: contacts\nto: companies\nmax: null  # none here\nlabels:\n  A: null\n"
    )


def test_a_workspace_file_is_not_a_pair_file(desk: Desk) -> None:
    """Named by mistake, it is refused."""
    text = "version: 1\nconfigs:   here\n"
    file = desk.write("reconciler.yaml", text)
    ran = desk.run_here("--workspace", "reconciler.yaml", "fmt", "reconciler.yaml")
    assert ran.code == 3
    assert "only pair files are formatted" in ran.err
    assert file.read_text() == text


def test_a_file_that_may_not_be_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error, and the file stays as it is."""
    file = desk.write("configs/a.yaml", UNTIDY)
    monkeypatch.setattr("reconciler.cli.files.os.access", lambda *_: False)
    ran = desk.run_here("fmt")
    assert ran.code == 1
    assert "cannot write" in ran.err
    assert "Permission denied" in ran.err
    assert file.read_text() == UNTIDY


def test_a_file_changed_meanwhile_is_not_overwritten(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading and writing somebody saved it in an editor."""
    file = desk.write("configs/a.yaml", UNTIDY)
    newer = UNTIDY.replace("5", "7")

    def saved_meanwhile(_: object) -> str:
        file.write_text(newer)
        return TIDY

    monkeypatch.setattr("reconciler.config.formatting.canonical_text", saved_meanwhile)
    ran = desk.run_here("fmt")
    assert ran.code == 1
    assert "was changed while the command ran" in ran.err
    assert file.read_text() == newer


def test_where_the_disk_fails_on_the_way_it_is_said_what_was_formatted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other files are as they were, and the next run does the rest."""
    names = [f"configs/{each}.yaml" for each in "abc"]
    files = [desk.write(each, UNTIDY) for each in names]
    write = replace_file

    def full(path: Path, content: bytes, *, was: bytes | None) -> None:
        if path.name == "b.yaml":
            raise ReconcilerError(f"cannot write {path.name}: No space left on device")
        write(path, content, was=was)

    monkeypatch.setattr("reconciler.cli.fmt.replace_file", full)
    ran = desk.run_here("fmt")
    assert ran.code == 1
    assert "No space left on device; 1 file of 3 formatted before it" in ran.err
    assert [each.read_text() for each in files] == [TIDY, UNTIDY, UNTIDY]
