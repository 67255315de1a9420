"""A portal in a file outlives the process that wrote it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.sandbox.example import example_portal, generated_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.store import JsonStore, StoreError
from tests.sandbox.talking import everything, one, send, write


def kept(path: Path) -> object:
    """All that another process finds in the file."""
    portal = JsonStore(path).load()
    assert portal is not None
    return everything(portal)


def started(path: Path) -> Sandbox:
    """A stand-in with the example portal that keeps its state in this file."""
    store = JsonStore(path)
    store.save_all(example_portal())
    return Sandbox(example_portal(), store=store)


def test_a_new_file_holds_no_portal(tmp_path: Path) -> None:
    """Nor does an empty one; the caller then chooses where to start from."""
    (tmp_path / "empty").touch()
    assert JsonStore(tmp_path / "state.json").load() is None
    assert JsonStore(tmp_path / "empty").load() is None


def test_every_kind_of_change_is_kept(tmp_path: Path) -> None:
    """Limits set and removed, labels made, edits: all are in the file before the answer."""
    path = tmp_path / "state.json"
    sandbox = started(path)
    assert kept(path) == everything(sandbox.portal)
    write(sandbox, "update", one(30, 3))
    assert kept(path) == everything(sandbox.portal)
    write(sandbox, "purge", one(28))
    assert kept(path) == everything(sandbox.portal)
    sandbox.edit("deals", "contacts", 32, 9)
    assert kept(path) == everything(sandbox.portal)
    body = {"name": "mentor", "label": "Mentor", "inverseLabel": "Mentee"}
    send(sandbox, "POST", "/crm/associations/v4/tickets/orders/labels", body)
    assert kept(path) == everything(sandbox.portal)


def test_reset_replaces_what_is_kept(tmp_path: Path) -> None:
    """Directions that came later are gone from the file too."""
    path = tmp_path / "state.json"
    sandbox = Sandbox(generated_portal(4, 2), store=JsonStore(path))
    sandbox.reset()
    send(sandbox, "POST", "/crm/associations/v4/0-1/0-2/labels", {"name": "a", "label": "A"})
    assert kept(path) == everything(sandbox.portal)
    sandbox.reset()
    assert kept(path) == everything(generated_portal(4, 2))


def test_the_file_is_replaced_as_one(tmp_path: Path) -> None:
    """Whoever has the old one open reads a complete old portal; nothing else stays behind."""
    path = tmp_path / "state.json"
    sandbox = started(path)
    with path.open("rb") as old:
        begin = old.read(1_000)
        write(sandbox, "update", one(28, 4))
        assert json.loads(begin + old.read())["kind"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_the_file_stays(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    path, link = tmp_path / "state.json", tmp_path / "link.json"
    path.touch()
    link.symlink_to(path)
    sandbox = started(link)
    write(sandbox, "update", one(28, 4))
    assert link.is_symlink()
    assert kept(path) == everything(sandbox.portal)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hello " * 100, "Expecting value"),
        (b"\xff\xfe\x00", "cannot be used"),
        (b"[" * 100_000, "cannot be used"),
        (b"[]", "does not hold a sandbox's state"),
        (b'{"extends": "example"}', "does not hold a sandbox's state"),
        (b'{"kind": "reconciler sandbox state", "extends": "no"}', "extends is one of"),
        (b'{"kind": "reconciler sandbox state", "extends": "nothing"', "Expecting"),
    ],
)
def test_a_file_that_is_not_a_state_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    """Text, a seed, a damaged state: neither started from nor overwritten."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=reason) as error:
        JsonStore(path).load()
    assert str(path) in str(error.value)
    assert path.read_bytes() == content


def test_the_database_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE portal (only INTEGER, document TEXT)")
    with pytest.raises(StoreError, match=r"SQLite database.*Choose another file, or delete"):
        JsonStore(path).load()


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    """A folder, or a device that would never end."""
    for path in (tmp_path, Path("/dev/zero")):
        with pytest.raises(StoreError, match="it is not a file"):
            JsonStore(path).load()
