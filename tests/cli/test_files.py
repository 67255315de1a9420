"""What `--out` writes over, writes through, and leaves alone."""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from unittest import mock

import pytest

from reconciler.cli.files import replace_file, write_file
from reconciler.errors import ReconcilerError
from tests.cli.running import Desk, Ran


def saved(file: Path) -> bool:
    """Whether a plan is there, from its first to its last byte."""
    return "digest" in json.loads(file.read_text("utf-8"))


def leftovers(folder: Path) -> list[str]:
    """Whatever a write may have left beside its file."""
    return [each.name for each in folder.iterdir() if each.name.startswith(".")]


def test_a_link_is_written_through(pair: Desk) -> None:
    """The link stays a link, chains and links into nothing too; its target has the plan."""
    for target, links in (("kept.json", ["a", "b"]), ("new.json", ["c"])):
        names = [*links, target]
        for link, to in pairwise(names):
            (pair.folder / link).symlink_to(to)
    (pair.folder / "kept.json").write_text("old")
    for link, target in (("a", "kept.json"), ("c", "new.json")):
        assert pair.run_here("plan", "--out", link).code == 0
        assert (pair.folder / link).is_symlink()
        assert saved(pair.folder / target)
    assert leftovers(pair.folder) == []


@pytest.mark.parametrize("name", [".plan.json.part", ".reconciler-"])
def test_a_planted_link_beside_the_file_is_not_followed(pair: Desk, name: str) -> None:
    """The temporary name cannot be guessed, and an existing one is never opened."""
    victim = pair.write("victim", "precious")
    (pair.folder / name).symlink_to(victim)
    assert pair.run_here("plan", "--out", "plan.json").code == 0
    assert victim.read_text("utf-8") == "precious"
    assert saved(pair.folder / "plan.json")


