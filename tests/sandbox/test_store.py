"""A portal in a file outlives the process that wrote it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.sandbox.example import example_portal, generated_portal
from reconciler.sandbox.stand_in import Sandbox
from reconciler.sandbox.store import SqliteStore, StoreError
from tests.sandbox.talking import everything, one, send, write


def test_a_new_file_holds_no_portal(tmp_path: Path) -> None:
    """The caller then chooses where to start from."""
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        assert store.load() is None


def test_every_kind_of_change_is_kept(tmp_path: Path) -> None:
    """Limits set and removed, labels made, edits: another process finds them all."""
    path = tmp_path / "state.db"
    with closing(SqliteStore(path)) as store:
        portal = example_portal()
        store.save_all(portal)
        sandbox = Sandbox(portal, store=store)
        write(sandbox, "update", one(30, 3))
        write(sandbox, "purge", one(28))
        sandbox.edit("deals", "contacts", 32, 9)
        body = {"name": "mentor", "label": "Mentor", "inverseLabel": "Mentee"}
        send(sandbox, "POST", "/crm/associations/v4/tickets/orders/labels", body)
        expected = everything(sandbox.portal)
    with closing(SqliteStore(path)) as store:
        again = store.load()
        assert again is not None
        assert everything(again) == expected


def test_a_write_is_safe_before_it_is_answered(tmp_path: Path) -> None:
    """Another connection sees it while the first is still open."""
    path = tmp_path / "state.db"
    with closing(SqliteStore(path)) as store, closing(SqliteStore(path)) as other:
        store.save_all(example_portal())
        write(Sandbox(example_portal(), store=store), "update", one(28, 4))
        seen = other.load()
        assert seen is not None
        assert seen.limits("contacts", "companies")["USER_DEFINED", 28] == 4


def test_reset_replaces_what_is_kept(tmp_path: Path) -> None:
    """Directions that came later are gone from the file too."""
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        sandbox = Sandbox(generated_portal(4, 2), store=store)
        send(sandbox, "POST", "/crm/associations/v4/0-1/0-2/labels", {"name": "a", "label": "A"})
        sandbox.reset()
        again = store.load()
        assert again is not None
        assert everything(again) == everything(generated_portal(4, 2))


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """Neither text nor a database of something else is overwritten."""
    text, other = tmp_path / "text", tmp_path / "other.db"
    text.write_text("hello " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=re.escape(str(text))):
        SqliteStore(text)
    assert text.read_text(encoding="utf-8") == "hello " * 100
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE portal (only INTEGER, document TEXT)")
        connection.execute("INSERT INTO portal VALUES (1, '{}')")
    with pytest.raises(StoreError, match="database of something else"):
        SqliteStore(other)


def test_a_damaged_document_is_refused(tmp_path: Path) -> None:
    """Rather than started from half a portal."""
    path = tmp_path / "state.db"
    with closing(SqliteStore(path)) as store:
        store.save_all(example_portal())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('UPDATE portal SET document = \'{"extends": "no"}\'')
    with closing(SqliteStore(path)) as store, pytest.raises(StoreError, match="holds no portal"):
        store.load()
