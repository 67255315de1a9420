"""A portal in an SQLite file: every write is on the disk before it is answered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from .portal import Direction, Portal
from .seed import SeedError, direction_document, portal_document, portal_from

_SCHEMA = """
CREATE TABLE IF NOT EXISTS portal (only INTEGER PRIMARY KEY CHECK (only = 1), document TEXT);
CREATE TABLE IF NOT EXISTS directions (from_id TEXT, to_id TEXT, document TEXT,
                                       PRIMARY KEY (from_id, to_id));
"""


# Marks a database as one of the stand-in's, so that another program's is never written to.
_APPLICATION_ID = 0x52_43_53_42


class StoreError(Exception):
    """The state file cannot be used; the message says why."""


class SqliteStore:
    """One portal in one file. Used by one thread at a time, whichever it is.

    Each document is a part of a seed document. Raises StoreError when the file is no such store.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False)
        except sqlite3.Error as error:
            raise StoreError(f"{path} cannot be used as a state file: {error}") from error
        try:
            self._prepare()
        except (sqlite3.Error, StoreError) as error:
            self._connection.close()
            raise StoreError(f"{path} cannot be used as a state file: {error}") from error

    def _prepare(self) -> None:
        (application_id,) = self._connection.execute("PRAGMA application_id").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and application_id != _APPLICATION_ID:
            raise StoreError("it is a database of something else")
        self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        # With a write-ahead log a commit is one flush; FULL makes it outlive a power cut too.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        with self._connection:
            self._connection.executescript(_SCHEMA)

    def load(self) -> Portal | None:
        """The portal of the file; None when the file is new. Raises StoreError."""
        try:
            found = self._connection.execute("SELECT document FROM portal").fetchone()
            if found is None:
                return None
            document = json.loads(found[0]) | {"types": [], "usage": []}
            for (text,) in self._connection.execute(
                "SELECT document FROM directions ORDER BY rowid"
            ):
                part = json.loads(text)
                document["types"] += part["types"]
                document["usage"] += part["usage"]
            return portal_from(document)
        except (sqlite3.Error, SeedError, ValueError, LookupError, TypeError) as error:
            raise StoreError(f"{self._path} holds no portal: {error}") from error

    def save(self, portal: Portal, directions: frozenset[Direction]) -> None:
        """Keep what changed in these directions; on return it is safe."""
        with self._connection:
            self._write(portal, directions)

    def save_all(self, portal: Portal) -> None:
        """Keep this portal in place of any other; on return it is safe."""
        with self._connection:
            self._connection.execute("DELETE FROM directions")
            self._connection.execute(
                "INSERT OR REPLACE INTO portal VALUES (1, ?)",
                (json.dumps(portal_document(portal)),),
            )
            self._write(portal, portal.directions)

    def close(self) -> None:
        self._connection.close()

    def _write(self, portal: Portal, directions: Iterable[Direction]) -> None:
        self._connection.executemany(
            "INSERT INTO directions VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET document = excluded.document",
            (
                (
                    *direction,
                    json.dumps(direction_document(direction, portal.directions[direction])),
                )
                for direction in directions
            ),
        )
