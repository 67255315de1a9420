"""Where tokens may come from, and what is said when what is there is no token."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.cli.running import Desk

FROM_FILE = "version: 1\nportals: {default: {token: {file: PATH}}}\n"
FROM_ENV = "version: 1\nportals:\n  default:\n    token: {env: NAME}\n"
SECRET = "pat-na1-0badcafe-dead-beef-0123-456789abcdef"


@pytest.fixture
def repository(pair: Desk) -> Desk:
    """A pair file in a repository, which git itself is not needed for."""
    (pair.folder / "repository").mkdir()
    (pair.folder / "configs").rename(pair.folder / "repository" / "configs")
    pair.folder = pair.folder / "repository"
    (pair.folder / ".git").mkdir()
    return pair


def keep(folder: Path, content: str | bytes = f"{DEFAULT_TOKEN}\n", mode: int = 0o600) -> Path:
    """A token file."""
    file = folder / "token"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)
    return file


@pytest.mark.parametrize("quote", ['"', "'", "`", "“"])
def test_quotes_around_a_token_are_refused(pair: Desk, quote: str) -> None:
    """As `docker --env-file` leaves them; the source is named and nothing is sent."""
    assert pair.server is not None
    pair.variables["HUBSPOT_ACCESS_TOKEN"] = f"{quote}{SECRET}{quote}"
    before = len(pair.server.requests)
    ran = pair.run_here("plan")
    assert ran.code == 1
    assert "the token in HUBSPOT_ACCESS_TOKEN has quotes around it" in ran.err
    assert SECRET not in ran.err
    assert len(pair.server.requests) == before


@pytest.mark.parametrize(
    "value",
    [f"{SECRET} {SECRET}", f"{SECRET}\n{SECRET}", f"{SECRET}é", f"Bearer {SECRET}", "$HUBSPOT_READ",
     f"{SECRET}\x1b", "x" * 5_000, f"{SECRET};"],
)  # fmt: skip
def test_what_is_no_token_is_refused_without_being_shown(pair: Desk, value: str) -> None:
    """Whichever character it is, and the source is named."""
    pair.variables["HUBSPOT_ACCESS_TOKEN"] = value
    ran = pair.run_here("plan")
    assert ran.code == 1
    assert "the token in HUBSPOT_ACCESS_TOKEN" in ran.err
    assert SECRET not in ran.err
    assert "x" * 50 not in ran.err


def test_a_401_names_the_source_of_the_token(repository: Desk) -> None:
    """A variable or a file."""
    repository.variables["HUBSPOT_ACCESS_TOKEN"] = SECRET
    assert "the token from HUBSPOT_ACCESS_TOKEN" in repository.run_here("plan").err
    file = keep(repository.folder.parent, SECRET)
    repository.write("reconciler.yaml", FROM_FILE.replace("PATH", str(file)))
    ran = repository.run_here("plan")
    assert ran.code == 1
    assert f"does not accept the token from {file}" in ran.err


def test_a_token_file_outside_the_repository_is_read(repository: Desk) -> None:
    """With a warning where others may read it, too."""
    file = keep(repository.folder.parent)
    repository.write("reconciler.yaml", FROM_FILE.replace("PATH", "../token"))
    ran = repository.run_here("plan")
    assert (ran.code, "warning" in ran.err) == (0, False)
    for mode in (0o640, 0o604, 0o666):
        file.chmod(mode)
        ran = repository.run_here("plan")
        assert ran.code == 0
        assert f"is open to other users of this machine (mode 0{mode:o})" in ran.err


def test_a_token_file_in_the_repository_has_to_be_named(repository: Desk) -> None:
    """By its real path: a link out of the repository and back into it is in it."""
    keep(repository.folder)
    (repository.folder.parent / "link").symlink_to(repository.folder / "token")
    for path in ("token", "./configs/../token", "../link", str(repository.folder / "token")):
        repository.write("reconciler.yaml", FROM_FILE.replace("PATH", path))
        ran = repository.run_here("plan")
        assert ran.code == 3
        assert "reconciler.yaml:2:" in ran.err
        assert "lies in the repository" in ran.err
        assert repository.run_here("plan", "--token-file", "token").code == 0


def test_a_named_file_that_no_portal_reads_is_wrong_usage(repository: Desk) -> None:
    """It would be taken for the token's source; without a workspace file it is."""
    keep(repository.folder)
    repository.variables["HUBSPOT_ACCESS_TOKEN"] = "not-this-token"
    assert repository.run_here("plan", "--token-file", "token").code == 0
    repository.write("reconciler.yaml", "version: 1\n")
    assert repository.run_here("plan", "--token-file", "token").code == 64


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (b"\xff\xfe", "not text"),
        ("x" * 4_097, "larger than 4 KiB"),
        ("x" * 5_000_000, "larger than 4 KiB"),
        (f'"{SECRET}"\n', "has quotes around it"),
        (f"{SECRET}\n{SECRET}\n", "line break"),
    ],
)
def test_a_file_that_holds_no_token(repository: Desk, content: str | bytes, words: str) -> None:
    """Exit 1 with the file's name, and nothing is sent."""
    file = keep(repository.folder.parent, content)
    repository.write("reconciler.yaml", FROM_FILE.replace("PATH", str(file)))
    ran = repository.run_here("plan")
    assert ran.code == 1
    assert words in ran.err
    assert str(file) in ran.err
    assert SECRET not in ran.err