def test_a_device_stays_a_device(pair: Desk) -> None:
    """Even for root, who could replace it."""
    (pair.folder / "null").symlink_to("/dev/null")
    for name in ("/dev/null", "null"):
        assert pair.run_here("plan", "--out", name).code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_fifo_gets_the_plan(pair: Desk) -> None:
    """Whoever reads it has the plan, and the FIFO is still one."""
    fifo, read = pair.folder / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    ran = pair.run_here("plan", "--out", "fifo")
    reader.join(10)
    assert ran.code == 0
    assert "digest" in json.loads(read[0])
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_socket_is_refused_and_stays(pair: Desk) -> None:
    """Nothing can be written to it by its name."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(pair.folder / "socket"))
        ran = pair.run_here("plan", "--out", "socket")
    assert ran.code == 1
    assert "cannot write socket" in ran.err
    assert stat.S_ISSOCK((pair.folder / "socket").stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_is_a_file_like_any_other(pair: Desk, name: str) -> None:
    """A pipe: first the plan as JSON, then the report."""
    ran = pair.run("plan", "--out", name)
    assert ran.code == 0
    assert "digest" in json.loads(ran.out.partition("\n")[0])
    assert "Plan: 1 to create" in ran.last_line


def test_a_missing_folder_is_an_error_before_anything_is_asked(pair: Desk) -> None:
    """And says how to make it."""
    assert pair.server is not None
    before = len(pair.server.requests)
    for option in ("--out", "--digests"):
        ran = pair.run_here("plan", option, "plans/a/plan.json")
        assert ran.code == 1
        assert "mkdir -p" in ran.err
    assert not (pair.folder / "plans").exists()
    assert len(pair.server.requests) == before


@pytest.mark.parametrize("name", ["", "configs", "configs/", "new/", "."])
def test_what_cannot_be_a_file_is_wrong_usage(pair: Desk, name: str) -> None:
    """An empty name, and a folder."""
    for option in ("--out", "--digests"):
        assert pair.run_here("plan", option, name).code == 64


@pytest.mark.parametrize("name", ["x" * 300, "loop", "configs/contacts-companies.yaml/plan.json"])
def test_a_name_that_cannot_be_opened_is_an_error_in_words(pair: Desk, name: str) -> None:
    """Too long, a link to itself, a file taken for a folder."""
    (pair.folder / "loop").symlink_to("loop")
    ran = pair.run_here("plan", "--out", name)
    assert ran.code == 1
    assert ran.err.startswith("error: cannot write ")


def test_modes_are_what_the_shell_would_give(pair: Desk) -> None:
    """A new file honours the umask, an existing one keeps its mode and its other names."""
    before = os.umask(0o027)
    try:
        pair.run_here("plan", "--out", "new.json")
    finally:
        os.umask(before)
    kept = pair.write("kept.json", "old")
    kept.chmod(0o604)
    twin = pair.write("twin.json", "old")
    os.link(twin, pair.folder / "other-name.json")
    for name in ("kept.json", "twin.json"):
        assert pair.run_here("plan", "--out", name).code == 0
    assert stat.S_IMODE((pair.folder / "new.json").stat().st_mode) == 0o640
    assert stat.S_IMODE(kept.stat().st_mode) == 0o604
    assert saved(pair.folder / "other-name.json")


def test_the_umask_is_never_set(tmp_path: Path) -> None:
    """It belongs to all threads: two that save plans at once would leave it at 077 for good."""
    names = [f"{thread}-{number}.json" for thread in range(8) for number in range(40)]
    before, interval = os.umask(0o027), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with mock.patch("os.umask", side_effect=AssertionError), ThreadPoolExecutor(8) as threads:
            saves = [
                threads.submit(write_file, "--out", str(tmp_path / name), "{}") for name in names
            ]
            made = threads.submit(replace_file, tmp_path / "a.yaml", b"max: 1", was=None)
        assert [each.result() for each in (*saves, made)] == [None] * (len(names) + 1)
    finally:
        sys.setswitchinterval(interval)
        os.umask(before)
    modes = {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == {0o640}


def test_a_plan_that_cannot_be_saved_leaves_the_old_file(pair: Desk) -> None:
    """A full disk, played by a limit on the size of files: exit 1, the old plan, no leftovers."""
    assert pair.run_here("plan", "--out", "plan.json").code == 0
    old = (pair.folder / "plan.json").read_bytes()
    ran = limited(pair, 1, "plan", "--out", "plan.json")
    assert ran.code == 1
    assert "cannot write plan.json" in ran.err
    assert (pair.folder / "plan.json").read_bytes() == old
    assert leftovers(pair.folder) == []


def limited(desk: Desk, kilobytes: int, *arguments: str) -> Ran:
    """Run the command where no file may become larger than this."""
    done = subprocess.run(
        [
            "bash",
            "-c",
            f'ulimit -f {kilobytes}; exec "$0" -m reconciler "$@"',
            sys.executable,
            *arguments,
        ],
        cwd=desk.folder,
        env=desk.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_a_pipe_is_read_nowhere(pair: Desk) -> None:
    """A workspace, a pair file, a plan and the event of a job: an error, never a wait."""
    os.mkfifo(pair.folder / "fifo.yaml")
    pair.run_here("plan", "--out", "plan.json")
    pair.variables = {"GITHUB_REPOSITORY": "acme/limits", "GITHUB_TOKEN": "ghs_0123456789",
                      "GITHUB_EVENT_PATH": "fifo.yaml"}  # fmt: skip
    for arguments in (
        ["validate", "fifo.yaml"],
        ["plan", "fifo.yaml"],
        ["--workspace", "fifo.yaml", "validate"],
        ["show", "fifo.yaml"],
        ["apply", "fifo.yaml"],
        ["comment", "fifo.yaml"],
        ["comment", "plan.json"],
    ):
        ran = pair.run_here(*arguments)
        assert ran.code in {1, 3, 64}, arguments
        assert "internal error" not in ran.err


def test_a_file_is_replaced_only_as_it_was_read(tmp_path: Path) -> None:
    """Whoever saved it in the meantime has not worked for nothing; its mode stays."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"old")
    file.chmod(0o640)
    replace_file(file, b"new", was=b"old")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o640)
    for was in (b"old", b"ne", b"new and more", b""):
        with pytest.raises(ReconcilerError, match="was changed while the command ran"):
            replace_file(file, b"newer", was=was)
    assert (file.read_bytes(), leftovers(tmp_path)) == (b"new", [])


@pytest.mark.parametrize("links", [None, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_new_file_replaces_nothing(
    tmp_path: Path, links: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a file, a folder or a link, on a file system without hard links either."""
    if links is not None:
        refused = mock.Mock(side_effect=OSError(links, os.strerror(links)))
        monkeypatch.setattr("reconciler.cli.files.os.link", refused)
    (tmp_path / "file").write_bytes(b"kept")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "folder", "link"):
        with pytest.raises(ReconcilerError, match="was changed while the command ran"):
            replace_file(tmp_path / name, b"new", was=None)
    replace_file(tmp_path / "new", b"new", was=None)
    assert (tmp_path / "new").read_bytes() == b"new"
    assert (tmp_path / "new").stat().st_mode & 0o111 == 0
    assert (tmp_path / "file").read_bytes() == b"kept"
    assert not (tmp_path / "nowhere").exists()
    assert leftovers(tmp_path) == []


def test_a_file_that_cannot_be_replaced_is_an_error(tmp_path: Path) -> None:
    """With its name; nothing is made in its place."""
    with pytest.raises(ReconcilerError, match="cannot write"):
        replace_file(tmp_path / "gone", b"new", was=b"old")
    with pytest.raises(ReconcilerError, match="cannot write"):
        replace_file(tmp_path / "no folder" / "new", b"new", was=None)
    assert list(tmp_path.iterdir()) == []