@pytest.mark.parametrize("name", ["fifo", "/dev/zero", "folder", "missing", "loop"])
def test_a_token_file_is_a_regular_file(repository: Desk, name: str) -> None:
    """Never a pipe that waits or a device without end."""
    outside = repository.folder.parent
    os.mkfifo(outside / "fifo")
    (outside / "folder").mkdir()
    (outside / "loop").symlink_to("loop")
    repository.write("reconciler.yaml", FROM_FILE.replace("PATH", str(outside / name)))
    ran = repository.run_here("plan")
    assert ran.code == 1
    assert "cannot read" in ran.err


def test_the_workspace_names_only_variables_that_are_meant_for_it(repository: Desk) -> None:
    """GITHUB_TOKEN is not sent to HubSpot's address unless the command line says so."""
    assert repository.server is not None
    repository.write("reconciler.yaml", FROM_ENV.replace("NAME", "GITHUB_TOKEN"))
    repository.variables["GITHUB_TOKEN"] = DEFAULT_TOKEN
    before = len(repository.server.requests)
    ran = repository.run_here("plan")
    assert ran.code == 3
    assert "reconciler.yaml:4:18: error[token-source]" in ran.err
    assert "--allow-token-env GITHUB_TOKEN" in ran.err
    assert len(repository.server.requests) == before
    for more in (["apply", "--auto-approve"], ["plan", "--all-portals"]):
        assert repository.run_here(*more).code == 3
    assert repository.run_here("plan", "--allow-token-env", "HOME").code == 3
    allowed = ["--allow-token-env", "HOME", "--allow-token-env", "GITHUB_TOKEN"]
    assert repository.run_here("plan", *allowed).code == 0
    checked = repository.run_here("validate")
    assert checked.code == 0
    assert "warning[token-source]" in checked.err


def test_a_token_in_a_file_by_mistake_is_masked(repository: Desk) -> None:
    """Where it stands in a pair file or the workspace file, and is in the environment, too."""
    repository.variables["HUBSPOT_ACCESS_TOKEN"] = SECRET
    repository.write("configs/b.yaml", f"from: contacts\nto: deals\nmax: {SECRET}\n")
    repository.write("reconciler.yaml", f"version: 1\nconfigs: {{a: {SECRET}}}\n")
    for arguments in (["validate"], ["validate", "--format", "json"], ["plan"]):
        ran = repository.run_here(*arguments)
        assert ran.code == 3
        assert SECRET not in ran.out + ran.err


def test_a_token_taken_for_the_name_of_its_variable_is_not_shown(repository: Desk) -> None:
    """Neither in the message nor below it."""
    repository.write("reconciler.yaml", FROM_ENV.replace("NAME", "ghp_0123456789abcdefABCDEF"))
    ran = repository.run_here("plan")
    assert ran.code == 3
    assert "ghp_" not in ran.err
